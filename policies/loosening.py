"""What a new policy asks less for than the one in force: told on the merge request that brings it, and when it merges.

Whoever may change `towpath.yaml` may lower the bar, so nobody does it unseen (S22)."""

from policies.config import Approvals, Policy, Stage
from policies.wording.quote import code, listed

STRICTNESS = {
    "checks": ("required", "optional", "ignored"),
    "mode": ("observe", "propose", "enforce"),
    "absent": ("block", "pass"),
}
"""Keys of a stage with their values, the strictest first."""

NOBODY = Approvals()


def loosened(old: Policy, new: Policy) -> tuple[str, ...]:
    """One sentence for each thing that the new policy asks less for; empty where it is as strict."""
    stages = {stage.name: stage for stage in new.stages}
    found = [] if old.services.path == new.services.path else ["`services.path` names other files"]
    for stage in old.stages:
        if stage.name in stages:
            found += [f"{code(stage.name)}: {what}" for what in _of_stage(stage, stages[stage.name])]
        elif _asks(stage):
            found.append(f"{code(stage.name)}, which asked for approvals, is gone")
    return tuple(found)


def _asks(stage: Stage) -> bool:
    return stage.approvals not in (None, NOBODY)


def _of_stage(old: Stage, new: Stage) -> list[str]:
    found = _of_keys(old, new) + _of_approvals(old.approvals or NOBODY, new.approvals or NOBODY)
    if old.merge == "manual" and new.merge != "manual":
        found.append(f"`merge` goes from {code(old.merge)} to {code(new.merge)}")
    lost = tuple(code(name) for name in old.after if name not in new.after)
    if lost:
        found.append(f"it no longer comes after {listed(lost)}")
    if old.source.tags is not None and old.source.tags != new.source.tags:
        found.append("`source.tags` lets other images in")
    if _asks(old) and old.where != new.where:
        found.append("`where` selects other targets")
    return found


def _of_keys(old: Stage, new: Stage) -> list[str]:
    found = []
    for key, values in STRICTNESS.items():
        before, after = getattr(old, key), getattr(new, key)
        if values.index(after) > values.index(before):
            found.append(f"{code(key)} goes from {code(before)} to {code(after)}")
    return found


def _of_approvals(old: Approvals, new: Approvals) -> list[str]:
    found = []
    if old.codeowners == "required" and new.codeowners != "required":
        found.append("code owners need not approve any more")
    if new.minimum < old.minimum:
        found.append(f"{new.minimum} instead of {old.minimum} people must approve")
    if old.minimum and old.people != new.people:
        found.append("approvals of other people count")
    return found
