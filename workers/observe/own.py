"""Towpath's own commits: each seals what it comes after, what it holds, who made it and when, and which attempt it is.

So a commit that anybody else makes is another one, though it says and holds the same (S13, S15)."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

from bot.git import Identity, Mirror
from policies import trailers
from policies.actions import OpenPromotion
from policies.naming import BranchName
from policies.trailers import Record
from workers.observe.context import Context

FAR_DOWN = 20
"""How many commits of a branch are looked through for Towpath's own."""


def commit_own(context: Context, action: OpenPromotion, identity: Identity, at: datetime) -> str:
    """Write the commit of a promotion's attempt."""
    who = f"{identity.name} <{identity.email}> {int(at.timestamp())}"
    lines = _lines(action.base, action.tree, who, action.attempt)
    bound = "".join(f"Towpath-{name}: {value}\n" for name, value in lines.items())
    message = trailers.sealed(f"{action.message.rstrip()}\n{bound}", context.seal_keys[0])
    return context.mirror.commit(action.base, action.tree, message, identity, at)


def _lines(base: str, tree: str, committer: str, attempt: int) -> Mapping[str, str]:
    return {"Attempt": str(attempt), "Base": base, "Tree": tree, "Committer": quote(committer, safe=" <>@.")}


def own_commit(context: Context, head: str, name: BranchName) -> tuple[str, Record] | None:
    """Towpath's own commit for this very attempt among the newest of a branch, with its trailers.

    Of its unit, stage and release: a sealed commit of another stage, pushed here, would merge by this stage's gates."""
    commit: str | None = head
    asked = (name.unit, name.stage, name.release)
    for _ in range(FAR_DOWN):
        if commit is None:
            return None
        message = context.mirror.message(commit)
        record = trailers.unsealed(message, context.seal_keys)
        same = record is not None and (record.unit, record.stage, record.release.name) == asked
        if record is not None and same and _is_the_one(context.mirror, commit, message, name.attempt):
            return commit, record
        commit = next(iter(context.mirror.parents(commit)), None)
    return None


def _is_the_one(mirror: Mirror, commit: str, message: str, attempt: int) -> bool:
    """Every part of a commit but its message is in the sealed lines, so what agrees with them is this very commit."""
    parents, author, committer = mirror.parents(commit), mirror.author(commit), mirror.committer(commit)
    if len(parents) != 1 or author != committer or not mirror.is_plain(commit):
        return False
    wanted = _lines(parents[0], mirror.tree(commit), committer, attempt)
    return wanted.items() <= dict(trailers.lines(message)).items()
