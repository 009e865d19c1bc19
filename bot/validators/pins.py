"""Which pins a change brings, and which stood there before it: nobody is blocked for what another left behind."""

from collections import Counter
from collections.abc import Iterator

from bot.validators.base import Change, Part, Target, target_parts
from policies.config import Services
from policies.model import Pin


def compared(target: Target) -> Iterator[tuple[Pin, bool]]:
    """Each pin of a target with whether it is new or changed; that it moved to another line is no change."""
    left = Counter(_said(pin) for pin in target.pins_before)
    for pin in target.pins:
        stood = left[_said(pin)] > 0
        left[_said(pin)] -= stood
        yield pin, not stood


def _said(pin: Pin) -> tuple[str, str | None, str | None]:
    return pin.repository, pin.digest, pin.tag


def is_ours(services: Services, repository: str) -> bool:
    """Whether policy speaks of this image: it is of `services.registries`, or none are named."""
    return not services.registries or repository.startswith(services.registries)


def pin_parts(change: Change) -> Iterator[Part]:
    """A part for each target that the change touches and that pins an image."""
    touched = set(change.paths)
    for part in target_parts(change):
        if part.target is not None and part.target.pins and part.subject in touched:
            yield Part(part.subject, (*part.inputs, *change.services.registries), part.target)
