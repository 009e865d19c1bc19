"""Values files as Helm reads and merges them: aliases and merge keys replaced, the strongest file last."""

import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.validators.wellformed import DUPLICATE, problems
from bot.yaml import (
    AliasEvent,
    Document,
    DocumentEndEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    Path,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Unreadable,
    decode,
    plain,
    stream,
)

Values = dict[str, object]

_TRUE = re.compile(r"[yY]|yes|Yes|YES|on|On|ON")
_FALSE = re.compile(r"[nN]|no|No|NO|off|Off|OFF")
_GROUPED = re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*")
_LONGEST_NUMBER = 300

_Standing = ScalarEvent | AliasEvent | MappingStartEvent | SequenceStartEvent
"""An event that is a node, or begins one."""


class _Merge(NamedTuple):
    """What stands as a key where a merge key (`<<`) is written."""


_Key = str | _Merge
_MERGE = _Merge()


@dataclass(slots=True)
class _Open:
    """A collection that is being read; `key` is the mapping's key whose value comes next."""

    path: Path
    value: Values | list[object]
    key: _Key | None = None
    merged: list[object] = field(default_factory=list)
    """What merge keys name: mappings, or lists of them, which may be filled only later."""


@dataclass(slots=True)
class _Reader:
    roots: list[object] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, object] = field(default_factory=dict)

    def step(self, event: Event) -> None:
        """Take in one event of the first document."""
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent | SequenceStartEvent):
            value: Values | list[object] = {} if isinstance(event, MappingStartEvent) else []
            self.stack.append(_Open(self._put(event, value), value))
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            _merge_in(self.stack.pop())
        elif isinstance(event, AliasEvent):
            self._alias(event)

    def _scalar(self, event: ScalarEvent) -> None:
        if event.anchor:
            self.anchors[event.anchor] = _Text(event)
        if self._wants_key():
            self._note_key(event, event)
        else:
            self._put(event, scalar(event))

    def _alias(self, event: AliasEvent) -> None:
        known = self.anchors.get(event.anchor)
        if self._wants_key():
            self._note_key(event, known.event if isinstance(known, _Text) else None)
        else:
            self._put(event, scalar(known.event) if isinstance(known, _Text) else known)

    def _wants_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _note_key(self, event: Event, key: ScalarEvent | None) -> None:
        if key is None:
            raise Unreadable("a key must be a plain word", _line(event))
        top = self.stack[-1]
        if key.value == "<<" and not key.style:
            top.key = _MERGE
        else:
            top.key = str(key.value)
            self.lines[(*top.path, top.key)] = _line(event)

    def _put(self, event: _Standing, value: object) -> Path:
        """Put a value where the walk stands, and say where that is."""
        if event.anchor and not isinstance(event, AliasEvent | ScalarEvent):
            self.anchors[event.anchor] = value
        if not self.stack:
            self.roots.append(value)
            self.lines[()] = _line(event)
            return ()
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            path = (*top.path, len(top.value) - 1)
            self.lines[path] = _line(event)
            return path
        if top.key is None:
            raise Unreadable("a key must be a plain word", _line(event))
        return _put_key(top, top.key, value)


class _Text(NamedTuple):
    """An anchored scalar."""

    event: ScalarEvent


def _put_key(top: _Open, key: _Key, value: object) -> Path:
    top.key = None
    if isinstance(key, _Merge):
        top.merged.append(value)
        return (*top.path, "<<")
    if isinstance(top.value, dict):
        top.value[key] = value
    return (*top.path, key)


def _merge_in(done: _Open) -> None:
    """Its own keys win, and the earlier of several mappings (yaml.org/type/merge.html)."""
    others = (other for named in done.merged for other in (named if isinstance(named, list) else [named]))
    for other in others:
        if isinstance(done.value, dict) and isinstance(other, dict):
            for key, value in other.items():
                done.value.setdefault(key, value)


def scalar(event: ScalarEvent) -> object:
    """A scalar's value as Helm has it: YAML 1.2's core schema, and of 1.1 the words for true and false, and `1_000`.

    Helm reads by sigs.k8s.io/yaml, which is go-yaml 2.4; that knows both versions at once."""
    text = str(event.value)
    if event.style or event.tag is not None:
        return plain(event)
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if len(text) <= _LONGEST_NUMBER and _GROUPED.fullmatch(text):
        return int(text.replace("_", ""))
    return plain(event)


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def read(raw: bytes) -> Document:
    """The first document of a file; None as its value where it is empty. What an alias stands for is not copied.

    Unreadable for all that `wellformed` finds, but for keys that stand twice: there the last counts."""
    for problem in problems(raw):
        if problem.rule != DUPLICATE:
            raise Unreadable(problem.message, problem.line)
    reader = _Reader()
    for event in stream(decode(raw).text, deque(maxlen=0)):
        if isinstance(event, DocumentEndEvent):
            break
        reader.step(event)
    return Document(reader.roots[0] if reader.roots else None, reader.lines)


def line_in(document: Document, place: Path) -> int | None:
    """The line of a key, or of the nearest above it; None where not even its first segment is there."""
    return document.line_of(place) if place[:1] in document.lines and place else None


def over(weaker: Mapping[str, object], stronger: Mapping[str, object]) -> Values:
    """Two values files as `helm -f weaker -f stronger` merges them: mappings deep, all else replaced, null too."""
    both = {**weaker, **stronger}
    for key in weaker.keys() & stronger.keys():
        below, above = weaker[key], stronger[key]
        if isinstance(below, dict) and isinstance(above, dict):
            both[key] = over(below, above)
    return both


def coalesced(chart: Mapping[str, object], given: Mapping[str, object]) -> Values:
    """A chart's values with those given to it: as `over`, but null takes a key away that the chart has.

    The rule is `CoalesceTables` of helm.sh/helm/pkg/chartutil."""
    both = {**chart, **given}
    for key in chart.keys() & given.keys():
        below, above = chart[key], given[key]
        if above is None:
            del both[key]
        elif isinstance(below, dict) and isinstance(above, dict):
            both[key] = coalesced(below, above)
    return both


def stacked(files: Iterable[Mapping[str, object]]) -> Values:
    """Several values files, the weakest first."""
    found: Values = {}
    for one in files:
        found = over(found, one)
    return found
