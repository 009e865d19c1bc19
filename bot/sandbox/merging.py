"""Whether a merge request can be merged, merging it, and reverting what was merged."""

from dataclasses import dataclass

from bot.sandbox.branches import Move, may_merge, settle, signature
from bot.sandbox.errors import Conflict, Forbidden, Invalid, MayNotMerge, NotMergeable, Unmergeable
from bot.sandbox.model import Checked, MergeRequest, Pipeline, Project, RequestState, Role, User
from bot.sandbox.requests import Opening, land, open_request
from bot.sandbox.state import State, require
from bot.sandbox.statuses import FINISHED, pipeline_status

LINEAR = ("ff", "rebase_merge")
"""Merge methods that take only what stands on the target's newest commit."""


@dataclass(frozen=True, slots=True)
class Merging:
    """How to merge; None takes what the merge request or GitLab's default says."""

    sha: str | None = None
    message: str | None = None
    squash_message: str | None = None
    squash: bool | None = None
    remove_source_branch: bool | None = None


def head_pipeline(project: Project, request: MergeRequest) -> Pipeline | None:
    """The newest pipeline of its head on its branch."""
    key = (request.head, request.source_branch)
    return next((one for one in reversed(project.pipelines) if (one.sha, one.ref) == key), None)


def merge_status(project: Project, request: MergeRequest) -> str:
    """GitLab's `detailed_merge_status` as far as it is known now; `unchecked` until Git was asked."""
    if request.state is not RequestState.opened:
        return "not_open"
    if request.checked is Checked.unchecked:
        return "unchecked"
    if project.git.head(request.source_branch) is None:
        return "commits_status"
    if request.draft:
        return "draft_status"
    if request.checked is Checked.cannot:
        return "conflict"
    if len(request.standing_approvals()) < project.settings.approvals_before_merge:
        return "not_approved"
    if project.settings.merge_method in LINEAR and _behind(project, request):
        return "need_rebase"
    return _pipeline_status(project, request) or "mergeable"


def look(project: Project, request: MergeRequest) -> str:
    """As `merge_status`, and check in the background: the first reads after a change say `checking`."""
    if request.state is not RequestState.opened or request.checked is not Checked.unchecked:
        return merge_status(project, request)
    if request.reads_until_checked > 0:
        request.reads_until_checked -= 1
        return "checking"
    check(project, request)
    return merge_status(project, request)


def check(project: Project, request: MergeRequest) -> None:
    """Really try to merge, without keeping the result."""
    target = project.git.head(request.target_branch)
    merged = target and _merged_tree(project, target, request.head)
    request.checked = Checked.can if merged else Checked.cannot
    request.reads_until_checked = 0


def merge(state: State, project: Project, request: MergeRequest, actor: User, how: Merging) -> str:
    """Merge it; returns the commit on the target branch.

    MayNotMerge by role, NotMergeable while something is missing, Unmergeable on conflicts, Conflict for another `sha`:
    tried in GitLab's order, but that another `sha` is said before an unfinished check.
    """
    require(project, actor, Role.reporter)
    if not may_merge(project, actor, request.target_branch):
        raise MayNotMerge
    if request.state is not RequestState.opened or request.draft:
        raise NotMergeable(merge_status(project, request))
    if how.sha is not None and how.sha != request.head:
        raise Conflict(f"SHA does not match HEAD of source branch: {request.head}")
    if request.checked is Checked.unchecked and request.reads_until_checked == 0:
        check(project, request)
    status = merge_status(project, request)
    if status == "conflict":
        raise Unmergeable("Branch cannot be merged")
    if status != "mergeable":
        raise NotMergeable(status)
    return _merge(state, project, request, actor, how)


def revert(state: State, project: Project, request: MergeRequest, actor: User, *, direct: bool) -> MergeRequest | str:
    """Undo a merged one as GitLab's button does: a commit on the target (`direct`), else a merge request for it."""
    require(project, actor, Role.developer)
    if request.state is not RequestState.merged or request.merge_commit is None:
        raise Invalid("state", "only a merged merge request can be reverted")
    target = project.git.heads()[request.target_branch]
    if direct and not may_merge(project, actor, request.target_branch):
        raise Forbidden("You are not allowed to push into this branch")
    message = f'Revert "{request.title}"\n\nThis reverts merge request !{request.iid}'
    made = _reverted(state, project, actor, (request, target), message)
    if direct:
        project.git.set_branch(request.target_branch, target, made)
        settle(state, project, actor, [Move(request.target_branch, target, made)])
        return made
    branch = f"revert-{request.merge_commit[:8]}"
    project.git.set_branch(branch, None, made)
    settle(state, project, actor, [Move(branch, None, made)])
    title, _, description = message.partition("\n\n")
    return open_request(state, project, actor, Opening(branch, request.target_branch, title, description))


def _merge(state: State, project: Project, request: MergeRequest, actor: User, how: Merging) -> str:
    target = project.git.heads()[request.target_branch]
    tip = request.head
    if request.squash if how.squash is None else how.squash:
        tip = request.squash_commit = _squash(state, project, request, (actor, target), how)
    if project.settings.merge_method == "ff":
        made = tip
    else:
        made = _merge_commit(state, project, request, (actor, target, tip), how.message)
        request.merge_commit = made
    project.git.set_branch(request.target_branch, target, made)
    land(state, project, request, actor)
    settle(state, project, actor, [Move(request.target_branch, target, made)])
    remove = how.remove_source_branch
    if request.remove_source_branch if remove is None else remove:
        remove_source(state, project, request, actor)
    return made


def _merge_commit(
    state: State, project: Project, request: MergeRequest, parties: tuple[User, str, str], message: str | None
) -> str:
    actor, target, tip = parties
    tree = _merged_tree(project, target, tip)
    if tree is None:
        raise Unmergeable("Branch cannot be merged")
    default = (
        f"Merge branch '{request.source_branch}' into '{request.target_branch}'\n\n{request.title}\n\n"
        f"See merge request {project.full_path}!{request.iid}"
    )
    who = signature(state, actor)
    return project.git.create_commit(tree, [target, tip], message or default, (who, who))


def _squash(state: State, project: Project, request: MergeRequest, parties: tuple[User, str], how: Merging) -> str:
    actor, target = parties
    base = project.git.merge_base(target, request.head) or target
    message = how.squash_message or request.title
    who = (signature(state, request.author), signature(state, actor))
    return project.git.create_commit(project.git.tree(request.head), [base], message, who)


def remove_source(state: State, project: Project, request: MergeRequest, actor: User) -> None:
    """Delete a merged one's branch, unless it has moved on."""
    old = project.git.head(request.source_branch)
    if old == request.head and request.source_branch != project.default_branch:
        project.git.set_branch(request.source_branch, old, None)
        settle(state, project, actor, [Move(request.source_branch, old, None)])


def _merged_tree(project: Project, ours: str, theirs: str) -> str | None:
    return project.git.merge_trees(project.git.merge_base(ours, theirs), ours, theirs)


def _reverted(state: State, project: Project, actor: User, what: tuple[MergeRequest, str], message: str) -> str:
    """A commit on top of the target without what the merge request brought: the merge, turned around."""
    request, target = what
    commit = project.git.commit(request.merge_commit or request.head)
    tree = project.git.merge_trees(commit.sha, target, commit.parents[0])
    if tree is None:
        raise Unmergeable("Sorry, we cannot revert this merge request automatically.")
    who = signature(state, actor)
    return project.git.create_commit(tree, [target], message, (who, who))


def _behind(project: Project, request: MergeRequest) -> bool:
    return not project.git.is_ancestor(project.git.heads()[request.target_branch], request.head)


def _pipeline_status(project: Project, request: MergeRequest) -> str | None:
    """What the pipeline says against a merge, where the project asks for one that succeeded."""
    if not project.settings.only_allow_merge_if_pipeline_succeeds:
        return None
    pipeline = head_pipeline(project, request)
    status = pipeline_status(pipeline) if pipeline else ""
    if status == "success" or (status == "skipped" and project.settings.allow_merge_on_skipped_pipeline):
        return None
    return "ci_must_pass" if not status or status in FINISHED else "ci_still_running"
