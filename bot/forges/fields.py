"""Reading a forge's JSON: what is there has the right type, and what must be there is."""

from collections.abc import Mapping
from datetime import UTC, datetime

from bot.forges.failures import Unreadable

Json = Mapping[str, object]


def part(fields: Json, name: str) -> Json:
    """An object, empty where it is missing."""
    found = fields.get(name)
    return found if isinstance(found, Mapping) else {}


def items(fields: Json, name: str) -> tuple[Json, ...]:
    """The objects of a list, empty where it is missing."""
    found = fields.get(name)
    return tuple(one for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()


def text(fields: Json, name: str) -> str:
    """A text, empty where it is missing."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def required(fields: Json, name: str) -> str:
    """A text; Unreadable where it is missing or empty."""
    value = text(fields, name)
    if not value:
        raise Unreadable(f"field {name!r}")
    return value


def number(fields: Json, name: str) -> int:
    """A whole number; Unreadable where it is missing."""
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"field {name!r}")
    return value


def time(fields: Json, name: str) -> datetime | None:
    """An aware time in UTC, None where it is missing; Unreadable for another text."""
    value = text(fields, name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"time in the field {name!r}") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def needed_time(fields: Json, name: str) -> datetime:
    """As `time`; Unreadable where it is missing."""
    at = time(fields, name)
    if at is None:
        raise Unreadable(f"field {name!r}")
    return at
