"""Images of other registries: an error where the change brings them, a note where they were there before."""

import pytest

from bot.validators import Bench
from bot.validators.launching import Launcher
from bot.validators.registries import VALIDATOR
from policies.findings import Finding, Severity
from tests.validators.test_pinned import ONE, OURS, PATH, TWO, image
from tests.validators.trees import change_of

BENCH = Bench(Launcher())
ALLOWED = ("registry.example.com/shop/", "mirror.example.com/")


def told(before: str | None, after: str, registries: tuple[str, ...] = ALLOWED) -> list[Finding]:
    change = change_of({} if before is None else {PATH: before}, {PATH: after}, services={"registries": registries})
    return [finding for part in VALIDATOR.parts(change) for finding in VALIDATOR.check(change, part, BENCH).findings]


@pytest.mark.parametrize(
    ("repository", "is_allowed"),
    [
        (OURS, True),
        ("mirror.example.com/nginx", True),
        ("registry.example.com/other/api", False),
        ("registry.example.com.evil.example.net/shop/api", False),
        ("evil.example.net/registry.example.com/shop/api", False),
        ("nginx", False),
        ("shop/api", False),
        ("REGISTRY.example.com/shop/api", False),
    ],
)
def test_an_image_is_of_an_allowed_registry_or_an_error(repository: str, is_allowed: bool) -> None:
    assert [one.severity for one in told(None, image(repository=repository, digest=ONE))] == ["error"] * (
        not is_allowed
    )


def test_the_words_name_the_allowed_ones() -> None:
    assert told(None, "a: 1\n" + image(repository="docker.io/evil", digest=ONE)) == [
        Finding(
            "docker.io/evil is of none of the allowed registries: registry.example.com/shop/ and mirror.example.com/",
            Severity.error,
            PATH,
            3,
            "registry",
        )
    ]


def test_what_was_there_before_is_a_note() -> None:
    old = image("sidecar", "docker.io/x/y", digest=ONE)
    assert [one.severity for one in told(old + image(digest=ONE), old + image(digest=TWO))] == ["note"]


def test_without_registries_in_policy_there_is_nothing_to_look_at() -> None:
    change = change_of({}, {PATH: image(repository="docker.io/evil", digest=ONE)})
    assert list(VALIDATOR.parts(change)) == []
