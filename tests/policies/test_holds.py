"""Holds, freezes, quarantines, overrides and orders: what `decide` makes of the state."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies import naming
from policies.actions import Action, Close, Merge, OpenPromotion, Report
from policies.decide import PATIENCE
from policies.gates import approvals, checks, override
from policies.model import Check, CheckState, Permission, Review, ReviewState
from policies.snapshot import Attempt, Attempts, Promotion, Question, Reviewed, Right, Snapshot
from policies.state import Order, State, Unknown
from policies.verdict import Outcome, Verdict
from tests import builders as a
from tests.policies import test_state as s
from tests.policies.play import done, due

AUTO, MANUAL = a.stage(merge="auto"), a.stage()
PROD = a.stage("prod", after="nonprod", merge="auto")
V2, V3 = a.release("v2"), a.release("v3")
LOST = Unknown("the branch towpath/state is missing", "run `towpath state init`")
HELD = State(holds=(s.hold(stage="nonprod", reason="bad night", until=s.LATER),))
FROZEN = State(freezes=(s.freeze(reason="year end"),))


def only(actions: tuple[Action, ...], kind: type[Action]) -> list[Action]:
    return [action for action in actions if isinstance(action, kind)]


def scene(
    state: State | Unknown, *promotions: Promotion, stage: object = AUTO, seen: tuple[str, ...] = ("v1", "v2")
) -> Snapshot:
    found = a.snapshot(stage, seen=seen, promotions=promotions)  # type: ignore[arg-type] # a stage
    return replace(found, state=state)


# Unknown state (S21).


def test_S21_while_the_state_is_unknown_nothing_opens() -> None:
    found = a.stage_of(scene(LOST))
    assert found.verdict.outcome is Outcome.block
    assert "towpath/state is missing" in found.verdict.reason and "towpath state init" in found.verdict.change
    assert (found.actions, found.look_again) == ((), PATIENCE)


def test_S21_while_the_state_is_unknown_nothing_merges_and_the_report_says_the_way_out() -> None:
    found = a.stage_of(scene(LOST, a.promotion()))
    assert only(found.actions, Merge) == []
    (report,) = only(found.actions, Report)
    assert isinstance(report, Report)
    assert report.body.count("| state | ⛔ |") == 1 and "towpath state init" in report.body


# Hold and freeze.


@pytest.mark.parametrize(("state", "gate"), [(HELD, "hold"), (FROZEN, "freeze")])
def test_nothing_merges_under_a_hold_or_freeze(state: State, gate: str) -> None:
    assert only(a.stage_of(scene(State(), a.promotion())).actions, Merge) != []
    found = a.stage_of(scene(state, a.promotion()))
    assert only(found.actions, Merge) == []
    assert [one.gate for one in found.verdict.children if one.outcome is not Outcome.passed] == [gate]
    assert a.plan_of(scene(state, a.promotion())).wake_at is not None


def test_a_hold_says_who_since_when_until_when_why_and_how_it_ends() -> None:
    found = a.stage_of(scene(HELD)).verdict
    assert found.outcome is Outcome.block
    assert found.reason == (
        "`nonprod` is held by `@ana` since 2026-05-04 12:00 UTC until 2026-05-04 13:00 UTC: `bad night`"
    )
    assert found.change == "`/unhold nonprod`, by whoever may hold it"


@pytest.mark.parametrize("state", [HELD, FROZEN])
def test_it_wakes_when_a_hold_or_freeze_ends(state: State) -> None:
    asked = scene(state, a.promotion())
    known = done(asked, due(a.plan_of(asked)))
    assert s.LATER in a.stage_of(known).verdict.ends
    asked, plan = a.whole(scene(state))
    nothing_open = done(asked, due(plan))
    assert a.plan_of(nothing_open).wake_at == s.LATER
    assert only(a.stage_of(nothing_open, now=s.LATER).actions, OpenPromotion) != []


@pytest.mark.parametrize("state", [HELD, FROZEN])
def test_under_a_hold_a_first_stage_gets_the_branch_alone_and_once(state: State) -> None:
    asked, plan = a.whole(scene(state))
    (opening,) = plan.actions
    assert isinstance(opening, OpenPromotion)
    assert (opening.branch_only, opening.release) == (True, V2)
    assert a.plan_of(done(asked, plan.actions)).actions == ()


def test_under_a_hold_the_newest_release_gets_its_branch_and_nothing_is_superseded() -> None:
    found = a.stage_of(scene(HELD, a.promotion(iid=7), seen=("v1", "v2", "v3")))
    (opening,) = only(found.actions, OpenPromotion)
    assert isinstance(opening, OpenPromotion)
    assert (opening.branch_only, opening.release) == (True, V3)
    assert only(found.actions, Close) == []


def test_under_a_hold_a_later_stage_gets_nothing() -> None:
    pins = [{"nonprod": "v2", "prod": "v1"}, {"nonprod": "v1", "prod": "v1"}]
    found = replace(a.snapshot(AUTO, PROD, pins=pins, seen=("v1", "v2")), state=State(holds=(s.hold(stage="prod"),)))
    assert a.stage_of(found, "prod").actions == ()
    assert only(a.stage_of(replace(found, state=State()), "prod").actions, OpenPromotion) != []


def test_under_a_hold_a_stale_promotion_is_not_made_anew() -> None:
    stale = a.promotion(iid=7, integrity=a.STALE)
    answers = a.attempts("nonprod", V2, stale.request)
    found = a.snapshot(AUTO, seen=("v1", "v2"), promotions=(stale,), answers=answers)
    assert only(a.plan_of(replace(found, state=HELD)).actions, OpenPromotion) == []


def test_a_branch_made_under_a_hold_is_gone_on_with_after_it() -> None:
    begun = {Attempts("nonprod", V2.name): (Attempt(1, None, own=True),)}
    found = a.snapshot(AUTO, seen=("v1", "v2"), answers=begun)
    (opening,) = a.plan_of(found).actions
    assert isinstance(opening, OpenPromotion)
    assert (opening.attempt, opening.branch_only) == (1, False)


@pytest.mark.parametrize("state", [State(), State(holds=(s.hold(request=1, reason="wait for me"),))])
def test_one_merge_request_is_held_by_label_or_by_command(state: State) -> None:
    labels = (naming.LABEL, naming.label(a.UNIT), *([] if state.holds else [naming.HOLD]))
    found = a.stage_of(scene(state, a.promotion(request=a.request(labels=labels))))
    assert only(found.actions, Merge) == []
    assert "hold" in {one.gate for one in found.verdict.children}
    other = a.stage_of(scene(state, a.promotion(iid=2)))
    assert only(other.actions, Merge) != []


# Quarantine (S19).


def test_S19_an_open_promotion_of_a_quarantined_release_is_closed_with_the_reason() -> None:
    state = State(quarantine=(s.quarantine("v2", reason="burns"),))
    found = a.stage_of(scene(state, a.promotion(iid=7)))
    (close,) = only(found.actions, Close)
    assert isinstance(close, Close)
    assert (close.iid, close.label) == (7, naming.WITHDRAWN)
    assert "`v2` is quarantined by `@ana`: `burns`" in close.body
    assert only(found.actions, Merge) + only(found.actions, OpenPromotion) == []


def test_S19_what_was_quarantined_opens_again_after_unquarantine() -> None:
    answers = a.attempts("nonprod", V2, a.closed(7, by=a.BOT, label=naming.WITHDRAWN))
    (opening,) = a.plan_of(a.snapshot(AUTO, seen=("v1", "v2"), answers=answers)).actions
    assert isinstance(opening, OpenPromotion) and opening.attempt == 2


def test_S19_a_first_stage_looks_past_it_and_goes_on_with_the_fixed_release() -> None:
    state = State(quarantine=(s.quarantine("v3"),))
    (opening,) = a.plan_of(scene(state, seen=("v1", "v2", "v3"))).actions
    assert isinstance(opening, OpenPromotion) and opening.release == V2
    (fixed,) = a.plan_of(scene(state, seen=("v1", "v2", "v3", "v4"))).actions
    assert isinstance(fixed, OpenPromotion) and fixed.release == a.release("v4")


def test_S19_a_later_stage_looks_past_it_in_upstream_history() -> None:
    pins = [{"nonprod": "v3", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}, {"nonprod": "v1", "prod": "v1"}]
    found = a.snapshot(AUTO, PROD, pins=pins, seen=("v1", "v2", "v3"))
    (opening,) = only(
        a.stage_of(replace(found, state=State(quarantine=(s.quarantine("v3"),))), "prod").actions, OpenPromotion
    )
    assert isinstance(opening, OpenPromotion) and opening.release == V2


def test_S19_a_stage_that_runs_it_says_so() -> None:
    state = State(quarantine=(s.quarantine("v2"),))
    found = replace(a.snapshot(AUTO, pins=[{"nonprod": "v2"}], seen=("v1", "v2")), state=state)
    assert "`v2` is quarantined" in a.stage_of(found).verdict.reason
    assert a.stage_of(found).actions == ()


# Overrides (S13, S16).


def verdict(gate: str, outcome: Outcome, reason: str = "why") -> Verdict:
    return Verdict(gate, outcome, reason)


@pytest.mark.parametrize(
    ("gate", "outcome", "reason", "passes"),
    [
        ("checks", Outcome.wait, "`ci` not finished", True),
        ("checks", Outcome.block, "`ci` failed", True),
        ("checks", Outcome.wait, checks.ABSENT, False),
        ("approvals", Outcome.wait, "needs 1", True),
        ("approvals", Outcome.block, "nobody can", False),
        ("soak", Outcome.wait, "", True),
        ("health", Outcome.block, "", True),
        ("window", Outcome.wait, "", True),
        ("freeze", Outcome.wait, "", True),
        *((gate, Outcome.block, "", False) for gate in ("integrity", "state", "hold", "quarantine", "forge", "order")),
        ("integrity", Outcome.wait, "", False),
        ("signing", Outcome.wait, "", False),
    ],
)
def test_S13_S16_what_two_people_may_let_pass(gate: str, outcome: Outcome, reason: str, passes: bool) -> None:
    (found,) = override.applied((verdict(gate, outcome, reason),), (s.override(gate),))
    assert (found.outcome is Outcome.passed) is passes
    assert ("overridden by `@ana`, confirmed by `@ben` until 2026-05-04 13:00 UTC: `fire`" in found.reason) is passes


def test_every_gate_of_the_table_is_listed() -> None:
    assert set(override.OVERRIDABLE) == {"approvals", "checks", "freeze", "health", "soak", "validation", "window"}
    assert {checks.NAME, approvals.NAME} <= set(override.OVERRIDABLE)


def test_an_override_lets_the_merge_go_and_stands_in_its_evidence() -> None:
    failed = a.promotion(checks=(Check("ci", CheckState.failed),))
    assert only(a.stage_of(scene(State(), failed)).actions, Merge) == []
    (merge,) = only(a.stage_of(scene(State(overrides=(s.override(),)), failed)).actions, Merge)
    assert isinstance(merge, Merge)
    assert "Towpath-Gate: checks=overridden\n" in merge.message
    assert "Towpath-Override: checks by=11,12 until=2026-05-04T13:00:00+00:00" in merge.message
    other = scene(State(overrides=(s.override(head="0" * 40),)), failed)
    assert only(a.stage_of(other).actions, Merge) == []


@pytest.mark.parametrize("who", [s.ANA.id, s.BEN.id])
def test_S15_an_override_of_who_asked_for_it_counts_for_nothing(who: int) -> None:
    failed = a.promotion(checks=(Check("ci", CheckState.failed),), requesters=(who,))
    assert only(a.stage_of(scene(State(overrides=(s.override(),)), failed)).actions, Merge) == []


def test_an_override_that_was_not_needed_is_no_evidence() -> None:
    (merge,) = only(a.stage_of(scene(State(overrides=(s.override(),)), a.promotion())).actions, Merge)
    assert isinstance(merge, Merge) and "Override" not in merge.message


# Orders.


@pytest.mark.parametrize(
    ("stage", "order", "merges"),
    [
        (MANUAL, s.order(), True),
        (MANUAL, s.order(head="0" * 40), False),
        (MANUAL, s.order(request=2), False),
        (a.stage(mode="propose"), s.order(), False),
    ],
)
def test_an_order_makes_towpath_merge_this_head_where_people_do(stage: object, order: Order, merges: bool) -> None:
    found = a.stage_of(scene(State(merges=(order,)), a.promotion(), stage=stage))
    assert bool(only(found.actions, Merge)) is merges
    assert any("as `@ana` told it" in one.body for one in found.actions if isinstance(one, Report)) is merges


def test_an_order_passes_no_gate() -> None:
    failed = a.promotion(checks=(Check("ci", CheckState.failed),))
    assert only(a.stage_of(scene(State(merges=(s.order(),)), failed, stage=MANUAL)).actions, Merge) == []


def test_S16_an_override_of_approvals_does_not_silence_who_asks_for_changes() -> None:
    stage = a.stage(merge="auto", approvals={"minimum": 1})
    asked = scene(State(overrides=(s.override("approvals"),)), a.promotion(), stage=stage)
    objects = Review(a.ALEX, ReviewState.changes_requested, a.HEAD, a.NOW - timedelta(minutes=1))
    answers: dict[Question, object] = {Reviewed(1, a.HEAD): (objects,), Right(a.ALEX): Permission.write}
    assert only(a.stage_of(replace(asked, answers={**asked.answers, **answers})).actions, Merge) == []
    assert only(a.stage_of(asked).actions, Merge) != []
