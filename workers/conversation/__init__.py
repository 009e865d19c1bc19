"""Commands in comments: what a thread says is heard once, done by the rights of who said it, and answered there."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.errors import OutsideError, RateLimited
from policies.model import MergeRequest, Thread
from policies.naming import CONTROL
from workers.conversation.doing import do, failed
from workers.conversation.hearing import Heard, heard, is_marked
from workers.conversation.labels import heed_labels, show_holds
from workers.conversation.replying import redden, reply
from workers.hands import Hands
from workers.observe.context import Context

__all__ = ["Spoken", "converse", "converse_on_issue", "heed_labels"]

log = structlog.get_logger(__name__)

KEPT = 7 * 24 * 3600
"""Seconds for which it is remembered that a thread was read to its end."""
SETTLED = 10.0
"""Seconds after which a thread's time of change is believed: GitHub writes whole seconds, and more may come in one."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of a thread."""

    wakes: tuple[str, ...] = ()
    """The units to look at then, `*` for all."""
    failure: Exception | None = None
    """Why a comment has no answer yet and has to be tried again; it kept none behind it waiting (R11)."""


def converse(context: Context, hands: Hands, request: MergeRequest) -> Spoken:
    """Hear and answer what is new on a merge request."""
    return _converse(context, hands, Thread(request.iid), request.updated_at, request)


def converse_on_issue(context: Context, hands: Hands, iid: int) -> Spoken:
    """As `converse`, on an issue, where it is open and bears the label of a control issue."""
    issue = context.forge.issue(context.repository, iid)
    if not issue.open or CONTROL not in issue.labels:
        return Spoken()
    return _converse(context, hands, Thread(iid, issue=True), issue.updated_at, None)


def _converse(
    context: Context, hands: Hands, thread: Thread, updated_at: datetime, request: MergeRequest | None
) -> Spoken:
    key = f"heard:{context.subject}:{'issue' if thread.issue else 'request'}:{thread.iid}"
    if context.memory.get(key) == updated_at.isoformat():
        return Spoken()
    wakes: tuple[str, ...] = ()
    failure: Exception | None = None
    now = hands.clock()
    for one in heard(context, thread, context.forge.notes(context.repository, thread), now):
        spoken = _tried(context, hands, one, request)
        wakes, failure = (*wakes, *spoken.wakes), failure or spoken.failure
        if isinstance(spoken.failure, RateLimited):
            failure = spoken.failure
            break
    if failure is None and (now - updated_at).total_seconds() > SETTLED:
        context.memory.set(key, updated_at.isoformat(), KEPT)
    return Spoken(tuple(dict.fromkeys(wakes)), failure)


def _tried(context: Context, hands: Hands, one: Heard, request: MergeRequest | None) -> Spoken:
    """One comment, and what failed there; a fault of Towpath's own is told, for trying again would not mend it."""
    try:
        return _answer(context, hands, one, request)
    except OutsideError as failure:
        log.warning("not answered yet", comment=one.comment.url, why=str(failure))
        return Spoken(failure=failure)
    except Exception:
        log.exception("failed on a command", comment=one.comment.url, by=one.comment.author.id)
    try:
        reply(context, one, failed(one, request))
    except Exception as failure:  # whatever it is, the next comment is heard
        log.exception("not told", comment=one.comment.url)
        return Spoken(("*",), failure)
    return Spoken(("*",))  # nobody knows how far it came


def _answer(context: Context, hands: Hands, one: Heard, request: MergeRequest | None) -> Spoken:
    hands.still_mine()
    if is_marked(context, one.comment):
        return Spoken()
    deed = do(context, hands, one, request)
    # The status and the label first, then the word: who reads "held" can rely on it.
    redden(context, hands, deed)
    show_holds(context, deed, request)
    hands.still_mine()
    reply(context, one, deed)
    said = [line for line, _ in one.lines]
    log.info("answered", comment=one.comment.url, by=one.comment.author.id, outcome=deed.outcome, said=said)
    return Spoken(deed.wakes)
