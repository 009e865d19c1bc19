"""Notes, emoji and approvals."""

import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabError

from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, Clock, P, opened

REQUEST = "/projects/platform%2Fconfig/merge_requests/1"


def test_notes_are_written_edited_and_deleted(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    opened(sandbox)
    notes = client("dev").projects.get(P).mergerequests.get(1).notes
    note = notes.create({"body": "first"})
    clock.later(5)
    note.body = "second"
    note.save()
    assert (notes.get(note.id).body, note.author["username"], note.system) == ("second", "dev", False)
    assert note.created_at < notes.get(note.id).updated_at
    with pytest.raises(GitlabError, match="403"):
        client("rep").http_put(f"{REQUEST}/notes/{note.id}", post_data={"body": "mine"})
    notes.delete(note.id)
    with pytest.raises(GitlabError, match="404 Note Not Found"):
        notes.get(note.id)


def test_notes_come_newest_first_unless_asked_otherwise(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    for body in "abc":
        sandbox.comment_as("dev", P, 1, body)
    notes = client("dev").projects.get(P).mergerequests.get(1).notes
    assert "".join(one.body for one in notes.list(get_all=True)) == "cba"
    assert "".join(one.body for one in notes.list(get_all=True, sort="asc")) == "abc"


def test_system_notes_stand_among_the_others(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.comment_as("dev", P, 1, "hello")
    notes = client("dev").projects.get(P).mergerequests.get(1).notes
    assert [(one.system, one.body) for one in notes.list(get_all=True, sort="asc")] == [
        (True, "added 1 commit"),
        (False, "hello"),
    ]
    assert len(notes.list(get_all=True, activity_filter="only_comments")) == 1


@pytest.mark.parametrize(("body", "status"), [("x" * 1_000_000, 201), ("x" * 1_000_001, 400), ("", 400), (" \n", 400)])
def test_a_note_has_text_and_a_million_characters_at_most(
    sandbox: Sandbox, client: Client, body: str, status: int
) -> None:
    opened(sandbox)
    try:
        found = client("dev").http_request("post", f"{REQUEST}/notes", post_data={"body": body}).status_code
    except GitlabError as error:
        found = error.response_code or 0
    assert found == status


def test_an_emoji_is_given_once_and_taken_back(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    note = sandbox.comment_as("dev", P, 1, "/promote")
    for path in (f"{REQUEST}/award_emoji", f"{REQUEST}/notes/{note.id}/award_emoji"):
        made = client("bot").http_post(path, post_data={"name": "eyes"})
        assert isinstance(made, dict)
        with pytest.raises(GitlabError, match="404 Award Emoji Name has already been taken Not Found"):
            client("bot").http_post(path, post_data={"name": "eyes"})
        client("dev").http_post(path, post_data={"name": "eyes"})
        client("bot").http_delete(f"{path}/{made['id']}")
        listed = client("bot").http_list(path, get_all=True)
        assert [one["user"]["username"] for one in listed] == ["dev"]


def test_approvals_tell_who_when_and_what_is_left(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    sandbox.configure(P, approvals_before_merge=2)
    opened(sandbox)
    request = client("mira").projects.get(P).mergerequests.get(1)
    clock.later(60)
    request.approve(sha=request.sha)
    found = request.approvals.get()
    assert (found.approved, found.approvals_left, found.user_has_approved) == (False, 1, True)
    assert [(one["user"]["username"], one["approved_at"]) for one in found.approved_by] == [
        ("mira", "2026-03-02T09:01:00.000Z")
    ]
    with pytest.raises(GitlabAuthenticationError):
        request.approve()
    client("dev").projects.get(P).mergerequests.get(1).approve()
    assert request.approvals.get().approved is True
    request.unapprove()
    assert request.approvals.get().approvals_left == 1
    with pytest.raises(GitlabError, match="404"):
        request.unapprove()
    kept = sandbox.request(P, 1).approvals
    assert [(one.user.username, one.withdrawn_at is None) for one in kept] == [("mira", False), ("dev", True)]


def test_an_approval_of_another_head_is_refused(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    with pytest.raises(GitlabError, match="409: SHA does not match HEAD of source branch"):
        client("mira").projects.get(P).mergerequests.get(1).approve(sha="0" * 40)


def test_reporters_and_where_so_set_authors_do_not_approve(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    sandbox.configure(P, merge_requests_author_approval=False)
    for user, status in (("rep", 403), ("dev", 401)):
        with pytest.raises(GitlabError) as caught:
            client(user).http_post(f"{REQUEST}/approve")
        assert caught.value.response_code == status


@pytest.mark.parametrize(("reset", "left"), [(False, 1), (True, 0)])
def test_a_push_keeps_approvals_unless_the_project_resets_them(sandbox: Sandbox, reset: bool, left: int) -> None:
    sandbox.configure(P, reset_approvals_on_push=reset)
    opened(sandbox)
    sandbox.approve_as("mira", P, 1)
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    assert len(sandbox.request(P, 1).standing_approvals()) == left
