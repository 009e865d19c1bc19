"""GitHub's dialect: pull requests opened, listed, edited; reviews and who is asked for one."""

import pytest
from github import GithubException

from bot.sandbox.model import RequestState, Role
from bot.sandbox.requests import Opening
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Clock, P, opened
from tests.sandbox.github_client import REPO, GitHub

NEW = {"title": "Add feature", "head": "feature", "base": "main"}
PULL, PULLS = f"{REPO}/pulls/1", f"{REPO}/pulls"
REVIEWS = f"{PULL}/reviews"


def test_pygithub_opens_reads_and_edits(sandbox: Sandbox, hub: GitHub) -> None:
    head = sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    repository = hub.pygithub().get_repo(P)
    made = repository.create_pull(base="main", head="platform:feature", title="Add f", body="why", draft=False)
    assert (made.number, made.head.sha, made.state, made.user.login) == (1, head, "open", "dev")
    assert (made.commits, made.changed_files, made.additions) == (1, 1, 1)
    assert made.raw_data["mergeable"] is None
    assert [one.sha for one in made.get_commits()] == [head]
    assert [one.filename for one in made.get_files()] == ["f.yaml"]
    made.edit(title="Other", body="because", state="closed")
    assert (made.title, made.body, made.state) == ("Other", "because", "closed")
    made.edit(state="open")
    assert sandbox.request(P, 1).state is RequestState.opened


def test_mergeable_is_null_until_github_has_looked(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    sandbox.open_as("dev", P, Opening("feature", "main", "Add f"))
    seen = [hub().get(PULL) for _ in range(3)]
    assert [(one["mergeable"], one["mergeable_state"]) for one in seen] == [
        (None, "unknown"),
        (True, "clean"),
        (True, "clean"),
    ]
    sandbox.commit_as("mira", P, "main", {"f.yaml": "2\n"}, "In the way")
    seen = [hub().get(PULL) for _ in range(2)]
    assert [(one["mergeable"], one["mergeable_state"]) for one in seen] == [(None, "unknown"), (False, "dirty")]
    assert "mergeable" not in hub().many(PULLS)[0]


@pytest.mark.parametrize(
    ("wrong", "field", "code"),
    [
        ({"head": "missing"}, "head", "invalid"),
        ({"head": "stranger:feature"}, "head", "invalid"),
        ({"base": "missing"}, "base", "invalid"),
        ({"title": ""}, "title", "missing_field"),
        ({"body": "x" * 65_537}, "body", "custom"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_pull_request_that_cannot_be_is_422(
    sandbox: Sandbox, hub: GitHub, wrong: dict[str, str], field: str, code: str
) -> None:
    sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    found = hub()("POST", PULLS, NEW | wrong)
    assert (found.status_code, found.json()["message"]) == (422, "Validation Failed")
    (fault,) = found.json()["errors"]
    assert (fault["resource"], fault["field"], fault["code"]) == ("PullRequest", field, code)
    assert sandbox.requests(P) == []


@pytest.mark.parametrize("name", NEW)
def test_what_a_pull_request_needs_is_asked_for(hub: GitHub, name: str) -> None:
    found = hub()("POST", PULLS, {key: value for key, value in NEW.items() if key != name})
    assert (found.status_code, found.json()["message"]) == (422, f'Invalid request.\n\n"{name}" wasn\'t supplied.')


def test_a_body_of_65536_characters_is_taken(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    assert len(hub().make("POST", PULLS, NEW | {"body": "é" * 65_536})["body"]) == 65_536
    assert hub().said("PATCH", PULL, {"body": "x" * 65_537}) == (
        422,
        "body is too long (maximum is 65536 characters)",
    )


def test_a_body_that_is_no_json_is_400(sandbox: Sandbox, url: str, hub: GitHub) -> None:
    found = hub()("POST", PULLS, headers={"Content-Type": "application/json"})
    assert found.status_code == 422
    found = hub.post(PULLS, b"{not json", sandbox.token_for("dev"))
    assert (found.status_code, found.json()["message"]) == (400, "Problems parsing JSON")


def test_a_second_pull_request_for_a_branch_is_refused(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    words = "A pull request already exists for platform:feature."
    assert hub().said("POST", PULLS, NEW) == (422, words)
    sandbox.close_as("dev", P, 1)
    assert hub().make("POST", PULLS, NEW)["number"] == 2
    assert hub().said("PATCH", PULL, {"state": "open"}) == (422, words)


def test_without_commits_of_its_own_a_branch_is_refused(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.project(P).git.set_branch("feature", None, sandbox.head(P))
    assert hub().said("POST", PULLS, NEW) == (422, "No commits between main and feature")
    assert hub().said("POST", PULLS, NEW | {"head": "main"}) == (422, "No commits between main and main")


def test_readers_open_nothing(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    assert hub("rep").said("POST", PULLS, NEW)[0] == 403


def test_a_draft_is_one_whatever_its_title(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    assert hub().make("POST", PULLS, NEW | {"draft": True})["draft"] is True
    sandbox.settle()
    assert hub().get(PULL)["mergeable_state"] == "draft"


def test_lists_are_filtered_and_sorted(sandbox: Sandbox, hub: GitHub, clock: Clock) -> None:
    for name in ("one", "two", "three"):
        opened(sandbox, name)
        clock.later(60)
    sandbox.close_as("dev", P, 2)
    sandbox.comment_as("dev", P, 1, "late")

    def listed(query: str) -> list[int]:
        return [one["number"] for one in hub().many(f"{PULLS}?{query}")]

    assert listed("") == [3, 1]
    assert listed("state=closed") == [2]
    assert listed("state=all&direction=asc") == [1, 2, 3]
    assert listed("state=all&head=platform:two") == [2]
    assert listed("state=all&head=elsewhere:two") == []
    assert listed("state=all&base=other") == []
    assert listed("state=all&sort=updated&direction=desc")[-1] == 3
    assert listed("state=all&sort=updated")[0] == 3


def test_a_merged_one_is_not_opened_again(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    sandbox.merge_as("mira", P, 1)
    assert hub().said("PATCH", PULL, {"state": "open"})[0] == 422
    found = hub().get(PULL)
    assert (found["state"], found["merged"], found["merged_by"]["login"]) == ("closed", True, "mira")
    assert found["merge_commit_sha"] == sandbox.head(P)


def test_reviews_are_kept_in_order_with_the_head_that_they_saw(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    first = request.head
    hub("rep").make("POST", REVIEWS, {"event": "COMMENT", "body": "hm"})
    hub("mira").make("POST", REVIEWS, {"event": "REQUEST_CHANGES", "body": "no"})
    second = sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    hub("mira").make("POST", REVIEWS, {"event": "APPROVE", "commit_id": second})
    found = hub.pygithub().get_repo(P).get_pull(1).get_reviews()
    assert [(one.user.login, one.state, one.commit_id) for one in found] == [
        ("rep", "COMMENTED", first),
        ("mira", "CHANGES_REQUESTED", first),
        ("mira", "APPROVED", second),
    ]
    assert [one.user.username for one in request.standing_approvals()] == ["mira"]


@pytest.mark.parametrize(
    ("user", "body", "words"),
    [
        ("dev", {"event": "APPROVE"}, "Can not approve your own pull request"),
        ("dev", {"event": "REQUEST_CHANGES", "body": "x"}, "Can not request changes on your own pull request"),
        ("mira", {"event": "REQUEST_CHANGES"}, "wasn't supplied"),
        ("mira", {"event": "COMMENT", "body": ""}, "wasn't supplied"),
        ("mira", {"event": "LIKE"}, "an event is needed"),
        ("mira", {}, "an event is needed"),
        ("mira", {"event": "APPROVE", "commit_id": "0" * 40}, "not part of the pull request"),
        ("mira", {"event": "APPROVE", "body": "x" * 65_537}, "too long"),
    ],
    ids=str,
)
def test_a_review_that_cannot_be_is_422(
    sandbox: Sandbox, hub: GitHub, user: str, body: dict[str, str], words: str
) -> None:
    request = opened(sandbox)
    status, told = hub(user).said("POST", REVIEWS, body)
    assert (status, words in str(told)) == (422, True)
    assert request.reviews == []


def test_the_author_may_comment_in_a_review(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    assert hub().make("POST", REVIEWS, {"event": "COMMENT", "body": "mine"})["state"] == "COMMENTED"


def test_a_review_is_dismissed_by_writers_with_a_message(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    made = hub("mira").make("POST", REVIEWS, {"event": "APPROVE"})
    where = f"{REVIEWS}/{made['id']}/dismissals"
    assert hub("rep").said("PUT", where, {"message": "x"})[0] == 403
    assert hub("dev").said("PUT", where, {})[0] == 422
    assert hub("dev").make("PUT", where, {"message": "stale"})["state"] == "DISMISSED"
    assert hub("dev").said("PUT", where, {"message": "x"})[0] == 422
    assert hub("dev").said("PUT", f"{REVIEWS}/0/dismissals", {"message": "x"})[0] == 404
    assert request.standing_approvals() == []


def test_a_push_dismisses_where_the_repository_says_so(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    hub("mira").make("POST", REVIEWS, {"event": "APPROVE"})
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    assert hub().many(REVIEWS)[0]["state"] == "APPROVED"
    sandbox.configure(P, reset_approvals_on_push=True)
    sandbox.commit_as("dev", P, "feature", {"x": "2"}, "x")
    assert hub().many(REVIEWS)[0]["state"] == "DISMISSED"


def test_reviews_by_hand_follow_the_same_rules(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    sandbox.review_as("mira", P, 1, "APPROVE", "fine")
    assert [(one["state"], one["body"]) for one in hub().many(REVIEWS)] == [("APPROVED", "fine")]


def test_users_and_teams_are_asked_for_a_review(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    sandbox.add_member("platform/managers", "mira", Role.developer)
    where = f"{PULL}/requested_reviewers"
    found = hub().make("POST", where, {"reviewers": ["mira", "rep"], "team_reviewers": ["managers"]})
    assert [one["login"] for one in found["requested_reviewers"]] == ["mira", "rep"]
    assert [one["slug"] for one in found["requested_teams"]] == ["managers"]
    assert hub().said("POST", where, {"reviewers": ["dev"]}) == (
        422,
        "Review cannot be requested from pull request author.",
    )
    for wrong in ({"reviewers": ["out"]}, {"reviewers": ["who"]}, {"team_reviewers": ["missing"]}):
        assert hub().said("POST", where, wrong)[0] == 422
    assert hub("rep").said("POST", where, {"reviewers": ["mira"]})[0] == 403


def test_a_pull_request_that_is_not_there(hub: GitHub) -> None:
    with pytest.raises(GithubException) as caught:
        hub.pygithub().get_repo(P).get_pull(7)
    assert caught.value.status == 404
    assert hub().said("GET", f"{PULLS}/abc") == (404, "Not Found")
