"""What Towpath does where it was spoken to: turns statuses red, answers, and reacts."""

import structlog

from bot.errors import OutsideError, Permanent
from bot.forges.base import Emoji, Status
from policies import naming
from policies.gates import hold
from policies.model import MergeRequest
from policies.state import State
from policies.verdict import Verdict, combine
from policies.wording import report as words
from policies.wording.answers import answer
from workers.conversation.doing import Deed
from workers.conversation.hearing import Heard
from workers.hands import Hands
from workers.observe.context import Context
from workers.observe.promotions import is_ours

log = structlog.get_logger(__name__)

EMOJI = {"done": Emoji.done, "refused": Emoji.refused, "seen": Emoji.seen}


def reply(context: Context, one: Heard, deed: Deed) -> None:
    """Answer, then react: two writes, of which either marks the comment as answered, so one of them may be refused."""
    thread, emoji = one.comment.thread, EMOJI[deed.outcome]
    text = answer(one.comment, deed.head, deed.results)
    try:
        context.forge.add_note(context.repository, thread, text, internal=one.internal)
    except Permanent as refusal:  # such as on a locked thread
        log.warning("not answered", comment=one.comment.url, why=str(refusal))
        context.forge.react(context.repository, thread, one.comment.id, emoji)
        return
    try:
        context.forge.react(context.repository, thread, one.comment.id, emoji)
    except OutsideError as failure:
        log.warning("no reaction", comment=one.comment.url, why=str(failure))


def redden(context: Context, hands: Hands, deed: Deed) -> None:
    """Turn the status of every open promotion red that a new hold reaches, before anybody is told that it is held."""
    new = tuple(hold for hold in deed.after.holds if hold not in deed.before.holds)
    if not new:
        return
    only = State(holds=new)
    for request in context.forge.open_requests(context.repository, naming.LABEL):
        verdicts = _held(context, only, request, hands)
        if verdicts:
            state, text = words.status(combine("promotion", verdicts), context.forge.kind)
            hands.still_mine()
            status = Status(naming.STATUS, state, text, request.url)
            context.forge.set_status(context.repository, request.head, request.source_branch, status)


def _held(context: Context, new: State, request: MergeRequest, hands: Hands) -> tuple[Verdict, ...]:
    name = naming.parse_branch(request.source_branch)
    if name is None or not is_ours(request, context.forge.me()):
        return ()
    return hold.on_request(new, name.unit, name.stage, request.iid, hands.clock(), name.release)
