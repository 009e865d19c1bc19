"""GitHub's JSON of branch protection and rulesets to `policies.enforcement.Guard`.

Field names are those of GitHub's REST documentation (branch protection, rules, collaborators).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from bot.forges import fields
from bot.forges.failures import one_line
from policies.enforcement import WRITERS, Guard, Needed
from policies.naming import STATUS

GUARDING = frozenset({"required_status_checks", "update", "pull_request"})
"""Types of rules that have a say in what gets onto the branch."""

ANY_APP = -1
ROLES = {2: "maintain", 4: "push", 5: "admin"}
"""The permission of a role as bypass lists number it (Terraform's provider documents the numbers, GitHub does not)."""

WORDS = {"admin": "admin", "maintain": "maintain", "push": "write"}
"""Permissions, highest first, and what GitHub calls them before people."""

QUEUE = "a merge queue is required: GitHub merges no exact head past it, so Towpath cannot merge"
STRICT = "branches must be up to date before merging: Towpath does not update them, and would wait at `behind`"
LOCKED = "the branch is locked (read-only)"
SIGNED = "signed commits are required, and Towpath's are not signed"
RANK = (Needed.no, Needed.anybodys, Needed.own)


@dataclass(frozen=True, slots=True)
class People:
    """The collaborators by permission, without the bot; in general words where GitHub does not list them."""

    rows: tuple[fields.Json, ...] | None
    me: int
    app: int | None
    """The number of Towpath's App, where it is one."""

    def having(self, permission: str) -> tuple[str, ...]:
        """Who has this permission at least: `push`, `maintain` or `admin`."""
        if self.rows is None:
            return ("the administrators of the repository",) if permission == "admin" else (WRITERS,)
        others = (row for row in self.rows if row.get("id") != self.me)
        return tuple(_named(row) for row in others if fields.part(row, "permissions").get(permission) is True)


def of_rule(branch: str, rule: fields.Json, people: People) -> Guard:
    """A branch protection rule."""
    checks = fields.part(rule, "required_status_checks")
    contexts = fields.items(checks, "checks")
    reviews, restrictions = rule.get("required_pull_request_reviews"), rule.get("restrictions")
    pushers = mergers = people.having("push")
    if isinstance(restrictions, Mapping):  # who administers or maintains may push for all that
        mergers = pushers = _unique(_listed(restrictions, people), people.having("maintain"), people.having("admin"))
    if isinstance(reviews, Mapping):
        pushers = _listed(fields.part(reviews, "bypass_pull_request_allowances"), people)
    hindrances = (
        STRICT if checks.get("strict") is True else "",
        SIGNED if _is_on(rule, "required_signatures") else "",
        LOCKED if _is_on(rule, "lock_branch") else "",
        _foreign(contexts, "app_id", people),
    )
    return Guard(
        "github",
        branch,
        True,
        _needed(contexts, "app_id", people),
        pushers,
        mergers,
        () if _is_on(rule, "enforce_admins") else people.having("admin"),
        may_force=_is_on(rule, "allow_force_pushes"),
        owners_asked=isinstance(reviews, Mapping) and reviews.get("require_code_owner_reviews") is True,
        hindrances=tuple(filter(None, hindrances)),
    )


def of_rulesets(branch: str, rules: Iterable[fields.Json], people: People) -> Guard:
    """All rules of rulesets together, without their bypass lists."""
    by_type: dict[str, list[fields.Json]] = {}
    for rule in rules:
        by_type.setdefault(fields.text(rule, "type"), []).append(fields.part(rule, "parameters"))
    checks = by_type.get("required_status_checks", [])
    contexts = tuple(one for check in checks for one in fields.items(check, "required_status_checks"))
    writers = () if "update" in by_type else people.having("push")
    hindrances = (
        QUEUE if "merge_queue" in by_type else "",
        STRICT if any(check.get("strict_required_status_checks_policy") is True for check in checks) else "",
        SIGNED if "required_signatures" in by_type else "",
        _foreign(contexts, "integration_id", people),
    )
    return Guard(
        "github",
        branch,
        bool(GUARDING & by_type.keys()),
        _needed(contexts, "integration_id", people),
        () if "pull_request" in by_type else writers,
        writers,
        may_force="non_fast_forward" not in by_type,
        owners_asked=any(one.get("require_code_owner_review") is True for one in by_type.get("pull_request", [])),
        hindrances=tuple(filter(None, hindrances)),
    )


def holding(rules: Iterable[fields.Json], people: People) -> tuple[int, ...]:
    """The rulesets that keep people out: who passes one of these passes. The strongest kind of rule counts alone."""
    kept = [rule for rule in rules if fields.text(rule, "type") in GUARDING]
    alone = [rule for rule in kept if fields.text(rule, "type") == "update"]
    pinned = [rule for rule in kept if _pins(rule, people)]
    return tuple(sorted({fields.number(rule, "ruleset_id") for rule in alone or pinned or kept}))


def bypassers(ruleset: fields.Json, people: People) -> tuple[str, ...] | None:
    """Whom a ruleset lets through, for pull requests or always; None where GitHub keeps that to itself."""
    if not isinstance(ruleset.get("bypass_actors"), list):
        return None
    return _unique(*(_actor(actor, people) for actor in fields.items(ruleset, "bypass_actors")))


def stronger(first: Guard, second: Guard) -> Guard:
    """The layer that holds more: both count at once. Where none protects, what was not read is not forgotten."""
    if first.protected and second.protected:
        asked = first.owners_asked or second.owners_asked
        return replace(max(first, second, key=_strength), owners_asked=asked)
    if first.protected or second.protected:
        return first if first.protected else second
    unread = (*first.unread, *second.unread)
    return replace(first if first.protected is None else second, unread=unread)


def _strength(guard: Guard) -> tuple[int, bool, bool, bool]:
    alone = not guard.mergers and not guard.pushers
    rank = len(RANK) if alone else RANK.index(guard.status)
    return rank, not guard.bypassers, not guard.unread, not guard.may_force


def _pins(rule: fields.Json, people: People) -> bool:
    contexts = fields.items(fields.part(rule, "parameters"), "required_status_checks")
    return _needed(contexts, "integration_id", people) is Needed.own


def _needed(contexts: Iterable[fields.Json], source: str, people: People) -> Needed:
    sources = [one.get(source) for one in contexts if fields.text(one, "context") == STATUS]
    if people.app is not None and people.app in sources:
        return Needed.own
    return Needed.anybodys if any(one in (None, ANY_APP) for one in sources) else Needed.no


def _foreign(contexts: Iterable[fields.Json], source: str, people: People) -> str:
    for one in contexts:
        app = one.get(source)
        if fields.text(one, "context") == STATUS and app not in (None, ANY_APP, people.app):
            return f"the status `{STATUS}` is required of App {app}, which Towpath is not: it never gets green"
    return ""


def _listed(entry: fields.Json, people: People) -> tuple[str, ...]:
    users = (f"@{fields.text(one, 'login')}" for one in fields.items(entry, "users") if one.get("id") != people.me)
    teams = (f"the team {fields.text(one, 'slug')}" for one in fields.items(entry, "teams"))
    apps = (f"the App {fields.text(one, 'slug')}" for one in fields.items(entry, "apps") if one.get("id") != people.app)
    return tuple(map(one_line, (*users, *teams, *apps)))


def _actor(actor: fields.Json, people: People) -> tuple[str, ...]:
    kind, number = fields.text(actor, "actor_type"), actor.get("actor_id")
    if kind == "Integration":
        return () if people.app is not None and number == people.app else (f"App {number}",)
    if kind == "User":
        known = (row for row in people.rows or () if row.get("id") == number)
        return () if number == people.me else (next(map(_named, known), f"user number {number}"),)
    if kind == "RepositoryRole" and isinstance(number, int) and number in ROLES:
        return people.having(ROLES[number])
    if kind == "OrganizationAdmin":
        return ("the owners of the organization",)
    if kind == "DeployKey":
        return ("deploy keys that may write",)
    return (one_line(f"{kind} {number}"),)


def _named(row: fields.Json) -> str:
    held = fields.part(row, "permissions")
    word = next((word for permission, word in WORDS.items() if held.get(permission) is True), "read")
    return f"@{one_line(fields.required(row, 'login'))} ({word})"


def _is_on(rule: fields.Json, name: str) -> bool:
    return fields.part(rule, name).get("enabled") is True


def _unique(*names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for several in names for one in several))
