"""What a new policy asks less for than the one in force: told on the merge request that brings it, and when it merges.

Whoever may change `towpath.yaml` may lower the bar, so nobody does it unseen (S22)."""

from policies.config import Approvals, Policy, Stage
from policies.validating import Check, Validating
from policies.wording.quote import code, listed

STRICTNESS = {
    "checks": ("required", "optional", "ignored"),
    "mode": ("observe", "propose", "enforce"),
    "absent": ("block", "pass"),
}
"""Keys of a stage with their values, the strictest first."""
MODES = ("enforce", "report", "off")
SEVERITIES = ("error", "warning", "note")

LIFTING = ("promote", "unhold", "rollback", "merge", "skip", "override", "unquarantine", "unfreeze")
"""The rights by which somebody gets more into a stage than before."""

NOBODY = Approvals.model_construct()
"""What a stage without `approvals` asks; nobody can write it."""


def loosened(old: Policy, new: Policy) -> tuple[str, ...]:
    """One sentence for each thing that the new policy asks less for; empty where it is as strict."""
    stages = {stage.name: stage for stage in new.stages}
    found = [] if old.services.path == new.services.path else ["`services.path` names other files"]
    found += _of_registries(old.services.registries, new.services.registries)
    found += _of_permissions(old, new)
    found += _of_validation(old.validation, new.validation)
    for stage in old.stages:
        if stage.name in stages:
            found += [f"{code(stage.name)}: {what}" for what in _of_stage(stage, stages[stage.name])]
        elif _asks(stage):
            found.append(f"{code(stage.name)}, which asked for approvals, is gone")
    return tuple(found)


def _asks(stage: Stage) -> bool:
    return stage.approvals not in (None, NOBODY)


def _of_permissions(old: Policy, new: Policy) -> list[str]:
    """Names cannot be compared as more or fewer people: of the rights that lift something, every change is told."""
    changed = [name for name in LIFTING if getattr(old.permissions, name) != getattr(new.permissions, name)]
    return [f"`permissions.{name}` belongs to others" for name in changed]


def _of_validation(old: Validating, new: Validating) -> list[str]:
    found = []
    if MODES.index(new.mode) > MODES.index(old.mode):
        found.append(f"`validation.mode` goes from {code(old.mode)} to {code(new.mode)}")
    names = (*old.checks.names(), *old.commands)
    return found + [f"{code(name)} {what}" for name in names for what in _of_check(old.of(name), new.of(name))]


def _of_check(old: Check, new: Check) -> list[str]:
    """What a validator asks less for; of what each is told besides, it cannot be said which asks more."""
    found = ["is not run any more"] if old.run and not new.run else []
    if old.required and not new.required:
        found.append("need not be able to run")
    if SEVERITIES.index(new.severity) > SEVERITIES.index(old.severity):
        found.append(f"counts as {code(new.severity)} at most, where it was {code(old.severity)}")
    common = set(Check.model_fields)
    if old.model_dump(exclude=common) != new.model_dump(exclude=common):
        found.append("looks for something else")
    return found


def _of_registries(old: tuple[str, ...], new: tuple[str, ...]) -> list[str]:
    if not old:
        return []
    if not new:
        return ["`services.registries` is gone: images from anywhere are promoted"]
    wider = listed(tuple(code(one) for one in new if not one.startswith(old)))
    return [f"`services.registries` lets {wider} in"] if wider else []


def _of_stage(old: Stage, new: Stage) -> list[str]:
    found = _of_keys(old, new) + _of_approvals(old.approvals or NOBODY, new.approvals or NOBODY)
    back = _of_keys(old.in_rollback, new.in_rollback)
    back += _of_approvals(old.in_rollback.approvals or NOBODY, new.in_rollback.approvals or NOBODY)
    found += [f"in a rollback {what}" for what in back if what not in found]
    found += _of_merge(old, new)
    lost = tuple(code(name) for name in old.after if name not in new.after)
    if lost:
        found.append(f"it no longer comes after {listed(lost)}")
    if old.source.tags is not None and old.source.tags != new.source.tags:
        found.append("`source.tags` lets other images in")
    if _asks(old) and old.where != new.where:
        found.append("`where` selects other targets")
    return found


def _of_merge(old: Stage, new: Stage) -> list[str]:
    """From `manual` asks less where nobody need approve then: the person who merged was the only one to look."""
    goes = f"`merge` goes from {code(old.merge)} to {code(new.merge)}"
    if old.merge == "manual" and new.merge != "manual" and not _asks(new):
        return [f"{goes}: nobody need look at a release any more"]
    if old.merge == "signed" and new.merge != "signed":
        return [f"{goes}: no signature tells any more what went around the gates"]
    return []


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
