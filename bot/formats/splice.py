"""Exact edits: replace or insert scalars in the text, then prove by parsing again that nothing else changed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.yaml import Node, Unreadable, documents

_SAFE_PLAIN = re.compile(r"[A-Za-z](?:[A-Za-z0-9._/:@+-]*[A-Za-z0-9])?")
_WORDS = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|nan|inf")


class Refused(Exception):
    """An edit that cannot be exact; `line` counts from 1."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason if line is None else f"line {line}: {reason}")
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True)
class Edit:
    """Code points `start` to `end` become `text`; afterwards the scalar in their place must have this value."""

    start: int
    end: int
    text: str


def read(text: str) -> list[Node]:
    """The documents of a text; Refused where it cannot be read."""
    try:
        return documents(text)
    except Unreadable as error:
        raise Refused(error.reason, error.line) from error


def replacement(text: str, mapping: Node, key: Node, node: Node, value: str) -> Edit:
    """The edit that gives a scalar a new value in its own quotes."""
    if node.kind == "alias":
        raise Refused("the value is an alias of another place", node.line)
    if node.kind != "scalar":
        raise Refused("the value is no plain text", node.line)
    if node.style in {"|", ">"}:
        raise Refused("the value is a block of lines", node.line)
    if node.anchor:
        raise Refused("the value has an anchor, so other places may follow it", node.line)
    if node.tag:
        raise Refused("the value has a YAML tag", node.line)
    if node.value == "" and not node.style:
        colon = text.index(":", key.end) + 1
        return Edit(colon, colon, " " + quoted(value, "", mapping))
    return Edit(node.start, node.end, quoted(value, node.style, mapping))


def insertion(text: str, mapping: Node, key: Node, sibling: Node, name: str, value: str) -> Edit:
    """The edit that adds `name: value` after a sibling, in the sibling's own style."""
    if sibling.kind != "scalar" or sibling.style in {"|", ">"}:
        raise Refused("there is no plain value to write the digest beside", sibling.line)
    if mapping.style == "flow":
        return Edit(sibling.end, sibling.end, f", {name}: {quoted(value, sibling.style, mapping)}")
    line_end = _line_end(text, max(sibling.end, key.end))
    newline = "\r\n" if "\r\n" in text else "\n"
    addition = f"{' ' * key.column}{name}: {quoted(value, sibling.style, mapping)}"
    if line_end == len(text) and not text.endswith("\n"):
        return Edit(line_end, line_end, newline + addition)
    return Edit(line_end, line_end, addition + newline)


def _line_end(text: str, position: int) -> int:
    found = text.find("\n", position)
    return len(text) if found < 0 else found + 1


def quoted(value: str, style: str, mapping: Node) -> str:
    """A value in the quotes asked for; plain only where no YAML version could take it for something else."""
    # libyaml reads no plain `:` inside braces, though YAML 1.2 allows it.
    braces = mapping.style == "flow" and ":" in value
    if not value.isprintable():
        raise Refused("the new value is not printable")
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style != '"' and not braces and _SAFE_PLAIN.fullmatch(value) and not _WORDS.fullmatch(value):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def apply(text: str, edits: Iterable[Edit]) -> str:
    """The text with all edits done, the last one first."""
    for edit in sorted(edits, key=lambda one: (one.start, one.end), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text


def outline(roots: list[Node]) -> list[tuple[str, str, str, str, str]]:
    """The events of the documents, without positions: what must stay equal."""
    found = []
    waiting = list(reversed(roots))
    while waiting:
        node = waiting.pop()
        found.append((node.kind, node.value, node.style, node.anchor, node.tag))
        if node.kind in {"mapping", "sequence"}:
            waiting.append(Node("end", 0, 0, 0, 0))
            waiting.extend(reversed(node.items))
    return found
