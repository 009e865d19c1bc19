"""Rule 2, never backwards: which of two digests of one image is the older one (S18)."""

from enum import StrEnum

from policies import tags
from policies.snapshot import Moment, Place, Snapshot
from policies.trailers import NEVER

GATE = "order"
BARE_TAG = "tag:"
"""How a moment writes a pin that has no digest."""


UNREADABLE = "unreadable"
"""How a moment writes a place whose file could not be read then: equal to no digest."""


class Order(StrEnum):
    """How a digest stands to the one that is pinned."""

    same = "same"
    newer = "newer"
    older = "older"
    unknown = "unknown"


def compare(snapshot: Snapshot, repository: str, new: str, pinned: str, rule: str | None = None) -> Order:
    """How `new` stands to `pinned`: by version where the source says so, then by first sighting, then by Git's history.

    A source revision that is an ancestor of the pinned one is older, whatever was seen first; a diverged one is
    unknown. Asks `Between` only where the answer could turn *newer* into something else."""
    if new == pinned:
        return Order.same
    order = _by_version(snapshot, repository, new, pinned, rule) or _by_sighting(snapshot, repository, new, pinned)
    if order is Order.newer:
        return _by_ancestry(snapshot, repository, new, pinned)
    return order


def left_behind(snapshot: Snapshot, place: Place, digest: str) -> bool:
    """Whether a place once pinned the digest and no longer does."""
    now, *before = pins_at(snapshot, place)
    return now != digest and digest in before


def went_back(snapshot: Snapshot, place: Place, digest: str) -> bool:
    """Whether a place left the digest for something that it had pinned before: a revert."""
    pins = [pin for pin in pins_at(snapshot, place) if pin not in (None, UNREADABLE)]
    return any(
        pin == digest and index > 0 and pins[index - 1] in pins[index + 1 :] and pins[index - 1] != digest
        for index, pin in enumerate(pins)
    )


def pins_at(snapshot: Snapshot, place: Place) -> tuple[str | None, ...]:
    """What a place pinned, newest first, each run of equal pins once; at least one entry."""
    pins: list[str | None] = []
    for moment in snapshot.moments:
        pin = moment.pins.get(place)
        if not pins or pins[-1] != pin:
            pins.append(pin)
    return tuple(pins) or (None,)


def _by_version(snapshot: Snapshot, repository: str, new: str, pinned: str, rule: str | None) -> Order | None:
    if not tags.ordered_by_version(rule):
        return None
    versions = [
        max((found for tag in _tags(snapshot, repository, pin) if (found := tags.version(tag))), default=None)
        for pin in (new, pinned)
    ]
    if versions[0] is None or versions[1] is None or versions[0] == versions[1]:
        return None
    return Order.newer if versions[0] > versions[1] else Order.older


def _tags(snapshot: Snapshot, repository: str, pin: str) -> tuple[str, ...]:
    if pin.startswith(BARE_TAG):
        return (pin.removeprefix(BARE_TAG),)
    sighting = snapshot.sightings.get((repository, pin))
    return sighting.tags if sighting else ()


def _by_sighting(snapshot: Snapshot, repository: str, new: str, pinned: str) -> Order:
    if pinned.startswith(BARE_TAG):
        return Order.newer
    first, second = (snapshot.sightings.get((repository, digest)) for digest in (new, pinned))
    if first is not None and second is not None and NEVER not in (first.seen_at, second.seen_at):
        # Equal times happen where senders round them; the digest then decides, so that both orders agree.
        return Order.newer if (first.seen_at, new) > (second.seen_at, pinned) else Order.older
    return _by_history(snapshot, repository, new, pinned)


def _by_history(snapshot: Snapshot, repository: str, new: str, pinned: str) -> Order:
    ages = [_age(snapshot, repository, digest) for digest in (new, pinned)]
    if ages[1] is None or (ages[0] is None and _came_by_hand(snapshot, repository, new, pinned, ages[1])):
        return Order.unknown
    if ages[0] is None or ages[0] < ages[1]:
        return Order.newer
    return Order.unknown if ages[0] == ages[1] else Order.older


def _came_by_hand(snapshot: Snapshot, repository: str, new: str, pinned: str, age: int) -> bool:
    """Whether nobody announced the pinned digest and it took another's place after the new one was seen."""
    sighting, told = (snapshot.sightings.get((repository, digest)) for digest in (new, pinned))
    if sighting is None or (told is not None and told.seen_at != NEVER):
        return False
    for index in range(min(age, len(snapshot.moments) - 2), -1, -1):
        moment, before = snapshot.moments[index : index + 2]
        if _replaces(moment, before, repository, pinned):
            return moment.at >= sighting.seen_at
    return False


def _replaces(moment: Moment, before: Moment, repository: str, digest: str) -> bool:
    """Whether the digest took another's place then."""
    return any(
        place[1] == repository and pin == digest and before.pins.get(place) not in (None, digest)
        for place, pin in moment.pins.items()
    )


def _age(snapshot: Snapshot, repository: str, digest: str) -> int | None:
    """How many moments ago the digest first stood anywhere in Git; None where it never did."""
    seen = [
        index
        for index, moment in enumerate(snapshot.moments)
        if any(place[1] == repository and pin == digest for place, pin in moment.pins.items())
    ]
    return max(seen, default=None)


def _by_ancestry(snapshot: Snapshot, repository: str, new: str, pinned: str) -> Order:
    first, second = (snapshot.sightings.get((repository, digest)) for digest in (new, pinned))
    if first is None or second is None or first.source is None or first.source != second.source:
        return Order.newer
    if first.revision is None or second.revision is None or first.revision in (second.revision, *second.revisions):
        return Order.newer
    added = snapshot.between(first.source, second.revision, first.revision)
    lost = snapshot.between(first.source, first.revision, second.revision)
    if added and lost:
        return Order.unknown
    return Order.older if lost else Order.newer
