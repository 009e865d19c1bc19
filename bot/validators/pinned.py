"""`pinned`: images by digest, which never moves, and no tag `latest`, which says nothing."""

from collections.abc import Iterator

from bot.validators.base import Bench, Change, Part, Skipped, Told, Validator, bounded
from bot.validators.pins import compared, is_ours, pin_parts
from policies.findings import Finding, Severity
from policies.model import Pin

NAME = "pinned"
LATEST = "latest"


def check(change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001 # as all are called
    """An error for what the change brings; a note for what stood there before, and for images that are not ours."""
    if part.target is None:
        raise Skipped("there is no target to look at")
    return Told(bounded(_findings(change, part.target.path, compared(part.target))))


def _findings(change: Change, path: str, pins: Iterator[tuple[Pin, bool]]) -> Iterator[Finding]:
    for pin, is_new in pins:
        if (pin.tag or "").lower() == LATEST:
            message = f"{pin.repository} has the tag {pin.tag}, which tells nobody what runs"
            yield Finding(message, _severity(is_new), path, pin.line, "latest")
        if pin.digest is None:
            message = f"{pin.repository} is pinned by {_how(pin)}, not by a digest"
            yield Finding(
                message, _severity(is_new and is_ours(change.services, pin.repository)), path, pin.line, "bare"
            )


def _severity(counts: bool) -> Severity:
    return Severity.error if counts else Severity.note


def _how(pin: Pin) -> str:
    return "nothing" if pin.tag is None else f"the tag {pin.tag}"


VALIDATOR = Validator(NAME, "images are pinned by digest, and no tag is `latest`", pin_parts, check)
