"""Who may approve: CODEOWNERS of the target branch, whom its names stand for, and what these people may do.

People and rights are remembered for a short while; before a merge they are forgotten, and so read again."""

import json
from typing import assert_never

from policies.codeowners import LOCATIONS, Dialect, parse
from policies.model import Permission, User
from policies.snapshot import Members, Owners, OwnersFile, Reviewed, Right, Snapshot
from workers.observe.context import Context

LONGEST = {"github": 3_000_000, "gitlab": 4_000_000}
"""Bytes; GitHub loads no larger file (its documentation of code owners), and Towpath reads none."""
KEPT = 300
"""Seconds for which the members of a group and the rights of a user are remembered."""


def answer(context: Context, commit: str, question: OwnersFile | Reviewed | Members | Right) -> object:
    """What a decision asks of people."""
    match question:
        case OwnersFile():
            return owners_file(context, commit)
        case Reviewed():
            return tuple(context.forge.reviews(context.repository, question.iid))
        case Members():
            return members(context, question.name)
        case Right():
            return right(context, question.user)
        case _:
            assert_never(question)


def owners_file(context: Context, commit: str) -> Owners:
    """The first CODEOWNERS that the forge would find at a commit of the target branch (S12)."""
    dialect: Dialect = context.forge.kind
    for path in LOCATIONS[dialect]:
        if context.mirror.blob_id(commit, path) is not None:
            text = context.mirror.read(commit, path) or b""
            if len(text) > LONGEST[dialect]:
                return Owners(dialect, path, None)
            return Owners(dialect, path, parse(dialect, text.decode("utf-8", "replace")))
    return Owners(dialect, LOCATIONS[dialect][0], None)


def members(context: Context, name: str) -> tuple[User, ...] | None:
    """Whom a name stands for; None where the forge cannot or will not say."""
    key = _members_key(context, name)
    known = context.memory.get(key)
    if known is None:
        found = context.forge.named(context.repository, name)
        rows = None if found is None else [[one.id, one.username, one.name, one.bot] for one in found]
        known = json.dumps(rows)
        context.memory.set(key, known, KEPT)
    rows = json.loads(known)
    return None if rows is None else tuple(User(*row) for row in rows)


def right(context: Context, user: User) -> Permission:
    """What a user may do in the repository."""
    key = _right_key(context, user)
    known = context.memory.get(key)
    if known is None:
        known = str(int(context.forge.permission(context.repository, user)))
        context.memory.set(key, known, KEPT)
    return Permission(int(known))


def forget(context: Context, snapshot: Snapshot) -> bool:
    """Forget what this decision knew of people, so that it is read again; whether there was anything."""
    keys = [_members_key(context, one.name) for one in snapshot.answers if isinstance(one, Members)]
    keys += [_right_key(context, one.user) for one in snapshot.answers if isinstance(one, Right)]
    for key in keys:
        context.memory.delete(key)
    return bool(keys)


def _members_key(context: Context, name: str) -> str:
    return f"people:{context.subject}:{name}"


def _right_key(context: Context, user: User) -> str:
    return f"right:{context.subject}:{user.id}:{user.username}"
