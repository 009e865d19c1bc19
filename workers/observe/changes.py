"""What a merge request would make of the target branch, as validators look at it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.git import Mirror
from bot.validators import Change, Target
from policies import layout
from policies.config import Policy, Stage
from policies.model import Trouble
from workers.observe.context import Context
from workers.observe.inventory import Inventory, following


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


def change_of(context: Context, policy: Policy, trees: tuple[str, str], inventory: Inventory) -> Change:
    """The change from one commit or tree to another, by the policy in force; `inventory` is that of any commit."""
    before, after = trees
    paths = context.mirror.changed(before, after)
    inventory = following(context.mirror, inventory, after)
    touched = [path for path in paths if path in inventory.files]
    return Change(
        MirrorTree(context.mirror, before),
        MirrorTree(context.mirror, after),
        paths,
        tuple(_target(context, policy, inventory, path) for path in touched),
        policy.services,
        policy.validation,
    )


def _target(context: Context, policy: Policy, inventory: Inventory, path: str) -> Target:
    parsed = context.parsed(policy.services, inventory.files[path])
    names = inventory.captured(path)
    upstream = tuple(_upstream(policy, inventory, names))
    return Target(path, names, () if isinstance(parsed, Trouble) else parsed, upstream)


def _upstream(policy: Policy, inventory: Inventory, names: dict[str, str]) -> Iterator[str]:
    """The paths of the service's files in the stages right before the one that selects these names."""
    mine = inventory.by_service.get(names.get("service", ""), ())
    for stage in _before(policy, names):
        yield from (path for path in mine if layout.selected(stage.where, inventory.captured(path)))


def _before(policy: Policy, names: dict[str, str]) -> Iterable[Stage]:
    here = [stage for stage in policy.stages if layout.selected(stage.where, names)]
    return [policy.stage(name) for stage in here for name in stage.after]
