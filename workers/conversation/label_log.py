"""Since when a label stands on a thread, by the forge's own log of labels."""

from datetime import datetime

from bot.forges.base import LabelChange
from policies.model import MergeRequest, Thread
from policies.naming import CONTROL, HOLD
from workers.observe.context import Context


def held_since(context: Context, request: MergeRequest, said_at: datetime) -> LabelChange | None:
    """How a person set the label of a hold after a command was written, which therefore cannot mean it (S20)."""
    changes = _changes(context, Thread(request.iid), HOLD)
    if not changes or not changes[-1].added or changes[-1].user.id == context.forge.me().id:
        return None
    return changes[-1] if changes[-1].at > said_at else None


def control_since(context: Context, thread: Thread) -> datetime | None:
    """When an issue last became a control issue; None where the log does not say that it ever was another."""
    return max((one.at for one in _changes(context, thread, CONTROL) if one.added), default=None)


def _changes(context: Context, thread: Thread, label: str) -> list[LabelChange]:
    return [one for one in context.forge.label_changes(context.repository, thread) if one.label == label]
