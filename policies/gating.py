"""Which gates a promotion has to pass, in the order in which people read them."""

from dataclasses import replace
from datetime import datetime

from policies.approvals import involved
from policies.gates import approvals, checks, freeze, hold, integrity, override, signing, validation
from policies.gates import state as state_gate
from policies.snapshot import Promotion, Snapshot, StageView
from policies.state import Override, State, overridden
from policies.trailers import Record
from policies.verdict import Verdict, combine, passed


def judged_as(view: StageView, promotion: Promotion) -> StageView:
    """The stage as this promotion is judged by it: a rollback has rules of its own."""
    return replace(view, stage=view.stage.in_rollback) if promotion.is_rollback else view


def gates(snapshot: Snapshot, view: StageView, promotion: Promotion, now: datetime) -> tuple[Verdict, ...]:
    """What every gate says, with what two people have overridden for this very head."""
    found = _unbroken(snapshot, view, promotion, now)
    if not isinstance(snapshot.state, State):
        return found
    return override.applied(found, _overrides(snapshot.state, promotion, now))


def overrides(snapshot: Snapshot, view: StageView, promotion: Promotion, now: datetime) -> tuple[str, ...]:
    """The overrides without which the gates would not pass, as evidence."""
    if not isinstance(snapshot.state, State):
        return ()
    found = _unbroken(snapshot, view, promotion, now)
    return tuple(override.evidence(one) for one in override.in_force(found, _overrides(snapshot.state, promotion, now)))


def paused(snapshot: Snapshot, view: StageView, now: datetime) -> Verdict | None:
    """Why nothing new opens in the stage: who holds or froze it."""
    found = _pauses(snapshot, view, now)
    return combine("hold", found) if len(found) > 1 else found[0] if found else None


def _unbroken(snapshot: Snapshot, view: StageView, promotion: Promotion, now: datetime) -> tuple[Verdict, ...]:
    stage = judged_as(view, promotion).stage
    found: tuple[Verdict, ...] = (
        *_by_state(snapshot, view, promotion, now),
        integrity.judge(promotion),
        *validation.judge(promotion, snapshot.policy.validation, now),
        checks.judge(promotion.checks, stage.checks, snapshot.bot_id),
    )
    if stage.approvals is not None:
        found = (*found, approvals.judge(snapshot, view, promotion, stage.approvals))
    return (*found, signing.judge(snapshot.can_sign)) if stage.signs else found


def _by_state(snapshot: Snapshot, view: StageView, promotion: Promotion, now: datetime) -> tuple[Verdict, ...]:
    """What commands say; nothing where they say nothing."""
    if not isinstance(snapshot.state, State):
        return (state_gate.judge(snapshot.state),)
    wide = _pauses(snapshot, view, now)
    if promotion.is_rollback:
        wide = tuple(passed(one.gate, f"{one.reason}; a rollback goes on") for one in wide)
    return (*hold.judge_one(snapshot.state, snapshot.unit, promotion, now), *wide)


def _pauses(snapshot: Snapshot, view: StageView, now: datetime) -> tuple[Verdict, ...]:
    if not isinstance(snapshot.state, State):
        return ()
    name = view.stage.name
    return (*hold.judge(snapshot.state, snapshot.unit, name, now), *freeze.judge(snapshot.state, name, now))


def _overrides(state: State, promotion: Promotion, now: datetime) -> tuple[Override, ...]:
    """The confirmed overrides of its very head, but none of who asked for it or opened it (S15)."""
    found = overridden(state, promotion.request.iid, promotion.request.head, now)
    return tuple(one for one in found if involved(promotion).isdisjoint(one.people))


def with_overrides(record: Record, found: tuple[str, ...]) -> Record:
    """The evidence of a merge, with what was passed over and by whom."""
    names = {one.partition(" ")[0] for one in found}
    said = tuple((gate, "overridden" if gate in names else how) for gate, how in record.gates)
    return replace(record, gates=said, overrides=found)
