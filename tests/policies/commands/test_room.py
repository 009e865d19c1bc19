"""No number of legal commands fills the state, and what must be stopped always can be."""

from datetime import timedelta

import pytest

from policies.commands.room import MOST
from policies.state import Asked, Freeze, Hold, Order, Override, Quarantine, State
from tests import builders as a
from tests.policies.commands import scenes as s

SAID = {"by": s.person(), "at": s.BEFORE, "where": "", "note": "x"}
LATER = a.NOW + timedelta(hours=1)
IMAGES = {a.API: a.digest("v9")}
PINS = [{"repository": a.API, "digest": a.digest("v9")}]
ONE = {
    "holds": Hold.model_validate({**SAID, "service": "ledger"}),
    "freezes": Freeze.model_validate({**SAID, "stage": "ring-2", "until": LATER}),
    "quarantine": Quarantine.model_validate({**SAID, "service": "ledger", "release": "0" * 12, "images": IMAGES}),
    "asked": Asked.model_validate({**SAID, "service": "x", "stage": "y", "cause": "promote", "images": PINS}),
    "overrides": Override.model_validate(
        {**SAID, "request": 1, "head": a.HEAD, "gate": "checks", "reason": "x", "until": LATER}
    ),
    "merges": Order.model_validate({**SAID, "request": 1, "head": a.HEAD}),
}
CALLS = {
    "/hold payments x": "holds",
    "/freeze ring-1 for 2h x": "freezes",
    "/quarantine v3 payments x": "quarantine",
    "/promote payments ring-1 v1": "asked",
    "/override checks x": "overrides",
    "/merge": "merges",
}


def full(*kinds: str, but: int = 0) -> State:
    return State.model_validate({kind: (ONE[kind],) * (MOST[kind] - but) for kind in kinds})


@pytest.mark.parametrize(("text", "kind"), CALLS.items())
def test_what_is_full_is_refused_and_says_what_to_lift(text: str, kind: str) -> None:
    where = s.on_promotion() if kind in {"overrides", "merges"} else s.situation()
    why = s.refused(text, where, full(kind))
    assert why.startswith(f"There are {MOST[kind]} ") and "are the most that are kept: " in why
    assert s.done(text, where, full(kind, but=1)).state != full(kind, but=1)


def test_what_has_ended_takes_no_room() -> None:
    ended = Hold.model_validate({**SAID, "service": "ledger", "until": s.BEFORE})
    assert len(s.done("/hold payments x", state=State(holds=(ended,) * 200)).state.holds) == 201


def test_overrides_and_orders_share_their_room() -> None:
    mixed = State.model_validate({"overrides": (ONE["overrides"],) * 199, "merges": (ONE["merges"],)})
    assert "There are 200 " in s.refused("/override checks x", s.on_promotion(), mixed)


def test_a_rollback_always_finds_room() -> None:
    state = full("holds", "quarantine", "asked")
    found = s.done("/rollback payments ring-1 500s", state=state).state
    assert len(found.holds) == MOST["holds"] + 1


def test_what_is_lifted_makes_room() -> None:
    over = State.model_validate({"holds": (ONE["holds"],) * 250})
    assert s.done("/unhold ledger", state=over).state == State()
