"""The endpoints of users, groups, members, projects, labels and protected branches."""

from dataclasses import fields, replace

from bot.sandbox import discussion, errors
from bot.sandbox.api import Answer, Json
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.shapes import group, label, member, own_user, project, protection, user
from bot.sandbox.model import Member, Project, Protection, Role, Settings
from bot.sandbox.state import group_members, members, require

VERSION = "18.0.0"
CHOICES = {"merge_method": ("merge", "rebase_merge", "ff"), "visibility": ("private", "internal", "public")}
OF_GITHUB = frozenset({"allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"})
"""Switches that GitLab does not know, and passes over."""


def version(call: Call) -> Answer:
    """`GET /version` and `/metadata`."""
    call.user()
    return Answer({"version": VERSION, "revision": "sandbox", "enterprise": False})


def me(call: Call) -> Answer:
    """`GET /user`."""
    return Answer(own_user(call.state, call.user()))


def read_token(call: Call) -> Answer:
    """`GET /personal_access_tokens/self`: of personal, project and group tokens alike."""
    token, user = call.token, call.user()
    if token is None or not token.describable:
        raise errors.NotFound
    scopes = list(token.scopes or (("read_api",) if token.read_only else ("api",)))
    end = token.expires_at.date().isoformat() if token.expires_at else None
    shown: Json = {"id": 1, "name": user.username, "revoked": False, "scopes": scopes, "user_id": user.id}
    return Answer(shown | {"active": True, "expires_at": end})


def list_users(call: Call) -> Answer:
    """`GET /users`, by `username` or `search`."""
    call.user()
    name, search = call.text("username"), (call.text("search") or "").lower()
    found = [one for one in call.state.users.values() if name in (None, one.username)]
    found = [one for one in found if search in f"{one.username} {one.name}".lower()]
    return page(call, found, lambda one: user(call.state, one) or {})


def read_user(call: Call) -> Answer:
    """`GET /users/:id`."""
    call.user()
    for found in call.state.users.values():
        if str(found.id) == call.where["user"]:
            return Answer((user(call.state, found) or {}) | {"bot": found.bot})
    raise errors.NotFound("User")


def list_projects(call: Call) -> Answer:
    """`GET /projects`: those that the user sees; `membership`, `search`."""
    seen = [one for one in call.state.projects.values() if call.state.sees(call.actor, one)]
    if call.flag("membership") and call.actor:
        seen = [one for one in seen if any(found.user == call.actor for found in members(one))]
    search = (call.text("search") or "").lower()
    seen = [one for one in seen if search in one.full_path.lower()]
    return page(call, seen[::-1], lambda one: project(call.state, one, call.actor))


def read_project(call: Call) -> Answer:
    """`GET /projects/:id`."""
    return Answer(project(call.state, call.project(), call.actor))


def update_project(call: Call) -> Answer:
    """`PUT /projects/:id`: the switches that are imitated."""
    found = call.project()
    require(found, call.actor, Role.maintainer)
    given = [one for one in fields(Settings) if one.name in call.given and one.name not in OF_GITHUB]
    changes = {one.name: _setting(call, one.name, one.default) for one in given}
    found.settings = replace(found.settings, **changes)  # type: ignore[arg-type]  # each has its field's own type
    return Answer(project(call.state, found, call.actor))


def list_members(call: Call) -> Answer:
    """`GET /projects/:id/members`: direct ones only."""
    return _members(call, list(call.project().members.values()))


def list_all_members(call: Call) -> Answer:
    """`GET /projects/:id/members/all`: inherited ones too."""
    return _members(call, members(call.project()))


def read_member(call: Call) -> Answer:
    """`GET /projects/:id/members/:user`."""
    return _member(call, list(call.project().members.values()))


def read_any_member(call: Call) -> Answer:
    """`GET /projects/:id/members/all/:user`."""
    return _member(call, members(call.project()))


def add_member(call: Call) -> Answer:
    """`POST /projects/:id/members`; Maintainers may, but give no more than they have."""
    found = call.project()
    require(found, call.actor, Role.maintainer)
    number, level = call.number("user_id"), call.number("access_level")
    if number not in call.state.users or level not in {int(one) for one in Role}:
        raise errors.Missing("user_id or access_level does not have a valid value")
    if number in found.members:
        raise errors.Conflict("Member already exists")
    made = Member(call.state.users[number], Role(level), call.state.clock())
    found.members[number] = made
    return Answer(member(call.state, made), 201)


def remove_member(call: Call) -> Answer:
    """`DELETE /projects/:id/members/:user`."""
    found = call.project()
    require(found, call.actor, Role.maintainer)
    if found.members.pop(_user_id(call), None) is None:
        raise errors.NotFound
    return Answer(None, 204)


def read_group(call: Call) -> Answer:
    """`GET /groups/:id`."""
    return Answer(group(call.state, call.state.group(call.where["id"], call.actor)))


def list_groups(call: Call) -> Answer:
    """`GET /groups`: those that the user sees."""
    found = []
    for one in call.state.groups.values():
        try:
            found.append(call.state.group(str(one.id), call.actor))
        except errors.NotFound:
            continue
    return page(call, found, lambda one: group(call.state, one))


def list_group_members(call: Call) -> Answer:
    """`GET /groups/:id/members`."""
    return _members(call, list(call.state.group(call.where["id"], call.actor).members.values()))


def list_all_group_members(call: Call) -> Answer:
    """`GET /groups/:id/members/all`."""
    return _members(call, group_members(call.state.group(call.where["id"], call.actor)))


def list_labels(call: Call) -> Answer:
    """`GET /projects/:id/labels`, by name."""
    found = sorted(call.project().labels.values(), key=lambda one: one.name)
    return page(call, found, label)


def create_label(call: Call) -> Answer:
    """`POST /projects/:id/labels`; 409 where it exists."""
    found = call.project()
    require(found, call.actor, Role.reporter)
    name, color = call.need("name", "color")
    if name in found.labels:
        raise errors.Conflict("Label already exists")
    made = discussion.label(call.state, found, name, color, call.text("description") or "")
    return Answer(label(made), 201)


def list_approval_rules(call: Call) -> Answer:
    """`GET /projects/:id/approval_rules`; refused on Free."""
    if call.project().tier != "premium":
        raise errors.Forbidden
    return page(call, (), lambda _: {})


def list_protections(call: Call) -> Answer:
    """`GET /projects/:id/protected_branches`."""
    return page(call, list(_maintained(call).protections.values()), protection)


def read_protection(call: Call) -> Answer:
    """`GET /projects/:id/protected_branches/:name`."""
    found = _maintained(call).protections.get(call.where["name"])
    if found is None:
        raise errors.NotFound
    return Answer(protection(found))


def protect(call: Call) -> Answer:
    """`POST /projects/:id/protected_branches`; Maintainers by default, 409 where it is protected."""
    found = _maintained(call)
    (name,) = call.need("name")
    if name in found.protections:
        raise errors.Conflict(f"Protected branch '{name}' already exists")
    levels = (_level(call, "push_access_level"), _level(call, "merge_access_level"))
    made = Protection(call.state.number("protection"), name, *levels, call.flag("allow_force_push") or False)
    found.protections[name] = made
    return Answer(protection(made), 201)


def unprotect(call: Call) -> Answer:
    """`DELETE /projects/:id/protected_branches/:name`."""
    if _maintained(call).protections.pop(call.where["name"], None) is None:
        raise errors.NotFound
    return Answer(None, 204)


def _setting(call: Call, name: str, default: object) -> object:
    """A project's switch, of its default's type; Missing for what it cannot be."""
    if isinstance(default, str):
        return call.choice(name, CHOICES[name])
    wanted = call.flag(name) if isinstance(default, bool) else call.number(name)
    if wanted is None or wanted < 0:
        raise errors.Missing(f"{name} is invalid")
    return wanted


def _user_id(call: Call) -> int:
    """The user that the path names by number; Missing for what is no number."""
    if not call.where["user"].isdecimal():
        raise errors.Missing("user_id is invalid")
    return int(call.where["user"])


def _level(call: Call, name: str) -> Role:
    wanted = call.number(name)
    if wanted is None:
        return Role.maintainer
    if wanted not in (Role.none, Role.developer, Role.maintainer):
        raise errors.Missing(f"{name} does not have a valid value")
    return Role(wanted)


def _maintained(call: Call) -> Project:
    found = call.project()
    require(found, call.actor, Role.maintainer)
    return found


def _members(call: Call, found: list[Member]) -> Answer:
    query = (call.text("query") or "").lower()
    kept = [one for one in found if query in f"{one.user.username} {one.user.name}".lower()]
    return page(call, kept, lambda one: member(call.state, one))


def _member(call: Call, found: list[Member]) -> Answer:
    number = _user_id(call)
    for one in found:
        if one.user.id == number:
            return Answer(member(call.state, one))
    raise errors.NotFound
