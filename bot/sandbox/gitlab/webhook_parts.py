"""The parts that several of GitLab's webhook bodies share."""

from datetime import datetime

from bot.sandbox.api import Json
from bot.sandbox.model import Label, Project, Thread, User
from bot.sandbox.state import State


def labels(project: Project, thread: Thread) -> list[Json]:
    """The labels of a merge request or an issue."""
    return [label(project, project.labels[name]) for name in thread.labels]


def label(project: Project, label: Label) -> Json:
    """A label."""
    return {
        "id": label.id,
        "title": label.name,
        "color": label.color,
        "project_id": project.id,
        "created_at": time(label.created_at),
        "updated_at": time(label.created_at),
        "template": False,
        "description": label.description or None,
        "type": "ProjectLabel",
        "group_id": None,
    }


def person(user: User) -> Json:
    """A user."""
    return {
        "id": user.id,
        "name": user.name,
        "username": user.username,
        "avatar_url": None,
        "email": "[REDACTED]",
    }


def project_part(state: State, project: Project) -> Json:
    """A project."""
    web = f"{state.url}/{project.full_path}"
    return {
        "id": project.id,
        "name": project.name,
        "description": "",
        "web_url": web,
        "avatar_url": None,
        "git_ssh_url": _ssh(project),
        "git_http_url": f"{web}.git",
        "namespace": project.group.name,
        "visibility_level": _visibility(project),
        "path_with_namespace": project.full_path,
        "default_branch": project.default_branch,
        "ci_config_path": None,
        "homepage": web,
        "url": _ssh(project),
        "ssh_url": _ssh(project),
        "http_url": f"{web}.git",
    }


def repository(state: State, project: Project) -> Json:
    """A project under the older name."""
    web = f"{state.url}/{project.full_path}"
    return {
        "name": project.name,
        "url": f"{web}.git",
        "description": "",
        "homepage": web,
        "git_http_url": f"{web}.git",
        "git_ssh_url": _ssh(project),
        "visibility_level": _visibility(project),
    }


def _ssh(project: Project) -> str:
    return f"git@gitlab.example.com:{project.full_path}.git"


def _visibility(project: Project) -> int:
    return 20 if project.settings.visibility == "public" else 0


def commit(state: State, project: Project, sha: str) -> Json:
    """A commit."""
    found = project.git.commit(sha)
    return {
        "id": found.sha,
        "message": found.message,
        "title": found.title,
        "timestamp": found.author.at.isoformat(),
        "url": f"{state.url}/{project.full_path}/-/commit/{found.sha}",
        "author": {"name": found.author.name, "email": found.author.email},
    }


def pushed_commit(state: State, project: Project, sha: str) -> Json:
    """A commit of a push, with the paths that it touched."""
    parents = project.git.commit(sha).parents
    paths: dict[str, list[str]] = {"added": [], "modified": [], "removed": []}
    for file in project.git.diff(parents[0] if parents else None, sha):
        kind = {"added": "added", "deleted": "removed"}.get(file.status, "modified")
        paths[kind].append(file.new_path)
    return commit(state, project, sha) | paths


def time(at: datetime) -> str:
    """As payloads write times."""
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")
