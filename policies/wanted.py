"""Rule 1, wanted: the release that a stage should have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policies import tags
from policies.config import Stage
from policies.gates import quarantine
from policies.model import DIGEST, Image, Release, Sighting
from policies.order import BARE_TAG, Order, compare, went_back
from policies.snapshot import Moment, Place, Snapshot, StageView
from policies.state import Asked
from policies.trailers import NEVER
from policies.verdict import Verdict, block, wait
from policies.wording.quote import code, listed

GATE = "wanted"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release, the stage that it comes from (None: the world), and what still holds a newer one back."""

    release: Release
    upstream: str | None
    remark: str = ""
    asked: Asked | None = None
    """Who asked for it, where a person did."""


def release_of(images: Iterable[Image]) -> Release:
    """The release of these images, in the one order that makes equal releases equal."""
    return Release(tuple(sorted(images, key=lambda image: image.repository)))


def wanted(snapshot: Snapshot, view: StageView) -> Wanted | Verdict:
    """The wanted release of a stage, or why there is none."""
    earlier = _after(snapshot, view.stage)
    if isinstance(earlier, Verdict):
        return earlier
    if not earlier:
        return _healthy_candidate(snapshot, view)
    return _from_upstream(snapshot, view, earlier)


def entry_stages(snapshot: Snapshot) -> tuple[StageView, ...]:
    """The stages into which published images enter."""
    return tuple(view for view in snapshot.stages if view.targets and _after(snapshot, view.stage) == ())


def _after(snapshot: Snapshot, stage: Stage) -> tuple[StageView, ...] | Verdict:
    found: list[StageView] = []
    for name in stage.after:
        view = snapshot.view(name)
        if view.targets or view.troubles:
            found.append(view)
        elif stage.absent == "block":
            return block(
                GATE,
                f"{name} has no target of {code(snapshot.unit)}",
                f"add {code(snapshot.unit)} to {name}, or set `absent: pass` in {stage.name}",
            )
        else:
            further = _after(snapshot, view.stage.model_copy(update={"absent": "pass"}))
            found.extend(further if not isinstance(further, Verdict) else ())
    return tuple({view.stage.name: view for view in found}.values())


def source_rule(snapshot: Snapshot, stage: Stage) -> str | None:
    """The tag rule by which images enter the path to a stage: its own, or that of the first stages before it."""
    if not stage.after:
        return stage.source.tags
    rules = (source_rule(snapshot, snapshot.view(name).stage) for name in stage.after)
    return next((rule for rule in rules if rule is not None), None)


# The candidate of a first stage: today's pins and the newest admissible published images.


def _healthy_candidate(snapshot: Snapshot, view: StageView) -> Wanted | Verdict:
    """The newest candidate that is not quarantined: looking past the bad images, as if nobody had published them."""
    out: frozenset[tuple[str, str]] = frozenset()
    while True:
        found = _candidate(snapshot, view, out)
        bad = quarantine.of(snapshot, view.stage.name, found.release) if isinstance(found, Wanted) else None
        if bad is None or isinstance(found, Verdict):
            return found
        if out.issuperset(bad.images.items()):
            return quarantine.judge(found.release, bad)
        out |= frozenset(bad.images.items())


def _candidate(snapshot: Snapshot, view: StageView, out: frozenset[tuple[str, str]]) -> Wanted | Verdict:
    rule = source_rule(snapshot, view.stage)
    known = {name: _admissible(snapshot, name, rule, out) for name in view.repositories}
    if not any(known.values()):
        return wait(GATE, "no admissible image has been published", "publish one" + _rule_words(rule))
    together = snapshot.policy.services.images == "together" and len(view.repositories) > 1
    chosen, remark = _one_revision(known) if together else (_newest_of_each(known, rule), "")
    if not chosen and remark:
        return wait(GATE, remark, "publish the missing image, or set `images: apart`")
    orders = {sighting.image: _orders(snapshot, view, sighting.image, rule) for sighting in chosen}
    unknown = [image for image, found in orders.items() if Order.unknown in found]
    if unknown:
        return _ask(unknown[0])
    newer = [image for image, found in orders.items() if Order.older not in found]
    if together and len(newer) < len(orders):
        newer = []  # A part of the service is ahead already: to move the rest alone would mix two revisions.
    images = {image.repository: image for image in (*_present_pins(snapshot, view), *newer)}
    if not images:
        return wait(GATE, "nothing newer than what is pinned has been published", "publish a newer image")
    return Wanted(release_of(images.values()), None, remark)


def _orders(snapshot: Snapshot, view: StageView, image: Image, rule: str | None) -> list[Order]:
    pinned = _pins_now(snapshot, view, image.repository)
    return [compare(snapshot, image.repository, image.digest, pin, rule) for pin in pinned]


def _admissible(
    snapshot: Snapshot, repository: str, rule: str | None, out: frozenset[tuple[str, str]]
) -> tuple[Sighting, ...]:
    known = [one for key, one in snapshot.sightings.items() if key[0] == repository and key not in out]
    found = [one for one in known if one.seen_at > NEVER]  # what only Git knows of was pinned by hand, never announced
    return tuple(
        Sighting(
            Image(repository, sighting.image.digest, tags.admitted(rule, sighting.tags) or sighting.image.tag),
            sighting.seen_at,
            sighting.tags,
            sighting.revision,
            sighting.revisions,
            sighting.source,
            sighting.created,
            sighting.links,
        )
        for sighting in found
        if rule is None or tags.admitted(rule, sighting.tags)
    )


def _newest_of_each(known: dict[str, tuple[Sighting, ...]], rule: str | None) -> tuple[Sighting, ...]:
    return tuple(max(sightings, key=lambda one: _rank(one, rule)) for sightings in known.values() if sightings)


def _rank(sighting: Sighting, rule: str | None) -> tuple[object, ...]:
    version = tags.version(sighting.image.tag) if tags.ordered_by_version(rule) else None
    return (version, sighting.seen_at, sighting.image.digest) if version else (sighting.seen_at, sighting.image.digest)


def _one_revision(known: dict[str, tuple[Sighting, ...]]) -> tuple[tuple[Sighting, ...], str]:
    """The newest images that all carry one source revision, and what the newest revision still waits for."""
    by_revision: dict[str, dict[str, Sighting]] = {}
    for repository, sightings in known.items():
        for sighting in sorted(sightings, key=lambda one: (one.seen_at, one.image.digest)):
            for revision in dict.fromkeys((*sighting.revisions, sighting.revision)):
                if revision is not None:
                    by_revision.setdefault(revision, {})[repository] = sighting
    nameless = [one for sightings in known.values() for one in sightings if one.revision is None]
    if not by_revision and nameless:
        return (), (
            f"{code(nameless[0].image.repository)} was published without a source revision, "
            "so its fellow images cannot be told"
        )
    latest = max(by_revision, key=lambda one: _completed(by_revision[one]))
    missing = [repository for repository in known if repository not in by_revision[latest]]
    waiting = listed(tuple(code(repository) for repository in missing))
    remark = f"revision {code(latest[:12])} waits for {waiting}" if missing else ""
    whole = [revision for revision, images in by_revision.items() if len(images) == len(known)]
    if not whole:
        return (), remark
    newest = max(whole, key=lambda one: _completed(by_revision[one]))
    return tuple(by_revision[newest].values()), remark


def _completed(images: dict[str, Sighting]) -> tuple[object, ...]:
    return max((sighting.seen_at, sighting.image.digest) for sighting in images.values())


def _present_pins(snapshot: Snapshot, view: StageView) -> tuple[Image, ...]:
    """The digests that all of the stage's targets agree on."""
    images = []
    for repository in view.repositories:
        pins = _pins_now(snapshot, view, repository)
        if len(pins) == 1 and DIGEST.match(pins[0]):
            images.append(Image(repository, pins[0], _tag_of(snapshot, view, repository, pins[0])))
    return tuple(images)


def _pins_now(snapshot: Snapshot, view: StageView, repository: str) -> tuple[str, ...]:
    now = snapshot.moments[0].pins
    return tuple(dict.fromkeys(now[place] for place in view.places if place[1] == repository and place in now))


def _tag_of(snapshot: Snapshot, view: StageView, repository: str, digest: str) -> str | None:
    sighting = snapshot.sightings.get((repository, digest))
    written = (target.pin.tag for target in view.targets if target.pin.digest == digest)
    return next(written, None) or (sighting.image.tag if sighting else None)


def _ask(image: Image) -> Verdict:
    return block(
        GATE,
        f"whether {code(image.tag or image.digest[:19])} of {code(image.repository)} is newer than what is pinned "
        "cannot be told: neither was seen first, or their source revisions diverged",
        "publish an image built from a later revision",
    )


def _rule_words(rule: str | None) -> str:
    return f" with a tag that fits {code(rule)}" if rule else ""


# The release of any other stage: the newest that all upstream stages pinned and kept.


def _from_upstream(snapshot: Snapshot, view: StageView, earlier: tuple[StageView, ...]) -> Wanted | Verdict:
    for upstream in earlier:
        if upstream.troubles:
            reason = f"{upstream.stage.name} has a file that cannot be read: {code(upstream.troubles[0].path)}"
            return block(GATE, reason, "mend that file")
    histories = [_releases(snapshot, upstream, view.repositories) for upstream in earlier]
    for upstream, releases in zip(earlier, histories, strict=True):
        if not releases:
            return _nothing_upstream(snapshot, upstream, view)
    common = [release for release in histories[0] if all(release in releases for releases in histories[1:])]
    if not common:
        names = " and ".join(upstream.stage.name for upstream in earlier)
        return wait(GATE, f"{names} have not had one release in common", "let them reach the same release")
    bad: list[Verdict] = []
    for release in common:
        why = quarantine.of(snapshot, view.stage.name, release)
        named = _with_tags(snapshot, earlier[0], release)
        if why is None:
            return Wanted(named, earlier[0].stage.name)
        bad.append(quarantine.judge(named, why))
    return bad[0]


def _releases(snapshot: Snapshot, upstream: StageView, repositories: tuple[str, ...]) -> list[Release]:
    """The releases that all of the stage's targets pinned together, newest first, without the reverted ones."""
    found: list[Release] = []
    for moment, gone in zip(snapshot.moments, _gone(snapshot.moments), strict=True):
        release = _pinned_together(moment, upstream, repositories) if gone.isdisjoint(upstream.places) else None
        if release is not None and release not in found and not _reverted(snapshot, upstream, release):
            found.append(release)
    return found


def _gone(moments: Sequence[Moment]) -> list[frozenset[Place]]:
    """For each moment the places that were there before it but not then: moved or removed for a while.

    A place that did not exist yet cannot speak against a release; one that was only away can."""
    gone: list[frozenset[Place]] = []
    seen: set[Place] = set()
    for moment in reversed(moments):
        gone.append(frozenset(seen.difference(moment.pins)))
        seen.update(moment.pins)
    return gone[::-1]


def _pinned_together(moment: Moment, view: StageView, repositories: tuple[str, ...]) -> Release | None:
    images = []
    for repository in repositories:
        places = [place for place in view.places if place[1] == repository and place in moment.pins]
        pins = {moment.pins[place] for place in places}
        if len(pins) != 1 or not DIGEST.match(next(iter(pins))):
            return None
        images.append(Image(repository, next(iter(pins))))
    return release_of(images) if images else None


def _reverted(snapshot: Snapshot, view: StageView, release: Release) -> bool:
    now = snapshot.moments[0].pins
    return any(
        now.get(place) != digest and went_back(snapshot, place, digest) for place, digest in places_of(view, release)
    )


def places_of(view: StageView, release: Release) -> tuple[tuple[Place, str], ...]:
    """The stage's places that the release speaks of, with the digest that each should pin."""
    digests = release.digests
    return tuple((place, digests[place[1]]) for place in view.places if place[1] in digests)


def is_done(snapshot: Snapshot, view: StageView, release: Release) -> bool:
    """Whether all of the stage's targets pin the release now."""
    now = snapshot.moments[0].pins
    return all(now.get(place) == digest for place, digest in places_of(view, release))


def _nothing_upstream(snapshot: Snapshot, upstream: StageView, view: StageView) -> Verdict:
    name = upstream.stage.name
    for repository in view.repositories:
        pins = _pins_now(snapshot, upstream, repository)
        if not pins:
            return block(
                GATE,
                f"{name} does not pin {code(repository)}",
                f"pin it in {name}, or take it out of {view.stage.name}",
            )
        if any(pin.startswith(BARE_TAG) for pin in pins):
            return wait(
                GATE,
                f"{name} pins {code(repository)} by tag only: digests move, never bare tags",
                f"publish {code(repository)}, or write its digest in {name}",
            )
    return wait(GATE, f"the targets of {name} do not pin one release", f"let {name} settle on one release")


def _with_tags(snapshot: Snapshot, upstream: StageView, release: Release) -> Release:
    return release_of(
        Image(image.repository, image.digest, _tag_of(snapshot, upstream, image.repository, image.digest))
        for image in release.images
    )
