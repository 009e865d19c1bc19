"""Ways around the gates that an attacker found in a second round, and lawful changes that must stay quiet (S22)."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import requests
import structlog
from structlog.testing import capture_logs

from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, Role
from bot.sandbox.requests import Opening
from tests.flows.gated import GATED, OWNERS, PROD, approve, gated_town, is_in_prod, look, waiting
from tests.flows.test_around import MERGED, PUSHED, alarms
from tests.flows.town import FILES, PROJECT, Town, towns
from tests.flows.world import HOST, POLICY, values

pytestmark = pytest.mark.long

EVIL = values(tag="evil")
CART = "environments/{}/one/cart/values.yaml"


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        look(made)
        yield made


def push(town: Town, *changes: Mapping[str, str | None]) -> None:
    """Several commits of Maria's in one push."""
    old = town.sandbox.head(PROJECT)
    town.sandbox.force_as("maria", PROJECT, "scratch", old)
    for change in changes:
        town.sandbox.commit_as("maria", PROJECT, "scratch", change, "x")
    town.sandbox.force_as("maria", PROJECT, "main", town.sandbox.head(PROJECT, "scratch"))


def opened(town: Town, files: Mapping[str, str], who: str = "jonas") -> MergeRequest:
    town.sandbox.commit_as(who, PROJECT, "mine", dict(files), "mine")
    return town.sandbox.open_as(who, PROJECT, Opening("mine", "main", "Mine"))


def merged(town: Town, request: MergeRequest) -> None:
    """Approved by Olga and merged by Maria by hand, before Towpath looks."""
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.lost = 50
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    town.lost = 0


def held(town: Town) -> list[str]:
    return [line.strip() for line in town.state().splitlines() if "service:" in line]


def loud(town: Town) -> list[str]:
    with capture_logs() as logs:
        town.settle()
        town.sweep()
        look(town)
    return [str(one["event"]) for one in logs if one["log_level"] == "critical"]


def test_a_policy_that_is_loosened_and_put_back_in_one_push_hides_nothing(town: Town) -> None:
    push(town, {"towpath.yaml": POLICY}, {PROD: EVIL}, {"towpath.yaml": GATED})
    assert sorted(loud(town)) == ["policy loosened", "pushed around the gates"]


def test_owners_that_are_changed_and_put_back_in_one_push_are_told(town: Town) -> None:
    push(town, {"CODEOWNERS": "* @maria\n"}, {"CODEOWNERS": OWNERS})
    assert loud(town) == ["code owners changed"] * 2


def test_an_owner_approves_nothing_that_he_pushed_onto_towpaths_own(town: Town) -> None:
    request = waiting(town)
    town.sandbox.commit_as("olga", PROJECT, request.source_branch, {PROD: EVIL}, "evil")
    look(town)
    merged(town, request)
    assert alarms(town) == MERGED
    assert "holds more than this release" in town.report(request.iid)


def test_an_owner_approves_nothing_that_he_pushed_onto_somebody_elses(town: Town) -> None:
    request = opened(town, {PROD: values(tag="fine")})
    town.settle()
    town.sandbox.commit_as("olga", PROJECT, "mine", {PROD: EVIL}, "evil")
    merged(town, request)
    assert alarms(town) == MERGED


def test_a_rollbacks_rule_is_for_nothing_that_was_pushed_onto_it(town: Town) -> None:
    approve(town, "olga", waiting(town).iid)
    loose = GATED.replace("merge: auto\n    checks: optional\n    approvals", "merge: manual\n    approvals").replace(
        "required}\n", "required}\n    rollback: {approvals: null, checks: ignored}\n"
    )
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": loose}, "rollbacks")
    town.settle()
    town.ask("maria", town.sandbox.request(PROJECT, 2), "/rollback shop prod the error rate is up")
    look(town)
    request = waiting(town)
    town.sandbox.commit_as("jonas", PROJECT, request.source_branch, {PROD: EVIL}, "evil")
    town.lost = 50
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    town.lost = 0
    assert alarms(town) == MERGED


@pytest.mark.parametrize(
    "change",
    [
        {PROD: EVIL.replace(HOST, "docker.io/evil")},
        {PROD: "image: none\n"},
        {PROD: EVIL + "---\na: [\n"},
        {PROD: None, "environments/prod/uno/shop/values.yaml": EVIL},
    ],
    ids=["foreign", "gone", "unreadable", "renamed"],
)
def test_whatever_becomes_of_a_pin_is_found(town: Town, change: Mapping[str, str | None]) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", dict(change), "x")
    assert alarms(town) == PUSHED


def test_a_service_that_towpath_never_merged_is_looked_at(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {CART.format("prod"): values(image="cart", tag="evil")}, "x")
    assert alarms(town) == PUSHED


def test_a_repository_in_which_towpath_never_merged_is_looked_at(tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path, redis_url, "gitlab", GATED, FILES | {"CODEOWNERS": OWNERS}) as town:
        town.sweep()
        town.settle()
        town.sandbox.commit_as("maria", PROJECT, "main", {PROD: EVIL}, "x")
        assert alarms(town) == PUSHED


def test_each_service_that_one_merge_changed_is_held_and_named(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {CART.format("prod"): values(image="cart")}, "cart")
    town.settle()
    request = opened(town, {PROD: EVIL, CART.format("prod"): values(image="cart", tag="evil")}, "maria")
    town.settle()
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    assert alarms(town) == MERGED * 2
    assert sorted(held(town)) == ["service: cart", "service: shop"]
    assert "`shop`" in town.report(request.iid)
    assert "`cart`" in town.report(request.iid)


def test_a_file_that_nobody_gates_needs_no_owner(town: Town) -> None:
    request = opened(town, {PROD: values(tag="mine"), "README.md": "x"})
    merged(town, request)
    assert (alarms(town), held(town)) == ([], [])


def test_what_was_lawful_stays_so_when_people_leave_and_redis_is_emptied(town: Town) -> None:
    merged(town, waiting(town))
    assert alarms(town) == []
    town.sandbox.add_member(PROJECT, "olga", Role.reporter)
    town.sandbox.add_member("platform/owners", "olga", Role.reporter)
    town.flush_redis()
    assert (alarms(town), held(town)) == ([], [])


def test_what_was_lawful_stays_so_when_owners_change(town: Town) -> None:
    merged(town, waiting(town))
    town.sandbox.commit_as("maria", PROJECT, "main", {"CODEOWNERS": "* @maria\n"}, "mine now")
    assert (alarms(town), held(town)) == ([], [])


def test_what_is_found_first_after_redis_was_emptied_is_logged_and_holds_nothing(town: Town) -> None:
    town.lost = 50
    town.sandbox.merge_as("maria", PROJECT, waiting(town).iid)
    town.lost = 0
    town.flush_redis()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with capture_logs() as logs:
        town.settle()
        town.sweep()
        look(town)
    assert [one["log_level"] for one in logs if "around the gates" in one["event"]] == ["warning"]
    assert held(town) == []


def test_a_lawful_request_of_several_commits_comes_one_by_one(town: Town) -> None:
    if town.kind == "gitlab":
        town.sandbox.configure(PROJECT, merge_method="ff")
    request = opened(town, {PROD: values(tag="mine")})
    town.sandbox.commit_as("jonas", PROJECT, "mine", {"README.md": "two"}, "two")
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    if town.kind == "gitlab":
        town.sandbox.merge_as("maria", PROJECT, request.iid)
    else:
        rebase(town, request)
    assert is_in_prod(town, "mine")
    assert (alarms(town), held(town)) == ([], [])


def test_a_push_hides_in_no_rebase(tmp_path: Path, redis_url: str) -> None:
    with gated_town(tmp_path, redis_url, "github") as town:
        look(town)
        request = opened(town, {"README.md": "one"})
        town.sandbox.commit_as("jonas", PROJECT, "mine", {"README.md": "two"}, "two")
        town.pass_time(1)
        town.sandbox.approve_as("olga", PROJECT, request.iid)
        town.lost = 50
        town.sandbox.commit_as("maria", PROJECT, "main", {PROD: EVIL}, "evil")
        rebase(town, request)
        town.lost = 0
        assert alarms(town) == PUSHED


@pytest.mark.parametrize("kind", FORGES)
def test_evidence_of_another_installation_with_the_same_seal_binds_no_push(
    tmp_path: Path, redis_url: str, kind: str
) -> None:
    """A seal is of one forge name and repository path; whoever uses all three twice has evidence twice."""
    with gated_town(tmp_path / "first", redis_url, kind) as first:
        approve(first, "olga", waiting(first).iid)
        assert is_in_prod(first)
        message = first.sandbox.project(PROJECT).git.commit(first.sandbox.head(PROJECT)).message
        first.flush_redis()
    with gated_town(tmp_path / "second", redis_url, kind) as second:
        look(second)
        assert f"Towpath-Request: {waiting(second).iid}" in message
        second.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v2")}, message)
        assert alarms(second) == PUSHED


def test_a_squash_of_towpaths_own_is_no_alarm(town: Town) -> None:
    request = waiting(town)
    town.sandbox.configure(PROJECT, merge_method="ff", allow_merge_commit=False)
    request.squash = True
    approve(town, "olga", request.iid)
    assert is_in_prod(town)
    assert len(town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).parents) == 1
    assert (alarms(town), held(town)) == ([], [])


def rebase(town: Town, request: MergeRequest) -> None:
    url = f"{town.url}/api/v3/repos/{PROJECT}/pulls/{request.iid}"
    headers = {"Authorization": f"Bearer {town.sandbox.token_for('maria')}"}
    requests.get(url, headers=headers, timeout=10)  # it is found out then whether it can be merged
    town.pass_time(60)
    requests.get(url, headers=headers, timeout=10)
    answer = requests.put(f"{url}/merge", json={"merge_method": "rebase"}, headers=headers, timeout=10)
    assert answer.ok, answer.text
