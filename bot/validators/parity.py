"""`parity`: what else differs between a service's files in the stage before and in this one."""

import json
from collections.abc import Iterator, Mapping, Sequence

from bot.validators.base import Bench, Change, Part, Skipped, Target, Told, Validator, target_parts
from bot.validators.redaction import line, redacted
from bot.validators.values import line_in, read
from bot.yaml import Document, Path, Unreadable
from policies import layout
from policies.findings import Finding

NAME = "parity"
MOST = 20
"""Keys that are told."""
LONGEST = 80
"""Letters of a value that are shown."""
_IMAGE = {"registry", "repository", "tag", "digest"}
ABSENT = "nothing"
_SEVERAL = "**"


def parts(change: Change) -> Iterator[Part]:
    """A part for each touched target that has a file in the stage before."""
    for part in target_parts(change):
        nearest = None if part.target is None else upstream(change, part.target)
        if nearest is not None and change.after.id(part.subject) is not None:
            after = (change.after.id(path) or "-" for path in (part.subject, nearest))
            yield Part(part.subject, (part.subject, nearest, *after), part.target)


def upstream(change: Change, target: Target) -> str | None:
    """The file of the stage before whose path captured most of what this one's did; the first of several."""

    def agrees(path: str) -> int:
        captured = layout.capture(change.services.path, path) or {}
        return sum(target.names.get(name) == value for name, value in captured.items())

    there = [path for path in sorted(target.upstream) if change.after.id(path) is not None and path != target.path]
    return max(there, key=agrees, default=None)


def check(change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001 # as all are called
    """A finding for each key that differs, and one that counts those beyond the first twenty."""
    nearest = None if part.target is None else upstream(change, part.target)
    if part.target is None or nearest is None:
        raise Skipped("the stage before has no file of this service")
    here, there = _read(change, part.target.path), _read(change, nearest)
    allowed = [tuple(one.split(".")) for one in change.rules.checks.parity.differ]
    images = _images(here, {pin.line for pin in part.target.pins})
    found = [
        (place, mine, theirs)
        for place, mine, theirs in _differences(here.value, there.value)
        if not (place[:-1] in images and place[-1] in _IMAGE) and not any(covers(one, place) for one in allowed)
    ]
    stage = _called(change, part.target, nearest)
    told = [_finding(part.target.path, here, stage, one) for one in found[:MOST]]
    if len(found) > MOST:
        told.append(Finding(f"and {len(found) - MOST} more keys differ", path=part.target.path, rule="differs"))
    return Told(tuple(told))


def _called(change: Change, target: Target, nearest: str) -> str:
    """The file of the stage before by what alone tells it from this one: the same for each cluster.

    So a difference that is the same in forty clusters is one finding."""
    captured = layout.capture(change.services.path, nearest) or {}
    names = [value for name, value in captured.items() if target.names.get(name) != value]
    return line(", ".join(names)) or "the stage before"


def _read(change: Change, path: str) -> Document:
    try:
        return read(change.after.read(path) or b"")
    except Unreadable as error:
        raise Skipped(f"{path} cannot be read: {error}") from error


def _images(here: Document, lines: set[int]) -> set[Path]:
    """The places of the mappings that pin images."""
    return {place[:-1] for place, number in here.lines.items() if place[-1:] == ("repository",) and number in lines}


def covers(pattern: Sequence[str], place: Path) -> bool:
    """Whether a pattern's segments are those of a key: `*` stands for one of any name, `**` for any number."""
    reached = {0}
    for step in (str(one) for one in place):
        reached = _past_several(pattern, reached)
        reached = {at + (pattern[at] != _SEVERAL) for at in reached if at < len(pattern) and _fits(pattern[at], step)}
    return len(pattern) in _past_several(pattern, reached)


def _past_several(pattern: Sequence[str], reached: set[int]) -> set[int]:
    found = set(reached)
    for at in range(len(pattern)):
        if at in found and pattern[at] == _SEVERAL:
            found.add(at + 1)
    return found


def _fits(segment: str, step: str) -> bool:
    return segment in {"*", _SEVERAL, step}


_Difference = tuple[Path, str | None, str | None]
"""A key, and its values as JSON; None where it is not there."""


def _differences(here: object, there: object) -> Iterator[_Difference]:
    mine, theirs = dict(_leaves(here)), dict(_leaves(there))
    for place in dict.fromkeys((*mine, *theirs)):
        if mine.get(place) != theirs.get(place):
            yield place, mine.get(place), theirs.get(place)


def _leaves(value: object, place: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every value that is no mapping, or an empty one; a list is one value, for its items have no names."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*place, key))
    elif place:
        yield place, json.dumps(value, sort_keys=True)


def _finding(path: str, here: Document, stage: str, found: _Difference) -> Finding:
    place, mine, theirs = found
    key = line(".".join(map(str, place)))
    message = f"{key}: here {_shown(place, mine)}, in {stage} {_shown(place, theirs)}"
    return Finding(message[:500], path=path, line=line_in(here, place), rule="differs")


def _shown(place: Path, value: str | None) -> str:
    """A value as it may be shown (S10): whether it is secret is told by the names above it."""
    if value is None:
        return ABSENT
    whole: object = json.loads(value)
    for step in reversed(place):
        whole = {step: whole}
    told = redacted(whole)
    while isinstance(told, Mapping) and len(told) == 1 and place:
        told, place = next(iter(told.values())), place[1:]
    text = json.dumps(told, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


VALIDATOR = Validator(NAME, "what else differs from the stage before", parts, check)
