"""YAML as events with positions and limits; nobody else imports a YAML library.

Everything here walks parser events one at a time, without recursion and without following aliases: the C parser's own
composer crashes on deep input, and neither a merge bomb nor an alias bomb expands here. Values are built in
`parse_document`, for small files of our own, and `bot/validators/objects.py`, for what renderers print.
"""

import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from itertools import chain, islice
from typing import NamedTuple, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

try:
    from _ruamel_yaml import CParser  # type: ignore[import-not-found] # it is built from C and ships no types
except ImportError:  # pragma: no cover # where no wheel of ruamel.yaml.clib fits
    CParser = None

__all__ = [
    "PARSER",
    "AliasEvent",
    "Document",
    "DocumentEndEvent",
    "DocumentStartEvent",
    "Event",
    "MappingEndEvent",
    "MappingStartEvent",
    "Parser",
    "Path",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "Shape",
    "Text",
    "Unreadable",
    "bare",
    "decode",
    "dump",
    "parse_document",
    "parse_in_c",
    "parse_in_python",
    "plain",
    "same",
    "scalar_shape",
    "stream",
]

MOST_BYTES = 4 * 1024 * 1024
MOST_BYTES_PURE = 512 * 1024
"""For the parser in Python, which is some thirty times slower."""
MOST_EVENTS = 250_000
DEEPEST = 100
BOM = "\ufeff"
_CONTROL = bytes([*range(9), 11, 12, *range(14, 32), 127])

_Told: TypeAlias = tuple[str, str, str, str, str]
Shape: TypeAlias = str | _Told
"""What an event says, wherever it stands: kind, value, style, anchor, tag; a bare scalar is its value alone.

Bare means plain, without anchor and tag, as most scalars of a values file are: it saves a tuple for each."""

Parser: TypeAlias = Callable[[str], Iterator[Event]]
"""Text to events."""


class Unreadable(Exception):
    """Text that is no YAML within the limits; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


class Text(NamedTuple):
    """A decoded file without its byte order mark, and the mark."""

    text: str
    mark: str

    def encoded(self, text: str) -> bytes:
        """The bytes of another text, with the byte order mark that this one had."""
        return (self.mark + text).encode()


def decode(raw: bytes, most: int = MOST_BYTES) -> Text:
    """The text of a file; Unreadable where it is larger than `most` bytes, no UTF-8, or holds control characters."""
    if len(raw) > most:
        raise Unreadable(f"the file is larger than {most // 1024 // 1024} MiB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the file is not UTF-8", raw.count(b"\n", 0, error.start) + 1) from error
    kept = raw.translate(None, _CONTROL)
    if len(kept) != len(raw):
        first = next(place for place, byte in enumerate(raw) if byte in _CONTROL)
        raise Unreadable("the file holds a control character", raw.count(b"\n", 0, first) + 1)
    return Text(text.removeprefix(BOM), BOM if text.startswith(BOM) else "")


# Events.


def parse_in_c(text: str) -> Iterator[Event]:
    """Events from libyaml."""
    return iter(CParser(text).get_event, None)


def parse_in_python(text: str) -> Iterator[Event]:
    """Events from the parser in Python; Unreadable for a text larger than 512 KiB."""
    if len(text.encode()) > MOST_BYTES_PURE:
        raise Unreadable(f"the file is larger than {MOST_BYTES_PURE // 1024} KiB, the most without the parser in C")
    events: Iterator[Event] = YAML(typ="safe", pure=True).parse(text)
    return events


PARSER: Parser = parse_in_python if CParser is None else parse_in_c
"""The fastest that is installed."""


def stream(
    text: str, shapes: list[Shape] | deque[Shape], parser: Parser = PARSER, most: int = MOST_EVENTS
) -> Iterator[Event]:
    """The events of a text, `most` at most, one at a time, each one's shape put on `shapes` before it is handed out.

    Limits are checked on the way, so that hostile input is left as soon as it shows itself. Unreadable for what is no
    YAML or goes beyond them. Whoever wants no shapes gives a `deque` that holds none."""
    depth = 0
    events = parser(text)
    try:
        for event in islice(events, most):
            if type(event) is ScalarEvent:
                bare = not (event.style or event.anchor or event.ctag)
                shapes.append(event.value if bare else shape_of(event))
            elif type(event) in _ENDS:
                depth -= 1
                shapes.append(_ENDS[type(event)])
            else:
                shapes.append(shape_of(event))
                depth += type(event) in _STARTS
                if depth > DEEPEST:
                    raise Unreadable(f"the file is nested more than {DEEPEST} levels deep", event.start_mark.line + 1)
            yield event
        beyond = next(events, None)
        if beyond is not None:
            raise Unreadable(f"the file has more than {most:,} YAML events", beyond.start_mark.line + 1)
    except (YAMLError, ValueError) as error:  # the parser in Python raises ValueError for some bad escapes and versions
        raise _unreadable(error) from error


_STARTS: dict[type[Event], tuple[_Told, _Told]] = {
    MappingStartEvent: (("mapping", "", "", "", ""), ("mapping", "", "flow", "", "")),
    SequenceStartEvent: (("sequence", "", "", "", ""), ("sequence", "", "flow", "", "")),
}
_ENDS: dict[type[Event], _Told] = {
    MappingEndEvent: ("mapping ends", "", "", "", ""),
    SequenceEndEvent: ("sequence ends", "", "", "", ""),
}


def shape_of(event: Event) -> Shape:
    """The shape of one event."""
    if type(event) is MappingStartEvent or type(event) is SequenceStartEvent:
        bare = _STARTS[type(event)][bool(event.flow_style)]
        return (*bare[:3], event.anchor or "", event.tag or "") if event.anchor or event.ctag else bare
    if isinstance(event, ScalarEvent):
        return scalar_shape(event.value, event.style or "", event.anchor or "", event.tag or "")
    if isinstance(event, AliasEvent):
        return ("alias", event.anchor, "", "", "")
    if isinstance(event, DocumentStartEvent):
        return ("document", f"{event.version} {event.tags}", "---" if event.explicit else "", "", "")
    if isinstance(event, DocumentEndEvent):
        return ("document ends", "", "..." if event.explicit else "", "", "")
    return (type(event).__name__, "", "", "", "")


def scalar_shape(value: str, style: str, anchor: str = "", tag: str = "") -> Shape:
    """The shape of a scalar."""
    return ("scalar", value, style, anchor, tag) if style or anchor or tag else value


def same(text: str, shapes: list[Shape], parser: Parser = PARSER) -> bool:
    """Whether the events of a text have exactly these shapes and are not too many; it stops at the first that differs.

    It needs no other limits: a text that is deeper than these shapes differs from them."""
    if len(shapes) > MOST_EVENTS:
        return False
    left = chain(shapes, [()])
    try:
        for event, shape in zip(parser(text), left, strict=False):
            if type(event) is ScalarEvent:
                bare = not (event.style or event.anchor or event.ctag)
                found = event.value if bare else shape_of(event)
            else:
                found = _ENDS.get(type(event)) or shape_of(event)
            if found != shape:
                return False
    except (YAMLError, ValueError, Unreadable):
        return False
    return next(left, None) == ()


def _unreadable(error: Exception) -> Unreadable:
    if not isinstance(error, MarkedYAMLError):
        return Unreadable(f"it is no YAML: {' '.join(str(error).split())}")
    mark = error.problem_mark or error.context_mark
    return Unreadable(f"it is no YAML: {error.problem or error.context}", None if mark is None else mark.line + 1)


# Plain values for small files of our own, such as towpath.yaml.

Path: TypeAlias = tuple[str | int, ...]
_STRINGS = {"", "!", "tag:yaml.org,2002:str"}
_NULL = re.compile(r"|~|null|Null|NULL")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BEYOND = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_LONGEST_NUMBER = 300


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: plain values, and the line of each."""

    value: object
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int | None:
        """The 1-based line of a key or item; of the nearest place above it where it is absent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


@dataclass(slots=True)
class _Open:
    """A collection that is being built; `key` is the mapping's key whose value comes next."""

    path: Path
    value: dict[str, object] | list[object]
    key: str | None = None


@dataclass(slots=True)
class _Builder:
    roots: list[object] = field(default_factory=list)
    lines: dict[Path, int] = field(default_factory=dict)
    stack: list[_Open] = field(default_factory=list)

    def place(self, event: Event, value: object) -> Path:
        """Put a value where the walk stands, and say where that is."""
        line = event.start_mark.line + 1
        if not self.stack:
            if self.roots:
                raise Unreadable("the file holds several documents", line)
            self.roots.append(value)
            return self.note((), line)
        top = self.stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            return self.note((*top.path, len(top.value) - 1), line)
        if top.key is None:
            raise Unreadable("a key must be a plain word", line)
        top.value[top.key] = value
        path, top.key = (*top.path, top.key), None
        return path

    def note(self, path: Path, line: int) -> Path:
        """Remember the line of a path."""
        self.lines[path] = line
        return path

    def scalar(self, event: ScalarEvent) -> None:
        """A key where the walk waits for one, else a value."""
        top = self.stack[-1] if self.stack else None
        if top is None or isinstance(top.value, list) or top.key is not None:
            self.place(event, _plain(event))
            return
        top.key, line = event.value, event.start_mark.line + 1
        if event.value in top.value:
            raise Unreadable(f"the key {event.value} is written twice", line)
        self.note((*top.path, event.value), line)


def parse_document(raw: bytes, parser: Parser = PARSER, most: int = MOST_EVENTS) -> Document:
    """The one document of a file as plain values by YAML 1.2's core schema; dates stay text.

    `most` events are read. Keys are text as written. Repeated keys, aliases (whoever walks the values would expand
    them), YAML tags and a second document are Unreadable, each with its line."""
    builder = _Builder()
    for event in stream(decode(raw).text, [], parser, most):
        match event:
            case ScalarEvent():
                builder.scalar(event)
            case MappingStartEvent() | SequenceStartEvent():
                _no_tag(event)
                value: dict[str, object] | list[object] = {} if isinstance(event, MappingStartEvent) else []
                builder.stack.append(_Open(builder.place(event, value), value))
            case MappingEndEvent() | SequenceEndEvent():
                builder.stack.pop()
            case AliasEvent():
                raise Unreadable(f"the alias *{event.anchor}: aliases are not used here", event.start_mark.line + 1)
            case _:
                pass
    if not builder.roots:
        raise Unreadable("the file is empty")
    return Document(builder.roots[0], builder.lines)


def _no_tag(event: ScalarEvent | MappingStartEvent | SequenceStartEvent) -> None:
    if event.tag is not None and event.tag not in _STRINGS:
        raise Unreadable(f"the YAML tag {event.tag} is not used here", event.start_mark.line + 1)


def _plain(event: ScalarEvent) -> object:
    _no_tag(event)
    return plain(event)


def plain(event: ScalarEvent) -> object:
    """The value of a scalar by YAML 1.2's core schema; text where it is quoted or tagged."""
    text: str = event.value
    return text if event.style or event.tag is not None else bare(text, event.start_mark.line + 1)


def bare(text: str, line: int | None = None) -> object:
    """What a text means where it stands without quotes; Unreadable for a number that is too long."""
    if _NULL.fullmatch(text):
        return None
    if _BOOL.fullmatch(text):
        return text.lower() == "true"
    return _number(text, line)


def _number(text: str, line: int | None) -> object:
    number = _INT.fullmatch(text) or _FLOAT.fullmatch(text)
    if number and len(text) > _LONGEST_NUMBER:  # int() refuses very long ones by a ValueError
        raise Unreadable("the number is too long; quote it where it is text", line)
    if _INT.fullmatch(text):
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    if _BEYOND.fullmatch(text):
        return float(text.lower().replace(".", ""))
    return float(text) if number else text


def dump(value: object) -> str:
    """Plain values as a document that `parse_document` reads back to the same, in block style and the given order."""
    found, writer = StringIO(), YAML(typ="rt", pure=True)
    writer.default_flow_style = False
    writer.width = 1000
    writer.dump(_quoted(value), found)
    return found.getvalue()


_PLAIN = re.compile(r"[\x20-\x7e\xa1-\u1fff\u2030-\ud7ff]*")


def _quoted(value: object) -> object:
    """The value with every text in double quotes in which anything but plain letters and signs could be lost."""
    match value:
        case str():
            return value if _PLAIN.fullmatch(value) else DoubleQuotedScalarString(value)
        case dict():
            return {_quoted(key): _quoted(inner) for key, inner in value.items()}
        case list():
            return [_quoted(inner) for inner in value]
        case _:
            return value
