"""`image`: a digest that is newly pinned exists in its registry, and is built for the platforms that are wanted.

What is found depends on the image alone and not on the file that pins it, so the next ring does not ask again."""

from collections.abc import Iterator

from bot.validators.base import Bench, Change, Part, Skipped, Told, Validator, bounded
from bot.validators.pins import compared
from policies.findings import Finding
from policies.wording.quote import listed

NAME = "image"


def parts(change: Change) -> Iterator[Part]:
    """A part for each image and digest that the change brings, with the digests that it replaces."""
    brought: dict[tuple[str, str], set[str]] = {}
    for target in change.targets:
        before = {(pin.repository, pin.digest) for pin in target.pins_before if pin.digest is not None}
        for pin, is_new in compared(target):
            if is_new and pin.digest is not None and (pin.repository, pin.digest) not in before:
                replaced = {digest for name, digest in before if name == pin.repository}
                brought.setdefault((pin.repository, pin.digest), set()).update(replaced)
    for (repository, digest), replaced in brought.items():
        compares = () if change.rules.checks.image.platforms else sorted(replaced)
        yield Part(f"{repository}@{digest}", (repository, digest, *compares))


def check(change: Change, part: Part, bench: Bench) -> Told:
    """Raises what the registry's failures are, so that nothing is known then (S16)."""
    repository, digest, *replaced = part.inputs
    exists = bench.registries.exists(repository, digest)
    if exists is None:
        raise Skipped(f"no registry is configured for {repository}")
    if not exists:
        return Told((Finding(f"{repository} has no image {digest} in its registry", rule="missing"),))
    wanted, why = _wanted(change, bench, repository, replaced)
    if not wanted:
        return Told()
    built = bench.registries.platforms(repository, digest)
    if built is None:
        raise Skipped(f"the registry cannot tell for which platforms {repository} is built")
    found = (_missing(repository, one, built, why) for one in wanted if not _covered(one, built))
    return Told(bounded(found))


def _wanted(change: Change, bench: Bench, repository: str, replaced: list[str]) -> tuple[tuple[str, ...], str]:
    """The platforms that there must be, and who wants them."""
    named = change.rules.checks.image.platforms
    if named:
        return named, "which policy wants"
    told = (bench.registries.platforms(repository, digest) for digest in replaced)
    known = {platform for platforms in told for platform in platforms or ()}
    return tuple(sorted(known)), "for which the image is that it replaces"


def _covered(wanted: str, built: tuple[str, ...]) -> bool:
    """`linux/arm` is covered by any variant of it; `linux/arm/v7` by itself alone; see `platforms` for arm64's v8."""
    wanted = "linux/arm64" if wanted == "linux/arm64/v8" else wanted
    return any(one == wanted or one.startswith(f"{wanted}/") for one in built)


def _missing(repository: str, platform: str, built: tuple[str, ...], why: str) -> Finding:
    message = f"{repository} is not built for {platform}, {why}; it is for {listed(built) or 'none'}"
    return Finding(message, rule="platform")


VALIDATOR = Validator(NAME, "new digests exist in their registry, for the platforms wanted", parts, check, asks=True)
