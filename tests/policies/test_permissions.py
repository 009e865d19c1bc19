"""Who may command what: by right, stage and service, by numeric ids, never where it cannot be told (S5, S6, S16)."""

import re
from collections.abc import Mapping
from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import rights
from policies.codeowners import Dialect, parse
from policies.config import PolicyError, parse_policy
from policies.model import Permission, User
from policies.permissions import held_by, refusal
from policies.snapshot import Members, Owners, OwnersFile, Question, Right, Snapshot, Unanswered
from tests import builders as a
from tests.policies.commands import scenes as s
from tests.policies.test_config import changed, faults

ALEX = User(42, "alex")
NOBODY = " is nobody: write @user, @group/subgroup or a role such as @@maintainers"
GROUP = {"@release-managers": (ALEX,)}


def asked(
    right: str,
    user: User = s.DEV,
    service: str | None = "payments",
    stage: str | None = "ring-1",
    known: Mapping[str, tuple[User, ...] | None] | None = None,
    owners: Owners | None = None,
    levels: Mapping[int, Permission] | None = None,
    rules: Mapping[str, object] | None = None,
    **written: object,
) -> str | None:
    """Why a user may not, under `permissions` that say this."""
    at = s.with_permissions(s.snapshot(), **(rules or {}), **written)
    while True:
        try:
            return refusal(at, user, right, service, stage)
        except Unanswered as missing:
            at = with_answers(at, missing.questions, known or {}, owners, levels or s.RIGHTS)


def with_answers(
    at: Snapshot,
    questions: tuple[Question, ...],
    known: Mapping[str, tuple[User, ...] | None],
    owners: Owners | None,
    levels: Mapping[int, Permission],
) -> Snapshot:
    found: dict[Question, object] = {}
    for one in questions:
        match one:
            case Right():
                found[one] = levels.get(one.user.id, Permission.write)
            case Members():
                found[one] = known.get(one.name)
            case OwnersFile():
                found[one] = owners
            case _:
                raise AssertionError(one)
    return replace(at, answers={**at.answers, **found})


@pytest.mark.parametrize("right", rights.RIGHTS)
@pytest.mark.parametrize("user", [s.STRANGER, s.READER, s.DEV, s.MAINTAINER, s.ADMIN])
def test_the_safe_defaults(right: str, user: User) -> None:
    least = Permission.write if right in {"hold", "status", "refresh", "retry"} else Permission.maintain
    assert (asked(right, user) is None) == (s.RIGHTS[user.id] >= least)


@pytest.mark.parametrize("right", rights.RIGHTS)
@pytest.mark.parametrize("user", [a.BOT, User(77, "renovate", bot=True), replace(a.BOT, bot=False)])
def test_S7_bots_never_have_rights(right: str, user: User) -> None:
    written = {right: {"*": ["@bots", "@@developers"]}}
    assert asked(right, user, known={"@bots": (user,)}, rules=written) == "bots have no rights"


def test_a_refusal_names_the_right_and_who_has_it_without_a_mention() -> None:
    found = asked("promote", promote={"ring-1": ["@release-managers", "@@admins"]}, known=GROUP)
    assert found == (
        "you lack the right `promote` for `payments` in `ring-1`; "
        "who has it: `@release-managers` and its administrators"
    )


def test_of_a_default_it_names_the_role() -> None:
    assert asked("rollback") == "you lack the right `rollback` for `payments` in `ring-1`; who has it: its maintainers"


def test_nobody_has_a_right_that_names_nobody() -> None:
    found = asked("promote", s.ADMIN, promote={"*": []})
    assert found == "you lack the right `promote` for `payments` in `ring-1`; who has it: nobody"


@pytest.mark.parametrize(
    ("written", "service", "stage", "granted"),
    [
        ({"ring-1": "@release-managers"}, "payments", "ring-1", True),
        ({"ring-1": "@release-managers"}, "payments", "ring-2", False),
        ({"ring-*": "@release-managers"}, "payments", "ring-2", True),
        ({"*/payments": "@release-managers"}, "payments", "ring-2", True),
        ({"*/pay*": "@release-managers"}, "ledger", "ring-2", False),
        ({"*/pay.ents": "@release-managers"}, "payments", "ring-2", False),
        ({"ring-1": "@@admins", "*": "@release-managers"}, "payments", "ring-1", False),
        ({"*": "@release-managers", "ring-1": "@@admins"}, "payments", "ring-1", True),
        # Every stage, every service: the right is needed for each.
        ({"ring-1": "@release-managers"}, "payments", None, False),
        ({"*": "@release-managers"}, "payments", None, True),
        ({"ring-1/payments": "@@admins", "*": "@release-managers"}, None, "ring-1", False),
        ({"ring-1/payments": "@release-managers", "*": "@release-managers"}, None, "ring-1", True),
        ({"ring-1/payments": "@release-managers"}, None, "ring-1", False),
        ({"ring-1/*": "@release-managers", "*": "@@admins"}, None, "ring-1", True),
        ({"*": "@release-managers"}, None, None, True),
    ],
)
def test_the_first_key_that_fits_counts(
    written: Mapping[str, str], service: str | None, stage: str | None, granted: bool
) -> None:
    assert (asked("promote", ALEX, service, stage, GROUP, promote=written) is None) == granted


def test_what_is_held_for_every_service_is_told_for_each() -> None:
    at = s.with_permissions(s.snapshot(), promote={"ring-1/payments": "@@admins", "*": "@@developers"})
    assert held_by(at, "promote", None, "ring-1") == (
        "its administrators who are also among everybody who may write to this repository"
    )
    found = asked("promote", ALEX, None, promote={"ring-1/payments": "@@admins"}, known={})
    assert found is not None and "for every service in `ring-1`" in found


def test_S6_a_right_is_by_number_and_not_by_name() -> None:
    """Alex renamed herself; somebody else took her old name."""
    written = {"promote": {"*": "@release-managers"}}
    assert asked("promote", User(42, "alexandra"), known=GROUP, rules=written) is None
    assert asked("promote", User(99, "alex"), known=GROUP, rules=written) is not None


def test_S16_who_may_not_write_has_no_right_though_policy_names_them() -> None:
    levels = {42: Permission.read}
    found = asked("promote", ALEX, known=GROUP, levels=levels, promote={"*": "@release-managers"})
    assert found == "you may not write to this repository, and without that nobody has a right here"


def test_S16_a_name_that_nobody_can_tell_grants_nothing_and_is_said() -> None:
    found = asked("promote", ALEX, known={"@gone": None}, promote={"*": "@gone"})
    assert found == (
        "you lack the right `promote` for `payments` in `ring-1`; who has it: `@gone`; who `@gone` is could not be told"
    )


def test_an_unknown_name_does_not_take_another_ones_right() -> None:
    assert asked("promote", ALEX, known={"@gone": None, **GROUP}, promote={"*": ["@gone", "@release-managers"]}) is None


@pytest.mark.parametrize(("right", "holding"), rights.BOTH.items())
def test_S20_releasing_needs_what_holding_needs(right: str, holding: str) -> None:
    written = {right: {"*": "@release-managers"}, holding: {"*": "@@admins"}}
    found = asked(right, ALEX, known=GROUP, rules=written)
    assert found == f"you lack the right `{holding}` for `payments` in `ring-1`; who has it: its administrators"
    assert asked(right, s.ADMIN, known={"@release-managers": (s.ADMIN,)}, rules=written) is None
    assert asked(right, s.DEV, known=GROUP, rules={holding: {"*": "@@developers"}}) is not None


def owners_file(text: str, dialect: Dialect = "gitlab") -> Owners:
    return Owners(dialect, "CODEOWNERS", parse(dialect, text))


@pytest.mark.parametrize(
    ("owners", "service", "stage", "granted"),
    [
        (owners_file("* @alex\n"), "payments", "ring-1", True),
        (owners_file("* @other @alex\n"), "payments", "ring-1", True),
        (owners_file("* @other\n"), "payments", "ring-1", False),
        (owners_file("* @nobody-knows\n"), "payments", "ring-1", False),
        (owners_file("/environments/ring-1/ @alex\n"), "payments", "ring-2", False),
        (owners_file("docs/ @alex\n"), "payments", "ring-1", False),
        (owners_file("[Broken\n* @alex\n"), "payments", "ring-1", False),
        (owners_file("[Prod]\n* @other\n\n[Docs]\n* @alex\n"), "payments", "ring-1", True),
        (owners_file("[Prod]\n* @other\n\n^[Docs]\n* @alex\n"), "payments", "ring-1", False),
        (owners_file("[Prod]\n* @other\n\n[Docs][0]\n* @alex\n"), "payments", "ring-1", False),
        (owners_file("^[Docs]\n* @alex\n"), "payments", "ring-1", False),
        (Owners("gitlab", "CODEOWNERS", None), "payments", "ring-1", False),
        # Of another unit, or of every service, nobody read which files there are.
        (owners_file("* @alex\n"), "ledger", "ring-1", False),
        (owners_file("* @alex\n"), None, "ring-1", False),
    ],
)
def test_S16_owners_are_those_of_every_file_there(
    owners: Owners, service: str | None, stage: str, granted: bool
) -> None:
    known = {"@alex": (ALEX,), "@other": (s.DEV,), "@nobody-knows": None}
    found = asked("promote", ALEX, service, stage, known, owners, promote={"*": "@@owners"})
    assert (found is None) == granted
    if found is not None:
        assert "who has it: the code owners of the files there" in found


def test_S16_an_owner_of_one_file_of_two_is_not_the_owner() -> None:
    pins = ({"nonprod": "v1", "ring-1": "v1", "ring-2": "v1"},)
    at = s.with_permissions(s.snapshot(pins=pins, clusters={"ring-1": ("eu", "us")}), promote={"*": "@@owners"})
    rules = owners_file("/environments/ring-1/eu/ @alex\n/environments/ring-1/us/ @other\n")
    answers: dict[Question, object] = {Members("@alex"): (ALEX,), Members("@other"): (s.DEV,)}
    known = {Right(ALEX): Permission.write, OwnersFile(): rules, **answers}
    assert refusal(replace(at, answers=known), ALEX, "promote", "payments", "ring-1") is not None


def test_a_stage_without_targets_has_no_owners() -> None:
    bare = replace(s.snapshot(), stages=())
    at = s.with_permissions(bare, promote={"*": "@@owners"})
    answers: dict[Question, object] = {Right(ALEX): Permission.write, OwnersFile(): owners_file("* @alex\n")}
    found = refusal(replace(at, answers=answers), ALEX, "promote", "payments", "ring-1")
    assert found is not None and found.endswith("who `@@owners` is could not be told")


@pytest.mark.parametrize(
    ("written", "place", "message"),
    [
        ({"promot": {"prod": "@x"}}, "permissions.promot", "unknown key; did you mean promote?"),
        ({"promote": {"prd": "@x"}}, "permissions.promote.prd", "there is no stage prd; did you mean prod?"),
        ({"promote": {"ring-*": "@x"}}, "permissions.promote.ring-*", "there is no stage ring-*"),
        (
            {"hold": {"Prod!": "@x"}},
            "permissions.hold.Prod!",
            "is no stage: write STAGE or STAGE/SERVICE, with * for any text",
        ),
        (
            {"hold": {"prod/": "@x"}},
            "permissions.hold.prod/",
            "is no stage: write STAGE or STAGE/SERVICE, with * for any text",
        ),
        (
            {"hold": {"prod/a/b": "@x"}},
            "permissions.hold.prod/a/b",
            "is no stage: write STAGE or STAGE/SERVICE, with * for any text",
        ),
        (
            {"merge": {"*": ["@ok", "alex"]}},
            "permissions.merge.*[1]",
            f"'alex'{NOBODY}",
        ),
        (
            {"merge": {"*": "@@maintainer"}},
            "permissions.merge.*[0]",
            f"'@@maintainer'{NOBODY}; did you mean @@maintainers?",
        ),
        ({"merge": ["@x"]}, "permissions.merge", "must be a mapping of keys to values"),
        ({"merge": {"prod": 1}}, "permissions.merge.prod", "must be a list"),
    ],
)
def test_a_fault_names_its_place_and_the_nearest_right_word(written: object, place: str, message: str) -> None:
    assert faults(changed("permissions", to=written)) == [(place, message)]


@pytest.mark.parametrize("key", ["prod", "*", "pro*", "prod/payments", "*/pay-*", "prod/Pay_1.x"])
@pytest.mark.parametrize("name", ["@alex", "@group/sub.group", "@@developers", "@@maintainers", "@@admins", "@@owners"])
def test_what_may_be_written(key: str, name: str) -> None:
    found = parse_policy(changed("permissions", to={"promote": {key: name}})).permissions
    assert found.promote == {key: (name,)}


def test_a_policy_without_permissions_has_none_written() -> None:
    assert parse_policy(changed("version", to=1)).permissions == rights.Permissions()


def test_several_faults_are_told_at_once() -> None:
    with pytest.raises(PolicyError) as refused:
        parse_policy(changed("permissions", to={"promote": {"prd": "x"}, "hold": {"x": "@y"}}))
    assert len(refused.value.faults) == 3


# Patterns.


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", min_size=1, max_size=8))
def test_a_star_is_any_text(pattern: str, stage: str) -> None:
    fits = re.fullmatch(pattern.replace("*", ".*"), stage) is not None
    found = rights.Permissions.model_validate({"promote": {pattern: ["@a"]}}).holders("promote", stage, None)
    assert (("@a",) in found) is fits


def test_S8_a_pattern_that_fits_almost_is_told_from_one_that_fits_at_once() -> None:
    assert took("a" * 40) < 20 * took("a" * 20)


def took(stage: str) -> float:
    """Processor time that a pattern of many stars takes for a name, the least of several."""
    written = rights.Permissions.model_validate({"promote": {"*a" * 6 + "*b": ["@a"]}})
    found = []
    for _ in range(5):
        start = process_time()
        for _ in range(50):
            written.holders("promote", stage, None)
        found.append(process_time() - start)
    return min(found)
