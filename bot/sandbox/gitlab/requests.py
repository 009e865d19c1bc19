"""The endpoints of merge requests: list, read, open, edit, merge."""

from bot.sandbox import errors, merging, requests
from bot.sandbox.api import Answer, Json
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.jobs import pipeline
from bot.sandbox.gitlab.request_shapes import merge_request, single_request, version
from bot.sandbox.gitlab.shapes import commit, diff
from bot.sandbox.model import Checked, MergeRequest, Project, RequestState
from bot.sandbox.state import require_code

STATES = ("all", "opened", "closed", "merged", "locked")
Pair = tuple[Project, MergeRequest]


def list_requests(call: Call) -> Answer:
    """`GET /projects/:id/merge_requests`."""
    project = call.project()
    require_code(project, call.actor)
    return _listed(call, [(project, request) for request in project.requests.values()])


def list_all(call: Call) -> Answer:
    """`GET /merge_requests`: over all projects that the user sees; only the user's own unless `scope=all`."""
    user = call.user()
    scope = call.choice("scope", ("created_by_me", "all", "assigned_to_me", "created-by-me"))
    seen = [project for project in call.state.projects.values() if call.state.sees(user, project)]
    pairs = [(project, request) for project in seen for request in project.requests.values()]
    if scope == "assigned_to_me":
        return _listed(call, [])
    return _listed(call, [pair for pair in pairs if scope == "all" or pair[1].author == user])


def of_commit(call: Call) -> Answer:
    """`GET /projects/:id/repository/commits/:sha/merge_requests`: those that have or brought the commit."""
    project = call.project()
    require_code(project, call.actor)
    sha = project.git.resolve(call.where["sha"])
    if sha is None:
        raise errors.NotFound("Commit")
    return _listed(call, [(project, one) for one in project.requests.values() if sha in _commits(project, one)])


def read(call: Call) -> Answer:
    """`GET .../merge_requests/:iid`; asks for its mergeability to be checked."""
    project, request = call.request()
    status = merging.look(project, request)
    return Answer(single_request(call.state, project, (request, status), call.actor))


def create(call: Call) -> Answer:
    """`POST .../merge_requests`."""
    project, user = call.project(), call.user()
    source, target, title = call.need("source_branch", "target_branch", "title")
    wanted = requests.Opening(
        source_branch=source,
        target_branch=target,
        title=title,
        description=call.text("description") or "",
        labels=call.words("labels") or (),
        squash=call.flag("squash") or False,
        remove_source_branch=_or(call.flag("remove_source_branch"), project.settings.remove_source_branch_after_merge),
    )
    made = requests.open_request(call.state, project, user, wanted)
    _ask(call, made)
    return Answer(single_request(call.state, project, (made, "preparing"), user), 201)


def _ask(call: Call, request: MergeRequest) -> None:
    """`reviewer_ids`; ids of nobody are passed over, as GitLab does."""
    reviewers = call.words("reviewer_ids")
    if reviewers is not None:
        request.reviewers = [call.state.users[int(one)] for one in reviewers if int(one) in call.state.users]


def update(call: Call) -> Answer:
    """`PUT .../merge_requests/:iid`."""
    project, request = call.request()
    if not call.given:
        raise errors.Missing("at least one parameter must be provided")
    event = call.text("state_event")
    if event not in (None, "close", "reopen"):
        raise errors.Missing("state_event does not have a valid value")
    wanted = requests.Edit(
        title=call.text("title"),
        description=call.text("description"),
        target_branch=call.text("target_branch"),
        labels=call.words("labels"),
        add_labels=call.words("add_labels") or (),
        remove_labels=call.words("remove_labels") or (),
        state_event=event,
        squash=call.flag("squash"),
        remove_source_branch=call.flag("remove_source_branch"),
    )
    requests.edit(call.state, project, request, call.user(), wanted)
    _ask(call, request)
    return _shown(call, project, request)


def merge(call: Call) -> Answer:
    """`PUT .../merge_requests/:iid/merge`; auto-merge is not imitated and refused."""
    project, request = call.request()
    if call.flag("merge_when_pipeline_succeeds") or call.flag("auto_merge"):
        status = merging.merge_status(project, request)
        if status == "ci_still_running":
            raise errors.Invalid("", "auto-merge is not imitated by this sandbox")
    how = merging.Merging(
        sha=call.text("sha"),
        message=call.text("merge_commit_message"),
        squash_message=call.text("squash_commit_message"),
        squash=call.flag("squash"),
        remove_source_branch=call.flag("should_remove_source_branch"),
    )
    merging.merge(call.state, project, request, call.user(), how)
    return _shown(call, project, request)


def versions(call: Call) -> Answer:
    """`GET .../versions`, newest first."""
    _, request = call.request()
    return page(call, request.versions[::-1], lambda found: version(request, found))


def one_version(call: Call) -> Answer:
    """`GET .../versions/:number`, with commits and diffs."""
    project, request = call.request()
    for found in request.versions:
        if str(found.id) == call.where["number"]:
            commits = [commit(call.state, project, one) for one in project.git.log(found.head, found.start)]
            diffs = [diff(one) for one in project.git.diff(found.base, found.head)]
            return Answer(version(request, found) | {"commits": commits, "diffs": diffs})
    raise errors.NotFound


def diffs(call: Call) -> Answer:
    """`GET .../diffs`, by pages."""
    project, request = call.request()
    last = request.versions[-1]
    return page(call, project.git.diff(last.base, last.head), diff)


def changes(call: Call) -> Answer:
    """`GET .../changes`: the merge request with all diffs at once."""
    project, request = call.request()
    last = request.versions[-1]
    status = merging.look(project, request)
    shown = single_request(call.state, project, (request, status), call.actor)
    return Answer(shown | {"changes": [diff(one) for one in project.git.diff(last.base, last.head)], "overflow": False})


def commits(call: Call) -> Answer:
    """`GET .../commits`, newest first."""
    project, request = call.request()
    last = request.versions[-1]
    found = project.git.log(last.head, last.base if last.base != last.head else None)
    return page(call, found if last.base != last.head else (), lambda one: commit(call.state, project, one))


def pipelines(call: Call) -> Answer:
    """`GET .../pipelines`, newest first."""
    project, request = call.request()
    heads = {one.head for one in request.versions}
    found = [one for one in project.pipelines if one.sha in heads and one.ref == request.source_branch]
    return page(call, found[::-1], lambda one: pipeline(call.state, project, one))


def _listed(call: Call, pairs: list[Pair]) -> Answer:
    state = call.choice("state", STATES)
    found = [pair for pair in pairs if state in ("all", pair[1].state) and _matches(call, pair[1])]
    order = call.choice("order_by", ("created_at", "updated_at", "title", "merged_at"))
    found.sort(
        key=lambda pair: (_order(pair[1], order), pair[1].id), reverse=call.choice("sort", ("desc", "asc")) == "desc"
    )
    recheck = call.flag("with_merge_status_recheck") or False
    return page(call, found, lambda pair: _row(call, pair, recheck))


def _row(call: Call, pair: Pair, recheck: bool) -> Json:
    """A list's row; without a recheck it tells what is known, however old."""
    project, request = pair
    look = merging.look(project, request) if recheck else merging.merge_status(project, request)
    return merge_request(call.state, project, request, look)


def _matches(call: Call, request: MergeRequest) -> bool:
    exact = {
        "source_branch": request.source_branch,
        "target_branch": request.target_branch,
        "author_id": str(request.author.id),
        "author_username": request.author.username,
    }
    if any(call.text(name) not in (None, value) for name, value in exact.items()):
        return False
    iids = call.words("iids")
    if iids is not None and str(request.iid) not in iids:
        return False
    draft = call.text("draft") or call.text("wip")
    if draft is not None and (draft.lower() in ("true", "yes")) != request.draft:
        return False
    return _labelled(call, request) and _timely(call, request) and _found(call, request)


def _labelled(call: Call, request: MergeRequest) -> bool:
    wanted = call.words("labels") or ()
    if wanted and wanted[0] in ("None", "Any"):
        return bool(request.labels) == (wanted[0] == "Any")
    refused = call.words("not[labels]") or ()
    return set(wanted) <= set(request.labels) and not set(refused) & set(request.labels)


def _timely(call: Call, request: MergeRequest) -> bool:
    for name, at in (("updated", request.updated_at), ("created", request.created_at)):
        after, before = call.time(f"{name}_after"), call.time(f"{name}_before")
        if (after and at < after) or (before and at > before):
            return False
    return True


def _found(call: Call, request: MergeRequest) -> bool:
    search = (call.text("search") or "").lower()
    where = call.text("in") or "title,description"
    texts = {"title": request.title, "description": request.description}
    return any(search in text.lower() for name, text in texts.items() if name in where)


def _order(request: MergeRequest, order: str) -> str:
    if order == "title":
        return request.title
    times = {"updated_at": request.updated_at, "merged_at": request.merged_at, "created_at": request.created_at}
    at = times[order]
    return at.isoformat() if at else ""


def _commits(project: Project, request: MergeRequest) -> set[str]:
    last = request.versions[-1]
    own = {one.sha for one in project.git.log(last.head, last.base)} if last.base != last.head else set()
    return own | {one for one in (request.merge_commit, request.squash_commit) if one}


def _shown(call: Call, project: Project, request: MergeRequest) -> Answer:
    status = merging.merge_status(project, request)
    opened = request.state is RequestState.opened and request.checked is Checked.unchecked
    return Answer(single_request(call.state, project, (request, "checking" if opened else status), call.actor))


def _or(given: bool | None, default: bool) -> bool:
    return default if given is None else given
