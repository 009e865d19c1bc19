"""The forge's values in the shapes of GitLab's REST v4: what clients read of them, under GitLab's names."""

from datetime import datetime

from bot.sandbox.api import Json
from bot.sandbox.branches import may_push, protections
from bot.sandbox.gitstore import Commit, FileDiff
from bot.sandbox.model import (
    Group,
    Label,
    Member,
    Project,
    Protection,
    Role,
    User,
)
from bot.sandbox.state import State, role

LEVELS = {Role.none: "No one", Role.developer: "Developers + Maintainers", Role.maintainer: "Maintainers"}


def time(at: datetime | None) -> str | None:
    """As GitLab writes times: UTC with milliseconds."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def user(state: State, found: User | None) -> Json | None:
    """A user as part of something else."""
    if found is None:
        return None
    return {
        "id": found.id,
        "username": found.username,
        "public_email": "",
        "name": found.name,
        "state": "active",
        "locked": False,
        "avatar_url": None,
        "web_url": f"{state.url}/{found.username}",
    }


def own_user(state: State, found: User) -> Json:
    """A user as `GET /user` tells it."""
    shown = user(state, found) or {}
    extra: Json = {
        "created_at": time(found.created_at),
        "bio": "",
        "bot": found.bot,
        "email": found.email,
        "commit_email": found.email,
        "external": False,
        "can_create_group": True,
        "can_create_project": True,
        "two_factor_enabled": False,
    }
    return shown | extra


def group(state: State, found: Group) -> Json:
    """A group."""
    return {
        "id": found.id,
        "web_url": f"{state.url}/groups/{found.full_path}",
        "name": found.name,
        "path": found.path,
        "description": "",
        "visibility": "private",
        "full_name": found.full_path.replace("/", " / "),
        "full_path": found.full_path,
        "parent_id": found.parent.id if found.parent else None,
        "created_at": time(found.created_at),
    }


def project(state: State, found: Project, viewer: User | None) -> Json:
    """A project, with its switches and the viewer's role."""
    own = found.members.get(viewer.id) if viewer else None
    above = role(found, viewer)
    web = f"{state.url}/{found.full_path}"
    settings = found.settings
    heads = found.git.heads()
    return {
        "id": found.id,
        "description": "",
        "name": found.name,
        "name_with_namespace": found.full_path.replace("/", " / "),
        "path": found.path,
        "path_with_namespace": found.full_path,
        "created_at": time(found.created_at),
        "default_branch": found.default_branch if heads else None,
        "empty_repo": not heads,
        "archived": False,
        "visibility": settings.visibility,
        "web_url": web,
        "http_url_to_repo": f"{web}.git",
        "ssh_url_to_repo": f"git@{state.url.partition('://')[2].partition(':')[0]}:{found.full_path}.git",
        "namespace": {"id": found.group.id, "kind": "group", "full_path": found.group.full_path},
        "creator_id": found.creator.id,
        "merge_method": settings.merge_method,
        "merge_requests_enabled": True,
        "only_allow_merge_if_pipeline_succeeds": settings.only_allow_merge_if_pipeline_succeeds,
        "allow_merge_on_skipped_pipeline": settings.allow_merge_on_skipped_pipeline,
        "only_allow_merge_if_all_discussions_are_resolved": False,
        "remove_source_branch_after_merge": settings.remove_source_branch_after_merge,
        "approvals_before_merge": settings.approvals_before_merge,
        "permissions": {
            "project_access": {"access_level": int(own.role), "notification_level": 3} if own else None,
            "group_access": {"access_level": int(above), "notification_level": 3} if above and not own else None,
        },
        "_links": {"self": f"{state.url}/api/v4/projects/{found.id}"},
    }


def member(state: State, found: Member) -> Json:
    """A member with the access level."""
    return (user(state, found.user) or {}) | {
        "access_level": int(found.role),
        "created_at": time(found.since),
        "expires_at": None,
        "membership_state": "active",
    }


def commit(state: State, where: Project, found: Commit) -> Json:
    """A commit as in lists."""
    return {
        "id": found.sha,
        "short_id": found.sha[:8],
        "created_at": time(found.committer.at),
        "parent_ids": list(found.parents),
        "title": found.title,
        "message": found.message,
        "author_name": found.author.name,
        "author_email": found.author.email,
        "authored_date": time(found.author.at),
        "committer_name": found.committer.name,
        "committer_email": found.committer.email,
        "committed_date": time(found.committer.at),
        "trailers": {},
        "extended_trailers": {},
        "web_url": f"{state.url}/{where.full_path}/-/commit/{found.sha}",
    }


def branch(state: State, where: Project, name: str, viewer: User | None) -> Json:
    """A branch with its commit."""
    sha = where.git.heads()[name]
    return {
        "name": name,
        "merged": name != where.default_branch and _is_merged(where, sha),
        "protected": bool(protections(where, name)),
        "developers_can_push": any(0 < rule.push <= Role.developer for rule in protections(where, name)),
        "developers_can_merge": any(0 < rule.merge <= Role.developer for rule in protections(where, name)),
        "can_push": viewer is not None and may_push(where, viewer, name),
        "default": name == where.default_branch,
        "web_url": f"{state.url}/{where.full_path}/-/tree/{name}",
        "commit": commit(state, where, where.git.commit(sha)),
    }


def diff(found: FileDiff) -> Json:
    """One file's change."""
    return {
        "diff": found.text,
        "collapsed": False,
        "too_large": False,
        "new_path": found.new_path,
        "old_path": found.old_path,
        "a_mode": found.old_mode,
        "b_mode": found.new_mode,
        "new_file": found.status == "added",
        "renamed_file": found.status == "renamed",
        "deleted_file": found.status == "deleted",
        "generated_file": False,
    }


def label(found: Label) -> Json:
    """A label."""
    return {
        "id": found.id,
        "name": found.name,
        "description": found.description or None,
        "description_html": found.description,
        "text_color": "#FFFFFF",
        "color": found.color,
        "subscribed": False,
        "priority": None,
        "is_project_label": True,
        "archived": False,
    }


def protection(found: Protection) -> Json:
    """A branch protection rule."""
    levels = {
        "push_access_levels": (found.push, found.push_users),
        "merge_access_levels": (found.merge, found.merge_users),
    }
    shown: Json = {"id": found.id, "name": found.name, "allow_force_push": found.allow_force_push}
    for name, (least, users) in levels.items():
        by_role: Json = {
            "id": found.id,
            "access_level": int(least),
            "access_level_description": LEVELS.get(least, least.name),
            "user_id": None,
            "group_id": None,
        }
        shown[name] = [by_role, *({"id": found.id, "access_level": 40, "user_id": one} for one in sorted(users))]
    return shown | {"unprotect_access_levels": [], "code_owner_approval_required": False}


def _is_merged(where: Project, sha: str) -> bool:
    main = where.git.head(where.default_branch)
    return main is not None and where.git.is_ancestor(sha, main)
