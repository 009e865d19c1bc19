"""The main job over real HTTP: the client libraries, Git, webhooks and Redis, against the sandbox forge."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.faults import Fault
from bot.sandbox.model import RequestState, Role
from bot.sandbox.requests import Edit, Opening
from policies.naming import REPORT_MARK
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest, values

STRICT = POLICY.replace("checks: optional", "checks: required")
FOUR = {f"environments/{stage}/{name}/shop/values.yaml": values() for stage in ("nonprod", "prod") for name in "abcd"}


BUDGETS = {"gitlab": {"writes": 3, "reads": 10, "idle reads": 2}, "github": {"writes": 4, "reads": 18, "idle reads": 5}}
"""API calls of one promotion (asking owners for a review would add one), and of a wake-up that changes nothing.

On GitHub labels take a write of their own, lists
tell no mergeability, and statuses and check runs are two lists; what has not changed is answered 304 there."""


FIRST = 1
"""One push more for a repository's first promotion: the branch of the state, which stands before it (S21)."""


@pytest.fixture(params=FORGES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def town(tmp_path: Path, redis_url: str, kind: str) -> Iterator[Town]:
    with towns(tmp_path, redis_url, kind) as made:
        yield made


def test_a_published_image_walks_to_production(tmp_path: Path, redis_url: str, kind: str) -> None:
    with towns(tmp_path, redis_url, kind, STRICT) as town:
        town.add_ci()
        town.publish("v2")
        town.settle()
        assert town.pins("nonprod") == values(tag="v2")
        request = town.open_in("prod")
        assert request is not None and "✅" in town.report(request.iid)
        town.sandbox.merge_as("maria", PROJECT, request.iid)
        town.settle()
        assert town.pins("prod") == values(tag="v2")
        assert town.sandbox.requests(PROJECT, RequestState.opened) == []


def test_budget_of_a_promotion_with_four_targets(tmp_path: Path, redis_url: str, kind: str) -> None:
    with towns(tmp_path, redis_url, kind, POLICY.replace("merge: auto", "merge: manual"), FOUR) as town:
        town.sweep()
        town.sandbox.journal.clear()
        town.publish("v2")
        town.step()
        request = town.open_in("nonprod")
        assert request is not None and REPORT_MARK in town.report(request.iid)
        journal = town.sandbox.journal
        calls = [f"{entry.method} {entry.path}" for entry in journal.entries("towpath") if entry.kind == "api"]
        assert journal.pushes("towpath") == 1 + FIRST
        assert journal.writes("towpath") <= BUDGETS[kind]["writes"], calls
        assert journal.reads("towpath") <= BUDGETS[kind]["reads"], calls


def test_budget_of_a_promotion_whose_owners_are_asked(tmp_path: Path, redis_url: str, kind: str) -> None:
    policy = POLICY.replace("merge: auto", "merge: manual\n    approvals: {codeowners: required}")
    with towns(tmp_path, redis_url, kind, policy, FOUR | {"CODEOWNERS": "* @olga\n"}) as town:
        town.sandbox.add_user("olga")
        town.sandbox.add_member(PROJECT, "olga", Role.developer)
        town.sweep()
        town.sandbox.journal.clear()
        town.publish("v2")
        town.step()
        request = town.open_in("nonprod")
        assert request is not None and REPORT_MARK in town.report(request.iid)
        assert [one.username for one in request.reviewers] == ["olga"]
        calls = [f"{entry.method} {entry.path}" for entry in town.sandbox.journal.entries("towpath")]
        assert town.sandbox.journal.pushes("towpath") == 1 + FIRST
        assert town.sandbox.journal.writes("towpath") <= {"gitlab": 3, "github": 5}[kind], calls


def test_budget_of_a_wake_up_that_changes_nothing(town: Town) -> None:
    town.publish("v2")
    town.settle()
    assert town.open_in("prod") is not None
    town.sandbox.journal.clear()
    town.pending.mark([("unit", "main", PROJECT, "shop")], town.now.timestamp())
    town.step()
    calls = [f"{entry.method} {entry.path}" for entry in town.sandbox.journal.entries("towpath")]
    assert town.sandbox.journal.writes("towpath") == 0, calls
    assert 0 < town.sandbox.journal.reads("towpath") <= BUDGETS[town.kind]["idle reads"], calls
    assert town.sandbox.journal.fetches("towpath") == 1, calls  # where the heads are (ls-remote); nothing is brought


def test_a_revert_by_a_person_is_respected(town: Town) -> None:
    town.publish("v2")
    town.settle()
    town.sandbox.revert_as("maria", PROJECT, 1)
    town.settle()
    assert town.pins("nonprod") == values()
    assert town.open_in("nonprod") is None and town.open_in("prod") is None


def test_a_merge_request_closed_by_a_person_is_respected(town: Town) -> None:
    town.publish("v2")
    town.settle()
    request = town.open_in("prod")
    assert request is not None
    town.sandbox.close_as("jonas", PROJECT, request.iid)
    town.settle()
    town.sweep()
    assert town.open_in("prod") is None
    town.publish("v3")
    town.settle()
    assert town.open_in("prod") is not None


def test_R4_every_webhook_lost_for_an_hour(town: Town) -> None:
    town.lost = 10_000
    town.publish("v2")
    town.settle()
    request = town.open_in("prod")
    assert request is not None
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    town.pass_time(3600)
    town.sweep()
    assert town.pins("prod") == values(tag="v2")


def test_a_label_that_somebody_took_off_is_put_back(town: Town) -> None:
    town.publish("v2")
    town.settle()
    request = town.open_in("prod")
    assert request is not None
    labels = list(request.labels)
    town.pass_time(1)
    town.sandbox.edit_as("jonas", PROJECT, request.iid, Edit(labels=("urgent",)))
    town.sweep()
    assert set(request.labels) == {*labels, "urgent"}
    town.publish("v3")
    town.settle()
    assert request.state is RequestState.closed


def test_R4_redis_emptied_while_a_promotion_is_open(town: Town) -> None:
    town.publish("v2")
    town.settle()
    before = [(one.iid, one.state) for one in town.sandbox.requests(PROJECT)]
    town.flush_redis()
    town.open(town.url)
    town.sweep()
    assert [(one.iid, one.state) for one in town.sandbox.requests(PROJECT)] == before
    request = town.open_in("prod")
    assert request is not None and town.report(request.iid)


def test_R5_a_merge_request_that_was_opened_though_the_forge_said_500_is_found_again(town: Town) -> None:
    town.sandbox.faults.add(Fault("broken-after", "POST", r".*/(merge_requests|pulls)"))
    town.publish("v2")
    town.settle()
    assert [one.iid for one in town.sandbox.requests(PROJECT) if one.source_branch.startswith("towpath/p/nonprod")] == [
        1
    ]
    assert town.pins("nonprod") == values(tag="v2")


def test_R6_a_rate_limit_reschedules(town: Town) -> None:
    town.sandbox.faults.add(Fault("limited", "GET", retry_after=40))
    town.publish("v2")
    town.step()
    assert town.sandbox.requests(PROJECT) == []
    town.settle()
    assert town.pins("nonprod") == values(tag="v2")


def test_R11_a_forge_that_is_down_for_one_repository_is_tried_again(town: Town) -> None:
    town.sandbox.faults.add(Fault("broken", count=5))
    town.publish("v2")
    town.settle()
    assert town.pins("nonprod") == values(tag="v2")


def test_a_policy_that_would_break_is_told_on_the_merge_request_that_brings_it(town: Town) -> None:
    broken = POLICY.replace("merge: auto", "mrege: auto")
    town.sandbox.commit_as("jonas", PROJECT, "tidy", {"towpath.yaml": broken}, "Tidy up")
    opened = town.sandbox.open_as("jonas", PROJECT, Opening("tidy", "main", "Tidy up"))
    town.settle()
    assert "`towpath.yaml:8` `stages[0].mrege`: unknown key; did you mean merge?" in town.report(opened.iid)
    town.sandbox.commit_as("jonas", PROJECT, "tidy", {"towpath.yaml": POLICY + "\n"}, "Mend")
    town.settle()
    assert "✅" in town.report(opened.iid)


def test_a_values_file_that_would_break_is_told_on_the_merge_request_that_brings_it(town: Town) -> None:
    path = "environments/prod/one/shop/values.yaml"
    town.sandbox.commit_as("jonas", PROJECT, "oops", {path: "image: [\n"}, "Oops")
    opened = town.sandbox.open_as("jonas", PROJECT, Opening("oops", "main", "Oops"))
    town.settle()
    assert f"`{path}:" in town.report(opened.iid)


def test_a_merge_request_of_a_person_that_breaks_nothing_hears_nothing(town: Town) -> None:
    town.sandbox.commit_as("jonas", PROJECT, "fine", {"README.md": "x"}, "Fine")
    opened = town.sandbox.open_as("jonas", PROJECT, Opening("fine", "main", "Fine"))
    town.settle()
    assert [note for note in opened.notes if not note.system] == []


def test_an_image_that_no_service_pins_is_told_to_who_announced_it(town: Town) -> None:
    town.publish("v2", image="apu")
    town.settle()
    answers = town.world.memory.answers("registry.example.com/commerce/apu", digest("v2"))
    assert [answer.state for answer in answers] == ["refused"]
    assert "nearest that is pinned is registry.example.com/commerce/api" in answers[0].text


def test_what_became_of_an_image_is_told_to_who_announced_it(town: Town) -> None:
    town.publish("v2")
    town.settle()
    repository = "registry.example.com/commerce/api"
    assert [(one.state, one.stage) for one in town.world.memory.answers(repository, digest("v2"))] == [
        ("done", "nonprod")
    ]


def test_R10_what_keeps_failing_is_on_the_dead_letter_list(town: Town) -> None:
    town.sandbox.faults.add(Fault("broken", count=10_000))
    town.publish("v2")
    for _ in range(12):
        town.pass_time(700)
        town.step()
    assert "image" in json.dumps(town.pending.dead_letters())


def test_a_refused_merge_on_a_forge_that_counts_statuses_ends_and_is_tried_again(
    tmp_path: Path, redis_url: str
) -> None:
    """The refusal must not take Towpath's own status back: the forge asks for it before it merges."""
    with towns(tmp_path, redis_url, "gitlab") as town:
        town.sandbox.configure(PROJECT, only_allow_merge_if_pipeline_succeeds=True)
        town.sandbox.add_member(PROJECT, "towpath", Role.developer)
        del town.sandbox.project(PROJECT).group.members[town.sandbox.user("towpath").id]
        town.publish("v2")
        town.settle()
        assert "the forge refused the merge" in town.report(1)
        town.sandbox.journal.clear()
        town.pass_time(60)
        town.settle()
        assert town.sandbox.journal.writes("towpath") == 0
        town.sandbox.add_member(PROJECT, "towpath", Role.maintainer)
        town.pass_time(700)
        town.settle()
        assert town.pins("nonprod") == values(tag="v2")
