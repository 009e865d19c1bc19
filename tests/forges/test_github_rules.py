"""Rulesets and branch protection rules to what is known of a branch; the JSON is GitHub's documentation's."""

from collections.abc import Mapping

import pytest

from bot.forges.github.rules import People, bypassers, holding, of_rule, of_rulesets, stronger
from policies.enforcement import WRITERS, Guard, Needed

APP, BOT = 7, 99


def person(number: int, login: str, permission: str) -> Mapping[str, object]:
    held = ("pull", "triage", "push", "maintain", "admin")
    shown = {name: held.index(name) <= held.index(permission) for name in held}
    return {"id": number, "login": login, "permissions": shown}


ROWS = (person(1, "ada", "admin"), person(2, "mia", "maintain"), person(3, "wim", "push"), person(4, "rea", "pull"))
PEOPLE = People((*ROWS, person(BOT, "towpath", "admin")), BOT, APP)
WRITING = ("@ada (admin)", "@mia (maintain)", "@wim (write)")


def rule(kind: str, ruleset: int = 1, **parameters: object) -> Mapping[str, object]:
    return {"type": kind, "ruleset_id": ruleset, "parameters": parameters}


def checks(
    app: int | None, ruleset: int = 1, *, context: str = "towpath", strict: bool = False
) -> Mapping[str, object]:
    required = [{"context": context} if app is None else {"context": context, "integration_id": app}]
    parameters = {"required_status_checks": required, "strict_required_status_checks_policy": strict}
    return rule("required_status_checks", ruleset, **parameters)


PULLS, ALONE, NO_FORCE = rule("pull_request", 2), rule("update", 3), rule("non_fast_forward", 4)


def test_people_are_named_by_permission_without_the_bot() -> None:
    assert PEOPLE.having("push") == WRITING
    assert PEOPLE.having("admin") == ("@ada (admin)",)
    hidden = People(None, BOT, APP)
    assert hidden.having("push") == (WRITERS,)
    assert hidden.having("admin") == ("the administrators of the repository",)


@pytest.mark.parametrize(
    ("rules", "protected", "status", "pushers", "mergers"),
    [
        ((), False, Needed.no, WRITING, WRITING),
        ((NO_FORCE,), False, Needed.no, WRITING, WRITING),
        ((PULLS,), True, Needed.no, (), WRITING),
        ((ALONE,), True, Needed.no, (), ()),
        ((checks(APP), PULLS), True, Needed.own, (), WRITING),
        ((checks(None),), True, Needed.anybodys, WRITING, WRITING),
        ((checks(-1),), True, Needed.anybodys, WRITING, WRITING),
        ((checks(APP + 1),), True, Needed.no, WRITING, WRITING),
        ((checks(APP, context="build"),), True, Needed.no, WRITING, WRITING),
        ((checks(None), checks(APP, 5)), True, Needed.own, WRITING, WRITING),
    ],
)
def test_rules_of_rulesets(
    rules: tuple[Mapping[str, object], ...],
    protected: bool,
    status: Needed,
    pushers: tuple[str, ...],
    mergers: tuple[str, ...],
) -> None:
    found = of_rulesets("main", rules, PEOPLE)
    assert (found.protected, found.status, found.pushers, found.mergers) == (protected, status, pushers, mergers)
    assert found.may_force is (NO_FORCE not in rules)


def test_a_status_of_no_App_of_ours_can_be_anybodys_only() -> None:
    by_token = People(ROWS, BOT, None)
    assert of_rulesets("main", (checks(APP),), by_token).status is Needed.no
    assert of_rulesets("main", (checks(None),), by_token).status is Needed.anybodys


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (rule("merge_queue"), "merge queue"),
        (rule("required_signatures"), "signed commits"),
        (checks(APP, strict=True), "up to date"),
        (checks(APP + 1), f"App {APP + 1}, which Towpath is not"),
    ],
)
def test_what_keeps_Towpath_from_merging_is_told(given: Mapping[str, object], words: str) -> None:
    (hindrance,) = of_rulesets("main", (given,), PEOPLE).hindrances
    assert words in hindrance


@pytest.mark.parametrize(
    ("rules", "numbers"),
    [
        ((checks(APP, 1), PULLS, ALONE, NO_FORCE), (3,)),
        ((checks(APP, 1), checks(None, 5), PULLS), (1,)),
        ((checks(None, 5), PULLS, NO_FORCE), (2, 5)),
        ((NO_FORCE,), ()),
    ],
)
def test_who_passes_the_strongest_rule_passes(
    rules: tuple[Mapping[str, object], ...], numbers: tuple[int, ...]
) -> None:
    assert holding(rules, PEOPLE) == numbers


@pytest.mark.parametrize(
    ("kind", "number", "names"),
    [
        ("Integration", APP, ()),
        ("Integration", 8, ("App 8",)),
        ("RepositoryRole", 5, ("@ada (admin)",)),
        ("RepositoryRole", 4, WRITING),
        ("RepositoryRole", 77, ("RepositoryRole 77",)),
        ("OrganizationAdmin", 1, ("the owners of the organization",)),
        ("User", 2, ("@mia (maintain)",)),
        ("User", 77, ("user number 77",)),
        ("User", BOT, ()),
        ("DeployKey", None, ("deploy keys that may write",)),
        ("Team", 12, ("Team 12",)),
    ],
)
def test_whom_a_bypass_list_lets_through(kind: str, number: int | None, names: tuple[str, ...]) -> None:
    actor = {"actor_type": kind, "actor_id": number, "bypass_mode": "pull_request"}
    assert bypassers({"bypass_actors": [actor, actor]}, PEOPLE) == names


def test_a_bypass_list_that_is_not_shown_is_not_an_empty_one() -> None:
    assert bypassers({"name": "main"}, PEOPLE) is None
    assert bypassers({"bypass_actors": []}, PEOPLE) == ()


def test_a_branch_protection_rule() -> None:
    found = of_rule(
        "main",
        {
            "required_status_checks": {"strict": True, "checks": [{"context": "towpath", "app_id": APP}]},
            "enforce_admins": {"enabled": False},
            "required_pull_request_reviews": {"bypass_pull_request_allowances": {"users": [{"id": 3, "login": "wim"}]}},
            "restrictions": {
                "users": [{"id": BOT, "login": "towpath"}],
                "teams": [{"id": 1, "slug": "sre"}],
                "apps": [{"id": APP, "slug": "towpath"}, {"id": 8, "slug": "other"}],
            },
            "allow_force_pushes": {"enabled": True},
            "required_signatures": {"enabled": True},
        },
        PEOPLE,
    )
    assert (found.protected, found.status, found.may_force) == (True, Needed.own, True)
    assert found.pushers == ("@wim",)
    assert found.mergers == ("the team sre", "the App other", "@ada (admin)", "@mia (maintain)")
    assert found.bypassers == ("@ada (admin)",)
    assert len(found.hindrances) == 2


@pytest.mark.parametrize(
    ("shown", "told"),
    [
        ({"lock_branch": {"enabled": True}}, ("the branch is locked (read-only)",)),
        ({"lock_branch": {"enabled": False}}, ()),
        ({}, ()),
    ],
)
def test_a_locked_branch_is_a_hindrance(shown: Mapping[str, object], told: tuple[str, ...]) -> None:
    assert of_rule("main", shown, PEOPLE).hindrances == told


def test_a_branch_protection_rule_that_asks_for_little() -> None:
    shown = {
        "required_status_checks": None,
        "enforce_admins": {"enabled": True},
        "required_pull_request_reviews": None,
        "restrictions": None,
    }
    found = of_rule("main", shown, PEOPLE)
    assert (found.status, found.pushers, found.mergers, found.bypassers) == (Needed.no, WRITING, WRITING, ())


def layer(
    protected: bool | None,
    status: Needed = Needed.no,
    mergers: tuple[str, ...] = WRITING,
    bypassers: tuple[str, ...] = (),
    unread: tuple[str, ...] = (),
) -> Guard:
    return Guard("github", "main", protected, status, (), mergers, bypassers, unread=unread)


PINNED, WEAK = layer(True, Needed.own), layer(True, Needed.anybodys)


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (PINNED, WEAK, PINNED),
        (WEAK, PINNED, PINNED),
        (PINNED, layer(True, mergers=()), layer(True, mergers=())),
        (PINNED, layer(True, Needed.own, bypassers=("x",)), PINNED),
        (layer(True, Needed.own, unread=("x",)), PINNED, PINNED),
        (PINNED, layer(None, unread=("x",)), PINNED),
        (layer(False), WEAK, WEAK),
        (layer(None, unread=("x",)), layer(None, unread=("y",)), layer(None, unread=("x", "y"))),
        (layer(False), layer(None, unread=("x",)), layer(None, unread=("x",))),
        (layer(False), layer(False), layer(False)),
    ],
)
def test_the_stronger_layer_counts_and_what_was_not_read_is_not_forgotten(
    first: Guard, second: Guard, wanted: Guard
) -> None:
    assert stronger(first, second) == wanted
