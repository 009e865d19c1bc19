"""What a merge request would make of the target branch, as validators look at it."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from bot.git import Mirror
from bot.validators import Change, Target
from policies import layout
from policies.config import Policy, Services, Stage
from policies.model import Pin, Trouble
from policies.validating import filled
from workers.observe.inventory import Inventory, Parsed, following

MOST_AFFECTED = 20
"""Targets that a change does not touch, and that are rendered anew because of it: a chart may be everybody's.

How many more there are is told."""


@dataclass(frozen=True)
class MirrorTree:
    """A commit or tree of the mirror."""

    mirror: Mirror
    base: str

    def id(self, path: str) -> str | None:
        """The id of the blob or tree at a path."""
        return self.mirror.id_of(self.base, path)

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file."""
        return self.mirror.read(self.base, path)

    def files(self, folder: str) -> Iterator[str]:
        """The paths of all regular files below a folder."""
        within = self.id(folder)
        if within is None or (folder and self.mirror.blob_id(self.base, folder) is not None):
            return
        prefix = f"{folder}/" if folder else ""
        for path, _ in self.mirror.files(within):
            yield prefix + path

    def links(self, folder: str) -> Iterator[str]:
        """The paths of all symbolic links and submodules below a folder."""
        within = self.id(folder)
        if within is None or (folder and self.mirror.blob_id(self.base, folder) is not None):
            return
        prefix = f"{folder}/" if folder else ""
        for path in self.mirror.links(within):
            yield prefix + path

    def link(self, path: str) -> str | None:
        """Where a symbolic link leads; empty for a submodule."""
        return self.mirror.link(self.base, path)


@dataclass(frozen=True)
class Reading:
    """Where files are read, and how what they pin is told; see `Context`."""

    mirror: Mirror
    parsed: Callable[[Services, str], Parsed]
    """Takes a blob's id."""


def change_of(
    reading: Reading, policy: Policy, trees: tuple[str, str], inventory: Inventory, most: int | None = MOST_AFFECTED
) -> Change:
    """The change from one commit or tree to another, by the policy in force; `inventory` is that of any commit.

    `most` targets that it does not touch itself are looked at; None: all."""
    before, after = trees
    paths = reading.mirror.changed(before, after)
    inventory = following(reading.mirror, inventory, after)
    touched = dict.fromkeys(path for path in paths if path in inventory.files)
    others = [path for path in affected(policy, inventory, paths) if path not in touched]
    return Change(
        MirrorTree(reading.mirror, before),
        MirrorTree(reading.mirror, after),
        paths,
        tuple(_target(reading, policy, inventory, (path, before)) for path in (*touched, *others[:most])),
        policy.services,
        policy.validation,
        len(others[most:]) if most is not None else 0,
    )


def affected(policy: Policy, inventory: Inventory, paths: tuple[str, ...]) -> tuple[str, ...]:
    """The targets that are rendered from something in these paths other than targets, such as a chart.

    What a kustomization builds upon outside its own folder is not known here."""
    others = tuple(path for path in paths if path not in inventory.files)
    templates = _rendered_from(policy)
    if not others or not templates:
        return ()
    hit = {template: _hit(template, others) for template in templates}
    names = ((path, inventory.captured(path)) for path in inventory.files)
    return tuple(path for path, captured in names if any(hit[template](captured) for template in templates))


def _rendered_from(policy: Policy) -> tuple[str, ...]:
    checks = policy.validation.checks
    found = (checks.helm.chart, *checks.helm.values, checks.kustomize.folder, checks.values_schema.file)
    return tuple(template for template in found if template is not None)


def _hit(template: str, paths: tuple[str, ...]) -> Callable[[dict[str, str]], bool]:
    """Whether one of these paths is what the template names for a target, or lies below it; each name once."""
    ordered, known = sorted(paths), {*paths}

    @cache
    def below(root: str) -> bool:
        first = bisect_left(ordered, f"{root}/")
        return root in known or "".join(ordered[first : first + 1]).startswith(f"{root}/")

    return lambda names: below(filled(template, names))


def _target(reading: Reading, policy: Policy, inventory: Inventory, at: tuple[str, str]) -> Target:
    path, before = at
    names = inventory.captured(path)
    upstream = tuple(_upstream(policy, inventory, names))
    pins = _pins(reading, policy, inventory.files[path])
    return Target(path, names, pins, upstream, _pins(reading, policy, reading.mirror.blob_id(before, path)))


def _pins(reading: Reading, policy: Policy, blob: str | None) -> tuple[Pin, ...]:
    parsed = None if blob is None else reading.parsed(policy.services, blob)
    return () if parsed is None or isinstance(parsed, Trouble) else parsed


def _upstream(policy: Policy, inventory: Inventory, names: dict[str, str]) -> Iterator[str]:
    """The paths of the service's files in the stages right before the one that selects these names."""
    mine = inventory.by_service.get(names.get("service", ""), ())
    for stage in _before(policy, names):
        yield from (path for path in mine if layout.selected(stage.where, inventory.captured(path)))


def _before(policy: Policy, names: dict[str, str]) -> Iterable[Stage]:
    here = [stage for stage in policy.stages if layout.selected(stage.where, names)]
    return [policy.stage(name) for stage in here for name in stage.after]
