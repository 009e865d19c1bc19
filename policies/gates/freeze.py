"""Freeze: a stage is closed to everything but rollbacks until a moment."""

from datetime import UTC, datetime

from policies.state import Freeze, State, freezes_on, public_reason
from policies.verdict import Verdict, wait
from policies.wording.quote import code

NAME = "freeze"


def judge(state: State, stage: str, now: datetime) -> tuple[Verdict, ...]:
    """The freezes of a stage, one verdict each: wait until it ends."""
    return tuple(_one(freeze) for freeze in freezes_on(state, stage, now))


def _one(freeze: Freeze) -> Verdict:
    why = f": {code(public_reason(freeze))}" if freeze.reason else ""
    ends = f"{freeze.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    reason = f"{code(freeze.stage)} is frozen by {code(f'@{freeze.by.name}')} until {ends}{why}"
    return wait(NAME, reason, code(f"/unfreeze {freeze.stage}"), freeze.until)
