"""GitHub's dialect: pull requests as issues, their labels, comments and reactions."""

import pytest

from bot.sandbox.requests import Edit
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Clock, P, opened
from tests.sandbox.github_client import REPO, GitHub

ISSUE, COMMENTS = f"{REPO}/issues/1", f"{REPO}/issues/1/comments"


def test_issues_are_found_by_all_their_labels(sandbox: Sandbox, hub: GitHub) -> None:
    for name, labels in (("one", ("red",)), ("two", ("red", "blue")), ("three", ())):
        iid = opened(sandbox, name).iid
        sandbox.edit_as("dev", P, iid, Edit(add_labels=labels))
    sandbox.close_as("dev", P, 1)

    def listed(query: str) -> list[int]:
        return [one["number"] for one in hub().many(f"{REPO}/issues?{query}")]

    assert listed("") == [3, 2]
    assert listed("labels=RED&state=all") == [2, 1]
    assert listed("labels=red,blue") == [2]
    assert listed("state=closed") == [1]
    assert "pull_request" in hub().many(f"{REPO}/issues")[0]


def test_who_closed_it_is_told_where_it_is_read_alone(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    hub("mira").make("PATCH", ISSUE, {"state": "closed"})
    assert hub().get(ISSUE)["closed_by"]["login"] == "mira"
    assert "closed_by" not in hub().many(f"{REPO}/issues?state=all")[0]


def test_labels_are_added_made_and_removed(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    pull = hub.pygithub().get_repo(P).get_pull(1)
    pull.add_to_labels("red", "blue")
    assert request.labels == ["blue", "red"]
    hub().make("POST", f"{ISSUE}/labels", {"labels": ["RED", "Green"]})
    assert request.labels == ["Green", "blue", "red"]
    pull.remove_from_labels("Red")
    assert [label.name for label in pull.get_labels()] == ["Green", "blue"]
    assert hub().said("DELETE", f"{ISSUE}/labels/red") == (404, "Label does not exist")
    hub().make("PATCH", ISSUE, {"labels": ["BLUE"]})
    assert request.labels == ["blue"]
    assert set(sandbox.project(P).labels) == {"red", "blue", "Green"}


@pytest.mark.parametrize("body", [{}, {"labels": []}, [], {"labels": ["x" * 51]}], ids=str)
def test_labels_that_cannot_be_are_422(sandbox: Sandbox, hub: GitHub, body: object) -> None:
    request = opened(sandbox)
    assert hub().said("POST", f"{ISSUE}/labels", body)[0] == 422
    assert request.labels == []


def test_readers_label_nothing(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    assert hub("rep").said("POST", f"{ISSUE}/labels", ["x"])[0] == 403


def test_comments_are_written_read_edited_and_removed(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    pull = hub.pygithub("rep").get_repo(P).get_pull(1)
    made = pull.create_issue_comment("first")
    sandbox.comment_as("mira", P, 1, "second")
    assert [(one.body, one.user.login) for one in pull.get_issue_comments()] == [("first", "rep"), ("second", "mira")]
    made.edit("better")
    assert hub().get(f"{REPO}/issues/comments/{made.id}")["body"] == "better"
    made.delete()
    assert [one["body"] for one in hub().many(COMMENTS)] == ["second"]
    assert hub().said("GET", f"{REPO}/issues/comments/{made.id}") == (404, "Not Found")


def test_others_comments_are_changed_by_maintainers_alone(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    where = f"{REPO}/issues/comments/{sandbox.comment_as('rep', P, 1, 'mine').id}"
    assert hub("dev").said("PATCH", where, {"body": "x"})[0] == 403
    assert hub("dev").said("DELETE", where)[0] == 403
    assert hub("mira").make("PATCH", where, {"body": "x"})["body"] == "x"


def test_a_comment_has_65536_characters_at_most(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    made = hub().make("POST", COMMENTS, {"body": "é" * 65_536})
    for method, where in (("POST", COMMENTS), ("PATCH", f"{REPO}/issues/comments/{made['id']}")):
        found = hub()(method, where, {"body": "x" * 65_537})
        (fault,) = found.json()["errors"]
        assert (found.status_code, fault["resource"], fault["code"]) == (422, "IssueComment", "unprocessable")
        assert fault["message"] == "Body is too long (maximum is 65536 characters)"
    assert hub().said("PATCH", ISSUE, {"body": "x" * 65_537})[0] == 422


@pytest.mark.parametrize("body", [{}, {"body": ""}, {"body": " "}, {"body": None}], ids=str)
def test_a_comment_says_something(sandbox: Sandbox, hub: GitHub, body: object) -> None:
    request = opened(sandbox)
    assert hub().said("POST", COMMENTS, body)[0] == 422
    assert request.notes == []


def test_the_forges_own_notes_are_no_comments(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    sandbox.close_as("dev", P, 1)
    assert request.notes
    assert hub().many(COMMENTS) == []
    assert hub().get(ISSUE)["comments"] == 0


def test_a_reaction_stands_once(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    where = f"{REPO}/issues/comments/{sandbox.comment_as('mira', P, 1, 'ok?').id}/reactions"
    assert [hub()("POST", where, {"content": "+1"}).status_code for _ in range(2)] == [201, 200]
    assert hub("rep")("POST", where, {"content": "rocket"}).status_code == 201
    found = [(one["user"]["login"], one["content"]) for one in hub().many(where)]
    assert found == [("dev", "+1"), ("rep", "rocket")]
    assert hub().said("POST", where, {"content": "tada"})[0] == 422
    assert hub().said("POST", where, {})[0] == 422


def test_issues_stand_in_one_row_with_pull_requests(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    made = hub("rep").make("POST", f"{REPO}/issues", {"title": "Control", "labels": ["red"]})
    assert (made["number"], made["labels"], "pull_request" in made) == (2, [], False)
    assert hub("rep").said("POST", f"{REPO}/issues/2/labels", ["red"])[0] == 403
    hub().make("POST", f"{REPO}/issues/2/labels", ["red"])
    assert [one["number"] for one in hub().many(f"{REPO}/issues")] == [2, 1]
    assert [one["number"] for one in hub().many(f"{REPO}/issues?labels=red")] == [2]
    assert made["html_url"].endswith(f"/{P}/issues/2")
    hub("rep").make("PATCH", f"{REPO}/issues/2", {"state": "closed"})
    assert hub().get(f"{REPO}/issues/2")["closed_by"]["login"] == "rep"
    assert hub().said("GET", f"{REPO}/pulls/2") == (404, "Not Found")
    assert hub().said("POST", f"{REPO}/issues", {})[0] == 422


def test_issues_are_found_by_when_they_were_updated(sandbox: Sandbox, hub: GitHub, clock: Clock) -> None:
    sandbox.issue_as("rep", P, "a")
    clock.later(60)
    sandbox.issue_as("rep", P, "b")

    def listed(query: str) -> list[int]:
        return [one["number"] for one in hub().many(f"{REPO}/issues?{query}")]

    assert listed("since=2026-03-02T09:01:00Z") == [2]
    assert listed("sort=updated&direction=asc") == [1, 2]
    assert hub().said("GET", f"{REPO}/issues?since=yesterday")[0] == 422


def test_comments_on_issues_and_who_labelled(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.issue_as("rep", P, "Control")
    hub().make("POST", f"{ISSUE}/labels", ["red"])
    hub("mira").make("DELETE", f"{ISSUE}/labels/red")
    events = [(one["event"], one["label"]["name"], one["actor"]["login"]) for one in hub().many(f"{ISSUE}/events")]
    assert events == [("labeled", "red", "dev"), ("unlabeled", "red", "mira")]
    made = hub("rep").make("POST", COMMENTS, {"body": "/close"})
    assert (made["body"], made["html_url"].endswith(f"/issues/1#issuecomment-{made['id']}")) == ("/close", True)
    where = f"{REPO}/issues/comments/{made['id']}"
    hub().make("POST", f"{where}/reactions", {"content": "hooray"})
    assert [one["content"] for one in hub().many(f"{where}/reactions")] == ["hooray"]
    assert hub().get(where)["updated_at"] == made["created_at"]
    sandbox.edit_comment_as("rep", P, sandbox.issue(P, 1).notes[0], "other")
    assert hub().get(where)["body"] == "other"
