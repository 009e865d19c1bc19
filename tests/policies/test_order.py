"""Rule 2: which of two digests of one image is the older one (S18)."""

from dataclasses import replace

import pytest

from policies.model import Image, Sighting, SourceCommit
from policies.order import Order, compare, left_behind, pins_at, went_back
from policies.snapshot import Between, Snapshot, Unanswered
from policies.trailers import NEVER
from tests import builders as a

PLACE = (a.path_of("nonprod"), a.API)
SEMVER = "semver >=1.0"


def ordered(asked: Snapshot, new: str = "v2", pinned: str = "v1", rule: str | None = None) -> Order:
    """How one word's digest stands to another's."""
    return compare(asked, a.API, a.digest(new), a.digest(pinned), rule)


def history(*words: str | None) -> Snapshot:
    """A stage that pinned these, newest first."""
    return a.snapshot(a.stage(), pins=[{"nonprod": word} for word in words])


def test_a_digest_stands_to_itself_as_the_same() -> None:
    assert ordered(a.snapshot(), "v1", "v1") is Order.same


def test_S18_by_first_sighting_the_later_one_is_newer() -> None:
    asked = a.snapshot(seen=("v1", "v2"))
    assert (ordered(asked), ordered(asked, "v1", "v2")) == (Order.newer, Order.older)


def test_S18_a_re_tag_moves_nothing() -> None:
    retagged = replace(a.sighting("v1", 0), tags=("v1", "latest", "v9"))
    assert ordered(a.snapshot(seen=(retagged, a.sighting("v2", 1))), "v1", "v2") is Order.older


def test_equal_first_sightings_are_ordered_one_way_only() -> None:
    asked = a.snapshot(seen=(a.sighting("v1", 1), a.sighting("v2", 1)))
    assert {ordered(asked), ordered(asked, "v1", "v2")} == {Order.newer, Order.older}


def test_anything_announced_is_newer_than_a_bare_tag() -> None:
    assert ordered(a.snapshot(seen=("v1",)), "v1", "tag:9.9") is Order.newer


@pytest.mark.parametrize(
    ("new", "pinned", "order"),
    [
        ("1.9.1", "1.10.0", Order.older),
        ("1.10.0", "1.9.1", Order.newer),
        ("v2.0.0", "1.9.1", Order.newer),
        ("1.10.0", "tag:1.9.0", Order.newer),
        ("1.10.0", "tag:2.0.0", Order.older),
        ("1.10.0", "tag:main", Order.newer),
        ("main", "1.10.0", Order.older),
    ],
)
def test_S18_by_version_where_the_source_orders_by_version(new: str, pinned: str, order: Order) -> None:
    """They were announced the other way round: only the version tells. Where one has none, the sighting does."""
    seen = tuple(a.sighting(word, minute) for minute, word in enumerate(("main", "v2.0.0", "1.10.0", "1.9.1")))
    assert ordered(a.snapshot(seen=seen), new, pinned, SEMVER) is order


def test_without_a_rule_of_versions_the_first_sighting_decides() -> None:
    asked = a.snapshot(seen=("1.10.0", "1.9.1"))
    assert ordered(asked, "1.9.1", "1.10.0") is Order.newer
    assert ordered(asked, "1.9.1", "1.10.0", "1.*") is Order.newer


def test_the_highest_of_several_tags_is_the_version() -> None:
    seen = (a.sighting("v1", 0, tags=("1.0.0", "1.2.0", "latest")), a.sighting("v2", 1, tags=("1.1.0",)))
    assert ordered(a.snapshot(seen=seen), rule=SEMVER) is Order.older


def test_of_equal_versions_the_first_sighting_decides() -> None:
    seen = (a.sighting("v1", 0, tags=("1.0.0",)), a.sighting("v2", 1, tags=("v1.0.0",)))
    asked = a.snapshot(seen=seen)
    assert (ordered(asked, rule=SEMVER), ordered(asked, "v1", "v2", SEMVER)) == (Order.newer, Order.older)


def test_versions_that_differ_in_their_build_alone_are_equal() -> None:
    """Semantic Versioning 2.0.0, section 10."""
    seen = (a.sighting("v1", 0, tags=("1.0.0+b",)), a.sighting("v2", 1, tags=("1.0.0+a",)))
    asked = a.snapshot(seen=seen)
    assert (ordered(asked, rule=SEMVER), ordered(asked, "v1", "v2", SEMVER)) == (Order.newer, Order.older)


# By history, where no sighting tells.


@pytest.mark.parametrize(
    ("words", "new", "pinned", "order"),
    [
        (("v1",), "v2", "v1", Order.newer),
        (("v2", "v1"), "v1", "v2", Order.older),
        (("v1", "v2", "v1"), "v2", "v1", Order.newer),
        (("v1",), "v1", "v2", Order.unknown),
        (("v1",), "v3", "v2", Order.unknown),
    ],
)
def test_S18_by_history_where_the_sightings_are_forgotten(
    words: tuple[str, ...], new: str, pinned: str, order: Order
) -> None:
    assert ordered(history(*words), new, pinned) is order


def test_two_digests_that_came_in_one_commit_cannot_be_told() -> None:
    asked = a.snapshot(a.stage(), a.stage("prod"), pins=[{"nonprod": "v1", "prod": "v2"}])
    assert ordered(asked) is Order.unknown


def test_the_history_of_another_image_says_nothing() -> None:
    pins = [{"nonprod": ("v1", "v1")}, {"nonprod": ("v0", "v2")}]
    assert ordered(a.snapshot(a.stage(), pins=pins, images=(a.API, a.WORKER))) is Order.newer


def test_a_sighting_whose_time_nobody_wrote_down_leaves_it_to_history() -> None:
    timeless = replace(a.sighting("v2"), seen_at=NEVER)
    asked = replace(history("v2", "v1"), sightings={(a.API, timeless.image.digest): timeless})
    asked = replace(asked, sightings={**asked.sightings, (a.API, a.digest("v1")): a.sighting("v1", 5)})
    assert (ordered(asked), ordered(asked, "v1", "v2")) == (Order.newer, Order.older)


# By the source's history.


def built(new: str = "r2", pinned: str = "r1", **answers: tuple[SourceCommit, ...]) -> Snapshot:
    """v1 and v2, announced in this order, with what lies between their revisions."""
    known = {
        Between(a.SOURCE, pinned, new): answers.get("added", ()),
        Between(a.SOURCE, new, pinned): answers.get("lost", ()),
    }
    return a.snapshot(seen=(a.built("v1", 0, pinned), a.built("v2", 1, new)), answers=known)


@pytest.mark.parametrize(
    ("added", "lost", "order"),
    [
        (a.commits(1, 2), (), Order.newer),
        ((), a.commits(1, 2), Order.older),
        (a.commits(1, 2), a.commits(2, 3), Order.unknown),
        ((), (), Order.newer),
    ],
)
def test_S18_an_ancestor_is_older_whatever_was_seen_first(
    added: tuple[SourceCommit, ...], lost: tuple[SourceCommit, ...], order: Order
) -> None:
    assert ordered(built(added=added, lost=lost)) is order


def test_the_source_is_only_asked_where_it_could_change_the_answer() -> None:
    assert ordered(a.snapshot(seen=(a.built("v1", 0), a.built("v2", 1, "r2"))), "v1", "v2") is Order.older
    with pytest.raises(Unanswered) as asked:
        ordered(a.snapshot(seen=(a.built("v1", 0), a.built("v2", 1, "r2"))))
    assert asked.value.questions == (Between(a.SOURCE, "r1", "r2"),)


@pytest.mark.parametrize(
    ("pinned", "new"),
    [
        (a.sighting("v1", 0), a.built("v2", 1, "r2")),
        (a.built("v1", 0), a.sighting("v2", 1)),
        (replace(a.built("v1", 0), source="https://gitlab.example.com/other"), a.built("v2", 1, "r2")),
        (replace(a.built("v1", 0), revision=None), a.built("v2", 1, "r2")),
        (a.built("v1", 0), replace(a.built("v2", 1), revision=None)),
        (a.built("v1", 0, "r1"), a.built("v2", 1, "r1")),
        (replace(a.built("v1", 0, "r1"), revisions=("r1", "r2")), a.built("v2", 1, "r2")),
    ],
    ids=["unknown", "unknown-new", "other-source", "no-revision", "no-new-revision", "same", "same-digest-later"],
)
def test_where_the_source_cannot_tell_the_first_sighting_does(pinned: Sighting, new: Sighting) -> None:
    assert ordered(a.snapshot(seen=(pinned, new))) is Order.newer


def test_an_image_of_a_pinned_digest_that_nobody_saw_is_newer_by_history_and_asks_no_source() -> None:
    assert ordered(a.snapshot(seen=(a.built("v2", 1, "r2"),))) is Order.newer


# What stood in a place before.


@pytest.mark.parametrize(
    ("words", "left", "back"),
    [
        (("v2", "v1"), False, False),
        (("v1", "v2"), True, False),
        (("v1", "v2", "v1"), True, True),
        (("v1", "v1", "v2", "v2", "v1"), True, True),
        (("v3", "v2", "v1"), True, False),
        (("v3", "v1", "v2", "v1"), True, True),
        (("v2", "v1", "v2", "v1"), False, True),
        (("tag:1", "v2", "tag:1"), True, True),
        (("v1",), False, False),
        (("v1", "v2", None), True, False),
    ],
)
def test_S19_what_a_place_left_behind_and_what_it_went_back_from(
    words: tuple[str | None, ...], left: bool, back: bool
) -> None:
    asked = history(*words)
    assert (left_behind(asked, PLACE, a.digest("v2")), went_back(asked, PLACE, a.digest("v2"))) == (left, back)


def test_the_pins_of_a_place_are_told_once_each_run() -> None:
    assert pins_at(history("v2", "v2", "v1", None), PLACE) == (a.digest("v2"), a.digest("v1"), None)


def test_a_place_without_history_pins_nothing() -> None:
    assert pins_at(replace(history("v1"), moments=()), PLACE) == (None,)


def test_an_image_is_the_same_whatever_its_tag() -> None:
    assert Image(a.API, a.digest("v1"), "x") == Image(a.API, a.digest("v1"), "y")
