"""The forge's memory: who is there and what they may see; its lock, clock, numbers and listeners."""

import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime
from itertools import count

from bot.sandbox.errors import Forbidden, Invalid, NotFound, Unauthenticated
from bot.sandbox.gitstore import GitStore
from bot.sandbox.model import (
    App,
    Delivery,
    Event,
    Group,
    Installation,
    Member,
    Project,
    Protection,
    Role,
    Token,
    User,
)

FIRST_ID = {"user": 11, "group": 21, "project": 31, "request": 1001, "note": 5001, "status": 9001, "pipeline": 7001}
"""Kinds start at different numbers, so that an id taken for another kind's is seen at once."""


class State:
    """All that the forge knows. Whoever reads or changes it holds `lock`; times come from `clock`, aware, in UTC."""

    def __init__(self, store: GitStore, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.clock = clock
        self.lock = threading.RLock()
        self.url = "http://127.0.0.1"
        """The web address that links and payloads carry; the server sets it."""
        self.checking_reads = 1
        """How many reads of a changed merge request answer `checking` before its mergeability is known."""
        self.one_row = True
        """Whether issues and merge requests share their numbers, as on GitHub; GitLab numbers each by themselves."""
        self.users: dict[int, User] = {}
        self.tokens: dict[str, Token] = {}
        self.groups: dict[int, Group] = {}
        self.projects: dict[int, Project] = {}
        self.apps: dict[int, App] = {}
        self.installations: dict[int, Installation] = {}
        self.outbox: deque[Delivery] = deque()
        """Webhooks to be sent."""
        self.sent: list[Delivery] = []
        self.listeners: list[Callable[[Event], None]] = []
        self._numbers = {kind: count(first) for kind, first in FIRST_ID.items()}

    def number(self, kind: str) -> int:
        """The next id of a kind of thing."""
        return next(self._numbers.setdefault(kind, count(1)))

    def tell(self, event: Event) -> None:
        """Let the listeners (webhooks, the imitated CI) know; they are called at once, under the lock."""
        for listener in tuple(self.listeners):
            listener(event)

    # --- users -------------------------------------------------------------------------------------------------------

    def add_user(self, username: str, name: str = "", *, bot: bool = False) -> User:
        """A new user; Invalid where the name is taken."""
        if any(user.username == username for user in self.users.values()):
            raise Invalid("username", "has already been taken")
        made = User(self.number("user"), username, name or username, f"{username}@example.com", bot, self.clock())
        self.users[made.id] = made
        return made

    def add_token(self, user: User, value: str | None = None, *, read_only: bool = False) -> str:
        """A new access token of the user."""
        token = Token(value or f"glpat-{secrets.token_urlsafe(15)}", user, read_only)
        self.tokens[token.value] = token
        return token.value

    def token(self, value: str) -> Token:
        """The token of that value; Unauthenticated where nobody has it, or it has expired."""
        found = self.tokens.get(value)
        if found is None or (found.expires_at is not None and found.expires_at <= self.clock()):
            raise Unauthenticated
        return found

    # --- GitHub Apps -------------------------------------------------------------------------------------------------

    def add_app(self, slug: str, public_key: str) -> App:
        """A new App with its bot user `slug[bot]`."""
        made = App(self.number("app"), slug, self.add_user(f"{slug}[bot]", slug, bot=True), public_key)
        self.apps[made.id] = made
        return made

    def install(self, app: App, group: Group) -> Installation:
        """Let an App work in a group's repositories."""
        made = Installation(self.number("installation"), app, group, self.clock())
        self.installations[made.id] = made
        return made

    def installations_on(self, project: Project) -> list[Installation]:
        """The Apps that work in a project."""
        return [one for one in self.installations.values() if _within(project.group, one.group)]

    def reaches(self, installation: int | None, project: Project) -> bool:
        """Whether a token of that installation, or of none, may be used there."""
        return installation is None or any(one.id == installation for one in self.installations_on(project))

    def user(self, username: str) -> User:
        """By name."""
        for user in self.users.values():
            if user.username == username:
                return user
        raise NotFound("User")

    # --- groups ------------------------------------------------------------------------------------------------------

    def add_group(self, full_path: str) -> Group:
        """The group of that path, made with its parents where they are missing."""
        parent, _, path = full_path.rpartition("/")
        for group in self.groups.values():
            if group.full_path == full_path:
                return group
        above = self.add_group(parent) if parent else None
        made = Group(self.number("group"), path, path.capitalize(), above, self.clock())
        self.groups[made.id] = made
        return made

    def group(self, id_or_path: str, viewer: User | None) -> Group:
        """By number or full path. NotFound also for who has no role in it, above or below it."""
        for group in self.groups.values():
            if id_or_path in (str(group.id), group.full_path):
                below = (project for project in self.projects.values() if _within(project.group, group))
                if group_role(group, viewer) or any(self.sees(viewer, project) for project in below):
                    return group
        raise NotFound("Group")

    # --- projects ----------------------------------------------------------------------------------------------------

    def add_project(self, full_path: str, creator: User) -> Project:
        """An empty project in its group; `main` is protected for Maintainers, as GitLab does by default."""
        parent, _, path = full_path.rpartition("/")
        if not parent:
            raise Invalid("path", "a project lives in a group")
        group, number = self.add_group(parent), self.number("project")
        git = self.store.create(str(number))
        made = Project(number, path, path, group, creator, self.clock(), git)
        made.protections["main"] = Protection(self.number("protection"), "main", Role.maintainer, Role.maintainer)
        self.projects[number] = made
        return made

    def project(self, id_or_path: str, viewer: User | None) -> Project:
        """By number or full path. NotFound also where the viewer may not know of it."""
        for project in self.projects.values():
            named = id_or_path in (str(project.id), project.full_path)
            if named and self.sees(viewer, project):
                return project
        raise NotFound("Project")

    def sees(self, viewer: User | None, project: Project) -> bool:
        """Whether the project exists for that user."""
        return project.settings.visibility == "public" or role(project, viewer) >= Role.guest


def role(project: Project, user: User | None) -> Role:
    """A user's highest role in the project or any group above it."""
    if user is None:
        return Role.none
    own = project.members.get(user.id)
    return max(own.role if own else Role.none, group_role(project.group, user))


def group_role(group: Group | None, user: User | None) -> Role:
    """A user's highest role in the group or any group above it."""
    if group is None or user is None:
        return Role.none
    own = group.members.get(user.id)
    return max(own.role if own else Role.none, group_role(group.parent, user))


def members(project: Project) -> list[Member]:
    """Everybody with a role in the project, inherited too, each once with the highest."""
    return _highest([project.members, *(group.members for group in _lineage(project.group))])


def group_members(group: Group) -> list[Member]:
    """Everybody with a role in the group, inherited too."""
    return _highest([above.members for above in _lineage(group)])


def require(project: Project, user: User | None, least: Role) -> None:
    """Forbidden below that role; Unauthenticated for nobody at all."""
    if user is None:
        raise Unauthenticated
    if role(project, user) < least:
        raise Forbidden


def require_code(project: Project, user: User | None) -> None:
    """Forbidden for who may not read the code: guests of a private project."""
    if project.settings.visibility != "public":
        require(project, user, Role.reporter)


def _lineage(group: Group | None) -> list[Group]:
    return [group, *_lineage(group.parent)] if group else []


def _within(inner: Group, outer: Group) -> bool:
    return outer in _lineage(inner)


def _highest(sources: list[dict[int, Member]]) -> list[Member]:
    found: dict[int, Member] = {}
    for source in sources:
        for member in source.values():
            if member.user.id not in found or member.role > found[member.user.id].role:
                found[member.user.id] = member
    return [found[number] for number in sorted(found)]
