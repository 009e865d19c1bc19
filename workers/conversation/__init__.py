"""Commands in comments: what a thread says is heard once, done by the rights of who said it, and answered there."""

from datetime import datetime

import structlog

from policies.model import MergeRequest, Thread
from policies.naming import CONTROL
from workers.conversation.doing import do
from workers.conversation.hearing import heard
from workers.conversation.labels import heed_labels, show_holds
from workers.conversation.replying import redden, reply
from workers.hands import Hands
from workers.observe.context import Context

__all__ = ["converse", "converse_on_issue", "heed_labels"]

log = structlog.get_logger(__name__)

KEPT = 7 * 24 * 3600
"""Seconds for which it is remembered that a thread was read to its end."""
SETTLED = 10.0
"""Seconds after which a thread's time of change is believed: GitHub writes whole seconds, and more may come in one."""


def converse(context: Context, hands: Hands, request: MergeRequest) -> tuple[str, ...]:
    """Hear and answer what is new on a merge request; the units to look at then, `*` for all."""
    return _converse(context, hands, Thread(request.iid), request.updated_at, request)


def converse_on_issue(context: Context, hands: Hands, iid: int) -> tuple[str, ...]:
    """As `converse`, on an issue, where it is open and bears the label of a control issue."""
    issue = context.forge.issue(context.repository, iid)
    if not issue.open or CONTROL not in issue.labels:
        return ()
    return _converse(context, hands, Thread(iid, issue=True), issue.updated_at, None)


def _converse(
    context: Context, hands: Hands, thread: Thread, updated_at: datetime, request: MergeRequest | None
) -> tuple[str, ...]:
    key = f"heard:{context.subject}:{'issue' if thread.issue else 'request'}:{thread.iid}"
    if context.memory.get(key) == updated_at.isoformat():
        return ()
    wakes: tuple[str, ...] = ()
    now = hands.clock()
    for one in heard(context, thread, context.forge.notes(context.repository, thread), now):
        deed = do(context, hands, one, request)
        # The status and the label first, then the word: who reads "held" can rely on it.
        redden(context, hands, deed)
        show_holds(context, deed, request)
        hands.still_mine()
        reply(context, one, deed)
        wakes += deed.wakes
        said = [line for line, _ in one.lines]
        log.info("answered", comment=one.comment.url, by=one.comment.author.id, outcome=deed.outcome, said=said)
    if (now - updated_at).total_seconds() > SETTLED:
        context.memory.set(key, updated_at.isoformat(), KEPT)
    return tuple(dict.fromkeys(wakes))
