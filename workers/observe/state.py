"""`state.yaml` on the branch `towpath/state`, read so that nothing counts but what Towpath itself wrote (S21)."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from pydantic import ValidationError

from bot.yaml import Unreadable, parse_document
from policies import naming, trailers
from policies.state import BRANCH, FILE, State, Unknown
from workers.observe.context import Context

LARGEST = 1024 * 1024
"""Bytes of `state.yaml`."""
FAR_BACK = 500
"""How many first-parent commits of the target branch are looked through for a sign that Towpath was here before."""
SEEN = "state-seen"
KEPT = 365 * 24 * 3600
ANEW = "then run `towpath state init --replace` to start with an empty one"


@dataclass(frozen=True)
class Found:
    """The state, and the head of its branch that it was read at; None where there is no branch."""

    state: State | Unknown
    head: str | None


def read_state(context: Context, target_head: str, state_head: str | None) -> State | Unknown:
    """What commands decided, as of these heads of the target branch and of the state's own."""
    return find_state(context, target_head, state_head).state


def find_state(context: Context, target_head: str, state_head: str | None) -> Found:
    """As `read_state`, with the head: a newer one where another worker moved it since."""
    seen = last_seen(context)
    if state_head is None or not _comes_after(context, seen, state_head):
        state_head = context.mirror.heads((BRANCH,)).get(BRANCH)
    if state_head is None:
        return Found(_missing(context, target_head, seen), None)
    if not _comes_after(context, seen, state_head):
        return Found(_rewritten(seen or ""), state_head)
    found = _read(context, state_head)
    if isinstance(found, State):
        see(context, state_head)
    return Found(found, state_head)


def last_seen(context: Context) -> str | None:
    """The newest state that was believed: by what workers share, else by this mirror."""
    return context.memory.get(_key(context)) or context.mirror.note(SEEN)


def see(context: Context, commit: str) -> None:
    """From now on believe only what comes after this commit."""
    if context.memory.get(_key(context)) != commit:
        context.memory.set(_key(context), commit, KEPT)
    if context.mirror.note(SEEN) != commit:
        context.mirror.take_note(SEEN, commit)


def _key(context: Context) -> str:
    return f"state:{context.subject}"


def _comes_after(context: Context, seen: str | None, head: str) -> bool:
    context.mirror.ensure(head)
    return seen in (None, head) or (context.mirror.has(str(seen)) and context.mirror.is_ancestor(str(seen), head))


def _missing(context: Context, target_head: str, seen: str | None) -> State | Unknown:
    """Empty where Towpath never promoted anything: it makes the branch before it does."""
    if seen is None and not _was_here(context, target_head):
        return State()
    change = "restore it, or run `towpath state init` to start with an empty one"
    return Unknown(f"the branch {BRANCH} is missing", change)


def _was_here(context: Context, target_head: str) -> bool:
    if any(name.startswith(naming.PREFIX) for name in context.mirror.fetch()):
        return True
    return any(
        trailers.is_genuine(context.mirror.message(one), context.seal_keys)
        for commit in context.mirror.first_parents(target_head, FAR_BACK)
        for one in (commit, *context.mirror.parents(commit)[1:2])
    )


def _rewritten(seen: str) -> Unknown:
    change = f"set it back to {seen[:12]}; or look at what was lost, {ANEW}"
    return Unknown(f"the branch {BRANCH} was rewritten: {seen[:12]} is not in it any more", change)


def _read(context: Context, head: str) -> State | Unknown:
    if not context.mirror.holds_only(head, FILE):
        return _faulty(f"does not hold the one file {FILE}")
    raw = context.mirror.read(head, FILE) or b""
    if len(raw) > LARGEST:
        return _faulty(f"holds a {FILE} larger than {LARGEST // 1024 // 1024} MiB")
    if not is_own(context, head, raw):
        return _faulty("has a newest commit that is not Towpath's own")
    return _parsed(raw)


def state_at(context: Context, commit: str | None) -> State:
    """The state as a commit in the history of the believed one has it; empty where it cannot be read."""
    raw = context.mirror.read(commit, FILE) if commit is not None else None
    found = _parsed(raw) if raw else None
    return found if isinstance(found, State) else State()


def is_own(context: Context, commit: str, raw: bytes) -> bool:
    """Whether Towpath wrote this commit, after this parent, with these bytes, in this repository."""
    message, parents = context.mirror.message(commit), context.mirror.parents(commit)
    said = [line for line in trailers.lines(message) if line[0] in ("State", "Parent", "Repository")]
    wanted = list(sealed_lines(context, raw, parents[0] if parents else None))
    return len(parents) < 2 and said == wanted and trailers.is_genuine(message, context.seal_keys)


def sealed_lines(context: Context, raw: bytes, parent: str | None) -> tuple[tuple[str, str], ...]:
    """What a commit of the state says under seal: nothing of it fits another place, time or content."""
    return (
        ("State", f"sha256:{hashlib.sha256(raw).hexdigest()}"),
        ("Parent", parent or "none"),
        ("Repository", quote(context.subject, safe="/:")),
    )


@lru_cache(maxsize=32)
def _parsed(raw: bytes) -> State | Unknown:
    try:
        return State.model_validate(parse_document(raw).value)
    except Unreadable as error:
        return _faulty(f"holds a {FILE} that cannot be read: {error}")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return _faulty(f"holds a {FILE} that this Towpath does not understand: {place}: {first['msg']}")


def _faulty(what: str) -> Unknown:
    return Unknown(f"the branch {BRANCH} {what}", f"take away what is not Towpath's; or look at it, {ANEW}")
