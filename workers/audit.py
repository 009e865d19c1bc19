"""Changes around the gates: what came into a gated stage without the approvals that policy asks for.

A person with the right can always merge or push by hand. Nothing is undone for that; it is found, and said once: in the
log, and on the merge request where there is one."""

import re
from itertools import count, takewhile

import structlog

from bot.errors import OutsideError, Permanent
from bot.git import Merged
from policies import around, naming, trailers
from policies.around import Came
from policies.gates import approvals, override
from policies.gating import judged_as
from policies.model import MergeRequest, MergeRequestState
from policies.snapshot import Integrity, Promotion, Snapshot, StageView, Unanswered
from policies.state import State, overridden
from policies.verdict import Outcome, Verdict, passed
from policies.wording import report as words
from workers.execute import post_report
from workers.hands import Hands
from workers.observe import promotions
from workers.observe.answers import answered
from workers.observe.context import Context
from workers.observe.own import FAR_DOWN
from workers.observe.policy import in_force
from workers.state import Alarm, hold_after

log = structlog.get_logger(__name__)

KEPT = 400 * 24 * 3600
"""Seconds for which it is remembered up to which commit a stage was looked at."""
MOST = 100
"""Commits of one stage that are looked at in one go, the newest ones."""
MOST_HINTS = 3
_HINT = re.compile(r"[!#](\d{1,9})\b")


def audit(context: Context, hands: Hands, snapshot: Snapshot) -> None:
    """Look at each commit that changed what a gated stage pins, once; a failure keeps nothing else from its end."""
    for view in snapshot.stages:
        if view.stage.approvals is None or view.stage.mode == "observe":
            continue
        try:
            _audit(context, hands, snapshot, view)
        except OutsideError as failure:
            log.warning("not looked for changes around the gates", stage=view.stage.name, why=str(failure))


def _audit(context: Context, hands: Hands, snapshot: Snapshot, view: StageView) -> None:
    key = f"audited:{context.subject}:{snapshot.unit}:{view.stage.name}"
    last = context.memory.get(key)
    news = _news(context, snapshot, view, last) if last != snapshot.head else None
    if news is None:
        return
    for one in reversed(news):
        verdict, request = _judged(context, snapshot, view, one)
        if verdict.outcome is not Outcome.passed:
            _alarm(context, hands, (snapshot.unit, view.stage.name, one.commit), verdict, request)
        context.memory.set(key, one.commit, KEPT)
    context.memory.set(key, snapshot.head, KEPT)


def _news(context: Context, snapshot: Snapshot, view: StageView, last: str | None) -> list[Came] | None:
    """What nobody looked at yet, newest first; None where Towpath has done nothing here that it could begin from."""
    mirror, came = context.mirror, around.came(snapshot, view)
    if last is not None and mirror.has(last):
        news = list(takewhile(lambda one: not mirror.is_ancestor(one.commit, last), came))
    else:
        begun = _begun(context, snapshot)
        if not begun:
            return None
        news = [one for one in came if one.commit in begun]
    if len(news) > MOST:
        log.warning("too many changes to look at", stage=view.stage.name, changes=len(news), looked_at=MOST)
    return news[:MOST]


def _begun(context: Context, snapshot: Snapshot) -> frozenset[str]:
    """The commits from the first one on that brought in something of Towpath's: people's history before is theirs."""
    commits = [moment.commit for moment in snapshot.moments]
    sealed = [index for index, commit in enumerate(commits) if _is_sealed(context, commit)]
    return frozenset(commits[: sealed[-1] + 1]) if sealed else frozenset()


def _is_sealed(context: Context, commit: str) -> bool:
    found = (commit, *context.mirror.parents(commit)[1:2])
    return any(trailers.is_genuine(context.mirror.message(one), context.seal_keys) for one in found)


def _judged(context: Context, snapshot: Snapshot, view: StageView, one: Came) -> tuple[Verdict, MergeRequest | None]:
    """What the approvals gate says of a commit, and the merge request that brought it."""
    if not _was_gated(context, view, one.commit) or _by_towpath(context, snapshot, view, one):
        return passed("approvals", "it needed none, or Towpath merged it"), None
    request = _request(context, snapshot, one)
    if request is None:
        return around.pushed(), None
    if not _brought(context, one, request):
        return around.other_content(), request
    merger, me = request.merged_by, context.forge.me()
    if merger is not None and merger.id == me.id and promotions.is_ours(request, me, snapshot.unit):
        return passed("approvals", "Towpath merged it"), request  # by a rebase or the like, which keeps no message
    return _approved(context, snapshot, view, one, request), request


def _was_gated(context: Context, view: StageView, commit: str) -> bool:
    """Whether the policy in force before the commit asked for approvals in the stage."""
    parents = context.mirror.parents(commit)
    if not parents:
        return False
    try:
        policy = in_force(context.mirror, parents[0], context.subject).policy
    except Permanent:
        return False  # there was none yet
    return any(
        stage.name == view.stage.name and stage.approvals is not None and stage.mode != "observe"
        for stage in policy.stages
    )


def _by_towpath(context: Context, snapshot: Snapshot, view: StageView, one: Came) -> bool:
    """Whether the commit is Towpath's own merge after the gates, by sealed evidence of exactly this change."""
    message = context.mirror.message(one.commit)
    record = trailers.unsealed(message, context.seal_keys)
    if record is None or not around.speaks_of(record, snapshot.unit, view.stage.name, one):
        return False
    merged = context.mirror.parents(one.commit)[1:]
    return record.head in ("", *(merged or (record.head,))) and not _is_copy(context, snapshot, one.commit, message)


def _is_copy(context: Context, snapshot: Snapshot, commit: str, message: str) -> bool:
    """Whether an older commit has the same seal: a message is believed where it stands first."""
    commits = [moment.commit for moment in snapshot.moments]
    older = commits[commits.index(commit) + 1 :]
    return any(trailers.seal(context.mirror.message(other)) == trailers.seal(message) for other in older)


# The merge request that brought a commit.


def _request(context: Context, snapshot: Snapshot, one: Came) -> MergeRequest | None:
    """The merged one of which the forge says that it came by this commit, or None."""
    parents = context.mirror.parents(one.commit)
    for request in (*_of_promotions(context, snapshot, one, parents), *_hinted(context, one.commit)):
        if request.state is MergeRequestState.merged and _came_by(request, one.commit, parents[1:]):
            # A list may tell less of each than the forge does of one alone, such as who merged it.
            return context.forge.request(context.repository, request.iid)
    return None


def _came_by(request: MergeRequest, commit: str, merged: tuple[str, ...]) -> bool:
    """GitLab names the head itself where a push brought the merge in."""
    by_push = request.merge_commit == request.head and request.head in merged
    return request.merge_commit == commit or by_push


def _of_promotions(context: Context, snapshot: Snapshot, one: Came, parents: tuple[str, ...]) -> list[MergeRequest]:
    """Those from the branches of promotions of what the commit brought: their names outlive the branches."""
    found: list[MergeRequest] = []
    for stage, release in _names(context, snapshot, one, parents):
        for number in count(1):
            name = naming.BranchName(stage, snapshot.unit, release, number)
            requests = context.forge.requests_from(context.repository, naming.branch(name))
            if not requests:
                break
            found += (request for request in requests if request.same_project)
    return found


def _names(context: Context, snapshot: Snapshot, one: Came, parents: tuple[str, ...]) -> set[tuple[str, str]]:
    """Stage and release that the commit may be the promotion of: by Towpath's own commit in it, else by its pins."""
    mirror = context.mirror
    commits = mirror.log(parents[0], one.commit, FAR_DOWN) if parents else (one.commit,)
    records = [trailers.unsealed(mirror.message(commit), context.seal_keys) for commit in commits]
    names = {(record.stage, record.release.name) for record in records if record and record.unit == snapshot.unit}
    release = around.release_of(one)
    stages = [view.stage.name for view in snapshot.stages if set(one.pins) & set(view.places)]
    return names | {(stage, release.name) for stage in stages if release is not None}


def _hinted(context: Context, commit: str) -> list[MergeRequest]:
    """Those that the commit's message speaks of; whoever wrote it, only the forge's word on them counts."""
    numbers = dict.fromkeys(int(number) for number in _HINT.findall(context.mirror.message(commit)))
    found = []
    for number in list(numbers)[:MOST_HINTS]:
        try:
            found.append(context.forge.request(context.repository, number))
        except Permanent:  # a number of something else
            continue
    return found


def _brought(context: Context, one: Came, request: MergeRequest) -> bool:
    """Whether the files in question are as the merge request's head, or its merge, has them."""
    mirror, before = context.mirror, context.mirror.parents(one.commit)[0]
    try:
        mirror.ensure(request.head)
    except Permanent:
        return False
    if mirror.is_ancestor(request.head, before):
        return False  # it had come in before
    merged = mirror.merge(before, request.head)
    trees = (request.head, merged.tree) if isinstance(merged, Merged) else (request.head,)
    return all(mirror.blob_id(one.commit, path) in [mirror.blob_id(tree, path) for tree in trees] for path in one.paths)


# What the gate would have said, and the alarm.


def _approved(context: Context, snapshot: Snapshot, view: StageView, one: Came, request: MergeRequest) -> Verdict:
    """What the gate says of the merge request as it stands now."""
    theirs = promotions.promotion(context, snapshot, request)
    mine = promotions.is_ours(request, context.forge.me(), snapshot.unit)
    proposed = theirs if theirs is not None and mine else _of_a_person(view, request)
    rule = judged_as(view, proposed).stage.approvals
    paths = context.mirror.changed(context.mirror.parents(one.commit)[0], one.commit)
    while rule is not None:
        try:
            return _overridden(snapshot, request, approvals.judge_paths(snapshot, proposed, rule, paths))
        except Unanswered as missing:
            snapshot = answered(context, snapshot, missing.questions)
    return passed("approvals", "a rollback needs none")


def _of_a_person(view: StageView, request: MergeRequest) -> Promotion:
    """A person's merge request, judged like a promotion."""
    nothing = Integrity(None, None, (), own=False)
    return Promotion(view.stage.name, "", None, 0, request, (), nothing, None, None)


def _overridden(snapshot: Snapshot, request: MergeRequest, verdict: Verdict) -> Verdict:
    """With what two people had let pass when a person merged it."""
    if not isinstance(snapshot.state, State) or request.merged_at is None:
        return verdict
    found = overridden(snapshot.state, request.iid, request.head, request.merged_at)
    return override.applied((verdict,), found)[0]


def _alarm(
    context: Context, hands: Hands, what: tuple[str, str, str], verdict: Verdict, request: MergeRequest | None
) -> None:
    unit, stage, commit = what
    known = {"unit": unit, "stage": stage, "commit": commit, "why": verdict.reason}
    if request is None:
        log.critical("pushed around the gates", **known)
        return
    told = words.around(stage, verdict)
    if promotions.report_text(context, request.iid) == told:
        return  # said already, and forgotten
    log.critical("merged around the gates", mr=request.iid, **known)
    hold_after(context, hands, Alarm(unit, stage, words.AROUND, request))
    post_report(context, request.iid, told)
