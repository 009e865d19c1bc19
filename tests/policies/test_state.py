"""What the state says of whom: each of its questions, and that it is read back as it was written."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.yaml import dump, parse_document
from policies import state as the
from policies.model import Image, Release
from policies.state import Asked, Freeze, Hold, Order, Override, Person, Quarantine, State
from tests import builders as a
from workers.state import written

ANA, BEN = Person(id=11, name="ana"), Person(id=12, name="ben")
SAID = {"by": ANA, "at": a.NOW, "where": "https://forge.example.com/1#note_2"}
LATER, EARLIER = a.NOW + timedelta(hours=1), a.NOW - timedelta(hours=1)
V1, V2 = a.release("v1"), a.release("v2")


def hold(**more: object) -> Hold:
    return Hold.model_validate({**SAID, **more})


def freeze(stage: str = "nonprod", **more: object) -> Freeze:
    return Freeze.model_validate({**SAID, "stage": stage, "until": LATER, **more})


def quarantine(word: str = "v2", service: str = a.UNIT, **more: object) -> Quarantine:
    images = {image.repository: image.digest for image in a.release(word).images}
    found = {**SAID, "service": service, "release": a.release(word).name, "images": images, **more}
    return Quarantine.model_validate(found)


def asked(word: str = "v1", cause: str = "promote", stage: str = "nonprod", **more: object) -> Asked:
    pins = [{"repository": one.repository, "digest": one.digest, "tag": one.tag} for one in a.release(word).images]
    found = {**SAID, "service": a.UNIT, "stage": stage, "cause": cause, "images": pins, **more}
    return Asked.model_validate(found)


def override(gate: str = "checks", **more: object) -> Override:
    said = {"request": 1, "head": a.HEAD, "gate": gate, "reason": "fire", "until": LATER, "confirmed": BEN}
    return Override.model_validate({**SAID, **said, **more})


def order(**more: object) -> Order:
    return Order.model_validate({**SAID, "request": 1, "head": a.HEAD, **more})


@pytest.mark.parametrize(
    ("one", "reaches"),
    [
        (hold(), True),
        (hold(service=a.UNIT), True),
        (hold(service="other"), False),
        (hold(stage="nonprod"), True),
        (hold(stage="prod"), False),
        (hold(service=a.UNIT, stage="prod"), False),
        (hold(request=1), False),
        (hold(until=LATER), True),
        (hold(until=EARLIER), False),
        (hold(until=a.NOW), False),
    ],
)
def test_whom_a_hold_reaches(one: Hold, reaches: bool) -> None:
    assert bool(the.holds_on(State(holds=(one,)), a.UNIT, "nonprod", a.NOW)) is reaches


@pytest.mark.parametrize(
    ("one", "reaches"),
    [
        (quarantine("v2"), True),
        (quarantine("v1"), False),
        (quarantine("v2", service="other"), False),
        (quarantine("v2", stages=("nonprod",)), True),
        (quarantine("v2", stages=("prod",)), False),
    ],
)
def test_S19_which_release_a_quarantine_refuses(one: Quarantine, reaches: bool) -> None:
    assert (the.quarantined(State(quarantine=(one,)), a.UNIT, "nonprod", V2) is not None) is reaches


API_2, API_3 = Image(a.API, a.digest("v2")), Image(a.API, a.digest("v3"))
WORKER_2, WORKER_3 = Image(a.WORKER, a.digest("v2")), Image(a.WORKER, a.digest("v3"))
OTHER = Image(f"{a.WORKER}-other", a.digest("v2"))


@pytest.mark.parametrize(
    ("bad", "images", "reaches"),
    [
        ((API_2, WORKER_2), (API_2, WORKER_2), True),
        ((API_2, WORKER_2), (API_2,), True),  # a stage that pins one of its images gets it as well
        ((API_2, WORKER_2), (WORKER_2, OTHER), True),
        ((API_2, WORKER_2), (API_2, WORKER_3), False),  # the other image may be the mended one
        ((API_2, WORKER_2), (API_3, WORKER_2), False),
        ((API_2, WORKER_2), (OTHER,), False),
        ((API_2,), (API_2, WORKER_3), True),
        ((API_2,), (API_3, WORKER_2), False),
    ],
)
def test_S19_a_quarantine_reaches_where_only_some_of_the_images_are_pinned(
    bad: tuple[Image, ...], images: tuple[Image, ...], reaches: bool
) -> None:
    one = quarantine(images={image.repository: image.digest for image in bad})
    found = the.quarantined(State(quarantine=(one,)), a.UNIT, "prod", Release(images))
    assert (found is not None) is reaches


@pytest.mark.parametrize(
    ("one", "counts"),
    [
        (override(), True),
        (override(confirmed=None), False),
        (override(confirmed=ANA), False),
        (override(until=EARLIER), False),
        (override(head="0" * 40), False),
        (override(request=2), False),
    ],
)
def test_an_override_needs_a_second_person_this_head_and_time(one: Override, counts: bool) -> None:
    assert bool(the.overridden(State(overrides=(one,)), 1, a.HEAD, a.NOW)) is counts


def test_what_was_asked_for_last_counts() -> None:
    first, last = asked("v1"), asked("v2", at=LATER)
    assert the.asked_in(State(asked=(last, first)), a.UNIT, "nonprod") == last
    assert the.asked_in(State(asked=(first,)), a.UNIT, "prod") is None
    assert the.settled(State(asked=(last, first)), last).asked == (first,)


def test_what_has_ended_is_pruned_and_what_is_of_merge_requests_that_are_over_is_tidied() -> None:
    state = State(
        holds=(hold(), hold(until=EARLIER), hold(request=1), hold(request=2)),
        freezes=(freeze(), freeze(until=EARLIER)),
        overrides=(override(), override(until=EARLIER), override(request=2)),
        merges=(order(), order(request=2)),
    )
    left = the.pruned(state, a.NOW)
    assert (len(left.holds), len(left.freezes), len(left.overrides)) == (3, 1, 2)
    assert the.requests_in(left) == {1, 2}
    tidy = the.tidied(left, {1})
    assert tidy == State(
        holds=(hold(), hold(request=1)), freezes=(freeze(),), overrides=(override(),), merges=(order(),)
    )


def test_S20_the_hold_of_what_a_person_closed_stays_and_nothing_else_of_it() -> None:
    state = State(holds=(hold(request=1), hold(request=2)), overrides=(override(),), merges=(order(),))
    assert the.tidied(state, (), declined={1}) == State(holds=(hold(request=1),))


REASONS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(reason=REASONS, name=REASONS, until=st.none() | st.datetimes(timezones=st.just(a.NOW.tzinfo)))
def test_the_state_is_read_back_as_it_was_written(reason: str, name: str, until: object) -> None:
    by = Person(id=1, name=name)
    state = State(holds=(hold(by=by, reason=reason, until=until),), asked=(asked(reason=reason),), merges=(order(),))
    assert State.model_validate(parse_document(written(state)).value) == state


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | REASONS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(REASONS, inner, max_size=3),
    max_leaves=6,
)


@given(VALUES)
def test_whatever_is_dumped_is_parsed_to_the_same(value: object) -> None:
    assert parse_document(dump({"key": value}).encode()).value == {"key": value}


def test_people_can_read_it() -> None:
    text = written(State(freezes=(freeze(reason="year's end"),))).decode()
    assert text.startswith("# Towpath's own file. Do not edit")
    assert "freezes:\n- by:\n    id: 11\n    name: ana\n" in text
    assert "reason: year's end" in text
