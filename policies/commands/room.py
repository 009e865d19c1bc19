"""How much commands may have the state hold, so that nobody fills it up."""

from datetime import datetime

from policies.state import State, pruned

MOST = {"holds": 200, "freezes": 100, "quarantine": 200, "asked": 100, "overrides": 200, "merges": 200}
"""Entries of each kind; overrides and orders to merge count together."""

_KINDS = (
    (("holds",), "holds", "lift one with `/unhold`"),
    (("freezes",), "freezes", "end one with `/unfreeze`"),
    (("quarantine",), "quarantines", "lift one with `/unquarantine`"),
    (("asked",), "releases that were asked for", "merge one of them, or close its merge request"),
    (
        ("overrides", "merges"),
        "overrides and orders to merge",
        "merge or close one of their merge requests; overrides end by themselves",
    ),
)


def lacking(before: State, after: State, now: datetime) -> str:
    """Why a change finds no room, and what makes some; empty where it does. What has ended takes none."""
    old, new = pruned(before, now), pruned(after, now)
    for kinds, words, way_out in _KINDS:
        count, most = _count(old, kinds), MOST[kinds[0]]
        if count < _count(new, kinds) > most:
            return f"There are {count} {words}, and {most} are the most that are kept: {way_out}."
    return ""


def _count(state: State, kinds: tuple[str, ...]) -> int:
    return sum(len(getattr(state, kind)) for kind in kinds)
