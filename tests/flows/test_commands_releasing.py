"""Nobody takes back by a detour what they may not take back, over real HTTP on both forges (S6, S19, S20, S21)."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, RequestState, Role
from bot.sandbox.requests import Edit, Opening
from policies import trailers
from policies.naming import CONTROL, HOLD
from policies.state import BRANCH
from tests.flows.gated import GATED, OWNERS, PROD, approve, gated_town, is_in_prod, look, waiting
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import HOST, digest, values
from workers.hands import Hands
from workers.routes import route_request

pytestmark = pytest.mark.long

NONPROD = "environments/nonprod/one/shop/values.yaml"
TWO = (
    f"image:\n  repository: {HOST}/api\n  tag: v1\n  digest: {digest('v1')}\n"
    f"sidecar:\n  image:\n    repository: {HOST}/web\n    tag: w1\n    digest: {digest('w1')}\n"
)


BY_HAND = GATED.replace("merge: auto", "merge: manual", 1)
"""Nonprod is merged by people."""


@contextmanager
def town_of(folder: Path, redis_url: str, kind: str, policy: str, files: Mapping[str, str]) -> Iterator[Town]:
    """A town whose prod Olga and Omar own."""
    with towns(folder, redis_url, kind, policy, {**files, "CODEOWNERS": OWNERS}) as made:
        for name in ("olga", "omar"):
            made.sandbox.add_user(name)
            for place in ("platform/owners", PROJECT):
                made.sandbox.add_member(place, name, Role.developer)
        yield made


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def cause(town: Town, request: MergeRequest) -> str:
    """By which command a promotion was asked for, as its own commit says."""
    record = trailers.read(town.sandbox.project(PROJECT).git.commit(request.head).message)
    assert record is not None
    return record.cause


@pytest.mark.parametrize(
    "command", ["/rollback shop prod the error rate is up", f"/towpath promote prod {digest('v1')}"]
)
def test_S19_a_refresh_keeps_what_somebody_asked_for(town: Town, command: str) -> None:
    request = waiting(town)
    approve(town, "olga", request.iid)
    assert is_in_prod(town)
    town.publish("v3")
    town.settle()
    town.ask("maria", request, command)
    old = waiting(town)
    assert "is replaced by a new merge request" in town.ask("jonas", old, "/refresh")
    new = waiting(town)
    assert new.iid != old.iid and old.state is RequestState.closed
    assert cause(town, new) == cause(town, old) != ""
    for _ in range(2):
        town.pass_time(600)
        town.sweep()
    assert waiting(town).iid == new.iid
    approve(town, "olga", new.iid)
    assert new.state is RequestState.merged
    assert is_in_prod(town, "v1")


@pytest.mark.parametrize("kind", FORGES)
def test_S20_closing_and_reopening_lifts_no_hold(tmp_path: Path, redis_url: str, kind: str) -> None:
    with town_of(tmp_path, redis_url, kind, BY_HAND, {NONPROD: values(), PROD: values()}) as town:
        town.publish("v2")
        town.settle()
        first = town.open_in("nonprod")
        assert first is not None
        town.sandbox.merge_as("maria", PROJECT, first.iid)
        town.settle()
        held = waiting(town)
        assert "is held" in town.ask("maria", held, "/hold looks bad to me")
        approve(town, "olga", held.iid)
        town.publish("v3")
        town.settle()
        other = town.open_in("nonprod")
        assert other is not None
        town.sandbox.close_as("jonas", PROJECT, held.iid)
        town.settle()
        # What is settled tidies up.
        assert "is replaced" in town.ask("jonas", other, "/refresh")
        assert "asked:" not in town.state() and "looks bad to me" in town.state()
        town.sandbox.edit_as("jonas", PROJECT, held.iid, Edit(state_event="reopen"))
        town.settle()
        town.sweep()
        approve(town, "omar", held.iid)
        assert not is_in_prod(town)
        # Whoever may lifts it, also while it is closed.
        town.sandbox.close_as("jonas", PROJECT, held.iid)
        assert "is lifted" in town.ask("maria", held, "/unhold")
        assert "looks bad to me" not in town.state()


def test_the_hold_of_what_towpath_closed_is_cleared(town: Town) -> None:
    held = waiting(town)
    town.ask("maria", held, "/hold looks bad to me")
    town.publish("v3")
    town.settle()
    assert held.state is RequestState.closed
    town.ask("jonas", waiting(town), "/refresh")
    assert "holds:" not in town.state()


def test_what_is_said_of_a_deleted_merge_request_keeps_nothing_from_being_settled(town: Town) -> None:
    if town.kind != "gitlab":
        pytest.skip("github deletes no pull request")
    held = waiting(town)
    town.ask("maria", held, "/hold wait")
    town.sandbox.close_as("maria", PROJECT, held.iid)
    town.settle()
    town.sandbox.commit_as("jonas", PROJECT, "mine", {"README.md": "mine"}, "mine")
    town.sandbox.open_as("jonas", PROJECT, Opening("mine", "main", "A later number"))
    town.sandbox.project(PROJECT).requests.pop(held.iid)
    town.publish("v3")
    town.settle()
    answer = town.ask("maria", town.control(), f"/towpath promote shop to prod {digest('v3')}")
    assert "is wanted in `prod`" in answer and "asked:" in town.state()
    approve(town, "olga", waiting(town).iid)
    town.sweep()
    assert is_in_prod(town, "v3")
    assert "asked:" not in town.state()
    assert "reason: wait" in town.state()


def route(town: Town, request: MergeRequest) -> None:
    """The thread is heard, before anything else is looked at."""
    hands = Hands(town.world.identity, town.world.clock, lambda: None)
    route_request(town.world, hands, "main", PROJECT, request.iid)


@pytest.mark.parametrize("held", [True, False])
def test_S20_an_unhold_does_not_take_off_a_label_that_was_set_after_it(town: Town, held: bool) -> None:
    request = waiting(town)
    if held:
        assert "is held" in town.ask("maria", request, "/hold first")
    town.lost = 10_000
    said = town.say("maria", request, "/unhold")
    town.pass_time(3600)
    if held:
        town.sandbox.edit_as("jonas", PROJECT, request.iid, Edit(remove_labels=(HOLD,)))
        town.pass_time(5)
    town.sandbox.edit_as("jonas", PROJECT, request.iid, Edit(add_labels=(HOLD,)))
    town.lost = 0
    route(town, request)
    (answer,) = town.answers(request, said)
    assert "`@jonas` set the label `towpath:hold` on" in answer and "later than this comment" in answer
    assert "The hold of" not in answer
    assert HOLD in request.labels
    town.pass_time(60)
    town.sweep()
    assert "name: jonas" in town.state() and "reason: first" not in town.state()
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "is lifted" in town.ask("maria", request, "/unhold")
    assert is_in_prod(town)


@pytest.mark.parametrize("kind", FORGES)
def test_S19_a_quarantine_reaches_a_stage_that_pins_only_some_of_the_images(
    tmp_path: Path, redis_url: str, kind: str
) -> None:
    policy = GATED.replace(f"  registries: [{HOST}/]\n", f"  registries: [{HOST}/]\n  images: apart\n")
    with town_of(tmp_path, redis_url, kind, policy, {NONPROD: TWO, PROD: values()}) as town:
        town.publish("v2")
        town.publish("w2", "web")
        town.settle()
        request, control = waiting(town), town.control()
        status = re.search(r"`nonprod` \|.*?\(`([0-9a-f]{12})`\)", town.ask("maria", control, "/status shop"))
        assert status is not None
        answer = town.ask("maria", control, f"/quarantine {status[1]} shop nonprod it eats data")
        assert "is quarantined in `nonprod` and `prod`: it eats data" in answer
        assert request.state is RequestState.closed
        town.sweep()
        assert town.open_in("prod") is None
        # With another image beside it, it may go on in the first stage; prod cannot tell the two apart.
        town.publish("w3", "web")
        town.settle()
        assert digest("w3") in town.pins("nonprod")
        assert town.open_in("prod") is None
        town.publish("v3")
        town.settle()
        approve(town, "olga", waiting(town).iid)
        assert is_in_prod(town, "v3")


# The control issue.


def test_S6_what_was_said_before_an_issue_became_a_control_issue_is_no_command(town: Town) -> None:
    chat = town.control("chat")
    assert "is held" in town.ask("jonas", waiting(town), "/hold shop prod an incident")
    early = town.say("maria", chat, "/unhold shop prod")
    town.settle()
    town.pass_time(7200)
    town.sandbox.edit_issue_as("maria", PROJECT, chat.iid, Edit(add_labels=(CONTROL,)))
    town.pass_time(1)
    late = town.say("jonas", chat, "/status shop")
    town.settle()
    town.sweep()
    assert town.answers(chat, early) == [] and town.reactions(early) == []
    assert len(town.answers(chat, late)) == 1
    assert "an incident" in town.state()


def test_a_confidential_control_issue_is_answered_and_quoted_like_an_internal_note(town: Town) -> None:
    if town.kind != "gitlab":
        pytest.skip("github has no confidential issues")
    request, control = waiting(town), town.control()
    control.confidential = True
    said = town.say("maria", control, "/hold shop prod the customer ACME leaks")
    town.settle()
    (answer,) = [note for note in town.said(control) if str(said.id) in note.body]
    assert answer.internal
    assert "ACME" not in town.report(request.iid) and "internal note" in town.report(request.iid)
    assert "internal: true" in town.state()


def test_S21_while_the_state_cannot_be_told_nothing_is_said_of_what_stands_in_it(town: Town) -> None:
    request, control = waiting(town), town.control()
    town.ask("maria", control, "/quarantine v2 shop prod it leaks")
    town.ask("jonas", control, "/hold shop nonprod wait")
    town.sandbox.edit_as("jonas", PROJECT, request.iid, Edit(add_labels=(HOLD,)))
    town.sandbox.commit_as("jonas", PROJECT, BRANCH, {"x": "y"}, "oops")
    for line in ("/unquarantine v2 shop x", "/unhold shop nonprod", "/unfreeze prod", "/status shop\n\n/unhold all"):
        answer = town.ask("maria", control, line)
        assert "Nothing can be recorded: the branch" in answer
        assert "There is no" not in answer and "is lifted" not in answer
    assert "Nothing can be recorded: " in town.ask("maria", request, "/unhold")
    assert HOLD in request.labels
    assert "What is held, frozen or quarantined cannot be told" in town.ask("maria", control, "/status shop")
    look(town)
    assert "retry" not in town.state() and "is looked at again" in town.ask("maria", control, "/retry shop")
