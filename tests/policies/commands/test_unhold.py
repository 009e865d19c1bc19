"""/unhold: lifts exactly what was set with the same words, says what remains, and never lifts a quarantine (S19)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.model import MergeRequestState
from policies.naming import HOLD
from policies.state import Hold, Quarantine, State
from tests import builders as a
from tests.policies.commands import scenes as s


def hold(**more: object) -> Hold:
    known = {"by": s.person(s.DEV), "at": s.BEFORE, "where": s.WHERE, "reason": "it broke", **more}
    return Hold.model_validate(known)


SERVICE, STAGE, BOTH = hold(service="payments"), hold(stage="ring-1"), hold(service="payments", stage="ring-1")
MINE, OTHERS, ALL = hold(request=12), hold(request=13), hold()
BAD = Quarantine(
    by=s.person(s.DEV),
    at=s.BEFORE,
    where="",
    service="payments",
    release="0123456789ab",
    images={a.API: a.digest("v3")},
    stages=("ring-1", "ring-2"),
)
STATE = State(holds=(SERVICE, STAGE, BOTH, MINE, OTHERS, ALL))


@pytest.mark.parametrize(
    ("text", "lifted"),
    [("payments", SERVICE), ("ring-1", STAGE), ("ring-1 payments", BOTH), ("all", ALL)],
)
def test_what_was_set_with_the_same_words_is_lifted(text: str, lifted: Hold) -> None:
    found = s.done(f"/unhold {text}", state=STATE)
    assert found.state.holds == tuple(one for one in STATE.holds if one is not lifted)


def test_on_a_promotion_its_own_hold_is_lifted() -> None:
    found = s.done("/unhold it is mended", s.on_promotion(), STATE)
    assert found.state.holds == (SERVICE, STAGE, BOTH, OTHERS, ALL)
    assert found.wakes == ("payments",)
    assert found.answer == (
        "The hold of !12 is lifted. What remains:\n"
        "\n- `payments` in every stage is held by `@dev` on 2026-05-04 11:00 UTC: it broke "
        f"([comment]({s.WHERE})); `/unhold payments` lifts it"
        "\n- every service in every stage is held by `@dev` on 2026-05-04 11:00 UTC: it broke "
        f"([comment]({s.WHERE})); `/unhold all` lifts it"
    )


def test_where_nothing_remains_it_says_no_more() -> None:
    found = s.done("/unhold payments ring-1", state=State(holds=(BOTH,)))
    assert (found.state, found.answer) == (State(), "The hold of `payments` in `ring-1` is lifted.")


def test_a_hold_of_towpath_itself_is_lifted_likewise() -> None:
    alarm = hold(service="payments", by=s.person(a.BOT))
    assert s.done("/unhold payments", state=State(holds=(alarm,))).state == State()


def test_S19_no_unhold_lifts_a_quarantine_and_it_says_so() -> None:
    found = s.done("/unhold payments ring-1", state=State(holds=(BOTH,), quarantine=(BAD,)))
    assert found.state == State(quarantine=(BAD,))
    assert found.answer.endswith(
        "\n- `0123456789ab` of `payments` is quarantined in `ring-1`, `ring-2` by `@dev` on 2026-05-04 11:00 UTC; "
        "no `/unhold` lifts a quarantine, `/unquarantine` does"
    )


@pytest.mark.parametrize(
    ("text", "bad", "told"),
    [
        ("payments nonprod", BAD, False),
        ("payments nonprod", BAD.model_copy(update={"stages": ()}), True),
        ("ledger ring-1", BAD, False),
        ("payments", BAD, True),
        ("ring-2", BAD, True),
    ],
)
def test_only_a_quarantine_that_reaches_there_is_told(text: str, bad: Quarantine, told: bool) -> None:
    assert ("quarantined" in s.refused(f"/unhold {text}", state=State(quarantine=(bad,)))) == told


def test_where_nothing_is_held_it_says_what_else_is() -> None:
    ended = hold(service="payments", stage="ring-2", until=a.NOW)
    found = s.refused("/unhold payments ring-2", s.situation(), State(holds=(SERVICE, STAGE, OTHERS)))
    assert found.startswith(
        "There is no hold of `payments` in `ring-2` to lift. What remains:\n\n- `payments` in every"
    )
    assert "ring-1" not in found and "!13" not in found
    assert s.refused("/unhold ring-1", state=State(holds=(ended,))) == (
        "There is no hold of every service in `ring-1` to lift."
    )
    assert "remains" not in s.refused("/unhold ring-2", state=State(holds=(ended,)))


def test_a_comment_never_lifts_what_is_younger_than_it() -> None:
    early = s.situation(s.comment(at=s.BEFORE - timedelta(minutes=1)))
    assert s.refused("/unhold payments", early, State(holds=(SERVICE,))).startswith("There is no hold")


def test_a_label_alone_is_lifted_too() -> None:
    labelled = s.on_promotion(on=s.request(labels=(HOLD,)))
    assert s.done("/unhold", labelled).answer == "The hold of !12 is lifted."
    assert s.refused("/unhold payments", labelled).startswith("There is no hold")


LATER = a.NOW + timedelta(hours=1)
YOUNGER = (
    " `@dev` set the label `towpath:hold` on 2026-05-04 13:00 UTC, later than this comment: it stays held until "
    "`/unhold` is written again."
)


def test_S20_a_label_that_was_set_after_the_comment_is_named_and_not_called_lifted() -> None:
    where = replace(s.on_promotion(on=s.request(labels=(HOLD,))), held_since=("dev", LATER))
    assert s.refused("/unhold", where) == f"There is no hold of !12 to lift.{YOUNGER}"
    found = s.done("/unhold", where, State(holds=(MINE,)))
    assert (found.state, found.answer) == (State(), f"What held !12 before is lifted.{YOUNGER}")
    assert s.done("/unhold ring-1", where, State(holds=(STAGE,))).answer.startswith("The hold of every service")


def test_a_hold_of_a_closed_merge_request_can_be_lifted() -> None:
    where = s.on_promotion(on=s.request(state=MergeRequestState.closed))
    assert s.done("/unhold", where, State(holds=(MINE,))).state == State()


def test_on_a_control_issue_names_are_needed() -> None:
    assert s.refused("/unhold", state=STATE) == "Name a service, a stage or both; `all` means everything."
