"""`towpath doctor` over both forges: what it says of a branch is what the forge then does (S24, S22)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.errors import OutsideError
from bot.git import Mirror
from bot.sandbox.model import App, Project, Protection, RequiredCheck, Role
from policies.enforcement import WRITERS, Enforcement, Level
from tests.flows.town import FILES, PROJECT, Town, towns
from tests.flows.world import HOST
from workers.cli import main
from workers.doctor import Examined, examine, exit_code
from workers.recovery import recover
from workers.world import make_world

POLICY = f"""\
version: 1
services:
  path: environments/{{environment}}/{{cluster}}/{{service}}/values.yaml
  registries: [{HOST}/]
stages:
  - name: nonprod
    where: {{environment: nonprod}}
    merge: manual
  - name: prod
    where: {{environment: prod}}
    after: [nonprod]
    merge: auto
    approvals: {{codeowners: required}}
"""
OWNED = {**FILES, "CODEOWNERS": "* @maria\n"}
NO_MERGING = Role.none


def project(town: Town) -> Project:
    return town.sandbox.project(PROJECT)


def protect(town: Town, rule: Protection | None) -> None:
    project(town).protections.clear()
    if rule is not None:
        project(town).protections[rule.name] = rule


def only_the_bot(town: Town) -> Protection:
    bot = frozenset({town.sandbox.user("towpath").id})
    return Protection(1, "main", NO_MERGING, NO_MERGING, merge_users=bot)


def one(town: Town) -> Examined:
    (found,) = examine(town.world)
    return found


def prod(found: Examined) -> Enforcement:
    return dict(found.stages)["prod"]


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


def become_app(town: Town, role: Role) -> App:
    """Make Towpath an App, with the rights of a role."""
    app, key = town.sandbox.add_app("towpath-app")
    town.sandbox.install_app(app, "platform", role)
    forge = town.settings.forges["main"]
    changed = forge.model_copy(update={"token": None, "app_id": str(app.id), "app_key": key})
    settings = town.settings.model_copy(update={"forges": {"main": type(forge).model_validate(changed.model_dump())}})
    town.world = make_world(settings, lambda: town.now)
    return app


@pytest.fixture
def by_app(github: Town) -> Callable[[Role], int]:
    """Makes Towpath an App, with the rights of a role; returns the App's number."""
    return lambda role: become_app(github, role).id


def test_an_unprotected_branch_is_bypassable_by_all_who_may_write(town: Town) -> None:
    protect(town, None)
    found = one(town)
    assert prod(found).level is Level.bypassable
    assert any("@jonas" in name for name in prod(found).by)
    assert any("@maria" in name for name in prod(found).by)
    assert not any("@towpath" in name for name in prod(found).by)
    assert "not protected" in prod(found).why
    assert exit_code((found,)) == 1


def test_maintainers_who_may_merge_are_named(town: Town) -> None:
    protect(town, Protection(1, "main", NO_MERGING if town.kind == "gitlab" else Role.maintainer, Role.maintainer))
    found = prod(one(town))
    assert found.level is Level.bypassable
    assert any("@maria" in name for name in found.by)
    assert not any("@jonas" in name for name in found.by)


def test_a_red_pipeline_is_advice_on_GitLab(gitlab: Town) -> None:
    protect(gitlab, Protection(1, "main", NO_MERGING, Role.maintainer))
    project(gitlab).settings.only_allow_merge_if_pipeline_succeeds = True
    found = prod(one(gitlab))
    assert "can set a green one" in found.why


def test_who_may_merge_a_change_of_policy_unasked_goes_around_on_GitLab(gitlab: Town) -> None:
    """Towpath sets no status on people's own merge requests there."""
    protect(gitlab, Protection(1, "main", NO_MERGING, Role.maintainer))
    project(gitlab).settings.only_allow_merge_if_pipeline_succeeds = True
    found = prod(one(gitlab))
    assert (found.level, found.by) == (Level.bypassable, ("@root (Owner)", "@maria (Maintainer)"))
    assert "asks no code owner when towpath.yaml or CODEOWNERS changes" in found.why
    assert "*Code owner approval*" in found.change


def test_where_the_bot_alone_may_merge_on_GitLab_it_is_enforced(gitlab: Town) -> None:
    protect(gitlab, only_the_bot(gitlab))
    found = one(gitlab)
    assert prod(found).level is Level.enforced, prod(found)
    assert prod(found).lifted_by == ("@root (Owner)", "@maria (Maintainer)")
    assert found.unread == ()
    assert exit_code((found,)) == 0


def test_on_GitLab_Free_the_bot_is_the_only_maintainer_and_owners_are_named(gitlab: Town) -> None:
    gitlab.sandbox.add_member("platform", "maria", Role.developer)
    protect(gitlab, Protection(1, "main", NO_MERGING, Role.maintainer))
    found = prod(one(gitlab))
    assert (found.level, found.by) == (Level.bypassable, ("@root (Owner)",))
    gitlab.sandbox.add_member(PROJECT, "root", Role.developer)
    assert prod(one(gitlab)).level is Level.enforced


def test_the_most_permissive_matching_rule_counts_on_GitLab(gitlab: Town) -> None:
    protect(gitlab, only_the_bot(gitlab))
    project(gitlab).protections["m*"] = Protection(2, "m*", NO_MERGING, Role.developer)
    found = prod(one(gitlab))
    assert found.level is Level.bypassable
    assert "@jonas (Developer)" in found.by


def test_a_stage_without_gates_counts_for_nothing(town: Town) -> None:
    found = dict(one(town).stages)["nonprod"]
    assert not found.gated
    assert "asks for nothing" in found.why


def test_S22_an_unowned_policy_is_bypassable_by_everybody(gitlab: Town) -> None:
    protect(gitlab, None)
    gitlab.sandbox.commit_as("maria", PROJECT, "main", {"CODEOWNERS": "/environments/ @maria\n"}, "less owned")
    protect(gitlab, only_the_bot(gitlab))
    found = prod(one(gitlab))
    assert (found.level, found.by) == (Level.bypassable, (WRITERS,))
    lost = "towpath.yaml, CODEOWNERS, docs/CODEOWNERS and .gitlab/CODEOWNERS"
    assert f"a line in CODEOWNERS that gives {lost} an owner" in found.change


def test_a_status_pinned_to_the_App_is_enforced_on_GitHub(github: Town, by_app: Callable[[Role], int]) -> None:
    app = by_app(Role.maintainer)
    protect(github, Protection(1, "main", Role.developer, Role.developer, checks=(RequiredCheck("towpath", app),)))
    found = one(github)
    assert prod(found).level is Level.enforced, prod(found)
    assert "of Towpath's own App" in prod(found).why
    assert exit_code((found,)) == 0, found.unread


def test_a_status_of_anybodys_is_advice_on_GitHub(github: Town, by_app: Callable[[Role], int]) -> None:
    by_app(Role.maintainer)
    protect(github, Protection(1, "main", Role.developer, Role.developer, checks=(RequiredCheck("towpath"),)))
    found = prod(one(github))
    assert found.level is Level.advisory
    assert "expected source" in found.change


def test_a_status_pinned_to_another_App_is_no_gate_and_never_green(github: Town, by_app: Callable[[Role], int]) -> None:
    app = by_app(Role.maintainer)
    rule = Protection(1, "main", Role.developer, Role.developer, checks=(RequiredCheck("towpath", app + 1),))
    protect(github, rule)
    found = one(github)
    assert prod(found).level is Level.bypassable
    assert any("which Towpath is not" in advice for advice in found.advice)


def test_a_token_is_told_to_become_an_App_on_GitHub(github: Town) -> None:
    protect(github, Protection(1, "main", Role.developer, Role.developer, checks=(RequiredCheck("towpath"),)))
    assert "run Towpath as a GitHub App" in prod(one(github)).change


def test_what_the_forge_will_not_show_is_never_enforced(town: Town) -> None:
    protect(town, only_the_bot(town))
    town.sandbox.add_member("platform", "towpath", Role.developer)
    found = one(town)
    assert prod(found).level is Level.advisory
    assert "could not be read" in prod(found).why
    assert any(("role Maintainer" if town.kind == "gitlab" else "Administration: read") in one for one in found.unread)
    assert exit_code((found,)) == 2


def test_every_reader_on_GitHub_is_told_that_a_branch_is_not_protected(github: Town) -> None:
    protect(github, None)
    github.sandbox.add_member("platform", "towpath", Role.developer)
    found = prod(one(github))
    assert found.level is Level.bypassable
    assert "not protected" in found.why


def test_S16_owners_that_cannot_be_read_are_none(town: Town) -> None:
    protect(town, only_the_bot(town))
    context = town.world.context("main", PROJECT)

    class Broken(Mirror):
        def blob_id(self, base: str, path: str) -> str | None:
            raise OutsideError("read", path, "the object is missing")

    mirror = Broken.__new__(Broken)
    mirror.__dict__.update(context.mirror.__dict__)
    town.world._contexts["main", PROJECT] = replace(context, mirror=mirror)
    found = one(town)
    assert prod(found).level is not Level.enforced
    assert "who owns towpath.yaml and CODEOWNERS could not be read" in prod(found).why
    assert any(line.startswith("CODEOWNERS of the branch") for line in found.unread)


def test_a_bot_that_may_not_write_is_told_so(town: Town) -> None:
    town.sandbox.add_member("platform", "towpath", Role.reporter)
    found = one(town)
    assert exit_code((found,)) == 2
    told = (*found.advice, *found.unread)
    assert any("needs to write" in line or "permission" in line for line in told), told


def test_nothing_is_sent_again_and_missing_webhooks_are_told(town: Town) -> None:
    town.failing = 100
    town.sandbox.commit_as("maria", PROJECT, "other", {"a": "b"}, "work")
    town.step()
    told = one(town)
    if town.kind == "gitlab":  # it counts to four before it switches one off
        assert told.advice == ()
    else:
        (advice,) = told.advice
        assert "its last delivery failed (Invalid HTTP Response: 503)" in advice and "towpath recover" in advice
    town.step()
    if town.kind == "github":  # what failed is still there to be asked for
        (left,) = recover(town.world, town.now - timedelta(hours=1))
        assert left.recovery.sent_again == 1
    project(town).hooks.clear()
    assert any("towpath webhooks install" in advice for advice in one(town).advice)


def test_a_repository_that_cannot_be_read_stops_no_other(town: Town) -> None:
    forge = town.settings.forges["main"].model_copy(update={"repositories": ("platform/none", PROJECT)})
    settings = town.settings.model_copy(update={"forges": {"main": forge}})
    lost, found = examine(make_world(settings, lambda: town.now))
    assert lost.stages == () and lost.unread
    assert len(found.stages) == 2
    assert exit_code((lost, found)) == 2


def test_a_faulty_policy_is_told(town: Town) -> None:
    protect(town, None)
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": "version: 2\n"}, "faulty")
    found = one(town)
    assert len(found.stages) == 2
    assert any("is faulty" in advice for advice in found.advice)


def test_an_error_of_the_forge_is_told_as_not_read(town: Town) -> None:
    context = town.world.context("main", PROJECT)

    class Broken(type(context.forge)):  # type: ignore[misc] # the class is known at run time only
        def guard(self, repository: str, branch: str) -> None:
            raise OutsideError("read the protection of", repository, "500")

    forge = Broken.__new__(Broken)
    forge.__dict__.update(context.forge.__dict__)
    town.world._contexts["main", PROJECT] = replace(context, forge=forge)
    found = one(town)
    assert prod(found).level is Level.advisory
    assert exit_code((found,)) == 2


def run(town: Town, folder: Path, redis_url: str, *words: str) -> Result:
    secrets = "TOKENS" if town.kind == "gitlab" else "SECRETS"
    variables = {
        "TOWPATH_REDIS_URL": redis_url,
        "TOWPATH_MIRRORS": str(folder / "doctor"),
        "TOWPATH_SEAL": '["a-seal-key-of-tests"]',
        "TOWPATH_FORGES__MAIN__KIND": town.kind,
        "TOWPATH_FORGES__MAIN__URL": town.url,
        "TOWPATH_FORGES__MAIN__TOKEN": town.sandbox.token_for("towpath"),
        f"TOWPATH_FORGES__MAIN__WEBHOOK_{secrets}": '["a-hook-token-of-tests"]',
        "TOWPATH_FORGES__MAIN__REPOSITORIES": json.dumps([PROJECT]),
    }
    return CliRunner().invoke(main, ["doctor", *words], env=variables)


def test_the_command_says_it_by_repository_and_stage(town: Town, tmp_path: Path, redis_url: str) -> None:
    protect(town, None)
    done = run(town, tmp_path, redis_url)
    lines = done.output.splitlines()
    assert done.exit_code == 1, done.output
    assert lines[0] == f"main {PROJECT} (branch main, private)"
    assert lines[1].startswith("  advisory nonprod: the stage asks for nothing")
    assert any(line.startswith("  bypassable prod by @") for line in lines)
    assert any(line.startswith("    change: ") for line in lines)


def test_the_command_says_it_to_programs(town: Town, tmp_path: Path, redis_url: str) -> None:
    protect(town, None)
    done = run(town, tmp_path, redis_url, "--json")
    (found,) = json.loads(done.output)["repositories"]
    nonprod, gated = found["stages"]
    assert (found["forge"], found["repository"], found["branch"]) == ("main", PROJECT, "main")
    assert (nonprod["stage"], nonprod["gated"]) == ("nonprod", False)
    assert (gated["stage"], gated["level"]) == ("prod", "bypassable")
