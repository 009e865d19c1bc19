"""GitHub's published description of its REST API (OpenAPI 3.0), and what it says of a request and its answer."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema import FormatChecker

PACKAGE = "@octokit/openapi@23.0.2"
MEMBER = "package/generated/api.github.com.json"
SECONDS = 120

Json = Any
"""JSON as it was read."""
Step = str
EACH = "[]"
"""The step from a list to its elements."""
GONE = object()
BRANCHES = ("allOf", "anyOf", "oneOf")


class Absent(Exception):
    """The description cannot be had here, and why."""


@dataclass
class Record:
    """One request as the server saw it, its answer, and which fields of that were read."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    status: int
    answer: Json
    reads: set[tuple[Step, ...]] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# --- to have it ------------------------------------------------------------------------------------------------------


def fetched() -> Path:
    """The description's file in the user's cache, downloaded once. Absent where there is no npm, or it gets nothing."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "towpath-tests"
    wanted = folder / f"{re.sub(r'[^a-z0-9.]+', '-', PACKAGE).strip('-')}.json"
    if wanted.exists():
        return wanted
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several test processes one downloads
        if not wanted.exists():
            _download(folder, wanted)
    return wanted


def _download(folder: Path, wanted: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise Absent("npm is not installed")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        command = [npm, "pack", PACKAGE, "--silent", "--ignore-scripts", "--fetch-retries=0", "--pack-destination=."]
        try:
            subprocess.run(command, cwd=name, check=True, capture_output=True, timeout=SECONDS)
            (packed,) = Path(name).glob("*.tgz")
            with tarfile.open(packed) as archive:
                archive.extract(MEMBER, name, filter="data")
        except (subprocess.SubprocessError, ValueError, KeyError, OSError, tarfile.TarError) as failure:
            raise Absent(f"npm pack {PACKAGE} failed: {failure}") from failure
        (Path(name) / MEMBER).rename(wanted)


@cache
def description() -> "Description":
    """The description, read once in a process."""
    return Description(json.loads(fetched().read_text("utf-8")))


# --- what it says ----------------------------------------------------------------------------------------------------


class Description:
    """What GitHub takes and answers. Every method returns complaints, none where all is well."""

    def __init__(self, described: Json) -> None:
        self._described = described

    def request(self, record: Record) -> list[str]:
        """Whether path and method exist, and every query parameter with such a value."""
        operation = self._operation(record)
        if operation is None:
            return [f"{record}: there is no such path or method"]
        parameters = [self._resolved(one) for one in operation.get("parameters", ())]
        known = {one["name"]: one["schema"] for one in parameters if one["in"] == "query"}
        complaints = [f"{record}: no query parameter {name}" for name in record.query if name not in known]
        for name in record.query.keys() & known.keys():
            value = record.query[name]
            given = int(value) if value.isdigit() and "integer" in str(known[name]) else value
            complaints += self._faults(self._closed(known[name]), given, f"{record}: query parameter {name}")
        return complaints

    def body(self, record: Record) -> list[str]:
        """Whether the body is as described, with no property that is not named there."""
        described = self._resolved((self._operation(record) or {}).get("requestBody", {}))
        schema = self._json_schema(described)
        if record.body is None:
            return [f"{record}: a body is required"] if described.get("required") else []
        if schema is None:
            return [f"{record}: takes no body"] if record.body else []
        return self._faults(self._closed(schema), record.body, f"{record}: body")

    def answer(self, record: Record) -> list[str]:
        """Whether such a status is answered, and each field that was read is described and there, with its type."""
        responses = (self._operation(record) or {}).get("responses", {})
        if str(record.status) not in responses:
            return [f"{record}: never answers {record.status}"]
        schema = self._json_schema(self._resolved(responses[str(record.status)]))
        if schema is None:
            return [f"{record}: {record.status} has no content"] if record.answer or record.reads else []
        return [fault for path in sorted(record.reads) for fault in self._read(record, schema, path)]

    def lacks(self, records: list[Record]) -> set[tuple[str, str]]:
        """The fields that were read and that no answer of the operation held: (method and template, field)."""
        gone, there = set[tuple[str, str]](), set[tuple[str, str]]()
        for record in records:
            for path in record.reads:
                where = (f"{record.method} {self._template(record)}", ".".join(path))
                for value in _values(record.answer, path):
                    (gone if value is GONE else there).add(where)
        return gone - there

    def _read(self, record: Record, schema: Json, path: tuple[Step, ...]) -> list[str]:
        where = f"{record}: answer's field {'.'.join(path)}"
        parents, found = [schema], [schema]
        for step in path:
            parents, found = found, [inner for one in found for inner in self._inner(one, step)]
        if not found:
            return [f"{where} is not described"]
        needed = any(path[-1] in branch.get("required", ()) for one in parents for branch in self._branches(one))
        plain = {"anyOf": [self._shallow(one) for one in found]}
        values = list(_values(record.answer, path))
        faults = [f"{where} is missing"] if needed and GONE in values else []
        return faults + [fault for one in values if one is not GONE for fault in self._faults(plain, one, where)]

    def _operation(self, record: Record) -> Json:
        return self._described["paths"].get(self._template(record), {}).get(record.method.lower())

    def _template(self, record: Record) -> str:
        """The path as it is described, such as `/repos/{owner}/{repo}`; fixed words stand before parameters."""
        fitting = [one for one in self._described["paths"] if _pattern(one).fullmatch(record.path)]
        return min(fitting, key=lambda one: str(one).count("{"), default="")

    def _resolved(self, found: Json) -> Json:
        while "$ref" in found:
            target = self._described
            for part in found["$ref"].removeprefix("#/").split("/"):
                target = target[part.replace("~1", "/").replace("~0", "~")]
            found = target
        return found

    @staticmethod
    def _json_schema(described: Json) -> Json:
        return described.get("content", {}).get("application/json", {}).get("schema")

    def _branches(self, schema: Json) -> Iterator[Json]:
        """The schema and all that it is put together from."""
        found = self._resolved(schema)
        yield found
        for word in BRANCHES:
            for one in found.get(word, ()):
                yield from self._branches(one)

    def _inner(self, schema: Json, step: Step) -> Iterator[Json]:
        for one in self._branches(schema):
            inner = one.get("items") if step == EACH else one.get("properties", {}).get(step)
            if inner is not None:
                yield inner

    def _closed(self, schema: Json) -> Json:
        """As JSON Schema, without references; an object has no property but those that are named."""
        found = dict(self._resolved(schema))
        _each(found, self._closed)
        if "properties" in found:
            found["properties"] = {name: self._closed(one) for name, one in found["properties"].items()}
            found.setdefault("additionalProperties", False)
        if "items" in found:
            found["items"] = self._closed(found["items"])
        return _or_null(found)

    def _shallow(self, schema: Json) -> Json:
        """As JSON Schema of the value alone: nothing is asked of what is in an object or a list."""
        found = dict(self._resolved(schema))
        for word in ("properties", "required", "additionalProperties", "items"):
            found.pop(word, None)
        _each(found, self._shallow)
        if "oneOf" in found:  # without its inside a value may fit more than one
            found["anyOf"] = found.pop("oneOf")
        return _or_null(found)

    @staticmethod
    def _faults(schema: Json, value: Json, where: str) -> list[str]:
        from jsonschema import Draft4Validator  # OpenAPI 3.0 is nearest to that draft

        faults = Draft4Validator(schema, format_checker=_formats()).iter_errors(value)
        return [f"{where} {fault.json_path}: {fault.message}" for fault in faults]


@cache
def _formats() -> "FormatChecker":
    from jsonschema import FormatChecker

    def is_time(value: object) -> bool:
        return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None

    checker = FormatChecker(())
    checker.checks("date-time", ValueError)(is_time)
    return checker


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^/{}]*\\}", "[^/]+", re.escape(template)))


def _each(schema: Json, change: Callable[[Json], Json]) -> None:
    for word in BRANCHES:
        if word in schema:
            schema[word] = [change(one) for one in schema[word]]


def _or_null(schema: Json) -> Json:
    """`nullable` is OpenAPI's, not JSON Schema's."""
    return {"anyOf": [schema, {"type": "null"}]} if schema.pop("nullable", False) else schema


def _values(answer: Json, path: tuple[Step, ...]) -> Iterator[Json]:
    """The values there, GONE where an object lacks it; nothing where the way there ends earlier."""
    if not path:
        yield answer
    elif path[0] == EACH and isinstance(answer, list):
        for one in answer:
            yield from _values(one, path[1:])
    elif path[0] != EACH and isinstance(answer, dict):
        if path[0] in answer:
            yield from _values(answer[path[0]], path[1:])
        elif len(path) == 1:
            yield GONE
