"""GitLab's dialect: issues, comments on them, and the quick actions that GitLab takes out of comments."""

import pytest
from gitlab.exceptions import GitlabError

from bot.sandbox.gitlab.quick_actions import split
from bot.sandbox.model import RequestState, Role
from bot.sandbox.requests import Edit
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, Clock, P, opened

REQUEST = "/projects/platform%2Fconfig/merge_requests/1"
ISSUES = "/projects/platform%2Fconfig/issues"
ISSUE = f"{ISSUES}/1"


def write(client: Client, user: str, place: str, body: str, **more: object) -> tuple[int, dict[str, object]]:
    """A new note: status, and what was answered."""
    try:
        answer = client(user).http_request("post", f"{place}/notes", post_data={"body": body, **more})
    except GitlabError as refusal:
        return refusal.response_code or 0, {"message": refusal.error_message}
    return answer.status_code, answer.json()


def texts(sandbox: Sandbox, *, issue: bool = False) -> list[str]:
    thread = sandbox.issue(P, 1) if issue else sandbox.request(P, 1)
    return [one.body for one in thread.notes if not one.system]


# --- issues ---------------------------------------------------------------------------------------------------------


def test_issues_are_opened_listed_edited_and_closed(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    sandbox.state.one_row = False
    opened(sandbox)
    issues = client("rep").projects.get(P).issues
    first = issues.create({"title": "Control", "labels": "towpath,red"})
    clock.later(60)
    second = issues.create({"title": "Other", "labels": "red"})
    assert (first.iid, second.iid, first.state, first.labels) == (1, 2, "opened", ["red", "towpath"])
    assert first.web_url.endswith(f"/{P}/-/issues/1")

    def listed(query: str = "") -> list[int]:
        return [one["iid"] for one in client("rep").http_list(f"{ISSUES}?{query}", get_all=True)]

    assert listed() == [2, 1]
    assert listed("labels=red,towpath") == [1]
    assert listed("updated_after=2026-03-02T09:01:00Z") == [2]
    clock.later(60)
    first.state_event = "close"
    first.save()
    assert (listed("state=opened"), listed("state=closed")) == ([2], [1])
    assert listed("order_by=updated_at&sort=asc") == [2, 1]
    with pytest.raises(GitlabError, match="404 Issue Not Found"):
        issues.get(9)
    assert [one.action for one in issues.get(1).resourcelabelevents.list(get_all=True)] == ["add", "add"]


def test_guests_talk_on_issues_but_label_nothing(sandbox: Sandbox, client: Client) -> None:
    sandbox.add_user("guest")
    sandbox.add_member(P, "guest", Role.guest)
    issue = client("guest").projects.get(P).issues.create({"title": "Help"})
    assert write(client, "guest", ISSUE, "please")[0] == 201
    for user, status in (("guest", 403), ("out", 404)):
        with pytest.raises(GitlabError) as caught:
            client(user).http_put(ISSUE, post_data={"add_labels": "red"})
        assert caught.value.response_code == status
    issue.state_event = "close"
    issue.save()
    assert sandbox.issue(P, 1).state is RequestState.closed


def test_merge_requests_and_issues_share_a_row_only_where_asked(sandbox: Sandbox) -> None:
    first = opened(sandbox)
    assert (first.iid, sandbox.issue_as("rep", P, "a").iid, opened(sandbox, "more").iid) == (1, 2, 3)
    sandbox.state.one_row = False
    assert (sandbox.issue_as("rep", P, "b").iid, opened(sandbox, "further").iid) == (3, 4)


# --- notes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [REQUEST, ISSUE])
def test_internal_notes_are_for_reporters_and_above(sandbox: Sandbox, client: Client, place: str) -> None:
    sandbox.state.one_row = False
    opened(sandbox)
    sandbox.issue_as("rep", P, "Control")
    sandbox.configure(P, visibility="public")
    sandbox.add_user("guest")
    sandbox.add_member(P, "guest", Role.guest)
    _, made = write(client, "rep", place, "for us", internal=True)
    assert made["internal"] is True
    for user, seen in (("rep", 1), ("guest", 0), ("out", 0)):
        assert len(client(user).http_list(f"{place}/notes", get_all=True)) == seen
        if not seen:
            for path in (f"{place}/notes/{made['id']}", f"{place}/notes/{made['id']}/award_emoji"):
                with pytest.raises(GitlabError, match="404 Note Not Found"):
                    client(user).http_get(path)
    assert write(client, "guest", ISSUE, "hidden", internal=True)[0] == 403


def test_an_emoji_counts_as_an_update_of_the_note(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    opened(sandbox)
    note = sandbox.comment_as("dev", P, 1, "text")
    made = note.updated_at
    given = clock.later(5)
    award = client("bot").http_post(f"{REQUEST}/notes/{note.id}/award_emoji", post_data={"name": "eyes"})
    assert (note.updated_at, note.created_at, note.edited) == (given, made, False)
    assert isinstance(award, dict)
    taken = clock.later(5)
    client("bot").http_delete(f"{REQUEST}/notes/{note.id}/award_emoji/{award['id']}")
    assert note.updated_at == taken


# --- quick actions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "left", "names"),
    [
        ("/close", "", ["close"]),
        ("/CLOSE  ", "", ["close"]),
        ("before\n/label ~red\nafter", "before\nafter", ["label"]),
        ("before\r\n/close\r\n", "before", ["close"]),
        ("/promote prod\n/hold", "/hold", ["promote"]),
        ("/towpath promote", "/towpath promote", []),
        ("/closed", "/closed", []),
        ("/merge-it", "/merge-it", []),
        (" /close", " /close", []),
        ("say `/close`", "say `/close`", []),
        ("```\n/close\n```", "```\n/close\n```", []),
        ("~~~~\n/close\n~~~\n/merge\n~~~~\n/label ~a", "~~~~\n/close\n~~~\n/merge\n~~~~", ["label"]),
        ("nothing \n", "nothing \n", []),
    ],
)
def test_what_GitLab_takes_out_of_a_comment(text: str, left: str, names: list[str]) -> None:
    found, commands = split(text)
    assert (found, [name for name, _ in commands]) == (left, names)


def test_a_comment_of_nothing_else_is_done_and_not_kept(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    status, answer = write(client, "dev", REQUEST, "/close\n")
    assert (status, answer) == (
        202,
        {"commands_changes": {"state_event": "close"}, "summary": ["Applied close command."]},
    )
    assert (texts(sandbox), sandbox.request(P, 1).state) == ([], RequestState.closed)
    status, answer = write(client, "dev", REQUEST, "/close")
    assert (status, "Could not apply close command" in str(answer["message"])) == (400, True)


def test_what_is_left_of_a_comment_is_kept(sandbox: Sandbox, client: Client) -> None:
    sandbox.edit_as("dev", P, opened(sandbox).iid, Edit(add_labels=("red", "very blue")))
    status, answer = write(client, "rep", REQUEST, "see\n/unlabel ~red\n/hold")
    assert (status, answer["body"], sandbox.request(P, 1).labels) == (201, "see\n/hold", ["red", "very blue"])
    write(client, "dev", REQUEST, 'see\n/unlabel ~red ~"very blue"')
    assert sandbox.request(P, 1).labels == []
    write(client, "dev", REQUEST, '/label ~red ~"very blue" ~unknown')
    assert (texts(sandbox), sandbox.request(P, 1).labels) == (["see\n/hold", "see"], ["red", "very blue"])
    assert write(client, "dev", REQUEST, "/label ~unknown")[0] == 400


@pytest.mark.parametrize(
    ("user", "head", "state"),
    [
        ("mira", "right", RequestState.merged),
        ("mira", "other", RequestState.opened),
        ("mira", None, RequestState.opened),
        ("dev", "right", RequestState.opened),
    ],
)
def test_merge_needs_the_head_that_was_seen_and_the_right(
    sandbox: Sandbox, client: Client, user: str, head: str | None, state: RequestState
) -> None:
    request = opened(sandbox)
    seen = {"right": request.head, "other": "0" * 40}.get(head or "")
    status, _ = write(client, user, REQUEST, "/merge", merge_request_diff_head_sha=seen)
    assert (request.state, status) == (state, 202 if state is RequestState.merged else 400)
    assert texts(sandbox) == []


def test_GitLabs_page_sends_the_head_along(sandbox: Sandbox) -> None:
    request = opened(sandbox)
    assert sandbox.say_on_gitlab_as("mira", P, 1, "/merge") is None
    assert request.state is RequestState.merged


def test_promote_is_taken_out_everywhere_and_does_nothing(sandbox: Sandbox, client: Client) -> None:
    sandbox.state.one_row = False
    opened(sandbox)
    sandbox.issue_as("rep", P, "Control")
    assert write(client, "rep", ISSUE, "/promote checkout to prod")[0] == 202
    assert write(client, "dev", REQUEST, "/promote prod")[0] == 400
    assert write(client, "dev", ISSUE, "please\n/promote")[1]["body"] == "please"
    assert (texts(sandbox, issue=True), texts(sandbox)) == (["please"], [])
    assert sandbox.issue(P, 1).state is RequestState.opened
