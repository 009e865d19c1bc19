"""What would be otherwise after a merge request: which promotions open or close, and who would have to approve them."""

from dataclasses import dataclass

from policies.actions import Close, OpenPromotion, Plan, StagePlan
from policies.approvals import deciding
from policies.snapshot import Snapshot, StageView
from policies.verdict import Outcome
from policies.wording.quote import code, listed, plain

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Sight:
    """One unit as it is decided on: now, or as it would be."""

    snapshot: Snapshot
    plan: Plan


def prospects(now: Sight, then: Sight) -> tuple[str, ...]:
    """One sentence for each thing that would be otherwise for a unit; empty where nothing would."""
    return (*_moves(now, then), *_approvals(now, then))


def _moves(now: Sight, then: Sight) -> tuple[str, ...]:
    """What Towpath would do then that it does not do now, and what it would leave."""
    unit, before, after = code(now.snapshot.unit), _done(now.plan), _done(then.plan)
    found = [f"{unit} in {code(stage)}: {text}" for stage, text in after if (stage, text) not in before]
    found += [f"{unit} in {code(stage)}: no longer {text}" for stage, text in before if (stage, text) not in after]
    return tuple(found + _stages(now, then))


def _done(plan: Plan) -> tuple[tuple[str, str], ...]:
    return tuple((stage.stage, text) for stage in plan.stages for text in _actions(stage))


def _actions(stage: StagePlan) -> list[str]:
    opens = [f"opens {plain(one.title)}" for one in stage.actions if isinstance(one, OpenPromotion)]
    return opens + [f"closes {code(f'!{one.iid}')}" for one in stage.actions if isinstance(one, Close)]


def _stages(now: Sight, then: Sight) -> list[str]:
    """Stages that the unit comes to, leaves, or in which it would stand still."""
    unit, before, after = code(now.snapshot.unit), _by_name(now), _by_name(then)
    found = [f"{unit} comes to {code(name)}" for name in after if name not in before]
    found += [f"{unit} is in {code(name)} no more" for name in before if name not in after]
    for name in after:
        if name in before and _stands(after[name]) and not _stands(before[name]):
            found.append(f"{unit} stands still in {code(name)}: {after[name].verdict.reason}")
    return found


def _by_name(sight: Sight) -> dict[str, StagePlan]:
    return {stage.stage: stage for stage in sight.plan.stages}


def _stands(stage: StagePlan) -> bool:
    return stage.verdict.outcome is Outcome.block


def _approvals(now: Sight, then: Sight) -> tuple[str, ...]:
    unit, before = code(now.snapshot.unit), {view.stage.name: asks(now.snapshot, view) for view in _views(now)}
    found = []
    for view in _views(then):
        name = view.stage.name
        said, was = asks(then.snapshot, view), before.get(name, NOBODY)
        if said != was:
            found.append(f"{unit} in {code(name)} needs the approval of {said}, now of {was}")
    return tuple(found)


def _views(sight: Sight) -> tuple[StageView, ...]:
    return tuple(view for view in sight.snapshot.stages if view.targets)


def asks(snapshot: Snapshot, view: StageView) -> str:
    """Who must approve a promotion of all the unit's targets in a stage, by name and number."""
    rule = view.stage.approvals
    if rule is None:
        return NOBODY
    parts = _owners(snapshot, view) if rule.codeowners == "required" else []
    if rule.minimum:
        of = listed(tuple(code(name) for name in rule.people)) or "anybody who may write"
        parts.append(f"{rule.minimum} of {of}")
    return " and ".join(parts)


def _owners(snapshot: Snapshot, view: StageView) -> list[str]:
    found = snapshot.owners()
    if found.rules is None or found.rules.errors:
        return [f"owners whom {code(found.path)} does not tell"]
    paths = tuple(dict.fromkeys(target.path for target in view.targets))
    rules = deciding(found.dialect, found.rules, paths)
    named = [f"{max(1, rule.approvals)} of {listed(tuple(map(code, rule.owners)))}" for rule in rules if rule.owners]
    return list(dict.fromkeys(named)) or ["owners of whom none is named"]
