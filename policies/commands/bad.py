"""What is bad: the images that must not run any more, and where."""

from dataclasses import dataclass

from policies.commands import releases
from policies.commands.entries import note, said
from policies.commands.model import Declined, Situation
from policies.model import DIGEST, Image, Release
from policies.snapshot import Snapshot, StageView
from policies.state import Quarantine, State
from policies.wanted import release_of
from policies.wording.promotion import release_name
from policies.wording.quote import code
from policies.wording.steering import named


@dataclass(frozen=True, slots=True)
class Bad:
    """A release, and those of its images for which it is bad."""

    release: Release
    images: tuple[Image, ...]

    @property
    def words(self) -> str:
        """How people call it."""
        return named(self.release)

    def runs_in(self, snapshot: Snapshot, view: StageView) -> bool:
        """Whether a stage pins each of its images now, as far as it has them."""
        there = [(image.digest, releases.pins(snapshot, view, image.repository)) for image in self.images]
        shared = [digest in pins for digest, pins in there if pins]
        return bool(shared) and all(shared)


def bad_of(snapshot: Snapshot, view: StageView, good: Release) -> tuple[Bad, ...]:
    """What a stage runs now instead of a good release: one release, or image by image where its targets differ."""
    differing = {
        repository: [pin for pin in releases.pins(snapshot, view, repository) if pin != digest and DIGEST.match(pin)]
        for repository, digest in good.digests.items()
    }
    images = [releases.image_of(snapshot, name, pin) for name, pins in differing.items() for pin in pins]
    if not images:
        raise Declined(f"{code(view.stage.name)} differs from {named(good)} in nothing that is pinned by digest.")
    present = releases.running(snapshot, view)
    if present is not None:
        return (Bad(present, tuple(images)),)
    return tuple(Bad(release_of([image]), (image,)) for image in images)


def quarantine(state: State, situation: Situation, bad: tuple[Bad, ...], stages: tuple[str, ...], reason: str) -> State:
    """The state with each of them quarantined once; no stages means everywhere."""
    new = [
        Quarantine(
            service=situation.snapshot.unit,
            release=one.release.name,
            tag=_tag(one.release),
            images={image.repository: image.digest for image in one.images},
            stages=stages,
            reason=reason,
            **said(situation),
        )
        for one in bad
    ]
    mine = [(one.images, one.stages) for one in state.quarantine if one.note == note(situation.comment)]
    fresh = tuple(one for one in new if (one.images, one.stages) not in mine)
    return state.model_copy(update={"quarantine": (*state.quarantine, *fresh)})


def _tag(release: Release) -> str:
    return release_name(release) if any(image.tag for image in release.images) else ""
