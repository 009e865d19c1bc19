"""GitHub's hooks: who signed them, which are the same, and where they say to look."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import quote_plus

import pytest

from bot.hooks import github
from bot.hooks.events import REPORT, Changed, Event, Ignored, Malformed, Unverified
from bot.hooks.signatures import Credentials, hexmac
from policies.naming import REPORT_MARK

NOW = datetime(2026, 3, 1, tzinfo=UTC)
REPOSITORY = {"id": 7, "full_name": "acme/config"}
SHA = "a" * 40
OTHER = "b" * 40
REQUEST = {
    "number": 5,
    "head": {"ref": "towpath/api", "sha": SHA},
    "base": {"ref": "main", "sha": OTHER, "repo": {"id": 7}},
}
ABOUT_REQUEST = Changed("acme/config", branch="main", iid=5, source_branch="towpath/api", sha=SHA, by=9)
Json = Mapping[str, object]


def parsed(event: str, payload: Json) -> tuple[Event, ...]:
    body = {"repository": REPOSITORY, "sender": {"id": 9}, **payload}
    return github.parse({"x-github-event": event}, json.dumps(body).encode())


def refused(headers: Mapping[str, str], body: bytes, *secrets: str) -> str:
    with pytest.raises(Unverified) as caught:
        github.verify(headers, body, Credentials(secrets), NOW)
    return caught.value.reason


# --- who sent it -------------------------------------------------------------------------------------------------


def test_S4_sha1_alone_is_refused_although_the_secret_is_right() -> None:
    sha1 = {"x-hub-signature": "sha1=be61ca8a1ee5e0a1b4d4ed96ee92bd1b73b8e2d6"}
    assert "X-Hub-Signature-256 is missing" in refused(sha1, b"{}", "right")
    assert "begin with sha256=" in refused({"x-hub-signature-256": sha1["x-hub-signature"]}, b"{}", "right")


def test_a_right_signature_in_the_old_header_proves_nothing() -> None:
    right = f"sha256={hexmac('right', b'{}')}"
    assert refused({"x-hub-signature": right}, b"{}", "right")
    github.verify({"x-hub-signature-256": right}, b"{}", Credentials(("right",)), NOW)


@pytest.mark.parametrize("given", ["", "sha1=00", "sha256=00", f"sha256={'0' * 64}", "sha256=ü", "sha256="])
def test_S10_a_refusal_says_what_would_change_it_and_holds_no_secret(given: str) -> None:
    reason = refused({"x-hub-signature-256": given}, b"{}", "the-secret", "the-other")
    assert reason.startswith("X-Hub-Signature-256") or "X-Hub-Signature-256 is missing" in reason
    assert "secret on GitHub" in reason or "enter the secret" in reason or "sha256=" in reason
    kept = ["the-secret", "the-other", hexmac("the-secret", b"{}"), hexmac("the-other", b"{}")]
    assert [text for text in kept if text in reason] == []


# --- which are the same ------------------------------------------------------------------------------------------


def test_a_replay_under_another_guid_is_known() -> None:
    first = github.delivery({"x-github-delivery": "one", "x-github-event": "push"}, b"{}")
    assert github.delivery({"x-github-delivery": "two", "x-github-event": "status"}, b"{}") == first
    assert github.delivery({}, b"{} ") != first


# --- where it says to look ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    ["pull_request", "pull_request_review", "pull_request_review_comment", "pull_request_review_thread"],
)
@pytest.mark.parametrize("action", ["opened", "closed", "labeled", "one that nobody knows yet"])
def test_whatever_happens_to_a_pull_request_is_a_hint(event: str, action: str) -> None:
    (found,) = parsed(event, {"action": action, "pull_request": REQUEST})
    assert isinstance(found, Changed)
    assert replace(found, talk=False) == ABOUT_REQUEST


@pytest.mark.parametrize(
    ("event", "action", "talk"),
    [
        ("pull_request", "labeled", True),
        ("pull_request", "unlabeled", True),
        ("pull_request", "opened", False),
        ("pull_request", "edited", False),
        ("pull_request", None, False),
        ("pull_request_review", "submitted", False),
        ("pull_request_review", "labeled", False),
    ],
)
def test_changed_labels_want_the_thread_read(event: str, action: str | None, talk: bool) -> None:
    payload = {"pull_request": REQUEST} | ({"action": action} if action else {})
    assert parsed(event, payload) == (replace(ABOUT_REQUEST, talk=talk),)


@pytest.mark.parametrize("action", ["created", "edited", "deleted"])
def test_a_comment_wants_its_thread_read(action: str) -> None:
    on_request = {"action": action, "issue": {"number": 5, "pull_request": {"url": "https://github.example.com/x"}}}
    assert parsed("issue_comment", on_request) == (Changed("acme/config", iid=5, by=9, talk=True),)
    for issue in ({"number": 5}, {"number": 5, "pull_request": None}):
        found = parsed("issue_comment", {"action": action, "issue": issue})
        assert found == (Changed("acme/config", issue=5, by=9, talk=True),)


def test_towpaths_own_report_wakes_nobody() -> None:
    told = {"action": "created", "issue": {"number": 5}, "comment": {"body": f"{REPORT_MARK}\n**Waits**"}}
    assert parsed("issue_comment", told) == (Ignored(REPORT),)
    spoken = told | {"comment": {"body": f"/hold\n{REPORT_MARK}"}}
    assert parsed("issue_comment", spoken) == (Changed("acme/config", issue=5, by=9, talk=True),)


@pytest.mark.parametrize(
    ("push", "expected"),
    [
        ({"ref": "refs/heads/main", "after": SHA}, Changed("acme/config", branch="main", sha=SHA, by=9)),
        ({"ref": "refs/heads/a/b", "after": SHA}, Changed("acme/config", branch="a/b", sha=SHA, by=9)),
        ({"ref": "refs/heads/x", "after": SHA, "deleted": True}, Changed("acme/config", branch="x", by=9)),
        ({"ref": "refs/heads/x", "after": "0" * 40}, Changed("acme/config", branch="x", by=9)),
        ({"ref": "refs/heads/refs/heads/x", "after": SHA}, Changed("acme/config", "refs/heads/x", sha=SHA, by=9)),
    ],
)
def test_a_push_to_a_branch(push: Json, expected: Changed) -> None:
    assert parsed("push", push) == (expected,)


@pytest.mark.parametrize("ref", ["refs/tags/v1", "refs/notes/x", "main"])
def test_a_push_to_something_else_is_ignored(ref: str) -> None:
    assert isinstance(parsed("push", {"ref": ref, "after": SHA})[0], Ignored)


def test_a_status_is_told_of_each_branch_that_holds_the_commit() -> None:
    branches = [{"name": "main", "commit": {"sha": OTHER}}, {"name": "next", "commit": {"sha": SHA}}]
    assert parsed("status", {"sha": SHA, "name": "acme/config", "branches": branches}) == (
        Changed("acme/config", branch="main", sha=SHA, by=9),
        Changed("acme/config", branch="next", sha=SHA, by=9),
    )
    assert parsed("status", {"sha": SHA, "branches": []}) == (Changed("acme/config", sha=SHA, by=9),)


FROM_A_FORK = {**REQUEST, "number": 8, "base": {"ref": "main", "repo": {"id": 1234}}}
BRANCH = Changed("acme/config", branch="towpath/api", sha=SHA, by=9)


@pytest.mark.parametrize(
    ("requests", "expected"),
    [
        ([REQUEST], ABOUT_REQUEST),
        ([], BRANCH),
        ([REQUEST, {**REQUEST, "number": 6}], BRANCH),
        ([FROM_A_FORK], BRANCH),
        ([FROM_A_FORK, REQUEST], ABOUT_REQUEST),
        ([{**REQUEST, "base": {"ref": "main"}}], ABOUT_REQUEST),
    ],
)
def test_a_check_is_about_its_pull_request_where_there_is_exactly_one(requests: object, expected: Changed) -> None:
    suite = {"head_branch": "towpath/api", "head_sha": SHA, "pull_requests": requests}
    run = {"head_sha": SHA, "pull_requests": requests, "check_suite": {"head_branch": "towpath/api"}}
    assert parsed("check_suite", {"check_suite": suite}) == (expected,)
    assert parsed("check_run", {"check_run": run}) == (expected,)


def test_a_check_of_a_forks_commit_has_no_branch_here() -> None:
    nowhere = Changed("acme/config", sha=SHA, by=9)
    assert parsed("check_suite", {"check_suite": {"head_branch": None, "head_sha": SHA}}) == (nowhere,)
    assert parsed("check_run", {"check_run": {"head_sha": SHA, "check_suite": None}}) == (nowhere,)


def test_a_merge_group_is_about_the_branch_that_it_goes_to() -> None:
    group = {"base_ref": "refs/heads/main", "head_ref": "refs/heads/gh-readonly-queue/main/pr-1", "head_sha": SHA}
    assert parsed("merge_group", {"merge_group": group}) == (Changed("acme/config", branch="main", sha=SHA, by=9),)


@pytest.mark.parametrize("event", ["deployment", "deployment_status"])
@pytest.mark.parametrize(
    ("ref", "branch"),
    [
        ("main", "main"),
        ("refs/heads/main", "main"),
        ("refs/tags/v1", None),
        ("refs/pull/5/merge", None),
        (SHA, None),
        (SHA[:7], None),
        ("a", "a"),
        (OTHER[:7], OTHER[:7]),
    ],
)
def test_a_deployment_is_of_a_branch_or_only_of_a_commit(event: str, ref: str, branch: str | None) -> None:
    deployment = {"deployment": {"ref": ref, "sha": SHA}, "deployment_status": {"state": "success"}}
    assert parsed(event, deployment) == (Changed("acme/config", branch=branch, sha=SHA, by=9),)


def installation(event: str, **lists: list[str]) -> tuple[Event, ...]:
    named = {name: [{"full_name": path} for path in paths] for name, paths in lists.items()}
    return github.parse({"x-github-event": event}, json.dumps({"sender": {"id": 9}, **named}).encode())


@pytest.mark.parametrize(
    ("event", "lists"),
    [
        ("installation", {"repositories": ["acme/a", "acme/b"]}),
        ("installation_repositories", {"repositories_added": ["acme/a"], "repositories_removed": ["acme/b"]}),
        ("installation_repositories", {"repositories_added": ["acme/a"], "repositories_removed": ["acme/b", "acme/a"]}),
    ],
)
def test_an_installation_tells_of_each_repository_once(event: str, lists: dict[str, list[str]]) -> None:
    assert installation(event, **lists) == (Changed("acme/a", by=9), Changed("acme/b", by=9))


def test_an_installation_that_names_no_repository_is_ignored() -> None:
    (ignored,) = installation("installation", repositories=[])
    assert isinstance(ignored, Ignored)
    assert isinstance(installation("installation_repositories")[0], Ignored)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("ping", "reaches Towpath"),
        ("package", "/hooks/images/<source>"),
        ("registry_package", "of kind ghcr"),
        ("release", "release events"),
        ("workflow_run", "workflow_run events"),
        ("x" * 1000 + "\n", "x" * 60 + " events"),
    ],
)
def test_what_changes_no_promotion_is_ignored_with_a_reason(event: str, reason: str) -> None:
    (ignored,) = github.parse({"x-github-event": event}, b"{}")
    assert isinstance(ignored, Ignored)
    assert reason in ignored.reason
    assert len(ignored.reason) < 120


@pytest.mark.parametrize("sender", [{}, {"sender": None}, {"sender": {}}])
def test_who_did_it_may_be_unknown(sender: Json) -> None:
    body = json.dumps({"repository": REPOSITORY, "pull_request": REQUEST, **sender}).encode()
    (changed,) = github.parse({"x-github-event": "pull_request"}, body)
    assert isinstance(changed, Changed) and changed.by is None


# --- how it is written -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; charset=x"])
def test_a_form_holds_the_json_in_its_payload(kind: str) -> None:
    text = json.dumps({"repository": REPOSITORY, "ref": "refs/heads/grün+blau&y=%41", "after": SHA}, ensure_ascii=False)
    form = f"x=1&payload={quote_plus(text)}&y=2".encode()
    headers = {"x-github-event": "push", "content-type": kind}
    assert github.parse(headers, form) == (Changed("acme/config", branch="grün+blau&y=%41", sha=SHA),)


def test_the_signature_is_over_the_form_and_not_over_what_is_in_it() -> None:
    form = b"payload=%7B%7D"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    github.verify({**headers, "x-hub-signature-256": f"sha256={hexmac('s', form)}"}, form, Credentials(("s",)), NOW)
    assert refused({**headers, "x-hub-signature-256": f"sha256={hexmac('s', b'{}')}"}, form, "s")


@pytest.mark.parametrize("event", ["push", "ping", "release"])
@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b"\xef\xbb\xbf{}", b'{"x":"\xff"}', b"\xff\xfe{\x00}\x00"])
def test_what_is_no_json_is_malformed_whatever_it_is_called(event: str, body: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        github.parse({"x-github-event": event}, body)
    assert caught.value.field == "body"


@pytest.mark.parametrize("form", [b"", b"payload", b"x={}", b"payload=%ff", b"payload=%EF%BB%BF{}"])
def test_a_form_without_json_is_malformed(form: bytes) -> None:
    with pytest.raises(Malformed):
        github.parse({"x-github-event": "ping", "content-type": "application/x-www-form-urlencoded"}, form)


def test_malformed_says_what_is_missing() -> None:
    for headers, payload, field in (
        ({}, {}, "X-GitHub-Event"),
        ({"x-github-event": "push"}, {"repository": REPOSITORY, "ref": "refs/heads/main"}, "after"),
        ({"x-github-event": "pull_request"}, {"repository": REPOSITORY, "pull_request": {}}, "pull_request.number"),
        ({"x-github-event": "pull_request"}, {"repository": {"full_name": "../x"}}, "repository.full_name"),
    ):
        with pytest.raises(Malformed) as caught:
            github.parse(headers, json.dumps(payload).encode())
        assert caught.value.field == field
