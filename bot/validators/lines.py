"""A value as a person reads it in a diff: YAML in block style, one line for each scalar, none of them folded."""

import json
import re
from collections.abc import Iterator

from bot.yaml import Unreadable, bare

_PLAIN = re.compile(r"[\w./](?:[^\s:#]|:(?=[^\s:])|(?<=\S)#| (?=[^\s#]))*")
"""Text that YAML takes for itself without quotes, wherever it stands in block style."""


def lines_of(value: object) -> list[str]:
    """The lines of a value; text of several lines stands as a block. Parsed again they give the same value."""
    return list(_lines(value, ""))


def _lines(value: object, indent: str) -> Iterator[str]:
    match value:
        case dict() if value:
            for key, inner in value.items():
                yield from _entry(f"{indent}{_scalar(key)}:", inner, indent)
        case list() if value:
            for inner in value:
                yield from _item(inner, indent)
        case str() if _stands_as_block(value):
            yield from _block("", value, indent)
        case _:
            yield indent + _scalar(value)


def _entry(head: str, value: object, indent: str) -> Iterator[str]:
    if isinstance(value, str) and _stands_as_block(value):
        yield from _block(head + " ", value, indent + "  ")
    elif isinstance(value, dict | list) and value:
        yield head
        yield from _lines(value, indent + "  ")
    else:
        yield f"{head} {_scalar(value)}"


def _item(value: object, indent: str) -> Iterator[str]:
    """An item begins on the line of its dash."""
    if isinstance(value, str) and _stands_as_block(value):
        yield from _block(f"{indent}- ", value, indent + "  ")
        return
    inner = _lines(value, indent + "  ")
    yield f"{indent}- {next(inner)[len(indent) + 2 :]}"
    yield from inner


def _stands_as_block(text: str) -> bool:
    """Whether it has several lines, the first of which is not blank: its spaces would tell how far all are indented."""
    first, end, _ = text.partition("\n")
    return bool(end and first.strip()) and text.replace("\n", "").replace("\t", "").isprintable()


def _block(head: str, text: str, indent: str) -> Iterator[str]:
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    leads = "2" if text.startswith((" ", "\t")) else ""
    yield f"{head}|{leads}{'-' if ends == 0 else '' if ends == 1 else '+'}"
    for line in [*body.split("\n"), *[""] * (ends - 1)]:
        yield indent + line if line else ""


def _scalar(value: object) -> str:
    if isinstance(value, str) and _is_plain(value):
        return value
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and value.isprintable()))


def _is_plain(text: str) -> bool:
    if not text.isprintable() or not _PLAIN.fullmatch(text):
        return False
    try:
        return bare(text) == text
    except Unreadable:  # a number that is too long
        return False
