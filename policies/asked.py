"""What a person asked for by `/promote`, `/rollback` or `/refresh`: wanted whatever rules 1, 2 and 4 say.

It is never what is quarantined, and a no that came after it counts."""

from policies.gates import quarantine
from policies.model import MergeRequest, MergeRequestState
from policies.snapshot import Promotion, Snapshot, StageView
from policies.state import Asked, State, asked_in
from policies.wanted import is_done
from policies.wording.promotion import release_name
from policies.wording.quote import code


def of_stage(snapshot: Snapshot, view: StageView) -> Asked | None:
    """What was asked for last in the stage."""
    if not isinstance(snapshot.state, State):
        return None
    return asked_in(snapshot.state, snapshot.unit, view.stage.name)


def why_settled(snapshot: Snapshot, view: StageView, asked: Asked, opened: tuple[Promotion, ...]) -> str:
    """Why nothing is left to do for it; empty where something is."""
    bad = quarantine.of(snapshot, view.stage.name, asked.release)
    if bad is not None:
        return quarantine.reason(asked.release, bad)
    if is_done(snapshot, view, asked.release):
        return f"{code(view.stage.name)} runs {code(release_name(asked.release))}"
    if asked.cause == "refresh":
        return _why_refreshed(asked, opened)
    attempts = snapshot.attempts(view.stage.name, asked.release.name)
    ends = (_why_ended(snapshot, asked, one.request) for one in attempts if one.request is not None)
    return next((why for why in ends if why), "")


def is_as_asked(asked: Asked, current: Promotion) -> bool:
    """Whether this open promotion of the release is what was asked for, and says so under seal (S15)."""
    if current.request.iid == asked.replaces:
        return False
    return asked.cause == "refresh" or (current.cause == asked.cause and asked.by.id in current.requesters)


def _why_refreshed(asked: Asked, opened: tuple[Promotion, ...]) -> str:
    same = [one for one in opened if one.name == asked.release.name]
    newest = max(same, key=lambda one: one.attempt, default=None)
    if newest is None:
        return f"!{asked.replaces} is no longer open"
    return (
        "" if newest.request.iid == asked.replaces else f"!{newest.request.iid} was made in place of !{asked.replaces}"
    )


def _why_ended(snapshot: Snapshot, asked: Asked, request: MergeRequest) -> str:
    if request.state is MergeRequestState.merged and request.merged_at is not None and request.merged_at >= asked.at:
        return f"!{request.iid} was merged"
    by_towpath = request.closed_by is not None and request.closed_by.id == snapshot.bot_id
    closed = request.state is MergeRequestState.closed and not by_towpath
    if closed and (request.closed_at or request.updated_at) > asked.at:
        return f"!{request.iid} was closed by a person"
    return ""
