"""`registries`: images come from the registries that policy names."""

from collections.abc import Iterator

from bot.validators.base import Bench, Change, Part, Skipped, Told, Validator, bounded
from bot.validators.pins import compared, is_ours, pin_parts
from policies.findings import Finding, Severity
from policies.wording.quote import listed

NAME = "registries"


def parts(change: Change) -> Iterator[Part]:
    """The touched targets that pin something, where policy names registries at all."""
    return pin_parts(change) if change.services.registries else iter(())


def check(change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001 # as all are called
    """An error for an image that the change brings; a note for one that stood there before."""
    target, services = part.target, change.services
    if target is None:
        raise Skipped("there is no target to look at")
    foreign = ((pin, is_new) for pin, is_new in compared(target) if not is_ours(services, pin.repository))
    allowed = listed(services.registries)
    return Told(
        bounded(
            Finding(
                f"{pin.repository} is of none of the allowed registries: {allowed}",
                Severity.error if is_new else Severity.note,
                target.path,
                pin.line,
                "registry",
            )
            for pin, is_new in foreign
        )
    )


VALIDATOR = Validator(NAME, "images are of `services.registries` alone", parts, check)
