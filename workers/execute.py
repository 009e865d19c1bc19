"""All writes of a reconciliation: each action looks before it writes, so that a second time does nothing."""

import json
from dataclasses import asdict, replace
from typing import assert_never

import structlog

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import Proposal, Status
from bot.git import SigningFailed
from policies import naming, trailers
from policies.actions import Action, Close, Merge, OpenPromotion, Report, SetStatus, Settle, Validate
from policies.model import Image, MergeRequest, MergeRequestState, Release, Thread
from policies.snapshot import Snapshot
from policies.state import BRANCH, State, requests_in, settled, tidied
from policies.wording import report as words
from workers.closing import redden
from workers.hands import Hands
from workers.merging import merge_signed
from workers.observe import full, promotions
from workers.observe.content import splice
from workers.observe.context import Context
from workers.observe.own import commit_own
from workers.observe.promotions import (
    CATCHING_UP,
    catching_key,
    is_ours,
    refusal_key,
    remember_report,
    report_key,
    report_text,
    reports,
)
from workers.observe.validations import ask
from workers.state import Alarm, found_state, hold_after, record

__all__ = ["Hands", "execute", "finish_merge", "post_report"]

log = structlog.get_logger(__name__)

MOST_UNTOLD = 3
"""Tries of a merge in an hour after which what stands in its way is told on the merge request."""


Failures = dict[tuple[str, int], OutsideError]
"""What could not be done though the rest was: the kind of action and the merge request, and why."""


def execute(context: Context, hands: Hands, snapshot: Snapshot, actions: tuple[Action, ...]) -> Failures:
    """Do all actions in order; a comment that cannot be posted, or a merge request closed, stops nothing (R9, R11)."""
    failures: Failures = {}
    for action in actions:
        hands.still_mine()
        if isinstance(action, Report):
            full.keep_top(context, snapshot, action)
        if isinstance(action, Report | Close):
            _try(context, action, failures)
        else:
            _do(context, hands, snapshot, action)
        log.info("done", action=type(action).__name__, **_named(action))
    return failures


def _try(context: Context, action: Report | Close, failures: Failures) -> None:
    try:
        if isinstance(action, Report):
            post_report(context, action.iid, action.body)
        else:
            _close(context, action)
    except RateLimited:
        raise
    except OutsideError as error:
        failures[type(action).__name__, action.iid] = error


def _named(action: Action) -> dict[str, object]:
    return {"stage": action.stage} if isinstance(action, OpenPromotion | Settle) else {"mr": action.iid}


Written = OpenPromotion | Merge | SetStatus | Settle | Validate
"""What stops the reconciliation when it fails."""


def _do(context: Context, hands: Hands, snapshot: Snapshot, action: Written) -> None:
    match action:
        case OpenPromotion():
            if not snapshot.state_head:
                found_state(context, hands)  # before the first promotion, so that it is missed when it is gone (S21)
            _open(context, hands, action)
        case Settle():
            _settle(context, hands, snapshot, action)
        case Merge():
            _merge(context, hands, snapshot, action)
        case SetStatus():
            _set_status(context, action)
        case Validate():
            work = ("validate", context.forge.name, context.repository, str(action.iid))
            ask(context.memory, context.validating, work, action.key)
        case _:
            assert_never(action)


def _open(context: Context, hands: Hands, action: OpenPromotion) -> None:
    """Push, then open: either step may have been done before a crash, so each looks first (R5, S17)."""
    standing = context.mirror.branches().get(action.branch)
    if standing is None:
        _push(context, action.branch, commit_own(context, action, hands.identity, hands.clock()))
        hands.still_mine()
    if not action.branch_only:
        _open_request(context, action)


def _open_request(context: Context, action: OpenPromotion) -> None:
    proposal = Proposal(
        action.branch, action.target_branch, action.title, action.description, action.labels, action.reviewers
    )
    try:
        request = context.forge.open_request(context.repository, proposal)
    except Conflict:
        standing_requests = _opened(context, action.branch)
        if not standing_requests:
            raise
        request = standing_requests[0]
    remember_report(context, request.iid, None, "")
    if action.catches_up:
        name = naming.parse_branch(action.branch)
        context.memory.set(catching_key(context), name.unit if name is not None else "", CATCHING_UP)


def _push(context: Context, branch: str, commit: str) -> None:
    try:
        context.mirror.push(branch, commit, None)
    except Conflict:
        # Somebody was there first, perhaps we ourselves before a crash: the next look sees whose it is.
        context.mirror.fetch()
        raise


def _opened(context: Context, branch: str) -> list[MergeRequest]:
    me = context.forge.me()
    found = context.forge.requests_from(context.repository, branch)
    return [one for one in found if one.state is MergeRequestState.opened and is_ours(one, me)]


def _close(context: Context, action: Close) -> None:
    redden(context, action)
    context.forge.close(context.repository, action.iid, action.label)
    failures = _try_report(context, Report(action.iid, action.body))
    if failures:
        log.warning("report not posted", mr=action.iid, cause=str(failures[0]))


def _settle(context: Context, hands: Hands, snapshot: Snapshot, action: Settle) -> None:
    """Take out what was asked for, and on the way what is said of merge requests that are over."""
    asked, numbers = action.asked, requests_in(snapshot.state) if isinstance(snapshot.state, State) else frozenset()
    requests = [one for iid in numbers if (one := _if_any(context, iid)) is not None]
    gone = {one.iid for one in requests if one.state is not MergeRequestState.opened}
    declined = {one.iid for one in requests if _is_declined(context, one)}
    standing = {(snapshot.unit, one.stage, one.name) for one in snapshot.promotions}

    def change(state: State) -> State:
        # What other units have open was not read.
        others = {hold.carries for hold in state.holds if hold.carries and hold.service != snapshot.unit}
        return tidied(settled(state, asked), requests_in(state) - gone, standing | others, declined)

    subject = f"Settle the {asked.cause} of {asked.service} in {asked.stage}"
    record(
        context, hands, change, subject, f"{action.why}\n\nAsked for by {asked.by.name} ({asked.by.id}): {asked.where}"
    )


def _if_any(context: Context, iid: int) -> MergeRequest | None:
    """A merge request; of one that cannot be read, such as one that was deleted, nothing that is said is taken back."""
    try:
        return context.forge.request(context.repository, iid)
    except Permanent:
        return None


def _is_declined(context: Context, request: MergeRequest) -> bool:
    """Whether a person closed it: somebody may reopen it, and then it is held as before (S20)."""
    by_towpath = request.closed_by is not None and request.closed_by.id == context.forge.me().id
    return request.state is MergeRequestState.closed and not by_towpath


def _set_status(context: Context, action: SetStatus) -> None:
    status = Status(naming.STATUS, action.state, action.description, action.url)
    context.forge.set_status(context.repository, action.head, action.branch, status)


def _try_report(context: Context, action: Report) -> list[OutsideError]:
    try:
        post_report(context, action.iid, action.body)
    except OutsideError as error:
        return [error]
    return []


def post_report(context: Context, iid: int, body: str) -> None:
    """Make the one report comment of a merge request say this; edits it where it stands."""
    if report_text(context, iid) == body:
        return
    key = report_key(context, iid)
    known = context.memory.get(key)
    note = known.partition("\n")[0] if known is not None else _only_report(context, iid)
    # Forgotten before it is written: whatever becomes of the call, the next look asks the forge what stands there.
    context.memory.delete(key)
    if note:
        context.forge.edit_note(context.repository, Thread(iid), int(note), body)
        remember_report(context, iid, int(note), body)
    else:
        posted = context.forge.add_note(context.repository, Thread(iid), body)
        remember_report(context, iid, posted.id, body)


def _only_report(context: Context, iid: int) -> str:
    """The id of the report that stands, or an empty text; a second one, of two workers or a crash, is removed (R3)."""
    standing = reports(context, iid)
    for extra in standing[1:]:
        context.forge.delete_note(context.repository, Thread(iid), extra)
    return str(standing[0]) if standing else ""


def _merge(context: Context, hands: Hands, snapshot: Snapshot, action: Merge) -> None:
    """Rule 7: the exact head, then prove that what came into the branch is what was proved before (S17)."""
    request = _same_target(context, snapshot, action)
    _same_state(context, snapshot, action)
    _remember_merge(context, snapshot.unit, action)
    message = trailers.sealed(action.message, context.seal_keys[0])
    try:
        if action.signed:
            commit = merge_signed(context, hands, action, request, message)
        else:
            commit = context.forge.merge(context.repository, action.iid, action.head, message)
    except Permanent as refusal:
        _note_refusal(context, hands, action, refusal)
        raise
    except (Transient, Conflict) as failure:
        _note_try(context, hands, action, failure)
        raise
    _prove_merge(context, hands, snapshot, action, commit)


def _note_refusal(context: Context, hands: Hands, action: Merge, refusal: OutsideError) -> None:
    """Remember why this head was not merged. That a merge was begun stays remembered too: an answer that cannot be
    understood may stand for a merge that was done, and `finish_merge` looks."""
    by = "signing" if isinstance(refusal, SigningFailed) else "forge"
    key = refusal_key(context, action.iid, action.head)
    context.memory.set(key, f"{hands.clock().isoformat()} {by}\n{refusal.cause}", 24 * 3600)


def _note_try(context: Context, hands: Hands, action: Merge, failure: OutsideError) -> None:
    """What passes by itself is not told, but for what has not passed after some tries."""
    key = f"tries:{context.subject}:{action.iid}:{action.head}"
    tries = int(context.memory.get(key) or 0) + 1
    context.memory.set(key, str(tries), 3600)
    if tries >= MOST_UNTOLD:
        _note_refusal(context, hands, action, failure)


def _prove_merge(context: Context, hands: Hands, snapshot: Snapshot, action: Merge, commit: str) -> None:
    context.mirror.ensure(commit)
    surprise = _surprise(context, snapshot, action, commit)
    if surprise:
        log.critical("merged more than proved", mr=action.iid, commit=commit, paths=surprise)
        request = context.forge.request(context.repository, action.iid)
        alarm = Alarm(snapshot.unit, action.stage, words.SURPRISE, replace(request, merge_commit=commit))
        hold_after(context, hands, alarm)
    promotion = next((one for one in snapshot.promotions if one.request.iid == action.iid), None)
    merged = words.merged(action.stage, action.release, commit, promotion)
    text = words.alarm(commit, surprise) if surprise else merged
    hands.still_mine()
    failures = _try_report(context, Report(action.iid, text))
    if failures:
        log.warning("report not posted", mr=action.iid, cause=str(failures[0]))
    context.memory.delete(_merge_key(context, snapshot.unit))
    if snapshot.catching_up == snapshot.unit:
        context.memory.delete(catching_key(context))


def finish_merge(context: Context, hands: Hands, snapshot: Snapshot) -> None:
    """Prove the unit's last merge where its answer was lost, or what came after it failed (S17, R3)."""
    known = context.memory.get(_merge_key(context, snapshot.unit))
    if known is None:
        return
    kept = json.loads(known)
    action = Merge(**{**kept, "release": _release(kept["release"]), "paths": tuple(kept["paths"])})
    try:
        request = context.forge.request(context.repository, action.iid)
        if request.merge_commit is not None:
            _prove_merge(context, hands, snapshot, action, request.merge_commit)
        elif request.state is not MergeRequestState.opened or promotions.refusal(context, request) is not None:
            context.memory.delete(_merge_key(context, snapshot.unit))  # it was not done, and is not under way
    except Permanent as failure:
        # Said once, where people look; a proof that can never be made must not hold the unit up (R11).
        context.memory.delete(_merge_key(context, snapshot.unit))
        log.critical("merge not proved", mr=action.iid, why=str(failure))
        _try_report(context, Report(action.iid, words.unproved(action.stage, failure.cause)))


def _remember_merge(context: Context, unit: str, action: Merge) -> None:
    kept = asdict(action) | {"message": ""}
    context.memory.set(_merge_key(context, unit), json.dumps(kept), 3 * 24 * 3600)


def _release(kept: dict[str, list[dict[str, str | None]]]) -> Release:
    return Release(tuple(Image(str(one["repository"]), str(one["digest"]), one["tag"]) for one in kept["images"]))


def _merge_key(context: Context, unit: str) -> str:
    return f"merging:{context.subject}:{unit}"


def _same_target(context: Context, snapshot: Snapshot, action: Merge) -> MergeRequest:
    """No forge binds a merge to a branch: look once more where it goes, right before it goes there (S13)."""
    request = context.forge.request(context.repository, action.iid)
    if request.target_branch != snapshot.branch:
        goes = f"it goes to {request.target_branch}, not to {snapshot.branch}"
        raise Conflict("merge", f"{context.subject}!{action.iid}", goes)
    return request


def _same_state(context: Context, snapshot: Snapshot, action: Merge) -> None:
    """A hold that was set a moment ago holds (S17)."""
    if context.mirror.heads((BRANCH,)).get(BRANCH, "") != snapshot.state_head:
        raise Conflict("merge", f"{context.subject}!{action.iid}", "what commands decided has just changed")


def _surprise(context: Context, snapshot: Snapshot, action: Merge, commit: str) -> tuple[str, ...]:
    """The paths in which the branch after the merge differs from the branch before it with this release spliced in.

    The forge binds only the head: when the branch moved meanwhile, its new commit is what counts as *before*."""
    tree = context.mirror.tree(commit)
    if tree == action.expected:
        return ()
    before = context.mirror.parents(commit)[0]
    wanted = splice(context.editor(snapshot.policy.services), before, action.paths, action.release)
    if isinstance(wanted, tuple):
        raise Permanent("prove the merge of", f"{context.subject}!{action.iid}", words.trouble_line(wanted[0]))
    return () if wanted.tree == tree else context.mirror.changed(wanted.tree, tree)
