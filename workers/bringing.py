"""The merge request that brought a commit, by the forge's word, and whether the commit holds what it proposed."""

import re
from datetime import datetime, timedelta
from itertools import count, takewhile

from bot.errors import Permanent
from bot.git import Merged
from policies import around, naming, trailers
from policies.around import Came
from policies.model import MergeRequest, MergeRequestState
from workers.arrivals import images_of
from workers.observe.context import Context
from workers.observe.own import FAR_DOWN

LATELY = timedelta(days=1)
"""How far back a merge request of several commits is looked for by each of them."""
MOST_HINTS = 3
MOST_COMMITS = 250
"""Commits of one merge request that are looked through."""
_HINT = re.compile(r"[!#](\d{1,9})\b")


def bringing(context: Context, one: Came, since: str, now: datetime) -> tuple[MergeRequest, bool] | None:
    """The merged request that brought a commit, and whether the files are as it has them; None where none did."""
    parents = context.mirror.parents(one.commit)
    for request in (*_of_promotions(context, one), *_hinted(context, one.commit)):
        if request.state is MergeRequestState.merged and _came_by(request, one.commit, parents[1:]):
            # A list may tell less of each than the forge does of one alone, such as who merged it.
            whole = context.forge.request(context.repository, request.iid)
            return whole, _holds(context, one.paths, (one.before, one.commit), whole)
    return _as_one_of_many(context, one, since, now)


def is_merge_of(context: Context, iid: int | None, commit: str) -> bool:
    """Whether the forge has this very commit as the merge of that merge request."""
    if iid is None:
        return False
    try:
        request = context.forge.request(context.repository, iid)
    except Permanent:
        return False
    return request.state is MergeRequestState.merged and request.merge_commit == commit


def _came_by(request: MergeRequest, commit: str, merged: tuple[str, ...]) -> bool:
    """GitLab names the head itself where a push brought the merge in."""
    by_push = request.merge_commit == request.head and request.head in merged
    return request.merge_commit == commit or by_push


def _of_promotions(context: Context, one: Came) -> list[MergeRequest]:
    """Those from the branches of promotions of what the commit brought: their names outlive the branches."""
    found: list[MergeRequest] = []
    for unit, stage, release in sorted(_names(context, one)):
        for number in count(1):
            name = naming.BranchName(stage, unit, release, number)
            requests = context.forge.requests_from(context.repository, naming.branch(name))
            if not requests:
                break
            found += (request for request in requests if request.same_project)
    return found


def _names(context: Context, one: Came) -> set[tuple[str, str, str]]:
    """Of what the commit may be the promotion: by Towpath's own commit in it, else by what it pins."""
    mirror = context.mirror
    commits = mirror.log(one.before, one.commit, FAR_DOWN)
    records = [trailers.unsealed(mirror.message(commit), context.seal_keys) for commit in commits]
    names = {(record.unit, record.stage, record.release.name) for record in records if record}
    release = around.release_of(image for images in images_of(context, one).values() for image in images)
    return names | ({(one.unit, one.stage.name, release.name)} if release is not None else set())


def _hinted(context: Context, commit: str) -> list[MergeRequest]:
    """Those that the commit's message speaks of; whoever wrote it, only the forge's word on them counts."""
    numbers = dict.fromkeys(int(number) for number in _HINT.findall(context.mirror.message(commit)))
    found = []
    for number in list(numbers)[:MOST_HINTS]:
        try:
            found.append(context.forge.request(context.repository, number))
        except Permanent:  # a number of something else
            continue
    return found


def _as_one_of_many(context: Context, one: Came, since: str, now: datetime) -> tuple[MergeRequest, bool] | None:
    """The request that brought the commit among others: by fast-forward, or by a rebase that made them anew."""
    mirror = context.mirror
    for listed in context.forge.updated_requests(context.repository, now - LATELY):
        commits = _brought_by(context, listed, since) if listed.state is MergeRequestState.merged else ()
        if one.commit in commits:
            request = context.forge.request(context.repository, listed.iid)
            before = next(iter(mirror.parents(commits[-1])), one.before)
            return request, _holds(context, one.paths, (before, commits[0]), request)
    return None


def _brought_by(context: Context, request: MergeRequest, since: str) -> tuple[str, ...]:
    """The commits of the target branch that a request brought one by one, newest first."""
    mirror, last = context.mirror, request.merge_commit
    if last is None or not mirror.has(last) or len(mirror.parents(last)) != 1:
        return ()
    if request.head == last:
        # Nothing tells where its branch began; what was there when it was last looked was not brought by it.
        chain = mirror.first_parents(last, MOST_COMMITS)
        return tuple(takewhile(lambda one: not mirror.is_ancestor(one, since), chain))
    try:
        mirror.ensure(request.head)
    except Permanent:
        return ()
    common = mirror.common(request.head, last)
    commits = mirror.log(common, request.head, MOST_COMMITS) if common is not None else ()
    return tuple(mirror.first_parents(last, sum(len(mirror.parents(commit)) == 1 for commit in commits)))


def _holds(context: Context, paths: tuple[str, ...], merge: tuple[str, str], request: MergeRequest) -> bool:
    """Whether the files in question are as the merge request's head, or its merge, has them."""
    mirror, (before, commit) = context.mirror, merge
    try:
        mirror.ensure(request.head)
    except Permanent:
        return False
    if mirror.is_ancestor(request.head, before) or any(mirror.is_link(commit, path) for path in paths):
        return False  # it had come in before, or nobody can tell what stands there
    merged = mirror.merge(before, request.head)
    trees = (request.head, merged.tree) if isinstance(merged, Merged) else (request.head,)
    return all(mirror.blob_id(commit, path) in [mirror.blob_id(tree, path) for tree in trees] for path in paths)
