"""Changes with good defaults, for the tests of validators: two states of a repository as dictionaries."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.formats import helm_values
from bot.formats.refusals import Refused
from bot.validators import Change, Target
from policies import layout
from policies.config import Services
from policies.model import Pin
from policies.validating import Validating

TEMPLATE = "environments/{environment}/{cluster}/{service}/values.yaml"


@dataclass(frozen=True)
class DictTree:
    """One state of a repository."""

    contents: Mapping[str, bytes]
    linked: tuple[str, ...] = field(default=())
    """Paths of symbolic links and submodules."""
    leads: Mapping[str, str] = field(default_factory=dict)
    """Where each of them leads; a submodule is none of these."""

    def id(self, path: str) -> str | None:
        if path in self.contents:
            return hashlib.sha1(self.contents[path], usedforsecurity=False).hexdigest()
        if path in self.linked:
            return hashlib.sha1(f"{path} {self.link(path)}".encode(), usedforsecurity=False).hexdigest()
        below = list(self.files(path))
        if not below:
            return None
        text = "\n".join(f"{one} {self.id(one)}" for one in below)
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def read(self, path: str) -> bytes | None:
        return self.contents.get(path)

    def files(self, folder: str) -> Iterator[str]:
        yield from (path for path in sorted(self.contents) if not folder or path.startswith(f"{folder}/"))

    def link(self, path: str) -> str | None:
        return self.leads.get(path, "") if path in self.linked else None

    def links(self, folder: str) -> Iterator[str]:
        yield from (path for path in self.linked if not folder or path.startswith(f"{folder}/"))


def tree(contents: Mapping[str, str | bytes], *linked: str) -> DictTree:
    """A state of these files."""
    return DictTree({path: one if isinstance(one, bytes) else one.encode() for path, one in contents.items()}, linked)


def change_of(
    before: Mapping[str, str | bytes],
    after: Mapping[str, str | bytes],
    *,
    rules: Validating | None = None,
    services: Mapping[str, object] | None = None,
    upstream: Mapping[str, tuple[str, ...]] | None = None,
) -> Change:
    """What validators are given; `upstream` says for a target's path which files stand in the stage before."""
    first, second = tree(before), tree(after)
    paths = tuple(sorted(path for path in {*before, *after} if before.get(path) != after.get(path)))
    said = Services.model_validate({"path": TEMPLATE, **(services or {})})
    targets = tuple(
        Target(
            path,
            names,
            _pins(second.contents[path]),
            (upstream or {}).get(path, ()),
            _pins(first.contents.get(path, b"")),
        )
        for path in paths
        if path in after and (names := layout.capture(said.path, path)) is not None
    )
    return Change(first, second, paths, targets, said, rules or Validating())


def _pins(text: bytes) -> tuple[Pin, ...]:
    try:
        return helm_values.pins(text)
    except Refused:
        return ()
