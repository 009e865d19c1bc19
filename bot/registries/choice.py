"""Which registry holds an image, by the name that values files write."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.registries.client import Registry


@dataclass(frozen=True, slots=True)
class Registries:
    """The registries that are configured, each by what it answers for: a prefix of images ends in `/`."""

    by_images: Mapping[str, Registry] = field(default_factory=dict)

    def exists(self, image: str, digest: str) -> bool | None:
        """Whether the registry still has it; None where none is configured for it. Raises what `Registry.exists` does.

        A name without a host, such as Docker Hub's short ones, is nobody's: it is not guessed where it would lead."""
        registry = self._of(image)
        return None if registry is None else registry.exists(_within(image), digest)

    def platforms(self, image: str, digest: str) -> tuple[str, ...] | None:
        """What it is built for; None where nobody can tell. Raises what `Registry.platforms` does."""
        registry = self._of(image)
        return None if registry is None else registry.platforms(_within(image), digest)

    def _of(self, image: str) -> Registry | None:
        mine = [images for images in self.by_images if _covers(images, image)]
        return self.by_images[max(mine, key=len)] if mine else None


def _within(image: str) -> str:
    """The repository's name in its registry: without the host."""
    return image.partition("/")[2]


def _covers(images: str, image: str) -> bool:
    return image.startswith(images) if images.endswith("/") else image == images
