"""What one reconciliation reads through: the forge, the mirror and the caches of one config repository."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.forges.base import Forge
from bot.formats import Format
from bot.git import Mirror
from bot.memory import Memory
from policies.model import Sighting
from workers.observe.inventory import Inventories


@dataclass(frozen=True)
class Context:
    """One config repository and the ways to read it; shared by all reconciliations of it in this process."""

    forge: Forge
    repository: str
    mirror: Mirror
    memory: Memory
    formats: Mapping[str, Format]
    sightings: Callable[[str], tuple[Sighting, ...]]
    seal_keys: tuple[bytes, ...] = field(repr=False)
    """The first one seals, all of them are believed."""
    inventories: Inventories = field(default_factory=Inventories)

    @property
    def subject(self) -> str:
        """How errors and logs name the repository."""
        return f"{self.forge.name}:{self.repository}"
