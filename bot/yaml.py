"""YAML as events with positions and limits; nobody else imports a YAML library.

Trees are built from parser events without recursion and without resolving aliases: the C parser's own composer crashes on
deep input, and a merge bomb never expands here."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from _ruamel_yaml import CParser  # type: ignore[import-not-found]  # compiled, without stubs
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

Opening = AliasEvent | ScalarEvent | MappingStartEvent | SequenceStartEvent
"""The events that begin a node."""

MOST_BYTES = 4 * 1024 * 1024
MOST_EVENTS = 250_000
DEEPEST = 100
BOM = "\ufeff"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class Unreadable(Exception):
    """Text that is no YAML within the limits; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


@dataclass(slots=True)
class Node:
    """One node with where it stands: offsets count code points in the text, lines count from 1."""

    kind: str
    """`scalar`, `mapping`, `sequence` or `alias`."""
    start: int
    end: int
    line: int
    column: int
    value: str = ""
    style: str = ""
    """A scalar's `'`, `"`, `|`, `>` or empty for plain; `flow` for a flow collection."""
    anchor: str = ""
    tag: str = ""
    items: list["Node"] = field(default_factory=list)
    """A sequence's items; a mapping's keys and values in turn."""

    def pairs(self) -> Iterator[tuple["Node", "Node"]]:
        """A mapping's keys and values."""
        return zip(self.items[::2], self.items[1::2], strict=True)

    def get(self, key: str) -> "Node | None":
        """The value under a key, the last one where it is repeated."""
        return next((value for name, value in reversed(list(self.pairs())) if name.value == key), None)


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded file: its text without the byte order mark, and the mark."""

    text: str
    mark: str

    def encoded(self, text: str) -> bytes:
        """Another text in the same clothes."""
        return (self.mark + text).encode()


def decode(raw: bytes) -> Text:
    """The text of a file; Unreadable for what is too large, not UTF-8 or holds control characters."""
    if len(raw) > MOST_BYTES:
        raise Unreadable(f"the file is larger than {MOST_BYTES // 1024 // 1024} MiB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the file is not UTF-8", raw.count(b"\n", 0, error.start) + 1) from error
    mark = BOM if text.startswith(BOM) else ""
    plain = text.removeprefix(BOM)
    found = _CONTROL.search(plain)
    if found is not None:
        raise Unreadable("the file holds a control character", plain.count("\n", 0, found.start()) + 1)
    return Text(plain, mark)


def documents(text: str) -> list[Node]:
    """The root node of each document; Unreadable for what does not parse or goes beyond the limits."""
    roots: list[Node] = []
    open_: list[Node] = []
    count = 0
    for event in _events(text):
        count += 1
        if count > MOST_EVENTS:
            raise Unreadable(f"the file has more than {MOST_EVENTS:,} YAML events")
        node = _node(event)
        if node is not None:
            (open_[-1].items if open_ else roots).append(node)
            if node.kind in {"mapping", "sequence"}:
                open_.append(node)
                if len(open_) > DEEPEST:
                    raise Unreadable(f"the file is nested more than {DEEPEST} levels deep", node.line)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            open_.pop().end = event.end_mark.index
        elif isinstance(event, DocumentStartEvent) and open_:
            raise Unreadable("a document starts inside another")
    return roots


def _events(text: str) -> Iterator[object]:
    parser = CParser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or str(error)
        raise Unreadable(f"it is no YAML: {reason}", mark.line + 1 if mark is not None else None) from error


def _node(event: object) -> Node | None:
    match event:
        case ScalarEvent():
            return _at(event, "scalar", value=event.value, style=event.style or "")
        case MappingStartEvent():
            return _at(event, "mapping", style="flow" if event.flow_style else "")
        case SequenceStartEvent():
            return _at(event, "sequence", style="flow" if event.flow_style else "")
        case AliasEvent():
            return _at(event, "alias", value=event.anchor)
        case _:
            return None


def _at(event: Opening, kind: str, value: str = "", style: str = "") -> Node:
    start, end = event.start_mark, event.end_mark
    anchor = "" if isinstance(event, AliasEvent) else event.anchor or ""
    tag = "" if isinstance(event, AliasEvent) else event.tag or ""
    return Node(kind, start.index, end.index, start.line + 1, start.column, value, style, anchor, str(tag))


# Plain values for small files of our own, such as towpath.yaml.

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document: plain values, and the line of each."""

    value: object
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int | None:
        """The line of a key or item; of the nearest place above it where it is absent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def parse_document(raw: bytes) -> Document:
    """The one document of a file as plain values by YAML 1.2's core schema; aliases and repeated keys are refused."""
    roots = documents(decode(raw).text)
    if len(roots) != 1:
        raise Unreadable("the file is empty" if not roots else "the file holds several documents")
    lines: dict[Path, int] = {}
    return Document(_plain(roots[0], (), lines), lines)


def _plain(node: Node, path: Path, lines: dict[Path, int]) -> object:
    lines.setdefault(path, node.line)
    match node.kind:
        case "mapping":
            return _plain_mapping(node, path, lines)
        case "sequence":
            return [_plain(item, (*path, index), lines) for index, item in enumerate(node.items)]
        case "scalar":
            return _plain_scalar(node)
        case _:
            raise Unreadable("aliases are not used here", node.line)


def _plain_mapping(node: Node, path: Path, lines: dict[Path, int]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in node.pairs():
        if key.kind != "scalar":
            raise Unreadable("a key must be a plain word", key.line)
        if key.value in found:
            raise Unreadable(f"the key {key.value} is written twice", key.line)
        lines[(*path, key.value)] = key.line
        found[key.value] = _plain(value, (*path, key.value), lines)
    return found


def _plain_scalar(node: Node) -> object:
    text = node.value
    if node.style or node.tag:
        return text
    if text in {"", "~", "null", "Null", "NULL"}:
        return None
    if text in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
