"""How people write until when."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.commands.times import FORMS, LONGEST, until

NOW = datetime(2026, 11, 21, 10, 30, tzinfo=UTC)
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("3d", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
        ("1d12h", timedelta(days=1, hours=12)),
        ("1w2d3h4m", timedelta(days=9, hours=3, minutes=4)),
        (" 2H ", timedelta(hours=2)),
        ("90m", timedelta(minutes=90)),
        ("366d", LONGEST),
    ],
)
def test_a_span_counts_from_now(text: str, after: timedelta) -> None:
    assert until(text, NOW) == NOW + after


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2026-12-24", UTC, "2026-12-24T00:00Z"),
        ("2026-12-24T09:00", UTC, "2026-12-24T09:00Z"),
        ("2026-12-24 09:00", UTC, "2026-12-24T09:00Z"),
        ("2026-12-24t09:00z", UTC, "2026-12-24T09:00Z"),
        ("2026-12-24T09:00:30Z", UTC, "2026-12-24T09:00:30Z"),
        ("2026-12-24 09:00 +01:00", UTC, "2026-12-24T08:00Z"),
        ("2026-12-24T09:00-0530", UTC, "2026-12-24T14:30Z"),
        ("2026-12-24T09:00+02", UTC, "2026-12-24T07:00Z"),
        ("2026-12-24", AMSTERDAM, "2026-12-23T23:00Z"),
        ("2026-12-24T09:00", AMSTERDAM, "2026-12-24T08:00Z"),
        ("2026-12-24T09:00Z", AMSTERDAM, "2026-12-24T09:00Z"),
        ("2027-07-01T09:00", AMSTERDAM, "2027-07-01T07:00Z"),
        ("2026-11-21T10:31", UTC, "2026-11-21T10:31Z"),
    ],
)
def test_a_time_is_read_in_its_zone(text: str, zone: tzinfo, moment: str) -> None:
    found = until(text, NOW, zone)
    assert isinstance(found, datetime)
    assert found == datetime.fromisoformat(moment)
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", FORMS),
        (" ", FORMS),
        ("tomorrow", FORMS),
        ("monday", FORMS),
        ("2", FORMS),
        ("2 hours", FORMS),
        ("-2h", FORMS),
        ("1.5h", FORMS),
        ("12h1d", FORMS),
        ("2h2h", FORMS),
        ("٢h", FORMS),
        ("24-12-2026", FORMS),
        ("2026-12-24T9:00", FORMS),
        ("09:00", FORMS),
        ("2026-12-24Z", FORMS),
        ("2026-02-30", "no such day"),
        ("2026-13-01", "no such day"),
        ("2026-12-24T24:00", "no such day"),
        ("2026-12-24T09:60", "no such day"),
        ("2026-12-24T09:00+01:60", "no such day"),
        ("2026-12-24T09:00+24:00", "no such day"),
        ("0000-01-01", "no such day"),
        ("0001-01-01T00:00+01:00", "no such day"),
        ("9999-12-31T23:59-01:00", "no such day"),
        ("0h", "past"),
        ("2026-11-21", "past"),
        ("2026-11-21T10:30", "past"),
        ("2025-12-24", "past"),
        ("367d", "more than a year"),
        ("999w", "more than a year"),
        ("2028-01-01", "more than a year"),
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str, says: str) -> None:
    found = until(text, NOW)
    assert isinstance(found, str)
    assert says in found


def test_a_span_is_not_shortened_where_the_clock_is_put_forward() -> None:
    before = datetime(2027, 3, 28, 1, 30, tzinfo=AMSTERDAM)
    assert until("2h", before) == datetime(2027, 3, 28, 2, 30, tzinfo=UTC)


def test_the_end_of_time_is_no_error() -> None:
    assert isinstance(until("366d", datetime.max.replace(tzinfo=UTC)), str)
    assert isinstance(until("2h", datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))), str)


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{0,4}-[0-9]{1,2}-[0-9]{1,2}[T ]?[0-9:]{0,8}[Z+-]?[0-9:]{0,5}"))
def test_it_never_raises(text: str) -> None:
    found = until(text, NOW, AMSTERDAM)
    assert isinstance(found, str) or NOW < found <= NOW + LONGEST


@given(st.integers(0, 3), st.integers(0, 6), st.integers(0, 23), st.integers(1, 59))
def test_what_is_written_is_read(weeks: int, days: int, hours: int, minutes: int) -> None:
    written = f"{weeks}w{days}d{hours}h{minutes}m"
    assert until(written, NOW) == NOW + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
