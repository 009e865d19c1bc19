"""Whose approval of a promotion counts, towards what, and why another does not (S14, S15, S16).

What each forge itself would ask is in its documentation of code owners. Towpath asks at least that, and fails closed
where GitLab approves by itself: no eligible owner, more wanted than there are, the author the only owner.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from policies.codeowners import Dialect
from policies.codeowners.model import CodeOwners, Rule
from policies.config import Approvals
from policies.model import Permission, Review, ReviewState, User
from policies.snapshot import Promotion, Snapshot
from policies.wording.quote import code, listed

MOST_ASKED = 10
"""People of one requirement who are all asked by name; a larger group finds the promotion in its list."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """So many approvals of these people; `unknown` are names that nobody could tell the people of."""

    name: str
    needed: int
    people: tuple[User, ...] | None
    """None: everybody who may write."""
    unknown: tuple[str, ...] = ()

    def may_give(self, user: User) -> bool:
        """Whether an approval of this user counts towards it."""
        return self.people is None or any(person.id == user.id for person in self.people)


@dataclass(frozen=True, slots=True)
class Discount:
    """An approval that does not count, and why."""

    user: User
    reason: str


@dataclass(frozen=True, slots=True)
class Tally:
    """The approvals of a promotion, sorted."""

    counting: tuple[User, ...]
    discounted: tuple[Discount, ...]
    objecting: tuple[User, ...]
    """Who may write and asks for changes."""


def tally(snapshot: Snapshot, promotion: Promotion) -> Tally:
    """Sort what reviewers said; the newest word of each user is what the forge handed over."""
    counting, discounted, objecting = [], [], []
    for review in snapshot.reviews(promotion.request):
        if review.state is ReviewState.changes_requested:
            objecting += [review.user] if _may_write(snapshot, review.user) else []
            continue
        reason = _discounted(snapshot, promotion, review)
        if reason:
            discounted.append(Discount(review.user, reason))
        else:
            counting.append(review.user)
    return Tally(tuple(counting), tuple(discounted), tuple(objecting))


def _discounted(snapshot: Snapshot, promotion: Promotion, review: Review) -> str:
    """Why an approval does not count, or an empty text."""
    user, request = review.user, promotion.request
    if user.bot or user.id == snapshot.bot_id:
        return "its giver is a bot"
    if user.id == request.author.id:
        return "its giver opened the merge request"
    if user.id in promotion.requesters:
        return "its giver asked for this promotion"
    if review.sha != request.head:
        return "it was given to another state of the branch, or the forge does not tell to which"
    if not _may_write(snapshot, user):
        return "its giver may not write to this repository"
    return ""


def _may_write(snapshot: Snapshot, user: User) -> bool:
    return snapshot.right(user) >= Permission.write


def of_codeowners(
    snapshot: Snapshot, dialect: Dialect, rules: CodeOwners, paths: Iterable[str]
) -> tuple[Requirement, ...]:
    """What CODEOWNERS asks for a change of these paths: one requirement for each deciding rule, by its own forge.

    GitLab makes a rule of each matched pattern and section; GitHub of each distinct set of owners."""
    deciding: dict[object, Rule] = {}
    for path in paths:
        for rule in rules.rules_for(path):
            key = (rule.section, rule.pattern) if dialect == "gitlab" else frozenset(rule.owners)
            deciding.setdefault(key, rule)
    return tuple(_requirement(snapshot, rule) for rule in deciding.values() if not rule.optional)


def unowned(rules: CodeOwners, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that nobody owns."""
    return tuple(path for path in paths if not any(rule.owners for rule in rules.rules_for(path)))


def of_policy(snapshot: Snapshot, minimum: int, names: tuple[str, ...]) -> Requirement:
    """What a stage's `minimum` asks, of the people in `from` or of everybody who may write."""
    if not names:
        return Requirement("anybody who may write", minimum, None)
    people, unknown = _resolved(snapshot, names)
    return Requirement(_named(names, people), minimum, people, unknown)


def _requirement(snapshot: Snapshot, rule: Rule) -> Requirement:
    people, unknown = _resolved(snapshot, rule.owners)
    return Requirement(_named(rule.owners, people), max(1, rule.approvals), people, unknown)


def _resolved(snapshot: Snapshot, names: tuple[str, ...]) -> tuple[tuple[User, ...], tuple[str, ...]]:
    """The people behind names, each once and without bots, and the names that nobody could tell."""
    people: dict[int, User] = {}
    unknown: list[str] = []
    for name in names:
        members = snapshot.members(name)
        if members is None:
            unknown.append(name)
        else:
            people |= {user.id: user for user in members if not user.bot}
    return tuple(people[number] for number in sorted(people)), tuple(unknown)


def _named(names: tuple[str, ...], people: tuple[User, ...]) -> str:
    if not names:
        return "an owner, of whom the section names none"
    count = "1 person" if len(people) == 1 else f"{len(people)} people"
    return f"{listed(tuple(code(name) for name in names))} ({count})"


def asked(snapshot: Snapshot, rule: Approvals, paths: tuple[str, ...]) -> tuple[User, ...]:
    """Whom to ask for an approval when a promotion opens: never more than a few of one requirement.

    Nobody where CODEOWNERS cannot be used: the gate says so, and asking the wrong people helps nobody."""
    wanted: tuple[Requirement, ...] = ()
    if rule.codeowners == "required":
        found = snapshot.owners()
        if found.rules is not None and not found.rules.errors:
            wanted += of_codeowners(snapshot, found.dialect, found.rules, paths)
    if rule.minimum:
        wanted += (of_policy(snapshot, rule.minimum, rule.people),)
    few = (one.people for one in wanted if one.people is not None and len(one.people) <= MOST_ASKED)
    people = {user.id: user for group in few for user in group if user.id != snapshot.bot_id}
    return tuple(people[number] for number in sorted(people))


def could_give(snapshot: Snapshot, promotion: Promotion, wanted: Requirement) -> int | None:
    """How many people could give it at all: neither bot, nor author, nor who asked. None: nobody counted them."""
    if wanted.people is None:
        return None
    out = {snapshot.bot_id, promotion.request.author.id, *promotion.requesters}
    return sum(person.id not in out for person in wanted.people)
