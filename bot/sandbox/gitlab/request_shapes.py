"""Merge requests, and all that hangs on them, in GitLab's shapes."""

from bot.sandbox import discussion, merging
from bot.sandbox.api import Json
from bot.sandbox.branches import may_merge
from bot.sandbox.gitlab.jobs import pipeline
from bot.sandbox.gitlab.shapes import time, user
from bot.sandbox.model import (
    Award,
    Checked,
    Issue,
    LabelEvent,
    MergeRequest,
    Note,
    Project,
    RequestState,
    Thread,
    User,
    Version,
)
from bot.sandbox.state import State


def kind(thread: Thread) -> str:
    """What GitLab calls it."""
    return "Issue" if isinstance(thread, Issue) else "MergeRequest"


def web(state: State, project: Project, thread: Thread) -> str:
    """Where a person reads it."""
    part = "issues" if isinstance(thread, Issue) else "merge_requests"
    return f"{state.url}/{project.full_path}/-/{part}/{thread.iid}"


def issue(state: State, where: Project, found: Issue) -> Json:
    """An issue."""
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": where.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "closed_at": time(found.closed_at),
        "closed_by": user(state, found.closed_by),
        "labels": list(found.labels),
        "author": user(state, found.author),
        "assignees": [],
        "milestone": None,
        "type": "ISSUE",
        "issue_type": "issue",
        "confidential": found.confidential,
        "user_notes_count": sum(not one.system for one in found.notes),
        "references": {"short": f"#{found.iid}", "relative": f"#{found.iid}", "full": f"{where.full_path}#{found.iid}"},
        "web_url": web(state, where, found),
    }


def label_event(state: State, thread: Thread, found: LabelEvent) -> Json:
    """One line of a label log."""
    return {
        "id": found.id,
        "user": user(state, found.user),
        "created_at": time(found.at),
        "resource_type": kind(thread),
        "resource_id": thread.id,
        "label": {"id": found.label.id, "name": found.label.name, "color": found.label.color, "description": None},
        "action": found.action,
    }


def note(state: State, where: tuple[Project, Thread], found: Note) -> Json:
    """A comment."""
    project, thread = where
    return {
        "id": found.id,
        "type": None,
        "body": found.body,
        "author": user(state, found.author),
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "system": found.system,
        "noteable_id": thread.id,
        "noteable_type": kind(thread),
        "project_id": project.id,
        "resolvable": False,
        "confidential": found.internal,
        "internal": found.internal,
        "imported": False,
        "imported_from": "none",
        "noteable_iid": thread.iid,
        "commands_changes": {},
    }


def award(state: State, on: tuple[str, int], found: Award) -> Json:
    """An emoji on (kind, id)."""
    return {
        "id": found.id,
        "name": found.name,
        "user": user(state, found.user),
        "created_at": time(found.at),
        "updated_at": time(found.at),
        "awardable_type": on[0],
        "awardable_id": on[1],
        "url": None,
    }


def version(request: MergeRequest, found: Version) -> Json:
    """One head of a merge request."""
    return {
        "id": found.id,
        "head_commit_sha": found.head,
        "base_commit_sha": found.base,
        "start_commit_sha": found.start,
        "created_at": time(found.created_at),
        "merge_request_id": request.id,
        "state": "collected",
        "real_size": "1",
        "patch_id_sha": None,
    }


def approvals(state: State, where: Project, request: MergeRequest, viewer: User | None) -> Json:
    """Who approved, what is still needed, and what the viewer may do."""
    standing = request.standing_approvals()
    needed = where.settings.approvals_before_merge
    return {
        "id": request.id,
        "iid": request.iid,
        "project_id": where.id,
        "title": request.title,
        "state": request.state,
        "created_at": time(request.created_at),
        "updated_at": time(request.updated_at),
        "merge_status": request.checked,
        "approved": len(standing) >= needed,
        "approvals_required": needed,
        "approvals_left": max(0, needed - len(standing)),
        "require_password_to_approve": False,
        "approved_by": [{"user": user(state, one.user), "approved_at": time(one.at)} for one in standing],
        "suggested_approvers": [],
        "approvers": [],
        "approver_groups": [],
        "user_has_approved": any(one.user == viewer for one in standing),
        "user_can_approve": viewer is not None and discussion.may_approve(where, request, viewer),
        "has_approval_rules": needed > 0,
    }


def merge_request(state: State, where: Project, found: MergeRequest, status: str) -> Json:
    """A merge request as in lists; `status` is its `detailed_merge_status`."""
    return _plain(state, where, found) | _outcome(state, found) | _mergeability(found, status)


def _plain(state: State, where: Project, found: MergeRequest) -> Json:
    emoji = [one.name for one in found.awards]
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": where.id,
        "title": found.title,
        "description": found.description,
        "state": found.state,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "target_branch": found.target_branch,
        "source_branch": found.source_branch,
        "user_notes_count": sum(not one.system for one in found.notes),
        "upvotes": emoji.count("thumbsup"),
        "downvotes": emoji.count("thumbsdown"),
        "author": user(state, found.author),
        "assignees": [],
        "assignee": None,
        "reviewers": [user(state, one) for one in found.reviewers],
        "source_project_id": where.id,
        "target_project_id": where.id,
        "labels": list(found.labels),
        "draft": found.draft,
        "work_in_progress": found.draft,
        "imported": False,
        "milestone": None,
        "sha": found.head,
        "discussion_locked": None,
        "reference": f"!{found.iid}",
        "references": {
            "short": f"!{found.iid}",
            "relative": f"!{found.iid}",
            "full": f"{where.full_path}!{found.iid}",
        },
        "web_url": web(state, where, found),
        "task_completion_status": {"count": 0, "completed_count": 0},
    }


def _outcome(state: State, found: MergeRequest) -> Json:
    """Who ended it, when, and what came onto the target branch."""
    return {
        "merged_by": user(state, found.merged_by),
        "merge_user": user(state, found.merged_by),
        "merged_at": time(found.merged_at),
        "closed_by": user(state, found.closed_by),
        "closed_at": time(found.closed_at),
        "merge_commit_sha": found.merge_commit,
        "squash_commit_sha": found.squash_commit,
    }


def _mergeability(found: MergeRequest, status: str) -> Json:
    return {
        "merge_when_pipeline_succeeds": False,
        "merge_status": status if status in ("checking", "preparing") else found.checked,
        "detailed_merge_status": status,
        "should_remove_source_branch": None,
        "force_remove_source_branch": found.remove_source_branch,
        "squash": found.squash,
        "squash_on_merge": found.squash,
        "has_conflicts": found.checked is Checked.cannot and found.state is RequestState.opened,
        "blocking_discussions_resolved": True,
    }


def single_request(state: State, where: Project, looked: tuple[MergeRequest, str], viewer: User | None) -> Json:
    """A merge request read alone, which tells more; `looked` is it and its `detailed_merge_status`."""
    found, status = looked
    last, head = found.versions[-1], merging.head_pipeline(where, found)
    shown = merge_request(state, where, found, status)
    return shown | {
        "subscribed": False,
        "changes_count": str(len(where.git.diff(last.base, last.head))),
        "latest_build_started_at": None,
        "latest_build_finished_at": None,
        "first_deployed_to_production_at": None,
        "pipeline": pipeline(state, where, head) if head else None,
        "head_pipeline": pipeline(state, where, head) if head else None,
        "diff_refs": {"base_sha": last.base, "head_sha": last.head, "start_sha": last.start},
        "merge_error": found.merge_error,
        "first_contribution": False,
        "user": {"can_merge": viewer is not None and may_merge(where, viewer, found.target_branch)},
    }
