"""GitHub's rules for merging a pull request: which are asked in what order, and in what words it refuses."""

from dataclasses import dataclass

from bot.sandbox import merging, rulesets
from bot.sandbox.branches import Move, may_merge, protections, settle, signature
from bot.sandbox.errors import Conflict, Forbidden, NotMergeable, RefMoved
from bot.sandbox.github import reviews
from bot.sandbox.github.checks import ACTIONS, EXTERNAL
from bot.sandbox.model import (
    Checked,
    CommitStatus,
    MergeRequest,
    Project,
    Protection,
    RequestState,
    RequiredCheck,
    Role,
    User,
)
from bot.sandbox.requests import land
from bot.sandbox.state import State, role
from bot.sandbox.statuses import of_commit

METHODS = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
PASSING = frozenset({"success", "skipped"})
"""Conclusions that satisfy a required check; GitHub counts a skipped one as passed."""


@dataclass(frozen=True, slots=True)
class Merging:
    """How to merge."""

    sha: str | None = None
    title: str | None = None
    message: str | None = None
    method: str = "merge"


def look(state: State, project: Project, request: MergeRequest) -> str:
    """`mergeable_state`, after a look in the background: the first reads after a change say `unknown`."""
    if request.state is not RequestState.opened:
        return "unknown"
    if request.checked is Checked.unchecked:
        if request.reads_until_checked > 0:
            request.reads_until_checked -= 1
            return "unknown"
        merging.check(project, request)
    return _word(state, project, request)


def merge(state: State, project: Project, request: MergeRequest, actor: User, how: Merging) -> str:
    """Merge it; returns the commit on the base branch. NotMergeable is GitHub's 405, Conflict its 409."""
    if role(project, actor) < Role.developer:
        raise Forbidden("Resource not accessible by integration" if actor.bot else "Must have write access")
    if request.state is not RequestState.opened:
        raise NotMergeable("Pull Request is not mergeable")
    if request.draft:
        raise NotMergeable("Pull Request is still a draft")
    if how.sha is not None and how.sha != request.head:
        raise Conflict("Head branch was modified. Review and try the merge again.")
    if request.checked is Checked.unchecked:
        if request.reads_until_checked > 0:
            raise NotMergeable("Base branch was modified. Review and try the merge again.")
        merging.check(project, request)
    _may(state, project, request, actor, how)
    return _merge(state, project, request, actor, how)


def missing(state: State, project: Project, request: MergeRequest, actor: User | None = None) -> str | None:
    """What the base branch's protection still asks of an actor, in GitHub's words; None: of who bypasses nothing."""
    for rule in protections(project, request.target_branch):
        reason = _missing(state, project, request, rule)
        if reason:
            return reason
    binding = rulesets.binding(state, project, request.target_branch, actor, rulesets.MERGING)
    unmet = (_unmet(state, project, request.head, check) for one in binding for check in one.checks)
    return next(filter(None, unmet), None)


def _may(state: State, project: Project, request: MergeRequest, actor: User, how: Merging) -> None:
    if request.checked is Checked.cannot:
        raise NotMergeable("Pull Request has merge conflicts")
    if not may_merge(project, actor, request.target_branch):
        raise NotMergeable("You're not authorized to push to this branch. Visit the repository's settings.")
    binding = rulesets.binding(state, project, request.target_branch, actor, rulesets.MERGING)
    if any(one.update for one in binding):
        raise NotMergeable("Repository rule violations found\n\nCannot update this protected ref.")
    reason = missing(state, project, request, actor)
    if reason:
        raise NotMergeable(reason)
    allowed = {
        "merge": project.settings.allow_merge_commit,
        "squash": project.settings.allow_squash_merge,
        "rebase": project.settings.allow_rebase_merge,
    }
    if not allowed[how.method]:
        raise NotMergeable(f"{METHODS[how.method]} are not allowed on this repository.")


def _missing(state: State, project: Project, request: MergeRequest, rule: Protection) -> str | None:
    for check in rule.checks:
        unmet = _unmet(state, project, request.head, check)
        if unmet:
            return unmet
    verdicts = [*reviews.standing(project, request).values()] if rule.reviews else []
    if verdicts.count("APPROVED") < rule.reviews or "CHANGES_REQUESTED" in verdicts:
        plural = "review is" if rule.reviews == 1 else "reviews are"
        return f"At least {rule.reviews} approving {plural} required by reviewers with write access."
    if rule.strict and not project.git.is_ancestor(project.git.heads()[request.target_branch], request.head):
        return "The head branch is not up to date with the base branch."
    return None


def _unmet(state: State, project: Project, sha: str, check: RequiredCheck) -> str | None:
    word = _state(state, project, sha, check)
    if word is None:
        return f'Required status check "{check.context}" is expected.'
    if word in PASSING:
        return None
    failing = "failing" if word in ("failed", "canceled") else "pending"
    return f'Required status check "{check.context}" is {failing}.'


def _state(state: State, project: Project, sha: str, check: RequiredCheck) -> str | None:
    """The newest state of a required check; one that is pinned to an App counts from that App alone."""
    found = [
        one
        for _, one in of_commit(project, sha)
        if one.name == check.context and check.app_id in (None, _app_of(state, one))
    ]
    return found[-1].status if found else None


def _app_of(state: State, found: CommitStatus) -> int | None:
    """The App that set it; the imitated CI's jobs are those of GitHub Actions."""
    if found.stage != EXTERNAL:
        return ACTIONS
    return next((app.id for app in state.apps.values() if app.user == found.author), 0)


def _word(state: State, project: Project, request: MergeRequest) -> str:
    if request.checked is Checked.cannot:
        return "dirty"
    if request.draft:
        return "draft"
    reason = missing(state, project, request)
    if reason:
        return "behind" if "up to date" in reason else "blocked"
    newest = {one.name: one.status for _, one in of_commit(project, request.head)}
    return "clean" if set(newest.values()) <= PASSING else "unstable"


def _merge(state: State, project: Project, request: MergeRequest, actor: User, how: Merging) -> str:
    target = project.git.heads()[request.target_branch]
    made = _commit(state, project, request, (actor, target), how)
    try:
        project.git.set_branch(request.target_branch, target, made)
    except RefMoved as moved:
        raise NotMergeable("Base branch was modified. Review and try the merge again.") from moved
    request.merge_commit = made
    land(state, project, request, actor)
    settle(state, project, actor, [Move(request.target_branch, target, made)])
    if project.settings.remove_source_branch_after_merge:
        merging.remove_source(state, project, request, actor)
    return made


def _commit(state: State, project: Project, request: MergeRequest, parties: tuple[User, str], how: Merging) -> str:
    actor, target = parties
    base = project.git.merge_base(target, request.head)
    if how.method == "rebase":
        return _rebased(state, project, request, parties)
    tree = project.git.merge_trees(base, target, request.head)
    if tree is None:
        raise NotMergeable("Pull Request has merge conflicts")
    title, body = _words(project, request, base, how)
    parents = [target, request.head] if how.method == "merge" else [target]
    who = signature(state, actor)
    author = signature(state, request.author) if how.method == "squash" else who
    return project.git.create_commit(tree, parents, f"{title}\n\n{body}" if body else title, (author, who))


def _words(project: Project, request: MergeRequest, base: str | None, how: Merging) -> tuple[str, str]:
    """The new commit's title and body, where none are given as GitHub makes them."""
    title = f"Merge pull request #{request.iid} from {project.group.full_path}/{request.source_branch}"
    body = request.title
    if how.method == "squash":
        messages = [one.message.strip() for one in project.git.log(request.head, base)[::-1]]
        title, body = request.title, "\n\n".join(f"* {one}" for one in messages)
        if len(messages) == 1:
            title, _, body = (part.strip() for part in messages[0].partition("\n"))
        title = f"{title} (#{request.iid})"
    return how.title or title, body if how.message is None else how.message


def _rebased(state: State, project: Project, request: MergeRequest, parties: tuple[User, str]) -> str:
    """The head's commits made anew, one after the other, on the target; each keeps author and message."""
    actor, tip = parties
    base = project.git.merge_base(tip, request.head)
    for commit in reversed(project.git.log(request.head, base)):
        tree = project.git.merge_trees(commit.parents[0], tip, commit.sha)
        if tree is None:
            raise NotMergeable("Pull Request has merge conflicts")
        who = (commit.author, signature(state, actor))
        tip = project.git.create_commit(tree, [tip], commit.message, who)
    return tip
