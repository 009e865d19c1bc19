"""The page for people: projects, merge requests, files; and acting on them as any of the forge's users."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from bot.sandbox import discussion, errors, merging, page_views, requests
from bot.sandbox.model import MergeRequest, Project, RequestState, User
from bot.sandbox.state import State, require_code, role

COOKIE = "sandbox_user"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
Acting = Callable[[State, Project, MergeRequest, User], object]


def _merge(state: State, project: Project, found: MergeRequest, me: User) -> object:
    """A person merges what they look at: the page has asked for the check already."""
    if found.state is RequestState.opened:
        merging.check(project, found)
    return merging.merge(state, project, found, me, merging.Merging())


ACTIONS: dict[str, Acting] = {
    "approve": discussion.approve,
    "unapprove": discussion.unapprove,
    "merge": _merge,
    "close": lambda state, project, found, me: requests.edit(
        state, project, found, me, requests.Edit(state_event="close")
    ),
    "reopen": lambda state, project, found, me: requests.edit(
        state, project, found, me, requests.Edit(state_event="reopen")
    ),
    "revert": lambda state, project, found, me: merging.revert(state, project, found, me, direct=True),
    "revert-request": lambda state, project, found, me: merging.revert(state, project, found, me, direct=False),
    "comment": lambda state, project, found, me: discussion.add_note(
        state, project, found, me, discussion.Comment(request.form.get("body", ""))
    ),
}
"""What a button does, by the last part of its address."""


def add_pages(app: Flask, state: State) -> None:
    """Add the page to the application."""

    @app.get("/")
    def projects() -> AnyResponse:
        return shown(state, lambda me: _projects(state, me))

    @app.post("/-/as")
    def act_as() -> AnyResponse:
        return _act_as(state)

    @app.get("/<path:where>/pull/<int:iid>")
    @app.get("/<path:where>/-/merge_requests/<int:iid>")
    def one_request(where: str, iid: int) -> AnyResponse:
        return shown(state, lambda me: _request(state, me, (where, iid)))

    @app.post("/<path:where>/-/merge_requests/<int:iid>/<action>")
    def act(where: str, iid: int, action: str) -> AnyResponse:
        return _act(state, (where, iid), action)

    @app.get("/<path:where>/commit/<sha>")
    @app.get("/<path:where>/-/commit/<sha>")
    def commit(where: str, sha: str) -> AnyResponse:
        return shown(state, lambda me: _commit(state, me, where, sha))

    @app.get("/<path:where>/-/<any(tree, blob):kind>/<path:at>")
    def files(where: str, kind: str, at: str) -> AnyResponse:
        del kind  # GitLab's links tell folders from files
        return shown(state, lambda me: _files(state, me, where, at))

    @app.get("/<path:where>/-/pipelines/<int:number>")
    def pipeline(where: str, number: int) -> AnyResponse:
        return shown(state, lambda me: _pipeline(state, me, where, number))

    @app.get("/<path:where>")
    def project(where: str) -> AnyResponse:
        where = where.removesuffix("/").removesuffix("/-/merge_requests").removesuffix("/pulls")
        return shown(state, lambda me: _project(state, me, where))


def shown(state: State, show: Callable[[User | None], str]) -> AnyResponse:
    """A page as the user of the cookie sees it, or why not."""
    with state.lock:
        me = _me(state)
        try:
            return _secured(show(me))
        except errors.Refused as refusal:
            title = "Not found" if isinstance(refusal, errors.NotFound) else "Not allowed"
            text = f"{me.name if me else 'Nobody'} sees nothing here. Another user may: switch at the top."
            page = render(state, me, "message.html", title=title, text=text)
            return _secured(page, 404 if isinstance(refusal, errors.NotFound) else 403)


def _act(state: State, at: tuple[str, int], action: str) -> AnyResponse:
    """Do it and come back to the merge request, with the reason where the forge refused."""

    def does(me: User) -> str:
        project = _code(state, me, at[0])
        ACTIONS[action](state, project, requests.find(project, at[1], me), me)
        return f"/{at[0]}/-/merge_requests/{at[1]}"

    return done(state, action if action in ACTIONS else "", does, lambda me, words: _request(state, me, at, words))


def done(state: State, action: str, does: Callable[[User], str], back: Callable[[User, str], str]) -> AnyResponse:
    """Act and go where that leads, or come `back` with the reason why the forge refused."""
    if not action or not _same_origin():
        return _secured("no such action\n", 404)
    with state.lock:
        me = _me(state)
        if me is None:
            return _secured("nobody acts\n", 403)
        try:
            return redirect(does(me), 303)
        except errors.NotFound as refusal:
            return _secured(render(state, me, "message.html", title="Not found", text=refusal.reason), 404)
        except errors.Refused as refusal:
            words = f"The forge refused to {action.replace('-', ' ')}: {refusal.reason or type(refusal).__name__}."
            return _secured(back(me, words), 409)


def _act_as(state: State) -> AnyResponse:
    back = urlsplit(request.form.get("back", "/")).path
    answer = redirect(f"/{back.lstrip('/')}", 303)
    with state.lock:
        known = any(one.username == request.form.get("user") for one in state.users.values())
    if known and _same_origin():
        answer.set_cookie(COOKIE, request.form["user"], httponly=True, samesite="Strict")
    return answer


def _projects(state: State, me: User | None) -> str:
    seen = [one for one in state.projects.values() if state.sees(me, one)]
    rows = [
        {
            "path": one.full_path,
            "open": sum(found.state is RequestState.opened for found in one.requests.values()),
            "role": role(one, me).name,
        }
        for one in seen
    ]
    return render(state, me, "projects.html", projects=rows)


def _project(state: State, me: User | None, where: str) -> str:
    project = _code(state, me, where)
    head = project.git.head(project.default_branch)
    return render(
        state,
        me,
        "project.html",
        path=project.full_path,
        branch=project.default_branch,
        clone=f"{state.url}/{project.full_path}.git",
        requests=[page_views.row(project, one) for one in reversed(project.requests.values())],
        commits=project.git.log(head, limit=15) if head else (),
    )


def _request(state: State, me: User | None, at: tuple[str, int], error: str = "") -> str:
    project = _code(state, me, at[0])
    found = requests.find(project, at[1], me)
    last = found.versions[-1]
    return render(
        state,
        me,
        "request.html",
        path=project.full_path,
        error=error,
        one=page_views.whole(project, found),
        needed=project.settings.approvals_before_merge,
        approvals=found.standing_approvals(),
        actions=page_views.actions(project, found, me),
        statuses=page_views.statuses(project, found),
        notes=page_views.notes(project, found, me),
        commits=project.git.log(last.head, last.base) if last.head != last.base else (),
        files=page_views.files(project.git.diff(last.base, last.head)),
    )


def _commit(state: State, me: User | None, where: str, sha: str) -> str:
    project = _code(state, me, where)
    resolved = project.git.resolve(sha)
    if resolved is None:
        raise errors.NotFound("Commit")
    commit = project.git.commit(resolved)
    changed = project.git.diff(commit.parents[0] if commit.parents else None, resolved)
    path = project.full_path
    return render(state, me, "commit.html", path=path, commit=commit, files=page_views.files(changed))


def _files(state: State, me: User | None, where: str, at: str) -> str:
    """A folder or a file; `at` is a branch, which may hold slashes, or a commit, and then a path."""
    project = _code(state, me, where)
    ref, path = _split(project, at)
    sha = project.git.resolve(ref)
    entries = project.git.entries(sha, path) if sha else None
    blob = project.git.blob(sha, path) if sha and path and entries is None else None
    if entries is None and blob is None:
        raise errors.NotFound("File")
    parts = path.split("/") if path else []
    return render(
        state,
        me,
        "files.html",
        path=project.full_path,
        ref=ref,
        at=path,
        parts=[(part, "/".join(parts[: number + 1])) for number, part in enumerate(parts)],
        entries=sorted(entries or (), key=lambda one: (one.kind != "tree", one.name)),
        text=blob[1].decode("utf-8", "replace") if blob else None,
    )


def _pipeline(state: State, me: User | None, where: str, number: int) -> str:
    project = _code(state, me, where)
    for found in project.pipelines:
        if found.id == number:
            rows = [f"{one.name}: {one.status}" for one in found.statuses if not one.retried]
            text = f"{found.ref} at {found.sha[:12]}, by {found.source}. {'; '.join(rows)}"
            return render(state, me, "message.html", title=f"Pipeline {number}", text=text)
    raise errors.NotFound("Pipeline")


def _split(project: Project, at: str) -> tuple[str, str]:
    names = [name for name in project.git.heads() if at == name or at.startswith(f"{name}/")]
    ref = max(names, key=len, default=at.partition("/")[0])
    return ref, at[len(ref) :].strip("/")


def _code(state: State, me: User | None, where: str) -> Project:
    project = state.project(where, me)
    require_code(project, me)
    return project


def _me(state: State) -> User | None:
    """Whom the cookie names, else the first person who is not the administrator."""
    people = sorted(state.users.values(), key=lambda one: (one.bot, one.username == "root", one.id))
    name = request.cookies.get(COOKIE)
    return next((one for one in people if one.username == name), people[0] if people else None)


def _same_origin() -> bool:
    """A form of another site is not obeyed."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def render(state: State, me: User | None, template: str, **values: object) -> str:
    """A template's page, with who acts and who else could."""
    users = sorted(state.users.values(), key=lambda one: one.id)
    here = request.path if request.method == "GET" else "/"
    return render_template(template, me=me, users=users, here=here, **values)


def _secured(page: str, status: int = 200) -> Response:
    answer = make_response(page, status)
    answer.headers["Content-Security-Policy"] = POLICY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
