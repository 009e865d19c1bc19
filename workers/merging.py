"""`merge: signed`: the merge commit is Towpath's own, with its signature, pushed where the branch is as it was read.

What goes around the gate has no such signature, so whoever deploys can refuse it (S23). This is the only place that
signs anything, and it is reached only by a merge whose gates have passed."""

from bot.errors import Conflict
from bot.git import SigningFailed
from policies.actions import Merge
from policies.model import Mergeable, MergeRequest, MergeRequestState
from workers.hands import Hands
from workers.observe.context import Context


def merge_signed(context: Context, hands: Hands, action: Merge, request: MergeRequest, message: str) -> str:
    """Push the signed merge of the exact head onto the exact base; `request` was read a moment ago.

    Conflict where either moved, Permanent where the forge lets Towpath not push or the key is no good. There is no way
    from here to the forge's merge, which carries the forge's own signature or none."""
    _as_judged(context, action, request)
    signer = context.signer
    if signer is None:
        raise SigningFailed("there is none: TOWPATH_SIGNING__KEY_FILE is not set")
    parents = (action.base, action.head)
    text = context.mirror.merge_text(parents, action.expected, message, hands.identity, hands.clock())
    commit = context.mirror.signed(text, signer.sign(text))
    hands.still_mine()
    context.mirror.push(request.target_branch, commit, action.base)
    return commit


def _as_judged(context: Context, action: Merge, request: MergeRequest) -> None:
    """What the forge would look at before a merge of its own; it lets a push pass without (S17)."""
    subject = f"{context.subject}!{action.iid}"
    if request.state is not MergeRequestState.opened:
        raise Conflict("merge", subject, f"it is {request.state.value}")
    if request.head != action.head:
        raise Conflict("merge", subject, "its head moved")
    if request.mergeable is not Mergeable.yes:
        raise Conflict("merge", subject, f"the forge does not allow it any more: {request.merge_reason}")
