"""What came into prod around the gate is found and said once: each way around by which it was tried (S22)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.errors import Permanent
from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, Role
from bot.sandbox.requests import Opening
from tests.flows.gated import GATED, OWNERS, PROD, approve, gated_town, is_in_prod, look, waiting
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest, values

pytestmark = pytest.mark.long

TWO = "environments/prod/two/shop/values.yaml"


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def alarms(town: Town) -> list[str]:
    """What the log says while everything is looked at, twice."""
    with capture_logs() as logs:
        town.settle()
        town.sweep()
        look(town)
        town.pass_time(4000)
        look(town)
    return [str(one["event"]) for one in logs if one["log_level"] == "critical" and "around the gates" in one["event"]]


MERGED, PUSHED = ["merged around the gates"], ["pushed around the gates"]


def push_merge(town: Town, request: MergeRequest, message: str, tree: str = "") -> None:
    """Maria pushes a merge of the request's head that she made herself."""
    git = town.sandbox.project(PROJECT).git
    who = replace(git.commit(request.head).author, name="Maria", email="maria@example.com")
    parents = (town.sandbox.head(PROJECT), request.head)
    commit = git.create_commit(tree or git.tree(request.head), parents, message, (who, who))
    town.sandbox.force_as("maria", PROJECT, "main", commit)


def test_a_merge_by_hand_around_the_bot_is_found(town: Town) -> None:
    request = waiting(town)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    with capture_logs() as logs:
        town.settle()
    assert is_in_prod(town)
    assert "merged without the approvals that policy asks for" in town.report(request.iid)
    assert [one["log_level"] for one in logs if one["event"] == "merged around the gates"] == ["critical"]


def test_a_merge_by_hand_after_the_owners_approved_is_no_alarm(town: Town) -> None:
    request = waiting(town)
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    town.settle()
    assert "Alarm" not in town.report(request.iid)


def test_a_merge_by_hand_of_a_branch_that_was_deleted_then_is_found(town: Town) -> None:
    request = waiting(town)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    town.sandbox.force_as("maria", PROJECT, request.source_branch, None)
    assert alarms(town) == MERGED
    assert "merged without the approvals that policy asks for" in town.report(request.iid)


def test_a_digest_that_was_pushed_is_found(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="evil")}, "by hand")
    assert alarms(town) == PUSHED


def test_the_waiting_digest_that_was_pushed_is_found(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v2")}, "by hand")
    assert alarms(town) == PUSHED


def test_a_persons_own_merge_request_with_another_digest_is_found(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "mine", {PROD: values(tag="evil")}, "mine")
    request = town.sandbox.open_as("maria", PROJECT, Opening("mine", "main", "Evil"))
    town.settle()
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    assert alarms(town) == MERGED
    assert "merged without the approvals that policy asks for" in town.report(request.iid)


def test_a_persons_own_merge_request_that_an_owner_approved_is_no_alarm(town: Town) -> None:
    town.sandbox.commit_as("jonas", PROJECT, "mine", {PROD: values(tag="mine")}, "mine")
    request = town.sandbox.open_as("jonas", PROJECT, Opening("mine", "main", "Mine"))
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    assert alarms(town) == []


def test_a_merge_by_hand_hides_behind_no_new_cluster(town: Town) -> None:
    request = waiting(town)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    town.sandbox.commit_as("maria", PROJECT, "main", {TWO: values()}, "cluster two")
    assert sorted(alarms(town)) == MERGED + PUSHED


def test_a_replayed_message_of_an_older_merge_is_no_evidence(town: Town) -> None:
    approve(town, "olga", waiting(town).iid)
    assert is_in_prod(town)
    old = town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message
    assert alarms(town) == []
    town.publish("v3")
    town.settle()
    push_merge(town, waiting(town), old)
    assert len(alarms(town)) == 1
    assert is_in_prod(town, "v3")


def test_a_replayed_message_of_the_very_release_is_no_evidence(town: Town) -> None:
    approve(town, "olga", waiting(town).iid)
    old = town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values()}, "back")
    assert alarms(town) == PUSHED
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v2")}, old)
    assert alarms(town) == PUSHED


def test_an_approved_head_brings_nothing_else_along(town: Town) -> None:
    """Its approvals are of what it proposed, not of what somebody made of the merge."""
    request = waiting(town)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    git = town.sandbox.project(PROJECT).git
    town.sandbox.commit_as("maria", PROJECT, "side", {PROD: values(tag="evil")}, "evil")
    push_merge(town, request, "Merge", git.tree(town.sandbox.head(PROJECT, "side")))
    assert len(alarms(town)) == 1


def test_what_was_there_before_towpath_is_nobodys_alarm(tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path, redis_url, "gitlab", GATED, FILES) as town:
        town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v1.1")}, "before")
        assert alarms(town) == []
        town.publish("v2")
        assert alarms(town) == []


FILES: Mapping[str, str] = {
    "CODEOWNERS": OWNERS,
    PROD: values(),
    "environments/nonprod/one/shop/values.yaml": values(),
}


def test_what_came_before_policy_asked_for_approvals_is_nobodys_alarm(tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path, redis_url, "gitlab", POLICY, FILES) as town:
        town.publish("v2")
        town.settle()
        town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v2")}, "by hand")
        town.settle()
        town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": GATED}, "stricter")
        assert alarms(town) == []
        town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v3")}, "by hand")
        assert alarms(town) == PUSHED


def test_towpaths_own_merge_is_no_alarm_even_after_redis_was_emptied(town: Town) -> None:
    approve(town, "olga", waiting(town).iid)
    town.flush_redis()
    assert alarms(town) == []


def test_what_was_looked_at_costs_the_forge_nothing(town: Town) -> None:
    approve(town, "olga", waiting(town).iid)
    look(town)
    context = town.world.context("main", PROJECT)
    keys = [f"audited:{context.subject}"]
    assert [context.memory.get(key) for key in keys] == [town.sandbox.head(PROJECT)]


def test_R11_an_audit_that_fails_fails_nothing_else_and_is_done_later(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.sandbox.add_member(PROJECT, "maria", Role.maintainer)
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="evil")}, "by hand")
    forge = town.world.context("main", PROJECT).forge

    def refused(*_: object) -> object:
        raise Permanent("list", "them", "no")

    with monkeypatch.context() as broken:
        broken.setattr(forge, "requests_from", refused)
        assert alarms(town) == []
    assert alarms(town) == PUSHED
    assert digest("evil") in town.pins("prod")
