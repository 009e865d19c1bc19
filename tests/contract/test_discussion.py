"""The contract: comments, statuses, people, and the commits of sources."""

from dataclasses import replace
from datetime import UTC

import pytest

from bot.errors import Permanent
from bot.forges.base import Emoji
from policies.model import (
    CheckState,
    Permission,
    ReviewState,
    Thread,
    User,
)
from tests.contract.bench import Bench, Role
from tests.contract.steps import COSTS, LABEL, R, opened, proposal, status, writes

# --- comments -------------------------------------------------------------------------------------------------------


def test_comments_are_written_read_and_edited(bench: Bench) -> None:
    request = opened(bench)
    written = bench.forge.add_note(R, Thread(request.iid), "first *text*")
    bench.as_role("developer").add_note(R, Thread(request.iid), "a person's")
    bench.calls()
    bench.forge.edit_note(R, Thread(request.iid), written.id, "second text")
    ours, theirs = bench.forge.notes(R, Thread(request.iid))
    assert len(bench.calls()) == 2
    assert (ours.id, ours.body, ours.created_at) == (written.id, "second text", written.created_at)
    assert (ours.author.id, theirs.body) == (bench.forge.me().id, "a person's")
    assert theirs.author.id not in (0, ours.author.id)


def test_R7_more_comments_than_the_longest_page_holds(bench: Bench) -> None:
    iid = opened(bench).iid
    for number in range(101):
        bench.forge.add_note(R, Thread(iid), f"comment {number}")
    bench.calls()
    assert [note.body for note in bench.forge.notes(R, Thread(iid))] == [f"comment {number}" for number in range(101)]
    assert len(bench.calls()) == 2


def test_what_the_forge_notes_by_itself_is_no_comment(bench: Bench) -> None:
    request = opened(bench)
    bench.push(request.source_branch, {"more.yaml": "1\n"})
    bench.forge.close(R, request.iid, "superseded")
    assert bench.forge.notes(R, Thread(request.iid)) == ()


def test_a_comment_that_is_too_long_is_permanent(bench: Bench) -> None:
    iid = opened(bench).iid
    with pytest.raises(Permanent):
        bench.forge.add_note(R, Thread(iid), "x" * 1_000_001)
    assert bench.forge.notes(R, Thread(iid)) == ()


def test_a_comment_of_somebody_who_may_not_is_permanent(bench: Bench) -> None:
    iid = opened(bench).iid
    with pytest.raises(Permanent):
        bench.as_role("none").add_note(R, Thread(iid), "hello")


# --- statuses -------------------------------------------------------------------------------------------------------


def test_a_status_is_set_and_read(bench: Bench) -> None:
    request = opened(bench)
    bench.forge.me()
    bench.calls()
    bench.forge.set_status(R, request.head, request.source_branch, status(text="waits for its window"))
    (found,) = bench.forge.checks(R, request.head)
    assert len(bench.calls()) == 1 + COSTS[bench.kind]["checks"]
    assert (found.name, found.state, found.description) == ("towpath/prod", CheckState.pending, "waits for its window")
    assert (found.url, found.author_id) == ("https://towpath.example.com/1", bench.forge.me().id)


def test_the_newest_status_of_a_name_counts_and_setting_it_again_is_no_fault(bench: Bench) -> None:
    request = opened(bench)

    def sets(state: CheckState) -> CheckState:
        bench.forge.set_status(R, request.head, request.source_branch, status(state))
        (found,) = bench.forge.checks(R, request.head)
        return found.state

    for state in (CheckState.pending, CheckState.pending, CheckState.success, CheckState.success):
        assert sets(state) is state
    for state in (CheckState.failed, CheckState.pending, CheckState.success):
        assert sets(state) is state


def test_R7_more_statuses_than_a_page_holds_by_default(bench: Bench) -> None:
    request = opened(bench)
    names = {f"lint/{number:02}" for number in range(21)}
    for name in names:
        bench.forge.set_status(R, request.head, request.source_branch, status(CheckState.success, name=name))
    assert {check.name for check in bench.forge.checks(R, request.head)} == names


def test_a_commit_without_statuses_has_none(bench: Bench) -> None:
    assert bench.forge.checks(R, bench.forge.head(R, "main")) == ()


def test_a_status_of_somebody_who_may_not_is_permanent(bench: Bench) -> None:
    request = opened(bench)
    with pytest.raises(Permanent):
        bench.as_role("reporter").set_status(R, request.head, request.source_branch, status())
    assert bench.forge.checks(R, request.head) == ()


# --- people ---------------------------------------------------------------------------------------------------------


def test_labels_are_added_to_those_that_are_there(bench: Bench) -> None:
    request = opened(bench)
    bench.calls()
    bench.forge.label(R, request.iid, ["urgent", LABEL])
    assert writes(bench) == 1
    assert set(bench.forge.request(R, request.iid).labels) == {LABEL, "urgent"}


def test_a_comment_gets_an_emoji_once_and_is_removed(bench: Bench) -> None:
    iid = opened(bench).iid
    note = bench.as_role("developer").add_note(R, Thread(iid), "/rollback prod")
    for emoji in (Emoji.seen, Emoji.seen, Emoji.done):
        bench.forge.react(R, Thread(iid), note.id, emoji)
    found = bench.forge.reactions(R, Thread(iid), note.id)
    assert [(one.name, one.user.id) for one in found] == [
        ("eyes", bench.forge.me().id),
        ("hooray", bench.forge.me().id),
    ]
    bench.forge.delete_note(R, Thread(iid), note.id)
    assert bench.forge.notes(R, Thread(iid)) == ()
    with pytest.raises(Permanent):
        bench.forge.delete_note(R, Thread(iid), note.id)
    with pytest.raises(Permanent):
        bench.forge.react(R, Thread(iid), note.id, Emoji.seen)


def test_an_approval_stands_until_it_is_taken_back(bench: Bench) -> None:
    request = opened(bench)
    bench.approve("developer", request.iid)
    (found,) = bench.forge.reviews(R, request.iid)
    assert (found.user.id, found.state) == (bench.user("developer").id, ReviewState.approved)
    assert found.sha in (None, request.head)
    assert found.at.tzinfo is UTC
    bench.approve("maintainer", request.iid)
    assert [one.user.id for one in bench.forge.reviews(R, request.iid)] == [found.user.id, bench.user("maintainer").id]
    bench.unapprove("developer", request.iid)
    assert [one.user.id for one in bench.forge.reviews(R, request.iid)] == [bench.user("maintainer").id]


def test_the_members_of_a_group_and_of_none(bench: Bench) -> None:
    group = bench.team("developer", "reporter")
    found = {user.id for user in bench.forge.members(R, group)}
    assert found == {bench.user("developer").id, bench.user("reporter").id}
    with pytest.raises(Permanent):
        bench.forge.members(R, "platform/nobody")


def test_what_people_may_do_goes_by_their_number(bench: Bench) -> None:
    wanted = {
        "none": Permission.none,
        "reporter": Permission.read,
        "developer": Permission.write,
        "maintainer": Permission.maintain,
    }
    roles: tuple[Role, ...] = ("none", "reporter", "developer", "maintainer")
    assert {role: bench.forge.permission(R, bench.user(role)) for role in roles} == wanted
    renamed = User(987654, "maintainer")
    assert bench.forge.permission(R, renamed) is Permission.none


def test_people_are_asked_for_a_review_as_it_opens_and_who_cannot_be_is_passed_over(bench: Bench) -> None:
    bench.push("a", {"a.yaml": "1\n"})
    bench.forge.me()
    bench.calls()
    reviewers = (bench.user("developer"), bench.user("maintainer"))
    request = bench.forge.open_request(R, replace(proposal("a"), reviewers=reviewers))
    assert writes(bench) == {"gitlab": 1, "github": 3}[bench.kind]
    assert bench.reviewers(request.iid) == {one.id for one in reviewers}
    bench.push("b", {"b.yaml": "1\n"})
    stranger = (User(987654, "nobody-at-all"), bench.user("developer"))
    request = bench.forge.open_request(R, replace(proposal("b"), reviewers=stranger))
    assert bench.reviewers(request.iid) == {bench.user("developer").id}


def test_people_are_asked_for_a_review_beside_those_asked_already(bench: Bench) -> None:
    request = opened(bench)
    bench.calls()
    bench.forge.ask_for_review(R, request.iid, [bench.user("developer")])
    assert writes(bench) == 1
    bench.forge.ask_for_review(R, request.iid, [bench.user("maintainer")])
    assert bench.reviewers(request.iid) == {bench.user("developer").id, bench.user("maintainer").id}


# --- commits --------------------------------------------------------------------------------------------------------


def test_the_commits_between_two_builds_newest_first_by_path_or_address(bench: Bench) -> None:
    old = bench.forge.head(R, "main")
    bench.push("work", {"a.yaml": "1\n"}, "first\n\nbody")
    new = bench.push("work", {"a.yaml": "2\n"}, "second")
    for source in (R, f"{bench.url}/{R}", f"{bench.url}/{R}.git"):
        found = bench.forge.commits_between(source, old, new)
        assert [commit.title for commit in found] == ["second", "first"]
        assert found[0].sha == new
        assert found[0].author


def test_commits_of_elsewhere_or_unknown_are_none(bench: Bench) -> None:
    head = bench.forge.head(R, "main")
    bench.calls()
    assert bench.forge.commits_between("https://forge.example.com/platform/config", head, head) == ()
    assert bench.calls() == []
    assert bench.forge.commits_between(R, "0" * 40, head) == ()
    assert bench.forge.commits_between("platform/missing", head, head) == ()
    assert bench.as_role("none").commits_between(R, head, head) == ()
