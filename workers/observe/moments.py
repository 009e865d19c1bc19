"""The unit's history: what its places pinned at each first-parent commit that changed some of them."""

from collections.abc import Iterable, Sequence

from bot.formats import Format
from bot.git import Mirror
from policies import trailers
from policies.model import Sighting, Trouble
from policies.order import BARE_TAG
from policies.snapshot import Moment, Place
from workers.observe.inventory import Inventories, Inventory

FAR_BACK = 5000
"""How many first-parent commits are looked through. A revert further back than this is forgotten."""
UNREADABLE = "unreadable"
"""How a moment writes a place whose file could not be read then: equal to no digest."""


def moments(
    mirror: Mirror, inventories: Inventories, inventory: Inventory, format_: Format, places: tuple[Place, ...]
) -> tuple[Moment, ...]:
    """The moments of a unit whose places now are `places`, newest first."""
    paths = tuple(dict.fromkeys(path for path, _ in places))
    entries = mirror.history(inventory.commit, paths, FAR_BACK)
    return tuple(
        Moment(
            entry.commit, _pins(mirror, inventories, inventory, format_, places, zip(paths, entry.blobs, strict=True))
        )
        for entry in entries
    )


def _pins(
    mirror: Mirror,
    inventories: Inventories,
    inventory: Inventory,
    format_: Format,
    places: tuple[Place, ...],
    blobs: Iterable[tuple[str, str | None]],
) -> dict[Place, str]:
    pins: dict[Place, str] = {}
    for path, blob in blobs:
        if blob is None:
            continue
        parsed = inventories.blobs.pins(mirror, format_, inventory.services.format, blob)
        if isinstance(parsed, Trouble):
            pins |= {place: UNREADABLE for place in places if place[0] == path}
            continue
        for place in places:
            found = {pin.digest or f"{BARE_TAG}{pin.tag or ''}" for pin in parsed if (path, pin.repository) == place}
            if found:
                pins[place] = "|".join(sorted(found))
    return pins


def recorded(mirror: Mirror, entries: Iterable[Moment], keys: Sequence[bytes]) -> list[Sighting]:
    """What the trailers of these commits, and of the heads that they merged, say of images."""
    found: list[Sighting] = []
    for entry in entries:
        for commit in (entry.commit, *mirror.parents(entry.commit)[1:2]):
            record = trailers.unsealed(mirror.message(commit), keys)
            found.extend(record.sightings if record is not None else ())
    return found
