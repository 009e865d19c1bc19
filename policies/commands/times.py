"""How people write a time until which something is to last."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

FORMS = (
    "`30m`, `2h`, `3d`, `1w`, `1d12h`, `2026-12-24` or `2026-12-24T09:00`, with `Z` or `+01:00` behind it where needed"
)
"""What is understood, as an answer names it."""

LONGEST = timedelta(days=366)

_SPAN = re.compile(r"(?:([0-9]{1,3})w)?(?:([0-9]{1,4})d)?(?:([0-9]{1,5})h)?(?:([0-9]{1,6})m)?")
_POINT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:(?:T| +)([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(?: ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


def until(text: str, now: datetime, zone: tzinfo = UTC) -> datetime | str:
    """The time in UTC that a person means, or why there is none, as a sentence for them.

    A date means the midnight with which it begins; a time without offset is in `zone`.
    """
    written = text.strip().upper()
    try:
        now = now.astimezone(UTC)  # where a clock is put forward, two hours from now are still two hours
        moment = _after(written, now) or _point(written, zone)
        if moment is None:
            return f"that is no time; write {FORMS}"
        return _soon(moment.astimezone(UTC), now)
    except (OverflowError, ValueError):
        return f"there is no such day or time; write {FORMS}"


def _soon(moment: datetime, now: datetime) -> datetime | str:
    if moment <= now:
        return "that time is past; it must be later than now"
    if moment - now > LONGEST:
        return "that is more than a year ahead; give a time within a year"
    return moment


def _after(written: str, now: datetime) -> datetime | None:
    found = _SPAN.fullmatch(written.lower()) if written else None
    if found is None:
        return None
    weeks, days, hours, minutes = (int(number or 0) for number in found.groups())
    return now + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)


def _point(written: str, zone: tzinfo) -> datetime | None:
    """Raises ValueError for a day, time or offset that does not exist."""
    found = _POINT.fullmatch(written)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in found.groups()[:6])
    where = _offset(found[7]) if found[7] else zone
    return datetime(year, month, day, hour, minute, second, tzinfo=where)


def _offset(written: str) -> tzinfo:
    if written == "Z":
        return UTC
    digits = written[1:].replace(":", "").ljust(4, "0")
    if int(digits[2:]) > 59:
        raise ValueError(written)
    east = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return timezone(-east if written[0] == "-" else east)
