"""Issues: opened, edited, closed and opened again. They tell nobody; only comments on them make webhooks."""

from dataclasses import dataclass

from bot.sandbox.discussion import relabel, system_note
from bot.sandbox.errors import NotFound
from bot.sandbox.model import Issue, Project, RequestState, Role, User
from bot.sandbox.requests import Edit, check_texts, new_labels, next_number
from bot.sandbox.state import State, require


@dataclass(frozen=True, slots=True)
class Draft:
    """An issue to be opened."""

    title: str
    description: str = ""
    labels: tuple[str, ...] = ()


def find(project: Project, iid: int | str) -> Issue:
    """The issue of that number, for who may see the project."""
    number = int(iid) if str(iid).isdecimal() else 0
    if number not in project.issues:
        raise NotFound("Issue")
    return project.issues[number]


def open_issue(state: State, project: Project, author: User, wanted: Draft) -> Issue:
    """Open one, as anybody with a role may; Invalid where it makes no sense."""
    require(project, author, Role.guest)
    check_texts(wanted.title, wanted.description)
    now, iid = state.clock(), next_number(state, project, project.issues)
    made = Issue(state.number("issue"), iid, author, wanted.title, wanted.description, now, now)
    project.issues[iid] = made
    relabel(state, project, made, author, wanted.labels)
    return made


def edit_issue(state: State, project: Project, issue: Issue, actor: User, wanted: Edit) -> None:
    """Change what is asked for, close or reopen. Only its author or a Reporter may; labels are for Reporters alone."""
    labels = new_labels(issue, wanted)
    if actor != issue.author or labels != issue.labels:
        require(project, actor, Role.reporter)
    title = issue.title if wanted.title is None else wanted.title
    description = issue.description if wanted.description is None else wanted.description
    check_texts(title, description)
    issue.title, issue.description, issue.updated_at = title, description, state.clock()
    relabel(state, project, issue, actor, labels)
    _switch(state, issue, actor, wanted.state_event)


def _switch(state: State, issue: Issue, actor: User, event: str | None) -> None:
    if event == "close" and issue.state is RequestState.opened:
        issue.state, issue.closed_at, issue.closed_by = RequestState.closed, state.clock(), actor
        system_note(state, issue, actor, "closed")
    elif event == "reopen" and issue.state is RequestState.closed:
        issue.state, issue.closed_at, issue.closed_by = RequestState.opened, None, None
        system_note(state, issue, actor, "reopened")
