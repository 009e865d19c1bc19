"""What a person asks for: promote, rollback and refresh, until it is there or nobody wants it any more."""

from dataclasses import replace
from typing import Any

import pytest

from policies import naming, trailers
from policies.actions import Action, Close, Merge, OpenPromotion, Settle
from policies.config import Stage
from policies.model import Check, CheckState, MergeRequestState
from policies.snapshot import Promotion, Snapshot
from policies.state import Asked, State
from tests import builders as a
from tests.policies import test_state as s
from tests.policies.play import done, due

AUTO = a.stage(merge="auto")
V1, V2 = a.release("v1"), a.release("v2")
WENT_ON = ({"nonprod": "v2"}, {"nonprod": "v1"})
BACK = s.asked("v1", "rollback", reason="it burns", where="https://forge.example.com/1")
PAUSED: dict[str, Any] = {"holds": (s.hold(stage="nonprod"),), "freezes": (s.freeze(),)}


def only(actions: tuple[Action, ...], kind: type[Action]) -> list[Action]:
    return [action for action in actions if isinstance(action, kind)]


def opened(actions: tuple[Action, ...]) -> OpenPromotion:
    (found,) = (action for action in actions if isinstance(action, OpenPromotion))
    return found


def scene(wish: Asked, *promotions: Promotion, stage: Stage = AUTO, **more: object) -> Snapshot:
    """nonprod runs v2 and ran v1 before."""
    found = a.snapshot(stage, pins=WENT_ON, seen=("v1", "v2"), promotions=promotions)
    return replace(found, state=State.model_validate({"asked": (wish,), **more}))


def rollback(**more: object) -> Promotion:
    return a.promotion(**{"word": "v1", "cause": "rollback", "requesters": (s.ANA.id,), **more})  # type: ignore[arg-type] # any field


@pytest.mark.parametrize("cause", ["promote", "rollback"])
def test_an_older_release_that_is_asked_for_opens_and_says_by_whom(cause: str) -> None:
    opening = opened(a.plan_of(scene(s.asked("v1", cause, reason="it burns"))).actions)
    record = trailers.read(opening.message)
    assert record is not None
    assert (opening.release, record.cause, record.requesters) == (V1, cause, (s.ANA.id,))
    verb = "Roll back payments in nonprod to v1" if cause == "rollback" else "Promote payments v1 to nonprod"
    assert opening.title == verb
    assert f"Asked for by `@ana` with `/{cause}` at 2026-05-04 12:00 UTC" in opening.description
    assert "`it burns`" in opening.description


def test_S9_the_reason_is_quoted() -> None:
    opening = opened(a.plan_of(scene(s.asked("v1", reason="@all <b>"))).actions)
    assert "`@all <b>`" in opening.description


@pytest.mark.parametrize(("cause", "waits"), [("promote", True), ("rollback", False)])
def test_S19_a_rollback_alone_opens_under_hold_and_freeze(cause: str, waits: bool) -> None:
    found = a.plan_of(scene(s.asked("v1", cause), **PAUSED)).actions
    assert (only(found, OpenPromotion) == []) is waits


@pytest.mark.parametrize(("cause", "merges"), [("rollback", True), ("promote", False)])
def test_S19_a_rollback_alone_merges_under_hold_and_freeze(cause: str, merges: bool) -> None:
    found = a.stage_of(scene(s.asked("v1", cause), rollback(cause=cause), **PAUSED))
    assert bool(only(found.actions, Merge)) is merges
    said = ["Towpath-Cause: rollback" in one.message for one in found.actions if isinstance(one, Merge)]
    assert said == [True] * merges


def test_a_hold_of_the_rollback_itself_stops_it() -> None:
    found = a.stage_of(scene(BACK, rollback(), holds=(s.hold(request=1),)))
    assert only(found.actions, Merge) == []


@pytest.mark.parametrize(
    ("rule", "merges"),
    [({}, False), ({"rollback": {"checks": "ignored"}}, True), ({"rollback": {"approvals": None}}, False)],
)
def test_a_rollback_is_judged_by_rules_of_its_own(rule: dict[str, Any], merges: bool) -> None:
    failed = rollback(checks=(Check("ci", CheckState.failed),))
    found = a.stage_of(scene(BACK, failed, stage=a.stage(merge="auto", **rule)))
    assert bool(only(found.actions, Merge)) is merges


@pytest.mark.parametrize(
    ("said", "checks", "approvals"),
    [
        (None, "optional", 2),
        ({}, "optional", 2),
        ({"checks": "ignored"}, "ignored", 2),
        ({"approvals": {"minimum": 1}}, "optional", 1),
        ({"approvals": None}, "optional", None),
        ({"checks": None}, "optional", 2),
    ],
)
def test_what_the_rollback_key_leaves_out_is_the_stages_own(said: object, checks: str, approvals: int | None) -> None:
    found = a.stage(checks="optional", approvals={"minimum": 2}, rollback=said).in_rollback
    assert found.checks == checks
    assert (found.approvals.minimum if found.approvals else None) == approvals


# When it ends.


def test_it_is_settled_once_it_is_there() -> None:
    found = a.stage_of(scene(s.asked("v2")))
    assert found.actions == (Settle("nonprod", s.asked("v2"), "`nonprod` runs `v2`"),)


@pytest.mark.parametrize(
    ("request_", "settled"),
    [
        (replace(a.closed(5), closed_at=s.LATER), True),
        (replace(a.closed(5), closed_at=s.EARLIER), False),
        (replace(a.closed(5, by=a.BOT), closed_at=s.LATER), False),
        (replace(a.closed(5, by=None), closed_at=s.LATER), True),
        (a.request(5, state=MergeRequestState.merged, merged_at=s.LATER), True),
        (a.request(5, state=MergeRequestState.merged, merged_at=s.EARLIER), False),
    ],
)
def test_a_no_that_came_after_it_counts_and_one_before_it_does_not(request_: object, settled: bool) -> None:
    asked = scene(s.asked("v1"))
    answers = a.attempts("nonprod", V1, request_)  # type: ignore[arg-type] # a merge request
    found = a.stage_of(replace(asked, answers=answers)).actions
    assert bool(only(found, Settle)) is settled
    assert bool(only(found, OpenPromotion)) is not settled


def test_S19_what_is_quarantined_is_never_what_is_asked_for() -> None:
    found = a.stage_of(scene(s.asked("v1"), quarantine=(s.quarantine("v1"),)))
    (settle,) = found.actions
    assert isinstance(settle, Settle) and "quarantined" in settle.why


def test_executing_it_to_the_end_leaves_nothing_to_do() -> None:
    world = scene(BACK, quarantine=(s.quarantine("v2"),), **PAUSED)
    kinds = []
    for _ in range(8):
        world, plan = a.whole(world)
        kinds += [type(action).__name__ for action in due(plan)]
        world = done(world, due(plan))
    assert a.plan_of(world).actions == ()
    assert [kind for kind in kinds if kind in ("OpenPromotion", "Merge", "Settle")] == [
        "OpenPromotion",
        "Merge",
        "Settle",
    ]
    assert isinstance(world.state, State) and world.state.asked == ()


# What else is open.


def test_a_newer_release_waits_until_what_is_asked_for_is_there() -> None:
    found = a.snapshot(AUTO, pins=WENT_ON, seen=("v1", "v2", "v3"), promotions=(rollback(cause="promote"),))
    plan = a.stage_of(replace(found, state=State(asked=(s.asked("v1"),))))
    assert only(plan.actions, OpenPromotion) + only(plan.actions, Close) == []


def test_what_makes_way_for_it_may_open_again() -> None:
    found = a.snapshot(AUTO, pins=WENT_ON, seen=("v1", "v2", "v3"), promotions=(a.promotion(word="v3", iid=7),))
    plan = a.stage_of(replace(found, state=State(asked=(BACK,))))
    (close,) = only(plan.actions, Close)
    assert isinstance(close, Close) and (close.iid, close.label) == (7, naming.WITHDRAWN)


def test_S15_an_open_promotion_that_does_not_name_who_asked_is_made_anew() -> None:
    plain = a.promotion(word="v1", iid=7, requesters=(99,))
    asked = scene(s.asked("v1"), plain)
    asked = replace(asked, answers=a.attempts("nonprod", V1, plain.request))
    plan = a.stage_of(asked)
    record = trailers.read(opened(plan.actions).message)
    assert record is not None and record.requesters == (s.ANA.id, 99)
    (close,) = only(plan.actions, Close)
    assert isinstance(close, Close) and (close.iid, close.label) == (7, naming.REFRESHED)


def test_S15_a_branch_that_does_not_name_who_asked_is_not_gone_on_with() -> None:
    asked = replace(scene(s.asked("v1")), answers=a.attempts("nonprod", V1, True))
    assert opened(a.plan_of(asked).actions).attempt == 2


def test_S15_a_stale_rollback_made_anew_is_still_a_rollback_of_the_same_people() -> None:
    stale = rollback(iid=7, integrity=a.STALE)
    asked = replace(scene(BACK, stale, **PAUSED), answers=a.attempts("nonprod", V1, stale.request))
    record = trailers.read(opened(a.plan_of(asked).actions).message)
    assert record is not None and (record.cause, record.requesters) == ("rollback", (s.ANA.id,))


# Refresh.


def refreshed(*promotions: Promotion) -> Snapshot:
    found = a.snapshot(AUTO, seen=("v1", "v2"), promotions=promotions)
    found = replace(found, answers=a.attempts("nonprod", V2, *(one.request for one in promotions)))
    return replace(found, state=State(asked=(s.asked("v2", "refresh", replaces=7),)))


def test_a_refresh_makes_a_new_attempt_and_then_is_settled() -> None:
    before = a.promotion(iid=7, requesters=(99,), cause="promote")
    plan = a.stage_of(refreshed(before))
    record = trailers.read(opened(plan.actions).message)
    assert record is not None and (record.cause, record.requesters) == ("promote", (99,))
    (close,) = only(plan.actions, Close)
    assert isinstance(close, Close) and (close.iid, close.label) == (7, naming.REFRESHED)
    after = a.stage_of(refreshed(a.promotion(iid=8, attempt=2)))
    assert [type(action) for action in after.actions] == [Settle]


@pytest.mark.parametrize("cause", ["promote", "rollback"])
def test_what_was_asked_for_is_made_anew_by_a_refresh_and_stays_asked_for(cause: str) -> None:
    wish = s.asked("v1", cause, replaces=7)
    old = a.promotion("nonprod", "v1", 7, requesters=(s.ANA.id,), cause=cause)
    new = a.promotion("nonprod", "v1", 8, attempt=2, requesters=(s.ANA.id,), cause=cause)

    def plan(*standing: Promotion) -> tuple[Action, ...]:
        found = a.snapshot(AUTO, pins=({"nonprod": "v2"}, {"nonprod": "v1"}), seen=("v1", "v2"), promotions=standing)
        requests = [one.request for one in standing]
        found = replace(found, answers=a.attempts("nonprod", V1, *requests), state=State(asked=(wish,)))
        return a.stage_of(found).actions

    before = plan(old)
    record = trailers.read(opened(before).message)
    assert record is not None and (record.cause, record.requesters) == (cause, (s.ANA.id,))
    assert [one.iid for one in only(before, Close) if isinstance(one, Close)] == [7]
    after = plan(new)
    assert not only(after, Settle) and not only(after, OpenPromotion) and not only(after, Close)


def test_a_refresh_of_what_is_no_longer_open_is_settled() -> None:
    (settle,) = a.stage_of(refreshed()).actions
    assert isinstance(settle, Settle) and settle.why == "!7 is no longer open"
