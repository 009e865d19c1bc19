"""Hold: a pause of a service, a stage or one merge request (S20); a rollback goes on under all but the last."""

from datetime import UTC, datetime

from policies.naming import HOLD
from policies.snapshot import Promotion
from policies.state import Hold, State, holds_on, holds_request, public_reason
from policies.verdict import Verdict, block
from policies.wording.quote import code

NAME = "hold"


def judge(state: State, service: str, stage: str, now: datetime) -> tuple[Verdict, ...]:
    """The holds of a service in a stage, one verdict each."""
    return tuple(_one(hold) for hold in holds_on(state, service, stage, now))


def judge_one(state: State, unit: str, promotion: Promotion, now: datetime) -> tuple[Verdict, ...]:
    """The holds of one merge request alone, or of one whose place it took, by command or by label.

    Not even a rollback passes them: whoever holds this very merge request means it."""
    running = (hold for hold in state.holds if hold.until is None or hold.until > now)
    carried = (unit, promotion.stage, promotion.name)
    found = tuple(_one(hold) for hold in running if holds_request(hold, promotion.request.iid, carried))
    if not found and HOLD in promotion.request.labels:
        return (block(NAME, f"the label {code(HOLD)} stands on it", "`/unhold` here, or take the label off"),)
    return found


def on_request(  # noqa: PLR0913 # where, when, and what it carries
    state: State, service: str, stage: str, iid: int, now: datetime, release: str | None = None
) -> tuple[Verdict, ...]:
    """The holds that reach a merge request of a service in a stage, wide ones, its own and those of its release."""
    return tuple(_one(hold) for hold in holds_on(state, service, stage, now, iid, release))


def _one(hold: Hold) -> Verdict:
    until = f" until {_at(hold.until)}" if hold.until is not None else ""
    why = f": {code(public_reason(hold))}" if hold.reason else ""
    reason = f"{_what(hold)} is held by {code(f'@{hold.by.name}')} since {_at(hold.at)}{until}{why}"
    return block(NAME, reason, f"{code(_way_out(hold))}, by whoever may hold it", hold.until)


def _what(hold: Hold) -> str:
    if hold.request is not None:
        return "this merge request"
    names = [code(name) for name in (hold.service, hold.stage) if name is not None]
    return " in ".join(names) or "everything"


def _way_out(hold: Hold) -> str:
    words = ("/unhold", None if hold.request else hold.service, None if hold.request else hold.stage)
    return " ".join(word for word in words if word)


def _at(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
