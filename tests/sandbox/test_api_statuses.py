"""Commit statuses, pipelines, deployments, and the imitated CI."""

from datetime import timedelta

import pytest
from gitlab.exceptions import GitlabError

from bot.sandbox.ci import Job
from bot.sandbox.model import PipelineMoved
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.statuses import Setting, pipeline_status
from tests.sandbox.conftest import Client, Clock, P, opened

STATUSES = "/projects/platform%2Fconfig/statuses"


def test_a_status_makes_a_pipeline_of_source_external(sandbox: Sandbox, client: Client) -> None:
    request = opened(sandbox)
    project = client("bot").projects.get(P)
    body = {
        "state": "pending",
        "name": "towpath/prod",
        "ref": "feature",
        "description": "waits",
        "target_url": "https://x",
    }
    made = project.commits.get(request.head).statuses.create(body)
    assert (made.status, made.author["username"], made.description) == ("pending", "bot", "waits")
    (pipeline,) = project.pipelines.list(get_all=True)
    assert (pipeline.source, pipeline.status, pipeline.sha, pipeline.id) == (
        "external",
        "pending",
        request.head,
        made.pipeline_id,
    )
    assert project.mergerequests.get(1).head_pipeline["id"] == pipeline.id
    assert [one.id for one in project.mergerequests.get(1).pipelines.list(get_all=True)] == [pipeline.id]


TRANSITIONS = [
    ("pending", "pending", "Cannot transition status via :enqueue from :pending"),
    ("running", "pending", "Cannot transition status via :enqueue from :running"),
    ("running", "running", "Cannot transition status via :run from :running"),
    ("running", "skipped", "Cannot transition status via :skip from :running"),
    ("pending", "running", ""),
    ("pending", "success", ""),
    ("running", "failed", ""),
    ("running", "canceled", ""),
    ("success", "success", ""),
    ("failed", "pending", ""),
]


@pytest.mark.parametrize(("first", "second", "words"), TRANSITIONS)
def test_which_status_may_follow_which(sandbox: Sandbox, client: Client, first: str, second: str, words: str) -> None:
    head = opened(sandbox).head
    client("bot").http_post(f"{STATUSES}/{head}", post_data={"state": first, "name": "n", "ref": "feature"})
    again = {"state": second, "name": "n", "ref": "feature"}
    if words:
        with pytest.raises(GitlabError, match=words) as caught:
            client("bot").http_post(f"{STATUSES}/{head}", post_data=again)
        assert caught.value.response_code == 400
    else:
        client("bot").http_post(f"{STATUSES}/{head}", post_data=again)
    found = client("bot").projects.get(P).commits.get(head).statuses
    assert [one.status for one in found.list(get_all=True)] == [first if words else second]
    news = 2 if first in ("success", "failed") else 1
    assert len(found.list(get_all=True, all=True)) == news


def test_statuses_are_filtered(sandbox: Sandbox, client: Client) -> None:
    head = opened(sandbox).head
    for name in ("a", "b"):
        sandbox.status_as("bot", P, head, Setting("success", name, "feature"))
    statuses = client("bot").projects.get(P).commits.get(head).statuses
    assert [one.name for one in statuses.list(name="b", get_all=True)] == ["b"]
    assert statuses.list(ref="main", get_all=True) == []


def test_statuses_of_what_is_not_there_are_refused(sandbox: Sandbox, client: Client) -> None:
    head = opened(sandbox).head
    for path, body, status in (
        ("0" * 40, {"state": "success"}, 404),
        (head, {"state": "nonsense"}, 400),
        (head, {}, 400),
        (head, {"state": "success", "ref": "feature", "pipeline_id": 1}, 404),
    ):
        with pytest.raises(GitlabError) as caught:
            client("bot").http_post(f"{STATUSES}/{path}", post_data=body)
        assert caught.value.response_code == status


def test_a_protected_branch_takes_statuses_only_from_who_may_push(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises(GitlabError, match="403"):
        client("dev").http_post(f"{STATUSES}/{sandbox.head(P)}", post_data={"state": "success", "ref": "main"})


COMPOSITES = [
    ([], "skipped"),
    (["success", "skipped"], "success"),
    (["success", "failed"], "failed"),
    (["failed", "running"], "running"),
    (["pending", "success"], "running"),
    (["pending"], "pending"),
    (["canceled", "success"], "canceled"),
]


@pytest.mark.parametrize(("states", "whole"), COMPOSITES)
def test_a_pipelines_status_follows_from_its_statuses(sandbox: Sandbox, states: list[str], whole: str) -> None:
    head = opened(sandbox).head
    for number, state in enumerate(states):
        sandbox.status_as("bot", P, head, Setting(state, f"job {number}", "feature"))
    pipelines = sandbox.project(P).pipelines
    assert (pipeline_status(pipelines[-1]) if pipelines else "skipped") == whole


def test_the_imitated_ci_waits_runs_and_ends(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    sandbox.add_user("ci", bot=True)
    slow = Job("lint", "failed", timedelta(seconds=1), timedelta(seconds=5), allow_failure=True)
    sandbox.add_ci(P, Job("validate"), slow, author="ci", branches="feat*")
    moved: list[str] = []
    sandbox.state.listeners.append(
        lambda event: moved.append(pipeline_status(event.pipeline)) if isinstance(event, PipelineMoved) else None
    )
    head = opened(sandbox).head
    sandbox.commit_as("dev", P, "other", {"x": "1"}, "Not for CI")
    seen = []
    for _ in range(8):
        sandbox.tick()
        statuses = client("dev").projects.get(P).commits.get(head).statuses.list(get_all=True)
        seen.append({one.name: one.status for one in statuses})
        clock.later(1)
    assert [one["validate"] for one in seen] == ["pending", "running", "running", *["success"] * 5]
    assert [one["lint"] for one in seen][-1] == "failed"
    assert moved == ["pending", "running", "success"]
    assert len(sandbox.project(P).pipelines) == 1
    validate, started = sandbox.project(P).pipelines[0].statuses[0], clock.now - timedelta(seconds=7)
    assert (validate.author.username, validate.started_at) == ("ci", started)


def test_an_outside_status_joins_the_pipeline_of_the_same_commit(sandbox: Sandbox, clock: Clock) -> None:
    sandbox.add_ci(P, Job("validate"), author="root")
    head = opened(sandbox).head
    sandbox.status_as("bot", P, head, Setting("pending", "towpath/prod", "feature"))
    clock.later(10)
    sandbox.tick()
    (pipeline,) = sandbox.project(P).pipelines
    assert {one.name: one.status for one in pipeline.statuses} == {"validate": "success", "towpath/prod": "pending"}
    assert pipeline_status(pipeline) == "running"


def test_deployments_go_to_environments(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    project = client("dev").projects.get(P)
    head = sandbox.head(P)
    made = project.deployments.create(
        {"environment": "prod", "sha": head, "ref": "main", "tag": False, "status": "running"}
    )
    clock.later(5)
    made.status = "success"
    made.save()
    found = project.deployments.get(made.id)
    assert (found.status, found.environment["name"], found.updated_at > found.created_at) == ("success", "prod", True)
    (place,) = project.environments.list(name="prod", get_all=True)
    assert project.environments.get(place.id).last_deployment["sha"] == head
    assert project.deployments.list(environment="other", get_all=True) == []
    made.status = "failed"
    with pytest.raises(GitlabError):
        made.save()


@pytest.mark.parametrize("coverage", ["abc", "nan", "inf", "1,5"])
def test_a_coverage_that_is_no_number_is_refused(sandbox: Sandbox, client: Client, coverage: str) -> None:
    head = opened(sandbox).head
    with pytest.raises(GitlabError, match="coverage is invalid") as caught:
        client("dev").projects.get(P).commits.get(head).statuses.create({"state": "success", "coverage": coverage})
    assert caught.value.response_code == 400
    assert sandbox.statuses(P, head) == []
