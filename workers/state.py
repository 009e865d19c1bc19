"""What commands decided, recorded: one sealed commit for each change on the branch `towpath/state` (S21).

Compare and swap: what was changed is what is newest, or it is changed again."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

import structlog

from bot.errors import Permanent
from bot.git import LeaseLost
from bot.yaml import dump
from policies import trailers
from policies.model import MergeRequest
from policies.state import BRANCH, FILE, Hold, Person, State, Unknown, pruned
from policies.wording.quote import one_line
from workers.hands import Hands
from workers.observe.context import Context
from workers.observe.state import LARGEST, Found, find_state, last_seen, read_state, sealed_lines, see, state_at

__all__ = [
    "Alarm",
    "found_state",
    "hold_after",
    "read_state",
    "record",
    "recorded_change",
    "released_at",
    "start_anew",
    "written",
]

log = structlog.get_logger(__name__)

TRIES = 5
FAR_BACK = 2000
"""How many changes are looked through for one that bears a note."""
HEADER = """\
# Towpath's own file. Do not edit: a commit here that is not Towpath's stops every promotion of the repository.
# It changes by commands in comments: /hold /unhold /freeze /unfreeze /quarantine /unquarantine /promote /rollback
# /refresh /override /merge. The history of this branch says who asked for each change, when, where and why.
"""


@dataclass(frozen=True)
class Step:
    """From where to where a change goes: the commit that it comes after, and where the branch must be just then."""

    parent: str | None
    standing: str | None


@dataclass(frozen=True)
class Alarm:
    """A merge that nothing should follow before a person has looked."""

    service: str
    stage: str
    reason: str
    request: MergeRequest
    """The merge request; its merge commit is what the alarm is about."""


def record(  # noqa: PLR0913 # what is changed, and all that its history says of it
    context: Context,
    hands: Hands,
    change: Callable[[State], State],
    subject: str,
    body: str,
    note: str = "",
    at: datetime | None = None,
) -> State:
    """Change the newest state by one commit that says why; the state from then on. What bears a note is done once.

    With `at`, when it was asked for, the commit also says which merge requests it releases; see `released_at`.
    Permanent while the state is unknown, Conflict where others were faster five times."""
    for tries_left in reversed(range(TRIES)):
        state, head = _newest(context)
        if _was_noted(context, head, note):
            return state
        wanted = change(state)
        changed = state if wanted == state else pruned(wanted, hands.clock())
        if changed == state:
            return state
        try:
            message = _message(subject, body, note) + (_releases(state, wanted, at) if at is not None else "")
            _commit(context, hands, Step(head, head), changed, message)
        except LeaseLost:
            if not tries_left:
                raise
            context.mirror.fetch()
        else:
            return changed
    raise AssertionError("the last try returns or raises")


def recorded_change(context: Context, note: str) -> tuple[State, State] | None:
    """The state before and after the change that bears this note; None where the history has none."""
    commit = _noted(context, _look(context).head, note)
    if commit is None:
        return None
    parent = next(iter(context.mirror.parents(commit)), None)
    return state_at(context, parent), state_at(context, commit)


def released_at(context: Context, request: int, carried: tuple[str, str, str]) -> datetime | None:
    """When a hold of a merge request with this release was last lifted, by the history of the state last believed."""
    head, found = last_seen(context), []
    if head is None or not context.mirror.has(head):
        return None
    ends = (f" {request}", f" {_carried(carried)}")
    for commit in context.mirror.first_parents(head, FAR_BACK):
        for name, value in trailers.lines(context.mirror.message(commit)):
            if name == "Released" and value.endswith(ends):
                found.append(datetime.fromisoformat(value.split(" ")[0]))
    return max(found, default=None)


def _was_noted(context: Context, head: str | None, note: str) -> bool:
    return _noted(context, head, note) is not None


def _noted(context: Context, head: str | None, note: str) -> str | None:
    if head is None or not note:
        return None
    line, commits = ("Note", _as_value(note)), context.mirror.first_parents(head, FAR_BACK)
    return next((one for one in commits if line in trailers.lines(context.mirror.message(one))), None)


def _releases(before: State, after: State, at: datetime) -> str:
    """The lines that say which merge requests, and which of their releases, a change stops to hold."""
    gone = [hold for hold in before.holds if hold.request is not None and hold not in after.holds]
    whom = [str(hold.request) for hold in gone] + [_carried(hold.carries) for hold in gone if hold.carries is not None]
    return "".join(f"Towpath-Released: {at.isoformat()} {one}\n" for one in dict.fromkeys(whom))


def _carried(carried: tuple[str, str, str]) -> str:
    return "/".join(quote(part, safe="") for part in carried)


def _as_value(text: str) -> str:
    return quote(text, safe="/: ")


def _newest(context: Context) -> tuple[State, str | None]:
    found = _look(context)
    if isinstance(found.state, Unknown):
        raise Permanent("record in", context.subject, f"{found.state.reason}; {found.state.change}")
    return found.state, found.head


def _look(context: Context) -> Found:
    branch = context.forge.default_branch(context.repository)
    heads = context.mirror.heads((branch, BRANCH))
    if branch not in heads:
        raise Permanent("read", f"{context.subject}@{branch}", "there is no such branch")
    context.mirror.ensure(heads[branch])
    return find_state(context, heads[branch], heads.get(BRANCH))


def _commit(context: Context, hands: Hands, step: Step, state: State, message: str) -> None:
    raw = written(state)
    if len(raw) > LARGEST:
        raise Permanent("record in", context.subject, f"{FILE} would be larger than {LARGEST} bytes: lift what is over")
    lines = "\n".join(f"Towpath-{name}: {value}" for name, value in sealed_lines(context, raw, step.parent))
    text = trailers.sealed(f"{message}{lines}\n", context.seal_keys[0])
    tree = context.mirror.with_files(None, {FILE: raw})
    commit = context.mirror.commit(step.parent, tree, text, hands.identity, hands.clock())
    hands.still_mine()
    context.mirror.push(BRANCH, commit, step.standing)
    see(context, commit)


def written(state: State) -> bytes:
    """The bytes of `state.yaml`."""
    return (HEADER + dump({"version": 1, **state.model_dump(mode="json", exclude_defaults=True)})).encode()


def _message(subject: str, body: str, note: str = "") -> str:
    """Nobody's words can stand as one of the sealed lines, which begin like these (S9)."""
    text = re.sub(r"^(?=Towpath-)", "> ", f"{one_line(subject)}\n\n{body.strip()}", flags=re.MULTILINE)
    return f"{text}\n\n" + (f"Towpath-Note: {_as_value(note)}\n" if note else "")


def found_state(context: Context, hands: Hands) -> bool:
    """Make the branch with an empty state where Towpath comes for the first time; whether it was made now."""
    _, head = _newest(context)
    if head is not None:
        return False
    with suppress(LeaseLost):  # another worker was there first
        _commit(context, hands, Step(None, None), State(), _message("Begin", "What commands decide is recorded here."))
    return True


def start_anew(context: Context, hands: Hands, replace: bool) -> str:
    """Make the branch where it is missing, or with `replace` an empty state after whatever stands; what was done."""
    found = _look(context)
    if found.head is not None and not replace:
        what = found.state.reason if isinstance(found.state, Unknown) else f"{BRANCH} stands and is Towpath's own"
        raise Permanent("start the state of", context.subject, f"{what}; --replace begins anew, with nothing held")
    seen = last_seen(context)
    known = seen if seen is not None and context.mirror.has(seen) else None
    parent = found.head or known
    message = _message("Begin anew", "An operator said so: towpath state init.")
    _commit(context, hands, Step(parent, found.head), State(), message)
    return f"{BRANCH} begins with an empty state" + (f", after {parent[:12]}" if parent else "")


# Alarms.


def hold_after(context: Context, hands: Hands, alarm: Alarm) -> None:
    """Hold a service in a stage until a person has looked; once for each merge, also after somebody lifted it."""
    me, where = context.forge.me(), alarm.request.url
    hold = Hold(
        by=Person(id=me.id, name=me.username),
        at=hands.clock(),
        where=where,
        service=alarm.service,
        stage=alarm.stage,
        reason=one_line(alarm.reason),
    )

    def held(state: State) -> State:
        return state.model_copy(update={"holds": (*state.holds, hold)})

    subject = f"Hold {alarm.service} in {alarm.stage}"
    note = f"merge {alarm.request.merge_commit} {alarm.service} {alarm.stage}"
    try:
        record(context, hands, held, subject, f"{hold.reason}\n\n{where}", note)
    except Permanent as error:  # while the state is unknown nothing merges anyway
        log.critical("not held", service=alarm.service, stage=alarm.stage, why=str(error))
