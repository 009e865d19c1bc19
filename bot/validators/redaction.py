"""Takes secrets out of what is shown (S10): out of Kubernetes objects, and out of any text.

What is taken out of an object leaves a mark, such as `redacted (3fa94c)`: the same for the same value at the same
place, another where the value changed, so a diff shows THAT it changed. The mark is a MAC under a key that this process
drew by lot and never tells, so nobody can try out passwords against it; it covers the place too, so nobody learns a
value by putting a guess beside it; and it says nothing of the length, by which a short password would be half guessed.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from functools import cache, partial
from itertools import islice

from bot.validators.secret_names import Says, holds_secrets, says
from bot.validators.secret_scan import IDLE, scan
from bot.validators.secret_values import Value, kind

WORD = "redacted"
"""What stands in place of a secret."""
DEEPEST = 60
MOST_NODES = 50_000
"""An object of more nodes is not shown to its end; what aliases lead to counts each time."""
CHARACTERS = 64
"""So many characters of a text count as a node."""

TOO_MUCH = f"{WORD} (too deep or too large to look through)"

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_PARTS = {"data", "stringData"}
_CONTAINERS = (dict, list, tuple)
# In a mapping under a secret's name: what says where the secret is, not what it is.
_WHERE = re.compile(
    r"name|namespace|key|kind|group|version|apiVersion|optional|path|mode|property|items|type|audience"
    r"|.{0,100}(?:Name|Key|Ref|Path|Mode|File)"
)


def redacted(value: object, key: bytes | None = None) -> object:
    """The same object without its secrets; any nesting of dict, list and scalars, as YAML or JSON gives it.

    What is too deep or too large is replaced by a word. `key` makes the marks repeatable; left out, they are this
    process's own. Nothing raises; what is given is never altered.
    """
    return _Pass(key or _own_key()).of(value, _Place())


def line(text: str) -> str:
    """Text of one line or many, such as a program's output, with `redacted` in place of each secret."""
    return _text(text, lambda _: WORD)


@cache
def _own_key() -> bytes:
    return secrets.token_bytes(32)


class _Hides(Enum):
    """What is a secret below a place, whatever it looks like."""

    nothing = "nothing"
    texts = "texts"
    """Below `credentials:` and the like: every text but the names of Secrets and their keys."""
    all = "all"
    """A Secret's data."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in an object, and how it is looked at there."""

    path: tuple[str, ...] = ()
    """Without indices: one more entry in a list would otherwise change the marks of all that follow."""
    hides: _Hides = _Hides.nothing
    name: str = ""
    """What a value here is called: its key, its neighbour `name: DB_PASSWORD`, the option before it."""


@dataclass(slots=True)
class _Pass:
    """One walk over one object."""

    key: bytes
    left: int = MOST_NODES
    around: set[int] = field(default_factory=set)
    """The containers around the present one: a YAML alias may lead back into them."""

    def of(self, value: object, place: _Place) -> object:
        self.left -= 1
        if self.left < 0:
            return TOO_MUCH
        if not isinstance(value, _CONTAINERS):
            return self._scalar(value, place)
        if len(place.path) > DEEPEST or id(value) in self.around:
            return TOO_MUCH
        self.around.add(id(value))
        found = self._mapping(value, place) if isinstance(value, dict) else self._list(value, place)
        self.around.discard(id(value))
        return found

    def _mapping(self, found: dict[object, object], place: _Place) -> dict[object, object]:
        told: dict[object, object] = {}
        for name, value in islice(found.items(), self.left + 1):
            text = _written(name)
            called = _neighbour(found) if text == "value" else ""
            below = _Place(
                (*place.path, *_object(found), called or text), _hides(found, text, value, place), called or text
            )
            told[self._scanned(text, below) if isinstance(name, str) else name] = self.of(value, below)
        return told

    def _list(self, found: list[object] | tuple[object, ...], place: _Place) -> list[object]:
        told: list[object] = []
        name = place.name
        for value in islice(found, self.left + 1):
            told.append(self.of(value, _Place((*place.path, ""), place.hides, name)))
            is_option = isinstance(value, str) and value.startswith("-") and "=" not in value
            name = str(value)[:100] if is_option else place.name
        return told

    def _scalar(self, value: object, place: _Place) -> object:
        if value is None or value == "" or isinstance(value, bool):
            return value
        text = _written(value)
        self.left -= len(text) // CHARACTERS
        if isinstance(value, bytes) or place.hides is _Hides.all or _is_secret(value, text, place):
            return self._mark(place, text)
        return self._scanned(text, place) if isinstance(value, str) else value

    def _scanned(self, text: str, place: _Place) -> str:
        return _text(text, partial(self._mark, place))

    def _mark(self, place: _Place, text: str) -> str:
        told = "\x00".join((*place.path, "", text)).encode(errors="surrogatepass")
        return f"{WORD} ({hashlib.blake2b(told, key=self.key, digest_size=3).hexdigest()})"


def _is_secret(value: object, text: str, place: _Place) -> bool:
    """Whether a value's name says that it is a secret; a reference to one, and what is pinned, stays readable."""
    if kind(text) in {Value.nothing, Value.identifier}:
        return False
    if place.hides is _Hides.texts:
        return isinstance(value, str) and not _WHERE.fullmatch(place.name)
    said = says(place.name)
    return said is Says.surely or (said is Says.maybe and isinstance(value, str))


def _hides(found: dict[object, object], name: str, value: object, place: _Place) -> _Hides:
    if place.hides is _Hides.all or name == _APPLIED or (found.get("kind") == "Secret" and name in _SECRET_PARTS):
        return _Hides.all
    return _Hides.texts if isinstance(value, _CONTAINERS) and holds_secrets(name) else place.hides


def _neighbour(found: dict[object, object]) -> str:
    """What `{name: x, value: y}` calls its value."""
    name = found.get("name", found.get("key"))
    return name[:300] if isinstance(name, str) else ""


def _object(found: dict[object, object]) -> tuple[str, ...]:
    """Which Kubernetes object a mapping is, where it is one."""
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or "kind" not in found:
        return ()
    return tuple(_written(part)[:300] for part in (found["kind"], metadata.get("namespace"), metadata.get("name")))


def _written(value: object) -> str:
    """A scalar as text. Python refuses to write an integer of thousands of digits in decimal; YAML can hold one."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"{value:x}" if isinstance(value, int) else str(value)


def _text(text: str, mark: Callable[[str], str]) -> str:
    """A text with a mark in place of each secret."""
    if IDLE.fullmatch(text):
        return text
    told = []
    for found, spans in scan(text):
        parts, at = [], 0
        for span in spans:
            parts += [found.text[at : span.start], mark(found.text[span.start : span.end])]
            at = span.end
        told.append("".join((*parts, found.text[at:])))
    return "\n".join(told) + ("\n" if text.endswith("\n") else "")
