"""/freeze and /unfreeze: a stage for every service, until a time."""

from datetime import timedelta

import pytest

from policies.state import Freeze, State
from tests import builders as a
from tests.policies.commands import scenes as s

END = a.NOW + timedelta(days=2)
FREEZE = Freeze(
    by=s.person(), at=a.NOW, where=s.WHERE, note="issue 3 345", stage="ring-1", until=END, reason="the audit"
)


def test_a_stage_is_frozen() -> None:
    found = s.done("/freeze ring-1 until 2026-05-06T12:00 the audit")
    assert found.state == State(freezes=(FREEZE,))
    assert found.wakes == ("*",)
    assert found.answer == (
        "`ring-1` is frozen until 2026-05-06 12:00 UTC: the audit. "
        "Only rollbacks go on there; `/unfreeze ring-1` ends it sooner."
    )


def test_on_a_promotion_its_own_stage_is_meant() -> None:
    assert s.done("/freeze for 2h the audit", s.on_promotion()).state.freezes[0].stage == "ring-2"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/freeze for 2h the audit", "Name a stage: `nonprod`, `ring-1` and `ring-2`."),
        ("/freeze ring-1 the audit", "Say until when, later than now: `until 2026-12-24T09:00` or `for 2h`."),
        ("/freeze ring-1 for 2h", "Give a reason: it is written down, and shown to whoever wonders later."),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    assert s.refused(text) == why


def test_a_comment_that_is_read_late_freezes_nothing() -> None:
    late = s.situation(s.comment(at=a.NOW - timedelta(hours=3)))
    assert s.refused("/freeze ring-1 for 2h x", late).startswith("Say until when, later than now")


def test_the_same_comment_freezes_once() -> None:
    state = State(freezes=(FREEZE,))
    assert s.done("/freeze ring-1 for 2d the audit", state=state).state == state
    assert len(s.done("/freeze ring-2 for 2d the audit", state=state).state.freezes) == 2


def test_a_freeze_is_ended() -> None:
    found = s.done("/unfreeze ring-1 it is over", state=State(freezes=(FREEZE,)))
    assert (found.state, found.answer, found.wakes) == (State(), "`ring-1` is open again.", ("*",))
    there = FREEZE.model_copy(update={"stage": "ring-2"})
    assert s.done("/unfreeze", s.on_promotion(), State(freezes=(there,))).state == State()


def test_what_is_younger_than_the_comment_remains_and_is_told() -> None:
    old = FREEZE.model_copy(update={"at": s.BEFORE})
    early = s.situation(s.comment(at=s.BEFORE))
    found = s.done("/unfreeze ring-1", early, State(freezes=(old, FREEZE)))
    assert found.state == State(freezes=(FREEZE,))
    assert found.answer == (
        "`ring-1` is open again. What remains:\n\n- `ring-1` is frozen by `@mira` on 2026-05-04 12:00 UTC "
        f"until 2026-05-06 12:00 UTC: the audit ([comment]({s.WHERE}))"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/unfreeze", "Name a stage: `nonprod`, `ring-1` and `ring-2`."),
        ("/unfreeze ring-2", "There is no freeze of `ring-2` that a command set."),
    ],
)
def test_what_cannot_be_ended(text: str, why: str) -> None:
    assert s.refused(text, state=State(freezes=(FREEZE,))) == why
