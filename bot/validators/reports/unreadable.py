"""What all formats refuse in the same way."""

MOST_BYTES = 16 * 1024 * 1024
"""Of a report that is read as a whole."""


class Unreadable(Exception):
    """Output that is not of its format, or too large; the text says which."""


def small(raw: bytes) -> bytes:
    """The same bytes; Unreadable where there are more than are read."""
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1024 // 1024} MiB")
    return raw
