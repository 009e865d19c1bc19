"""Which release a word means, what a stage runs, and what it ran before: from Git's history and what was published."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from policies.commands.model import Declined
from policies.model import DIGEST, Image, Release, Sighting
from policies.order import BARE_TAG, Order, compare
from policies.snapshot import Moment, Snapshot, StageView
from policies.wanted import places_of, release_of, source_rule
from policies.wording.quote import code, listed
from policies.wording.steering import named

_HEX = re.compile(r"(?:sha256:)?([0-9a-f]{12,64})")


def running(snapshot: Snapshot, view: StageView) -> Release | None:
    """What all targets of a stage pin together now; None where they differ."""
    return _together(snapshot, snapshot.moments[0], view, moved(snapshot, view)) if snapshot.moments else None


def runs(snapshot: Snapshot, view: StageView, release: Release) -> bool:
    """Whether every place of a stage that the release speaks of pins it now."""
    places = places_of(view, release)
    return bool(places) and all(snapshot.moments[0].pins.get(place) == digest for place, digest in places)


def pins(snapshot: Snapshot, view: StageView, repository: str) -> tuple[str, ...]:
    """What the places of one image pin now, each once."""
    now = snapshot.moments[0].pins
    return tuple(dict.fromkeys(now[place] for place in view.places if place[1] == repository and place in now))


def moved(snapshot: Snapshot, view: StageView) -> tuple[str, ...]:
    """The images of a stage that are pinned by digest: a bare tag is no release."""
    return tuple(
        one for one in view.repositories if not any(pin.startswith(BARE_TAG) for pin in pins(snapshot, view, one))
    )


def history(snapshot: Snapshot, view: StageView) -> tuple[Release, ...]:
    """The releases that a stage ran, newest first, each once."""
    images = moved(snapshot, view)
    found = (_together(snapshot, moment, view, images) for moment in snapshot.moments)
    return _distinct(release for release in found if release is not None)


def known(snapshot: Snapshot, view: StageView) -> tuple[Release, ...]:
    """Every release that could be meant for a stage: what any stage pins or pinned, what is open or published."""
    images = moved(snapshot, view)
    ran = (_together(snapshot, moment, one, images) for one in snapshot.stages for moment in snapshot.moments)
    opened = (within(one.release, view) for one in snapshot.promotions if one.release is not None)
    found = (*opened, *ran, *_published(snapshot, view, images))
    return _distinct(one for one in found if one is not None and one.images)


def is_newer(snapshot: Snapshot, view: StageView, release: Release) -> bool:
    """Whether some image of a release is newer than all that the stage pins of it now (S18)."""
    rule = source_rule(snapshot, view.stage)
    there = ((image, pins(snapshot, view, image.repository)) for image in release.images)
    return any(
        pinned and all(compare(snapshot, one.repository, one.digest, pin, rule) is Order.newer for pin in pinned)
        for one, pinned in there
    )


def within(release: Release, view: StageView) -> Release | None:
    """The part of a release that a stage pins; None where that is nothing."""
    images = [image for image in release.images if image.repository in view.repositories]
    return release_of(images) if images else None


def meant(snapshot: Snapshot, found: Sequence[Release], word: str) -> Release:
    """The one release among these that a digest, a tag or a release's name means; Declined where it is not one."""
    chosen = matching(snapshot, found, word)
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        raise Declined(f"{code(word)} could be {listed(tuple(_digests(one) for one in chosen))}: name the digest.")
    tags = tuple(dict.fromkeys(tag for release in found for image in release.images for tag in _tags(snapshot, image)))
    near = get_close_matches(word, tags, n=1, cutoff=0.6)
    otherwise = f"; did you mean {code(near[0])}?" if near else ": it was neither announced, nor ever pinned here."
    raise Declined(f"No release {code(word)} of {code(snapshot.unit)} is known{otherwise}")


def matching(snapshot: Snapshot, found: Sequence[Release], word: str) -> list[Release]:
    """The releases that a word could mean: those that it means with all their images, else with some."""
    some = [release for release in found if any(_fits(snapshot, release, word))]
    return [release for release in some if all(_fits(snapshot, release, word))] or some


def is_digest(image: Image, word: str) -> bool:
    """Whether a word is an image's digest, or at least its first twelve digits."""
    digits = _HEX.fullmatch(word.lower())
    return digits is not None and image.digest.removeprefix("sha256:").startswith(digits[1])


def tag_of(snapshot: Snapshot, repository: str, digest: str) -> str | None:
    """How people call a digest."""
    sighting = snapshot.sightings.get((repository, digest))
    if sighting is not None and sighting.image.tag:
        return sighting.image.tag
    return next(iter(_written(snapshot, repository, digest)), None)


def image_of(snapshot: Snapshot, repository: str, digest: str) -> Image:
    """The image with its tag."""
    return Image(repository, digest, tag_of(snapshot, repository, digest))


def _written(snapshot: Snapshot, repository: str, digest: str) -> list[str]:
    found = (target.pin for view in snapshot.stages for target in view.targets)
    return [pin.tag for pin in found if (pin.repository, pin.digest) == (repository, digest) and pin.tag]


def _together(snapshot: Snapshot, moment: Moment, view: StageView, images: tuple[str, ...]) -> Release | None:
    found = []
    for repository in images:
        places = (place for place in view.places if place[1] == repository and place in moment.pins)
        there = {moment.pins[place] for place in places}
        if len(there) != 1 or not DIGEST.match(next(iter(there))):
            return None
        found.append(image_of(snapshot, repository, next(iter(there))))
    return release_of(found) if found else None


def _published(snapshot: Snapshot, view: StageView, images: tuple[str, ...]) -> list[Release]:
    """A release for each published image, with the other images of the same revision, or as the stage pins them."""
    found = []
    for sighting in snapshot.sightings.values():
        if sighting.image.repository in images:
            others = [_beside(snapshot, view, sighting, one) for one in images if one != sighting.image.repository]
            if None not in others:
                found.append(release_of([sighting.image, *(one for one in others if one is not None)]))
    return found


def _beside(snapshot: Snapshot, view: StageView, sighting: Sighting, repository: str) -> Image | None:
    revisions = {sighting.revision, *sighting.revisions} - {None}
    same = [
        one.image
        for (name, _), one in snapshot.sightings.items()
        if name == repository and revisions & {one.revision, *one.revisions}
    ]
    if same:
        return same[0] if len(same) == 1 else None
    present = pins(snapshot, view, repository)
    apart = snapshot.policy.services.images == "apart" and len(present) == 1
    return image_of(snapshot, repository, present[0]) if apart else None


def _fits(snapshot: Snapshot, release: Release, word: str) -> list[bool]:
    """For each image, whether the word means it."""
    if word.lower() == release.name:
        return [True]
    return [is_digest(image, word) or word in _tags(snapshot, image) for image in release.images]


def _tags(snapshot: Snapshot, image: Image) -> tuple[str, ...]:
    sighting = snapshot.sightings.get((image.repository, image.digest))
    announced = sighting.tags if sighting is not None else ()
    found = (image.tag, *announced, *_written(snapshot, image.repository, image.digest))
    return tuple(dict.fromkeys(tag for tag in found if tag))


def _digests(release: Release) -> str:
    return f"{named(release)}, {listed(tuple(code(image.digest) for image in release.images))}"


def _distinct(found: Iterable[Release]) -> tuple[Release, ...]:
    """Each release once, where it stands first."""
    return tuple(dict.fromkeys(found))
