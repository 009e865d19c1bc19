"""The work queue on a real Redis."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.pending import GIVE_UP, LONGEST_PAUSE, MOST_DOUBLED, Claim, Pending, connect
from policies.model import Image, Sighting
from policies.sightings import united

U, V = ("unit", "main", "platform/config", "shop"), ("unit", "main", "platform/config", "till")
REPO = "registry.example.com/shop/api"
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def pending(redis_url: str) -> Pending:
    return Pending(connect(redis_url, 5), lease=60)


def sighting(name: str = "a", minutes: int = 0, tag: str | None = "v1", revision: str | None = None) -> Sighting:
    image = Image(REPO, f"sha256:{name * 64}", tag)
    revisions = (revision,) if revision else ()
    return Sighting(image, AT + timedelta(minutes=minutes), (tag,) if tag else (), revision, revisions)


def test_a_mark_is_handed_out_claimed_and_gone(pending: Pending) -> None:
    assert pending.mark([U], 10, cause="push")
    assert pending.hand_out(9, 10, 40) == ()
    assert pending.hand_out(10, 10, 40) == (U,)
    claim = pending.claim(U, 11)
    assert claim is not None and (claim.cause, claim.failures) == ("push", 0)
    assert pending.claim(U, 11) is None
    pending.release(claim)
    assert pending.next_at() is None


def test_a_burst_costs_one_claim(pending: Pending) -> None:
    for delivery in range(100):
        pending.mark([U], 10, delivery=str(delivery))
    claim = pending.claim(U, 11)
    assert claim is not None
    pending.release(claim)
    assert pending.claim(U, 12) is None


def test_R2_a_delivery_seen_before_does_nothing(pending: Pending) -> None:
    assert pending.mark([U], 10, delivery="one")
    claim = pending.claim(U, 11)
    assert claim is not None
    pending.release(claim)
    assert not pending.mark([U], 12, delivery="one")
    assert pending.next_at() is None


def test_a_mark_made_in_flight_is_not_lost(pending: Pending) -> None:
    pending.mark([U], 10)
    claim = pending.claim(U, 10)
    assert claim is not None
    pending.mark([U], 15)
    assert pending.claim(U, 16) is None
    pending.release(claim, 500)
    assert pending.next_at() == 15


def claimed(pending: Pending, now: float) -> Claim:
    claim = pending.claim(U, now)
    assert claim is not None
    return claim


def test_R2_a_mark_that_failed_half_way_is_made_by_its_repetition(pending: Pending, redis_url: str) -> None:
    client = connect(redis_url, 5)
    client.set(f"towpath:v1:order:{REPO}", "no sorted set")
    with pytest.raises(redis.ResponseError):
        pending.mark([U], 10, delivery="one", sighting=sighting())
    client.delete(f"towpath:v1:order:{REPO}")
    assert pending.mark([U], 10, delivery="one", sighting=sighting())
    assert not pending.mark([U], 10, delivery="one", sighting=sighting())
    assert 0 < client.ttl("towpath:v1:delivery:one") <= 7 * 24 * 3600


def test_an_old_message_does_not_claim_work_before_its_time(pending: Pending) -> None:
    pending.mark([U], 10)
    pending.hand_out(10, 10, 40)
    pending.release(claimed(pending, 11), 300, failed=True)
    assert pending.claim(U, 299) is None
    assert claimed(pending, 300).failures == 1


def test_what_was_handed_out_is_claimed_by_a_worker_whose_clock_is_behind(pending: Pending) -> None:
    pending.mark([U], 10)
    pending.hand_out(10, 10, 40)
    assert claimed(pending, 9.5).work == U


def test_R6_no_mark_brings_work_forward_that_failed(pending: Pending) -> None:
    pending.mark([U], 10)
    claim = claimed(pending, 10)
    pending.mark([U], 15)
    pending.release(claim, 500, failed=True)
    assert pending.next_at() == 500
    pending.mark([U], 20)
    assert pending.next_at() == 500 and pending.hand_out(499, 10, 530) == ()
    pending.release(claimed(pending, 500))
    pending.mark([U], 501)
    assert pending.next_at() == 501


def test_a_later_mark_made_in_flight_is_not_before_its_time_either(pending: Pending) -> None:
    pending.mark([U], 10)
    claim = claimed(pending, 10)
    pending.mark([U], 600)
    pending.release(claim, 500, failed=True)
    assert pending.next_at() == 600


def test_a_failure_that_does_not_block_lets_marks_bring_the_work_forward(pending: Pending) -> None:
    pending.mark([U], 10)
    claim = claimed(pending, 10)
    pending.mark([U], 15)
    pending.release(claim, 500, failed=True, blocks=False)
    assert pending.next_at() == 15
    pending.release(claimed(pending, 15), 500, failed=True, blocks=False)
    pending.mark([U], 20)
    assert pending.next_at() == 20


def test_R10_work_that_kills_its_worker_reaches_the_dead_letters_once(pending: Pending) -> None:
    pending.mark([U], 10, cause="push")
    pauses = []
    for number in range(GIVE_UP + 2):
        assert claimed(pending, number * 1000 + 10).failures == number
        assert len(pending.dead_letters()) == (number >= GIVE_UP)
        assert pending.expire(number * 1000 + 70) == (U,)
        pending.mark([U], number * 1000 + 70, cause="push")
        pauses.append((pending.next_at() or 0) - (number * 1000 + 70))
    assert pauses == [0, *(min(2.0**failures, LONGEST_PAUSE) for failures in range(2, GIVE_UP + 3))]
    (letter,) = pending.dead_letters()
    assert (letter["work"], letter["cause"]) == ("unit main platform/config shop", "push")
    assert "lease" in letter["error"]


def test_with_no_worker_work_is_sent_again_ever_more_seldom(pending: Pending) -> None:
    pending.mark([U], 0)
    now, pauses = 0.0, []
    for _ in range(MOST_DOUBLED + 2):
        assert pending.hand_out(now, 10, now + 30) == (U,)
        due = pending.next_at()
        assert due is not None
        pauses.append(due - now)
        now = due
    assert pauses == [30, 60, 120, 240, 480, 480, 480]
    pending.release(claimed(pending, now), now)
    pending.hand_out(now, 10, now + 30)
    assert pending.next_at() == now + 30


def test_what_is_marked_while_its_message_is_under_way_is_not_sent_a_second_time(pending: Pending) -> None:
    pending.mark([U], 0)
    assert pending.hand_out(0, 10, 30) == (U,)
    for now in (1, 2, 3):
        pending.mark([U], now)
        assert pending.hand_out(now, 10, now + 30) == ()
    assert pending.next_at() == 30
    assert pending.hand_out(30, 10, 60) == (U,)
    assert claimed(pending, 31).failures == 0


@pytest.mark.parametrize(("marks", "due"), [((30, 10), 10), ((10, 30), 10)])
def test_the_earlier_mark_wins(pending: Pending, marks: tuple[float, float], due: float) -> None:
    for at in marks:
        pending.mark([U], at)
    assert pending.next_at() == due


def test_what_was_handed_out_and_never_claimed_comes_back(pending: Pending) -> None:
    pending.mark([U], 10)
    assert pending.hand_out(10, 10, 40) == (U,)
    assert pending.hand_out(39, 10, 70) == ()
    assert pending.hand_out(40, 10, 70) == (U,)


def test_R3_a_lease_that_ended_is_due_again_and_its_holder_has_no_say(pending: Pending) -> None:
    pending.mark([U], 10)
    dead = pending.claim(U, 10)
    assert pending.expire(69) == () and pending.expire(70) == (U,)
    alive = pending.claim(U, 71)
    assert dead is not None and alive is not None
    pending.release(dead, 5)
    assert pending.claim(U, 72) is None
    pending.release(alive)
    assert pending.next_at() is None


def test_a_work_may_be_held_for_longer_than_others(pending: Pending) -> None:
    pending.mark([U, V], 10)
    assert pending.claim(U, 10, 300) is not None and pending.claim(V, 10) is not None
    assert pending.expire(309) == (V,) and pending.expire(310) == (U,)


def test_failures_in_a_row_are_counted_until_one_succeeds(pending: Pending) -> None:
    pending.mark([U], 10)
    for failures in range(3):
        claim = pending.claim(U, 10)
        assert claim is not None and claim.failures == failures
        pending.release(claim, 10, failed=True)
    claim = pending.claim(U, 10)
    assert claim is not None
    pending.release(claim, 10)
    again = pending.claim(U, 10)
    assert again is not None and again.failures == 0


def test_one_units_trouble_is_not_anothers(pending: Pending) -> None:
    pending.mark([U, V], 10)
    claim = pending.claim(U, 10)
    assert claim is not None and pending.claim(V, 10) is not None


def test_a_mark_wakes_whoever_waits(pending: Pending) -> None:
    pending.mark([U], 10)
    assert pending.wait(1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seen=st.lists(
        st.tuples(
            st.sampled_from("ab"),
            st.integers(0, 3),
            st.sampled_from([None, "v1", "v2"]),
            st.sampled_from([None, "r1", "r2"]),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_R2_sightings_unite_in_redis_as_they_do_in_the_core(
    redis_url: str, pending: Pending, seen: list[tuple[str, int, str | None, str | None]]
) -> None:
    connect(redis_url, 5).flushall()
    said = [
        sighting(name, minutes * 10 + index, tag, revision) for index, (name, minutes, tag, revision) in enumerate(seen)
    ]
    for one in said:
        pending.mark([("image", REPO)], 1, sighting=one)
    wanted = united(said)
    found = {(one.image.repository, one.image.digest): one for one in pending.sightings(REPO)}
    assert found.keys() == wanted.keys()
    for key, one in found.items():
        assert (one.seen_at, set(one.tags), set(one.revisions)) == (
            wanted[key].seen_at,
            set(wanted[key].tags),
            set(wanted[key].revisions),
        )
    assert list(found.values()) == sorted(found.values(), key=lambda one: one.seen_at, reverse=True)


def test_only_so_many_sightings_are_kept_and_they_are_the_newest(pending: Pending) -> None:
    for number in range(230):
        image = Image(REPO, f"sha256:{number:064x}", None)
        pending.mark([("image", REPO)], 1, sighting=Sighting(image, AT + timedelta(minutes=number)))
    kept = pending.sightings(REPO)
    assert len(kept) == 200 and kept[-1].image.digest == f"sha256:{30:064x}"


def test_R10_dead_letters_are_kept_newest_first(pending: Pending) -> None:
    for number in range(3):
        pending.dead_letter({"error": str(number)})
    assert [letter["error"] for letter in pending.dead_letters(2)] == ["2", "1"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(
        st.tuples(
            st.sampled_from(["mark", "claim", "release", "fail", "expire", "hand_out"]),
            st.sampled_from([U, V]),
            st.integers(0, 200),
        ),
        max_size=30,
    )
)
def test_a_marked_work_is_never_lost(
    redis_url: str, pending: Pending, steps: list[tuple[str, tuple[str, ...], int]]
) -> None:
    """Whatever happens, a work that was marked after its last claim is due, in flight, or was done."""
    connect(redis_url, 5).flushall()
    now, owed, held = 0.0, set(), {}
    for kind, work, number in steps:
        now += number
        if kind == "mark":
            pending.mark([work], now)
            owed.add(work)
        elif kind == "claim" and (claim := pending.claim(work, now)) is not None:
            held[work] = claim
            owed.discard(work)
        elif kind in {"release", "fail"} and work in held:
            pending.release(held.pop(work), now if kind == "fail" else None, failed=kind == "fail")
            owed |= {work} if kind == "fail" else set()
        elif kind == "expire":
            for late in pending.expire(now):
                held.pop(late, None)
                owed.add(late)
        elif kind == "hand_out":
            pending.hand_out(now, 10, now)
    later = now + 10_000
    found = set(_drain(pending, later))
    assert owed <= found | held.keys()
    pending.expire(later)
    assert owed <= found | set(_drain(pending, later)) | held.keys()


def _drain(pending: Pending, now: float) -> Iterator[tuple[str, ...]]:
    for work in pending.hand_out(now, 100, now + 1):
        claim = pending.claim(work, now)
        if claim is not None:
            yield work
            pending.release(claim)
