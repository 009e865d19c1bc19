"""The bodies of GitLab's webhooks, in the shapes of its documentation and of captured deliveries."""

from typing import assert_never

from bot.sandbox import merging
from bot.sandbox.api import Json
from bot.sandbox.gitlab.request_shapes import kind, web
from bot.sandbox.gitlab.webhook_parts import (
    commit,
    label,
    labels,
    person,
    project_part,
    pushed_commit,
    repository,
    time,
)
from bot.sandbox.model import (
    Awarded,
    Checked,
    Event,
    Issue,
    MergeRequest,
    Noted,
    PipelineMoved,
    Project,
    Pushed,
    RequestChanged,
    RequestState,
    Reviewed,
    StatusSet,
    Thread,
)
from bot.sandbox.state import State
from bot.sandbox.statuses import FINISHED, pipeline_status

NOTHING = "0" * 40
MOST_COMMITS = 20
"""A push lists no more, though it counts them all."""

STATE_CHANGES = {"close": (1, 2), "reopen": (2, 1), "merge": (4, 3)}
"""What an action does to `state_id`: 1 opened, 2 closed, 3 merged, 4 locked (while merging)."""

STATE_IDS = {RequestState.opened: 1, RequestState.closed: 2, RequestState.merged: 3}


def kind_of(event: Event) -> tuple[str, str]:
    """The hook's switch and the `X-Gitlab-Event` header of an event."""
    if isinstance(event, Pushed):
        return "push_events", "Push Hook"
    if isinstance(event, RequestChanged):
        return "merge_requests_events", "Merge Request Hook"
    if isinstance(event, Noted):
        if _is_confidential(event):
            return "confidential_note_events", "Confidential Note Hook"
        return "note_events", "Note Hook"
    if isinstance(event, Awarded):
        return "emoji_events", "Emoji Hook"
    if isinstance(event, PipelineMoved):
        return "pipeline_events", "Pipeline Hook"
    if isinstance(event, (StatusSet, Reviewed)):  # GitLab tells of the pipeline and of the approval instead
        return "", ""
    assert_never(event)


def payload(state: State, event: Event) -> Json:
    """The body, as things stand now."""
    if isinstance(event, Pushed):
        return _push(state, event)
    if isinstance(event, RequestChanged):
        return _request(state, event)
    if isinstance(event, Noted):
        return _note(state, event)
    if isinstance(event, Awarded):
        return _award(state, event)
    if isinstance(event, PipelineMoved):
        return _pipeline(state, event)
    if isinstance(event, (StatusSet, Reviewed)):
        raise TypeError(f"GitLab sends no webhook for {type(event).__name__}")
    assert_never(event)


def _push(state: State, event: Pushed) -> Json:
    project, actor = event.project, event.actor
    commits = project.git.log(event.after, event.before or _base(event)) if event.after else ()
    return {
        "object_kind": "push",
        "event_name": "push",
        "before": event.before or NOTHING,
        "after": event.after or NOTHING,
        "ref": f"refs/heads/{event.branch}",
        "ref_protected": event.branch in project.protections,
        "checkout_sha": event.after,
        "message": None,
        "user_id": actor.id,
        "user_name": actor.name,
        "user_username": actor.username,
        "user_email": "",
        "user_avatar": None,
        "project_id": project.id,
        "project": project_part(state, project),
        "commits": [pushed_commit(state, project, one.sha) for one in reversed(commits[:MOST_COMMITS])],
        "total_commits_count": len(commits),
        "push_options": {},
        "repository": repository(state, project),
    }


def _base(event: Pushed) -> str | None:
    """What a new branch is counted from."""
    main = event.project.git.head(event.project.default_branch)
    return main if main != event.after else None


def _request(state: State, event: RequestChanged) -> Json:
    project, request = event.project, event.request
    attributes = _attributes(state, project, request) | {"action": event.action}
    if event.oldrev:
        attributes["oldrev"] = event.oldrev
    if event.system_action:
        attributes |= {"system": True, "system_action": event.system_action}
    return {
        "object_kind": "merge_request",
        "event_type": "merge_request",
        "user": person(event.actor),
        "project": project_part(state, project),
        "object_attributes": attributes,
        "labels": labels(project, request),
        "changes": _changes(project, event),
        "repository": repository(state, project),
    }


def _is_confidential(event: Noted) -> bool:
    """An internal note is, and each one on a confidential issue."""
    return event.note.internal or (isinstance(event.thread, Issue) and event.thread.confidential)


def _note(state: State, event: Noted) -> Json:
    project, thread, note = event.project, event.thread, event.note
    return {
        "object_kind": "note",
        "event_type": "confidential_note" if _is_confidential(event) else "note",
        "user": person(event.actor),
        "project_id": project.id,
        "project": project_part(state, project),
        "repository": repository(state, project),
        "object_attributes": {
            "id": note.id,
            "note": note.body,
            "description": note.body,
            "noteable_type": kind(thread),
            "noteable_id": thread.id,
            "author_id": note.author.id,
            "created_at": time(note.created_at),
            "updated_at": time(note.updated_at),
            "project_id": project.id,
            "internal": note.internal,
            "system": note.system,
            "commit_id": None,
            "line_code": None,
            "type": None,
            "action": event.action,
            "url": f"{web(state, project, thread)}#note_{note.id}",
        },
    } | _beside(state, project, thread)


def _beside(state: State, project: Project, thread: Thread) -> Json:
    """What the comment or emoji is on."""
    if isinstance(thread, Issue):
        return {"issue": _issue(state, project, thread)}
    return {"merge_request": _attributes(state, project, thread)}


def _issue(state: State, project: Project, issue: Issue) -> Json:
    return {
        "id": issue.id,
        "iid": issue.iid,
        "project_id": project.id,
        "title": issue.title,
        "description": issue.description,
        "author_id": issue.author.id,
        "created_at": time(issue.created_at),
        "updated_at": time(issue.updated_at),
        "state": issue.state,
        "state_id": STATE_IDS[issue.state],
        "confidential": issue.confidential,
        "labels": labels(project, issue),
        "url": web(state, project, issue),
    }


def _award(state: State, event: Awarded) -> Json:
    project, thread, award = event.project, event.thread, event.award
    shown: Json = {
        "object_kind": "emoji",
        "event_type": event.action,
        "user": person(award.user),
        "project_id": project.id,
        "project": project_part(state, project),
        "object_attributes": {
            "id": award.id,
            "user_id": award.user.id,
            "name": award.name,
            "created_at": time(award.at),
            "updated_at": time(award.at),
            "awardable_type": "Note" if event.note else kind(thread),
            "awardable_id": event.note.id if event.note else thread.id,
            "action": event.action,
            "awarded_on_url": web(state, project, thread),
        },
    } | _beside(state, project, thread)
    if event.note:
        shown["note"] = {"id": event.note.id, "note": event.note.body, "noteable_type": kind(thread)}
    return shown


def _pipeline(state: State, event: PipelineMoved) -> Json:
    project, pipeline = event.project, event.pipeline
    word = pipeline_status(pipeline)
    requests = [one for one in project.requests.values() if one.source_branch == pipeline.ref]
    opened = [one for one in requests if one.state is RequestState.opened]
    return {
        "object_kind": "pipeline",
        "object_attributes": {
            "id": pipeline.id,
            "iid": pipeline.iid,
            "name": None,
            "ref": pipeline.ref,
            "tag": False,
            "sha": pipeline.sha,
            "before_sha": NOTHING,
            "source": pipeline.source,
            "status": word,
            "detailed_status": word,
            "stages": sorted({one.stage for one in pipeline.statuses}),
            "created_at": time(pipeline.created_at),
            "finished_at": time(pipeline.updated_at) if word in FINISHED else None,
            "duration": None,
            "queued_duration": None,
            "variables": [],
            "url": f"{state.url}/{project.full_path}/-/pipelines/{pipeline.id}",
        },
        "merge_request": _brief(state, project, opened[-1]) if opened else None,
        "user": person(pipeline.user),
        "project": project_part(state, project),
        "commit": commit(state, project, pipeline.sha),
        "builds": [_build(one.id, one.stage, one.name, one.status) for one in pipeline.statuses if not one.retried],
    }


def _build(number: int, stage: str, name: str, status: str) -> Json:
    return {"id": number, "stage": stage, "name": name, "status": status, "when": "on_success", "manual": False}


def _brief(state: State, project: Project, request: MergeRequest) -> Json:
    return {
        "id": request.id,
        "iid": request.iid,
        "title": request.title,
        "source_branch": request.source_branch,
        "source_project_id": project.id,
        "target_branch": request.target_branch,
        "target_project_id": project.id,
        "state": request.state,
        "merge_status": request.checked,
        "detailed_merge_status": merging.merge_status(project, request),
        "url": f"{state.url}/{project.full_path}/-/merge_requests/{request.iid}",
    }


def _attributes(state: State, project: Project, request: MergeRequest) -> Json:
    pipeline = merging.head_pipeline(project, request)
    return _brief(state, project, request) | {
        "assignee_id": None,
        "author_id": request.author.id,
        "created_at": time(request.created_at),
        "description": request.description,
        "draft": request.draft,
        "work_in_progress": request.draft,
        "head_pipeline_id": pipeline.id if pipeline else None,
        "last_edited_at": None,
        "last_edited_by_id": None,
        "merge_commit_sha": request.merge_commit,
        "merge_error": request.merge_error,
        "merge_params": {"force_remove_source_branch": "1" if request.remove_source_branch else "0"},
        "merge_user_id": request.merged_by.id if request.merged_by else None,
        "merge_when_pipeline_succeeds": False,
        "milestone_id": None,
        "state_id": STATE_IDS[request.state],
        "time_estimate": 0,
        "updated_at": time(request.updated_at),
        "updated_by_id": None,
        "source": project_part(state, project),
        "target": project_part(state, project),
        "last_commit": commit(state, project, request.head),
        "total_time_spent": 0,
        "assignee_ids": [],
        "reviewer_ids": [],
        "labels": labels(project, request),
        "blocking_discussions_resolved": True,
        "first_contribution": False,
        "has_conflicts": request.checked is Checked.cannot,
    }


def _changes(project: Project, event: RequestChanged) -> Json:
    """What changed; an update by a push tells nothing but the time, as GitLab does."""
    shown: Json = {"updated_at": {"previous": None, "current": time(event.request.updated_at)}}
    if event.action in STATE_CHANGES:
        shown["state_id"] = dict(zip(("previous", "current"), STATE_CHANGES[event.action], strict=True))
    for name, (before, after) in event.changes.items():
        if name == "labels" and isinstance(before, tuple) and isinstance(after, tuple):
            lists = [[label(project, project.labels[one]) for one in names] for names in (before, after)]
            shown[name] = {"previous": lists[0], "current": lists[1]}
        else:
            shown[name] = {"previous": before, "current": after}
    return shown
