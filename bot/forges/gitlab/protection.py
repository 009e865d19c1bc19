"""What a project's settings make of a branch: who may push, merge, or change these settings.

All rules whose name or wildcard matches a branch count together, the most permissive of them (GitLab's documentation of
protected branches), so they are listed and never read by the branch's name alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from fnmatch import fnmatchcase

from bot.forges import fields
from bot.forges.failures import one_line
from bot.forges.gitlab import convert, paths
from bot.forges.gitlab.errors import outside
from bot.forges.gitlab.standing import Standing, tried
from policies.enforcement import Guard, Needed
from policies.model import User

ROLES = {30: "Developer", 40: "Maintainer", 50: "Owner"}
WRITES, MAINTAINS, OWNS, ADMINISTERS = 30, 40, 50, 60
"""Access levels (GitLab's documentation of the API of protected branches and of members)."""

NO_ONE = 0


class People:
    """The project's members besides the bot, by the level that they have there or in a group above it."""

    def __init__(self, members: Iterable[fields.Json], me: User) -> None:
        rows = [one for one in members if fields.number(one, "id") != me.id and one.get("state") != "blocked"]
        self._levels = [(convert.user(one), fields.number(one, "access_level")) for one in rows]
        self._me = me

    def reaching(self, level: int) -> tuple[str, ...]:
        """Everybody who has at least this level."""
        return tuple(_named(user, held) for user, held in self._levels if held >= level)

    def allowed(self, entries: Iterable[fields.Json]) -> tuple[str, ...]:
        """Whom the entries of a rule let in, besides the bot."""
        return tuple(name for entry in entries for name in self._allowed(entry))

    def _allowed(self, entry: fields.Json) -> tuple[str, ...]:
        user, group, key = (entry.get(f"{kind}_id") for kind in ("user", "group", "deploy_key"))
        if isinstance(user, int):
            return () if user == self._me.id else (self._one(user),)
        words = one_line(fields.text(entry, "access_level_description"))
        if group is not None:
            return (f"the group {words or group}",)
        if key is not None:
            return (f"the deploy key {words or key}",)
        level = fields.number(entry, "access_level")
        if level == ADMINISTERS:
            return ("the administrators of this GitLab",)
        return self.reaching(level) if level != NO_ONE else ()

    def _one(self, number: int) -> str:
        return next((_named(user, held) for user, held in self._levels if user.id == number), f"user number {number}")


class Protection(Standing):
    """Reading a branch's protection; needs the role Maintainer."""

    def guard(self, repository: str, branch: str) -> Guard:
        """What was read of a branch; what GitLab would not show is in `unread`."""
        with outside("read the protection of", f"{repository} {branch}"):
            project = self._client.get(paths.project(repository))
            people = People(self._client.list(f"{paths.project(repository)}/members/all"), self.me())
            needed = Needed.anybodys if project.get("only_allow_merge_if_pipeline_succeeds") is True else Needed.no
            visibility = fields.text(project, "visibility")
            tier = self._tier(repository)
            listed, why = tried(lambda: self._client.list(f"{paths.project(repository)}/protected_branches"))
            if listed is None:
                unread = (f"the protected branches ({why}): the bot needs the role Maintainer",)
                return Guard("gitlab", branch, None, needed, visibility=visibility, unread=unread, tier=tier)
            return replace(guard_of(branch, listed, people), status=needed, visibility=visibility, tier=tier)

    def _tier(self, repository: str) -> str:
        """By the list of approval rules, which GitLab Free does not have."""
        rules, why = tried(lambda: self._client.list(f"{paths.project(repository)}/approval_rules"))
        return (
            "Premium or Ultimate" if rules is not None else f"Free, or approval rules not shown to this token ({why})"
        )


def guard_of(branch: str, listed: Iterable[fields.Json], people: People) -> Guard:
    """What the project's rules make of a branch."""
    rules = tuple(rule for rule in listed if fnmatchcase(branch, _pattern(fields.required(rule, "name"))))
    if not rules:
        writers = people.reaching(WRITES)
        return Guard("gitlab", branch, False, pushers=writers, mergers=writers, lifters=people.reaching(MAINTAINS))
    pushers = _together(people.allowed, rules, "push_access_levels")
    return Guard(
        "gitlab",
        branch,
        True,
        pushers=pushers,
        # who may push may merge too (GitLab's documentation of protected branches)
        mergers=tuple(dict.fromkeys((*pushers, *_together(people.allowed, rules, "merge_access_levels")))),
        lifters=_lifters(rules, people),
        may_force=any(rule.get("allow_force_push") is True for rule in rules),
        # of this setting the strictest rule counts
        owners_asked=any(rule.get("code_owner_approval_required") is True for rule in rules),
    )


def _lifters(rules: tuple[fields.Json, ...], people: People) -> tuple[str, ...]:
    """Maintainers, unless every rule names others (Premium); owners can change what is named."""
    if not all(fields.items(rule, "unprotect_access_levels") for rule in rules):
        return people.reaching(MAINTAINS)
    return tuple(dict.fromkeys((*people.reaching(OWNS), *_together(people.allowed, rules, "unprotect_access_levels"))))


def _together(
    allowed: Callable[[Iterable[fields.Json]], tuple[str, ...]], rules: Iterable[fields.Json], name: str
) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for rule in rules for one in allowed(fields.items(rule, name))))


def _pattern(name: str) -> str:
    """GitLab's only wildcard is `*`; it matches a slash too."""
    return name.replace("[", "[[]").replace("?", "[?]")


def _named(user: User, level: int) -> str:
    return f"@{one_line(user.username)} ({ROLES.get(level, f'level {level}')})"
