"""/hold: what it reaches, and that it is written down once."""

from datetime import timedelta

import pytest

from policies.model import MergeRequestState
from policies.state import Hold, State
from tests import builders as a
from tests.policies.commands import scenes as s

TWO = a.NOW + timedelta(hours=2)


def hold(**more: object) -> Hold:
    known = {"by": s.person(), "at": a.NOW, "where": s.WHERE, "note": "issue 3 345", "reason": "it broke", **more}
    return Hold.model_validate(known)


@pytest.mark.parametrize(
    ("text", "entry", "wakes", "words"),
    [
        ("payments", {"service": "payments"}, ("payments",), "`payments` in every stage"),
        ("ledger", {"service": "ledger"}, ("ledger",), "`ledger` in every stage"),
        ("ring-1", {"stage": "ring-1"}, ("*",), "Every service in `ring-1`"),
        ("payments ring-1", {"service": "payments", "stage": "ring-1"}, ("payments",), "`payments` in `ring-1`"),
        ("all", {}, ("*",), "Every service in every stage"),
    ],
)
def test_what_is_held(text: str, entry: dict[str, object], wakes: tuple[str, ...], words: str) -> None:
    found = s.done(f"/hold {text} it broke")
    assert found.state == State(holds=(hold(**entry),))
    assert found.wakes == wakes
    assert found.answer == f"{words} is held: it broke. Nothing merges there; `/unhold {text}` lifts it."
    assert not found.seen_only


def test_on_a_promotion_without_names_it_holds_that_merge_request() -> None:
    found = s.done("/hold it broke", s.on_promotion())
    assert found.state == State(
        holds=(
            hold(
                request=12,
                note="request 12 345",
                service="payments",
                stage="ring-2",
                release=a.release("v3").name,
            ),
        )
    )
    assert found.wakes == ("payments",)
    assert found.answer == "!12 is held: it broke. Nothing merges there; `/unhold` lifts it."


def test_on_a_promotion_names_say_all_that_is_held() -> None:
    found = s.done("/hold ring-1 it broke", s.on_promotion())
    assert found.state.holds[0].service is None and found.state.holds[0].stage == "ring-1"


def test_it_may_end_by_itself() -> None:
    found = s.done("/hold payments for 2h it broke")
    assert found.state == State(holds=(hold(service="payments", until=TWO),))
    assert "is held until 2026-05-04 14:00 UTC: it broke." in found.answer


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/hold payments", "Give a reason: it is written down, and shown to whoever wonders later."),
        ("/hold it broke", "Name a service, a stage or both; `all` means everything."),
        ("/hold all payments it broke", "`all` and a name contradict each other: write one of them."),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    assert s.refused(text) == why


def test_a_reason_of_blanks_is_none() -> None:
    assert s.refused('/hold payments " "').startswith("Give a reason")


@pytest.mark.parametrize("state", [MergeRequestState.merged, MergeRequestState.closed])
def test_what_is_over_cannot_be_held(state: MergeRequestState) -> None:
    where = s.on_promotion(on=s.request(state=state))
    assert s.refused("/hold it broke", where) == (
        f"!12 is {state.value}. Name a service, a stage or both to hold those."
    )
    assert s.done("/hold payments it broke", where).wakes == ("payments",)


def test_on_somebody_elses_merge_request_names_are_needed() -> None:
    where = s.situation(on=a.request(source_branch="feature", same_project=False))
    assert s.refused("/hold it broke", where) == "Name a service, a stage or both; `all` means everything."
    assert s.done("/hold payments it broke", where).state.holds[0].service == "payments"


def test_a_comment_that_is_read_late_holds_nothing_that_is_over() -> None:
    late = s.situation(s.comment(at=a.NOW - timedelta(hours=3)))
    assert s.refused("/hold payments for 2h it broke", late) == "That hold ended on 2026-05-04 11:00 UTC already."


def test_the_same_comment_holds_once_and_each_of_its_lines() -> None:
    once = s.done("/hold payments it broke").state
    assert s.done("/hold payments it broke", state=once).state == once
    assert len(s.done("/hold ring-1 it broke", state=once).state.holds) == 2
    other = s.situation(s.comment(number=346))
    assert len(s.done("/hold payments it broke", other, once).state.holds) == 2


def test_S9_no_mention_fires_from_a_reason() -> None:
    found = s.done("/hold payments ask @all <!-- x --> [y](z)")
    assert "is held: `ask @all <!-- x --> [y](z)`. Nothing" in found.answer


def test_a_hold_of_everything_by_whom_every_stage_is_given() -> None:
    rules = s.with_permissions(s.snapshot(), hold={"ring-2": "@@admins"})
    where = s.situation(asked=rules)
    assert s.refused("/hold all it broke", where).startswith("You lack the right `hold` for every service in `ring-2`")
    assert s.done("/hold payments ring-1 it broke", where).wakes == ("payments",)
