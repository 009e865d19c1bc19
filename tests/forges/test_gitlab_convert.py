"""GitLab's JSON becomes the model's values, also as older versions and real projects answered it."""

import json
import re
from datetime import UTC, datetime
from typing import cast

import pytest

from bot.forges.failures import Unreadable
from bot.forges.gitlab import convert
from policies.model import CheckState, Mergeable, MergeRequestState, User
from tests.forges.gitlab_answers import HEAD, MERGED, RECORDINGS, merge_request, recorded, recording


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"detailed_merge_status": "mergeable"}, Mergeable.yes),
        ({"detailed_merge_status": "ci_must_pass"}, Mergeable.no),
        ({"detailed_merge_status": "conflict"}, Mergeable.no),
        ({"detailed_merge_status": "not_approved"}, Mergeable.no),
        ({"detailed_merge_status": "need_rebase"}, Mergeable.no),
        ({"detailed_merge_status": "checking"}, Mergeable.unknown),
        ({"detailed_merge_status": "unchecked"}, Mergeable.unknown),
        ({"detailed_merge_status": "preparing"}, Mergeable.unknown),
        ({"detailed_merge_status": "approvals_syncing"}, Mergeable.unknown),
        ({"detailed_merge_status": "a_word_of_next_year"}, Mergeable.unknown),
        ({"detailed_merge_status": None}, Mergeable.unknown),
        ({"detailed_merge_status": None, "merge_status": "can_be_merged"}, Mergeable.yes),
        ({"detailed_merge_status": None, "merge_status": "cannot_be_merged"}, Mergeable.no),
        ({"detailed_merge_status": None, "merge_status": "cannot_be_merged_recheck"}, Mergeable.unknown),
        ({"detailed_merge_status": None, "merge_status": "cannot_be_merged_rechecking"}, Mergeable.unknown),
        ({"detailed_merge_status": "checking", "merge_status": "can_be_merged"}, Mergeable.unknown),
        ({"detailed_merge_status": "mergeable", "state": "locked"}, Mergeable.unknown),
    ],
)
def test_R8_what_is_not_known_is_unknown(fields: dict[str, object], expected: Mergeable) -> None:
    assert convert.merge_request(merge_request(**fields)).mergeable is expected


def test_an_open_merge_request_is_read_whole() -> None:
    found = convert.merge_request(merge_request())
    assert (found.iid, found.head, found.same_project, found.labels) == (7, HEAD, True, ("towpath",))
    assert found.state is MergeRequestState.opened
    assert found.author == User(42, "towpath", "Towpath")
    assert found.created_at == datetime(2026, 3, 2, 10, 0, 0, 123000, UTC)
    assert found.updated_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert found.updated_at.tzinfo is UTC
    assert found.merge_reason == "mergeable"
    assert (found.merged_at, found.merged_by, found.merge_commit, found.closed_at, found.closed_by) == (None,) * 5


@pytest.mark.parametrize(
    ("shas", "expected"),
    [
        ({"merge_commit_sha": MERGED, "squash_commit_sha": "a" * 40}, MERGED),
        ({"merge_commit_sha": None, "squash_commit_sha": "a" * 40}, "a" * 40),
        ({"merge_commit_sha": None, "squash_commit_sha": None}, HEAD),
        ({}, HEAD),
    ],
)
def test_the_merge_commit_is_the_merge_the_squash_or_the_fast_forwarded_head(
    shas: dict[str, object], expected: str
) -> None:
    assert convert.merge_request(merge_request(state="merged", **shas)).merge_commit == expected


def test_who_merged_is_told_only_once_merged() -> None:
    """`merge_user` is also the one who set auto-merge."""
    person = {"id": 5, "username": "alice"}
    merged_by = {"id": 6, "username": "bob"}
    assert convert.merge_request(merge_request(merge_user=person)).merged_by is None
    merged = convert.merge_request(merge_request(state="merged", merge_user=person, merged_by=merged_by))
    assert merged.merged_by == User(5, "alice")
    old = convert.merge_request(merge_request(state="merged", merged_by=merged_by))
    assert old.merged_by == User(6, "bob")


def test_who_closed_it_is_told() -> None:
    closed = merge_request(state="closed", closed_at="2026-03-03T00:00:00Z", closed_by={"id": 5, "username": "alice"})
    found = convert.merge_request(closed)
    assert (found.closed_at, found.closed_by) == (datetime(2026, 3, 3, tzinfo=UTC), User(5, "alice"))


@pytest.mark.parametrize("source", [2, None])
def test_S17_a_fork_or_a_deleted_fork_is_another_project(source: int | None) -> None:
    assert not convert.merge_request(merge_request(source_project_id=source)).same_project


def test_the_head_is_taken_from_the_diff_where_sha_is_missing() -> None:
    assert convert.merge_request(merge_request(sha=None, diff_refs={"head_sha": HEAD})).head == HEAD
    assert convert.merge_request(merge_request(sha=None)).head == ""


@pytest.mark.parametrize(
    ("field", "value"),
    [("iid", None), ("state", "frozen"), ("created_at", ""), ("updated_at", "noon"), ("source_branch", None)],
)
def test_an_answer_without_what_matters_is_refused_by_its_field(field: str, value: object) -> None:
    with pytest.raises(Unreadable, match=field):
        convert.merge_request(merge_request(**{field: value}))


@pytest.mark.parametrize(
    ("fields", "bot"),
    [
        ({"username": "alice"}, False),
        ({"username": "alice", "bot": True}, True),
        ({"username": "project_12_bot", "bot": False}, False),
        ({"username": "project_12_bot"}, True),
        ({"username": "project_12_bot3"}, True),
        ({"username": "group_3_bot_8f2d1ac9"}, True),
        ({"username": "service_account_group_345_8f2d1ac9"}, True),
        ({"username": "project_12_bottle"}, False),
        ({"username": "dependabot"}, False),
        ({"username": "my_project_12_bot"}, False),
    ],
)
def test_a_bot_is_known_by_the_field_or_by_the_documented_names(fields: dict[str, object], bot: bool) -> None:
    assert convert.user({"id": 1, **fields}).bot is bot


@pytest.mark.parametrize(
    ("status", "allow_failure", "expected"),
    [
        ("created", False, CheckState.pending),
        ("pending", False, CheckState.pending),
        ("running", False, CheckState.pending),
        ("preparing", False, CheckState.pending),
        ("waiting_for_resource", False, CheckState.pending),
        ("scheduled", False, CheckState.pending),
        ("canceling", False, CheckState.pending),
        ("manual", False, CheckState.pending),
        ("manual", True, CheckState.skipped),
        ("success", False, CheckState.success),
        ("failed", False, CheckState.failed),
        ("failed", True, CheckState.failed),
        ("canceled", False, CheckState.failed),
        ("skipped", False, CheckState.skipped),
        ("a_word_of_next_year", False, CheckState.pending),
    ],
)
def test_S16_every_status_folds_to_a_state_and_unknown_does_not_pass(
    status: str, allow_failure: bool, expected: CheckState
) -> None:
    (found,) = convert.checks([{"id": 1, "name": "lint", "status": status, "allow_failure": allow_failure}], 1)
    assert (found.state, found.allow_failure) == (expected, allow_failure)


def test_the_newest_status_of_each_name_counts_in_whatever_order_they_come() -> None:
    statuses = [
        {
            "id": 9,
            "name": "lint",
            "status": "success",
            "author": {"id": 3, "username": "ci"},
            "target_url": "https://x",
        },
        {"id": 4, "name": "lint", "status": "failed"},
        {"id": 5, "name": "build", "status": "running", "description": "half way", "author": None},
    ]
    build, lint = convert.checks(statuses, 1)
    assert (build.name, build.state, build.description, build.author_id) == (
        "build",
        CheckState.pending,
        "half way",
        None,
    )
    assert (lint.state, lint.author_id, lint.url) == (CheckState.success, 3, "https://x")


def test_a_comparison_is_turned_to_newest_first() -> None:
    commits = [{"id": "a" * 40, "title": "first", "author_name": "Alice"}, {"id": "b" * 40, "title": "second"}]
    assert [commit.title for commit in convert.compared({"commits": commits})] == ["second", "first"]


def test_every_recorded_merge_request_is_understood() -> None:
    found = recorded_merge_requests()
    assert len(found) > 30
    for fields in found:
        if "created_at" not in fields:  # one recording keeps only what its own test needed
            continue
        request = convert.merge_request(fields)
        assert request.iid == fields["iid"]
        assert request.head == (fields["sha"] or "")  # empty where the source branch is gone
        assert request.merge_reason == (fields.get("detailed_merge_status") or fields.get("merge_status") or "")
        assert (request.state is MergeRequestState.merged) == (request.merge_commit is not None)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("atlantis.detailed-merge-status-ci-must-pass", Mergeable.no),
        ("atlantis.detailed-merge-status-need-rebase", Mergeable.no),
        ("atlantis.pipeline-success", Mergeable.yes),
    ],
)
def test_recorded_mergeability(name: str, expected: Mergeable) -> None:
    assert convert.merge_request(cast(dict[str, object], recording(name))).mergeable is expected


def test_a_recorded_comparison() -> None:
    newest, oldest = convert.compared(cast(dict[str, object], recording("go-scm.compare")))
    assert newest.title.startswith("Merge branch 'allow-all-rooms")
    assert oldest.title == "Remove room restriction on production bridge"


AT = "2026-03-02T10:00:00.000Z"


@pytest.mark.parametrize(
    ("changed", "edited"),
    [
        ({"updated_at": AT}, False),
        ({"updated_at": "2026-03-02T10:00:01.000Z"}, False),
        ({"updated_at": "2026-03-02T10:00:01.001Z"}, True),
        ({"updated_at": None}, True),
        ({}, True),
    ],
)
def test_S7_a_comment_changed_later_than_a_second_counts_as_edited(changed: dict[str, object], edited: bool) -> None:
    found = convert.note({"id": 3, "body": "/hold", "created_at": AT} | changed, "https://gitlab.example.com/a#note_")
    assert (found.edited, found.url) == (edited, "https://gitlab.example.com/a#note_3")


@pytest.mark.parametrize(
    ("fields", "internal"),
    [({"internal": True}, True), ({"confidential": True}, True), ({"internal": False, "confidential": False}, False)],
)
def test_S7_an_internal_comment_by_both_names(fields: dict[str, object], internal: bool) -> None:
    assert convert.note({"id": 3, "created_at": AT} | fields, "").internal is internal


def test_the_log_of_labels_leaves_out_those_that_are_deleted() -> None:
    label: dict[str, object] = {"name": "hold"}
    user: dict[str, object] = {"id": 5, "username": "project_31_bot_0a1b"}
    rows: list[dict[str, object]] = [
        {"id": 4, "created_at": AT, "action": "remove", "label": label, "user": None},
        {"id": 3, "created_at": AT, "action": "add", "label": label, "user": user},
        {"id": 2, "created_at": AT, "action": "add", "label": None, "user": user},
    ]
    found = convert.label_changes(rows)
    assert [(one.label, one.added, one.user.id, one.user.bot) for one in found] == [
        ("hold", True, 5, True),
        ("hold", False, 0, False),
    ]


def test_recorded_statuses_notes_users_and_branches() -> None:
    lint = convert.checks(cast(list[dict[str, object]], recording("go-scm.statuses")), 1)
    assert [(check.name, check.state) for check in lint] == [
        ("default", CheckState.pending),
        ("test", CheckState.success),
    ]
    (note,) = [
        convert.note(fields, "#note_") for fields in cast(list[dict[str, object]], recording("go-scm.merge_notes"))
    ]
    assert note.author.username
    head = convert.branch_head(cast(dict[str, object], recording("go-scm.branch")))
    assert re.fullmatch("[0-9a-f]{40}", head)
    for statuses in recorded("/statuses"):
        assert convert.checks(cast(list[dict[str, object]], statuses), 1)
    for me in recorded("/user"):
        assert convert.user(cast(dict[str, object], me)).username


def recorded_merge_requests() -> list[dict[str, object]]:
    if not RECORDINGS.is_dir():
        pytest.skip("no recordings")
    return [found for path in sorted(RECORDINGS.glob("*.json")) for found in _inside(json.loads(path.read_text()))]


def _inside(content: object) -> list[dict[str, object]]:
    """Every merge request anywhere in a recording: what has a target project and a source branch."""
    if isinstance(content, list):
        return [found for item in content for found in _inside(item)]
    if not isinstance(content, dict):
        return []
    if "target_project_id" in content and "source_branch" in content:
        return [content]
    return [found for value in content.values() for found in _inside(value)]


def test_S16_ones_own_status_hides_nobody_elses_of_that_name() -> None:
    statuses: list[dict[str, object]] = [
        {"id": 1, "name": "towpath", "status": "failed", "author": {"id": 8, "username": "dev"}},
        {"id": 2, "name": "towpath", "status": "success", "author": {"id": 1, "username": "bot"}},
    ]
    found = convert.checks(statuses, 1)
    assert [(check.author_id, check.state) for check in found] == [(8, CheckState.failed), (1, CheckState.success)]
