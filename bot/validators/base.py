"""What every validator is: a name, the parts of a change that it looks at, and how it looks at one of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Protocol

from bot.validators.launching import Launcher
from policies.config import Services
from policies.findings import Finding, ObjectChange, Severity
from policies.model import Pin
from policies.validating import Validating


class Tree(Protocol):
    """One state of the repository. Paths are relative, with `/`; nothing outside of it can be named."""

    def id(self, path: str) -> str | None:
        """What tells the content of a file or folder; None where there is neither."""
        ...

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file (at most `bot.yaml.MOST_BYTES` + 1 of them); None where there is none."""
        ...

    def files(self, folder: str) -> Iterator[str]:
        """The paths of all regular files below a folder (empty: everywhere); links and submodules are left out."""
        ...

    def links(self, folder: str) -> Iterator[str]:
        """The paths of all symbolic links and submodules below a folder."""
        ...

    def link(self, path: str) -> str | None:
        """Where a symbolic link leads, as it is written; empty for a submodule, None where there is neither."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """A values file that a change touches, or that is rendered from what it touches."""

    path: str
    names: Mapping[str, str]
    """What its path captured."""
    pins: tuple[Pin, ...] = ()
    """What it pins afterwards; empty where it cannot be read."""
    upstream: tuple[str, ...] = ()
    """The paths of the same service's files in the stages before, as they are after the change."""
    pins_before: tuple[Pin, ...] = ()
    """What it pinned before; empty where it was not there or could not be read."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is validated: the target branch as read, and what it would become."""

    before: Tree
    after: Tree
    paths: tuple[str, ...]
    """The paths in which they differ, sorted."""
    targets: tuple[Target, ...]
    services: Services
    rules: Validating
    """As the target branch says them (S12)."""
    unlooked: int = 0
    """How many more targets are rendered from what it touches, and are not among `targets`."""


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a validator looks at by itself; its result is kept for as long as `inputs` are the same."""

    subject: str
    """The path or image that it is about, as it is shown; empty for all of the change."""
    inputs: tuple[str, ...]
    """Everything that the result depends on, beside the validator's version and the rules for it."""
    target: Target | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What a validator has to say of one part."""

    findings: tuple[Finding, ...] = ()
    changes: tuple[ObjectChange, ...] = ()
    version: str = ""
    """Of the outside program."""


class Skipped(Exception):
    """The validator cannot look at this here, and why: its program is absent, or the registry cannot tell."""


class Broken(Exception):
    """The validator did not come to an end, and why: a limit stopped it, or it failed itself."""


class Lookup(Protocol):
    """What validators ask of registries; both raise `bot.errors` where the registry fails, None: nobody is asked."""

    def exists(self, image: str, digest: str) -> bool | None:
        """Whether the registry has the image."""
        ...

    def platforms(self, image: str, digest: str) -> tuple[str, ...] | None:
        """What it is built for, such as `linux/amd64`, sorted."""
        ...


class NoRegistries:
    """The lookup where no registry is configured."""

    def exists(self, image: str, digest: str) -> bool | None:  # noqa: ARG002 # as registries are asked
        """Nobody can tell."""
        return None

    def platforms(self, image: str, digest: str) -> tuple[str, ...] | None:  # noqa: ARG002
        """Nobody can tell."""
        return None


@dataclass(frozen=True, slots=True)
class Rendered:
    """What the cluster would get of one target, before and after, as YAML; None where that side has no target."""

    before: bytes | None
    after: bytes | None
    version: str = ""
    unknown: str = ""
    """Why it is not known what it was before; `before` is None then."""


@dataclass(frozen=True)
class Bench:
    """What a validator works with: the launcher, the registries, a folder of its own, and renderings made once."""

    launcher: Launcher
    registries: Lookup = field(default_factory=NoRegistries)
    scratch: Path = Path()
    """A temporary folder of this validation alone."""
    rendered: Callable[[Change, Target], Rendered] | None = None
    """Renders a target, each once; raises Skipped and Broken. None where policy names no renderer."""


@dataclass(frozen=True, slots=True)
class Validator:
    """One validator. `check` raises Skipped or Broken; whatever else it raises is a fault of ours."""

    name: str
    says: str
    """What it looks for, in a few words."""
    parts: Callable[[Change], Iterable[Part]]
    check: Callable[[Change, Part, Bench], Told]
    program: str = ""
    """The outside program that it starts; empty for those that need none."""
    renders: bool = False
    """Whether it looks at rendered objects, and so depends on the renderer's program too."""
    asks: bool = False
    """Whether it asks something outside, whose *no* of today may be a *yes* tomorrow: an image may yet be pushed."""


MOST_FINDINGS = 50
"""That one part tells; of more, only their number is told."""
LONGEST_MESSAGE = 500


def bounded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The first of them with their messages cut, and one that says how many more there are, as severe as they."""
    rest = iter(findings)
    first = tuple(replace(one, message=one.message[:LONGEST_MESSAGE]) for one in islice(rest, MOST_FINDINGS))
    more = Counter(one.severity for one in rest)
    if not more:
        return first
    worst = next(severity for severity in Severity if more[severity])
    return (*first, Finding(f"and {more.total():,} more", worst))


def target_parts(change: Change) -> Iterator[Part]:
    """A part for each target that the change touches itself: the file before and after."""
    for target in change.targets:
        yield Part(target.path, (target.path, *both(change, target.path)), target)


def file_parts(change: Change) -> Iterator[Part]:
    """A part for each changed file that is still there: before and after."""
    for path in change.paths:
        if change.after.id(path) is not None:
            yield Part(path, (path, *both(change, path)))


def both(change: Change, path: str) -> tuple[str, str]:
    """The ids of a path before and after; `-` where it is not there."""
    return change.before.id(path) or "-", change.after.id(path) or "-"
