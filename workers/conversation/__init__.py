"""Commands in comments: what a thread says is heard once, done by the rights of who said it, and answered there."""

from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from bot.errors import OutsideError, RateLimited
from policies.model import MergeRequest, Thread
from policies.naming import CONTROL
from workers.conversation.doing import do, failed
from workers.conversation.hearing import Heard, heard, is_marked
from workers.conversation.label_log import control_since
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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where people talk: on a merge request, or on a control issue, of which only members may know if confidential."""

    thread: Thread
    updated_at: datetime
    request: MergeRequest | None = None
    confidential: bool = False


def converse(context: Context, hands: Hands, request: MergeRequest) -> Spoken:
    """Hear and answer what is new on a merge request."""
    return _converse(context, hands, _Place(Thread(request.iid), request.updated_at, request))


def converse_on_issue(context: Context, hands: Hands, iid: int) -> Spoken:
    """As `converse`, on an issue, where it is open and bears the label of a control issue."""
    issue = context.forge.issue(context.repository, iid)
    if not issue.open or CONTROL not in issue.labels:
        return Spoken()
    return _converse(context, hands, _Place(Thread(iid, issue=True), issue.updated_at, confidential=issue.confidential))


def _converse(context: Context, hands: Hands, place: _Place) -> Spoken:
    thread, stamp = place.thread, place.updated_at.isoformat()
    key = f"heard:{context.subject}:{'issue' if thread.issue else 'request'}:{thread.iid}"
    if context.memory.get(key) == stamp:
        return Spoken()
    wakes: tuple[str, ...] = ()
    failure: Exception | None = None
    now = hands.clock()
    for one in _commands(context, place, now):
        spoken = _tried(context, hands, one, place.request)
        wakes, failure = (*wakes, *spoken.wakes), failure or spoken.failure
        if isinstance(spoken.failure, RateLimited):
            failure = spoken.failure
            break
    if failure is None and (now - place.updated_at).total_seconds() > SETTLED:
        context.memory.set(key, stamp, KEPT)
    return Spoken(tuple(dict.fromkeys(wakes)), failure)


def _commands(context: Context, place: _Place, now: datetime) -> tuple[Heard, ...]:
    """The comments to answer. What was said on an ordinary issue is no command, whoever labels the issue later (S6)."""
    notes = context.forge.notes(context.repository, place.thread)
    if place.confidential:
        notes = [replace(note, internal=True) for note in notes]
    found = tuple(heard(context, place.thread, notes, now))
    since = control_since(context, place.thread) if found and place.thread.issue else None
    return tuple(one for one in found if since is None or one.comment.at >= since)


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
    show_holds(context, deed, request, one.comment.at)
    hands.still_mine()
    reply(context, one, deed)
    said = [line for line, _ in one.lines]
    log.info("answered", comment=one.comment.url, by=one.comment.author.id, outcome=deed.outcome, said=said)
    return Spoken(deed.wakes)
