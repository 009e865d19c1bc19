"""YAML or JSON as mappings, lists and texts, each text with the place where it stands; read within limits."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from bot.yaml import (
    PARSER,
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Unreadable,
    stream,
)

MOST_EVENTS = 100_000
"""Of one document."""

_SEAM = re.compile(r"^(?=---(?:\s|$))", re.MULTILINE)
_PROPERTIES = re.compile(r"(?:[&!]\S{0,300}\s{1,300}){0,2}(?:[|>][^\n]{0,300}\n)?")
"""What libyaml counts to a scalar that is not its content: an anchor, a tag, the first line of a block."""


_TAGS = {"!vault", "!secret", "!Ref", "!Sub"}
"""Tags by which a value is a reference; they stay before it, other tags are not heeded."""


class Leaf(str):
    """A scalar's text, whatever its type, and where its content begins and ends."""

    __slots__ = ("end", "start")
    start: int
    end: int


@dataclass(slots=True)
class _Open:
    """A collection that is being read; `key` is the mapping's key whose value comes next."""

    value: dict[str, object] | list[object]
    anchor: str | None = None
    key: str | None = None


@dataclass(slots=True)
class _Reader:
    """One document under way; its value is the one item of the outermost list."""

    text: str
    above: int
    stack: list[_Open] = field(default_factory=lambda: [_Open([])])
    anchors: dict[str, object] = field(default_factory=dict)

    def place(self, value: object, anchor: str | None = None) -> None:
        """Put a value where the walk stands. What is written twice, or is a key of many parts, is kept beside."""
        if anchor:
            self.anchors[anchor] = value
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
        elif top.key is None and isinstance(value, str):
            top.key = value
        elif top.key is None:
            top.key, top.value[f"? {len(top.value)}"] = "?", value
        else:
            key, top.key = top.key, None
            top.value[f"{key} {len(top.value)}" if key in top.value else key] = value

    def leaf(self, event: ScalarEvent) -> Leaf:
        """The scalar, without quotes and what stands before them."""
        start, end = event.start_mark.index, event.end_mark.index
        if event.anchor or event.tag or event.style in {"|", ">"}:
            found = _PROPERTIES.match(self.text, start, end)
            start = found.end() if found else start
        if event.style in {'"', "'"}:
            start, end = start + 1, end - 1
        leaf = Leaf(f"{event.tag} {event.value}" if event.tag in _TAGS else event.value)
        leaf.start, leaf.end = self.above + start, self.above + max(start, end)
        return leaf


def trees(text: str) -> Iterator[object]:
    """The documents of a text: dict, list and Leaf; aliases give the very same value again.

    Those that are no YAML or go beyond the limits are left out; nothing raises."""
    pieces = _SEAM.split(text)
    for piece, above in zip(pieces, accumulate(map(len, pieces), initial=0), strict=False):
        try:
            yield from _read(piece, above)
        except (Unreadable, ValueError):  # half a surrogate cannot be encoded for libyaml
            continue


def _read(text: str, above: int) -> Iterator[object]:
    reader = _Reader(text, above)
    for event in stream(text, deque(maxlen=0), PARSER, MOST_EVENTS):
        match event:
            case DocumentStartEvent():
                reader = _Reader(text, above)
            case DocumentEndEvent():
                yield reader.stack[0].value
            case _:
                _take(reader, event)


def _take(reader: _Reader, event: Event) -> None:
    match event:
        case ScalarEvent():
            reader.place(reader.leaf(event), event.anchor)
        case MappingStartEvent():
            reader.stack.append(_Open({}, event.anchor))
        case SequenceStartEvent():
            reader.stack.append(_Open([], event.anchor))
        case MappingEndEvent() | SequenceEndEvent():
            ended = reader.stack.pop()
            reader.place(ended.value, ended.anchor)
        case AliasEvent():
            reader.place(reader.anchors.get(event.anchor, ""))
        case _:
            pass
