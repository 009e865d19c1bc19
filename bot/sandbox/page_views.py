"""What the page shows, as plain values that its templates can print."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.sandbox import merging
from bot.sandbox.branches import may_merge
from bot.sandbox.discussion import may_approve, may_see
from bot.sandbox.gitstore import FileDiff
from bot.sandbox.model import CommitStatus, Issue, MergeRequest, Note, Project, RequestState, Role, Thread, User
from bot.sandbox.page_markdown import rendered
from bot.sandbox.state import role
from bot.sandbox.statuses import pipeline_status

TIME = "%Y-%m-%d %H:%M:%S UTC"
MOST_LINES = 2000
"""Of one file's diff; more helps nobody on a page."""


@dataclass(frozen=True, slots=True)
class ShownFile:
    """One file's change, line by line with the CSS class of each."""

    name: str
    status: str
    additions: int
    deletions: int
    lines: tuple[tuple[str, str], ...]


def files(found: Iterable[FileDiff]) -> list[ShownFile]:
    """Diffs for the page."""
    return [
        ShownFile(
            one.new_path if one.old_path == one.new_path else f"{one.old_path} → {one.new_path}",
            one.status,
            one.additions,
            one.deletions,
            tuple((_kind(line), line) for line in one.text.split("\n")[:MOST_LINES] if line),
        )
        for one in found
    ]


def row(project: Project, request: MergeRequest) -> dict[str, object]:
    """A merge request in a list."""
    pipeline = merging.head_pipeline(project, request)
    return {
        "iid": request.iid,
        "title": request.title,
        "labels": request.labels,
        "source": request.source_branch,
        "target": request.target_branch,
        "author": request.author.name,
        "state": request.state.value,
        "pipeline": pipeline_status(pipeline) if pipeline else "",
        "updated": request.updated_at.strftime(TIME),
    }


def whole(project: Project, request: MergeRequest) -> dict[str, object]:
    """A merge request on its own page; looking asks for the check, as a browser does."""
    merged, closed = request.merged_at, request.closed_at
    return row(project, request) | {
        "head": request.head,
        "created": request.created_at.strftime(TIME),
        "status": merging.look(project, request),
        "description": rendered(request.description) if request.description else "",
        "merged_by": request.merged_by.name if request.merged_by else "",
        "merged_at": merged.strftime(TIME) if merged else "",
        "commit": request.merge_commit or request.squash_commit or request.head,
        "closed_by": request.closed_by.name if request.closed_by else "",
        "closed_at": closed.strftime(TIME) if closed else "",
    }


def issue(found: Issue) -> dict[str, object]:
    """An issue, in a list and on its own page."""
    return {
        "iid": found.iid,
        "title": found.title,
        "labels": found.labels,
        "author": found.author.name,
        "state": found.state.value,
        "created": found.created_at.strftime(TIME),
        "updated": found.updated_at.strftime(TIME),
        "description": rendered(found.description) if found.description else "",
        "closed_by": found.closed_by.name if found.closed_by else "",
        "closed_at": found.closed_at.strftime(TIME) if found.closed_at else "",
    }


def issue_actions(project: Project, found: Issue, me: User | None) -> list[tuple[str, str, bool]]:
    """What the user may do with an issue."""
    if role(project, me) < Role.reporter and me != found.author:
        return []
    return [("close", "Close", False)] if found.state is RequestState.opened else [("reopen", "Reopen", False)]


def notes(project: Project, thread: Thread, me: User | None) -> list[dict[str, object]]:
    """The activity that the user may see, oldest first."""
    seen = [one for one in thread.notes if may_see(project, me, one)]
    return [_note(one) for one in sorted(seen, key=lambda one: (one.created_at, one.id))]


def statuses(project: Project, request: MergeRequest) -> list[CommitStatus]:
    """The statuses of the head."""
    pipelines = [one for one in project.pipelines if one.sha == request.head]
    return [one for pipeline in pipelines for one in pipeline.statuses if not one.retried]


def actions(project: Project, request: MergeRequest, me: User | None) -> list[tuple[str, str, bool]]:
    """What the user may do: address, button, and whether it is the main one."""
    if me is None:
        return []
    developer = role(project, me) >= Role.developer
    if request.state is RequestState.merged:
        direct = (
            [("revert", "Revert on the target branch", False)] if may_merge(project, me, request.target_branch) else []
        )
        return [*direct, ("revert-request", "Revert in a merge request", False)] if developer else []
    if request.state is RequestState.closed:
        return [("reopen", "Reopen", False)] if developer or me == request.author else []
    found = [("merge", "Merge", True)] if may_merge(project, me, request.target_branch) else []
    if any(one.user == me for one in request.standing_approvals()):
        found.append(("unapprove", "Withdraw approval", False))
    elif may_approve(project, request, me):
        found.append(("approve", "Approve", False))
    return [*found, ("close", "Close", False)] if developer or me == request.author else found


def _note(note: Note) -> dict[str, object]:
    return {
        "id": note.id,
        "system": note.system,
        "author": note.author.name,
        "at": note.created_at.strftime(TIME),
        "edited": note.edited,
        "internal": note.internal,
        "emoji": [one.name for one in note.awards],
        "body": note.body if note.system else rendered(note.body),
    }


def _kind(line: str) -> str:
    return {"+": "add", "-": "del", "@": "hunk"}.get(line[:1], "same")
