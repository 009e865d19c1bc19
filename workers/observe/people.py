"""Who may approve: CODEOWNERS of the target branch, whom its names stand for, and what these people may do.

People and rights are remembered for a short while; before a merge they are forgotten, and so read again."""

import json
import threading
from codecs import BOM_UTF8
from collections import OrderedDict
from typing import assert_never

from bot.git import Mirror
from policies.codeowners import LOCATIONS, Dialect, parse, unusable
from policies.codeowners.model import CodeOwners
from policies.model import Permission, User
from policies.snapshot import Members, Owners, OwnersFile, Reviewed, Right, Snapshot
from workers.observe.context import Context

LONGEST = 3 * 1024 * 1024
"""Bytes from which on a CODEOWNERS is not read: GitHub loads no larger one, GitLab documents no limit."""
MOST_PARSED = 4
"""Files that a thread remembers as parsed."""
KEPT = 300
"""Seconds for which the members of a group and the rights of a user are remembered."""
_remembered = threading.local()


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
    """The first CODEOWNERS that the forge would find at a commit of the target branch (S12).

    What stands there and is no file, such as a symbolic link, hides no other: it is a fault of its own."""
    dialect: Dialect = context.forge.kind
    for path in LOCATIONS[dialect]:
        blob = context.mirror.blob_id(commit, path)
        if blob is not None:
            return Owners(dialect, path, _parsed(context.mirror, dialect, blob))
        if context.mirror.is_link(commit, path):
            return Owners(dialect, path, unusable("symbolic_link"))
    return Owners(dialect, LOCATIONS[dialect][0], None)


def _parsed(mirror: Mirror, dialect: Dialect, blob: str) -> CodeOwners:
    """A file's rules, remembered by its blob id. By each thread for itself: the rules remember what they matched."""
    known: OrderedDict[tuple[str, str], CodeOwners] = _remembered.__dict__.setdefault("files", OrderedDict())
    key = (dialect, blob)
    if key not in known:
        known[key] = _read(dialect, mirror.blob(blob))
        if len(known) > MOST_PARSED:
            known.popitem(last=False)
    known.move_to_end(key)
    return known[key]


def _read(dialect: Dialect, text: bytes) -> CodeOwners:
    if len(text) >= LONGEST:
        return unusable("file_too_large")
    if text.startswith(BOM_UTF8):
        # To GitLab it is a part of the first line's pattern, which then fits nothing; GitHub does not say.
        return unusable("byte_order_mark")
    return parse(dialect, text.decode("utf-8", "replace"))


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
