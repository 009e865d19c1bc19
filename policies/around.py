"""What came into gated stages commit by commit, and whether Towpath's own evidence speaks of it (S22)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from policies import layout
from policies.config import Policy, Stage
from policies.model import Image, Pin, Release, User
from policies.order import BARE_TAG
from policies.trailers import Record
from policies.verdict import Verdict, block

NAME = "approvals"
_NUMBERED = re.compile(r"\d+[-+]")
"""How private commit addresses begin: `1234-olga@users.noreply.gitlab.com`, on GitHub `1234+olga`."""

Named = frozenset[tuple[str, str]] | None
"""The images that a file names, each with its digest or bare tag; None where nobody can tell."""


@dataclass(frozen=True, slots=True)
class Came:
    """What a first-parent commit changed in the files of one service in one gated stage."""

    unit: str
    stage: Stage
    policy: Policy
    """By which the stage is gated."""
    commit: str
    before: str
    """Its first parent."""
    changes: Mapping[str, tuple[Named, Named]]
    """Path to the images that it named before, and names since."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in question."""
        return tuple(self.changes)


def named(pins: Iterable[Pin]) -> frozenset[tuple[str, str]]:
    """The images that these pins name, whatever policy says of their registries."""
    return frozenset((pin.repository, pin.digest or f"{BARE_TAG}{pin.tag or ''}") for pin in pins)


def gated(policy: Policy, path: str) -> tuple[tuple[str, Stage], ...]:
    """The service that a path is of, with each stage of it that asks for approvals."""
    where = layout.capture(policy.services.path, path)
    if where is None:
        return ()
    return tuple(
        (where["service"], stage)
        for stage in policy.stages
        if stage.approvals is not None and stage.mode != "observe" and layout.selected(stage.where, where)
    )


def speaks_of(record: Record, one: Came) -> bool:
    """Whether a merge's evidence is of this very change: a replayed one is of another release, stage or service."""
    if (record.unit, record.stage) != (one.unit, one.stage.name) or not (record.approvers or record.gates):
        return False
    return all(_is_release(before, after, record.release) for before, after in one.changes.values())


def _is_release(before: Named, after: Named, release: Release) -> bool:
    """Whether a file names the images that it named before, and what it names otherwise is the release's."""
    if before is None or after is None or {name for name, _ in before} != {name for name, _ in after}:
        return False
    return all(release.digests.get(name) == pin for name, pin in after - before)


def release_of(images: Iterable[tuple[str, str]]) -> Release | None:
    """The release of these images; None where they differ from place to place."""
    digests: dict[str, str] = {}
    for repository, pin in images:
        if digests.setdefault(repository, pin) != pin or not pin.startswith("sha256:"):
            return None
    return Release(tuple(Image(repository, digests[repository]) for repository in sorted(digests)))


def is_by(who: str, user: User) -> bool:
    """Whether a commit's `name <email> seconds` can be the user's: anybody can write another, so this tells some."""
    name, _, rest = who.rpartition(" <")
    local, _, domain = rest.partition(">")[0].partition("@")
    names = {name, local.rpartition("+")[2]}
    if domain.startswith("users.noreply."):
        names.add(_NUMBERED.sub("", local, count=1))
    known = {text.casefold() for text in (user.username, user.name) if text}
    return not known.isdisjoint(one.casefold() for one in names)


def pushed() -> Verdict:
    """What is wrong with a commit that no merge request brought."""
    return block(NAME, "no merge request brought it: somebody pushed it", "look at it, and revert it if need be")


def other_content() -> Verdict:
    """What is wrong with a commit that does not hold what its merge request proposed."""
    reason = "the commit pins something else than its merge request proposed"
    return block(NAME, reason, "look at it, and revert it if need be")
