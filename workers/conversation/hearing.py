"""Which comments of a thread are commands that nobody has answered yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.comments import candidate_lines
from bot.forges.base import Emoji, Note
from policies.commands import COMMANDS
from policies.commands.lines import Call, Mistake, parse_line
from policies.commands.model import Comment
from policies.model import Thread
from policies.wording.answers import answered
from workers.observe.context import Context

STALE = timedelta(days=1)
"""How old a command may be when it is first heard: what was meant for yesterday's state is not done today."""
FORGOTTEN = timedelta(days=3)
"""How old a comment may be to be answered at all."""
NAMES = tuple(command.name for command in COMMANDS)
ANSWERED = frozenset(emoji.value for emoji in Emoji)


@dataclass(frozen=True, slots=True)
class Heard:
    """A comment with commands that has no answer yet."""

    comment: Comment
    lines: tuple[tuple[str, Call | Mistake], ...]
    """Each line as it was written, and what it is."""
    internal: bool
    refusal: str = ""
    """Why it is refused whatever it says."""


def heard(context: Context, thread: Thread, notes: Sequence[Note], now: datetime) -> Iterator[Heard]:
    """The unanswered command comments, oldest first (S7: by people, never by bots or Towpath itself).

    An answer of Towpath's marks the comment that it answers; where somebody removed that, see `is_marked`."""
    me = context.forge.me().id
    done = {answered(note.body) for note in notes if note.author.id == me}
    for note in notes:
        if note.author.id == me or note.author.bot or note.id in done or now - note.created_at > FORGOTTEN:
            continue
        found = _heard(thread, note, now, context.command_prefix)
        if found is not None:
            yield found


def _heard(thread: Thread, note: Note, now: datetime, prefix: str) -> Heard | None:
    raw = candidate_lines(note.body)
    parsed = ((line, parse_line(line, NAMES, prefix)) for line in raw)
    ours = [(line, one) for line, one in parsed if not (isinstance(one, Mistake) and one.foreign)]
    if not ours:
        return None
    comment = Comment(thread, note.id, note.url, note.author, note.created_at, note.internal)
    return Heard(comment, tuple(ours), note.internal, _refusal(note, now))


def _refusal(note: Note, now: datetime) -> str:
    if note.edited:
        return "This comment was changed after it was written (on GitLab a reaction counts too). Write a new one."
    if now - note.created_at > STALE:
        when = f"{note.created_at:%Y-%m-%d %H:%M} UTC"
        return f"This was written at {when} and is heard only now. Write it again if it is still meant."
    return ""


def is_marked(context: Context, comment: Comment) -> bool:
    """Whether Towpath reacted to a comment: it was answered, though the answer is gone."""
    me, reactions = context.forge.me().id, context.forge.reactions(context.repository, comment.thread, comment.id)
    return any(one.user.id == me and one.name in ANSWERED for one in reactions)
