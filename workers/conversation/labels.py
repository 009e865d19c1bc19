"""The hold label on a merge request, set or taken off by hand: the label's own history says by whom."""

from collections.abc import Callable

import structlog

from bot.forges.base import LabelChange
from policies import permissions
from policies.model import MergeRequest, MergeRequestState, User
from policies.naming import HOLD
from policies.snapshot import Promotion, Snapshot, Unanswered
from policies.state import Hold, Person, State
from workers.conversation.doing import Deed
from workers.hands import Hands
from workers.observe.answers import answered
from workers.observe.context import Context
from workers.state import record

log = structlog.get_logger(__name__)

BY_HAND = f"the label {HOLD} was set by hand"


def show_holds(context: Context, deed: Deed, request: MergeRequest | None) -> None:
    """Set or take off the label after a command held or released the merge request it stands on."""
    if request is None or request.state is not MergeRequestState.opened:
        return
    before, after = (any(hold.request == request.iid for hold in one.holds) for one in (deed.before, deed.after))
    if after and not before:
        context.forge.label(context.repository, request.iid, (HOLD,))
    elif request.iid in deed.releases and not after:
        context.forge.unlabel(context.repository, request.iid, (HOLD,))


def heed_labels(context: Context, hands: Hands, snapshot: Snapshot) -> bool:
    """Make label and state agree where one says held and the other does not; whether anything changed.

    Who sets the label holds, and who takes it off releases, as by command and by the same rights (S6, S20). One that
    was set by somebody who may not hold still holds while it stands; one that such a person took off is put back."""
    changed = [_heed(context, hands, snapshot, one) for one in snapshot.promotions]
    return any(changed)


def _heed(context: Context, hands: Hands, snapshot: Snapshot, one: Promotion) -> bool:
    iid, labelled = one.request.iid, HOLD in one.request.labels
    if not isinstance(snapshot.state, State):
        return False  # nothing merges until it can be told
    hold = next((hold for hold in snapshot.state.holds if hold.request == iid and _runs(hold, hands)), None)
    if labelled == (hold is not None):
        return False
    changes = context.forge.label_changes(context.repository, iid)
    last = next((change for change in reversed(changes) if change.label == HOLD), None)
    mine = last is not None and last.user.id == context.forge.me().id
    if hold is None:
        if last is None or not last.added:
            return False  # nobody can tell who set it: it holds while it stands (S16)
        if mine:  # what was held by command is released, or has ended
            context.forge.unlabel(context.repository, iid, (HOLD,))
            return True
        return _set(context, hands, snapshot, one, last)
    if last is None or mine or last.added or last.at < hold.at or not _may(context, snapshot, one, last.user, "unhold"):
        context.forge.label(context.repository, iid, (HOLD,))
        return False
    return _taken_off(context, hands, one, last.user)


def _runs(hold: Hold, hands: Hands) -> bool:
    return hold.until is None or hold.until > hands.clock()


def _set(context: Context, hands: Hands, snapshot: Snapshot, one: Promotion, change: LabelChange) -> bool:
    who = change.user
    if not _may(context, snapshot, one, who, "hold"):
        log.warning("held by a label whose giver may not hold", mr=one.request.iid, by=who.id)
        return False
    person = Person(id=who.id, name=who.username)
    hold = Hold(by=person, at=change.at, where=one.request.url, request=one.request.iid, reason=BY_HAND)
    return _record(context, hands, one, who, lambda state: state.model_copy(update={"holds": (*state.holds, hold)}))


def _taken_off(context: Context, hands: Hands, one: Promotion, who: User) -> bool:
    def released(state: State) -> State:
        return state.model_copy(update={"holds": tuple(h for h in state.holds if h.request != one.request.iid)})

    return _record(context, hands, one, who, released)


def _record(context: Context, hands: Hands, one: Promotion, who: User, change: Callable[[State], State]) -> bool:
    subject = f"@{who.username} changed the label {HOLD} of !{one.request.iid} by hand"
    record(context, hands, change, subject, f"by {who.username} (id {who.id})\n{one.request.url}")
    return True


def _may(context: Context, snapshot: Snapshot, one: Promotion, who: User, right: str) -> bool:
    while True:
        try:
            return permissions.refusal(snapshot, who, right, snapshot.unit, one.stage) is None
        except Unanswered as missing:
            snapshot = answered(context, snapshot, missing.questions)
