"""The endpoints of users, teams, collaborators, and of Apps and their installations."""

import secrets
from datetime import timedelta

from bot.sandbox import errors
from bot.sandbox.api import Answer, Json
from bot.sandbox.github import shapes
from bot.sandbox.github.call import Call, page, said
from bot.sandbox.model import App, Group, Installation, Member, Role, Token
from bot.sandbox.state import State, members, role

TOKEN_LIVES = timedelta(hours=1)
PERMISSIONS: Json = {
    "administration": "read",
    "checks": "read",
    "contents": "write",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}
"""What every installation has been given."""


def me(call: Call) -> Answer:
    """`GET /user`; an App's installation is no user."""
    if _by_installation(call):
        return said(403, "Resource not accessible by integration")
    return Answer(shapes.full_user(call.state, call.user()))


def read_user(call: Call) -> Answer:
    """`GET /users/:username`."""
    name = call.where["username"].lower()
    for found in call.state.users.values():
        if found.username.lower() == name:
            return Answer(shapes.full_user(call.state, found))
    raise errors.NotFound


def list_team(call: Call) -> Answer:
    """`GET /orgs/:org/teams/:slug/members`: of the team and of all teams below it."""
    found = team_of(call.state, call.where["org"], call.where["slug"])
    if found is None or not _belongs(call, found):
        raise errors.NotFound
    members: dict[int, Member] = {}
    for group in call.state.groups.values():
        if f"{group.full_path}/".startswith(f"{found.full_path}/"):
            members |= group.members
    return page(call, [members[number].user for number in sorted(members)], lambda one: shapes.user(call.state, one))


def team_of(state: State, organisation: str, slug: str) -> Group | None:
    """A team by its slug, which stands for it however deep it lies below other teams."""
    below = (one for one in state.groups.values() if one.full_path.startswith(f"{organisation}/"))
    return next((one for one in below if one.path == slug), None)


def permission(call: Call) -> Answer:
    """`GET .../collaborators/:username/permission`; needs write."""
    project = call.project()
    if role(project, call.user()) < Role.developer:
        raise errors.Forbidden("Must have push access to view collaborator permission.")
    name = call.where["username"].lower()
    found = next((one for one in call.state.users.values() if one.username.lower() == name), None)
    if found is None:
        return said(404, f"{call.where['username']} is not a user")
    held = max(role(project, found), Role.reporter if project.settings.visibility == "public" else Role.none)
    plain = {"maintain": "write", "triage": "read"}.get(shapes.role_name(held), shapes.role_name(held))
    shown: Json = {"permission": plain, "role_name": shapes.role_name(held), "user": shapes.user(call.state, found)}
    return Answer(shown)


def list_collaborators(call: Call) -> Answer:
    """`GET .../collaborators`: users, not Apps; needs write."""
    project = call.project()
    if role(project, call.user()) < Role.developer:
        raise errors.Forbidden("Must have push access to view repository collaborators.")
    apps = {one.user.id for one in call.state.apps.values()}
    found = [one for one in members(project) if one.user.id not in apps]
    return page(call, found, lambda one: shapes.collaborator(call.state, one))


def app(call: Call) -> Answer:
    """`GET /app`."""
    found = the_app(call)
    return Answer({"id": found.id, "slug": found.slug, "name": found.slug, "node_id": f"A_{found.id}"})


def list_installations(call: Call) -> Answer:
    """`GET /app/installations`."""
    found = [one for one in call.state.installations.values() if one.app is the_app(call)]
    return page(call, found, lambda one: _installation(call, one))


def installation_of(call: Call) -> Answer:
    """`GET /repos/:owner/:repo/installation`."""
    wanted, path = the_app(call), f"{call.where['owner']}/{call.where['repo']}"
    for project in call.state.projects.values():
        for found in call.state.installations_on(project):
            if project.full_path == path and found.app is wanted:
                return Answer(_installation(call, found))
    raise errors.NotFound


def create_token(call: Call) -> Answer:
    """`POST /app/installations/:id/access_tokens`: lives for an hour."""
    wanted = the_app(call)
    found = next((one for one in call.state.installations.values() if str(one.id) == call.where["id"]), None)
    if found is None or found.app is not wanted:
        raise errors.NotFound
    until = call.state.clock() + TOKEN_LIVES
    token = Token(f"ghs_{secrets.token_hex(18)}", wanted.user, expires_at=until, installation=found.id)
    call.state.tokens[token.value] = token
    shown: Json = {"token": token.value, "expires_at": shapes.time(until), "permissions": {"contents": "write"}}
    return Answer(shown | {"repository_selection": "all"}, 201)


def the_app(call: Call) -> App:
    """The App that proved itself by its key; Unauthenticated for anybody else."""
    if call.app is None:
        raise errors.Unauthenticated("A JSON web token could not be decoded")
    return call.app


def _by_installation(call: Call) -> bool:
    return any(one.user == call.actor for one in call.state.apps.values())


def _belongs(call: Call, group: Group) -> bool:
    """Whether the caller may see an organisation's teams."""
    top = group.full_path.partition("/")[0]
    inside = (one for one in call.state.projects.values() if one.full_path.startswith(f"{top}/"))
    return any(call.state.sees(call.actor, project) for project in inside)


def _installation(call: Call, found: Installation) -> Json:
    return {
        "id": found.id,
        "app_id": found.app.id,
        "app_slug": found.app.slug,
        "account": shapes.owner(call.state, found.group),
        "target_type": "Organization",
        "repository_selection": "all",
        "permissions": PERMISSIONS,
        "events": [],
        "created_at": shapes.time(found.created_at),
        "updated_at": shapes.time(found.created_at),
        "access_tokens_url": f"{call.state.url}/api/v3/app/installations/{found.id}/access_tokens",
        "html_url": f"{call.state.url}/organizations/{found.group.full_path}/settings/installations/{found.id}",
    }
