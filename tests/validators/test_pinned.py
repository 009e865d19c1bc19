"""Images by digest: an error for what the change brings, a note for what was left behind before."""

import pytest

from bot.validators import Bench
from bot.validators.launching import Launcher
from bot.validators.pinned import VALIDATOR
from policies.findings import Finding, Severity
from tests.validators.trees import change_of

BENCH = Bench(Launcher())
PATH = "environments/prod/eu/shop/values.yaml"
ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
OURS = "registry.example.com/shop/api"


def image(key: str = "image", repository: str = OURS, tag: str | None = None, digest: str | None = None) -> str:
    rows = [f"{key}:", f"  repository: {repository}"]
    rows += [] if tag is None else [f"  tag: {tag}"]
    rows += [] if digest is None else [f"  digest: {digest}"]
    return "\n".join([*rows, ""])


def told(before: str | None, after: str, registries: tuple[str, ...] = ("registry.example.com/",)) -> list[Finding]:
    change = change_of({} if before is None else {PATH: before}, {PATH: after}, services={"registries": registries})
    return [finding for part in VALIDATOR.parts(change) for finding in VALIDATOR.check(change, part, BENCH).findings]


def short(found: list[Finding]) -> list[tuple[str, str, int | None]]:
    return [(one.rule, one.severity, one.line) for one in found]


@pytest.mark.parametrize(
    ("tag", "digest", "expected"),
    [
        (None, ONE, []),
        ("v1", ONE, []),
        (f"v1@{ONE}", None, []),
        ("v1", None, [("bare", "error", 2)]),
        (None, None, [("bare", "error", 2)]),
        ("v1", "sha256:short", [("bare", "error", 2)]),
        ("latest", ONE, [("latest", "error", 2)]),
        ("LaTest", ONE, [("latest", "error", 2)]),
        ("latest", None, [("latest", "error", 2), ("bare", "error", 2)]),
        (f"latest@{ONE}", None, [("latest", "error", 2)]),
        ("latest-1", ONE, []),
    ],
)
def test_a_new_pin(tag: str | None, digest: str | None, expected: list[tuple[str, str, int | None]]) -> None:
    assert short(told(None, image(tag=tag, digest=digest))) == expected


def test_the_words_name_the_image_and_the_tag() -> None:
    assert told(None, image(tag="latest")) == [
        Finding(f"{OURS} has the tag latest, which tells nobody what runs", Severity.error, PATH, 2, "latest"),
        Finding(f"{OURS} is pinned by the tag latest, not by a digest", Severity.error, PATH, 2, "bare"),
    ]
    assert told(None, image())[0].message == f"{OURS} is pinned by nothing, not by a digest"


def test_a_bare_tag_of_others_is_a_note_and_latest_is_an_error_everywhere() -> None:
    assert short(told(None, image(repository="docker.io/x/y", tag="v1"))) == [("bare", "note", 2)]
    assert short(told(None, image(repository="docker.io/x/y", tag="latest")))[0] == ("latest", "error", 2)
    assert short(told(None, image(repository="docker.io/x/y", tag="v1"), ())) == [("bare", "error", 2)]


def test_a_promotion_is_not_blocked_for_what_was_left_there_before() -> None:
    old = image("sidecar", f"{OURS}-side", "latest")
    found = told(old + image(digest=ONE), old + image(digest=TWO))
    assert short(found) == [("latest", "note", 2), ("bare", "note", 2)]


@pytest.mark.parametrize(
    ("before", "after", "severity"),
    [
        (image(tag="v1"), "a: 1\n" + image(tag="v1"), "note"),
        (image(tag="v1"), image(tag="v2"), "error"),
        (image(tag="v1", digest=ONE), image(tag="v1"), "error"),
        (image(tag="v1"), image(tag="v1") + image("other", tag="v1"), "error"),
        (image("a", tag="v1") + image("b", tag="v1"), image("b", tag="v1"), "note"),
        (image(tag="v1"), image(repository=f"{OURS}2", tag="v1"), "error"),
        ("no: yaml: here\n", image(tag="v1"), "error"),
    ],
)
def test_what_is_new_or_changed_is_an_error(before: str, after: str, severity: str) -> None:
    assert told(before, after)[-1].severity == severity


def test_only_targets_that_pin_something_and_are_touched_are_looked_at() -> None:
    assert list(VALIDATOR.parts(change_of({PATH: "a: 1\n"}, {PATH: "a: 2\n"}))) == []
    assert list(VALIDATOR.parts(change_of({PATH: image()}, {}))) == []
    assert list(VALIDATOR.parts(change_of({}, {"README.md": image()}))) == []


def test_the_key_depends_on_the_registries() -> None:
    one, other = (change_of({}, {PATH: image()}, services={"registries": names}) for names in (("a/",), ("b/",)))
    assert [part.inputs for part in VALIDATOR.parts(one)] != [part.inputs for part in VALIDATOR.parts(other)]
