"""What is said in an internal note is shown nowhere else."""

from dataclasses import replace

import pytest

from policies.commands.model import Situation
from policies.gates import freeze, hold, quarantine
from policies.state import INTERNAL, Asked, Freeze, Hold, Quarantine, State
from policies.wording import steering
from policies.wording.promotion import asked_for
from tests import builders as a
from tests.policies.commands import scenes as s

SECRET = "the customer ACME"


def inside() -> Situation:
    return s.on_promotion(replace(s.comment(), internal=True))


def test_an_older_entry_was_said_in_public() -> None:
    assert not Hold.model_validate({"by": s.person(), "at": a.NOW, "where": ""}).internal


@pytest.mark.parametrize(
    "text",
    ["/hold payments", "/hold", "/freeze ring-2 for 2h", "/quarantine v3 payments ring-2", "/rollback payments ring-1"],
)
def test_no_public_word_repeats_the_reason(text: str) -> None:
    state = s.done(f"{text} {SECRET}", inside()).state
    snapshot = replace(s.snapshot(promotions=(s.promotion(),)), state=state)
    entries: tuple[Hold | Freeze | Quarantine | Asked, ...]
    entries = (*state.holds, *state.freezes, *state.quarantine, *state.asked)
    assert entries and all(one.internal for one in entries)
    public = [steering.said(one) for one in entries] + [asked_for(one) for one in state.asked]
    verdicts = [*hold.judge(state, "payments", "ring-2", a.NOW), *freeze.judge(state, "ring-2", a.NOW)]
    verdicts += hold.judge_one(state, "payments", s.promotion(), a.NOW)
    public += [one.reason for one in verdicts]
    public += [quarantine.reason(a.release("v3"), one) for one in state.quarantine]
    public += [s.say(one, s.situation(asked=snapshot), state).answer for one in ("/status payments", "/unhold all")]
    assert all("ACME" not in one for one in public)
    assert any(INTERNAL in one for one in public)


def test_the_answer_to_a_public_second_word_repeats_no_internal_first_one() -> None:
    state = s.done(f"/override checks {SECRET}", inside()).state
    found = s.done("/override checks yes", s.on_promotion(s.comment(s.SECOND, number=346)), state)
    assert "ACME" not in found.answer and INTERNAL in found.answer
    assert found.state != State()
