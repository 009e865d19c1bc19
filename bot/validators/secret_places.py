"""What the place of a value in an object says of it: how it is called, and whether it is part of a Secret."""

import re
from dataclasses import dataclass
from enum import Enum

from bot.validators.secret_names import holds_secrets

DEEPEST = 60
CONTAINERS = (dict, list, tuple)

_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SECRET_PARTS = {"data", "stringData"}
# In a mapping under a secret's name: what says where the secret is, not what it is.
_WHERE = re.compile(
    r"name|namespace|key|kind|group|version|apiVersion|optional|path|mode|property|items|type|audience"
    r"|.{0,100}(?:Name|Key|Ref|Path|Mode|File)"
)


class Hides(Enum):
    """What is a secret below a place, whatever it looks like."""

    nothing = "nothing"
    texts = "texts"
    """Below `credentials:` and the like: every text but the names of Secrets and their keys."""
    all = "all"
    """A Secret's data."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in an object, and how it is looked at there."""

    path: tuple[str, ...] = ()
    """Without indices: one more entry in a list would otherwise change the marks of all that follow."""
    hides: Hides = Hides.nothing
    name: str = ""
    """What a value here is called: its key, its neighbour `name: DB_PASSWORD`, the option before it."""
    holder: str = ""
    """The name above that made it hide texts."""

    @property
    def is_where(self) -> bool:
        """Whether it is called as what says where a secret is."""
        return _WHERE.fullmatch(self.name) is not None


def below(found: dict[object, object], name: str, value: object, place: Place) -> Place:
    """The place of one value of a mapping."""
    called = (_neighbour(found) if name == "value" else "") or name
    hides, holder = _hides(found, name, value, place), place.holder
    if hides is Hides.texts and isinstance(value, CONTAINERS) and holds_secrets(name):
        holder = name
    return Place((*place.path, *_object(found), called), hides, called, holder)


def item(place: Place, before: object) -> Place:
    """The place of one item of a list that stands behind another: `--password` names what follows."""
    is_option = isinstance(before, str) and before.startswith("-") and "=" not in before
    return Place((*place.path, ""), place.hides, str(before)[:100] if is_option else place.name, place.holder)


def _hides(found: dict[object, object], name: str, value: object, place: Place) -> Hides:
    if place.hides is Hides.all or name == _APPLIED or (found.get("kind") == "Secret" and name in _SECRET_PARTS):
        return Hides.all
    return Hides.texts if isinstance(value, CONTAINERS) and holds_secrets(name) else place.hides


def _neighbour(found: dict[object, object]) -> str:
    """What `{name: x, value: y}` calls its value."""
    name = found.get("name", found.get("key"))
    return name[:300] if isinstance(name, str) else ""


def _object(found: dict[object, object]) -> tuple[str, ...]:
    """Which Kubernetes object a mapping is, where it is one."""
    metadata = found.get("metadata")
    if not isinstance(metadata, dict) or "kind" not in found:
        return ()
    return tuple(written(part)[:300] for part in (found["kind"], metadata.get("namespace"), metadata.get("name")))


def written(value: object) -> str:
    """A scalar as text. Python refuses to write an integer of thousands of digits in decimal; YAML can hold one."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return f"{value:x}" if isinstance(value, int) else str(value)
