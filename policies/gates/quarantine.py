"""Quarantine: a release that was found bad is promoted nowhere that its quarantine reaches (S19)."""

from policies.model import Release
from policies.snapshot import Promotion, Snapshot
from policies.state import Quarantine, State, public_reason, quarantined
from policies.verdict import Verdict, block
from policies.wording.promotion import release_name
from policies.wording.quote import code

NAME = "quarantine"


def of(snapshot: Snapshot, stage: str, release: Release | None) -> Quarantine | None:
    """Why a release must not come into a stage; None where it may, or where nobody can tell."""
    if release is None or not isinstance(snapshot.state, State):
        return None
    return quarantined(snapshot.state, snapshot.unit, stage, release)


def is_out(snapshot: Snapshot, promotion: Promotion) -> bool:
    """Whether an open promotion is of a quarantined release."""
    return of(snapshot, promotion.stage, promotion.release) is not None


def reason(release: Release, found: Quarantine) -> str:
    """What it is, who said so, and why."""
    why = f": {code(public_reason(found))}" if found.reason else ""
    return f"{code(release_name(release))} is quarantined by {code(f'@{found.by.name}')}{why}"


def judge(release: Release, found: Quarantine) -> Verdict:
    """Block, and say the way out."""
    change = f"publish a newer image, or {code(f'/unquarantine {found.release}')}"
    return block(NAME, reason(release, found), change)
