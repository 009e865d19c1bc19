"""What a command is: what it is called with, what it sees, and what comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from policies.actions import Plan
from policies.commands import room
from policies.commands.lines import Call
from policies.model import MergeRequest, Release, Thread, User
from policies.snapshot import Snapshot
from policies.state import State


@dataclass(frozen=True, slots=True)
class Comment:
    """The comment that holds the command; its writer's rights are the command's (S6)."""

    thread: Thread
    id: int
    url: str
    author: User
    at: datetime
    internal: bool = False
    """Whether only members of the project can read it."""


@dataclass(frozen=True, slots=True)
class Situation:
    """All that a command may look at: the unit that it is about as just read, and where it was said."""

    snapshot: Snapshot
    """Of the unit that the command names, else of the thread's; of one with an empty name where there is neither."""
    plan: Plan
    comment: Comment
    now: datetime
    services: tuple[str, ...] = ()
    """Every unit of the repository: what is none of them is no service's name."""
    request: MergeRequest | None = None
    """The merge request that the comment stands on, in any state; None on a control issue."""
    stage: str | None = None
    """The stage of that merge request, where it is a promotion of Towpath's own."""
    release: Release | None = None
    """Its release, as Towpath's own commit on its branch says."""
    held_since: tuple[str, datetime] | None = None
    """Who set the label of a hold on it by hand after the comment was written, by name, and when."""


@dataclass(frozen=True, slots=True)
class Done:
    """The command is granted: the state from now on, what to answer, and whose reconciliation to wake."""

    state: State
    answer: str
    wakes: tuple[str, ...] = ()
    """Units; `*` for all of the repository."""
    releases: int | None = None
    """The merge request whose own hold is lifted: its label goes, also where nobody recorded who set it."""
    seen_only: bool = False
    """Whether it still waits for somebody: the comment gets the reaction of what was seen, not of what is done."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The command is not done: why, and what would change it."""

    answer: str


class Declined(Exception):
    """A command is not done: why, in a sentence for who asked. Only within `policies.commands`."""


def refusing(grant: Callable[[Situation, State, Call], Done]) -> Callable[[Situation, State, Call], Done | Refused]:
    """What a command does, with `Declined` and a full state as a refusal."""
    apply = always_with_room(grant)

    def bounded(situation: Situation, state: State, call: Call) -> Done | Refused:
        done = apply(situation, state, call)
        full = room.lacking(state, done.state, situation.now) if isinstance(done, Done) else ""
        return Refused(full) if full else done

    return bounded


def always_with_room(
    grant: Callable[[Situation, State, Call], Done],
) -> Callable[[Situation, State, Call], Done | Refused]:
    """As `refusing`, of a command that must be possible however full the state is."""

    def apply(situation: Situation, state: State, call: Call) -> Done | Refused:
        try:
            return grant(situation, state, call)
        except Declined as why:
            return Refused(str(why))

    return apply


@dataclass(frozen=True, slots=True)
class Takes:
    """What a command understands: the words with a meaning of their own, how many others, and whether text follows."""

    words: frozenset[str] = frozenset({"service", "stage"})
    """Of `service`, `stage`, `until`, `for`, `to`, `back`, and the flags `all` and `everywhere`."""
    others: int = 0
    text: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """One slash-command. `/help` and the handbook's table are made from these."""

    name: str
    usage: str
    summary: str
    right: str | None
    """The right that it asks for, by its name in `permissions`; None: everybody who may write a comment here."""
    apply: Callable[[Situation, State, Call], Done | Refused]
    """Raises `Unanswered` while something must be read first; asks for the right itself, as it knows what it is for."""
    takes: Takes = Takes()
    """What stands behind its name; by it `arguments.service_named` tells which unit to read before it is applied."""
