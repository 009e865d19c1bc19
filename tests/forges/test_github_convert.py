"""GitHub's JSON becomes the model's values, also as real repositories answered it."""

import re
from datetime import UTC, datetime
from typing import cast

import pytest

from bot.forges.failures import Unreadable
from bot.forges.github import convert
from policies.model import CheckState, Mergeable, MergeRequestState, Permission, ReviewState, User
from tests.forges.github_answers import HEAD, ME, MERGED, pull, recorded

Json = dict[str, object]


@pytest.mark.parametrize(
    ("mergeable", "word", "expected"),
    [
        (True, "clean", Mergeable.yes),
        (True, "unstable", Mergeable.yes),
        (True, "has_hooks", Mergeable.yes),
        (True, "blocked", Mergeable.no),
        (True, "behind", Mergeable.no),
        (True, "draft", Mergeable.no),
        (False, "dirty", Mergeable.no),
        (False, "a_word_of_next_year", Mergeable.no),
        (None, "unknown", Mergeable.unknown),
        (None, "clean", Mergeable.unknown),
        (True, "unknown", Mergeable.unknown),
        (True, "a_word_of_next_year", Mergeable.unknown),
        (None, None, Mergeable.unknown),
    ],
)
def test_R8_what_is_not_known_is_unknown(mergeable: bool | None, word: str | None, expected: Mergeable) -> None:
    found = convert.merge_request(pull(mergeable=mergeable, mergeable_state=word))
    assert (found.mergeable, found.merge_reason) == (expected, word or "unknown")


def test_an_open_pull_request_is_read_whole() -> None:
    found = convert.merge_request(pull())
    assert (found.iid, found.head, found.same_project, found.labels) == (7, HEAD, True, ("towpath",))
    assert (found.state, found.target_branch) == (MergeRequestState.opened, "main")
    assert found.author == User(42, "towpath", "Towpath", bot=True)
    assert found.created_at == datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (found.merged_at, found.merged_by, found.merge_commit, found.closed_at, found.closed_by) == (None,) * 5


def test_a_trial_merge_is_no_merge_commit() -> None:
    merged = pull(state="closed", merged_at="2026-03-02T12:00:00Z", merge_commit_sha=MERGED, merged_by=ME)
    found = convert.merge_request(merged)
    assert (found.state, found.merge_commit) == (MergeRequestState.merged, MERGED)
    assert found.merged_by is not None
    assert found.closed_at is None
    closed = convert.merge_request(pull(state="closed", closed_at="2026-03-02T12:00:00Z"), User(9, "maria"))
    assert (closed.state, closed.merge_commit) == (MergeRequestState.closed, None)
    assert closed.closed_by == User(9, "maria")
    assert closed.mergeable is Mergeable.no


@pytest.mark.parametrize("repo", [None, {"id": 2}])
def test_S17_a_fork_also_one_that_is_gone_is_another_project(repo: object) -> None:
    head = {"ref": "towpath/p/prod/checkout/0123456789ab-1", "sha": HEAD, "repo": repo}
    assert not convert.merge_request(pull(head=head)).same_project


@pytest.mark.parametrize("missing", ["number", "state", "head", "base", "created_at"])
def test_what_GitHub_must_tell_is_missed(missing: str) -> None:
    with pytest.raises(Unreadable):
        convert.merge_request(pull(**{missing: None}))


def status(number: int, state: str, author: int = 9, context: str = "ci") -> Json:
    return {"id": number, "context": context, "state": state, "creator": {"id": author, "login": "x"}}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("success", CheckState.success),
        ("failure", CheckState.failed),
        ("error", CheckState.failed),
        ("pending", CheckState.pending),
        ("a_word_of_next_year", CheckState.pending),
    ],
)
def test_S16_every_status_folds_to_a_state(state: str, expected: CheckState) -> None:
    (found,) = convert.checks([status(1, state)], [], 42)
    assert (found.state, found.author_id) == (expected, 9)


@pytest.mark.parametrize(
    ("conclusion", "expected"),
    [
        (None, CheckState.pending),
        ("success", CheckState.success),
        ("neutral", CheckState.skipped),
        ("skipped", CheckState.skipped),
        ("failure", CheckState.failed),
        ("cancelled", CheckState.failed),
        ("timed_out", CheckState.failed),
        ("action_required", CheckState.failed),
        ("stale", CheckState.failed),
        ("a_word_of_next_year", CheckState.pending),
    ],
)
def test_S16_every_check_run_folds_to_a_state(conclusion: str | None, expected: CheckState) -> None:
    run = {"id": 1, "name": "build", "conclusion": conclusion, "app": {"slug": "github-actions"}}
    (found,) = convert.checks([], [run], 42)
    assert (found.name, found.state, found.author_id) == ("build", expected, None)


def test_S16_the_newest_of_a_name_counts_and_ones_own_hides_nobody_elses() -> None:
    statuses = [status(3, "success"), status(1, "failure"), status(4, "success", 42, "towpath")]
    statuses.append(status(2, "failure", 8, "towpath"))
    found = convert.checks(statuses, [], 42)
    assert [(one.name, one.author_id, one.state) for one in found] == [
        ("ci", 9, CheckState.success),
        ("towpath", 8, CheckState.failed),
        ("towpath", 42, CheckState.success),
    ]


def test_S16_runs_of_one_name_in_two_suites_both_count() -> None:
    runs: list[Json] = [
        {"id": 1, "name": "build", "conclusion": "failure", "check_suite": {"id": 1}},
        {"id": 2, "name": "build", "conclusion": "success", "check_suite": {"id": 2}},
    ]
    assert {one.state for one in convert.checks([], runs, 42)} == {CheckState.failed, CheckState.success}


def review(number: int, user: int, state: str, commit: str = HEAD) -> Json:
    at = f"2026-03-02T10:00:{number:02}Z"
    return {
        "id": number,
        "user": {"id": user, "login": f"u{user}"},
        "state": state,
        "commit_id": commit,
        "submitted_at": at,
    }


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        (["APPROVED"], ReviewState.approved),
        (["APPROVED", "COMMENTED"], ReviewState.approved),
        (["APPROVED", "PENDING"], ReviewState.approved),
        (["APPROVED", "CHANGES_REQUESTED"], ReviewState.changes_requested),
        (["CHANGES_REQUESTED", "APPROVED"], ReviewState.approved),
        (["APPROVED", "DISMISSED"], None),
        (["APPROVED", "CHANGES_REQUESTED", "DISMISSED"], None),
        (["DISMISSED", "COMMENTED"], None),
        (["DISMISSED", "APPROVED"], ReviewState.approved),
        (["COMMENTED"], None),
    ],
)
def test_a_comment_never_replaces_a_review_and_a_dismissal_revives_none(
    states: list[str], expected: ReviewState | None
) -> None:
    found = convert.reviews([review(number, 5, state) for number, state in enumerate(states, 1)][::-1])
    assert [one.state for one in found] == ([expected] if expected else [])


def test_reviews_are_folded_by_user_and_keep_their_head() -> None:
    found = convert.reviews([review(1, 5, "APPROVED"), review(2, 6, "APPROVED", MERGED)])
    assert [(one.user.id, one.sha) for one in found] == [(5, HEAD), (6, MERGED)]
    ghost = review(1, 5, "APPROVED") | {"user": None}
    assert convert.reviews([ghost]) == ()


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"permission": "admin", "role_name": "admin"}, Permission.admin),
        ({"permission": "write", "role_name": "maintain"}, Permission.maintain),
        ({"permission": "write", "role_name": "release-managers"}, Permission.write),
        ({"permission": "read", "role_name": "triage"}, Permission.read),
        ({"permission": "none", "role_name": "none"}, Permission.none),
        ({}, Permission.none),
    ],
)
def test_permissions_also_of_an_organisations_own_roles(fields: Json, expected: Permission) -> None:
    assert convert.permission(fields) is expected


@pytest.mark.parametrize(
    ("changed", "edited"),
    [({"updated_at": "2026-03-02T10:00:00Z"}, False), ({"updated_at": "2026-03-02T10:00:01Z"}, True), ({}, True)],
)
def test_S7_a_comment_changed_later_is_edited(changed: Json, edited: bool) -> None:
    fields: Json = {"id": 3, "body": "/hold", "created_at": "2026-03-02T10:00:00Z", "user": ME, "html_url": "x"}
    found = convert.note(fields | changed)
    assert (found.edited, found.internal, found.url, found.author.bot) == (edited, False, "x", True)


def test_the_log_of_labels_is_picked_out_of_the_events_in_order() -> None:
    at, label = "2026-03-02T10:00:00Z", {"name": "hold"}
    rows: list[Json] = [
        {"id": 4, "event": "unlabeled", "created_at": at, "label": label, "actor": None},
        {"id": 1, "event": "renamed", "created_at": at, "actor": ME},
        {"id": 3, "event": "labeled", "created_at": at, "label": label, "actor": ME},
    ]
    found = convert.label_changes(rows)
    assert [(one.added, one.user.id) for one in found] == [(True, 42), (False, 0)]


def test_recorded_pull_requests_reviews_statuses_and_comparisons() -> None:
    pulls = [one for one in recorded("/pulls/") if isinstance(one, dict) and "head" in one]
    assert pulls
    for one in pulls:
        found = convert.merge_request(one)
        assert re.fullmatch("[0-9a-f]{40}", found.head)
        assert found.iid > 0
    for posted in recorded("/statuses/", "POST"):
        assert convert.checks([cast(Json, posted)], [], 0)
    runs = [run for listed in recorded("/check-runs") for run in cast(dict[str, list[Json]], listed)["check_runs"]]
    assert convert.checks([], runs, 0)
    for comparison in recorded("/compare/"):
        commits = cast(dict[str, list[Json]], comparison)["commits"]
        assert [found.sha for found in convert.compared(commits)] == [commit["sha"] for commit in commits][::-1]
    for given in recorded("/reviews", "POST"):
        assert convert.reviews([cast(Json, given)])
    (comment,) = [convert.note(cast(Json, found)) for found in recorded("/issues/31/comments", "POST")]
    assert comment.body
