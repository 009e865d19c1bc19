"""`schema`: values against a JSON Schema, as Helm judges them: the chart's own, and all values files merged into them.

Judging runs as a process of its own, which is ended when it takes too long: a pattern, or references that branch
again and again, could take for ever."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bot.validators.base import Bench, Broken, Change, Part, Skipped, Target, Told, Tree, Validator, bounded
from bot.validators.launching import Stopped
from bot.validators.values import Values, coalesced, line_in, read, stacked
from bot.yaml import Document, Unreadable
from policies.findings import Finding
from policies.validating import filled

NAME = "schema"
LARGEST = 1024 * 1024
"""Bytes of a schema."""
SECONDS = 10.0
"""That judging may take."""
PROCESS = Path(__file__).with_name("schema_process.py")
MOST_TOLD = 1024 * 1024
"""Bytes that are read of what it prints."""


class _Files(NamedTuple):
    """The paths that a target is judged by."""

    schema: str
    chart: str
    """Empty where no chart is named."""
    values: tuple[str, ...]


def parts(change: Change) -> Iterator[Part]:
    """A part for each touched target that has a schema."""
    for target in change.targets:
        files = _files(change, target)
        if files is None or change.after.id(target.path) is None:
            continue
        steers = _of_schema(change, files.schema).id(files.schema) or "-"
        below = [(path, change.after.id(path) or "-") for path in (*_below(files), target.path)]
        yield Part(target.path, (files.schema, steers, *(text for pair in below for text in pair)), target)


def _files(change: Change, target: Target) -> _Files | None:
    """None where policy names no schema and the chart has none."""
    said, helm = change.rules.checks.values_schema, change.rules.checks.helm
    chart = filled(helm.chart, dict(target.names)) if helm.chart is not None else ""
    values = tuple(filled(path, dict(target.names)) for path in helm.values)
    if said.file is not None:
        return _Files(filled(said.file, dict(target.names)), chart, values)
    own = f"{chart}/values.schema.json"
    return _Files(own, chart, values) if chart and _of_schema(change, own).id(own) is not None else None


def _of_schema(change: Change, path: str) -> Tree:
    """The target branch steers the check (S12), but for a schema that comes with the change."""
    return change.after if change.before.id(path) is None else change.before


def _below(files: _Files) -> tuple[str, ...]:
    """The values files below the target's own, the weakest first."""
    return (*((f"{files.chart}/values.yaml",) if files.chart else ()), *files.values)


def check(change: Change, part: Part, bench: Bench) -> Told:
    """An error for each place where the values are not as the schema says."""
    target = part.target
    files = _files(change, target) if target is not None else None
    if target is None or files is None:
        raise Skipped("policy names no schema")
    own = _read(change, target.path)
    said = _judged(_schema(change, files.schema), _merged(change, files, own), bench)
    if "unknown" in said:
        raise Skipped(f"{files.schema} refers to {said['unknown']}, and nothing is fetched")
    if "bad" in said:
        return Told((Finding(f"cannot be used as a JSON Schema: {said['bad']}", path=files.schema, rule="schema"),))
    return Told(bounded(_finding(target.path, own, *row) for row in said["errors"]))


def _schema(change: Change, path: str) -> bytes:
    raw = _of_schema(change, path).read(path)
    if raw is None:
        raise Skipped(f"there is no file {path}")
    if len(raw) > LARGEST:
        raise Broken(f"{path} is larger than {LARGEST // 1024 // 1024} MiB")
    return raw


def _merged(change: Change, files: _Files, own: Document) -> Values:
    chart = _read(change, f"{files.chart}/values.yaml").value if files.chart else None
    below = (_read(change, path).value for path in files.values)
    return coalesced(_mapping(chart), stacked(_mapping(one) for one in (*below, own.value)))


def _mapping(value: object) -> Values:
    if not isinstance(value, dict | None):
        raise Broken("a values file holds no mapping")
    return value or {}


def _read(change: Change, path: str) -> Document:
    """A values file; an empty one where there is none."""
    try:
        return read(change.after.read(path) or b"")
    except Unreadable as error:
        raise Broken(f"{path} cannot be read: {error}") from error


def _judged(schema: bytes, values: Values, bench: Bench) -> dict[str, Any]:
    """What our own program says; it needs no launcher, for it bounds its memory itself and fetches nothing."""
    given = json.dumps({"schema": schema.decode(errors="replace"), "values": values}).encode()
    told = _told(given, bench.scratch)
    try:
        found = json.loads(told) if len(told) <= MOST_TOLD else None
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Broken("judging the values by the schema failed")
    return found


def _told(given: bytes, folder: Path) -> bytes:
    """What our own program prints, kept in a file: at most one byte more than may be; nothing where it fails."""
    argv = [sys.executable, "-I", "-B", str(PROCESS.absolute())]
    with tempfile.TemporaryFile(dir=folder) as out:
        try:
            ended = subprocess.run(
                argv,
                cwd=folder,
                env={},
                input=given,
                stdout=out,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Stopped(f"judging the values by the schema did not end within {SECONDS:g} s") from error
        out.seek(0)
        return out.read(MOST_TOLD + 1) if ended.returncode == 0 else b""


def _finding(path: str, own: Document, place: list[str | int], keyword: str, message: str) -> Finding:
    named = ".".join(map(str, place)) or "the file"
    return Finding(f"{named} {message}", path=path, line=line_in(own, tuple(place)), rule=keyword)


VALIDATOR = Validator(NAME, "values are as their JSON Schema says", parts, check)
