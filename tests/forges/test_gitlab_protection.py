"""Rules of protected branches to names; the JSON is that of GitLab's documentation of the API of protected branches."""

from collections.abc import Mapping

import pytest

from bot.forges.gitlab.protection import People, guard_of
from policies.enforcement import Needed
from policies.model import User

BOT = User(9, "towpath", "Towpath", bot=True)


def person(number: int, name: str, level: int, state: str = "active") -> Mapping[str, object]:
    return {"id": number, "username": name, "name": name, "access_level": level, "state": state}


ROWS = (
    person(1, "root", 50),
    person(2, "maria", 40),
    person(3, "jonas", 30),
    person(4, "rea", 20),
    person(5, "gone", 50, "blocked"),
    person(9, "towpath", 40),
)
PEOPLE = People(ROWS, BOT)
ROOT, MARIA, JONAS = "@root (Owner)", "@maria (Maintainer)", "@jonas (Developer)"


def entry(level: int | None = 40, words: str = "", **who: int) -> Mapping[str, object]:
    everybody = {"user_id": None, "group_id": None, "deploy_key_id": None}
    return {"id": 1, "access_level": level, "access_level_description": words, **everybody, **who}


def rule(name: str = "main", **entries: object) -> Mapping[str, object]:
    none: dict[str, object] = {f"{kind}_access_levels": [] for kind in ("push", "merge", "unprotect")}
    return {"id": 1, "name": name, "allow_force_push": False, **none, **entries}


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (entry(0, "No one"), ()),
        (entry(40, "Maintainers"), (ROOT, MARIA)),
        (entry(30, "Developers + Maintainers"), (ROOT, MARIA, JONAS)),
        (entry(60, "Administrator"), ("the administrators of this GitLab",)),
        (entry(40, "Maria", user_id=2), (MARIA,)),
        (entry(None, "Somebody", user_id=77), ("user number 77",)),
        (entry(40, "Towpath", user_id=9), ()),
        (entry(None, "Release Managers", group_id=12), ("the group Release Managers",)),
        (entry(None, "", group_id=12), ("the group 12",)),
        (entry(40, "Deploy key", deploy_key_id=3), ("the deploy key Deploy key",)),
    ],
)
def test_whom_an_entry_lets_in(given: Mapping[str, object], names: tuple[str, ...]) -> None:
    assert PEOPLE.allowed((given,)) == names


def test_a_branch_without_a_rule_is_open_to_all_who_may_write() -> None:
    found = guard_of("main", (rule("release/*"),), PEOPLE)
    assert (found.protected, found.status) == (False, Needed.no)
    assert found.pushers == found.mergers == (ROOT, MARIA, JONAS)
    assert found.lifters == (ROOT, MARIA)


@pytest.mark.parametrize(
    ("name", "protected"),
    [("main", True), ("m*", True), ("*", True), ("*/main", False), ("m?in", False), ("[m]ain", False), ("Main", False)],
)
def test_only_a_star_is_a_wildcard(name: str, protected: bool) -> None:
    assert guard_of("main", (rule(name),), PEOPLE).protected is protected


def test_who_may_push_may_merge_and_all_matching_rules_count() -> None:
    rules = (
        rule(merge_access_levels=[entry(user_id=9)]),
        rule("m*", push_access_levels=[entry(user_id=3)], allow_force_push=True),
    )
    found = guard_of("main", rules, PEOPLE)
    assert (found.protected, found.pushers, found.mergers, found.may_force) == (True, (JONAS,), (JONAS,), True)


def test_who_may_lift_a_rule() -> None:
    named = rule(unprotect_access_levels=[entry(user_id=3)])
    assert guard_of("main", (named,), PEOPLE).lifters == (ROOT, JONAS)
    assert guard_of("main", (named, rule("m*")), PEOPLE).lifters == (ROOT, MARIA)
