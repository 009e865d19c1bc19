"""Changes around the gates: what came into a gated stage without the approvals that policy asks for.

A person with the right can always merge or push by hand. Nothing is undone for that; it is found, and said once: in the
log, and on the merge request where there is one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog

from bot.errors import OutsideError, Permanent
from policies import around, layout, naming, trailers
from policies.around import Came
from policies.codeowners import LOCATIONS
from policies.config import Approvals
from policies.gates import approvals, integrity, override
from policies.model import MergeRequest, Review
from policies.snapshot import Integrity, OwnersFile, Promotion, Question, Reviewed, Snapshot, Unanswered
from policies.state import State, overridden
from policies.trailers import Record
from policies.verdict import Outcome, Verdict, passed
from policies.wording import report as words
from workers.arrivals import FAR_BACK, arrivals, begun, paths_of
from workers.bringing import MOST_COMMITS, bringing, is_merge_of
from workers.execute import post_report
from workers.hands import Hands
from workers.observe import promotions
from workers.observe.answers import answered
from workers.observe.content import prove, splice
from workers.observe.context import Context
from workers.observe.own import own_commit
from workers.observe.people import owners_file
from workers.observe.policy import FILE
from workers.state import Alarm, hold_after

log = structlog.get_logger(__name__)

KEPT = 400 * 24 * 3600
"""Seconds for which it is remembered up to which commit the target branch was looked at."""
FAULT_TOLD = 24 * 3600
"""Seconds for which it is remembered that a commit was told to have failed."""
FRESH = timedelta(days=1)
"""How long after a merge what is found holds the service: later, people and their rights may be others."""


@dataclass(frozen=True)
class _Look:
    """One look at what is new: since which commit, and whether that was remembered."""

    context: Context
    hands: Hands
    snapshot: Snapshot
    since: str
    remembered: bool


@dataclass(frozen=True)
class _Found:
    """A change that should not have come, and why."""

    came: Came
    verdict: Verdict
    request: MergeRequest | None


def audit(context: Context, hands: Hands, snapshot: Snapshot) -> None:
    """Look at each new commit of the target branch, once; a failure keeps nothing else from its end."""
    key = f"audited:{context.subject}"
    last = context.memory.get(key)
    if last == snapshot.head:
        return
    try:
        seen = _seen(context, hands, snapshot, last)
    except OutsideError as failure:
        log.warning("not looked for changes around the gates", commit=snapshot.head, why=str(failure))
        return
    except Exception:  # a fault of ours holds no promotion up (R11)
        log.critical("not looked for changes around the gates", commit=snapshot.head, exc_info=True)
        return
    if seen is not None:
        context.memory.set(key, seen, KEPT)


def _seen(context: Context, hands: Hands, snapshot: Snapshot, last: str | None) -> str | None:
    """Up to which commit was looked at now; None where others looked further."""
    remembered = last is not None and context.mirror.has(last)
    since = last if remembered else begun(context, snapshot.head)
    if since is None:
        return snapshot.head  # there is nothing of Towpath's to begin from
    if context.mirror.is_ancestor(snapshot.head, since):
        return None if remembered else snapshot.head
    return _audit(_Look(context, hands, snapshot, since, remembered))


def _audit(look: _Look) -> str | None:
    """Look at what is new; up to where nothing failed, which is looked at again."""
    seen, failed = None, False
    for number, (commit, changes) in enumerate(arrivals(look.context, look.since, look.snapshot.head), 1):
        if number == FAR_BACK:
            log.critical("too many commits to look at", commit=look.snapshot.head, looked_at=FAR_BACK)
        try:
            failed = not _look_at(look, commit, changes) or failed
        except OutsideError as failure:
            log.warning("not looked for changes around the gates", commit=commit, why=str(failure))
            failed = True
        seen = seen if failed else commit
    return seen


def _look_at(look: _Look, commit: str, changes: Callable[[], tuple[Came, ...]]) -> bool:
    """Look at a commit and tell what is wrong with it; whether all that it changed could be looked at."""
    failures: list[Exception] = []
    came: tuple[Came, ...] = ()
    found: list[_Found] = []
    with _keeping(look, commit, failures):
        came = changes()
    for one in came:
        with _keeping(look, commit, failures):
            wrong = _judged(look, one)
            found += [wrong] if wrong is not None else []
    with _keeping(look, commit, failures):
        _alarm_of(look, found)
    return not failures


@contextmanager
def _keeping(look: _Look, commit: str, failures: list[Exception]) -> Iterator[None]:
    """Keep what goes wrong: a change that cannot be looked at hides no other. A forge that is down stops all."""
    try:
        yield
    except Permanent as failure:
        log.warning("not looked for changes around the gates", commit=commit, why=str(failure))
        failures.append(failure)
    except OutsideError:
        raise
    except Exception as fault:
        key = f"unlooked:{look.context.subject}:{commit}"
        if look.context.memory.get(key) is None:  # each reconciliation tries again: it is told once a day
            log.critical("a change cannot be looked at", commit=commit, exc_info=True)
            look.context.memory.set(key, "said", FAULT_TOLD)
        failures.append(fault)


def _judged(look: _Look, one: Came) -> _Found | None:
    """What is wrong with a change; None where the approvals gate would have let it pass."""
    context = look.context
    if _by_towpath(context, one):
        return None
    found = bringing(context, one, look.since, look.hands.clock())
    if found is None:
        return _Found(one, around.pushed(), None)
    request, as_proposed = found
    if not as_proposed:
        return _Found(one, around.other_content(), request)
    merger, me = request.merged_by, context.forge.me()
    if merger is not None and merger.id == me.id and promotions.is_ours(request, me, one.unit):
        return None  # merged by a rebase or the like, which keeps no message
    verdict = _approved(look, one, request)
    return _Found(one, verdict, request) if verdict.outcome is not Outcome.passed else None


def _by_towpath(context: Context, one: Came) -> bool:
    """Whether the commit is Towpath's own merge after the gates, by sealed evidence of exactly this change."""
    record = trailers.unsealed(context.mirror.message(one.commit), context.seal_keys)
    if record is None or not around.speaks_of(record, one):
        return False
    return is_bound(context, record, one.before, one.commit)


def is_bound(context: Context, record: Record, before: str, commit: str) -> bool:
    """Whether the sealed evidence in a commit's message is of this very commit, and not copied from another's.

    `before` is the commit of the target branch right before it."""
    merged = context.mirror.parents(commit)[1:]
    # A squash holds no merged head that would bind the evidence to it: there the forge has to say so.
    bound = record.head in ("", *merged) if merged else is_merge_of(context, record.request, commit)
    return bound and not _is_copy(context, before, context.mirror.message(commit))


def _is_copy(context: Context, before: str, message: str) -> bool:
    """Whether an older commit has the same seal: a message is believed where it stands first."""
    older, seal = context.mirror.first_parents(before, FAR_BACK), trailers.seal(message)
    return any(trailers.seal(context.mirror.message(other)) == seal for other in older)


# What the gates would have said.


def _approved(look: _Look, one: Came, request: MergeRequest) -> Verdict:
    """What the gates say of the merge request as it was merged: of Towpath's own, only its very commit passes."""
    if promotions.is_ours(request, look.context.forge.me()):
        proposed = _own(look.context, one, request)
        verdict = integrity.judge(proposed)
        if verdict.outcome is not Outcome.passed:
            return _overridden(look.snapshot, request, verdict)
    else:
        proposed = _unproved(one, request)
    by_rule = one.stage.in_rollback if proposed.is_rollback and proposed.stage == one.stage.name else one.stage
    if by_rule.approvals is None:
        return passed("approvals", "a rollback needs none")
    return _overridden(look.snapshot, request, _by_people(look, one, proposed, by_rule.approvals))


def _own(context: Context, one: Came, request: MergeRequest) -> Promotion:
    """Towpath's own merge request, proved as it was right before the merge."""
    name = naming.parse_branch(request.source_branch)
    found = own_commit(context, request.head, name) if name is not None else None
    if name is None or found is None:
        return _unproved(one, request)
    made, record = found
    editor = context.editor(one.policy.services)
    wanted = splice(editor, one.before, paths_of(context, one, one.before), record.release)
    proof = replace(prove(editor, one.before, request.head, wanted, record.release), made=made)
    whole = replace(_unproved(one, request), stage=name.stage, name=name.release, release=record.release)
    return replace(whole, integrity=proof, requesters=record.requesters, cause=record.cause)


def _unproved(one: Came, request: MergeRequest) -> Promotion:
    """A person's merge request, judged like a promotion."""
    nothing = Integrity(None, None, (), own=False)
    return Promotion(one.stage.name, "", None, 0, request, (), nothing, None, None)


def _by_people(look: _Look, one: Came, proposed: Promotion, rule: Approvals) -> Verdict:
    """What the approvals gate says of the gated files and the rules' own, by the owners before the merge."""
    context, request = look.context, proposed.request
    changed = context.mirror.changed(one.before, one.commit)
    paths = tuple(path for path in changed if path in one.changes or path in (FILE, *LOCATIONS[context.forge.kind]))
    known: dict[Question, object] = {
        OwnersFile(): owners_file(context, one.before),
        Reviewed(request.iid, request.head): _reviews(context, one, request),
    }
    snapshot = replace(look.snapshot, answers={**look.snapshot.answers, **known})
    while True:
        try:
            return approvals.judge_paths(snapshot, proposed, rule, paths)
        except Unanswered as missing:
            snapshot = answered(context, snapshot, missing.questions)


def _reviews(context: Context, one: Came, request: MergeRequest) -> tuple[Review, ...]:
    """What reviewers said, without those who committed what is in question: nobody approves what is his own."""
    mirror = context.mirror
    commits = [commit for commit in mirror.log(one.before, request.head, MOST_COMMITS) if _wrote(context, one, commit)]
    makers = {who for commit in commits for who in (mirror.author(commit), mirror.committer(commit))}
    found = context.forge.reviews(context.repository, request.iid)
    return tuple(review for review in found if not any(around.is_by(who, review.user) for who in makers))


def _wrote(context: Context, one: Came, commit: str) -> bool:
    """Whether a commit made something of the files in question that none of its parents has."""
    mirror, parents = context.mirror, context.mirror.parents(commit)
    return any(
        mirror.blob_id(commit, path) not in [mirror.blob_id(parent, path) for parent in parents] for path in one.paths
    )


def _overridden(snapshot: Snapshot, request: MergeRequest, verdict: Verdict) -> Verdict:
    """With what two people had let pass when a person merged it."""
    if not isinstance(snapshot.state, State) or request.merged_at is None:
        return verdict
    found = overridden(snapshot.state, request.iid, request.head, request.merged_at)
    return override.applied((verdict,), found)[0]


# The alarm.


def _alarm_of(look: _Look, found: list[_Found]) -> None:
    """Say each change once, hold its service in its stage, and then tell all of them on the merge request."""
    new = {(one.came.unit, one.came.stage.name): one for one in reversed(found) if not _was_said(look, one)}
    for one in reversed(new.values()):
        _alarm(look, one)
    for request in {one.request.iid: one.request for one in new.values() if one.request is not None}.values():
        theirs = [one for one in found if one.request is not None and one.request.iid == request.iid]
        if _holds(look, request):
            where = tuple(dict.fromkeys((one.came.unit, one.came.stage.name) for one in theirs))
            post_report(look.context, request.iid, words.around(where, theirs[0].verdict))
    for one in new.values():
        look.context.memory.set(_said_key(look, one), "said", KEPT)


def _alarm(look: _Look, one: _Found) -> None:
    came, request = one.came, one.request
    known = {"unit": came.unit, "stage": came.stage.name, "commit": came.commit, "why": one.verdict.reason}
    if request is None:
        say = log.critical if look.remembered else log.warning
        say("pushed around the gates", **known)
    elif _holds(look, request):
        log.critical("merged around the gates", mr=request.iid, **known)
        if not layout.is_utf8(came.unit):
            return  # nothing ever promotes it
        hold_after(look.context, look.hands, Alarm(came.unit, came.stage.name, words.AROUND, request))
    else:
        log.warning("merged around the gates", mr=request.iid, **known)


def _holds(look: _Look, request: MergeRequest) -> bool:
    """Whether it is fresh: what is older, or may have been settled before memory was lost, is only logged."""
    at = request.merged_at
    return look.remembered and (at is None or look.hands.clock() - at < FRESH)


def _was_said(look: _Look, one: _Found) -> bool:
    return look.context.memory.get(_said_key(look, one)) is not None


def _said_key(look: _Look, one: _Found) -> str:
    """One merge request is told once, whichever of its commits is looked at."""
    about = f"!{one.request.iid}" if one.request is not None else one.came.commit
    unit = one.came.unit.encode(errors="backslashreplace").decode()  # it may be no UTF-8
    return f"around:{look.context.subject}:{about}:{unit}:{one.came.stage.name}"
