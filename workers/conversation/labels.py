"""The hold label on a merge request, set or taken off by hand: the label's own history says by whom."""

from collections.abc import Callable, Iterable
from datetime import datetime

import structlog

from bot.forges.base import LabelChange
from policies import permissions
from policies.model import MergeRequest, MergeRequestState, Thread, User
from policies.naming import HOLD
from policies.snapshot import Promotion, Snapshot, Unanswered
from policies.state import Hold, Person, State, bound, holds_request
from workers.conversation.doing import Deed, own_holds
from workers.conversation.label_log import held_since
from workers.hands import Hands
from workers.observe.answers import answered
from workers.observe.context import Context
from workers.state import record, released_at

log = structlog.get_logger(__name__)

BY_HAND = f"the label {HOLD} was set by hand"
KEPT = 7 * 24 * 3600
"""Seconds for which it is remembered that a label's log was read to its end."""
SETTLED = 10.0
"""Seconds after which a merge request's time of change is believed: GitHub writes whole seconds."""

Holds = tuple[Hold, ...]


def show_holds(context: Context, deed: Deed, request: MergeRequest | None, said_at: datetime) -> None:
    """Set or take off the label after a command held or released the merge request it stands on.

    What a person set after the command was written stands: the command cannot have meant it."""
    if request is None or request.state is not MergeRequestState.opened:
        return
    before, after = own_holds(deed.before, request), own_holds(deed.after, request)
    if any(hold not in before for hold in after):
        if HOLD not in request.labels:
            context.forge.label(context.repository, request.iid, (HOLD,))
    elif request.iid in deed.releases and not after and held_since(context, request, said_at) is None:
        context.forge.unlabel(context.repository, request.iid, (HOLD,))


def heed_labels(context: Context, hands: Hands, snapshot: Snapshot) -> bool:
    """Make label and state agree by the label's log since the last change that the state knows; whether it changed.

    Who sets the label holds, and who takes it off releases, as by command and by the same rights (S6, S20). One that
    was set by somebody who may not hold still holds while it stands; one that such a person took off is put back."""
    changed = [_heed(context, hands, snapshot, one) for one in snapshot.promotions]
    return any(changed)


def _heed(context: Context, hands: Hands, snapshot: Snapshot, one: Promotion) -> bool:
    if not isinstance(snapshot.state, State):
        return False  # nothing merges until it can be told
    iid, labelled, carried = one.request.iid, HOLD in one.request.labels, (snapshot.unit, one.stage, one.name)
    now = hands.clock()
    running = (hold for hold in snapshot.state.holds if hold.until is None or hold.until > now)
    held = tuple(hold for hold in running if holds_request(hold, iid, carried))
    agree = labelled == bool(held)
    if agree and _is_read(context, one.request, now):
        return False
    changes = [each for each in context.forge.label_changes(context.repository, Thread(iid)) if each.label == HOLD]
    released = released_at(context, iid, carried)
    news = _since(changes, held, released)
    wanted = _folded(context, snapshot, one, held, news)
    if wanted != held:
        _record(context, hands, one, _change(held, wanted), news)
    if wanted and not labelled:
        context.forge.label(context.repository, iid, (HOLD,))
    if not wanted and labelled and _is_left(context, changes, released):
        context.forge.unlabel(context.repository, iid, (HOLD,))
        return True
    if agree and wanted == held:
        _note_read(context, one.request, now)
    return wanted != held


def _is_read(context: Context, request: MergeRequest, now: datetime) -> bool:
    """Whether its label log cannot have changed since it was read."""
    kept, stamp = context.memory.get(_key(context, request)), request.updated_at.isoformat()
    return kept == stamp or (kept == f"{stamp} early" and not _is_settled(request, now))


def _note_read(context: Context, request: MergeRequest, now: datetime) -> None:
    early = "" if _is_settled(request, now) else " early"
    context.memory.set(_key(context, request), f"{request.updated_at.isoformat()}{early}", KEPT)


def _key(context: Context, request: MergeRequest) -> str:
    return f"labels:{context.subject}:{request.iid}"


def _is_settled(request: MergeRequest, now: datetime) -> bool:
    return (now - request.updated_at).total_seconds() > SETTLED


def _since(changes: Iterable[LabelChange], held: Holds, released: datetime | None) -> list[LabelChange]:
    """The changes of which the state may not know: since the oldest hold, and the last release."""
    known = [min(hold.at for hold in held)] if held else []
    start = max([*known, *([released] if released is not None else [])], default=None)
    return [one for one in changes if start is None or one.at >= start]


def _folded(context: Context, snapshot: Snapshot, one: Promotion, held: Holds, changes: Iterable[LabelChange]) -> Holds:
    """The holds after these changes of the label, each counted by the right of who made it.

    What Towpath set says nothing; what it took off was released by command, though the state never knew the hold."""
    known, me = held, context.forge.me().id
    for change in changes:
        if change.user.id == me:
            held = held if change.added else tuple(hold for hold in held if hold in known)
        elif change.added and all(hold.until is not None for hold in held):
            if _may(context, snapshot, one, change.user, "hold"):
                held = (*held, _by_hand(snapshot, one, change))
            else:
                log.warning("held by a label whose giver may not hold", mr=one.request.iid, by=change.user.id)
        elif not change.added and any(hold.at <= change.at for hold in held):
            if _may(context, snapshot, one, change.user, "unhold"):
                held = tuple(hold for hold in held if hold.at > change.at)
            else:
                log.warning("a label was taken off by one who may not", mr=one.request.iid, by=change.user.id)
    return held


def _by_hand(snapshot: Snapshot, one: Promotion, change: LabelChange) -> Hold:
    person = Person(id=change.user.id, name=change.user.username)
    hold = Hold(by=person, at=change.at, where=one.request.url, request=one.request.iid, reason=BY_HAND)
    return bound(hold, snapshot.unit, one.stage, one.name)


def _is_left(context: Context, changes: list[LabelChange], released: datetime | None) -> bool:
    """Whether a label that nothing holds is what a hold left behind that was released or has ended.

    Of any other nobody can tell that who set it meant nothing by it: it holds while it stands (S16)."""
    if not changes or not changes[-1].added:
        return False
    last = changes[-1]
    return last.user.id == context.forge.me().id or (released is not None and last.at < released)


def _change(held: Holds, wanted: Holds) -> Callable[[State], State]:
    """What makes these holds of those, in whatever state is the newest."""

    def change(state: State) -> State:
        kept = tuple(hold for hold in state.holds if hold not in held or hold in wanted)
        new = tuple(hold for hold in wanted if hold not in held and hold not in kept)
        return state.model_copy(update={"holds": (*kept, *new)})

    return change


def _record(
    context: Context, hands: Hands, one: Promotion, change: Callable[[State], State], by: list[LabelChange]
) -> None:
    by = [each for each in by if each.user.id != context.forge.me().id]
    who = "\n".join(dict.fromkeys(f"by {each.user.username} (id {each.user.id})" for each in by))
    names = " and ".join(dict.fromkeys(f"@{each.user.username}" for each in by))
    subject = f"{names} changed the label {HOLD} of !{one.request.iid} by hand"
    removed = max((each.at for each in by if not each.added), default=None)
    record(context, hands, change, subject, f"{who}\n{one.request.url}", at=removed)


def _may(context: Context, snapshot: Snapshot, one: Promotion, who: User, right: str) -> bool:
    while True:
        try:
            return permissions.refusal(snapshot, who, right, snapshot.unit, one.stage) is None
        except Unanswered as missing:
            snapshot = answered(context, snapshot, missing.questions)
