"""The endpoints of commit statuses and check runs. The imitated CI's jobs are check runs, all else is statuses."""

from bot.sandbox import errors, statuses
from bot.sandbox.api import Answer, Json
from bot.sandbox.github.call import Call, page, span
from bot.sandbox.github.repositories import commit_of
from bot.sandbox.github.shapes import time, user
from bot.sandbox.model import CommitStatus, Project
from bot.sandbox.state import State

TO_STATES = {"pending": "pending", "success": "success", "failure": "failed", "error": "canceled"}
FROM_STATES = {"success": "success", "failed": "failure", "canceled": "error", "skipped": "success"}
CONCLUSIONS = {"success": "success", "failed": "failure", "canceled": "cancelled", "skipped": "skipped"}
RUN_STATES = {"created": "queued", "pending": "queued", "running": "in_progress"}
LONGEST_DESCRIPTION = 140
ACTIONS = 15368
"""The id of the App GitHub Actions, everywhere."""
EXTERNAL = "external"
"""The stage of statuses that were set from outside."""


def create_status(call: Call) -> Answer:
    """`POST .../statuses/:sha`."""
    project = call.project()
    wanted = call.need("state")
    description = call.text("description")
    if wanted not in TO_STATES:
        raise errors.Invalid("state", "is not included in the list")
    if description is not None and len(description) > LONGEST_DESCRIPTION:
        raise errors.Invalid("description", f"is too long (maximum is {LONGEST_DESCRIPTION} characters)")
    setting = statuses.Setting(
        state=TO_STATES[wanted],
        name=call.text("context") or "default",
        description=description,
        target_url=call.text("target_url"),
    )
    sha = commit_of(project, call.where["sha"])
    made = statuses.report_status(call.state, project, call.user(), sha, setting)
    return Answer(status(call.state, project, made), 201)


def list_statuses(call: Call) -> Answer:
    """`GET .../commits/:ref/statuses`, newest first, also those that a newer one replaced."""
    project = call.project()
    found = [one for one in _of(call, project) if one.stage == EXTERNAL]
    return page(call, found[::-1], lambda one: status(call.state, project, one))


def combined(call: Call) -> Answer:
    """`GET .../commits/:ref/status`: the newest of each context, and what they come to."""
    project = call.project()
    found = [one for one in _of(call, project) if one.stage == EXTERNAL and not one.retried]
    states = {FROM_STATES.get(one.status, "pending") for one in found}
    word = "failure" if states & {"failure", "error"} else "success" if states == {"success"} else "pending"
    start, end, headers = span(call, len(found))
    shown = [status(call.state, project, one) for one in found[start:end]]
    for one in shown:
        del one["creator"]
    body: Json = {"state": word, "total_count": len(found), "sha": commit_of(project, call.where["ref"])}
    return Answer(body | {"statuses": shown}, headers=headers)


def list_runs(call: Call) -> Answer:
    """`GET .../commits/:ref/check-runs`: the newest of each name."""
    project = call.project()
    found = [one for one in _of(call, project) if one.stage != EXTERNAL and not one.retried]
    start, end, headers = span(call, len(found))
    runs = [run(call.state, project, one) for one in found[start:end]]
    return Answer({"total_count": len(found), "check_runs": runs}, headers=headers)


def status(state: State, project: Project, found: CommitStatus) -> Json:
    """A commit status."""
    return {
        "id": found.id,
        "node_id": f"SC_{found.id}",
        "url": f"{state.url}/api/v3/repos/{project.full_path}/statuses/{found.sha}",
        "state": FROM_STATES.get(found.status, "pending"),
        "context": found.name,
        "description": found.description,
        "target_url": found.target_url,
        "avatar_url": None,
        "created_at": time(found.created_at),
        "updated_at": time(found.created_at),
        "creator": user(state, found.author),
    }


def run(state: State, project: Project, found: CommitStatus) -> Json:
    """A check run, made by an App called actions."""
    done = found.status in CONCLUSIONS
    return {
        "id": found.id,
        "node_id": f"CR_{found.id}",
        "name": found.name,
        "head_sha": found.sha,
        "status": "completed" if done else RUN_STATES[found.status],
        "conclusion": CONCLUSIONS.get(found.status),
        "started_at": time(found.started_at),
        "completed_at": time(found.finished_at),
        "html_url": found.target_url or f"{state.url}/{project.full_path}",
        "details_url": found.target_url,
        "output": {"title": found.description, "summary": None, "text": None, "annotations_count": 0},
        "app": {"id": ACTIONS, "slug": "github-actions", "name": "GitHub Actions"},
        "check_suite": {"id": found.id},
        "pull_requests": [],
    }


def _of(call: Call, project: Project) -> list[CommitStatus]:
    sha = commit_of(project, call.where["ref"])
    return [one for _, one in statuses.of_commit(project, sha)]
