"""The page's issues: a list with a form for another, and each with its comments."""

from collections.abc import Callable

from flask import Flask, request
from werkzeug.wrappers import Response as AnyResponse

from bot.sandbox import discussion, issues, page_views, requests
from bot.sandbox.model import Issue, Project, User
from bot.sandbox.page import done, render, shown
from bot.sandbox.state import State

ACTIONS: dict[str, Callable[[State, Project, Issue, User], object]] = {
    "close": lambda state, project, found, me: issues.edit_issue(
        state, project, found, me, requests.Edit(state_event="close")
    ),
    "reopen": lambda state, project, found, me: issues.edit_issue(
        state, project, found, me, requests.Edit(state_event="reopen")
    ),
    "comment": lambda state, project, found, me: discussion.add_note(
        state, project, found, me, discussion.Comment(request.form.get("body", ""))
    ),
}
"""What a button does, by the last part of its address."""


def add_issue_pages(app: Flask, state: State) -> None:
    """Add the pages of issues to the application."""

    @app.get("/<path:where>/issues")
    @app.get("/<path:where>/-/issues")
    def all_issues(where: str) -> AnyResponse:
        return shown(state, lambda me: _issues(state, me, where.removesuffix("/-")))

    @app.post("/<path:where>/-/issues")
    def new_issue(where: str) -> AnyResponse:
        return _new_issue(state, where)

    @app.get("/<path:where>/issues/<int:iid>")
    @app.get("/<path:where>/-/issues/<int:iid>")
    def one_issue(where: str, iid: int) -> AnyResponse:
        return shown(state, lambda me: _issue(state, me, (where.removesuffix("/-"), iid)))

    @app.post("/<path:where>/-/issues/<int:iid>/<action>")
    def act_on_issue(where: str, iid: int, action: str) -> AnyResponse:
        return _act_on_issue(state, (where, iid), action)


def _act_on_issue(state: State, at: tuple[str, int], action: str) -> AnyResponse:
    """Do it and come back to the issue, with the reason where the forge refused."""

    def does(me: User) -> str:
        project = state.project(at[0], me)
        ACTIONS[action](state, project, issues.find(project, at[1]), me)
        return f"/{at[0]}/-/issues/{at[1]}"

    return done(state, action if action in ACTIONS else "", does, lambda me, words: _issue(state, me, at, words))


def _new_issue(state: State, where: str) -> AnyResponse:
    """Open an issue and show it."""

    def does(me: User) -> str:
        project, labels = state.project(where, me), request.form.get("labels", "").split(",")
        wanted = issues.Draft(request.form.get("title", ""), request.form.get("body", ""), tuple(labels))
        return f"/{where}/-/issues/{issues.open_issue(state, project, me, wanted).iid}"

    return done(state, "open-it", does, lambda me, words: _issues(state, me, where, words))


def _issues(state: State, me: User | None, where: str, error: str = "") -> str:
    project = state.project(where, me)
    rows = [page_views.issue(one) for one in reversed(project.issues.values())]
    return render(state, me, "issues.html", path=project.full_path, error=error, issues=rows)


def _issue(state: State, me: User | None, at: tuple[str, int], error: str = "") -> str:
    project = state.project(at[0], me)
    found = issues.find(project, at[1])
    return render(
        state,
        me,
        "issue.html",
        path=project.full_path,
        error=error,
        one=page_views.issue(found),
        actions=page_views.issue_actions(project, found, me),
        notes=page_views.notes(project, found, me),
    )
