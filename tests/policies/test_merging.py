"""Who merges, and who signs (rule 7, S23); and what becomes of a merge that the forge does not take or not yet see."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.actions import Action, Close, Merge, OpenPromotion, Report
from policies.decide import MOST_CATCH_UPS, PATIENCE
from policies.model import Mergeable
from policies.snapshot import Refusal
from policies.verdict import Outcome
from tests import builders as a


def only(actions: tuple[Action, ...], kind: type[Action]) -> list[Action]:
    """The actions of one kind."""
    return [action for action in actions if isinstance(action, kind)]


def opened(actions: tuple[Action, ...]) -> OpenPromotion:
    """The one promotion that is opened."""
    (found,) = (action for action in actions if isinstance(action, OpenPromotion))
    return found


@pytest.mark.parametrize(
    ("rule", "can_sign", "signed"), [("auto", False, False), ("auto", True, False), ("signed", True, True)]
)
def test_rule_7_who_makes_the_merge_commit(rule: str, can_sign: bool, signed: bool) -> None:
    found = a.snapshot(a.stage(merge=rule), seen=("v1", "v2"), promotions=(a.promotion(),))
    (merge,) = only(a.plan_of(replace(found, can_sign=can_sign)).actions, Merge)
    assert isinstance(merge, Merge)
    assert (merge.signed, merge.base, merge.expected) == (signed, found.head, a.TREE)


def test_S23_without_a_key_a_signed_stage_waits_and_names_the_setting() -> None:
    found = a.stage_of(a.snapshot(a.stage(merge="signed"), seen=("v1", "v2"), promotions=(a.promotion(),)))
    assert found.verdict.outcome is Outcome.wait
    assert "TOWPATH_SIGNING__KEY_FILE" in found.verdict.change
    assert only(found.actions, Merge) == []


@pytest.mark.parametrize("mode", ["propose", "observe"])
def test_rule_7_where_people_merge_nobody_asks_for_a_key(mode: str) -> None:
    found = a.snapshot(a.stage(merge="signed", mode=mode), seen=("v1", "v2"), promotions=(a.promotion(),))
    for can_sign in (False, True):
        plan = a.stage_of(replace(found, can_sign=can_sign))
        assert plan.verdict.outcome is Outcome.passed
        assert only(plan.actions, Merge) == []


@pytest.mark.parametrize("rule", ["auto", "signed"])
def test_rule_7_a_branch_that_must_be_up_to_date_gets_a_new_attempt(rule: str) -> None:
    behind = a.promotion(request=a.request(mergeable=Mergeable.no, merge_reason="behind"), up_to_date=False)
    found = a.snapshot(a.stage(merge=rule), seen=("v1", "v2"), promotions=(behind,))
    opening = opened(a.stage_of(replace(found, can_sign=True)).actions)
    assert opening.release == a.release("v2")


@pytest.mark.parametrize(
    ("changed", "rule", "catching_up"),
    [
        ({"up_to_date": True}, {}, ""),
        ({"attempt": MOST_CATCH_UPS + 1}, {}, ""),
        ({}, {"merge": "manual"}, ""),
        ({}, {}, "another"),
    ],
)
def test_rule_7_a_promotion_that_is_behind_is_left_where_a_new_attempt_helps_nobody(
    changed: dict[str, object], rule: dict[str, object], catching_up: str
) -> None:
    request = a.request(mergeable=Mergeable.no, merge_reason="behind")
    one = a.promotion(**{"request": request, "up_to_date": False, **changed})  # type: ignore[arg-type] # any field
    stage = a.stage(**{"merge": "auto", **rule})  # type: ignore[arg-type] # any key
    found = replace(a.snapshot(stage, seen=("v1", "v2"), promotions=(one,)), catching_up=catching_up)
    actions = a.stage_of(found).actions
    assert only(actions, OpenPromotion) == []
    assert any(isinstance(one, Report) and "newest commit in this branch first" in one.body for one in actions)


def test_rule_3_what_has_landed_is_left_for_the_forge_to_show_as_merged() -> None:
    """Also where something newer is wanted by then, and where the stage is gone."""
    landed = a.promotion(landed=True)
    done = a.stage_of(
        a.snapshot(a.stage(merge="auto"), pins=({"nonprod": "v2"},), seen=("v1", "v2"), promotions=(landed,))
    )
    assert (done.actions, done.look_again) == ((), PATIENCE)
    newer = a.stage_of(
        a.snapshot(a.stage(merge="auto"), pins=({"nonprod": "v2"},), seen=("v1", "v2", "v3"), promotions=(landed,))
    )
    assert only(newer.actions, Close) == []
    assert opened(newer.actions).release == a.release("v3")
    gone = a.promotion("gone", landed=True)
    assert only(a.plan_of(a.snapshot(a.stage(merge="auto"), seen=("v1",), promotions=(gone,))).actions, Close) == []


@pytest.mark.parametrize(("by", "words_"), [("forge", "the forge refused"), ("signing", "could not be signed")])
def test_rule_7_who_refused_is_named(by: str, words_: str) -> None:
    refused = Refusal("no", a.NOW - timedelta(minutes=1), by)  # type: ignore[arg-type] # a table's words
    found = a.snapshot(a.stage(merge="signed"), seen=("v1", "v2"), promotions=(a.promotion(refused=refused),))
    plan = a.stage_of(replace(found, can_sign=True))
    assert words_ in plan.verdict.reason
    assert only(plan.actions, Merge) == []
