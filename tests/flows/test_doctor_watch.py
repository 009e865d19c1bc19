"""The doctor on the timer: what does not hold is told in the log, once, and no sweep stops for it (S24)."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import capture_logs

from bot.errors import OutsideError
from bot.sandbox.faults import Fault
from bot.sandbox.model import Protection, Role
from tests.flows.test_doctor import OWNED, POLICY, protect
from tests.flows.town import FORGE, PROJECT, Town, towns
from workers.app import do_work
from workers.watching import due

pytestmark = pytest.mark.long

HOUR = 3600
WORSE, AROUND, AGAIN = "gates hold less than before", "gates can be gone around", "gates hold again"
Logs = list[dict[str, object]]


@pytest.fixture(params=["gitlab", "github"])
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, request.param, POLICY, OWNED) as made:
        yield made


@pytest.fixture
def gitlab(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, "gitlab", POLICY, OWNED) as made:
        yield made


def only_the_bot(town: Town) -> Protection:
    bot = frozenset({town.sandbox.user("towpath").id})
    return Protection(1, "main", Role.none, Role.none, merge_users=bot)


def swept(town: Town) -> Logs:
    """What a sweep and all that it marks say of gates and token."""
    with capture_logs() as logs:
        town.sweep()
    events = {WORSE, AROUND, AGAIN, "gates not looked at", "token expires soon", "fault"}
    return [dict(one) for one in logs if one["event"] in events]


def asked_for_protection(town: Town) -> list[str]:
    words = ("protected_branches", "/protection", "/rules/")
    return [one.path for one in town.sandbox.journal.entries("towpath") if any(word in one.path for word in words)]


@pytest.fixture(autouse=True)
def warnings_are_seen() -> Iterator[None]:
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield
    structlog.configure(wrapper_class=before)


def test_S24_gates_that_do_not_hold_are_told_at_first_sight_by_whom_and_what_changes_it(town: Town) -> None:
    protect(town, None)
    (told,) = swept(town)
    assert (told["event"], told["log_level"], told["stage"]) == (AROUND, "warning", "prod")
    assert (told["forge"], told["repository"], told["level"], told["before"]) == (FORGE, PROJECT, "bypassable", None)
    assert any("@jonas" in name for name in told["by"])  # type: ignore[attr-defined] # a list of names
    assert "main" in str(told["change"])


def test_S24_at_most_once_an_hour_and_never_twice_the_same(town: Town) -> None:
    protect(town, None)
    assert len(swept(town)) == 1
    town.sandbox.journal.clear()
    town.pass_time(HOUR - 600)
    assert swept(town) == []
    assert asked_for_protection(town) == []
    town.pass_time(HOUR)
    assert swept(town) == []
    assert asked_for_protection(town) != []


def test_S24_a_change_to_worse_is_critical_and_one_to_better_is_told(gitlab: Town) -> None:
    protect(gitlab, only_the_bot(gitlab))
    assert swept(gitlab) == []
    gitlab.sandbox.add_member("platform", "towpath", Role.developer)
    gitlab.pass_time(HOUR)
    (told,) = swept(gitlab)
    assert (told["event"], told["log_level"]) == (WORSE, "critical")
    assert (told["before"], told["level"]) == ("enforced", "advisory")
    assert "could not be read" in str(told["why"])
    gitlab.sandbox.add_member("platform", "towpath", Role.maintainer)
    protect(gitlab, Protection(1, "main", Role.none, Role.maintainer))
    gitlab.pass_time(HOUR)
    (told,) = swept(gitlab)
    assert (told["event"], told["before"], told["level"]) == (WORSE, "advisory", "bypassable")
    assert "@maria (Maintainer)" in told["by"]  # type: ignore[operator] # a list of names
    assert "*Allowed to merge*" in str(told["change"])
    protect(gitlab, only_the_bot(gitlab))
    gitlab.pass_time(HOUR)
    (told,) = swept(gitlab)
    assert (told["event"], told["log_level"]) == (AGAIN, "info")


def test_S24_somebody_more_who_may_go_around_is_told(gitlab: Town) -> None:
    protect(gitlab, Protection(1, "main", Role.none, Role.maintainer))
    assert len(swept(gitlab)) == 1
    gitlab.sandbox.add_member("platform", "jonas", Role.maintainer)
    gitlab.pass_time(HOUR)
    (told,) = swept(gitlab)
    assert (told["event"], told["before"]) == (AROUND, "bypassable")
    assert "@jonas (Maintainer)" in told["by"]  # type: ignore[operator] # a list of names
    gitlab.sandbox.add_member("platform", "jonas", Role.developer)
    gitlab.pass_time(HOUR)
    assert swept(gitlab) == []


def test_a_policy_without_approvals_costs_no_look_at_the_settings(gitlab: Town) -> None:
    policy = POLICY.replace("    approvals: {codeowners: required}\n", "")
    gitlab.sandbox.commit_as("root", PROJECT, "main", {"towpath.yaml": policy}, "no approvals")
    gitlab.sandbox.journal.clear()
    assert swept(gitlab) == []
    assert asked_for_protection(gitlab) == []


def test_a_look_that_fails_stops_neither_the_sweep_nor_the_work(town: Town) -> None:
    protect(town, None)
    context = town.world.context(FORGE, PROJECT)

    class Broken(type(context.forge)):  # type: ignore[misc] # the class is known at run time only
        def guard(self, repository: str, branch: str) -> None:
            raise OutsideError("read the protection of", repository, "500")

    forge = Broken.__new__(Broken)
    forge.__dict__.update(context.forge.__dict__)
    town.world._contexts[FORGE, PROJECT] = replace(context, forge=forge)
    (told,) = swept(town)
    assert (told["event"], told["why"]) == ("gates not looked at", f"failed to read the protection of {PROJECT}: 500")
    assert town.pending.dead_letters() == ()
    town.publish("v2")
    town.settle()
    assert town.open_in("nonprod") is not None
    town.world._contexts[FORGE, PROJECT] = context
    town.pass_time(HOUR)
    assert [one["event"] for one in swept(town)] == [AROUND]


def test_a_fault_of_the_look_itself_stops_no_sweep(town: Town) -> None:
    town.world.memory.set(f"gates:{FORGE}:{PROJECT}", "no JSON", HOUR)
    town.pending.mark([("sweep",)], town.now.timestamp())
    with capture_logs() as logs:
        town.step()
    assert [one["event"] for one in logs].count("fault") == 1
    assert town.world.memory.get(f"swept:{FORGE}:{PROJECT}") == town.now.isoformat()


def test_a_sweep_that_fails_stops_no_look(gitlab: Town) -> None:
    protect(gitlab, None)
    gitlab.pending.mark([("sweep",)], gitlab.now.timestamp())
    gitlab.sandbox.faults.add(Fault("broken", path=".*/merge_requests"))
    with capture_logs() as logs:
        gitlab.step()
    assert {"failed", AROUND} <= {one["event"] for one in logs}


def test_a_token_that_expires_soon_is_told_once_a_day(town: Town) -> None:
    protect(town, only_the_bot(town) if town.kind == "gitlab" else None)
    swept(town)
    tokens, value = town.sandbox.state.tokens, town.sandbox.token_for("towpath")
    tokens[value] = replace(tokens[value], expires_at=town.now + timedelta(days=10))
    town.pass_time(HOUR)
    (told,) = swept(town)
    assert (told["event"], told["log_level"]) == ("token expires soon", "warning")
    assert "put it into the token's file" in str(told["what"])
    town.pass_time(24 * HOUR)
    assert [one["event"] for one in swept(town)] == ["token expires soon"]
    tokens[value] = replace(tokens[value], expires_at=town.now + timedelta(days=100))
    town.pass_time(24 * HOUR)
    assert swept(town) == []


def test_a_look_that_was_marked_twice_is_had_once(town: Town) -> None:
    protect(town, None)
    (work,) = due(town.world)
    swept(town)
    assert due(town.world) == ()
    town.sandbox.journal.clear()
    town.pending.mark([work], town.now.timestamp())
    do_work(town.world, work)
    assert asked_for_protection(town) == []
