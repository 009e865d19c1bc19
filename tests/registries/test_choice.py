"""Which registry is asked for an image, and what becomes of an answer that could not be had."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import responses
import structlog
from structlog.testing import capture_logs

from bot.registries import Access, Registries, Registry
from bot.settings import load_settings
from policies.snapshot import Exists, Snapshot
from tests.flows.world import Scene
from tests.registries.test_client import DIGEST
from tests.test_settings import GOOD
from workers.observe import observe
from workers.observe.answers import answered
from workers.world import make_world


def registry(name: str) -> Registry:
    return Registry(Access(name, f"https://{name}.example.com"), lambda: datetime(2026, 3, 2, tzinfo=UTC))


@pytest.fixture
def registries() -> Registries:
    return Registries(
        {
            "registry.example.com/": registry("all"),
            "registry.example.com/commerce/": registry("commerce"),
            "registry.example.com/commerce/one": registry("one"),
            "docker.io/": registry("hub"),
        }
    )


@pytest.fixture
def loud() -> Iterator[None]:
    """Warnings are told, as they are where Towpath runs."""
    quiet = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield
    structlog.configure(wrapper_class=quiet)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def snapshot(scene: Scene) -> Snapshot:
    return observe(scene.context, scene.unit)


@pytest.mark.parametrize(
    ("image", "asked"),
    [
        ("registry.example.com/team/api", "all.example.com/v2/team/api"),
        ("registry.example.com/commerce/api", "commerce.example.com/v2/commerce/api"),
        ("registry.example.com/commerce/one", "one.example.com/v2/commerce/one"),
        ("registry.example.com/commerce/one2", "commerce.example.com/v2/commerce/one2"),
        ("docker.io/library/nginx", "hub.example.com/v2/library/nginx"),
    ],
)
def test_the_closest_registry_is_asked_by_the_name_without_the_host(
    web: responses.RequestsMock, registries: Registries, image: str, asked: str
) -> None:
    web.head(f"https://{asked}/manifests/{DIGEST}")
    assert registries.exists(image, DIGEST) is True


@pytest.mark.parametrize(
    "image", ["nginx", "library/nginx", "registry.example.com.evil.net/a", "registry.example.com", "other.io/a/b", ""]
)
def test_an_image_of_no_configured_registry_is_not_asked_for(
    web: responses.RequestsMock, registries: Registries, image: str
) -> None:
    assert registries.exists(image, DIGEST) is None
    assert Registries().exists(image, DIGEST) is None
    assert len(web.calls) == 0


def test_a_question_is_answered_by_the_registry(
    web: responses.RequestsMock, registries: Registries, scene: Scene, snapshot: Snapshot
) -> None:
    found, gone = Exists("registry.example.com/team/api", DIGEST), Exists("registry.example.com/team/old", DIGEST)
    web.head(f"https://all.example.com/v2/team/api/manifests/{DIGEST}")
    web.head(f"https://all.example.com/v2/team/old/manifests/{DIGEST}", status=404)
    context = replace(scene.context, registries=registries)
    told = answered(context, snapshot, (found, gone))
    assert told.exists(found.repository, DIGEST) is True
    assert told.exists(gone.repository, DIGEST) is False


@pytest.mark.usefixtures("loud")
@pytest.mark.parametrize("status", [401, 429, 503])
def test_a_registry_that_cannot_say_is_told_in_the_log(
    web: responses.RequestsMock, registries: Registries, scene: Scene, snapshot: Snapshot, status: int
) -> None:
    question = Exists("registry.example.com/team/api", DIGEST)
    web.head(f"https://all.example.com/v2/team/api/manifests/{DIGEST}", status=status)
    with capture_logs() as told:
        after = answered(replace(scene.context, registries=registries), snapshot, (question,))
    assert after.exists(question.repository, DIGEST) is None
    assert [(one["event"], one["image"], one["log_level"]) for one in told] == [
        ("image not looked up", question.repository, "warning")
    ]


def test_without_a_registry_the_answer_is_none_and_nothing_is_told(scene: Scene, snapshot: Snapshot) -> None:
    question = Exists("registry.example.com/team/api", DIGEST)
    with capture_logs() as told:
        assert answered(scene.context, snapshot, (question,)).exists(question.repository, DIGEST) is None
    assert told == []


def test_the_world_makes_the_registries_of_the_settings(tmp_path: Path, redis_url: str) -> None:
    password = tmp_path / "password"
    password.write_text("the-first-password\n")
    main = "TOWPATH_REGISTRIES__MAIN__"
    given = {
        **GOOD,
        "TOWPATH_MIRRORS": str(tmp_path),
        "TOWPATH_REDIS_URL": redis_url,
        f"{main}URL": "https://registry.example.com",
        f"{main}USERNAME": "robot",
        f"{main}PASSWORD_FILE": str(password),
        f"{main}IMAGES": '["registry.example.com/commerce/", "other.example.com/"]',
    }
    world = make_world(load_settings(given))
    registries = world.context("main", "platform/config").registries
    assert set(registries.by_images) == {"registry.example.com/commerce/", "other.example.com/"}
    access = registries.by_images["other.example.com/"]._access
    assert (access.name, access.url, access.credentials()) == (
        "main",
        "https://registry.example.com",
        ("robot", "the-first-password"),
    )
    password.write_text("the-second-password\n")
    assert access.credentials() == ("robot", "the-second-password")
