"""The endpoints of issues: list, read, open, edit."""

from bot.sandbox import errors, issues
from bot.sandbox.api import Answer
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.request_shapes import issue
from bot.sandbox.model import Issue
from bot.sandbox.requests import Edit


def list_issues(call: Call) -> Answer:
    """`GET /projects/:id/issues`: `state`, `labels` (all of them), `updated_after`."""
    project = call.project()
    state, after = call.choice("state", ("all", "opened", "closed")), call.time("updated_after")
    labels, scope = set(call.words("labels") or ()), call.choice("scope", ("all", "created_by_me", "assigned_to_me"))
    found = [
        one
        for one in project.issues.values()
        if state in ("all", one.state)
        and labels <= set(one.labels)
        and (after is None or one.updated_at >= after)
        and (scope == "all" or (scope == "created_by_me" and one.author == call.actor))
    ]
    by_update = call.choice("order_by", ("created_at", "updated_at")) == "updated_at"
    found.sort(
        key=lambda one: (one.updated_at if by_update else one.created_at, one.id),
        reverse=call.choice("sort", ("desc", "asc")) == "desc",
    )
    return page(call, found, lambda one: issue(call.state, project, one))


def read(call: Call) -> Answer:
    """`GET .../issues/:iid`."""
    project = call.project()
    return _shown(call, issues.find(project, call.where["issue"]))


def create(call: Call) -> Answer:
    """`POST .../issues`."""
    project, user = call.project(), call.user()
    (title,) = call.need("title")
    wanted = issues.Draft(title, call.text("description") or "", call.words("labels") or ())
    made = issues.open_issue(call.state, project, user, wanted)
    return Answer(issue(call.state, project, made), 201)


def update(call: Call) -> Answer:
    """`PUT .../issues/:iid`."""
    project, user = call.project(), call.user()
    event = call.text("state_event")
    if event not in (None, "close", "reopen"):
        raise errors.Missing("state_event does not have a valid value")
    wanted = Edit(
        title=call.text("title"),
        description=call.text("description"),
        labels=call.words("labels"),
        add_labels=call.words("add_labels") or (),
        remove_labels=call.words("remove_labels") or (),
        state_event=event,
    )
    found = issues.find(project, call.where["issue"])
    issues.edit_issue(call.state, project, found, user, wanted)
    return _shown(call, found)


def _shown(call: Call, found: Issue) -> Answer:
    return Answer(issue(call.state, call.project(), found))
