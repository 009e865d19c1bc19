r"""Patterns cut into path segments, and what one wildcard segment matches.

Both forges match file names as Ruby's `File.fnmatch` does with FNM_DOTMATCH and FNM_PATHNAME (dir.c): `*` and `?` stay
within a segment, `**/` at the start of a segment stands for any folders, any other `**` is a `*`, `\` escapes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Final, Literal


class Gap(Enum):
    """Any number of folders, none too: `**/`."""

    folders = "**/"


GAP: Final = Gap.folders


@dataclass(frozen=True, slots=True)
class Wild:
    """A segment with wildcards: how it begins and ends, its least length, and the whole as a regular expression.

    `inner` is the longest text that must stand between the beginning and the end, or empty.

    `regex` is empty where the beginning, the end and the length say all. It is compiled by whoever needs it, for no
    segment shorter than `least`: so a hostile pattern costs no more than the paths it is held against are long."""

    head: str
    tail: str
    least: int
    inner: str
    regex: str


Step = str | Wild | Literal[Gap.folders]
"""A segment to be found literally, one with wildcards, or any folders."""


@dataclass(frozen=True, slots=True)
class One:
    """A wildcard for exactly one character."""

    regex: str


class Star(Enum):
    """Any characters, none too."""

    within = "*"


STAR: Final = Star.within

Token = str | One | Literal[Star.within]

ANY: Final = Wild("", "", 0, "", "")
"""The segment `*`."""

_MEMBER = r"(?:\\.|[^\]\\])"
_TOKEN = re.compile(rf"[^*?\[\\/]+|\[[!^]?(?:{_MEMBER}(?:-{_MEMBER})?+)*+\]|\\/|\\?.", re.DOTALL)
_RANGE = re.compile(rf"({_MEMBER})(?:-({_MEMBER}))?+", re.DOTALL)


def steps_of(pattern: str) -> tuple[Step, ...] | None:
    """The steps of a pattern, or None where it can never match: a bracket that is not closed, or is empty.

    A `/` within brackets separates nothing, as in Ruby; an escaped one does."""
    if "[" not in pattern and "\\" not in pattern:
        *folders, last = pattern.split("/")
        return (*_once(GAP if text == "**" else _plain(text) for text in folders), _plain(last))
    steps: list[Step] = []
    tokens: list[Token] = []
    for found in _TOKEN.finditer(pattern):
        text = found[0]
        if text in {"/", "\\/"}:
            steps.append(GAP if text == "/" and tokens == [STAR, STAR] else _segment(tokens))
            tokens = []
        elif text in {"[", "[]"}:
            return None
        else:
            tokens.append(_token(text))
    return (*_once(steps), _segment(tokens))


def _once(steps: Iterable[Step]) -> Iterator[Step]:
    """Gaps in a row as one."""
    before = None
    for step in steps:
        if step is not GAP or before is not GAP:
            yield step
        before = step


def _plain(text: str) -> str | Wild:
    """A segment without brackets and escapes."""
    if "*" not in text and "?" not in text:
        return text
    head, _, tail = text.partition("*")
    if "?" in text or "*" in tail:
        return _segment([_token(found) for found in _TOKEN.findall(text)])
    return Wild(head, tail, len(head) + len(tail), "", "")


def _token(text: str) -> Token:
    if text == "*":
        return STAR
    if text == "?":
        return One(".")
    if text[0] == "[":
        return One(_bracket(text))
    return text[1:] if text[0] == "\\" and len(text) > 1 else text


def _bracket(text: str) -> str:
    """`[...]` as a regular expression; both ends of a range count even where it runs backwards (dir.c)."""
    negated = text[1] in "!^"
    said = []
    for first, last in _RANGE.findall(text[1 + negated : -1]):
        said += [re.escape(end[-1:]) for end in (first, last)]
        if first[-1] < last[-1:]:
            said.append(f"{re.escape(first[-1])}-{re.escape(last[-1])}")
    return f"[{'^' if negated else ''}{''.join(said)}]" if said else "."


def _segment(tokens: Sequence[Token]) -> str | Wild:
    chunks = list(_chunks(tokens))
    head, tail = "".join(_literals(chunks[0])), _tail(chunks[-1])
    least = sum(1 if isinstance(token, One) else len(token) for chunk in chunks for token in chunk)
    if len(chunks) == 1 and len(head) == least:
        return head
    if len(chunks) == 2 and len(head) + len(tail) == least:
        return Wild(head, tail, least, "", "")
    between = (token for chunk in chunks[1:-1] for token in chunk if isinstance(token, str))
    return Wild(head, tail, least, max(between, key=len, default=""), _regex(chunks))


def _chunks(tokens: Sequence[Token]) -> Iterator[list[str | One]]:
    """The tokens between the stars; stars in a row are one."""
    chunk: list[str | One] = []
    for before, token in pairwise((None, *tokens)):
        if token is not STAR and token is not None:
            chunk.append(token)
        elif before is not STAR:
            yield chunk
            chunk = []
    yield chunk


def _literals(chunk: Iterable[str | One]) -> Iterator[str]:
    """What is literal before the first wildcard."""
    for token in chunk:
        if isinstance(token, One):
            return
        yield token


def _tail(chunk: Sequence[str | One]) -> str:
    return "".join(reversed(list(_literals(reversed(chunk)))))


def _regex(chunks: Sequence[Sequence[str | One]]) -> str:
    """Each inner chunk is taken where it fits first and never again: no number of stars multiplies the attempts."""
    first, *more = (
        "".join(token.regex if isinstance(token, One) else re.escape(token) for token in chunk) for chunk in chunks
    )
    inner = "".join(f"(?>.*?{chunk})" for chunk in more[:-1])
    return first + inner + "".join(f".*{chunk}" for chunk in more[-1:])
