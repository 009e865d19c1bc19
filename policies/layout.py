"""Path templates: how a config repository's folders name its services, clusters and environments."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*)\}")
"""One `{name}` of a template; it stands for one path segment or a part of one."""
MOST_NAMES = 3
"""Names in one path segment."""


def names(template: str) -> tuple[str, ...]:
    """The names that a template captures, in order of appearance."""
    return tuple(CAPTURE.findall(template))


def check(template: str) -> None:
    """ValueError where it could not be told what a name captures; it says what to write instead."""
    for text in template.split("/"):
        found, between = names(text), CAPTURE.split(text)[2:-1:2]
        if len(found) > MOST_NAMES:
            nearest = _shown(text, MOST_NAMES)
            raise ValueError(
                f"has {len(found)} names in one path segment, at most {MOST_NAMES} can be told apart: "
                f"spread them over folders, such as {nearest}/{{{found[MOST_NAMES]}}}"
            )
        if "" in between:
            at = between.index("")
            one, other = found[at : at + 2]
            raise ValueError(
                f"nothing parts {{{one}}} from {{{other}}}: write {{{one}}}-{{{other}}} or {{{one}}}/{{{other}}}"
            )
    _check_repeated(template)


def _check_repeated(template: str) -> None:
    """A name that stands twice must be told from one place alone: anything else would be a search."""
    segments = [names(text) for text in template.split("/")]
    whole = names(template)
    for name in dict.fromkeys(whole):
        if whole.count(name) > 1 and (name,) not in segments:
            raise ValueError(
                f"repeats {{{name}}}, which must then be the only name of one path segment, "
                f"such as {{{name}}}/{template}"
            )


def _shown(text: str, count: int) -> str:
    """A segment up to its name of that number."""
    return text[: [found.end() for found in CAPTURE.finditer(text)][count - 1]]


class _Segment(NamedTuple):
    """One path segment of a template; `texts` stand around `names`, so there is one more of them."""

    at: int
    texts: tuple[str, ...]
    names: tuple[str, ...]
    repeats: bool
    """Whether an earlier one tells some of its names."""


class _Template(NamedTuple):
    segments: tuple[_Segment, ...]
    """Those of the fewest names first: what they tell is plain text in the others."""
    names: tuple[str, ...]


@lru_cache(maxsize=256)
def _parsed(template: str) -> _Template:
    split = [CAPTURE.split(text) for text in template.split("/")]
    told: set[str] = set()
    segments = []
    for at, pieces in sorted(enumerate(split), key=lambda one: len(one[1])):
        captured = tuple(pieces[1::2])
        segments.append(_Segment(at, tuple(pieces[::2]), captured, not told.isdisjoint(captured)))
        told.update(captured)
    return _Template(tuple(segments), tuple(dict.fromkeys(names(template))))


def capture(template: str, path: str) -> dict[str, str] | None:
    """What `template` captures from `path`, or None where the path does not fit. No segment may be `.` or `..` (S9)."""
    parsed, parts = _parsed(template), path.split("/")
    if len(parts) != len(parsed.segments):
        return None
    known: dict[str, str] = {}
    for segment in parsed.segments:
        if not _fits(_filled(segment, known) if segment.repeats else segment, parts[segment.at], known):
            return None
    if "." in known.values() or ".." in known.values():
        return None
    return {name: known[name] for name in parsed.names}


def _filled(segment: _Segment, known: Mapping[str, str]) -> _Segment:
    """The segment with the names that are known already as plain text."""
    texts, unknown = [segment.texts[0]], []
    for name, text in zip(segment.names, segment.texts[1:], strict=True):
        if name in known:
            texts[-1] += known[name] + text
        else:
            unknown.append(name)
            texts.append(text)
    return _Segment(segment.at, tuple(texts), tuple(unknown), repeats=False)


def _fits(segment: _Segment, part: str, known: dict[str, str]) -> bool:
    """Whether the part fits; `known` gets what it captures: the first name as much as it can, then the second ...

    From the right, each text is where it stands last: what is left of it is the longest, and there is nothing to try
    again. A regular expression for the same takes minutes for a part that somebody made up to fit almost."""
    _, texts, captured, _ = segment
    if not captured:
        return part == texts[0]
    start, end = len(texts[0]), len(part) - len(texts[-1])
    if end <= start or not part.startswith(texts[0]) or not part.endswith(texts[-1]):
        return False
    for name, text in zip(captured[:0:-1], texts[-2:0:-1], strict=True):
        at = part.rfind(text, start + 1, end - 1)
        if at < 0 or known.setdefault(name, part[at + len(text) : end]) != part[at + len(text) : end]:
            return False
        end = at
    return known.setdefault(captured[0], part[start:end]) == part[start:end]


def is_utf8(text: str) -> bool:
    """Whether a path, or what was captured from it, is UTF-8 in Git: of one that is not, bytes come as lone surrogates
    (PEP 383), and no forge nor Redis can be told of it."""
    return text.isprintable() or not any("\ud800" <= sign <= "\udfff" for sign in text)


def selected(where: Mapping[str, tuple[str, ...]], captured: Mapping[str, str]) -> bool:
    """Whether the captured names satisfy a stage's `where`: each named key has one of the wanted values."""
    return all(captured.get(key) in wanted for key, wanted in where.items())
