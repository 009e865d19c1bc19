"""Which registry holds an image, by the name that values files write."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.registries.client import Registry


@dataclass(frozen=True, slots=True)
class Registries:
    """The registries that are configured, each by what it answers for: a prefix of images ends in `/`."""

    by_images: Mapping[str, Registry] = field(default_factory=dict)

    def platforms(self, image: str, digest: str) -> tuple[str, ...] | None:  # noqa: ARG002 # not yet
        """What the image is built for, such as `linux/amd64`; None where nobody can tell."""
        return None

    def exists(self, image: str, digest: str) -> bool | None:
        """Whether the registry still has it; None where none is configured for it. Raises what `Registry.exists` does.

        A name without a host, such as Docker Hub's short ones, is nobody's: it is not guessed where it would lead."""
        mine = [images for images in self.by_images if _covers(images, image)]
        if not mine:
            return None
        return self.by_images[max(mine, key=len)].exists(image.partition("/")[2], digest)


def _covers(images: str, image: str) -> bool:
    return image.startswith(images) if images.endswith("/") else image == images
