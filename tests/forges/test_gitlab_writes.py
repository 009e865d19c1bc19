"""What each write sends, and what GitLab's refusals mean for it."""

import json

import pytest
import responses

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import Proposal, Status
from policies.model import CheckState, Thread
from tests.forges.gitlab_answers import HEAD, MERGED, PROJECT, forge, merge_request

REQUEST = f"{PROJECT}/merge_requests/7"
STATUSES = f"{PROJECT}/statuses/{HEAD}"
BRANCH = "towpath/p/prod/checkout/0123456789ab-1"


def sent(web: responses.RequestsMock, call: int = 0) -> object:
    return json.loads(web.calls[call].request.body or b"null")


def test_opening_a_merge_request_keeps_its_branch(web: responses.RequestsMock) -> None:
    web.post(f"{PROJECT}/merge_requests", status=201, json=merge_request(detailed_merge_status="preparing"))
    opened = forge().open_request("platform/config", Proposal(BRANCH, "main", "title", "text", ("towpath", "prod")))
    assert opened.iid == 7
    assert sent(web) == {
        "source_branch": BRANCH,
        "target_branch": "main",
        "title": "title",
        "description": "text",
        "labels": "towpath,prod",
        "remove_source_branch": False,
    }


def test_R5_a_second_merge_request_for_a_branch_is_a_conflict(web: responses.RequestsMock) -> None:
    message = ["Another open merge request already exists for this source branch: !5"]
    web.post(f"{PROJECT}/merge_requests", status=409, json={"message": message})
    with pytest.raises(Conflict, match="already exists for this source branch: !5"):
        forge().open_request("platform/config", Proposal(BRANCH, "main", "title", "text", ()))


def test_closing_adds_the_label_in_the_same_write(web: responses.RequestsMock) -> None:
    web.put(REQUEST, json=merge_request(state="closed"))
    forge().close("platform/config", 7, "superseded")
    assert sent(web) == {"state_event": "close", "add_labels": "superseded"}


def test_closing_what_was_merged_meanwhile_is_a_conflict(web: responses.RequestsMock) -> None:
    web.put(REQUEST, json=merge_request(state="merged"))
    with pytest.raises(Conflict, match="it is merged"):
        forge().close("platform/config", 7, "superseded")


def test_a_comment_that_GitLab_took_as_quick_actions_is_no_comment(web: responses.RequestsMock) -> None:
    web.post(f"{REQUEST}/notes", status=202, json={"commands_changes": {}, "summary": ["Closed this."]})
    with pytest.raises(Permanent, match="quick actions"):
        forge().add_note("platform/config", Thread(7), "/close")


def test_editing_a_comment_that_is_gone(web: responses.RequestsMock) -> None:
    web.put(f"{REQUEST}/notes/3", status=404, json={"message": "404 Note Not Found"})
    with pytest.raises(Permanent, match="edit a comment on platform/config!7: 404: 404 Note Not Found"):
        forge().edit_note("platform/config", Thread(7), 3, "text")


@pytest.mark.parametrize("state", list(CheckState))
def test_a_status_says_its_branch(web: responses.RequestsMock, state: CheckState) -> None:
    web.post(STATUSES, status=201, json={"id": 1})
    forge().set_status("platform/config", HEAD, BRANCH, Status("towpath/prod", state, "waits", "https://t.example.com"))
    assert sent(web) == {
        "state": state.value,
        "ref": BRANCH,
        "name": "towpath/prod",
        "description": "waits",
        "target_url": "https://t.example.com",
    }


def test_a_description_too_long_is_the_callers_fault() -> None:
    with pytest.raises(ValueError, match="140"):
        forge().set_status("platform/config", HEAD, BRANCH, Status("towpath", CheckState.pending, "x" * 141, ""))


@pytest.mark.parametrize(
    ("state", "status", "message", "stands"),
    [
        (CheckState.pending, 400, "Cannot transition status via :enqueue from :pending (Reason(s): ...)", True),
        (CheckState.pending, 400, "Cannot transition status via :enqueue from :running", True),
        (CheckState.pending, 400, "Cannot transition status via :enqueue from :success", False),
        (CheckState.success, 400, "Cannot transition status via :success from :pending", False),
        (CheckState.failed, 400, "Cannot transition status via :drop from :created", False),
        (CheckState.pending, 400, "state does not have a valid value", False),
        (CheckState.pending, 403, "Cannot transition status via :enqueue from :pending", False),
    ],
)
def test_a_status_refused_because_it_stands_already_is_set(
    web: responses.RequestsMock, state: CheckState, status: int, message: str, stands: bool
) -> None:
    web.post(STATUSES, status=status, json={"message": message})
    try:
        forge().set_status("platform/config", HEAD, BRANCH, Status("towpath", state, "waits", ""))
    except Permanent:
        assert not stands
    else:
        assert stands


def test_S17_the_merge_names_the_head_and_keeps_message_and_branch(web: responses.RequestsMock) -> None:
    web.put(f"{REQUEST}/merge", json=merge_request(state="merged", merge_commit_sha=MERGED))
    assert forge().merge("platform/config", 7, HEAD, "message") == MERGED
    assert sent(web) == {
        "sha": HEAD,
        "merge_commit_message": "message",
        "squash_commit_message": "message",
        "should_remove_source_branch": False,
    }
    assert len(web.calls) == 1


@pytest.mark.parametrize("status", [405, 406, 422])
@pytest.mark.parametrize(
    ("after", "kind", "words"),
    [
        ({"detailed_merge_status": "checking"}, Transient, "not finished checking it .checking"),
        ({"detailed_merge_status": "approvals_syncing"}, Transient, "approvals_syncing"),
        ({"detailed_merge_status": "ci_must_pass"}, Permanent, "GitLab refuses: ci_must_pass"),
        ({"detailed_merge_status": "conflict"}, Permanent, "conflict"),
        ({"detailed_merge_status": "mergeable"}, Transient, "now says that it can be merged"),
        ({"merge_error": "pre-receive hook\x1b declined"}, Permanent, "pre-receive hook declined"),
        ({"state": "merged"}, Conflict, "it is merged already"),
        ({"state": "closed"}, Conflict, "it is closed already"),
        ({"sha": "f" * 40}, Conflict, "its head is ffffffffffff"),
        ({"state": "locked"}, Transient, "locked"),
    ],
)
def test_R8_a_refused_merge_is_explained_by_one_more_read(
    web: responses.RequestsMock, status: int, after: dict[str, object], kind: type[OutsideError], words: str
) -> None:
    web.put(f"{REQUEST}/merge", status=status, json={"message": f"{status} Method Not Allowed"})
    web.get(REQUEST, json=merge_request(**after))
    with pytest.raises(OutsideError, match=words) as caught:
        forge().merge("platform/config", 7, HEAD, "message")
    assert type(caught.value) is kind
    assert [call.request.method for call in web.calls] == ["PUT", "GET"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, Permanent, "role that is allowed to merge into the target branch"),
        (409, Conflict, "SHA does not match HEAD"),
        (404, Permanent, "cannot see it"),
        (500, Transient, "500"),
    ],
)
def test_S17_other_refusals_of_a_merge(
    web: responses.RequestsMock, status: int, kind: type[OutsideError], words: str
) -> None:
    web.put(f"{REQUEST}/merge", status=status, json={"message": "SHA does not match HEAD of source branch"})
    with pytest.raises(OutsideError, match=words) as caught:
        forge().merge("platform/config", 7, HEAD, "message")
    assert type(caught.value) is kind
    assert len(web.calls) == 1


def test_a_merge_that_GitLab_only_queued_is_not_done(web: responses.RequestsMock) -> None:
    web.put(f"{REQUEST}/merge", json=merge_request(state="locked"))
    with pytest.raises(Transient, match="still opened"):
        forge().merge("platform/config", 7, HEAD, "message")


def test_the_explaining_read_may_be_limited_too(web: responses.RequestsMock) -> None:
    web.put(f"{REQUEST}/merge", status=405)
    web.get(REQUEST, status=429)
    with pytest.raises(RateLimited):
        forge().merge("platform/config", 7, HEAD, "message")
