"""The label of a hold against the state and the label's own log, over real HTTP on both forges (S6, S20, R4)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.faults import Fault
from bot.sandbox.model import MergeRequest
from bot.sandbox.requests import Edit
from policies.naming import HOLD
from tests.flows.gated import approve, gated_town, is_in_prod, waiting
from tests.flows.town import PROJECT, Town
from workers.hands import Hands
from workers.routes import route_request

pytestmark = pytest.mark.long

LABELS = {"gitlab": ("PUT", r".*/merge_requests/\d+"), "github": ("DELETE", r".*/labels/.*")}
"""How a label is taken off."""


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def relabel(town: Town, user: str, request: MergeRequest, *, add: bool) -> None:
    """Somebody sets or takes off the label of a hold, some seconds later, and Towpath does not look yet."""
    town.pass_time(5)
    change = Edit(add_labels=(HOLD,)) if add else Edit(remove_labels=(HOLD,))
    town.sandbox.edit_as(user, PROJECT, request.iid, change)


def test_a_hold_that_is_younger_than_the_removal_of_the_label_stays(town: Town) -> None:
    request = waiting(town)
    assert "is held" in town.ask("jonas", request, "/hold first")
    relabel(town, "maria", request, add=False)
    assert "is held" in town.ask("jonas", request, "/hold second")
    town.sweep()
    assert "reason: second" in town.state()
    assert "reason: first" not in town.state()
    assert HOLD in request.labels
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "is lifted" in town.ask("maria", request, "/unhold")
    assert is_in_prod(town)


def test_S20_a_label_set_and_stripped_unseen_is_put_back_unless_who_stripped_it_may(town: Town) -> None:
    request = waiting(town)
    town.lost = 10_000
    relabel(town, "maria", request, add=True)
    relabel(town, "jonas", request, add=False)
    town.lost = 0
    town.sweep()
    assert HOLD in request.labels
    assert "name: maria" in town.state()
    assert "stage: prod" in town.state() and "release: " in town.state()
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    relabel(town, "maria", request, add=False)
    town.settle()
    assert HOLD not in request.labels
    assert is_in_prod(town)


def test_a_label_set_and_taken_off_unseen_by_one_who_may_holds_nothing(town: Town) -> None:
    request = waiting(town)
    town.lost = 10_000
    relabel(town, "jonas", request, add=True)
    relabel(town, "maria", request, add=False)
    town.lost = 0
    town.sweep()
    assert HOLD not in request.labels
    assert "holds" not in town.state()
    approve(town, "olga", request.iid)
    assert is_in_prod(town)


def test_S20_the_label_taken_off_unseen_by_one_who_may_not_and_set_again_still_holds(town: Town) -> None:
    request = waiting(town)
    assert "is held" in town.ask("maria", request, "/hold first")
    town.lost = 10_000
    relabel(town, "jonas", request, add=False)
    relabel(town, "jonas", request, add=True)
    relabel(town, "jonas", request, add=False)
    town.lost = 0
    town.sweep()
    assert HOLD in request.labels
    assert "reason: first" in town.state()


@pytest.mark.parametrize("count", [1, 8])
def test_R3_a_release_is_not_lost_where_the_label_could_not_be_taken_off_at_once(town: Town, count: int) -> None:
    request = waiting(town)
    relabel(town, "maria", request, add=True)
    town.settle()
    assert "holds" in town.state()
    town.sandbox.faults.add(Fault("broken", *LABELS[town.kind], count=count))
    said = town.say("maria", request, "/unhold")
    town.settle(600)
    town.pass_time(1200)
    town.sweep()
    assert len(town.answers(request, said)) == 1
    assert "holds" not in town.state()
    assert HOLD not in request.labels
    approve(town, "olga", request.iid)
    assert is_in_prod(town)


def test_R3_a_hold_is_shown_where_the_label_could_not_be_set_at_once(town: Town) -> None:
    request = waiting(town)
    where = ("PUT", r".*/merge_requests/\d+") if town.kind == "gitlab" else ("POST", r".*/labels")
    town.sandbox.faults.add(Fault("broken", *where, count=1))
    said = town.say("jonas", request, "/hold wait")
    town.settle()
    assert "recorded before" in town.answers(request, said)[0]
    assert HOLD in request.labels
    # Held anew by hand after a release, it is held.
    assert "is lifted" in town.ask("maria", request, "/unhold")
    relabel(town, "jonas", request, add=True)
    town.settle()
    assert "name: jonas" in town.state()


def test_a_quiet_label_log_is_not_read_again(town: Town) -> None:
    request = waiting(town)
    town.ask("jonas", request, "/hold wait")
    for _ in range(2):
        town.pass_time(60)
        town.pending.mark([("unit", "main", PROJECT, "shop")], town.now.timestamp())
        town.settle()
    town.sandbox.journal.clear()
    town.pending.mark([("unit", "main", PROJECT, "shop")], town.now.timestamp())
    town.step()
    paths = [entry.path for entry in town.sandbox.journal.entries("towpath")]
    assert paths
    assert not [path for path in paths if "resource_label_events" in path or path.endswith("/events")]


def test_a_label_that_a_command_released_before_anybody_recorded_it_holds_no_more(town: Town) -> None:
    request = waiting(town)
    town.lost = 10_000
    relabel(town, "maria", request, add=True)
    town.lost = 0
    town.pass_time(1)
    said = town.sandbox.comment_as("maria", PROJECT, request.iid, "/unhold")
    hands = Hands(town.world.identity, town.world.clock, lambda: None)
    route_request(town.world, hands, "main", PROJECT, request.iid)
    assert len(town.answers(request, said)) == 1
    assert HOLD not in request.labels
    town.pass_time(60)
    town.sweep()
    assert HOLD not in request.labels
    assert "holds" not in town.state()
    approve(town, "olga", request.iid)
    assert is_in_prod(town)
