"""What counts as a change of a gated stage, and which evidence and which people speak of it (S22)."""

from dataclasses import replace

import pytest

from policies import around
from policies.model import Image, Pin, Release, User
from policies.touched import gated_stages
from policies.trailers import Record
from tests.flows.gated import GATED, PROD
from tests.flows.world import digest
from workers.policy_file import load

POLICY = load(GATED.encode())
ONE, TWO = digest("one"), digest("two")
RECORD = Record("shop", "prod", Release((Image("a/b", TWO),)), (), gates=(("integrity", "passed"),))


def came(before: around.Named, after: around.Named) -> around.Came:
    ((unit, stage),) = around.gated(POLICY, PROD)
    return around.Came(unit, stage, POLICY, "2" * 40, "1" * 40, {PROD: (before, after)})


@pytest.mark.parametrize(
    ("path", "stages"),
    [
        (PROD, ["prod"]),
        ("environments/nonprod/one/shop/values.yaml", []),
        ("environments/prod/one/shop/other.yaml", []),
        ("README.md", []),
    ],
)
def test_a_path_is_gated_by_the_stages_that_ask_for_approvals(path: str, stages: list[str]) -> None:
    assert [stage.name for _, stage in around.gated(POLICY, path)] == stages
    assert list(gated_stages(POLICY, [path])) == stages


@pytest.mark.parametrize(
    ("link", "stages"),
    [
        ("environments", ("prod",)),
        ("environments/prod", ("prod",)),
        ("environments/prod/two", ("prod",)),
        ("environments/prod/two/shop", ("prod",)),
        ("environments/nonprod/two", ()),
        ("docs", ()),
    ],
)
def test_a_link_is_gated_where_files_may_be_behind_it(link: str, stages: tuple[str, ...]) -> None:
    assert gated_stages(POLICY, (), [link]) == stages


def test_evidence_is_of_exactly_the_change() -> None:
    old, new = frozenset({("a/b", ONE)}), frozenset({("a/b", TWO)})
    assert around.speaks_of(RECORD, came(old, new))
    assert not around.speaks_of(RECORD, came(new, old))
    assert not around.speaks_of(RECORD, came(old, new | {("evil/b", TWO)}))
    assert not around.speaks_of(RECORD, came(old | {("c/d", ONE)}, new))
    assert not around.speaks_of(RECORD, came(None, new))
    assert not around.speaks_of(RECORD, came(old, None))
    assert not around.speaks_of(replace(RECORD, gates=()), came(old, new))
    assert not around.speaks_of(replace(RECORD, unit="cart"), came(old, new))


def test_images_are_named_whatever_their_registry_and_line() -> None:
    pins = (Pin("a/b", ONE, "v1", 1), Pin("c/d", None, "v1", 2), Pin("e/f", None, None, 3))
    assert around.named(pins) == {("a/b", ONE), ("c/d", "tag:v1"), ("e/f", "tag:")}
    assert around.named(pins) == around.named(replace(pin, line=9) for pin in pins)


@pytest.mark.parametrize(
    ("who", "same"),
    [
        ("Olga Ivanova <olga@example.com> 1", True),
        ("olga <x@y> 1", True),
        ("x <Olga@example.com> 1", True),
        ("x <12+olga@users.noreply.github.com> 1", True),
        ("x <12-olga@users.noreply.gitlab.com> 1", True),
        ("x <12-Olga@users.noreply.git.example.com> 1", True),
        ("x <12-olga@example.com> 1", False),
        ("x <12-a-olga@users.noreply.gitlab.com> 1", False),
        ("x <olga@users.noreply.gitlab.com> 1", True),
        ("x <jonas@example.com> 1", False),
        (" <> 1", False),
        ("", False),
    ],
)
def test_a_commit_is_somebodys_as_far_as_it_says(who: str, same: bool) -> None:
    assert around.is_by(who, User(1, "olga", "Olga Ivanova")) is same
    assert not around.is_by(who, User(2, "omar"))


def test_a_release_is_told_only_where_all_places_agree() -> None:
    assert around.release_of([("a/b", ONE), ("c/d", TWO)]) == Release((Image("a/b", ONE), Image("c/d", TWO)))
    assert around.release_of([("a/b", ONE), ("a/b", TWO)]) is None
    assert around.release_of([("a/b", "tag:v1")]) is None
