"""From what happened to the units that it may concern, where some repository or file is broken."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.errors import OutsideError
from bot.git import Identity
from bot.pending import GIVE_UP, Work, connect
from bot.sandbox.faults import Fault
from bot.sandbox.requests import Opening
from policies.naming import REPORT_MARK
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import HOST, POLICY, digest, values
from workers import routes
from workers.app import do_work
from workers.hands import Hands
from workers.world import World, make_world

UNIT: Work = ("unit", "main", PROJECT, "shop")
PROD = "environments/prod/one/shop/values.yaml"
API, APU = f"{HOST}/api", f"{HOST}/apu"
HANDS = Hands(Identity("Towpath", "towpath@example.com"), lambda: datetime.now(UTC), lambda: None)


@pytest.fixture
def town(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, "gitlab") as made:
        yield made


def behind_a_broken_one(town: Town) -> World:
    """The town's world, with a repository before its own that the forge does not know."""
    forge = town.settings.forges["main"].model_copy(update={"repositories": ("platform/gone", PROJECT)})
    settings = town.settings.model_copy(update={"forges": {"main": forge}})
    return make_world(settings, lambda: town.now)


def due(town: Town) -> tuple[Work, ...]:
    now = town.now.timestamp()
    return town.pending.hand_out(now, 100, now + 100)


def unpinned(town: Town, image: str, tag: str = "v2") -> list[str]:
    return [one.text for one in town.world.memory.answers(image, digest(tag)) if not one.unit]


def test_R11_an_image_is_routed_to_the_repositories_behind_a_broken_one(town: Town) -> None:
    with pytest.raises(OutsideError, match="gone"):
        routes.route_image(behind_a_broken_one(town), API, town.now)
    assert due(town) == (UNIT,)


def test_R11_a_sweep_goes_on_behind_a_broken_repository(town: Town) -> None:
    with pytest.raises(OutsideError, match="gone"):
        routes.sweep(behind_a_broken_one(town), town.now)
    assert due(town) == (UNIT,)


def test_nobody_is_told_that_no_service_pins_an_image_while_a_repository_cannot_be_read(town: Town) -> None:
    world = behind_a_broken_one(town)
    town.publish("v2", image="apu")
    with pytest.raises(OutsideError):
        routes.route_image(world, APU, town.now)
    assert unpinned(town, APU) == []


def test_R11_a_broken_repository_does_not_keep_what_is_new_from_the_others(town: Town) -> None:
    world = behind_a_broken_one(town)
    work: Work = ("image", API)
    town.publish("v2")
    for _ in range(10):
        due(town)
        do_work(world, work)
        town.now += timedelta(seconds=700)
    due(town)
    do_work(world, work)
    assert work not in due(town)
    town.publish("v3")
    assert work in due(town)


def test_R6_a_rate_limit_keeps_images_from_the_forge_too(town: Town) -> None:
    town.publish("v2")
    due(town)
    town.sandbox.faults.add(Fault("limited", "GET", retry_after=40))
    do_work(town.world, ("image", API))
    town.publish("v3")
    town.sandbox.journal.clear()
    do_work(town.world, ("image", API))
    assert town.sandbox.journal.reads("towpath") == 0
    town.pass_time(60)
    do_work(town.world, ("image", API))
    assert UNIT in due(town)


def test_R11_a_forge_that_asks_to_wait_keeps_images_from_no_other_forge(town: Town) -> None:
    other = town.settings.forges["main"].model_copy(update={"url": "http://127.0.0.1:9"})
    forges = {"aaa": other, "main": town.settings.forges["main"]}
    world = make_world(town.settings.model_copy(update={"forges": forges}), lambda: town.now)
    world.memory.set("limited:aaa", (town.now + timedelta(hours=1)).isoformat(), 3600)
    town.publish("v2")
    due(town)
    do_work(world, ("image", API))
    assert UNIT in due(town)
    town.publish("v3")
    town.pass_time(1)
    assert ("image", API) in due(town)


def test_an_image_that_a_service_begins_to_pin_is_no_longer_refused(town: Town) -> None:
    town.publish("v2", image="apu")
    town.settle()
    assert "no service pins" in unpinned(town, APU)[0]
    path = "environments/nonprod/one/till/values.yaml"
    town.sandbox.commit_as("maria", PROJECT, "main", {path: values("apu")}, "A new service")
    routes.route_image(town.world, APU, town.now)
    assert unpinned(town, APU) == []


def test_a_file_that_cannot_be_read_is_named_instead_of_a_service_that_is_not_there(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: "image:\n  tag: [\n"}, "Oops")
    town.publish("v2", image="apu")
    town.settle()
    (text,) = unpinned(town, APU)
    assert "no service pins" not in text
    assert f"{PROD}:" in text and f"the nearest that is pinned is {API}" in text


def test_a_pause_is_the_longest_however_often_it_failed(town: Town, redis_url: str) -> None:
    work: Work = ("nonsense",)
    town.pending.mark([work], town.now.timestamp())
    connect(redis_url).hset("towpath:v1:failures", '["nonsense"]', "5000")
    do_work(town.world, work)
    assert town.pending.next_at() == town.now.timestamp() + 600


def test_R10_what_fails_for_good_has_one_letter(town: Town) -> None:
    work: Work = ("nonsense",)
    town.pending.mark([work], town.now.timestamp())
    for _ in range(GIVE_UP + 3):
        do_work(town.world, work)
        town.now += timedelta(seconds=700)
    assert [letter["work"] for letter in town.pending.dead_letters()] == ["nonsense"]


def opened(town: Town, files: dict[str, str]) -> int:
    town.sandbox.commit_as("jonas", PROJECT, "mine", files, "Mine")
    request = town.sandbox.open_as("jonas", PROJECT, Opening("mine", "main", "Mine"))
    town.settle()
    return request.iid


def test_S9_the_policy_of_a_merge_request_does_not_say_which_of_its_files_are_read(town: Town) -> None:
    elsewhere = POLICY.replace("path: environments/", "path: elsewhere/")
    there = {"elsewhere/prod/one/shop/values.yaml": "image: [\n"}
    town.sandbox.commit_as("maria", PROJECT, "main", there, "what it would like to read")
    town.settle()
    iid = opened(town, {"towpath.yaml": elsewhere, PROD: "a: [\n"})
    report = town.report(iid)
    assert report.startswith(REPORT_MARK) and f"`{PROD}:" in report and "elsewhere" not in report


def test_a_policy_whose_names_cannot_be_told_apart_is_told_on_the_merge_request(town: Town) -> None:
    hostile = POLICY.replace("{service}/values", "{service}x{a}x{b}x{c}Q/values")
    assert "has 4 names in one path segment" in town.report(opened(town, {"towpath.yaml": hostile}))


def test_work_on_a_merge_request_that_is_gone_is_done(town: Town) -> None:
    """It was tried again for ever, and ended in a dead letter."""
    work: Work = ("request", "main", PROJECT, "4711")
    town.pending.mark([work], town.now.timestamp())
    town.settle()
    assert not town.pending.dead_letters()
    assert work not in due(town)


def test_work_on_a_repository_that_refuses_is_tried_again(town: Town) -> None:
    with pytest.raises(OutsideError, match="gone"):
        routes.route_request(behind_a_broken_one(town), HANDS, "main", "platform/gone", 1)
