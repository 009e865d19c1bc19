"""The bodies of GitHub's webhooks, in the shapes of its documentation."""

from collections.abc import Iterator
from dataclasses import replace
from typing import assert_never

from bot.sandbox.api import Json, Shaped
from bot.sandbox.github import checks, pull_shapes, shapes
from bot.sandbox.github.pull_shapes import comment, issue, pull, review
from bot.sandbox.model import (
    Awarded,
    Event,
    Hook,
    Noted,
    PipelineMoved,
    Pushed,
    RequestChanged,
    Reviewed,
    StatusSet,
    User,
)
from bot.sandbox.state import State
from bot.sandbox.statuses import FINISHED, pipeline_status

NOTHING = "0" * 40
MOST_COMMITS = 2048

ACTIONS = {"open": "opened", "close": "closed", "reopen": "reopened", "merge": "closed"}


def shape(state: State, event: Event) -> Iterator[Shaped]:
    """The bodies that an event makes: none, one, or one for each label."""
    if isinstance(event, Pushed):
        yield Shaped("push", "push", _push(state, event))
    elif isinstance(event, RequestChanged):
        yield from _requests(state, event)
    elif isinstance(event, Noted):
        if not event.note.internal:
            yield Shaped("issue_comment", "issue_comment", _note(state, event))
    elif isinstance(event, Reviewed):
        yield Shaped("pull_request_review", "pull_request_review", _review(state, event))
    elif isinstance(event, StatusSet):
        yield Shaped("status", "status", _status(state, event))
    elif isinstance(event, PipelineMoved):
        if event.pipeline.source != "external":
            yield Shaped("check_suite", "check_suite", _suite(state, event))
    elif isinstance(event, Awarded):
        return  # GitHub tells nobody of reactions
    else:
        assert_never(event)


def _common(state: State, event: Event, sender: User) -> Json:
    return {
        "repository": shapes.repository(state, event.project),
        "organization": shapes.owner(state, event.project.group),
        "sender": shapes.user(state, sender),
    }


def for_hook(state: State, hook: Hook, event: Event, shaped: Shaped) -> Shaped:
    """As this hook is told it: only an App's own is told its installation."""
    for found in state.installations_on(event.project):
        if found.app.hook is hook:
            mark = {"installation": {"id": found.id, "node_id": f"I_{found.id}"}}
            return replace(shaped, body=shaped.body | mark)
    return shaped


def _push(state: State, event: Pushed) -> Json:
    git = event.project.git
    commits = git.log(event.after, event.before) if event.after else ()
    shown = [{"id": one.sha, "message": one.message, "distinct": True} for one in reversed(commits[:MOST_COMMITS])]
    return _common(state, event, event.actor) | {
        "ref": f"refs/heads/{event.branch}",
        "before": event.before or NOTHING,
        "after": event.after or NOTHING,
        "created": event.before is None,
        "deleted": event.after is None,
        "forced": bool(event.before and event.after) and not git.is_ancestor(event.before or "", event.after or ""),
        "base_ref": None,
        "commits": shown,
        "head_commit": shown[-1] if shown else None,
        "pusher": {"name": event.actor.username, "email": event.actor.email},
    }


def _requests(state: State, event: RequestChanged) -> Iterator[Shaped]:
    single = pull_shapes.single_pull(state, event.project, event.request, (None, "unknown"))
    plain = {"number": event.request.iid, "pull_request": single} | _common(state, event, event.actor)
    for action, extra in _actions(event):
        yield Shaped("pull_request", "pull_request", {"action": action} | plain | extra)


def _actions(event: RequestChanged) -> Iterator[tuple[str, Json]]:
    if event.oldrev:
        yield "synchronize", {"before": event.oldrev, "after": event.request.head}
    old, new = event.changes.get("labels", ((), ()))
    if isinstance(old, tuple) and isinstance(new, tuple):
        for name in new:
            if name not in old:
                yield "labeled", {"label": shapes.label(event.project.labels[name])}
        for name in old:
            if name not in new:
                yield "unlabeled", {"label": shapes.label(event.project.labels[name])}
    if set(event.changes) - {"labels"}:
        yield "edited", {"changes": {}}
    if event.action in ACTIONS:
        yield ACTIONS[event.action], {}


def _note(state: State, event: Noted) -> Json:
    where = event.project, event.thread
    return _common(state, event, event.actor) | {
        "action": {"create": "created", "update": "edited"}[event.action],
        "issue": issue(state, *where),
        "comment": comment(state, where, event.note),
    }


def _review(state: State, event: Reviewed) -> Json:
    where = event.project, event.request
    shown = review(state, where, event.review)
    return _common(state, event, event.actor) | {
        "action": event.action,
        "review": shown | {"state": event.review.state.lower()},
        "pull_request": pull(state, *where),
    }


def _status(state: State, event: StatusSet) -> Json:
    heads = event.project.git.heads()
    shown = checks.status(state, event.project, event.status)
    return (
        shown
        | _common(state, event, event.actor)
        | {
            "sha": event.status.sha,
            "name": event.project.full_path,
            "branches": [
                {"name": name, "commit": {"sha": sha}} for name, sha in heads.items() if sha == event.status.sha
            ][:10],
        }
    )


def _suite(state: State, event: PipelineMoved) -> Json:
    word = pipeline_status(event.pipeline)
    done = word in FINISHED
    return _common(state, event, event.pipeline.user) | {
        "action": "completed" if done else "requested",
        "check_suite": {
            "id": event.pipeline.id,
            "head_branch": event.pipeline.ref,
            "head_sha": event.pipeline.sha,
            "status": "completed" if done else "in_progress",
            "conclusion": checks.CONCLUSIONS.get(word),
            "pull_requests": [
                {"id": one.id, "number": one.iid}
                for one in event.project.requests.values()
                if one.source_branch == event.pipeline.ref
            ],
            "app": {"id": checks.ACTIONS, "slug": "github-actions", "name": "GitHub Actions"},
        },
    }
