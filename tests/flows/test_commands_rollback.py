"""Rollback, quarantine, and people who command at the same time, over real HTTP on both forges (S18, S19)."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, RequestState, Role
from policies import trailers
from tests.flows.gated import approve, gated_town, is_in_prod, look, waiting
from tests.flows.town import PROJECT, Town
from workers.app import do_work
from workers.world import make_world

pytestmark = pytest.mark.long


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def ran(town: Town) -> MergeRequest:
    """v2 is in prod; its merge request."""
    request = waiting(town)
    approve(town, "olga", request.iid)
    assert is_in_prod(town)
    town.settle()
    return request


def test_S19_a_rollback_is_recorded_before_it_opens(town: Town) -> None:
    bad = ran(town)
    town.sandbox.journal.clear()
    asked_at = town.now
    answer = town.ask("maria", bad, "/rollback shop prod the error rate is up")
    assert "`shop` goes back to " in answer
    assert "Whether the registry still has its images could not be told" in answer
    assert "`nonprod`: `/rollback shop nonprod reason`" in answer
    back = waiting(town)
    assert (back.created_at - asked_at).total_seconds() < 60
    calls = [one for one in town.sandbox.journal.entries("towpath") if one.kind == "push" or one.writes]
    opened = next(at for at, one in enumerate(calls) if one.path.endswith(("/merge_requests", "/pulls")))
    assert calls[0].kind == "push" and opened > 0  # the state
    record = trailers.read(town.sandbox.project(PROJECT).git.commit(back.head).message)
    assert record is not None
    assert (record.cause, record.requesters) == ("rollback", (town.sandbox.user("maria").id,))
    assert "quarantine:" in town.state() and "holds:" in town.state()


def test_S19_a_rollback_passes_the_hold_and_sticks(town: Town) -> None:
    town.ask("maria", ran(town), "/rollback shop prod the error rate is up")
    back = waiting(town)
    approve(town, "olga", back.iid)
    assert back.state is RequestState.merged
    assert is_in_prod(town, "v1") and not is_in_prod(town, "v2")
    for _ in range(3):
        town.pass_time(600)
        town.sweep()
    assert town.open_in("prod") is None
    assert not is_in_prod(town, "v2")
    # A newer release waits for the hold, and then goes on by itself; the quarantine stays.
    town.publish("v3")
    town.settle()
    assert town.open_in("prod") is None
    lifted = town.ask("maria", back, "/unhold shop prod")
    assert "is lifted" in lifted and "no `/unhold` lifts a quarantine" in lifted
    approve(town, "olga", waiting(town).iid)
    assert is_in_prod(town, "v3")
    assert "quarantine:" in town.state()


def test_a_rollback_needs_its_right_and_a_reason(town: Town) -> None:
    bad = ran(town)
    before = town.state()
    assert "You lack the right `rollback`" in town.ask("jonas", bad, "/rollback prod now")
    assert "Give a reason" in town.ask("maria", bad, "/rollback prod")
    assert "could come back; name one with `to`" in town.ask("maria", bad, "/rollback prod 3 back too far")
    assert town.state() == before
    assert town.open_in("prod") is None


def test_S19_a_quarantined_release_never_comes_until_it_is_allowed_again(town: Town) -> None:
    request, control = waiting(town), town.control()
    assert "is quarantined in `prod`" in town.ask("maria", control, "/quarantine v2 shop prod it leaks")
    assert request.state is RequestState.closed
    assert "is quarantined" in town.ask("maria", control, "/towpath promote shop to prod v2")
    for _ in range(2):
        town.sweep()
    assert town.open_in("prod") is None
    assert "You lack the right `unquarantine`" in town.ask("jonas", control, "/unquarantine v2 shop it was the proxy")
    assert "may run again" in town.ask("maria", control, "/unquarantine v2 shop it was the proxy")
    assert "it leaks" not in town.state()
    approve(town, "olga", waiting(town).iid)
    assert is_in_prod(town)


def test_two_managers_at_once_are_both_recorded(town: Town) -> None:
    """By compare and swap, on two threads of two processes; what contradicts is done in some order, each told."""
    town.sandbox.add_user("mira")
    town.sandbox.add_member("platform", "mira", Role.maintainer)
    request, control = waiting(town), town.control()
    held = town.say("maria", request, "/hold shop prod an incident")
    frozen = town.say("mira", control, "/freeze prod for 2h an audit")
    other = make_world(town.settings, lambda: town.now)
    works = [("request", "main", PROJECT, str(request.iid)), ("issue", "main", PROJECT, str(control.iid))]
    threads = [
        threading.Thread(target=do_work, args=(world, work))
        for world, work in zip((town.world, other), works, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    town.settle()
    assert "an incident" in town.state() and "freezes:" in town.state()
    assert (len(town.answers(request, held)), len(town.answers(control, frozen))) == (1, 1)


def test_a_hold_and_its_release_at_once_end_the_same_on_label_and_state(town: Town) -> None:
    request, control = waiting(town), town.control()
    assert "is held" in town.ask("maria", request, "/hold wait")
    held = town.say("jonas", request, "/hold wait, there is more")
    town.say("maria", request, "/unhold")
    town.settle()
    look(town)
    # The release is younger than both, so both are lifted.
    assert "holds" not in town.state()
    assert "towpath:hold" not in request.labels
    assert len(town.answers(request, held)) == 1
    # One that was written before a hold does not lift it.
    town.lost = 10_000
    early = town.say("maria", control, "/unhold shop prod")
    town.lost = 0
    assert "is held" in town.ask("jonas", request, "/hold shop prod an incident")
    town.sweep()
    assert "There is no hold of `shop` in `prod` to lift" in town.answers(control, early)[0]
    assert "an incident" in town.state()
