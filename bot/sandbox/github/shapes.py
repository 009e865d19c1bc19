"""Users, repositories, branches and commits in GitHub's shapes."""

from datetime import datetime

from bot.sandbox.api import Json
from bot.sandbox.gitstore import Commit, FileDiff
from bot.sandbox.model import Group, Label, Member, Project, Role, User
from bot.sandbox.state import State, role


def time(at: datetime | None) -> str | None:
    """As GitHub writes times."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def user(state: State, found: User) -> Json:
    """A simple user."""
    return {
        "login": found.username,
        "id": found.id,
        "node_id": f"U_{found.id}",
        "type": "Bot" if found.bot else "User",
        "site_admin": False,
        "avatar_url": "",
        "url": f"{state.url}/api/v3/users/{found.username}",
        "html_url": f"{state.url}/{found.username}",
    }


def full_user(state: State, found: User) -> Json:
    """A user read alone."""
    return user(state, found) | {"name": found.name, "email": found.email, "created_at": time(found.created_at)}


def owner(state: State, found: Group) -> Json:
    """An organisation as owner."""
    return {
        "login": found.full_path,
        "id": found.id,
        "node_id": f"O_{found.id}",
        "type": "Organization",
        "url": f"{state.url}/api/v3/orgs/{found.full_path}",
        "html_url": f"{state.url}/{found.full_path}",
    }


def team(state: State, found: Group) -> Json:
    """A team, here a group within an organisation."""
    return {
        "id": found.id,
        "node_id": f"T_{found.id}",
        "name": found.name,
        "slug": found.path,
        "description": None,
        "privacy": "closed",
        "permission": "pull",
        "parent": None,
        "html_url": f"{state.url}/{found.full_path}",
    }


def repository(state: State, found: Project, viewer: User | None = None) -> Json:
    """A repository; the merge switches are told to who may write only."""
    held = role(found, viewer)
    shown: Json = {
        "id": found.id,
        "node_id": f"R_{found.id}",
        "name": found.path,
        "full_name": found.full_path,
        "private": found.settings.visibility != "public",
        "visibility": found.settings.visibility,
        "owner": owner(state, found.group),
        "html_url": f"{state.url}/{found.full_path}",
        "url": f"{state.url}/api/v3/repos/{found.full_path}",
        "clone_url": f"{state.url}/{found.full_path}.git",
        "description": None,
        "fork": False,
        "archived": False,
        "disabled": False,
        "default_branch": found.default_branch,
        "created_at": time(found.created_at),
        "permissions": permissions(held),
    }
    if held >= Role.developer:
        settings = found.settings
        shown |= {
            "allow_merge_commit": settings.allow_merge_commit,
            "allow_squash_merge": settings.allow_squash_merge,
            "allow_rebase_merge": settings.allow_rebase_merge,
            "delete_branch_on_merge": settings.remove_source_branch_after_merge,
        }
    return shown


def collaborator(state: State, found: Member) -> Json:
    """A user with what the role allows."""
    shown = {"permissions": permissions(found.role), "role_name": role_name(found.role)}
    return (user(state, found.user) or {}) | shown


def permissions(held: Role) -> Json:
    """What a role may do, by GitHub's five steps."""
    return {
        "admin": held >= Role.owner,
        "maintain": held >= Role.maintainer,
        "push": held >= Role.developer,
        "triage": held >= Role.developer,
        "pull": held >= Role.reporter,
    }


def role_name(held: Role) -> str:
    """GitHub's name of a role."""
    if held >= Role.owner:
        return "admin"
    if held >= Role.maintainer:
        return "maintain"
    return "write" if held >= Role.developer else "read" if held >= Role.reporter else "none"


def branch(state: State, project: Project, name: str, protected: bool) -> Json:
    """A branch with its commit."""
    sha = project.git.heads()[name]
    return {"name": name, "commit": commit(state, project, project.git.commit(sha)), "protected": protected}


def commit(state: State, project: Project, found: Commit) -> Json:
    """A commit."""
    url = f"{state.url}/{project.full_path}/commit/{found.sha}"
    return {
        "sha": found.sha,
        "node_id": f"C_{found.sha[:12]}",
        "html_url": url,
        "url": f"{state.url}/api/v3/repos/{project.full_path}/commits/{found.sha}",
        "commit": {
            "author": {"name": found.author.name, "email": found.author.email, "date": time(found.author.at)},
            "committer": {
                "name": found.committer.name,
                "email": found.committer.email,
                "date": time(found.committer.at),
            },
            "message": found.message.rstrip("\n"),
            "tree": {"sha": project.git.tree(found.sha)},
            "comment_count": 0,
            "verification": {"verified": False, "reason": "unsigned", "signature": None, "payload": None},
        },
        "author": _account(state, found.author.email),
        "committer": _account(state, found.committer.email),
        "parents": [{"sha": parent} for parent in found.parents],
    }


def _account(state: State, email: str) -> Json | None:
    found = next((one for one in state.users.values() if one.email == email), None)
    return user(state, found) if found else None


def file(found: FileDiff) -> Json:
    """A changed file."""
    status = {"deleted": "removed"}.get(found.status, found.status)
    return {
        "sha": None,
        "filename": found.new_path,
        "status": status,
        "additions": found.additions,
        "deletions": found.deletions,
        "changes": found.additions + found.deletions,
        "patch": found.text,
    }


def label(found: Label) -> Json:
    """A label."""
    return {
        "id": found.id,
        "node_id": f"LA_{found.id}",
        "name": found.name,
        "color": found.color.removeprefix("#"),
        "description": found.description or None,
        "default": False,
    }
