"""What all formats refuse in the same way."""

MOST_BYTES = 16 * 1024 * 1024
"""Of a report that is read as a whole."""
MOST_READ = 10_000
"""Findings that are read from one output; more would be told as a number alone."""


class Unreadable(Exception):
    """Output that is not of its format, or too large; the text says which."""


def small(raw: bytes, most: int = MOST_BYTES) -> bytes:
    """The same bytes; Unreadable where there are more than are read."""
    if len(raw) > most:
        raise Unreadable(f"is larger than {most // 1024 // 1024} MiB")
    return raw
