"""`towpath doctor` over GitHub's rulesets, alone and beside branch protection; what it says is what the forge does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.sandbox.errors import NotMergeable
from bot.sandbox.github import merging
from bot.sandbox.model import Bypass, Protection, RequestState, RequiredCheck, Role, Ruleset
from bot.sandbox.requests import Opening
from bot.sandbox.rulesets import refusal
from bot.sandbox.statuses import Setting
from policies.enforcement import Level
from tests.flows.test_doctor import OWNED, POLICY, become_app, one, prod, project, protect
from tests.flows.town import PROJECT, Town, towns

pytestmark = pytest.mark.long


@pytest.fixture
def github(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, "github", POLICY, OWNED) as made:
        yield made


@pytest.fixture
def app(github: Town) -> int:
    """Towpath as an App that may read bypass lists; nothing protects the branch yet."""
    protect(github, None)
    return become_app(github, Role.maintainer).id


def rules(town: Town, *found: Ruleset) -> None:
    project(town).rulesets[:] = found


def pinned(app: int | None, *bypass: Bypass, number: int = 1) -> Ruleset:
    return Ruleset(number, "main", (RequiredCheck("towpath", app),), pull_request=True, bypass=bypass)


def merged_by(town: Town, person: str) -> bool:
    """Whether a person gets a change onto the branch by a pull request that Towpath's status is not green for."""
    branch = f"by-{person}-{len(project(town).requests)}"
    town.sandbox.commit_as(person, PROJECT, branch, {f"{branch}.yaml": "1"}, "around")
    request = town.sandbox.open_as(person, PROJECT, Opening(branch, "main", "Around"))
    town.sandbox.settle()
    try:
        merging.merge(town.sandbox.state, project(town), request, town.sandbox.user(person), merging.Merging())
    except NotMergeable:
        assert request.state is RequestState.opened
        return False
    return True


def may_push(town: Town, person: str) -> bool:
    return refusal(town.sandbox.state, project(town), town.sandbox.user(person), "main") is None


def test_a_ruleset_enforces_it(github: Town, app: int) -> None:
    rules(github, pinned(app))
    found = one(github)
    assert prod(found).level is Level.enforced, prod(found)
    assert "of Towpath's own App" in prod(found).why
    assert found.unread == ()
    assert not merged_by(github, "maria") and not may_push(github, "maria")


def test_a_status_that_anybody_may_set_is_advice(github: Town, app: int) -> None:
    rules(github, pinned(None))
    found = prod(one(github))
    assert found.level is Level.advisory
    assert any("@jonas" in name for name in found.by)
    github.sandbox.commit_as("jonas", PROJECT, "by-jonas", {"a": "1"}, "around")
    head = github.sandbox.head(PROJECT, "by-jonas")
    github.sandbox.status_as("jonas", PROJECT, head, Setting("success", "towpath"))
    request = github.sandbox.open_as("jonas", PROJECT, Opening("by-jonas", "main", "Around"))
    github.sandbox.settle()
    who = github.sandbox.user("jonas")
    assert merging.merge(github.sandbox.state, project(github), request, who, merging.Merging())


@pytest.mark.parametrize(("kind", "mode"), [("User", "always"), ("User", "pull_request"), ("RepositoryRole", "always")])
def test_whom_a_ruleset_lets_through_is_named(github: Town, app: int, kind: str, mode: str) -> None:
    number = github.sandbox.user("maria").id if kind == "User" else 2
    rules(github, pinned(app, Bypass(kind, number, mode)))
    found = prod(one(github))
    assert found.level is Level.bypassable
    assert "@maria (maintain)" in found.by and not any("@jonas" in name for name in found.by)
    assert "empty the bypass list of the ruleset" in found.change
    assert merged_by(github, "maria") and not merged_by(github, "jonas")
    assert may_push(github, "maria") is (mode == "always") and not may_push(github, "jonas")


def test_Towpaths_own_App_on_the_bypass_list_is_no_hole(github: Town, app: int) -> None:
    rules(github, Ruleset(1, "main", update=True, bypass=(Bypass("Integration", app),)))
    found = prod(one(github))
    assert found.level is Level.enforced, found
    assert found.why == "nobody but Towpath may push or merge"
    assert not merged_by(github, "maria") and not may_push(github, "maria")


def test_a_bypass_list_that_is_not_shown_is_never_empty(github: Town) -> None:
    protect(github, None)
    app = become_app(github, Role.developer).id
    rules(github, pinned(app))
    found = one(github)
    assert prod(found).level is Level.advisory
    assert any("the bypass list of ruleset 1" in text for text in found.unread)


def test_a_ruleset_for_other_branches_protects_nothing(github: Town, app: int) -> None:
    rules(github, Ruleset(1, "release/*", (RequiredCheck("towpath", app),), pull_request=True))
    found = prod(one(github))
    assert found.level is Level.bypassable and "not protected" in found.why
    assert merged_by(github, "jonas")


def test_of_a_ruleset_and_a_branch_protection_rule_the_stronger_counts(github: Town, app: int) -> None:
    weak = Protection(1, "main", Role.developer, Role.developer)
    strong = Protection(1, "main", Role.developer, Role.developer, checks=(RequiredCheck("towpath", app),))
    passed = pinned(app, Bypass("User", github.sandbox.user("maria").id))
    for rule, ruleset in ((weak, pinned(app)), (strong, pinned(None)), (strong, passed)):
        protect(github, rule)
        rules(github, ruleset)
        assert prod(one(github)).level is Level.enforced, (rule, ruleset)
        assert not merged_by(github, "maria")
    protect(github, weak)
    assert prod(one(github)).level is Level.bypassable
    assert merged_by(github, "maria")


def test_of_several_rulesets_all_count(github: Town, app: int) -> None:
    rules(github, pinned(None, number=1), pinned(app, number=2))
    assert prod(one(github)).level is Level.enforced
    assert not merged_by(github, "jonas")
