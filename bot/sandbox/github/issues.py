"""The endpoints of issues, which pull requests are too: lists by label, labels, comments, reactions."""

from collections.abc import Sequence
from datetime import datetime

from bot.sandbox import discussion, errors, issues, requests
from bot.sandbox.api import Answer
from bot.sandbox.github import shapes
from bot.sandbox.github.call import Call, page, said
from bot.sandbox.github.pull_shapes import EMOJI, comment, issue, label_event, reaction
from bot.sandbox.github.pulls import LONGEST_BODY, check_body
from bot.sandbox.model import Issue, Note, Project, RequestState, Role, Thread, User
from bot.sandbox.requests import Edit
from bot.sandbox.state import require, role

LONGEST_LABEL = 50
REACTIONS = frozenset({"+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"})
NAMES = {content: name for name, content in EMOJI.items()}


def list_issues(call: Call) -> Answer:
    """`GET .../issues`: `state`, `labels` (all of them), `since`, `sort`, `direction`."""
    project = call.project()
    wanted, labels = call.text("state") or "open", {name.lower() for name in call.words("labels") or ()}
    since = _time(call, "since")
    found = [
        one
        for one in project.threads
        if (wanted == "all" or (one.state is RequestState.opened) == (wanted == "open"))
        and labels <= {name.lower() for name in one.labels}
        and (since is None or one.updated_at >= since)
    ]
    updated = call.text("sort") == "updated"
    found.sort(
        key=lambda one: (one.updated_at if updated else one.created_at, one.iid),
        reverse=(call.text("direction") or "desc") == "desc",
    )
    return page(call, found, lambda one: issue(call.state, project, one))


def create(call: Call) -> Answer:
    """`POST .../issues`; labels of who may not write are dropped without a word, as GitHub does."""
    project, user = call.project(), call.user()
    labels = call.words("labels") or ()
    kept = _known(project, labels) if role(project, user) >= Role.developer else ()
    check_body(call.text("body") or "")
    wanted = issues.Draft(call.need("title"), call.text("body") or "", kept)
    made = issues.open_issue(call.state, project, user, wanted)
    return Answer(issue(call.state, project, made, alone=True), 201)


def read(call: Call) -> Answer:
    """`GET .../issues/:number`."""
    project, thread = call.thread()
    return Answer(issue(call.state, project, thread, alone=True))


def list_events(call: Call) -> Answer:
    """`GET .../issues/:number/events`, oldest first; of all events those about labels alone."""
    where = call.thread()
    return page(call, where[1].label_events, lambda one: label_event(call.state, where, one))


def update(call: Call) -> Answer:
    """`PATCH .../issues/:number`: state, and all labels at once."""
    project, request = call.thread()
    given = call.words("labels")
    labels = None if given is None else _known(project, given)
    check_body(call.text("body") or "")
    wanted = {"closed": "close", "open": "reopen"}.get(call.text("state") or "")
    change = Edit(call.text("title"), call.text("body"), labels=labels, state_event=wanted)
    _edit(call, project, request, call.user(), change)
    return Answer(issue(call.state, project, request, alone=True))


def list_labels(call: Call) -> Answer:
    """`GET .../issues/:number/labels`."""
    project, request = call.thread()
    return page(call, [project.labels[name] for name in request.labels], shapes.label)


def add_labels(call: Call) -> Answer:
    """`POST .../issues/:number/labels`: labels that are missing are made."""
    project, request = call.thread()
    names = call.words("labels")
    if not names:
        raise errors.Missing('"labels" wasn\'t supplied.')
    _edit(call, project, request, call.user(), Edit(add_labels=_known(project, names)))
    return Answer([shapes.label(project.labels[name]) for name in request.labels])


def remove_label(call: Call) -> Answer:
    """`DELETE .../issues/:number/labels/:name`."""
    project, request = call.thread()
    names = _known(project, [call.where["name"]])
    if names[0] not in request.labels:
        return said(404, "Label does not exist")
    _edit(call, project, request, call.user(), Edit(remove_labels=names))
    return Answer([shapes.label(project.labels[name]) for name in request.labels])


def list_comments(call: Call) -> Answer:
    """`GET .../issues/:number/comments`, oldest first."""
    where = call.thread()
    notes = [one for one in where[1].notes if not one.system]
    return page(call, notes, lambda one: comment(call.state, where, one))


def create_comment(call: Call) -> Answer:
    """`POST .../issues/:number/comments`."""
    where = call.thread()
    body = _body(call)
    made = discussion.add_note(call.state, *where, call.user(), discussion.Comment(body))
    return Answer(comment(call.state, where, made), 201)


def read_comment(call: Call) -> Answer:
    """`GET .../issues/comments/:comment`."""
    where, found = _comment(call)
    return Answer(comment(call.state, where, found))


def update_comment(call: Call) -> Answer:
    """`PATCH .../issues/comments/:comment`."""
    where, found = _comment(call)
    body = _body(call)
    discussion.edit_note(call.state, *where, call.user(), (found, body))
    return Answer(comment(call.state, where, found))


def delete_comment(call: Call) -> Answer:
    """`DELETE .../issues/comments/:comment`."""
    where, found = _comment(call)
    discussion.delete_note(*where, call.user(), found)
    return Answer(None, 204)


def list_reactions(call: Call) -> Answer:
    """`GET .../issues/comments/:comment/reactions`."""
    _, found = _comment(call)
    return page(call, found.awards, lambda one: reaction(call.state, one))


def create_reaction(call: Call) -> Answer:
    """`POST .../issues/comments/:comment/reactions`: 200 where the same stands there already."""
    where, found = _comment(call)
    content = call.need("content")
    if content not in REACTIONS:
        raise errors.Invalid("content", "is not a reaction")
    name, user = NAMES.get(content, content), call.user()
    require(where[0], user, Role.reporter)
    standing = next((one for one in found.awards if (one.name, one.user) == (name, user)), None)
    if standing is not None:
        return Answer(reaction(call.state, standing))
    made = discussion.award(call.state, *where, user, (found, name))
    return Answer(reaction(call.state, made), 201)


def _body(call: Call) -> str:
    """A comment's text; GitHub refuses long ones in other words than a pull request's."""
    body = call.need("body")
    if len(body) > LONGEST_BODY:
        raise errors.Invalid("data", f"Body is too long (maximum is {LONGEST_BODY} characters)")
    return body


def _edit(call: Call, project: Project, thread: Thread, user: User, wanted: Edit) -> None:
    """An issue's author may change its text and close it; labels are for who may write."""
    if not isinstance(thread, Issue):
        requests.edit(call.state, project, thread, user, wanted)
        return
    if user != thread.author or wanted.labels is not None or wanted.add_labels or wanted.remove_labels:
        require(project, user, Role.developer)
    issues.edit_issue(call.state, project, thread, user, wanted)


def _time(call: Call, name: str) -> datetime | None:
    found = call.text(name)
    try:
        return datetime.fromisoformat(found) if found else None
    except ValueError as wrong:
        raise errors.Missing(f"{name} is not a time") from wrong


def _comment(call: Call) -> tuple[tuple[Project, Thread], Note]:
    project = call.project()
    for thread in project.threads:
        for note in thread.notes:
            if str(note.id) == call.where["comment"] and not note.system:
                return (project, thread), note
    raise errors.NotFound


def _known(project: Project, names: Sequence[str]) -> tuple[str, ...]:
    """The names as the repository writes them already, for whatever case they came in."""
    for name in names:
        if len(name) > LONGEST_LABEL:
            raise errors.Invalid("name", f"name is too long (maximum is {LONGEST_LABEL} characters)")
    written = {name.lower(): name for name in project.labels}
    return tuple(written.get(name.lower(), name) for name in names)
