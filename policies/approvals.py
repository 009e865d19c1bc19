"""Whose approval of a promotion counts, towards what, and why another does not (S14, S15, S16).

What each forge itself would ask is in its documentation of code owners. Towpath asks at least that, and fails closed
where GitLab approves by itself: no eligible owner, more wanted than there are, the author the only owner.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final

from policies.codeowners import Dialect
from policies.codeowners.model import CodeOwners, Rule
from policies.config import Approvals
from policies.model import Permission, Review, ReviewState, User
from policies.snapshot import Members, Promotion, Question, Right, Snapshot, Splice, StageView, Unanswered
from policies.wording.quote import code, listed

NOT_ASKED = "its giver is none of those who are asked"
MOST_ASKED = 10
"""People who are asked by name when a promotion opens; a larger group finds the promotion in its list."""
MOST_COUNTED = 50
"""People of all requirements together of whom each is looked up to see whether they may write."""
MOST_NAMES = 50
"""Different names of owners that are looked up for one promotion: each costs the forge a call or two."""


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
    """Who may write and asks for changes; no bot."""


def involved(promotion: Promotion) -> frozenset[int]:
    """Who asked for a promotion or opened it: they neither approve it nor pass over its gates (S15)."""
    return frozenset((*promotion.requesters, promotion.request.author.id))


def tally(snapshot: Snapshot, promotion: Promotion) -> Tally:
    """Sort what reviewers said; the newest word of each user is what the forge handed over."""
    counting, discounted, objecting = [], [], []
    for review in snapshot.reviews(promotion.request):
        if review.state is ReviewState.changes_requested:
            heard = not _is_bot(snapshot, review.user) and _may_write(snapshot, review.user)
            objecting += [review.user] if heard else []
            continue
        reason = _discounted(snapshot, promotion, review)
        if reason:
            discounted.append(Discount(review.user, reason))
        else:
            counting.append(review.user)
    return Tally(tuple(counting), tuple(discounted), tuple(objecting))


def among(found: Tally, wanted: Sequence[Requirement]) -> Tally:
    """The same, of which only those count who may give what is wanted."""
    counting = tuple(user for user in found.counting if any(one.may_give(user) for one in wanted))
    others = tuple(Discount(user, NOT_ASKED) for user in found.counting if user not in counting)
    return replace(found, counting=counting, discounted=(*found.discounted, *others))


def tallied(snapshot: Snapshot, view: StageView, promotion: Promotion) -> Tally:
    """The tally of those whom the stage asks by its rules for this promotion; nobody counts where it asks nobody."""
    rule, release = (view.stage.in_rollback if promotion.is_rollback else view.stage).approvals, promotion.release
    content = snapshot.content(view.stage.name, release) if release is not None else None
    paths = content.paths if isinstance(content, Splice) else ()
    return among(tally(snapshot, promotion), _wanted(snapshot, rule, paths) if rule is not None else ())


def _discounted(snapshot: Snapshot, promotion: Promotion, review: Review) -> str:
    """Why an approval does not count, or an empty text."""
    user, request = review.user, promotion.request
    if _is_bot(snapshot, user):
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


def _is_bot(snapshot: Snapshot, user: User) -> bool:
    return user.bot or user.id == snapshot.bot_id


def _may_write(snapshot: Snapshot, user: User) -> bool:
    return snapshot.right(user) >= Permission.write


def _know(snapshot: Snapshot, questions: Iterable[Question]) -> None:
    """Ask everything that is not known yet at once."""
    missing = [question for question in questions if question not in snapshot.answers]
    if missing:
        raise Unanswered(*missing)


def deciding(dialect: Dialect, rules: CodeOwners, paths: Iterable[str]) -> tuple[Rule, ...]:
    """The rules that ask for an approval of a change of these paths, by their own forge.

    GitLab makes a rule of each matched pattern and section; GitHub of each distinct set of owners."""
    found: dict[object, Rule] = {}
    for path in paths:
        for rule in rules.rules_for(path):
            key = (rule.section, rule.pattern) if dialect == "gitlab" else frozenset(rule.owners)
            found.setdefault(key, rule)
    return tuple(rule for rule in found.values() if not rule.optional)


def names_of(asking: Iterable[Rule]) -> tuple[str, ...]:
    """The names of the owners, each once."""
    return tuple(dict.fromkeys(name for rule in asking for name in rule.owners))


def of_codeowners(snapshot: Snapshot, asking: Iterable[Rule]) -> tuple[Requirement, ...]:
    """What these rules ask for, one requirement for each."""
    _know(snapshot, map(Members, names_of(asking)))
    return tuple(_requirement(snapshot, rule) for rule in asking)


def unowned(rules: CodeOwners, paths: Iterable[str]) -> tuple[str, ...]:
    """The paths that nobody owns."""
    return tuple(path for path in paths if not any(rule.owners for rule in rules.rules_for(path)))


def of_policy(snapshot: Snapshot, minimum: int, names: tuple[str, ...]) -> Requirement:
    """What a stage's `minimum` asks, of the people in `from` or of everybody who may write."""
    if not names:
        return Requirement("anybody who may write", minimum, None)
    _know(snapshot, map(Members, names))
    people, unknown = _resolved(snapshot, names)
    return Requirement(_named(names), minimum, people, unknown)


def _requirement(snapshot: Snapshot, rule: Rule) -> Requirement:
    people, unknown = _resolved(snapshot, rule.owners)
    return Requirement(_named(rule.owners), max(1, rule.approvals), people, unknown)


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


def _named(names: tuple[str, ...]) -> str:
    return listed(tuple(code(name) for name in names)) if names else "an owner, of whom the section names none"


@dataclass(frozen=True, slots=True)
class Invited:
    """Whom to ask for an approval; `more` where others may give it who are not asked by name."""

    people: tuple[User, ...] = ()
    more: bool = False


NOBODY: Final = Invited()


def asked(snapshot: Snapshot, rule: Approvals, paths: tuple[str, ...]) -> Invited:
    """Whom to ask for an approval when a promotion opens: a few who may write, fairly of each requirement.

    Nobody where CODEOWNERS cannot be used: the gate says so, and asking the wrong people helps nobody."""
    groups = [one.people for one in _wanted(snapshot, rule, paths) if one.people]
    few = [[user for user in group if not _is_bot(snapshot, user)] for group in groups if len(group) <= MOST_ASKED]
    looked_at = _in_turn(few)[: 3 * MOST_ASKED]
    _know(snapshot, map(Right, looked_at))
    able = [user for user in looked_at if _may_write(snapshot, user)]
    more = len(few) < len(groups) or len(_in_turn(few)) > len(looked_at) or len(able) > MOST_ASKED
    return Invited(tuple(sorted(able[:MOST_ASKED], key=lambda user: user.id)), more)


def _wanted(snapshot: Snapshot, rule: Approvals, paths: tuple[str, ...]) -> tuple[Requirement, ...]:
    wanted: tuple[Requirement, ...] = ()
    if rule.codeowners == "required":
        found = snapshot.owners()
        usable = found.rules is not None and not found.rules.errors
        asking = deciding(found.dialect, found.rules, paths) if found.rules is not None and usable else ()
        if len(names_of(asking)) <= MOST_NAMES:
            wanted += of_codeowners(snapshot, asking)
    if rule.minimum:
        wanted += (of_policy(snapshot, rule.minimum, rule.people),)
    return wanted


def _in_turn(groups: Sequence[Sequence[User]]) -> list[User]:
    """One of each group, then another of each, and each person once."""
    people = (user for turn in zip_longest(*groups) for user in turn if user is not None)
    return list({user.id: user for user in people}.values())


def writers(snapshot: Snapshot, wanted: Iterable[Requirement]) -> frozenset[int] | None:
    """The ids of those who may write, of all whom these requirements name; None where they are too many to look up."""
    people = {user.id: user for one in wanted for user in one.people or ()}
    if len(people) > MOST_COUNTED:
        return None
    _know(snapshot, map(Right, people.values()))
    return frozenset(user.id for user in people.values() if _may_write(snapshot, user))


def counted(wanted: Requirement, able: frozenset[int] | None) -> str:
    """How many people may give it, in words; empty where everybody who may write can."""
    if wanted.people is None:
        return ""
    number = sum(able is None or person.id in able for person in wanted.people)
    return f" ({'up to ' if able is None else ''}{'1 person' if number == 1 else f'{number} people'})"


def could_give(
    snapshot: Snapshot, promotion: Promotion, wanted: Requirement, able: frozenset[int] | None
) -> int | None:
    """How many people could give it at all: who may write, and is neither bot, nor author, nor who asked.

    None: nobody counted them."""
    if wanted.people is None:
        return None
    out = {snapshot.bot_id, promotion.request.author.id, *promotion.requesters}
    return sum(person.id not in out and (able is None or person.id in able) for person in wanted.people)
