"""Quoting: text that others control becomes harmless before it reaches Markdown, a title or a log (S9)."""

import html
import re
from collections.abc import Sequence

_CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb"
    r"\U000e0000-\U000e007f]+"
)
"""Control, direction and invisible characters, and halves of characters, which no forge can be sent."""
_RUNS = re.compile(r"`+")
_SPAN = re.compile(r"`([^`]+)`")
_HARMLESS = re.compile(r"(?!.*(?:://|www\.|\b(?i:GH|GL)-[0-9]))[A-Za-z0-9_ .,:;'\"()/?=+-]*")
LONGEST = 200
LONGEST_COMMENT = 60_000
"""Characters; GitHub keeps 65,536, GitLab 1,000,000."""
MOST_ROWS = 50


def visible(text: str) -> str:
    """The text without control, direction and invisible characters, on one line, never cut."""
    return _CONTROL.sub(" ", text)


def one_line(text: str, longest: int = LONGEST) -> str:
    """The same, cut at so many characters."""
    plain = visible(text).strip()
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def code(text: str, longest: int = LONGEST) -> str:
    """A Markdown code span: no mention, reference, link or HTML in it is ever alive (CommonMark 0.31, section 6.1)."""
    plain = one_line(text, longest).replace("|", "¦")
    fence = "`" * (_longest_run(plain) + 1)
    pad = " " if plain.startswith("`") or plain.endswith("`") or not plain else ""
    return f"{fence}{pad}{plain}{pad}{fence}"


def code_in_html(text: str) -> str:
    """The same for where forges read HTML and no Markdown, such as in `<summary>`."""
    return f"<code>{html.escape(one_line(text))}</code>"


def fenced(lines: Sequence[str], language: str) -> str:
    """A fenced code block that nothing in it closes, nor leaves (CommonMark 0.31, section 4.5)."""
    shown = [visible(line) for line in lines]
    fence = "`" * max([3, *(_longest_run(line) + 1 for line in shown)])
    return "\n".join([f"{fence}{language}", *shown, fence])


def _longest_run(text: str) -> int:
    return max((len(run) for run in _RUNS.findall(text)), default=0)


def fit(text: str, longest: int = LONGEST_COMMENT) -> str:
    """A text of whole paragraphs that every forge takes, cut at the end of a line."""
    if len(text) <= longest:
        return text
    return text[: longest - len(_CUT)].rpartition("\n")[0] + _CUT


_CUT = "\n\n… and more than a comment can hold."


def most(rows: Sequence[str]) -> list[str]:
    """The first rows of a list, and how many more there are."""
    more = len(rows) - MOST_ROWS
    return [*rows[:MOST_ROWS], f"- and {more} more"] if more > 0 else list(rows)


def plain(text: str, longest: int = LONGEST) -> str:
    """A sentence of ours that may repeat others' words: as it is where nothing in it can be alive, else as code.

    What it has between backticks is code in any case, whoever put them there."""
    pieces = _SPAN.split(one_line(text, longest))
    shown = (code(piece, longest) if number % 2 else _between(piece, longest) for number, piece in enumerate(pieces))
    return "".join(shown).strip()


def _between(piece: str, longest: int) -> str:
    """What stands before, between or after code; two pieces of code are kept apart, so that neither opens the other."""
    if not piece.strip():
        return " "
    return piece if _HARMLESS.fullmatch(piece) else f" {code(piece, longest)} "


def title(text: str) -> str:
    """For titles, which forges scan for mentions and references though they are no Markdown."""
    return re.sub(r"([@#!~%$&])(?=\w)", "\\1\u2060", one_line(text))


def listed(items: tuple[str, ...], most: int = 5) -> str:
    """`a, b and 3 more`."""
    if len(items) <= most:
        return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
    return f"{', '.join(items[:most])} and {len(items) - most} more"
