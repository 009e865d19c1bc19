"""Pull requests and what hangs on them, in GitHub's shapes."""

from bot.sandbox.api import Json
from bot.sandbox.github import shapes
from bot.sandbox.github.shapes import time, user
from bot.sandbox.model import (
    Award,
    Checked,
    Issue,
    LabelEvent,
    MergeRequest,
    Note,
    Project,
    RequestState,
    Review,
    Thread,
)
from bot.sandbox.state import State

EMOJI = {"thumbsup": "+1", "thumbsdown": "-1", "tada": "hooray"}
"""Emoji as the page and GitLab name them, to GitHub's reactions."""


def web(state: State, project: Project, found: Thread) -> str:
    """Where a person reads it."""
    return f"{state.url}/{project.full_path}/{'issues' if isinstance(found, Issue) else 'pull'}/{found.iid}"


def _state(found: Thread) -> str:
    return "open" if found.state is RequestState.opened else "closed"


def pull(state: State, project: Project, found: MergeRequest) -> Json:
    """A pull request as in lists: without mergeability, and without who merged it."""
    return {
        "id": found.id,
        "node_id": f"PR_{found.id}",
        "number": found.iid,
        "url": f"{state.url}/api/v3/repos/{project.full_path}/pulls/{found.iid}",
        "issue_url": f"{state.url}/api/v3/repos/{project.full_path}/issues/{found.iid}",
        "comments_url": f"{state.url}/api/v3/repos/{project.full_path}/issues/{found.iid}/comments",
        "commits_url": f"{state.url}/api/v3/repos/{project.full_path}/pulls/{found.iid}/commits",
        "statuses_url": f"{state.url}/api/v3/repos/{project.full_path}/statuses/{found.head}",
        "html_url": web(state, project, found),
        "state": _state(found),
        "locked": False,
        "title": found.title,
        "body": found.description or None,
        "user": user(state, found.author),
        "labels": [shapes.label(project.labels[name]) for name in found.labels],
        "assignees": [],
        "requested_reviewers": [user(state, one) for one in found.reviewers],
        "requested_teams": [shapes.team(state, one) for one in found.review_teams],
        "draft": found.draft,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "closed_at": time(found.closed_at or found.merged_at),
        "merged_at": time(found.merged_at),
        "merge_commit_sha": found.merge_commit or found.squash_commit,
        "head": _side(state, project, found.source_branch, found.head),
        "base": _side(state, project, found.target_branch, found.versions[-1].start),
        "author_association": "MEMBER",
        "auto_merge": None,
    }


def _side(state: State, project: Project, branch: str, sha: str) -> Json:
    return {
        "label": f"{project.group.full_path}:{branch}",
        "ref": branch,
        "sha": sha,
        "user": shapes.owner(state, project.group),
        "repo": shapes.repository(state, project),
    }


def single_pull(state: State, project: Project, found: MergeRequest, mergeable: tuple[bool | None, str]) -> Json:
    """A pull request read alone, which tells more; `mergeable` and `mergeable_state` are passed in."""
    last = found.versions[-1]
    return pull(state, project, found) | {
        "merged": found.state is RequestState.merged,
        "mergeable": mergeable[0],
        "rebaseable": mergeable[0],
        "mergeable_state": mergeable[1],
        "merged_by": user(state, found.merged_by) if found.merged_by else None,
        "comments": sum(not note.system for note in found.notes),
        "review_comments": 0,
        "maintainer_can_modify": False,
        "commits": len(project.git.log(last.head, last.base)) if last.base != last.head else 0,
        "changed_files": len(project.git.diff(last.base, last.head)),
        "additions": sum(one.additions for one in project.git.diff(last.base, last.head)),
        "deletions": sum(one.deletions for one in project.git.diff(last.base, last.head)),
    }


def issue(state: State, project: Project, found: Thread, *, alone: bool = False) -> Json:
    """An issue, or a pull request as one; who closed it is told where it is read `alone`."""
    shown: Json = {
        "id": found.id,
        "node_id": f"I_{found.id}",
        "number": found.iid,
        "html_url": web(state, project, found),
        "url": f"{state.url}/api/v3/repos/{project.full_path}/issues/{found.iid}",
        "state": _state(found),
        "state_reason": None,
        "title": found.title,
        "body": found.description or None,
        "user": user(state, found.author),
        "labels": [shapes.label(project.labels[name]) for name in found.labels],
        "assignees": [],
        "comments": sum(not note.system for note in found.notes),
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "closed_at": time(found.closed_at),
        "author_association": "MEMBER",
    }
    closer = found.closed_by
    if isinstance(found, MergeRequest):
        shown |= _as_pull(state, project, found)
        closer = closer or found.merged_by
    if alone:
        shown["closed_by"] = user(state, closer) if closer else None
    return shown


def _as_pull(state: State, project: Project, found: MergeRequest) -> Json:
    """What an issue tells that is a pull request."""
    return {
        "closed_at": time(found.closed_at or found.merged_at),
        "draft": found.draft,
        "pull_request": {
            "url": f"{state.url}/api/v3/repos/{project.full_path}/pulls/{found.iid}",
            "html_url": web(state, project, found),
            "merged_at": time(found.merged_at),
        },
    }


def label_event(state: State, where: tuple[Project, Thread], found: LabelEvent) -> Json:
    """Somebody labelled an issue or took a label off it."""
    return {
        "id": found.id,
        "node_id": f"LE_{found.id}",
        "url": f"{state.url}/api/v3/repos/{where[0].full_path}/issues/events/{found.id}",
        "actor": user(state, found.user),
        "event": {"add": "labeled", "remove": "unlabeled"}[found.action],
        "commit_id": None,
        "commit_url": None,
        "created_at": time(found.at),
        "performed_via_github_app": None,
        "label": {"name": found.label.name, "color": found.label.color.removeprefix("#")},
    }


def comment(state: State, where: tuple[Project, Thread], found: Note) -> Json:
    """A comment on a pull request or an issue."""
    project, thread = where
    return {
        "id": found.id,
        "node_id": f"IC_{found.id}",
        "url": f"{state.url}/api/v3/repos/{project.full_path}/issues/comments/{found.id}",
        "html_url": f"{web(state, project, thread)}#issuecomment-{found.id}",
        "issue_url": f"{state.url}/api/v3/repos/{project.full_path}/issues/{thread.iid}",
        "body": found.body,
        "user": user(state, found.author),
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "author_association": "MEMBER",
        "reactions": {"total_count": len(found.awards)},
    }


def reaction(state: State, found: Award) -> Json:
    """A reaction."""
    return {
        "id": found.id,
        "node_id": f"REA_{found.id}",
        "user": user(state, found.user),
        "content": EMOJI.get(found.name, found.name),
        "created_at": time(found.at),
    }


def review(state: State, where: tuple[Project, MergeRequest], found: Review) -> Json:
    """A review as the API tells it."""
    project, request = where
    return {
        "id": found.id,
        "node_id": f"PRR_{found.id}",
        "user": user(state, found.user),
        "body": found.body,
        "state": found.state,
        "html_url": f"{web(state, project, request)}#pullrequestreview-{found.id}",
        "submitted_at": time(found.at),
        "commit_id": found.sha,
        "author_association": "MEMBER",
    }


def mergeability(request: MergeRequest, word: str) -> tuple[bool | None, str]:
    """`mergeable` and `mergeable_state`; null while GitHub has not looked."""
    if request.state is not RequestState.opened or word == "unknown":
        return None, "unknown"
    return request.checked is not Checked.cannot, word
