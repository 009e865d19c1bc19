"""Quoting: text that others control becomes harmless before it reaches Markdown, a title or a log (S9)."""

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_RUNS = re.compile(r"`+")
_HARMLESS = re.compile(r"(?!.*(?:://|www\.))[A-Za-z0-9_ .,:;'\"()/?=+-]*")
LONGEST = 200
LONGEST_COMMENT = 60_000
MOST_ROWS = 50


def one_line(text: str) -> str:
    """The text without control and direction characters, on one line, cut at 200 characters."""
    plain = _CONTROL.sub(" ", text).strip()
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def code(text: str) -> str:
    """A Markdown code span: no mention, reference, link or HTML in it is ever alive (CommonMark 0.31, section 6.1)."""
    plain = one_line(text).replace("|", "¦")
    fence = "`" * (max((len(run) for run in _RUNS.findall(plain)), default=0) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def fit(text: str) -> str:
    """A comment that every forge takes, cut at the end of a line; GitHub keeps 65,536 characters."""
    if len(text) <= LONGEST_COMMENT:
        return text
    return f"{text[:LONGEST_COMMENT].rpartition(chr(10))[0]}\n\n… and more than a comment can hold."


def most(rows: Sequence[str]) -> list[str]:
    """The first rows of a list, and how many more there are."""
    more = len(rows) - MOST_ROWS
    return [*rows[:MOST_ROWS], f"- and {more} more"] if more > 0 else list(rows)


def plain(text: str) -> str:
    """A sentence of ours that may repeat others' words: as it is where nothing in it can be alive, else as code."""
    line = one_line(text)
    return line if _HARMLESS.fullmatch(line) else code(line)


def title(text: str) -> str:
    """For titles, which forges scan for mentions and references though they are no Markdown."""
    return re.sub(r"([@#!~%$&])(?=\w)", "\\1\u2060", one_line(text))


def listed(items: tuple[str, ...], most: int = 5) -> str:
    """`a, b and 3 more`."""
    if len(items) <= most:
        return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
    return f"{', '.join(items[:most])} and {len(items) - most} more"
