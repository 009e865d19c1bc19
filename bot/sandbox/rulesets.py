"""GitHub's rulesets: which match a branch, whom they let through, and what they refuse everybody else."""

from fnmatch import fnmatchcase

from bot.sandbox.model import Bypass, Project, Role, Ruleset, User
from bot.sandbox.state import State, role

ROLES = {2: Role.maintainer, 4: Role.developer, 5: Role.owner}
"""The role that a bypass list means by its number."""
ALWAYS = frozenset({"always"})
MERGING = ALWAYS | {"pull_request"}


def matching(project: Project, branch: str) -> list[Ruleset]:
    """All rulesets for a branch."""
    return [one for one in project.rulesets if fnmatchcase(branch, one.branch)]


def binding(state: State, project: Project, branch: str, actor: User | None, modes: frozenset[str]) -> list[Ruleset]:
    """The rulesets that hold for somebody: those that do not let them through in one of these modes."""
    found = matching(project, branch)
    return [one for one in found if not any(_is_meant(state, project, actor, by, modes) for by in one.bypass)]


def refusal(state: State, project: Project, actor: User, branch: str) -> str | None:
    """Why a push to the branch is refused, in GitHub's words."""
    for one in binding(state, project, branch, actor, ALWAYS):
        if one.update:
            return "Cannot update this protected ref."
        if one.pull_request:
            return "Changes must be made through a pull request."
    return None


def _is_meant(state: State, project: Project, actor: User | None, by: Bypass, modes: frozenset[str]) -> bool:
    if actor is None or by.mode not in modes:
        return False
    if by.kind == "Integration":
        return any(app.id == by.number and app.user == actor for app in state.apps.values())
    if by.kind == "RepositoryRole":
        return role(project, actor) >= ROLES.get(by.number or 0, Role.owner)
    return by.kind == "User" and actor.id == by.number
