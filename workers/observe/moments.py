"""The unit's history: what its places pinned at each first-parent commit that changed some of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from bot.git import Mirror
from policies import trailers
from policies.model import Pin, Sighting, Trouble
from policies.order import BARE_TAG, UNREADABLE
from policies.snapshot import Moment, Place
from workers.observe.inventory import Parsed

FAR_BACK = 5000
"""How many first-parent commits are looked through. A revert further back than this is forgotten."""


def moments(
    mirror: Mirror, parsed: Callable[[str], Parsed], commit: str, places: tuple[Place, ...]
) -> tuple[Moment, ...]:
    """The moments of a unit whose places now are `places`, newest first; `parsed` knows what a blob pins."""
    paths = tuple(dict.fromkeys(path for path, _ in places))
    return tuple(
        Moment(entry.commit, _pins(parsed, places, dict(zip(paths, entry.blobs, strict=True))), entry.at)
        for entry in mirror.history(commit, paths, FAR_BACK)
    )


def _pins(
    parsed: Callable[[str], Parsed], places: tuple[Place, ...], blobs: Mapping[str, str | None]
) -> dict[Place, str]:
    known = {path: parsed(blob) for path, blob in blobs.items() if blob is not None}
    pins: dict[Place, str] = {}
    for path, repository in places:
        found = known.get(path, ())
        if isinstance(found, Trouble):
            pins[path, repository] = UNREADABLE
        elif words := {_word(pin) for pin in found if pin.repository == repository}:
            pins[path, repository] = "|".join(sorted(words))
    return pins


def _word(pin: Pin) -> str:
    return pin.digest or f"{BARE_TAG}{pin.tag or ''}"


def recorded(mirror: Mirror, entries: Iterable[Moment], keys: Sequence[bytes]) -> list[Sighting]:
    """What the trailers of these commits, and of the heads that they merged, say of images."""
    found: list[Sighting] = []
    for entry in entries:
        for commit in (entry.commit, *mirror.parents(entry.commit)[1:2]):
            record = trailers.unsealed(mirror.message(commit), keys)
            found.extend(record.sightings if record is not None else ())
    return found
