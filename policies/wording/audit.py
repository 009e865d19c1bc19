"""The audit as people and programs read it: a table, JSON lines, CSV. Others' text stays harmless in each (S9)."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime

from policies.history import Change, Entry, Pinned
from policies.trailers import Approver

COLUMNS = (
    *("time", "time_from", "forge", "repository", "commit", "service", "stage", "path", "image"),
    *("from_digest", "from_tag", "to_digest", "to_tag", "mr", "url", "how", "requester", "approvers"),
    *("gates", "overrides", "validation", "verified"),
)
"""The columns of CSV, and the keys of JSON, in this order."""
SHORT = 12
Row = tuple[str, str, Entry]
"""The forge, the repository, and one change of it."""
_HEADINGS = ("TIME", "SERVICE", "STAGE", "FILE", "FROM", "TO", "MR", "HOW", "REQUESTER", "APPROVED BY", "GATES")
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a formula begins in a spreadsheet; the last four are the wide forms, which some take for the same."""


def as_table(rows: Sequence[Row]) -> str:
    """Columns for people, with digests cut short; each change is one line."""
    lines = [(*_HEADINGS, "VERIFIED"), *(_cells(entry) for _, _, entry in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(lines[0]))]
    padded = (zip(line, widths, strict=True) for line in lines)
    return "\n".join("  ".join(cell.ljust(width) for cell, width in cells).rstrip() for cells in padded)


def as_json(row: Row) -> str:
    """One line of JSON; other than ASCII is escaped, so that nothing in it is alive in a terminal."""
    return json.dumps(_fields(row))


def as_csv(rows: Sequence[Row]) -> str:
    """A heading and a line for each change; no cell begins as a formula of a spreadsheet does."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([_cell(value) for value in _fields(row).values()] for row in rows)
    return text.getvalue().rstrip("\n")


def _fields(row: Row) -> dict[str, object]:
    forge, repository, entry = row
    change, step = entry.change, entry.step
    values: tuple[object, ...] = (
        *(_iso(entry.at), "forge" if entry.at_by_forge else "committer", forge, repository, step.commit),
        *(change.service, entry.stage, change.path, change.image),
        *(_digest(change.old), _tag(change.old), _digest(change.new), _tag(change.new)),
        *(entry.number, entry.url, entry.how.value, list(entry.requesters)),
        [_approval(one) for one in entry.approvers],
        dict(entry.gates),
        *(list(entry.overrides), entry.validation, entry.verified),
    )
    return dict(zip(COLUMNS, values, strict=True))


def _approval(one: Approver) -> dict[str, object]:
    return {"id": one.id, "username": one.username, "at": _iso(one.at) if one.at else None, "head": one.head or None}


def _cells(entry: Entry) -> tuple[str, ...]:
    change = entry.change
    gates = [gate if how == "pass" else f"{gate} {how}" for gate, how in entry.gates]
    cells = (
        _iso(entry.at) + ("" if entry.at_by_forge else " (committer's word)"),
        *(change.service, entry.stage, change.path),
        *(_shown(change, change.old), _shown(change, change.new)),
        f"!{entry.number}" if entry.number is not None else "",
        *(entry.how.value, " ".join(entry.requesters)),
        ", ".join(
            f"{one.username or f'user {one.id}'}{f' {_iso(one.at)}' if one.at else ''}" for one in entry.approvers
        ),
        ", ".join([*gates, *(f"override {text}" for text in entry.overrides)]),
        entry.verified,
    )
    return tuple(_line(cell) for cell in cells)


def _shown(change: Change, found: Pinned | None) -> str:
    if found is None:
        return "-"
    if found.unreadable:
        return "cannot be read"
    digests = " ".join(one.removeprefix("sha256:")[:SHORT] for one in found.digest.split(" "))
    name = change.image.rpartition("/")[2]
    return f"{name}{f':{found.tag}' if found.tag else ''}{f'@{digests}' if digests else ''}"


def _digest(found: Pinned | None) -> str | None:
    return None if found is None or found.unreadable else found.digest


def _tag(found: Pinned | None) -> str | None:
    return None if found is None or found.unreadable else found.tag


def _line(text: str) -> str:
    """Without control and direction characters; never cut, for evidence is wanted whole."""
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _cell(value: object) -> str:
    """Plain text of a value: of a list its parts, of an approval who and when."""
    if isinstance(value, dict):
        if "username" in value:
            return f"{value['username']} ({value['id']}) {value['at'] or ''}".strip()
        return _cell([f"{key}={one}" for key, one in value.items()])
    if isinstance(value, list):
        return _cell("; ".join(_cell(one) for one in value))
    text = _line("" if value is None else str(value))
    return f"'{text}" if text.startswith(_FORMULA) else text
