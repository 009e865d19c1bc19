"""`towpath doctor` on Towpath itself: its token or App, the tier and the webhooks, as the forge tells of them."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.sandbox.github import people
from bot.sandbox.model import Role
from policies.standing import NOT_SHOWN
from tests.flows.test_doctor import OWNED, POLICY, become_app, one, project, run
from tests.flows.town import PROJECT, Town, towns
from workers.world import make_world

pytestmark = pytest.mark.long


@pytest.fixture(params=["gitlab", "github"])
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, request.param, POLICY, OWNED) as made:
        yield made


@pytest.fixture
def gitlab(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, "gitlab", POLICY, OWNED) as made:
        yield made


@pytest.fixture
def github(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, "github", POLICY, OWNED) as made:
        yield made


def give(town: Town, **changes: object) -> None:
    """Change what the forge knows of the bot's token."""
    tokens = town.sandbox.state.tokens
    value = town.sandbox.token_for("towpath")
    tokens[value] = replace(tokens[value], **changes)  # type: ignore[arg-type] # a test names any field


def test_the_command_shows_token_tier_and_webhooks(town: Town, tmp_path: Path, redis_url: str) -> None:
    give(town, expires_at=town.now + timedelta(days=100))
    lines = run(town, tmp_path, redis_url).output.splitlines()
    kind, scope = {"gitlab": ("token towpath", "api"), "github": ("classic token", "repo")}[town.kind]
    day = f"{town.now + timedelta(days=100):%Y-%m-%d}"
    assert f"  token: {kind}, scopes {scope}; expires on {day}" in lines
    assert f"  webhook https://towpath.example.com/hooks/{town.kind}/main: works" in lines
    tier = {"gitlab": "  tier: Free, or approval rules", "github": "  tier: branch protection and rulesets are offered"}
    assert any(line.startswith(tier[town.kind]) for line in lines), lines
    assert not any(line.startswith("  to do:") for line in lines), lines


def test_the_command_shows_them_to_programs(town: Town, tmp_path: Path, redis_url: str) -> None:
    give(town, expires_at=town.now + timedelta(days=3))
    (found,) = json.loads(run(town, tmp_path, redis_url, "--json").output)["repositories"]
    assert found["credential"]["scopes"] == [{"gitlab": "api", "github": "repo"}[town.kind]]
    assert found["credential"]["expires_at"][:10] == f"{town.now + timedelta(days=3):%Y-%m-%d}"
    assert [hook["trouble"] for hook in found["hooks"]] == [""]
    assert found["tier"]


@pytest.mark.parametrize(("days", "is_told"), [(13, True), (15, False)])
def test_a_token_that_expires_soon_is_told(town: Town, days: int, is_told: bool) -> None:
    give(town, expires_at=town.now + timedelta(days=days))
    told = [line for line in one(town).advice if "expires on" in line]
    assert bool(told) is is_told
    assert all("put it into the token's file" in line for line in told)


def test_a_token_without_its_scope_is_told(town: Town) -> None:
    give(town, scopes=("read_api",) if town.kind == "gitlab" else ("public_repo",))
    scope = {"gitlab": "`api`", "github": "`repo`"}[town.kind]
    assert any(f"lacks the scope {scope}: make a new one" in line for line in one(town).advice)


def test_a_public_repository_needs_no_more_than_public_repo_on_GitHub(github: Town) -> None:
    github.sandbox.configure(PROJECT, visibility="public")
    give(github, scopes=("public_repo",))
    assert not any("lacks" in line for line in one(github).advice)


def test_a_fine_grained_tokens_permissions_are_not_shown_by_GitHub(github: Town) -> None:
    value = github.sandbox.state.add_token(github.sandbox.user("towpath"), "github_pat_of_tests")
    forge = github.settings.forges["main"]
    dumped = forge.model_dump() | {"token": value}
    settings = github.settings.model_copy(update={"forges": {"main": type(forge).model_validate(dumped)}})
    github.world = make_world(settings, lambda: github.now)
    credential = one(github).credential
    assert credential is not None
    assert (credential.kind, credential.scopes, credential.lacking) == ("fine-grained token", None, ())


def test_a_token_that_GitLab_does_not_describe_is_not_shown(gitlab: Town) -> None:
    """Such as the token of an OAuth application."""
    give(gitlab, describable=False)
    found = one(gitlab)
    assert found.credential is not None and found.credential.scopes is None
    assert found.unread == ()


def test_an_Apps_permissions_are_shown_and_what_it_lacks_is_told(github: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    become_app(github, Role.maintainer)
    credential = one(github).credential
    assert credential is not None
    assert (credential.kind, credential.lacking) == ("App", ())
    assert "checks: read" in (credential.scopes or ())
    monkeypatch.setattr(people, "PERMISSIONS", {"contents": "read", "pull_requests": "write", "statuses": "write"})
    (lacks,) = [line for line in one(github).advice if "lacks" in line]
    assert "*Contents: write*, *Issues: write* and *Checks: read*" in lacks
    assert "*Permissions & events*" in lacks


def test_an_App_whose_webhook_leads_elsewhere_or_fails_is_told(github: Town) -> None:
    app = become_app(github, Role.maintainer)
    assert any("no webhook leads to /hooks/github/main" in line for line in one(github).advice)
    hook = github.sandbox.hook_app(app, "https://elsewhere.example.com/")
    assert any("no webhook leads to /hooks/github/main" in line for line in one(github).advice)
    hook.url = "https://towpath.example.com/hooks/github/main"
    assert one(github).advice == ()
    github.failing = 100
    for branch in ("one", "two"):
        github.sandbox.commit_as("maria", PROJECT, branch, {"a": "b"}, "work")
    github.step()
    (advice,) = one(github).advice
    assert "deliveries failed (Invalid HTTP Response: 503)" in advice


def test_a_webhook_that_GitLab_switched_off_is_told(gitlab: Town) -> None:
    (hook,) = project(gitlab).hooks.values()
    hook.failures = 40
    found = one(gitlab)
    assert found.hooks is not None and "switched it off for good" in found.hooks[0].trouble
    assert any("*Test*: a 2xx switches it on again" in line for line in found.advice)


def test_webhooks_that_are_not_shown_are_said_to_be(town: Town, tmp_path: Path, redis_url: str) -> None:
    town.sandbox.add_member("platform", "towpath", Role.developer)
    done = run(town, tmp_path, redis_url)
    assert f"  webhooks: {NOT_SHOWN}" in done.output.splitlines()
    assert done.exit_code == 2


def test_approval_rules_show_a_paid_GitLab(gitlab: Town) -> None:
    project(gitlab).tier = "premium"
    guard = one(gitlab).guard
    assert guard is not None and guard.tier == "Premium or Ultimate"


def test_a_plan_without_protection_is_told_on_GitHub(github: Town) -> None:
    project(github).tier = "none"
    found = one(github)
    assert found.guard is not None and found.guard.tier.startswith("neither branch protection nor rulesets")
    judged = dict(found.stages)["prod"]
    assert judged.level.value == "bypassable" and "a paid plan" in judged.change
    github.sandbox.configure(PROJECT, visibility="public")
    github.world = make_world(github.settings, lambda: github.now)
    guard = one(github).guard
    assert guard is not None and guard.offered
