"""Sightings of one digest unite to the same value, whatever their order and number (R2)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.model import Image, Sighting
from policies.sightings import announced, unite, united
from policies.trailers import NEVER
from tests import builders as a

words = st.sampled_from(["a", "b", "c"])
times = st.one_of(st.just(NEVER), st.integers(0, 3).map(lambda hour: a.NOW + timedelta(hours=hour)))


@st.composite
def sightings(draw: st.DrawFn) -> Sighting:
    """Any sighting of the digest of v1."""
    revision = draw(st.none() | words)
    return Sighting(
        Image(a.API, a.digest("v1"), draw(st.none() | words)),
        draw(times),
        tuple(draw(st.lists(words, unique=True))),
        revision,
        tuple(draw(st.lists(words, unique=True))),
        draw(st.none() | words),
        draw(st.none() | times),
        draw(st.dictionaries(words, words)),
    )


def told(one: Sighting) -> tuple[object, ...]:
    """Everything that a sighting says; the tag too, which no comparison of images sees."""
    return (one, one.image.tag, tuple(sorted(one.links.items())))


def core(one: Sighting) -> tuple[object, ...]:
    """What the rules decide by, and which no order may change however it was united before."""
    return one.seen_at, set(one.tags), set(one.revisions)


@given(sightings(), sightings())
def test_R2_either_order_of_two_gives_the_same(one: Sighting, other: Sighting) -> None:
    assert told(unite(one, other)) == told(unite(other, one))


@given(sightings())
def test_R2_a_repeated_sighting_says_nothing_new(one: Sighting) -> None:
    assert told(unite(one, one)) == told(one)


@given(sightings(), sightings(), sightings())
def test_R2_it_does_not_matter_which_two_unite_first(one: Sighting, two: Sighting, three: Sighting) -> None:
    assert core(unite(unite(one, two), three)) == core(unite(one, unite(two, three)))


@given(st.lists(sightings(), min_size=1, max_size=4))
def test_R2_sightings_in_any_order_unite_to_the_same(some: list[Sighting]) -> None:
    answers = [united(order) for order in permutations(some)]
    assert {key: told(one) for key, one in answers[0].items()} == {key: told(one) for key, one in answers[-1].items()}
    assert all(answer == answers[0] for answer in answers)
    assert list(answers[0]) == [(a.API, a.digest("v1"))]


def test_the_first_announcement_names_and_dates_the_image() -> None:
    first = a.sighting("v1", 1, tags=("v1",))
    later = replace(
        a.built("v1", 9, "r9"), image=replace(a.image("v1"), tag="latest"), tags=("latest", "v1"), links={"log": "x"}
    )
    found = unite(later, first)
    assert (found.seen_at, found.image.tag, found.tags) == (first.seen_at, "v1", ("v1", "latest"))
    assert (found.revision, found.source, found.links) == ("r9", a.SOURCE, {"log": "x"})


def test_what_the_first_says_is_not_written_over() -> None:
    first = replace(a.built("v1", 1, "r1"), links={"log": "first"}, created=a.NOW)
    later = replace(a.built("v1", 2, "r2"), links={"log": "later", "sbom": "y"}, created=a.NOW - timedelta(days=1))
    found = unite(first, later)
    assert (found.revision, found.revisions, found.created) == ("r1", ("r1", "r2"), a.NOW)
    assert found.links == {"log": "first", "sbom": "y"}


def test_a_sighting_whose_time_nobody_wrote_down_is_the_later_one() -> None:
    timeless = replace(a.built("v1", 0, "r1"), seen_at=NEVER)
    known = a.built("v1", 5, "r2")
    assert (unite(timeless, known).seen_at, unite(timeless, known).revision) == (known.seen_at, "r2")


def test_digests_do_not_mix() -> None:
    other = a.sighting("v1", 1, a.WORKER)
    assert len(united([a.sighting("v1"), a.sighting("v2"), other])) == 3


@pytest.mark.parametrize(
    ("created", "seen"),
    [(None, 12), (datetime(2026, 5, 4, 9, tzinfo=UTC), 9), (datetime(2026, 5, 4, 15, tzinfo=UTC), 12)],
)
def test_an_announcement_counts_from_its_own_time_but_never_from_later_than_its_receipt(
    created: datetime | None, seen: int
) -> None:
    fresh = replace(a.sighting("v1"), seen_at=a.NOW, created=created)
    assert announced(fresh).seen_at == a.NOW.replace(hour=seen)


def test_an_announcements_revision_is_one_of_its_revisions_once() -> None:
    fresh = replace(a.sighting("v1"), revision="r2", revisions=("r1",))
    assert announced(fresh).revisions == ("r1", "r2")
    assert announced(announced(fresh)).revisions == ("r1", "r2")
    assert announced(a.sighting("v1")).revisions == ()
