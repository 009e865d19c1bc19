"""Sightings of one digest unite to one, whatever their order (R2)."""

from collections.abc import Iterable
from dataclasses import replace

from policies.model import Image, Sighting
from policies.trailers import NEVER


def unite(first: Sighting, second: Sighting) -> Sighting:
    """What two sightings of one digest say together: the earlier time, all tags and revisions, else the first."""
    early, late = sorted((first, second), key=_age)
    return Sighting(
        Image(early.image.repository, early.image.digest, early.image.tag or late.image.tag),
        early.seen_at,
        tuple(dict.fromkeys((*early.tags, *late.tags))),
        early.revision or late.revision,
        tuple(dict.fromkeys((*early.revisions, *late.revisions))),
        early.source or late.source,
        early.created or late.created,
        {**late.links, **early.links},
    )


def _age(one: Sighting) -> tuple[object, ...]:
    # Equal times are common (Redis and a trailer tell of one announcement): the rest makes the order one that holds.
    rest = (str(one.image.tag), one.tags, str(one.revision), one.revisions, str(one.source), str(one.created))
    return one.seen_at == NEVER, one.seen_at, *rest, sorted(one.links.items())


def united(sightings: Iterable[Sighting]) -> dict[tuple[str, str], Sighting]:
    """(repository, digest) to what all these sightings say of it."""
    found: dict[tuple[str, str], Sighting] = {}
    for sighting in sorted(sightings, key=_age):
        key = (sighting.image.repository, sighting.image.digest)
        found[key] = unite(found[key], sighting) if key in found else sighting
    return found


def announced(sighting: Sighting) -> Sighting:
    """A fresh announcement, with its revision among the revisions and its own time where that is earlier."""
    revisions = (sighting.revision,) if sighting.revision else ()
    time = min(sighting.created, sighting.seen_at) if sighting.created is not None else sighting.seen_at
    return replace(sighting, seen_at=time, revisions=tuple(dict.fromkeys((*sighting.revisions, *revisions))))
