"""Where the keys stand that a format looks for: one walk over the events of a text, without recursion."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from bot.formats.refusals import Reason, Refused
from bot.yaml import (
    PARSER,
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    Parser,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Shape,
    Text,
    Unreadable,
    decode,
    stream,
)

BLANK = {"", "~", "null", "Null", "NULL"}


@dataclass(slots=True)
class Anchors:
    """The anchors of one document: the values of anchored scalars, and which anchors an alias follows."""

    scalars: dict[str, ScalarEvent] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)


class Entry(NamedTuple):
    """A key of a mapping with its value: a scalar, an alias, or the event that starts a mapping or sequence.

    Marks count code points of the text, lines and columns from 0."""

    key: ScalarEvent
    value: Event
    number: int
    """Which event the value is, or starts with; a scalar value's key is the one before."""
    scalar: ScalarEvent | None
    """The value, or the anchored scalar that it is an alias of."""

    @property
    def text(self) -> str:
        """The scalar's value; empty where it is null or no scalar."""
        scalar = self.scalar
        return "" if scalar is None or (not scalar.style and scalar.value in BLANK) else str(scalar.value)

    @property
    def line(self) -> int:
        """The 1-based line of the value; an empty value's is its key's."""
        scalar = self.scalar
        empty = scalar is not None and not scalar.style and not scalar.value
        return int((self.key if empty else self.value).start_mark.line) + 1


class Place:
    """A mapping or sequence that the walk has come through, and what it says of the keys that were looked for."""

    __slots__ = ("aliased", "anchors", "as_key", "entries", "key", "keys", "name", "parent", "repeated", "start")

    def __init__(self, parent: "Place | None", start: Event, anchors: Anchors, as_key: bool = False) -> None:
        self.parent = parent
        self.start = start
        self.anchors = anchors
        self.as_key = as_key
        key = parent.key if parent is not None else None
        self.name: str | None = key.value if type(key) is ScalarEvent and not as_key else None
        """The key of the parent mapping that this stands under."""
        self.key: Event | None = None
        self.keys: set[str] | None = set() if type(start) is MappingStartEvent else None
        self.entries: dict[str, Entry] = {}
        self.repeated: dict[str, int] = {}
        """Keys that are written twice, with the 1-based line of the last."""
        self.aliased: dict[str, int] = {}
        """Keys that are written as an alias, with their 1-based lines."""

    @property
    def line(self) -> int:
        """The 1-based line where it starts."""
        return int(self.start.start_mark.line) + 1

    @property
    def flow(self) -> bool:
        """Whether it is written in braces."""
        return bool(isinstance(self.start, MappingStartEvent) and self.start.flow_style)

    def way_up(self) -> Iterator["Place"]:
        """Itself and all that it stands in, but for the document."""
        place: Place | None = self
        while place is not None and place.parent is not None:
            yield place
            place = place.parent

    @property
    def is_root(self) -> bool:
        """Whether it is the whole of a document."""
        return self.parent is not None and self.parent.parent is None


class Source(NamedTuple):
    """A text that was walked: the shape of every event, and the mappings that hold a key that was looked for."""

    text: Text
    shapes: list[Shape]
    found: tuple[Place, ...]
    parser: Parser


def locate(raw: bytes, wanted: Collection[str], parser: Parser = PARSER) -> Source:
    """Walk a file; Refused where it cannot be read."""
    shapes: list[Shape] = []
    try:
        text = decode(raw)
        found = tuple(_walk(stream(text.text, shapes, parser), frozenset(wanted)))
    except Unreadable as error:
        raise Refused(Reason.unreadable, error.line, error.reason) from error
    return Source(text, shapes, found, parser)


def _walk(events: Iterator[Event], wanted: frozenset[str]) -> list[Place]:
    """The loop runs once for each event of every values file, so it does the commonest itself."""
    found: list[Place] = []
    top = Place(None, Event(), Anchors())
    for number, event in enumerate(events):
        if type(event) is ScalarEvent or type(event) is AliasEvent:
            if event.anchor:
                _note_anchor(top.anchors, event)
            if top.keys is None:
                continue  # an item, or the whole document
            key = top.key
            if key is None:
                top.key = _note_key(top, top.keys, event)
            else:
                if type(key) is ScalarEvent and key.value in wanted:
                    _note_entry(top, key, event, number)
                top.key = None
        elif type(event) is MappingStartEvent or type(event) is SequenceStartEvent:
            top = _enter(top, event, number, wanted)
        elif type(event) is MappingEndEvent or type(event) is SequenceEndEvent:
            top = _leave(top, found)
        elif type(event) is DocumentStartEvent:
            top = Place(None, event, Anchors())
    return found


def _enter(top: Place, event: MappingStartEvent | SequenceStartEvent, number: int, wanted: frozenset[str]) -> Place:
    if event.anchor:
        top.anchors.scalars.pop(event.anchor, None)  # the same anchor may be given again
    as_key = top.keys is not None and top.key is None
    key = top.key
    if type(key) is ScalarEvent and key.value in wanted:
        _note_entry(top, key, event, number)
    return Place(top, event, top.anchors, as_key)


def _leave(top: Place, found: list[Place]) -> Place:
    if top.entries:
        found.append(top)
    parent = top.parent or top  # every start has its end, so the document itself is never left
    parent.key = top.start if top.as_key else None
    top.key = top.keys = None
    return parent


def _note_anchor(anchors: Anchors, event: ScalarEvent | AliasEvent) -> None:
    if type(event) is ScalarEvent:
        anchors.scalars[event.anchor] = event
    else:
        anchors.followed.add(event.anchor)


def _note_key(top: Place, keys: set[str], event: ScalarEvent | AliasEvent) -> Event:
    """Remember that a mapping has a key, and give the scalar that it is, be it by an alias."""
    scalar = event if type(event) is ScalarEvent else top.anchors.scalars.get(event.anchor)
    if scalar is None:
        return event
    if scalar is not event:
        top.aliased[scalar.value] = event.start_mark.line + 1
    if scalar.value in keys:
        top.repeated[scalar.value] = event.start_mark.line + 1
    else:
        keys.add(scalar.value)
    return scalar


def _note_entry(top: Place, key: ScalarEvent, value: Event, number: int) -> None:
    scalar = top.anchors.scalars.get(value.anchor) if type(value) is AliasEvent else value
    top.entries[key.value] = Entry(key, value, number, scalar if type(scalar) is ScalarEvent else None)
