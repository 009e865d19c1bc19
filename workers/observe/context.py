"""What one reconciliation reads through: the forge, the mirror and the caches of one config repository."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.forges.base import Forge
from bot.formats import Format
from bot.git import Mirror, Signer
from bot.registries import Registries
from policies.config import Services
from policies.model import Sighting
from workers.observe.content import Editor
from workers.observe.inventory import Inventories, Parsed
from workers.observe.validations import Texts, Validating


@dataclass(frozen=True)
class Context:
    """One config repository and the ways to read it; shared by all reconciliations of it in this process."""

    forge: Forge
    repository: str
    mirror: Mirror
    memory: Texts
    formats: Mapping[str, Format]
    sightings: Callable[[str], tuple[Sighting, ...]]
    seal_keys: tuple[bytes, ...] = field(repr=False)
    """The first one seals, all of them are believed."""
    inventories: Inventories = field(default_factory=Inventories)
    signer: Signer | None = None
    """Signs the gate's own merges, and nothing else (S23)."""
    registries: Registries = field(default_factory=Registries)
    validating: Validating = field(default_factory=Validating)
    command_prefix: str = "towpath"
    """The word behind the slash with which every command can be called, whatever other bots listen to."""
    public_url: str = ""
    """Where people reach the receiver; empty where reports have no page."""

    def editor(self, services: Services) -> Editor:
        """The way to edit what a policy's services are written in."""
        return Editor(self.mirror, self.formats[services.format])

    def parsed(self, services: Services, blob: str) -> Parsed:
        """What a blob pins, or why it cannot be read; remembered."""
        return self.inventories.blobs.pins(self.mirror, self.formats[services.format], services.format, blob)

    @property
    def subject(self) -> str:
        """How errors and logs name the repository."""
        return f"{self.forge.name}:{self.repository}"
