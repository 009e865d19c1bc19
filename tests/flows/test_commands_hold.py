"""Holds and freezes by command, by label and on the control issue, over real HTTP on both forges (S20, S21)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, Role
from bot.sandbox.requests import Edit
from policies.naming import HOLD
from tests.flows.gated import GATED, PROD, approve, gated_town, is_in_prod, look, waiting
from tests.flows.town import PROJECT, Town
from tests.flows.world import digest, values

pytestmark = pytest.mark.long


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def relabel(town: Town, user: str, request: MergeRequest, *, add: bool) -> None:
    """Somebody sets or takes off the label of a hold, and Towpath comes round."""
    town.pass_time(2)
    change = Edit(add_labels=(HOLD,)) if add else Edit(remove_labels=(HOLD,))
    town.sandbox.edit_as(user, PROJECT, request.iid, change)
    town.settle()


def test_a_held_merge_request_waits_and_goes_on_when_released(town: Town) -> None:
    request = waiting(town)
    said = town.say("jonas", request, "/hold the error rate is up")
    town.settle()
    (answer,) = town.answers(request, said)
    assert f"!{request.iid} is held: the error rate is up." in answer
    assert HOLD in request.labels
    assert "is held by" in town.status(request)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    # Releasing needs the right of its own, and holding's too (S20).
    assert "You lack the right `unhold`" in town.ask("jonas", request, "/unhold")
    assert not is_in_prod(town)
    assert "is lifted" in town.ask("maria", request, "/unhold")
    assert HOLD not in request.labels
    assert is_in_prod(town)


def test_the_status_is_red_before_held_is_answered(town: Town) -> None:
    request = waiting(town)
    town.sandbox.journal.clear()
    town.say("jonas", request, "/hold wait")
    town.step()
    entries = [one for one in town.sandbox.journal.entries("towpath") if one.kind == "push" or one.writes]
    kinds = [_kind(one.kind, one.path) for one in entries]
    assert kinds[:3] == ["push", "status", "label"], entries
    assert sorted(kinds[3:5]) == ["answer", "reaction"], entries
    assert kinds.index("answer") < kinds.index("reaction")
    assert set(kinds[5:]) <= {"answer", "status"}, entries  # the report, and the gates' own words of it


def _kind(kind: str, path: str) -> str:
    if kind == "push":
        return "push"
    words = {"statuses": "status", "award_emoji": "reaction", "reactions": "reaction", "labels": "label"}
    found = [name for part, name in words.items() if part in path]
    if found:
        return found[0]
    return "answer" if "notes" in path or "comments" in path else "label"


def test_service_and_stage_wide_on_the_control_issue(town: Town) -> None:
    request = waiting(town)
    control = town.control()
    assert "Name a service, a stage or both" in town.ask("jonas", control, "/hold something")
    assert "`shop` in `prod` is held" in town.ask("jonas", control, "/hold shop prod for 2h an incident")
    assert HOLD not in request.labels
    assert town.status(request).startswith("fail")
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "is held by `@jonas`" in town.report(request.iid)
    # It ends by itself.
    town.pass_time(2 * 3600 + 60)
    town.settle()
    assert is_in_prod(town)


def test_each_of_several_holds_has_to_be_lifted(town: Town) -> None:
    request, control = waiting(town), town.control()
    assert "`shop` in every stage is held" in town.ask("jonas", control, "/hold shop an incident")
    assert "Every service in `prod` is held" in town.ask("jonas", control, "/hold prod an audit")
    approve(town, "olga", request.iid)
    lifted = town.ask("maria", control, "/unhold shop")
    assert "is lifted" in lifted and "`/unhold prod` lifts it" in lifted
    assert not is_in_prod(town)
    town.ask("maria", request, "/unhold prod")
    assert is_in_prod(town)


def test_gitlab_takes_its_own_quick_actions_and_leaves_ours(town: Town) -> None:
    if town.kind != "gitlab":
        pytest.skip("only gitlab has quick actions")
    request = waiting(town)
    town.pass_time(1)
    said = town.sandbox.say_on_gitlab_as("jonas", PROJECT, request.iid, '/hold wait\n\n/label ~"urgent"')
    assert said is not None and said.body == "/hold wait"
    town.settle()
    (answer,) = town.answers(request, said)
    assert "is held: wait." in answer
    assert HOLD in request.labels


def test_a_hold_of_everything_keeps_new_promotions_from_opening(town: Town) -> None:
    control = town.control()
    assert "every service in every stage is held" in town.ask("jonas", control, "/hold all an incident").lower()
    town.publish("v3")
    town.settle()
    assert town.open_in("nonprod") is None
    assert digest("v3") not in town.pins("nonprod")
    assert "There is no hold of `shop` in every stage" in town.ask("maria", control, "/unhold shop")
    assert "is lifted" in town.ask("maria", control, "/unhold all")
    assert digest("v3") in town.pins("nonprod")


def test_a_freeze_closes_a_stage_until_its_end_or_unfreeze(town: Town) -> None:
    request, control = waiting(town), town.control()
    assert "Say until when" in town.ask("maria", control, "/freeze prod an incident")
    assert "`prod` is frozen until" in town.ask("maria", control, "/freeze prod for 2h an incident")
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "an incident" in town.report(request.iid)
    assert "You lack the right `unfreeze`" in town.ask("jonas", control, "/unfreeze prod")
    town.ask("maria", control, "/unfreeze prod")
    assert is_in_prod(town)


def test_an_issue_without_the_label_or_closed_is_no_control_issue(town: Town) -> None:
    before = town.state()
    plain = town.control("bug")
    assert town.ask("maria", plain, "/hold all now") == ""
    control = town.control()
    town.sandbox.edit_issue_as("maria", PROJECT, control.iid, Edit(state_event="close"))
    assert town.ask("maria", control, "/hold all now") == ""
    assert town.state() == before


def test_a_label_set_by_hand_holds_and_is_recorded_and_one_who_may_takes_it_off(town: Town) -> None:
    request = waiting(town)
    relabel(town, "jonas", request, add=True)
    assert "the label towpath:hold was set by hand" in town.state()
    assert "name: jonas" in town.state()
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    relabel(town, "maria", request, add=False)
    assert is_in_prod(town)
    assert "holds" not in town.state()


def test_S20_a_label_taken_off_by_one_who_may_not_is_put_back(town: Town) -> None:
    request = waiting(town)
    assert "is held" in town.ask("jonas", request, "/hold wait")
    approve(town, "olga", request.iid)
    relabel(town, "jonas", request, add=False)
    assert HOLD in request.labels
    assert not is_in_prod(town)
    relabel(town, "omar", request, add=False)
    look(town)
    assert HOLD in request.labels
    assert not is_in_prod(town)
    assert "is lifted" in town.ask("maria", request, "/unhold")
    assert is_in_prod(town)


def test_a_label_set_by_one_who_may_not_hold_still_holds_while_it_stands(town: Town) -> None:
    request = waiting(town)
    town.sandbox.add_user("rex")
    town.sandbox.add_member(PROJECT, "rex", Role.developer)
    town.sandbox.edit_as("rex", PROJECT, request.iid, Edit(add_labels=(HOLD,)))
    town.sandbox.add_member(PROJECT, "rex", Role.reporter)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "holds" not in town.state()
    assert "the label `towpath:hold` stands on it" in town.report(request.iid)
    assert "is lifted" in town.ask("maria", request, "/unhold")
    assert HOLD not in request.labels
    assert is_in_prod(town)


# A hold of a merge request holds its release in its stage (S20).


def refreshed(town: Town, held: MergeRequest) -> None:
    town.ask("jonas", held, "/refresh")


def touched(town: Town, _: MergeRequest) -> None:
    text = town.pins("prod").replace("tag: v1  # kept", "tag: v1  # changed")
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: text}, "a comment on the pinned line")
    town.settle()


def grown(town: Town, _: MergeRequest) -> None:
    file = "environments/prod/two/shop/values.yaml"
    town.sandbox.commit_as("maria", PROJECT, "main", {file: values(tag="v1")}, "another cluster")
    town.settle()


@pytest.mark.parametrize("replace", [refreshed, touched, grown])
def test_S20_no_new_attempt_takes_a_hold_off(town: Town, replace: Callable[[Town, MergeRequest], None]) -> None:
    old = waiting(town)
    town.ask("maria", old, "/hold do not ship this")
    replace(town, old)
    new = waiting(town)
    assert new.iid != old.iid and HOLD in new.labels
    approve(town, "olga", new.iid)
    town.sweep()
    assert not is_in_prod(town) and HOLD in waiting(town).labels
    assert "held by `@maria`" in town.report(new.iid)
    assert "lifted" in town.ask("maria", new, "/unhold")
    assert is_in_prod(town)


def test_a_command_on_a_promotion_into_a_stage_that_is_gone_is_answered(town: Town) -> None:
    request = waiting(town)
    policy = GATED[: GATED.index("  - name: prod")]
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": policy}, "no prod any more")
    town.settle()
    for text in ("/towpath promote", "/rollback bad", "/freeze for 2h x"):
        assert "There is no stage `prod` any more" in town.ask("maria", request, text)
