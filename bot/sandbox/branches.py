"""Branches: who may move which, and what follows when one has moved."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.sandbox.errors import Forbidden, Invalid, NotFound
from bot.sandbox.gitstore import Signature
from bot.sandbox.model import Project, Protection, Pushed, RequestState, Role, User
from bot.sandbox.requests import moved_source, moved_target
from bot.sandbox.state import State, require, role

MOST_BRANCHES = 3
"""A push that touches more branches than this sends no webhook (GitLab's push_event_hooks_limit)."""


@dataclass(frozen=True, slots=True)
class Move:
    """A branch goes from one commit to another; None: it does not exist."""

    branch: str
    old: str | None
    new: str | None


def protections(project: Project, branch: str) -> list[Protection]:
    """All rules that match; the most permissive of them counts."""
    return [rule for rule in project.protections.values() if fnmatchcase(branch, rule.name)]


def may_push(project: Project, user: User, branch: str) -> bool:
    """Whether the user may push to the branch, or delete it."""
    held, rules = role(project, user), protections(project, branch)
    if held < Role.developer or not rules:
        return held >= Role.developer
    return any(user.id in rule.push_users or _reaches(held, rule.push) for rule in rules)


def may_merge(project: Project, user: User, branch: str) -> bool:
    """Whether the user may merge into the branch; who may push may merge too."""
    held = role(project, user)
    if held >= Role.developer and may_push(project, user, branch):
        return True
    rules = protections(project, branch)
    return held >= Role.developer and any(user.id in rule.merge_users or _reaches(held, rule.merge) for rule in rules)


def may_force(project: Project, branch: str) -> bool:
    """Whether the branch may lose commits."""
    rules = protections(project, branch)
    return not rules or any(rule.allow_force_push for rule in rules)


def refusal(project: Project, user: User, move: Move) -> str | None:
    """Why GitLab's pre-receive check refuses a push of that branch, in its words, or None."""
    protected = bool(protections(project, move.branch))
    if role(project, user) < Role.developer:
        return "You are not allowed to push code to this project."
    if move.new is None and move.branch == project.default_branch:
        return "The default branch of a project cannot be deleted."
    if protected and move.new is None:
        return "You can only delete protected branches using the web interface."
    if not may_push(project, user, move.branch):
        return "You are not allowed to push code to protected branches on this project."
    if move.old and move.new and not may_force(project, move.branch) and _loses(project, move.old, move.new):
        return "You are not allowed to force push code to a protected branch on this project."
    return None


def settle(state: State, project: Project, actor: User, moves: Sequence[Move]) -> None:
    """Follow up on branches that have moved: merge requests, then everybody who listens."""
    quiet = len(moves) > MOST_BRANCHES
    for move in moves:
        for request in project.requests.values():
            if request.state is RequestState.opened and request.source_branch == move.branch:
                moved_source(state, project, request, move.new, actor)
        for request in project.requests.values():
            if request.state is RequestState.opened and request.target_branch == move.branch and move.new:
                moved_target(state, project, request, (move.old, move.new), actor)
        state.tell(Pushed(project, actor, move.branch, move.old, move.new, quiet))
    if project.git.head(project.default_branch) is None and moves and moves[0].new:
        project.default_branch = moves[0].branch


def create(state: State, project: Project, actor: User, name: str, ref: str) -> str:
    """A new branch at a ref; returns its commit. Invalid where it exists or the ref does not."""
    require(project, actor, Role.developer)
    if project.git.head(name) is not None:
        raise Invalid("branch", "Branch already exists")
    if not _may_be_named(project, name):
        raise Invalid("branch", "Branch name is invalid")
    start = project.git.resolve(ref)
    if start is None:
        raise Invalid("ref", f"Invalid reference name: {ref}")
    if not may_push(project, actor, name):
        raise Forbidden
    _set(state, project, actor, Move(name, None, start))
    return start


def delete(state: State, project: Project, actor: User, name: str) -> None:
    """Remove a branch. Forbidden for the default branch and for protected ones below Maintainer."""
    require(project, actor, Role.developer)
    old = project.git.head(name)
    if old is None:
        raise NotFound("Branch")
    if name == project.default_branch:
        raise Invalid("branch", "Cannot remove HEAD branch")
    if protections(project, name):
        raise Forbidden("Protected branch cannot be removed")
    _set(state, project, actor, Move(name, old, None))


@dataclass(frozen=True, slots=True)
class Change:
    """A commit to be made on a branch; `start` names where a new branch leaves."""

    branch: str
    message: str
    files: Mapping[str, bytes | None]
    start: str | None = None
    author: Signature | None = None


def commit(state: State, project: Project, actor: User, change: Change) -> str:
    """Make a commit, and the branch where it is new; returns the commit."""
    require(project, actor, Role.developer)
    if not may_push(project, actor, change.branch):
        raise Forbidden("You are not allowed to push into this branch")
    check_start(project, change.branch, change.start)
    _check_change(project, change)
    old = project.git.head(change.branch)
    parent = old or _start(project, change.start)
    tree = project.git.create_tree(parent, change.files)
    who = signature(state, actor)
    made = project.git.create_commit(tree, [parent] if parent else [], change.message, (change.author or who, who))
    _set(state, project, actor, Move(change.branch, old, made))
    return made


def check_start(project: Project, branch: str, start: str | None) -> None:
    """Invalid where a commit is to start a branch that exists: so a name can be used once."""
    if start and start != branch and project.git.head(branch) is not None:
        raise Invalid("branch", f"A branch called '{branch}' already exists.")


def _check_change(project: Project, change: Change) -> None:
    """Invalid for a branch or a path that Git would not keep."""
    name = change.branch
    if project.git.head(name) is None and not _may_be_named(project, name):
        reason = f"Something went wrong when we tried to create '{name}' for you: Branch name is invalid"
        raise Invalid("branch", reason)
    for path in change.files:
        parts = path.split("/")
        if ".." in parts:
            raise Invalid("", "Path cannot include directory traversal")
        if "\0" in path or any(part in ("", ".") or part.lower() == ".git" for part in parts):
            raise Invalid("", f"invalid path: '{path}'")


def _may_be_named(project: Project, name: str) -> bool:
    """Whether Git takes the name, and no other branch is a folder on its way or in its place."""
    others = project.git.heads()
    return project.git.is_branch_name(name) and not any(
        other.startswith(f"{name}/") or name.startswith(f"{other}/") for other in others
    )


def signature(state: State, user: User) -> Signature:
    """The user as author or committer now."""
    return Signature(user.name, user.email, state.clock())


def _start(project: Project, start: str | None) -> str | None:
    """Where a new branch leaves; None only in an empty repository."""
    if not project.git.heads():
        return None
    found = project.git.resolve(start) if start else None
    if found is None:
        raise Invalid("branch", "You can only create or edit files when you are on a branch")
    return found


def _set(state: State, project: Project, actor: User, move: Move) -> None:
    project.git.set_branch(move.branch, move.old, move.new)
    settle(state, project, actor, [move])


def _reaches(held: Role, least: Role) -> bool:
    return least is not Role.none and held >= least


def _loses(project: Project, old: str, new: str) -> bool:
    return project.git.resolve(new) is None or not project.git.is_ancestor(old, new)
