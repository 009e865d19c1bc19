"""API requests and answers as every dialect sees them, and how a path finds its endpoint."""

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl, unquote

from bot.sandbox import errors
from bot.sandbox.model import User
from bot.sandbox.state import State

Json = dict[str, object]
C = TypeVar("C")

YES = ("true", "1", "t", "yes", "y", "on")
NO = ("false", "0", "f", "no", "n", "off")
NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Asked:
    """An API request as it came: `path` is raw, below the API's address, so that `%2F` is still told from `/`."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, JSON (or bytes as they are) and headers."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """The bytes to send."""
        if isinstance(self.body, bytes):
            return self.body
        return b"" if self.body is None else json.dumps(self.body).encode()


@dataclass(frozen=True, slots=True)
class Shaped:
    """A webhook's body: the hook's switch that it needs, the event's name in headers, and the JSON."""

    kind: str
    name: str
    body: Json
    guid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(frozen=True, slots=True)
class ApiCall:
    """An API call whose user is known; `where` holds the path's parts, `given` query and body together."""

    state: State
    path: str
    actor: User | None
    where: Mapping[str, str]
    given: Mapping[str, object]
    query: str = ""

    def user(self) -> User:
        """Who calls; Unauthenticated for nobody."""
        if self.actor is None:
            raise errors.Unauthenticated
        return self.actor

    def text(self, name: str) -> str | None:
        """A parameter as text."""
        found = self.given.get(name)
        return None if found is None else str(found)

    def flag(self, name: str) -> bool | None:
        """A parameter as a switch."""
        found = self.given.get(name)
        if found is None or found == "":
            return None
        word = str(found).lower()
        if word not in (*YES, *NO):
            raise errors.Missing(f"{name} is invalid")
        return word in YES

    def number(self, name: str) -> int | None:
        """A parameter as a whole number."""
        found = self.text(name)
        if found is None or found == "":
            return None
        if not NUMBER.fullmatch(found):
            raise errors.Missing(f"{name} is invalid")
        return int(found)

    def words(self, name: str) -> tuple[str, ...] | None:
        """A parameter as a list, whether it came as one or separated by commas."""
        found = self.given.get(name)
        if found is None:
            return None
        parts = found if isinstance(found, list) else str(found).split(",")
        return tuple(str(part).strip() for part in parts if str(part).strip())


Endpoints = Sequence[tuple[str, str, Callable[[C], Answer]]]
"""Method, path with `:parameters`, endpoint. The first match counts, so fixed words stand before parameters."""


def match(endpoints: Endpoints[C], method: str, path: str) -> tuple[Callable[[C], Answer], dict[str, str]]:
    """Which endpoint answers, and what the path names; NotFound where there is none.

    Parts are decoded only after they were told apart."""
    parts = [unquote(part) for part in path.strip("/").split("/")]
    for wanted, pattern, endpoint in endpoints:
        where = _where(pattern.split("/"), parts) if wanted == ("GET" if method == "HEAD" else method) else None
        if where is not None:
            return endpoint, where | {"method": method}
    raise errors.NotFound


def _where(pattern: list[str], parts: list[str]) -> dict[str, str] | None:
    """What the path names. `*name` at the end takes all that is left, with its slashes."""
    if pattern[-1].startswith("*") and len(parts) >= len(pattern):
        parts = [*parts[: len(pattern) - 1], "/".join(parts[len(pattern) - 1 :])]
    if len(pattern) != len(parts):
        return None
    pairs = list(zip(pattern, parts, strict=True))
    if any(name != part and not (name[0] in ":*" and part) for name, part in pairs):
        return None
    return {name[1:]: part for name, part in pairs if name[0] in ":*"}


def parameters(asked: Asked, whole: str = "") -> Json:
    """Query and body together; `name[]` gathers a list. Missing for a body that cannot be read.

    A body that is a list counts as `whole`, where that is given."""
    pairs = parse_qsl(asked.query, keep_blank_values=True)
    kind = asked.headers.get("content-type", "").partition(";")[0]
    found: Json = {}
    if kind == "application/x-www-form-urlencoded":
        pairs += parse_qsl(_text(asked.body), keep_blank_values=True)
    for name, value in pairs:
        if name.endswith("[]"):
            before = found.get(name[:-2])
            found[name[:-2]] = [*(before if isinstance(before, list) else []), value]
        else:
            found[name] = value
    if kind == "application/json" and asked.body:
        found.update(_json(asked.body, whole))
    return found


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as wrong:
        raise errors.Missing("message body does not match declared format") from wrong


def _json(body: bytes, whole: str) -> Json:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as wrong:
        raise errors.Missing("message body does not match declared format") from wrong
    if isinstance(found, list) and whole:
        return {whole: found}
    if not isinstance(found, dict):
        raise errors.Missing("The request body is not an object")
    return found
