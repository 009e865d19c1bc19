"""All writes of a reconciliation: each action looks before it writes, so that a second time does nothing."""

import json
from dataclasses import asdict
from typing import assert_never

import structlog

from bot.errors import Conflict, OutsideError, Permanent
from bot.forges.base import Proposal, Status
from bot.git import SigningFailed
from policies import naming, trailers
from policies.actions import Action, Close, Merge, OpenPromotion, Report, SetStatus
from policies.model import Image, MergeRequest, MergeRequestState, Release
from policies.snapshot import Snapshot
from policies.wording import report as words
from workers.hands import Hands
from workers.merging import merge_signed
from workers.observe.content import splice
from workers.observe.context import Context
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

__all__ = ["Hands", "execute", "finish_merge", "post_report"]

log = structlog.get_logger(__name__)


def execute(context: Context, hands: Hands, snapshot: Snapshot, actions: tuple[Action, ...]) -> list[OutsideError]:
    """Do all actions in order; a comment that cannot be posted is returned, and stops nothing (R9)."""
    failures: list[OutsideError] = []
    for action in actions:
        hands.still_mine()
        if isinstance(action, Report):
            failures += _try_report(context, action)
        else:
            _do(context, hands, snapshot, action)
        log.info("done", action=type(action).__name__, **_named(action))
    return failures


def _named(action: Action) -> dict[str, object]:
    return {"stage": action.stage} if isinstance(action, OpenPromotion) else {"mr": action.iid}


def _do(context: Context, hands: Hands, snapshot: Snapshot, action: OpenPromotion | Close | Merge | SetStatus) -> None:
    match action:
        case OpenPromotion():
            _open(context, hands, action)
        case Close():
            _close(context, action)
        case Merge():
            _merge(context, hands, snapshot, action)
        case SetStatus():
            _set_status(context, action)
        case _:
            assert_never(action)


def _open(context: Context, hands: Hands, action: OpenPromotion) -> None:
    """Push, then open: either step may have been done before a crash, so each looks first (R5, S17)."""
    standing = context.mirror.branches().get(action.branch)
    if standing is None:
        message = trailers.sealed(action.message, context.seal_keys[0])
        commit = context.mirror.commit(action.base, action.tree, message, hands.identity, hands.clock())
        _push(context, action.branch, commit)
        hands.still_mine()
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
    context.forge.close(context.repository, action.iid, action.label)
    failures = _try_report(context, Report(action.iid, action.body))
    if failures:
        log.warning("report not posted", mr=action.iid, cause=str(failures[0]))


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
        context.forge.edit_note(context.repository, iid, int(note), body)
        remember_report(context, iid, int(note), body)
    else:
        posted = context.forge.add_note(context.repository, iid, body)
        remember_report(context, iid, posted.id, body)


def _only_report(context: Context, iid: int) -> str:
    """The id of the report that stands, or an empty text; a second one, of two workers or a crash, is removed (R3)."""
    standing = reports(context, iid)
    for extra in standing[1:]:
        context.forge.delete_note(context.repository, iid, extra)
    return str(standing[0]) if standing else ""


def _merge(context: Context, hands: Hands, snapshot: Snapshot, action: Merge) -> None:
    """Rule 7: the exact head, then prove that what came into the branch is what was proved before (S17)."""
    request = _same_target(context, snapshot, action)
    _remember_merge(context, snapshot.unit, action)
    message = trailers.sealed(action.message, context.seal_keys[0])
    try:
        if action.signed:
            commit = merge_signed(context, hands, action, request, message)
        else:
            commit = context.forge.merge(context.repository, action.iid, action.head, message)
    except Permanent as refusal:
        by = "signing" if isinstance(refusal, SigningFailed) else "forge"
        key = refusal_key(context, action.iid, action.head)
        context.memory.set(key, f"{hands.clock().isoformat()} {by}\n{refusal.cause}", 24 * 3600)
        context.memory.delete(_merge_key(context, snapshot.unit))
        raise
    _prove_merge(context, hands, snapshot, action, commit)


def _prove_merge(context: Context, hands: Hands, snapshot: Snapshot, action: Merge, commit: str) -> None:
    context.mirror.ensure(commit)
    surprise = _surprise(context, snapshot, action, commit)
    if surprise:
        log.critical("merged more than proved", mr=action.iid, commit=commit, paths=surprise)
    text = words.alarm(commit, surprise) if surprise else words.merged(action.stage, action.release, commit)
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
        elif request.state is not MergeRequestState.opened:
            context.memory.delete(_merge_key(context, snapshot.unit))
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
