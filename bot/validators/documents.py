"""What a renderer prints, as plain values: a stream of YAML documents, read within limits."""

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from bot.yaml import (
    DEEPEST,
    PARSER,
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    Parser,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Unreadable,
    decode,
    parse_in_python,
    plain,
    stream,
)

MOST_BYTES = 16 * 1024 * 1024
MOST_EVENTS = 1_000_000
MOST_NODES = 1_000_000
"""Values of all documents together, each counted as often as an alias repeats it."""
MOST_SLOWLY = 256 * 1024
"""Bytes of one stream that the parser in Python may read: some twelve seconds of it."""

_SEAM = re.compile(r"^(?=---(?:\s|$))", re.MULTILINE)
"""Where a document begins, whatever stands around it (YAML 1.2, 9.1.2)."""
_STRICT = ("found unexpected ':'", "did not find expected node content")
"""What libyaml says of a plain text with a colon in braces."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a stream."""

    value: object
    line: int
    """Where it begins, counted from 1."""
    repeated: tuple[tuple[str, int], ...]
    """Keys that a mapping holds twice, each with its line; the last one counts, as for Kubernetes."""
    nodes: int
    """Values within it, each counted as often as an alias repeats it."""


class _Built(NamedTuple):
    """A value with what whoever walks it has to walk."""

    value: object
    nodes: int = 1
    height: int = 0


@dataclass(slots=True)
class _Open:
    """A collection that is being built; `key` is the mapping's key whose value comes next."""

    value: dict[str, object] | list[object]
    anchor: str | None
    key: str | None = None
    nodes: int = 1
    height: int = 1

    def built(self) -> _Built:
        return _Built(self.value, self.nodes, self.height)


@dataclass(slots=True)
class _Composer:
    """One document under way."""

    line: int
    value: object = None
    nodes: int = 0
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Built] = field(default_factory=dict)
    repeated: list[tuple[str, int]] = field(default_factory=list)

    def place(self, built: _Built, line: int) -> None:
        """Put a value where the walk stands: a key where a mapping waits for one."""
        if not self.stack:
            self.value, self.nodes = built.value, built.nodes
            return
        top = self.stack[-1]
        top.nodes += built.nodes
        top.height = max(top.height, built.height + 1)
        if isinstance(top.value, list):
            top.value.append(built.value)
        elif top.key is None:
            raise Unreadable("a key must be a plain word", line)
        else:
            top.value[top.key], top.key = built.value, None

    def scalar(self, event: ScalarEvent) -> None:
        """A key where the walk waits for one, else a value."""
        line: int = event.start_mark.line + 1
        built = _Built(event.value if self._waits_for_key() else plain(event))
        if event.anchor:
            self.anchors[event.anchor] = built
        self._key_or_value(built, line)

    def alias(self, event: AliasEvent) -> None:
        """What the anchor stands for: the very same value, counted again, so that no bomb is ever walked."""
        line: int = event.start_mark.line + 1
        built = self.anchors.get(event.anchor)
        if built is None:
            raise Unreadable(f"the alias *{event.anchor} stands for nothing", line)
        if len(self.stack) + built.height > DEEPEST:
            raise Unreadable(f"it is nested more than {DEEPEST} levels deep", line)
        self._key_or_value(built, line)
        if self.stack and self.stack[-1].nodes > MOST_NODES:
            raise Unreadable(f"aliases make it more than {MOST_NODES:,} values", line)

    def start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        """A mapping or sequence; it is placed when it ends, for only then its size is known."""
        if self._waits_for_key():
            raise Unreadable("a key must be a plain word", event.start_mark.line + 1)
        value: dict[str, object] | list[object] = {} if isinstance(event, MappingStartEvent) else []
        self.stack.append(_Open(value, event.anchor))

    def end(self, event: Event) -> None:
        """The end of a mapping or sequence."""
        ended = self.stack.pop()
        if ended.anchor:
            self.anchors[ended.anchor] = ended.built()
        self.place(ended.built(), event.start_mark.line + 1)

    def _waits_for_key(self) -> bool:
        return bool(self.stack) and isinstance(self.stack[-1].value, dict) and self.stack[-1].key is None

    def _key_or_value(self, built: _Built, line: int) -> None:
        if not self._waits_for_key():
            self.place(built, line)
            return
        top = self.stack[-1]
        if isinstance(built.value, dict | list):
            raise Unreadable("a key must be a plain word", line)
        top.key = str(built.value)
        if top.key in top.value:
            self.repeated.append((top.key, line))


def documents(raw: bytes, slowly: int = MOST_SLOWLY) -> Iterator[Document]:
    """The documents of a stream as plain values, empty ones too; keys are text, tags are not heeded.

    Aliases give the very same value again, so that no bomb expands; all that walking the values would visit is counted.
    Merge keys (`<<`) stay as they are written. libyaml takes `[http://x]` for an error, which YAML 1.2 allows (7.3.3)
    and charts write: documents that it refuses so are read by the parser in Python, `slowly` bytes of them in all.
    Unreadable for what is no YAML or goes beyond the limits."""
    line, nodes = 0, 0
    for piece in _SEAM.split(decode(raw, MOST_BYTES).text):
        read, slowly = _documents(piece, line, slowly)
        for found in read:
            nodes += found.nodes
            if nodes > MOST_NODES:
                raise Unreadable(f"it holds more than {MOST_NODES:,} values", found.line)
            yield found
        line += piece.count("\n")


def _documents(text: str, above: int, slowly: int) -> tuple[list[Document], int]:
    """The documents of a text that stands below so many lines, and how much may still be read slowly afterwards."""
    try:
        found, slowly = _parsed(text, slowly)
    except Unreadable as error:
        raise Unreadable(error.reason, None if error.line is None else error.line + above) from error
    moved = [
        replace(one, line=one.line + above, repeated=tuple((key, line + above) for key, line in one.repeated))
        for one in found
    ]
    return moved, slowly


def _parsed(text: str, slowly: int) -> tuple[list[Document], int]:
    try:
        return [*_composed(text, PARSER)], slowly
    except Unreadable as error:
        left = slowly - len(text.encode())
        if left < 0 or not any(said in error.reason for said in _STRICT):
            raise
        return [*_composed(text, parse_in_python)], left


def _composed(text: str, parser: Parser) -> Iterator[Document]:
    composer = _Composer(1)
    for event in stream(text, deque(maxlen=0), parser, MOST_EVENTS):
        match event:
            case ScalarEvent():
                composer.scalar(event)
            case MappingStartEvent() | SequenceStartEvent():
                composer.start(event)
            case MappingEndEvent() | SequenceEndEvent():
                composer.end(event)
            case AliasEvent():
                composer.alias(event)
            case DocumentStartEvent():
                composer = _Composer(event.start_mark.line + 1)
            case DocumentEndEvent():
                yield Document(composer.value, composer.line, tuple(composer.repeated), composer.nodes)
            case _:
                pass
