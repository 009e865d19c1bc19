"""A hold of a merge request holds its release in its stage, whichever merge request carries it (S20)."""

from dataclasses import replace

from policies.commands.model import Situation
from policies.gates import hold as gate
from policies.state import Hold, State, bound, holds_on, tidied
from tests import builders as a
from tests.policies.commands import scenes as s

NEW = s.promotion(iid=13, attempt=2)
RELEASE = a.release("v3").name
PLACE = ("payments", "ring-2", RELEASE)


def held() -> State:
    """!12 is held by command."""
    return s.done("/hold not this one", s.on_promotion(s.comment(s.DEV, at=s.BEFORE))).state


def on_new() -> Situation:
    """A comment on the merge request that took its place."""
    found = s.on_promotion(asked=s.snapshot(promotions=(NEW,)), on=s.request(iid=13))
    return replace(found, comment=replace(found.comment, id=346))


def test_the_entry_says_what_the_merge_request_carries() -> None:
    (one,) = held().holds
    assert (one.service, one.stage, one.request, one.release) == ("payments", "ring-2", 12, RELEASE)


def test_it_reaches_the_new_merge_request_and_no_other_release() -> None:
    state = held()
    (one,) = state.holds
    assert gate.judge_one(state, "payments", NEW, a.NOW) != ()
    assert holds_on(state, "payments", "ring-2", a.NOW, 13, RELEASE) == (one,)
    assert gate.on_request(state, "payments", "ring-2", 13, a.NOW, RELEASE) != ()
    assert gate.judge_one(state, "ledger", NEW, a.NOW) == ()
    other = s.promotion(word="v2", iid=13)
    assert gate.judge_one(state, "payments", other, a.NOW) == ()
    elsewhere = s.promotion(stage="ring-1", iid=13)
    assert gate.judge_one(state, "payments", elsewhere, a.NOW) == ()
    assert holds_on(state, "payments", "ring-2", a.NOW) == ()


def test_a_hold_of_an_older_version_reaches_its_merge_request_alone() -> None:
    (one,) = held().holds
    old = State(holds=(Hold.model_validate({"by": one.by, "at": one.at, "where": "", "request": 12}),))
    assert gate.judge_one(old, "payments", s.promotion(), a.NOW) != ()
    assert gate.judge_one(old, "payments", NEW, a.NOW) == ()


def test_it_is_lifted_on_the_new_one() -> None:
    found = s.done("/unhold", on_new(), held())
    assert found.state == State() and found.releases == 13


def test_status_and_promote_name_it() -> None:
    assert "!12 is held" in s.done("/status", on_new(), held()).answer
    assert "!12 is held" in s.done("/promote", on_new(), held()).answer


def test_it_is_kept_while_an_open_promotion_of_the_release_stands_there() -> None:
    state = held()
    assert tidied(state, (), {PLACE}) == state
    assert tidied(state, {12}, ()) == state
    assert tidied(state, (), {("payments", "ring-2", "0" * 12)}) == State()


def test_a_hold_by_label_is_made_the_same() -> None:
    (one,) = held().holds
    plain = Hold(by=one.by, at=one.at, where=one.where, request=12, reason=one.reason, note=one.note)
    assert bound(plain, *PLACE) == one


def test_a_rollback_is_not_held_by_what_nobody_carries_any_more() -> None:
    """It was merged or closed while it was held."""
    bad = s.snapshot(promotions=())
    request = s.request("ring-1", "v2", 9)
    at = s.comment(s.DEV, at=s.BEFORE, number=9)
    state = s.done("/hold not this one", replace(s.situation(at, bad, request, "ring-1"))).state
    after = s.done("/rollback payments ring-1 500s", s.situation(asked=bad), state).state
    assert [one.request for one in after.holds] == [None]


def test_a_hold_of_the_merge_request_is_not_taken_for_a_rollback_of_the_same_comment() -> None:
    on = s.request("ring-1", "v3", 12)
    where = s.situation(asked=s.snapshot(promotions=(s.promotion("ring-1"),)), on=on, stage="ring-1")
    state = s.done("/hold not this one", where).state
    assert "goes back to" in s.done("/rollback 500s", where, state).answer
