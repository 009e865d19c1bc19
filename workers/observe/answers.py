"""Answers to what a decision asks beyond the snapshot: each question once, and only when it is asked."""

import json
from dataclasses import replace
from itertools import count
from typing import assert_never

import structlog

from bot.errors import OutsideError
from policies import naming
from policies.model import MergeRequest, MergeRequestState, Release, SourceCommit, Trouble
from policies.snapshot import (
    Arrival,
    Attempt,
    Attempts,
    Between,
    Content,
    Exists,
    Members,
    OwnersFile,
    Question,
    Reported,
    Reviewed,
    Right,
    Snapshot,
    Splice,
)
from workers.observe import people, promotions
from workers.observe.content import is_own, splice
from workers.observe.context import Context
from workers.observe.own import own_commit

log = structlog.get_logger(__name__)

COMMITS_KEPT = 24 * 3600
"""Seconds for which the commits between two revisions are remembered: they never change, the forge may gain them."""


def answered(context: Context, snapshot: Snapshot, questions: tuple[Question, ...]) -> Snapshot:
    """The snapshot with these questions answered."""
    for question in questions:
        snapshot = replace(snapshot, answers={**snapshot.answers, question: _answer(context, snapshot, question)})
        if isinstance(question, Attempts):
            snapshot = _with_unlabelled(context, snapshot, question)
    return snapshot


def _answer(context: Context, snapshot: Snapshot, question: Question) -> object:
    match question:
        case Attempts():
            return _attempts(context, snapshot, question)
        case Content():
            return _content(context, snapshot, question.stage, question.release)
        case Between():
            return _between(context, question)
        case Arrival():
            return _arrival(context, snapshot, question)
        case Reported():
            return promotions.report_text(context, question.iid)
        case OwnersFile() | Reviewed() | Members() | Right():
            return people.answer(context, snapshot.head, question)
        case Exists():
            return _exists(context, question)
        case _:
            assert_never(question)


def _attempts(context: Context, snapshot: Snapshot, question: Attempts) -> tuple[Attempt, ...]:
    found: list[Attempt] = []
    branches, me = context.mirror.branches(), context.forge.me()
    for number in count(1):
        name = naming.BranchName(question.stage, snapshot.unit, question.release, number)
        branch = naming.branch(name)
        requests = _requests(context, branch)
        mine = [request for request in requests if promotions.is_ours(request, me)]
        if mine:
            found.append(Attempt(number, mine[0], own=True, landed=_landed(context, snapshot, mine[0])))
        elif requests:  # somebody else's merge request took the branch: it is theirs now
            found.append(Attempt(number, None, own=False))
        elif branch in branches:
            found.append(_branch_alone(context, snapshot, branches[branch], name))
        else:
            return tuple(found)
    raise AssertionError("count() ends never")


def _landed(context: Context, snapshot: Snapshot, request: MergeRequest) -> bool:
    commit = request.merge_commit
    return commit is not None and context.mirror.has(commit) and context.mirror.is_ancestor(commit, snapshot.head)


def _requests(context: Context, branch: str) -> tuple[MergeRequest, ...]:
    """The merge requests from a branch of this very project, in any state, newest first."""
    return tuple(one for one in context.forge.requests_from(context.repository, branch) if one.same_project)


def _branch_alone(context: Context, snapshot: Snapshot, head: str, name: naming.BranchName) -> Attempt:
    """An attempt without a merge request: its first step, where nothing but Towpath's own commit is on the branch."""
    own = own_commit(context, head, name)
    if own is None or own[0] != head:
        return Attempt(name.attempt, None, own=False)
    record = own[1]
    is_first = is_own(context.editor(snapshot.policy.services), snapshot.head, head, record.release)
    return Attempt(name.attempt, None, is_first, requesters=record.requesters, cause=record.cause)


def _with_unlabelled(context: Context, snapshot: Snapshot, question: Attempts) -> Snapshot:
    requests = tuple(
        one.request for one in snapshot.attempts(question.stage, question.release) if one.request is not None
    )
    missed = promotions.opened_elsewhere(snapshot, requests, context.forge.me())
    read = (promotions.promotion(context, snapshot, request) for request in missed)
    return replace(snapshot, promotions=(*snapshot.promotions, *(one for one in read if one is not None)))


def _content(context: Context, snapshot: Snapshot, stage: str, release: Release) -> Splice | tuple[Trouble, ...]:
    paths = tuple(dict.fromkeys(target.path for target in snapshot.view(stage).targets))
    return splice(context.editor(snapshot.policy.services), snapshot.head, paths, release)


def _between(context: Context, question: Between) -> tuple[SourceCommit, ...]:
    key = f"between:{context.forge.name}:{question.source}:{question.old}:{question.new}"
    known = context.memory.get(key)
    if known is not None:
        return tuple(SourceCommit(**row) for row in json.loads(known))
    found = tuple(context.forge.commits_between(question.source, question.old, question.new))
    rows = [{"sha": one.sha, "title": one.title, "author": one.author} for one in found]
    context.memory.set(key, json.dumps(rows), COMMITS_KEPT)
    return found


def _arrival(context: Context, snapshot: Snapshot, question: Arrival) -> MergeRequest | None:
    """Attempts are looked up from the first on; nearly always there is one."""
    for number in count(1):
        name = naming.BranchName(question.stage, snapshot.unit, question.release, number)
        requests = _requests(context, naming.branch(name))
        merged = [request for request in requests if request.state is MergeRequestState.merged]
        if merged or not requests:
            return merged[0] if merged else None
    raise AssertionError("count() ends never")


def _exists(context: Context, question: Exists) -> bool | None:
    """None, told in the log, where the registry could not say: whoever rolls back is shown that."""
    try:
        return context.registries.exists(question.repository, question.digest)
    except OutsideError as failure:
        log.warning("image not looked up", image=question.repository, digest=question.digest, why=str(failure))
        return None
