"""What came into a gated stage commit by commit, and whether Towpath's own evidence speaks of it (S22)."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from policies.model import Image, Release
from policies.order import UNREADABLE
from policies.snapshot import Place, Snapshot, StageView
from policies.trailers import Record
from policies.verdict import Verdict, block

NAME = "approvals"


@dataclass(frozen=True, slots=True)
class Came:
    """A first-parent commit by which places of a stage pin something else, and all that the stage pins since."""

    commit: str
    pins: Mapping[Place, str]
    """Those that it changed."""
    all_pins: Mapping[Place, str]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in question."""
        return tuple(dict.fromkeys(path for path, _ in self.pins))


def came(snapshot: Snapshot, view: StageView) -> tuple[Came, ...]:
    """Every commit that changed what the stage pins, newest first; what stood there at the beginning came by none."""
    found = []
    for now, before in pairwise(snapshot.moments):
        pins = {place: now.pins[place] for place in view.places if place in now.pins}
        changed = {place: pin for place, pin in pins.items() if pin not in (UNREADABLE, before.pins.get(place))}
        if changed:
            found.append(Came(now.commit, changed, pins))
    return tuple(found)


def speaks_of(record: Record, unit: str, stage: str, one: Came) -> bool:
    """Whether a merge's evidence is of this very change: a replayed one is of another release, stage or service."""
    if (record.unit, record.stage) != (unit, stage) or not (record.approvers or record.gates):
        return False
    return all(record.release.digests.get(repository) == pin for (_, repository), pin in one.pins.items())


def release_of(one: Came) -> Release | None:
    """The release that the stage runs since; None where its places differ."""
    digests: dict[str, str] = {}
    for (_, repository), pin in one.all_pins.items():
        if digests.setdefault(repository, pin) != pin or not pin.startswith("sha256:"):
            return None
    return Release(tuple(Image(repository, digests[repository]) for repository in sorted(digests)))


def pushed() -> Verdict:
    """What is wrong with a commit that no merge request brought."""
    return block(NAME, "no merge request brought it: somebody pushed it", "look at it, and revert it if need be")


def other_content() -> Verdict:
    """What is wrong with a commit that does not hold what its merge request proposed."""
    reason = "the commit pins something else than its merge request proposed"
    return block(NAME, reason, "look at it, and revert it if need be")
