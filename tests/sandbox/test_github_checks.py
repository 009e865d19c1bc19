"""GitHub's dialect: commit statuses, what they come to, and check runs."""

import pytest

from bot.sandbox.ci import Job
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Clock, P, opened
from tests.sandbox.github_client import REPO, GitHub


def where(sha: str) -> str:
    return f"{REPO}/commits/{sha}"


def test_pygithub_sets_a_status_and_reads_it(sandbox: Sandbox, hub: GitHub) -> None:
    head = opened(sandbox).head
    commit = hub.pygithub("bot").get_repo(P).get_commit(head)
    commit.create_status("pending", "https://towpath.example.com", "waiting", "towpath/prod")
    commit.create_status("success", context="towpath/prod")
    assert [(one.state, one.context, one.creator.login) for one in commit.get_statuses()] == [
        ("success", "towpath/prod", "bot"),
        ("pending", "towpath/prod", "bot"),
    ]
    combined = commit.get_combined_status()
    assert (combined.state, combined.total_count) == ("success", 1)


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ([], "pending"),
        (["success"], "success"),
        (["success", "pending"], "pending"),
        (["pending", "failure"], "failure"),
        (["success", "error"], "failure"),
    ],
    ids=str,
)
def test_what_the_statuses_come_to(sandbox: Sandbox, hub: GitHub, states: list[str], word: str) -> None:
    head = opened(sandbox).head
    for number, state in enumerate(states):
        hub().make("POST", f"{REPO}/statuses/{head}", {"state": state, "context": f"c{number}"})
    found = hub().get(f"{where('feature')}/status")
    assert (found["state"], found["total_count"], found["sha"]) == (word, len(states), head)


def test_any_state_may_follow_any(sandbox: Sandbox, hub: GitHub) -> None:
    head = opened(sandbox).head
    states = ["success", "pending", "failure", "success", "error"]
    for state in states:
        made = hub().make("POST", f"{REPO}/statuses/{head}", {"state": state})
        assert (made["state"], made["context"]) == (state, "default")
    assert [one["state"] for one in hub().many(f"{where(head)}/statuses")] == states[::-1]


@pytest.mark.parametrize(
    "body",
    [{}, {"state": "running"}, {"state": "success", "description": "x" * 141}],
    ids=lambda body: str(body)[:40],
)
def test_a_status_that_cannot_be_is_422(sandbox: Sandbox, hub: GitHub, body: dict[str, str]) -> None:
    head = opened(sandbox).head
    assert hub().said("POST", f"{REPO}/statuses/{head}", body)[0] == 422
    assert sandbox.statuses(P, head) == []


def test_a_status_needs_a_commit_and_a_writer(sandbox: Sandbox, hub: GitHub) -> None:
    head, none = opened(sandbox).head, "0" * 40
    assert hub().said("POST", f"{REPO}/statuses/{none}", {"state": "success"}) == (
        422,
        f"No commit found for SHA: {none}",
    )
    assert hub("rep").said("POST", f"{REPO}/statuses/{head}", {"state": "success"})[0] == 403
    assert hub("rep").said("GET", f"{where(none)}/status")[0] == 422


def test_the_imitated_cis_jobs_are_check_runs(sandbox: Sandbox, hub: GitHub, clock: Clock) -> None:
    sandbox.add_ci(P, Job("lint"), Job("test", "failed"), author="root", branches="feature")
    head = opened(sandbox).head
    hub("bot").make("POST", f"{REPO}/statuses/{head}", {"state": "success", "context": "towpath"})
    runs = hub.pygithub().get_repo(P).get_commit(head).get_check_runs()
    assert [(one.name, one.status) for one in runs] == [("lint", "queued"), ("test", "queued")]
    for _ in range(2):
        clock.later(2)
        sandbox.tick()
    found = hub().get(f"{where(head)}/check-runs")
    assert [(one["name"], one["status"], one["conclusion"]) for one in found["check_runs"]] == [
        ("lint", "completed", "success"),
        ("test", "completed", "failure"),
    ]
    assert {one["app"]["slug"] for one in found["check_runs"]} == {"github-actions"}
    assert [one["context"] for one in hub().many(f"{where(head)}/statuses")] == ["towpath"]
    assert hub().get(f"{where(head)}/status")["state"] == "success"
