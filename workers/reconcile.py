"""One reconciliation of one unit: observe, decide, execute, until nothing moves any more."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.errors import OutsideError
from policies.actions import Action, Close, Merge, OpenPromotion, Plan, Report, Settle
from policies.decide import decide
from policies.snapshot import Snapshot
from workers.audit import audit
from workers.execute import Failures, Hands, execute, finish_merge
from workers.observe import Base, observe
from workers.observe.answers import answered
from workers.observe.context import Context
from workers.observe.people import forget

log = structlog.get_logger(__name__)

ROUNDS = 8
"""How often one reconciliation looks again after it moved something; what is left then is due again at once."""


@dataclass(frozen=True)
class Reconciled:
    """The last snapshot and plan, what could not be posted, and when to look again."""

    snapshot: Snapshot
    plan: Plan
    failures: tuple[OutsideError, ...]
    wake_at: datetime | None


def _nothing_said(_: Snapshot) -> bool:
    return False


def reconcile(
    context: Context, hands: Hands, unit: str, heed: Callable[[Snapshot], bool] = _nothing_said
) -> Reconciled:
    """Bring one unit forward as far as it goes now. Raises `bot.errors` where the outside fails.

    Right before a merge `heed` looks at what people said by other means than commands, and tells whether that changed
    anything."""
    failures: Failures = {}
    for rounds_left in reversed(range(ROUNDS)):
        snapshot, plan = look(context, unit, hands.clock())
        if _merges(plan) and (heed(snapshot), forget(context, snapshot)) != (False, False):
            snapshot, plan = look(context, unit, hands.clock())  # with everybody's rights as they are just now (S17)
        finish_merge(context, hands, snapshot)
        failures = {key: failure for key, failure in failures.items() if key[0] == Close.__name__}
        actions = tuple(action for action in plan.actions if not _is_stuck(action, failures))
        failures |= execute(context, hands, snapshot, _now(actions))
        if not _moved(actions):
            audit(context, hands, snapshot)
            return Reconciled(snapshot, plan, tuple(failures.values()), plan.wake_at)
        if not rounds_left:
            log.warning("still moving", rounds=ROUNDS)
            return Reconciled(snapshot, plan, tuple(failures.values()), hands.clock())
    raise AssertionError("the last round returns")


def look(context: Context, unit: str, now: datetime, at: Base | None = None) -> tuple[Snapshot, Plan]:
    """Observe and decide, with every question answered that the decision asks; the plan is whole."""
    snapshot = observe(context, unit, at)
    plan = decide(snapshot, now)
    while plan.questions:
        snapshot = answered(context, snapshot, plan.questions)
        plan = decide(snapshot, now)
    for stage in plan.stages if at is None else ():
        log.info("decided", stage=stage.stage, outcome=stage.verdict.outcome.value, why=stage.verdict.reason)
    return snapshot, plan


def _is_stuck(action: Action, failures: Failures) -> bool:
    """Whether it is a merge request that could not be closed a moment ago: the next reconciliation tries again."""
    return isinstance(action, Close) and (Close.__name__, action.iid) in failures


def _now(actions: tuple[Action, ...]) -> tuple[Action, ...]:
    """Rule 7: a merge is done only on a snapshot that nothing was written after; until then the rest goes first."""
    others = tuple(action for action in actions if not isinstance(action, Merge))
    return others if any(not isinstance(action, Report) for action in others) else actions


def _merges(plan: Plan) -> bool:
    return any(isinstance(action, Merge) for action in plan.actions)


def _moved(actions: tuple[Action, ...]) -> bool:
    return any(isinstance(action, OpenPromotion | Close | Merge | Settle) for action in actions)
