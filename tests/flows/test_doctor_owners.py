"""`towpath doctor` on who must be asked: about the rules' own files and the stage's, by owners who may write (S22)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import OutsideError
from bot.forges.github import rules
from bot.forges.gitlab.protection import People, guard_of
from bot.sandbox.model import Protection, RequiredCheck, Role
from policies.enforcement import WRITERS, Enforcement, Level
from policies.model import User
from tests.flows.test_doctor import OWNED, POLICY, become_app, one, only_the_bot, prod, project, protect
from tests.flows.town import FORGE, PROJECT, Town, towns
from workers.doctor import exit_code

pytestmark = pytest.mark.long

RULES = "/towpath.yaml @maria\nCODEOWNERS @maria\n"
"""The second matches at every location of either forge."""


@pytest.fixture(params=["gitlab", "github"])
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    """With nothing left but the owners to go wrong: the bot alone merges (GitLab), or its App's status is required."""
    with towns(tmp_path, redis_url, request.param, POLICY, OWNED) as made:
        if made.kind == "gitlab":
            protect(made, only_the_bot(made))
        else:
            check = RequiredCheck("towpath", become_app(made, Role.maintainer).id)
            protect(made, Protection(1, "main", Role.developer, Role.developer, checks=(check,)))
        assert prod(one(made)).level is Level.enforced, prod(one(made))
        yield made


def judged(town: Town, files: dict[str, str | None]) -> Enforcement:
    """What is said of prod once these files are on the target branch."""
    kept = dict(project(town).protections)
    protect(town, None)
    town.sandbox.commit_as("maria", PROJECT, "main", files, "owners")
    project(town).protections.update(kept)
    found = one(town)
    assert exit_code((found,)) == (0 if prod(found).level is Level.enforced else 1), found.unread
    return prod(found)


@pytest.mark.parametrize("owner", ["@nobody-of-that-name", "@towpath", "owner@example.com", "@platform/no-team"])
def test_S22_an_owner_who_is_nobody_or_the_bot_is_none(town: Town, owner: str) -> None:
    found = judged(town, {"CODEOWNERS": f"* {owner}\n"})
    assert (found.level, found.by) == (Level.bypassable, (WRITERS,))
    assert f"CODEOWNERS:1 names nobody who may write ({owner})" in found.why
    assert "CODEOWNERS:1" in found.change


def test_S22_an_owner_who_may_not_write_is_none_until_another_may(town: Town) -> None:
    town.sandbox.add_user("rea")
    town.sandbox.add_member(PROJECT, "rea", Role.reporter)
    assert judged(town, {"CODEOWNERS": "* @rea\n"}).level is Level.bypassable
    assert judged(town, {"CODEOWNERS": "* @nobody-of-that-name @rea @maria\n"}).level is Level.enforced


def test_S22_a_location_that_anybody_may_fill_and_that_would_win_is_not_owned(town: Town) -> None:
    """The owned file is found last; who may write adds an earlier one, which then says who owns what."""
    owned = "/environments/ @maria\n/towpath.yaml @maria\n/docs/CODEOWNERS @maria\n"
    found = judged(town, {"CODEOWNERS": None, "docs/CODEOWNERS": owned})
    first = {"gitlab": "CODEOWNERS", "github": ".github/CODEOWNERS"}[town.kind]
    assert (found.level, found.by) == (Level.bypassable, (WRITERS,))
    assert f"{first} and " in found.why or f"{first}, " in found.why
    assert f"a line in docs/CODEOWNERS that gives {first}" in found.change
    assert judged(town, {"docs/CODEOWNERS": f"/environments/ @maria\n{RULES}"}).level is Level.enforced


def test_a_stage_whose_files_nobody_owns_is_not_enforced(town: Town) -> None:
    found = judged(town, {"CODEOWNERS": RULES})
    assert found.level is Level.advisory
    assert "environments/prod/one/shop/values.yaml" in found.why
    assert "a line in CODEOWNERS that gives environments/prod/one/shop/values.yaml an owner" in found.change


def test_a_stage_whose_owners_are_nobody_is_not_enforced(town: Town) -> None:
    found = judged(town, {"CODEOWNERS": f"/environments/ @nobody-of-that-name\n{RULES}"})
    assert found.level is Level.advisory
    assert "CODEOWNERS:1 names nobody who may write (@nobody-of-that-name)" in found.why


def test_an_optional_section_asks_nobody_on_GitLab(town: Town) -> None:
    if town.kind != "gitlab":
        pytest.skip("GitHub has no sections")
    found = judged(town, {"CODEOWNERS": f"^[Optional]\n/environments/ @maria\n[Rules]\n{RULES}"})
    assert found.level is Level.advisory
    assert "CODEOWNERS:2 stands in an optional section" in found.why
    assert "`[Optional]` without `^` in CODEOWNERS" in found.change


def test_S16_an_owner_that_could_not_be_looked_up_is_never_enforced(town: Town) -> None:
    context = town.world.context(FORGE, PROJECT)

    class Broken(type(context.forge)):  # type: ignore[misc] # the class is known at run time only
        def named(self, repository: str, name: str) -> None:
            raise OutsideError("look for", name, "500")

    forge = Broken.__new__(Broken)
    forge.__dict__.update(context.forge.__dict__)
    town.world._contexts[FORGE, PROJECT] = replace(context, forge=forge)
    town.flush_redis()
    found = one(town)
    assert prod(found).level is Level.advisory
    assert "who owns towpath.yaml and CODEOWNERS could not be read" in prod(found).why
    assert exit_code((found,)) == 2


ME = User(9, "towpath", "Towpath", bot=True)


@pytest.mark.parametrize(("asked", "is_asked"), [((False, False), False), ((False, True), True), ((True, True), True)])
def test_one_rule_that_asks_code_owners_is_enough_on_GitLab(asked: tuple[bool, bool], is_asked: bool) -> None:
    """GitLab's documentation of protected branches: of this setting the strictest rule counts."""
    listed = [
        {"name": name, "code_owner_approval_required": on} for name, on in zip(("main", "m*"), asked, strict=True)
    ]
    assert guard_of("main", listed, People((), ME)).owners_asked is is_asked
    other = [{"name": "other", "code_owner_approval_required": True}]
    assert not guard_of("main", other, People((), ME)).owners_asked


def test_GitHub_asks_code_owners_by_a_branch_protection_rule_or_by_a_ruleset() -> None:
    nobody = rules.People((), 9, None)
    asking = rules.of_rule("main", {"required_pull_request_reviews": {"require_code_owner_reviews": True}}, nobody)
    silent = rules.of_rule("main", {"required_pull_request_reviews": {"require_code_owner_reviews": False}}, nobody)
    ruled = ({"type": "pull_request", "parameters": {"require_code_owner_review": on}} for on in (False, True))
    quiet, loud = (rules.of_rulesets("main", [rule], nobody) for rule in ruled)
    assert (asking.owners_asked, silent.owners_asked) == (True, False)
    assert (quiet.owners_asked, loud.owners_asked) == (False, True)
    assert rules.stronger(silent, loud).owners_asked and rules.stronger(asking, quiet).owners_asked
    assert not rules.stronger(silent, quiet).owners_asked
