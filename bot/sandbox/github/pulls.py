"""The endpoints of pull requests: opening, editing, merging, reviews and who is asked for one."""

from collections.abc import Iterator
from contextlib import contextmanager

from bot.sandbox import errors, requests
from bot.sandbox.api import Answer, Json
from bot.sandbox.github import merging, reviews, shapes
from bot.sandbox.github.call import Call, page
from bot.sandbox.github.people import team_of
from bot.sandbox.github.pull_shapes import mergeability, pull, review, single_pull
from bot.sandbox.model import Group, MergeRequest, Project, RequestState, Reviewed, Role, User
from bot.sandbox.requests import Edit, Opening
from bot.sandbox.state import require, role

LONGEST_BODY = 65_536


def list_pulls(call: Call) -> Answer:
    """`GET .../pulls`: `state`, `head` as owner:branch, `base`, `sort`, `direction`."""
    project = call.project()
    wanted = call.text("state") or "open"
    head, base = call.text("head") or "", call.text("base")
    found = [
        one
        for one in project.requests.values()
        if (wanted == "all" or (one.state is RequestState.opened) == (wanted == "open"))
        and base in (None, "", one.target_branch)
        and (":" not in head or head == f"{project.group.full_path}:{one.source_branch}")
    ]
    updated = call.text("sort") == "updated"
    found.sort(
        key=lambda one: (one.updated_at if updated else one.created_at, one.id),
        reverse=(call.text("direction") or ("asc" if updated else "desc")) == "desc",
    )
    return page(call, found, lambda one: pull(call.state, project, one))


def read(call: Call) -> Answer:
    """`GET .../pulls/:number`; starts the look at whether it merges."""
    project, request = call.request()
    return _single(call, project, request)


def create(call: Call) -> Answer:
    """`POST .../pulls`."""
    project, user = call.project(), call.user()
    title, head, base = call.need("title"), call.need("head"), call.need("base")
    if ":" in head:
        owner, _, head = head.partition(":")
        if owner != project.group.full_path:
            raise errors.Invalid("source_branch", "is in a fork; this sandbox has none")
    body = call.text("body") or ""
    check_body(body)
    draft = call.flag("draft") or False
    tips = project.git.head(head), project.git.head(base)
    if tips[0] and tips[1] and project.git.is_ancestor(tips[0], tips[1]):
        raise errors.Duplicate(f"No commits between {base} and {head}")
    with _words_for(project, head):
        made = requests.open_request(call.state, project, user, Opening(head, base, title, body, draft=draft))
    return Answer(single_pull(call.state, project, made, (None, "unknown")), 201)


def update(call: Call) -> Answer:
    """`PATCH .../pulls/:number`."""
    project, request = call.request()
    check_body(call.text("body") or "")
    wanted = {"closed": "close", "open": "reopen"}.get(call.text("state") or "")
    if wanted and request.state is RequestState.merged:
        raise errors.Invalid("state", "cannot be changed. The pull request was merged.")
    change = Edit(call.text("title"), call.text("body"), call.text("base"), state_event=wanted)
    with _words_for(project, request.source_branch):
        requests.edit(call.state, project, request, call.user(), change)
    return _single(call, project, request)


def merge(call: Call) -> Answer:
    """`PUT .../pulls/:number/merge`."""
    project, request = call.request()
    method = call.text("merge_method") or "merge"
    if method not in merging.METHODS:
        raise errors.Invalid("merge_method", "is not a merge method")
    how = merging.Merging(call.text("sha"), call.text("commit_title"), call.text("commit_message"), method)
    made = merging.merge(call.state, project, request, call.user(), how)
    return Answer({"sha": made, "merged": True, "message": "Pull Request successfully merged"})


def commits(call: Call) -> Answer:
    """`GET .../pulls/:number/commits`, oldest first."""
    project, request = call.request()
    last = request.versions[-1]
    found = project.git.log(last.head, last.base)[::-1] if last.base != last.head else ()
    return page(call, found, lambda one: shapes.commit(call.state, project, one))


def files(call: Call) -> Answer:
    """`GET .../pulls/:number/files`."""
    project, request = call.request()
    last = request.versions[-1]
    return page(call, project.git.diff(last.base, last.head), shapes.file)


def list_reviews(call: Call) -> Answer:
    """`GET .../pulls/:number/reviews`, oldest first."""
    where = call.request()
    return page(call, where[1].reviews, lambda one: review(call.state, where, one))


def create_review(call: Call) -> Answer:
    """`POST .../pulls/:number/reviews`; nobody approves a pull request of one's own."""
    (project, request), user = call.request(), call.user()
    verdict = reviews.VERDICTS.get(call.text("event") or "")
    if verdict is None:
        raise errors.Missing("this sandbox keeps no pending reviews: an event is needed")
    commit = call.text("commit_id")
    if commit is not None and commit != request.head:
        raise errors.Contradiction("The commit_id is not part of the pull request")
    body = call.text("body") or ""
    check_body(body)
    made = reviews.review(call.state, (project, request), user, verdict, body)
    return Answer(review(call.state, (project, request), made))


def dismiss_review(call: Call) -> Answer:
    """`PUT .../pulls/:number/reviews/:review/dismissals`; needs write, and a message."""
    where = call.request()
    project, request = where
    require(project, call.user(), Role.developer)
    call.need("message")
    found = next((one for one in request.reviews if str(one.id) == call.where["review"]), None)
    if found is None:
        raise errors.NotFound
    if found.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise errors.Contradiction(f"Can not dismiss a {found.state.lower()} pull request review")
    found.state = "DISMISSED"
    for approval in request.standing_approvals():
        if approval.user == found.user:
            approval.withdrawn_at = call.state.clock()
    call.state.tell(Reviewed(project, request, found, call.user(), "dismissed"))
    return Answer(review(call.state, where, found))


def ask_reviewers(call: Call) -> Answer:
    """`POST .../pulls/:number/requested_reviewers`: users and teams; 422 for who cannot read it, and its author."""
    project, request = call.request()
    require(project, call.user(), Role.developer)
    users = [_collaborator(call, project, request, name) for name in call.words("reviewers") or ()]
    teams = [_team(call, project, slug) for slug in call.words("team_reviewers") or ()]
    request.reviewers += [one for one in users if one not in request.reviewers]
    request.review_teams += [one for one in teams if one not in request.review_teams]
    request.updated_at = call.state.clock()
    return Answer(pull(call.state, project, request), 201)


def _collaborator(call: Call, project: Project, request: MergeRequest, name: str) -> User:
    found = next((one for one in call.state.users.values() if one.username.lower() == name.lower()), None)
    if found == request.author:
        raise errors.Contradiction("Review cannot be requested from pull request author.")
    if found is None or role(project, found) < Role.reporter:
        raise errors.Contradiction(
            "Reviews may only be requested from collaborators. One or more of the users or teams you specified is "
            f"not a collaborator of the {project.full_path} repository."
        )
    return found


def _team(call: Call, project: Project, slug: str) -> Group:
    found = team_of(call.state, project.group.full_path, slug)
    if found is None:
        raise errors.Contradiction(f"Could not resolve to a node with the slug {slug}.")
    return found


def check_body(text: str) -> None:
    """Invalid over GitHub's limit of 65,536 characters."""
    if len(text) > LONGEST_BODY:
        raise errors.Invalid("body", f"body is too long (maximum is {LONGEST_BODY} characters)")


@contextmanager
def _words_for(project: Project, head: str) -> Iterator[None]:
    """A second open one, in GitHub's words."""
    try:
        yield
    except errors.Duplicate as refusal:
        raise errors.Duplicate(f"A pull request already exists for {project.group.full_path}:{head}.") from refusal


def _single(call: Call, project: Project, request: MergeRequest) -> Answer:
    return Answer(_shown(call, project, request))


def _shown(call: Call, project: Project, request: MergeRequest) -> Json:
    word = merging.look(call.state, project, request)
    return single_pull(call.state, project, request, mergeability(request, word))
