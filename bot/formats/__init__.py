"""File formats: which places of a text pin an image, and the exact edit of them."""

from collections.abc import Mapping
from typing import Protocol

from bot.formats import helm_values
from bot.formats.refusals import Reason, Refused
from policies.model import Image, Pin

__all__ = ["FORMATS", "Format", "Reason", "Refused"]


class Format(Protocol):
    """A format is a module of two functions."""

    def pins(self, text: bytes) -> tuple[Pin, ...]:
        """Every place that pins an image, in file order; Refused where the text cannot be read."""
        ...

    def set_images(self, text: bytes, images: Mapping[str, Image]) -> bytes:
        """The text with these digests (repository to image), else unchanged; Refused where that is not exact."""
        ...


FORMATS: Mapping[str, Format] = {"helm-values": helm_values}
"""Name in `towpath.yaml` to format."""
