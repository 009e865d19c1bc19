"""A world small enough to think of: what becomes of a snapshot when a plan's actions are done."""

from dataclasses import replace

from policies import naming, trailers
from policies.actions import Action, Close, Merge, OpenPromotion, Plan, Report, SetStatus, Settle, Validate
from policies.model import Check, MergeRequest, MergeRequestState
from policies.snapshot import Attempt, Attempts, Moment, Promotion, Reported, Snapshot
from policies.state import State, settled
from policies.wanted import places_of
from tests import builders as a


def due(plan: Plan) -> tuple[Action, ...]:
    """What is done now: a merge only when nothing but comments goes before it."""
    others = tuple(action for action in plan.actions if not isinstance(action, Merge))
    return others if any(not isinstance(action, Report) for action in others) else plan.actions


def done(world: Snapshot, actions: tuple[Action, ...]) -> Snapshot:
    """The world after these actions."""
    for action in actions:
        world = _done(world, action)
    return world


def _done(world: Snapshot, action: Action) -> Snapshot:
    match action:
        case OpenPromotion():
            return _opened(world, action)
        case Close():
            request = replace(
                _open(world, action.iid).request,
                state=MergeRequestState.closed,
                closed_by=a.BOT,
                labels=(naming.LABEL, action.label),
            )
            return _ended(_reported(world, action.iid, action.body), request)
        case Merge():
            return _merged(world, action)
        case Report():
            return _reported(world, action.iid, action.body)
        case Settle():
            assert isinstance(world.state, State)
            return replace(world, state=settled(world.state, action.asked))
        case SetStatus():
            return _with(world, _status(_open(world, action.iid), action))
        case Validate():
            return _with(world, replace(_open(world, action.iid), unasked=""))


def _open(world: Snapshot, iid: int) -> Promotion:
    return next(one for one in world.promotions if one.request.iid == iid)


def _with(world: Snapshot, changed: Promotion) -> Snapshot:
    others = (one if one.request.iid != changed.request.iid else changed for one in world.promotions)
    return replace(world, promotions=tuple(others))


def _status(one: Promotion, action: SetStatus) -> Promotion:
    own = Check(naming.STATUS, action.state, action.description, action.url, a.BOT.id)
    return replace(one, checks=(*(check for check in one.checks if check.name != naming.STATUS), own))


def _opened(world: Snapshot, action: OpenPromotion) -> Snapshot:
    record = trailers.read(action.message)
    assert record is not None
    question = Attempts(action.stage, action.release.name)
    earlier = tuple(one for one in world.attempts(*_key(question)) if one.number != action.attempt)
    if action.branch_only:
        begun = Attempt(action.attempt, None, own=True, requesters=record.requesters, cause=record.cause)
        return replace(world, answers={**world.answers, question: (*earlier, begun)})
    iid = 100 + sum(isinstance(asked, Reported) for asked in world.answers)
    request = a.request(iid, source_branch=action.branch, labels=action.labels, head=f"{iid:040x}")
    one = a.promotion(
        action.stage, record.release, iid, attempt=action.attempt, request=request, supersedes=record.supersedes
    )
    proved = replace(one.integrity, made=request.head)
    one = replace(one, requesters=record.requesters, cause=record.cause, integrity=proved)
    answers = {**world.answers, question: (*earlier, Attempt(action.attempt, request, own=True)), Reported(iid): None}
    return replace(world, promotions=(*world.promotions, one), answers=answers)


def _key(question: Attempts) -> tuple[str, str]:
    return question.stage, question.release


def _ended(world: Snapshot, request: MergeRequest) -> Snapshot:
    one = _open(world, request.iid)
    question = Attempts(one.stage, one.name)
    known = world.attempts(*_key(question)) if question in world.answers else ()
    earlier = (attempt for attempt in known if attempt.number != one.attempt)
    found = tuple(sorted((*earlier, Attempt(one.attempt, request, own=True)), key=lambda attempt: attempt.number))
    left = tuple(other for other in world.promotions if other is not one)
    return replace(world, promotions=left, answers={**world.answers, question: found})


def _merged(world: Snapshot, action: Merge) -> Snapshot:
    one = _open(world, action.iid)
    pins = {**world.moments[0].pins, **dict(places_of(world.view(action.stage), action.release))}
    moment = Moment(f"{len(world.moments) + 1:040x}", pins)
    view = world.view(action.stage)
    targets = tuple(
        replace(target, pin=replace(target.pin, digest=pins[target.path, target.pin.repository]))
        for target in view.targets
    )
    stages = tuple(other if other is not view else replace(view, targets=targets) for other in world.stages)
    request = replace(one.request, state=MergeRequestState.merged, merged_at=a.NOW)
    return replace(_ended(world, request), moments=(moment, *world.moments), stages=stages)


def _reported(world: Snapshot, iid: int, body: str) -> Snapshot:
    found = [one for one in world.promotions if one.request.iid == iid]
    if found:
        return _with(world, replace(found[0], reported=body))
    return replace(world, answers={**world.answers, Reported(iid): body})
