"""Takes secrets out of what is shown (S10): out of Kubernetes objects, and out of any text.

What is taken out of an object leaves a mark, such as `redacted (3fa94c)`: the same for the same value at the same
place, another where the value changed, so a diff shows THAT it changed. The mark is a MAC under a key that this process
drew by lot and never tells, so nobody can try out passwords against it; it covers the place too, so nobody learns a
value by putting a guess beside it; and it says nothing of the length, by which a short password would be half guessed.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice

from bot.validators.secret_names import Says, says
from bot.validators.secret_places import CONTAINERS, DEEPEST, Hides, Place, below, item, written
from bot.validators.secret_scan import IDLE
from bot.validators.secret_structure import Budget, secrets_in
from bot.validators.secret_values import Value, kind

WORD = "redacted"
"""What stands in place of a secret."""
MOST_NODES = 50_000
"""An object of more nodes is not shown to its end; what aliases lead to counts each time."""
CHARACTERS = 64
"""So many characters of a text count as a node."""

TOO_MUCH = f"{WORD} (too deep or too large to look through)"


def redacted(value: object, key: bytes | None = None) -> object:
    """The same object without its secrets; any nesting of dict, list and scalars, as YAML or JSON gives it.

    What is too deep or too large is replaced by a word. `key` makes the marks repeatable; left out, they are this
    process's own. Nothing raises; what is given is never altered.
    """
    return _Pass(key or _own_key()).of(value, Place())


def line(text: str) -> str:
    """Text of one line or many, such as a program's output, with `redacted` in place of each secret."""
    return _text(text, lambda _: WORD, Budget())


@cache
def _own_key() -> bytes:
    return secrets.token_bytes(32)


@dataclass(slots=True)
class _Pass:
    """One walk over one object."""

    key: bytes
    left: int = MOST_NODES
    around: set[int] = field(default_factory=set)
    """The containers around the present one: a YAML alias may lead back into them."""
    budget: Budget = field(default_factory=Budget)

    def of(self, value: object, place: Place) -> object:
        self.left -= 1
        if self.left < 0:
            return TOO_MUCH
        if not isinstance(value, CONTAINERS):
            return self._scalar(value, place)
        if len(place.path) > DEEPEST or id(value) in self.around:
            return TOO_MUCH
        self.around.add(id(value))
        found = self._mapping(value, place) if isinstance(value, dict) else self._list(value, place)
        self.around.discard(id(value))
        return found

    def _mapping(self, found: dict[object, object], place: Place) -> dict[object, object]:
        told: dict[object, object] = {}
        for name, value in islice(found.items(), self.left + 1):
            text = written(name)
            inner = below(found, text, value, place)
            told[self._scanned(text, inner) if isinstance(name, str) else name] = self.of(value, inner)
        return told

    def _list(self, found: list[object] | tuple[object, ...], place: Place) -> list[object]:
        told: list[object] = []
        before: object = None
        for value in islice(found, self.left + 1):
            told.append(self.of(value, item(place, before)))
            before = value
        return told

    def _scalar(self, value: object, place: Place) -> object:
        if value is None or value == "" or isinstance(value, bool):
            return value
        text = written(value)
        self.left -= len(text) // CHARACTERS
        if isinstance(value, bytes) or place.hides is Hides.all or _is_secret(value, text, place):
            return self._mark(place, text)
        return self._scanned(text, place) if isinstance(value, str) else value

    def _scanned(self, text: str, place: Place) -> str:
        return _text(text, partial(self._mark, place), self.budget)

    def _mark(self, place: Place, text: str) -> str:
        told = "\x00".join((*place.path, "", text)).encode(errors="surrogatepass")
        return f"{WORD} ({hashlib.blake2b(told, key=self.key, digest_size=3).hexdigest()})"


def _is_secret(value: object, text: str, place: Place) -> bool:
    """Whether a value's name says that it is a secret; a reference to one, and what is pinned, stays readable."""
    if kind(text) in {Value.nothing, Value.identifier}:
        return False
    if place.hides is Hides.texts:
        return isinstance(value, str) and not place.is_where
    said = says(place.name)
    return said is Says.surely or (said is Says.maybe and isinstance(value, str))


def _text(text: str, mark: Callable[[str], str], budget: Budget) -> str:
    """A text with a mark in place of each secret."""
    if IDLE.fullmatch(text):
        return text
    told = []
    for found, spans in secrets_in(text, budget):
        parts, at = [], 0
        for span in spans:
            parts += [found.text[at : span.start], mark(found.text[span.start : span.end])]
            at = span.end
        told.append("".join((*parts, found.text[at:])))
    return "\n".join(told) + ("\n" if text.endswith("\n") else "")
