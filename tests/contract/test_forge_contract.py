"""The contract of the Forge protocol, tried over real HTTP on every forge that Towpath can speak to."""

import base64
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import Emoji, Forge, Proposal, Recovery, Status, Webhook
from policies.model import (
    CheckState,
    Mergeable,
    MergeRequest,
    MergeRequestState,
    Permission,
    ReviewState,
    User,
)
from tests.contract.bench import Bench, Role, Trouble

R = "platform/config"
LABEL = "towpath"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COSTS = {
    "gitlab": {"open": 1, "list 21": 1, "requests from 2": 1, "close": 1, "checks": 1},
    # labels take a write of their own; lists tell no mergeability, and who closed one is told by the issue that it is
    "github": {"open": 2, "list 21": 22, "requests from 2": 4, "close": 2, "checks": 2},
}
"""API requests for each kind of forge, where they differ."""


def writes(bench: Bench) -> int:
    """How many writes the forge received since it was last asked."""
    return sum(call.method != "GET" for call in bench.calls())


def proposal(branch: str, title: str = "Promote checkout") -> Proposal:
    return Proposal(branch, "main", title, "what moves", (LABEL,))


def opened(bench: Bench, branch: str = "towpath/p/prod/checkout/1") -> MergeRequest:
    """A merge request with one commit of its own, checked and mergeable."""
    bench.push(branch, {f"{branch}.yaml": "image: 2\n"})
    request = bench.forge.open_request(R, proposal(branch))
    bench.settle()
    return bench.forge.request(R, request.iid)


def status(state: CheckState = CheckState.pending, text: str = "waits", name: str = "towpath/prod") -> Status:
    return Status(name, state, text, "https://towpath.example.com/1")


# --- who and where ---------------------------------------------------------------------------------------------------


def test_the_bot_knows_itself_by_one_read(bench: Bench) -> None:
    me = bench.forge.me()
    assert bench.forge.me() == me
    assert (me.id > 0, len(bench.calls())) == (True, 1)
    assert bench.as_role("developer").me().id != me.id


def test_the_default_branch_is_read_once(bench: Bench) -> None:
    assert [bench.forge.default_branch(R), bench.forge.default_branch(R)] == ["main", "main"]
    assert len(bench.calls()) == 1


def test_the_head_follows_a_push(bench: Bench) -> None:
    before = bench.forge.head(R, "main")
    pushed = bench.push("feature/a-b", {"a.yaml": "1\n"})
    assert bench.forge.head(R, "feature/a-b") == pushed
    assert bench.forge.head(R, "main") == before != pushed


def test_Git_takes_the_access_that_the_forge_gives(bench: Bench) -> None:
    access = bench.forge.access(R)
    assert bench.calls() == []
    basic = base64.b64encode(f"{access.username}:{access.password}".encode()).decode()
    given = {"KEY_0": "http.extraHeader", "VALUE_0": f"Authorization: Basic {basic}", "COUNT": "1"}
    environment = {"PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0"}
    environment |= {f"GIT_CONFIG_{key}": value for key, value in given.items()}
    command = ["git", "ls-remote", access.url, "refs/heads/main"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == [bench.forge.head(R, "main"), "refs/heads/main"]


@pytest.mark.parametrize(
    "ask",
    [
        lambda forge: forge.head(R, "missing"),
        lambda forge: forge.head("platform/missing", "main"),
        lambda forge: forge.request(R, 999),
        lambda forge: forge.default_branch("platform/missing"),
        lambda forge: forge.checks(R, "0" * 40),
        lambda forge: forge.edit_note(R, 1, 999, "text"),
        lambda forge: forge.merge(R, 999, "0" * 40, "message"),
    ],
)
def test_what_is_missing_is_permanent(bench: Bench, ask: Callable[[Forge], object]) -> None:
    with pytest.raises(Permanent):
        ask(bench.forge)


def test_a_token_that_the_forge_does_not_know_is_permanent(bench: Bench) -> None:
    with pytest.raises(Permanent, match="token"):
        bench.as_nobody().me()


def test_a_repository_that_the_user_may_not_see_is_permanent(bench: Bench) -> None:
    with pytest.raises(Permanent, match=R):
        bench.as_role("none").open_requests(R, LABEL)


# --- merge requests --------------------------------------------------------------------------------------------------


def test_a_merge_request_opens_with_all_that_was_proposed(bench: Bench) -> None:
    head = bench.push("towpath/p/prod/checkout/1", {"a.yaml": "2\n"})
    since = datetime.now(UTC) - timedelta(hours=1)
    bench.calls()
    found = bench.forge.open_request(R, proposal("towpath/p/prod/checkout/1"))
    assert len(bench.calls()) == COSTS[bench.kind]["open"]
    assert (found.title, found.description, found.labels) == ("Promote checkout", "what moves", (LABEL,))
    assert (found.source_branch, found.target_branch) == ("towpath/p/prod/checkout/1", "main")
    assert (found.state, found.head, found.same_project) == (MergeRequestState.opened, head, True)
    assert found.author.id == bench.forge.me().id
    assert found.url.startswith(bench.url)
    assert found.created_at.tzinfo is UTC
    assert since < found.created_at
    assert (found.merged_at, found.merged_by, found.merge_commit, found.closed_at) == (None, None, None, None)


def test_R8_a_new_merge_request_is_first_not_known_to_merge(bench: Bench) -> None:
    bench.push("a", {"a.yaml": "2\n"})
    iid = bench.forge.open_request(R, proposal("a")).iid
    first = bench.forge.request(R, iid)
    bench.settle()
    assert (first.mergeable, bench.forge.request(R, iid).mergeable) == (Mergeable.unknown, Mergeable.yes)


def test_R8_what_conflicts_is_known_not_to_merge(bench: Bench) -> None:
    bench.push("a", {"same.yaml": "1\n"})
    iid = bench.forge.open_request(R, proposal("a")).iid
    bench.push("main", {"same.yaml": "2\n"})
    bench.settle()
    assert bench.forge.request(R, iid).mergeable is Mergeable.no


def test_R5_a_second_merge_request_for_a_branch_is_a_conflict(bench: Bench) -> None:
    first = opened(bench)
    with pytest.raises(Conflict):
        bench.forge.open_request(R, proposal(first.source_branch, "again"))
    assert [found.iid for found in bench.forge.requests_from(R, first.source_branch)] == [first.iid]


def test_a_merge_request_from_a_branch_that_is_missing_is_permanent(bench: Bench) -> None:
    with pytest.raises(Permanent):
        bench.forge.open_request(R, proposal("missing"))


def test_R7_more_open_merge_requests_than_a_page_holds_by_default(bench: Bench) -> None:
    iids = set()
    for number in range(21):
        branch = f"towpath/p/prod/checkout/{number}"
        bench.push(branch, {f"{number}.yaml": "1\n"})
        iids.add(bench.forge.open_request(R, proposal(branch)).iid)
    bench.push("other", {"other.yaml": "1\n"})
    bench.forge.open_request(R, Proposal("other", "main", "by hand", "", ()))
    bench.calls()
    assert {found.iid for found in bench.forge.open_requests(R, LABEL)} == iids
    assert len(bench.calls()) == COSTS[bench.kind]["list 21"]


def test_the_list_of_open_merge_requests_checks_again_whether_they_merge(bench: Bench) -> None:
    iid = opened(bench).iid
    bench.push("main", {"other.yaml": "3\n"})
    bench.forge.open_requests(R, LABEL)
    bench.settle()
    (found,) = bench.forge.open_requests(R, LABEL)
    assert (found.iid, found.mergeable) == (iid, Mergeable.yes)


def test_all_merge_requests_of_a_branch_are_found_newest_first(bench: Bench) -> None:
    first = opened(bench)
    bench.forge.close(R, first.iid, "superseded")
    second = bench.forge.open_request(R, proposal(first.source_branch))
    opened(bench, "towpath/p/prod/cart/1")
    bench.calls()
    found = bench.forge.requests_from(R, first.source_branch)
    assert [request.iid for request in found] == [second.iid, first.iid]
    assert [request.state for request in found] == [MergeRequestState.opened, MergeRequestState.closed]
    assert len(bench.calls()) == COSTS[bench.kind]["requests from 2"]
    assert bench.forge.requests_from(R, "towpath/p/prod") == ()
    assert len(bench.calls()) == 1


def test_what_was_updated_since_is_found_in_any_state(bench: Bench) -> None:
    first, second = opened(bench, "a"), opened(bench, "b")
    bench.forge.close(R, first.iid, "superseded")
    last = max(found.updated_at for found in bench.forge.updated_requests(R, datetime(2020, 1, 1, tzinfo=UTC)))
    assert {found.iid for found in bench.forge.updated_requests(R, first.created_at)} == {first.iid, second.iid}
    assert bench.forge.updated_requests(R, last + timedelta(seconds=1)) == ()


def test_closing_labels_and_keeps_the_branch(bench: Bench) -> None:
    request = opened(bench)
    bench.calls()
    bench.forge.close(R, request.iid, "superseded")
    assert len(bench.calls()) == COSTS[bench.kind]["close"]
    found = bench.forge.request(R, request.iid)
    assert (found.state, set(found.labels)) == (MergeRequestState.closed, {LABEL, "superseded"})
    assert found.closed_by is not None
    assert found.closed_by.id == bench.forge.me().id
    assert found.closed_at is not None
    assert bench.forge.head(R, request.source_branch) == request.head
    assert bench.forge.open_requests(R, LABEL) == ()


# --- merging ---------------------------------------------------------------------------------------------------------


def test_S17_a_merge_brings_exactly_the_head_and_keeps_message_and_branch(bench: Bench) -> None:
    request = opened(bench)
    bench.forge.default_branch(R)
    bench.calls()
    commit = bench.forge.merge(R, request.iid, request.head, "Promote checkout\n\nTowpath-Stage: prod\n")
    assert len(bench.calls()) == 1
    assert bench.forge.head(R, "main") == commit
    assert bench.message(commit).strip() == "Promote checkout\n\nTowpath-Stage: prod"
    assert bench.forge.head(R, request.source_branch) == request.head
    found = bench.forge.request(R, request.iid)
    assert (found.state, found.merge_commit, found.head) == (MergeRequestState.merged, commit, request.head)
    assert found.merged_by is not None
    assert found.merged_by.id == bench.forge.me().id
    assert found.merged_at is not None


def test_S17_a_moved_head_is_a_conflict_and_merges_nothing(bench: Bench) -> None:
    request = opened(bench)
    before = bench.forge.head(R, "main")
    bench.push(request.source_branch, {"more.yaml": "1\n"})
    bench.settle()
    with pytest.raises(Conflict):
        bench.forge.merge(R, request.iid, request.head, "message")
    assert bench.forge.head(R, "main") == before


def test_a_merge_that_conflicts_is_permanent_and_says_why(bench: Bench) -> None:
    bench.push("a", {"same.yaml": "1\n"})
    request = bench.forge.open_request(R, proposal("a"))
    bench.push("main", {"same.yaml": "2\n"})
    bench.settle()
    with pytest.raises(Permanent, match="conflict"):
        bench.forge.merge(R, request.iid, request.head, "message")


def test_R8_a_merge_before_the_forge_has_checked_is_transient(bench: Bench) -> None:
    head = bench.push("a", {"a.yaml": "2\n"})
    iid = bench.forge.open_request(R, proposal("a")).iid
    with pytest.raises(Transient):
        bench.forge.merge(R, iid, head, "message")


def test_a_merge_that_lacks_its_checks_is_permanent_and_says_why(bench: Bench) -> None:
    bench.require_checks()
    request = opened(bench)
    bench.forge.set_status(R, request.head, request.source_branch, status(CheckState.failed, name="validate"))
    bench.settle()
    with pytest.raises(Permanent, match=r'ci_must_pass|Required status check "validate" is failing'):
        bench.forge.merge(R, request.iid, request.head, "message")
    bench.forge.set_status(R, request.head, request.source_branch, status(CheckState.success, name="validate"))
    bench.settle()
    assert bench.forge.merge(R, request.iid, request.head, "message") == bench.forge.head(R, "main")


def test_a_merge_by_somebody_without_the_right_is_permanent_and_names_the_role(bench: Bench) -> None:
    request = opened(bench)
    with pytest.raises(Permanent, match=r"role|not authorized to push to this branch"):
        bench.as_role("developer").merge(R, request.iid, request.head, "message")
    assert bench.forge.request(R, request.iid).state is MergeRequestState.opened


def test_merging_or_closing_what_is_merged_is_a_conflict(bench: Bench) -> None:
    request = opened(bench)
    bench.forge.merge(R, request.iid, request.head, "message")
    with pytest.raises(Conflict, match="merged"):
        bench.forge.merge(R, request.iid, request.head, "message")
    with pytest.raises(OutsideError):
        bench.forge.close(R, request.iid, "superseded")
    assert bench.forge.request(R, request.iid).state is MergeRequestState.merged


# --- comments --------------------------------------------------------------------------------------------------------


def test_comments_are_written_read_and_edited(bench: Bench) -> None:
    request = opened(bench)
    written = bench.forge.add_note(R, request.iid, "first *text*")
    bench.as_role("developer").add_note(R, request.iid, "a person's")
    bench.calls()
    bench.forge.edit_note(R, request.iid, written.id, "second text")
    ours, theirs = bench.forge.notes(R, request.iid)
    assert len(bench.calls()) == 2
    assert (ours.id, ours.body, ours.created_at) == (written.id, "second text", written.created_at)
    assert (ours.author.id, theirs.body) == (bench.forge.me().id, "a person's")
    assert theirs.author.id not in (0, ours.author.id)


def test_R7_more_comments_than_the_longest_page_holds(bench: Bench) -> None:
    iid = opened(bench).iid
    for number in range(101):
        bench.forge.add_note(R, iid, f"comment {number}")
    bench.calls()
    assert [note.body for note in bench.forge.notes(R, iid)] == [f"comment {number}" for number in range(101)]
    assert len(bench.calls()) == 2


def test_what_the_forge_notes_by_itself_is_no_comment(bench: Bench) -> None:
    request = opened(bench)
    bench.push(request.source_branch, {"more.yaml": "1\n"})
    bench.forge.close(R, request.iid, "superseded")
    assert bench.forge.notes(R, request.iid) == ()


def test_a_comment_that_is_too_long_is_permanent(bench: Bench) -> None:
    iid = opened(bench).iid
    with pytest.raises(Permanent):
        bench.forge.add_note(R, iid, "x" * 1_000_001)
    assert bench.forge.notes(R, iid) == ()


def test_a_comment_of_somebody_who_may_not_is_permanent(bench: Bench) -> None:
    iid = opened(bench).iid
    with pytest.raises(Permanent):
        bench.as_role("none").add_note(R, iid, "hello")


# --- statuses --------------------------------------------------------------------------------------------------------


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


# --- commits ---------------------------------------------------------------------------------------------------------


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


# --- people ----------------------------------------------------------------------------------------------------------


def test_labels_are_added_to_those_that_are_there(bench: Bench) -> None:
    request = opened(bench)
    bench.calls()
    bench.forge.label(R, request.iid, ["urgent", LABEL])
    assert writes(bench) == 1
    assert set(bench.forge.request(R, request.iid).labels) == {LABEL, "urgent"}


def test_a_comment_gets_an_emoji_once_and_is_removed(bench: Bench) -> None:
    iid = opened(bench).iid
    note = bench.as_role("developer").add_note(R, iid, "/promote")
    for emoji in (Emoji.seen, Emoji.seen, Emoji.done):
        bench.forge.react(R, iid, note.id, emoji)
    found = bench.forge.reactions(R, iid, note.id)
    assert [(one.name, one.user.id) for one in found] == [("eyes", bench.forge.me().id), ("+1", bench.forge.me().id)]
    bench.forge.delete_note(R, iid, note.id)
    assert bench.forge.notes(R, iid) == ()
    with pytest.raises(Permanent):
        bench.forge.delete_note(R, iid, note.id)
    with pytest.raises(Permanent):
        bench.forge.react(R, iid, note.id, Emoji.seen)


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


def test_people_are_asked_for_a_review_beside_those_asked_already(bench: Bench) -> None:
    request = opened(bench)
    bench.calls()
    bench.forge.ask_for_review(R, request.iid, [bench.user("developer")])
    assert writes(bench) == 1
    bench.forge.ask_for_review(R, request.iid, [bench.user("maintainer")])
    assert bench.reviewers(request.iid) == {bench.user("developer").id, bench.user("maintainer").id}


# --- webhooks --------------------------------------------------------------------------------------------------------


def test_a_webhook_is_set_up_once_and_then_brought_up_to_date(bench: Bench) -> None:
    webhook = Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret")
    assert "a-webhook-secret" not in repr(webhook)
    bench.calls()
    assert bench.forge.install_webhook(R, webhook) == "made"
    assert writes(bench) == 1
    assert bench.forge.install_webhook(R, replace(webhook, secret="another-secret")) == "brought up to date"
    (hook,) = bench.hooks()
    assert (hook.url, hook.token) == (webhook.url, "another-secret")
    bench.push("a", {"a.yaml": "1\n"})
    assert bench.deliveries() == 1


def test_setting_up_a_webhook_needs_the_right(bench: Bench) -> None:
    webhook = Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret")
    with pytest.raises(Permanent):
        bench.as_role("developer").install_webhook(R, webhook)
    with pytest.raises(Permanent):
        bench.as_role("developer").recover(R, "/hooks/x/main", EPOCH)
    assert bench.hooks() == []


def test_a_webhook_that_is_not_there_is_advised(bench: Bench) -> None:
    (advice,) = bench.forge.recover(R, "/hooks/x/main", EPOCH).advice
    assert "towpath webhooks install" in advice
    bench.forge.install_webhook(R, Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret"))
    assert bench.forge.recover(R, "/hooks/x/main", EPOCH) == Recovery()


# --- trouble ---------------------------------------------------------------------------------------------------------

READS: dict[str, Callable[[Forge, MergeRequest], object]] = {
    "head": lambda forge, _: forge.head(R, "main"),
    "open_requests": lambda forge, _: forge.open_requests(R, LABEL),
    "requests_from": lambda forge, request: forge.requests_from(R, request.source_branch),
    "request": lambda forge, request: forge.request(R, request.iid),
    "updated_requests": lambda forge, request: forge.updated_requests(R, request.created_at),
    "checks": lambda forge, request: forge.checks(R, request.head),
    "notes": lambda forge, request: forge.notes(R, request.iid),
    "reviews": lambda forge, request: forge.reviews(R, request.iid),
    "permission": lambda forge, _: forge.permission(R, forge.me()),
    "members": lambda forge, _: forge.members(R, "platform/managers"),
    "commits_between": lambda forge, request: forge.commits_between(R, request.head, request.head),
}

FIRST_READS: dict[str, Callable[[Forge], object]] = {
    "me": lambda forge: forge.me(),
    "default_branch": lambda forge: forge.default_branch(R),
}
"""What an adapter reads once and then remembers."""

WRITES: dict[str, Callable[[Forge, MergeRequest], object]] = {
    "open_request": lambda forge, _: forge.open_request(R, proposal("fresh")),
    "add_note": lambda forge, request: forge.add_note(R, request.iid, "text"),
    "set_status": lambda forge, request: forge.set_status(R, request.head, request.source_branch, status()),
    "merge": lambda forge, request: forge.merge(R, request.iid, request.head, "message"),
    "close": lambda forge, request: forge.close(R, request.iid, "superseded"),
    "label": lambda forge, request: forge.label(R, request.iid, ["urgent"]),
}

WRITING = "POST|PUT|PATCH|DELETE"

TOOK_EFFECT: dict[str, Callable[[Forge, MergeRequest], bool]] = {
    "open_request": lambda forge, _: len(forge.requests_from(R, "fresh")) == 1,
    "add_note": lambda forge, request: len(forge.notes(R, request.iid)) == 1,
    "set_status": lambda forge, request: len(forge.checks(R, request.head)) == 1,
    "merge": lambda forge, request: forge.request(R, request.iid).state is MergeRequestState.merged,
    "close": lambda forge, request: forge.request(R, request.iid).state is MergeRequestState.closed,
    "label": lambda forge, request: "urgent" in forge.request(R, request.iid).labels,
}


@pytest.fixture
def ready(bench: Bench) -> MergeRequest:
    """A merge request, and a branch `fresh` that has none; no call counted."""
    bench.push("fresh", {"fresh.yaml": "1\n"})
    request = opened(bench)
    bench.forge.me()
    bench.forge.default_branch(R)
    bench.team("developer")
    bench.calls()
    return request


@pytest.mark.parametrize("kind", ["limited", "exhausted"])
@pytest.mark.parametrize("name", [*READS, *WRITES])
def test_R6_a_limit_says_when_to_ask_again_and_is_not_pressed(
    bench: Bench, ready: MergeRequest, name: str, kind: Trouble
) -> None:
    bench.trouble(kind)
    with pytest.raises(RateLimited) as caught:
        (READS | WRITES)[name](bench.forge, ready)
    assert timedelta(seconds=15) < caught.value.retry_at - datetime.now(UTC) <= timedelta(seconds=30)
    assert len(bench.calls()) == 1


@pytest.mark.parametrize("name", READS)
def test_a_read_that_fails_is_transient_and_works_the_next_time(bench: Bench, ready: MergeRequest, name: str) -> None:
    bench.trouble("broken")
    with pytest.raises(Transient):
        READS[name](bench.forge, ready)
    assert len(bench.calls()) == 1
    READS[name](bench.forge, ready)


@pytest.mark.parametrize("name", FIRST_READS)
@pytest.mark.parametrize(
    ("kind", "error"), [("limited", RateLimited), ("exhausted", RateLimited), ("broken", Transient)]
)
def test_a_first_read_that_fails_is_asked_again_later(
    bench: Bench, name: str, kind: Trouble, error: type[OutsideError]
) -> None:
    forge = bench.as_role("maintainer")
    bench.trouble(kind)
    with pytest.raises(error):
        FIRST_READS[name](forge)
    assert FIRST_READS[name](forge)


@pytest.mark.parametrize("name", TOOK_EFFECT)
def test_R5_a_write_that_failed_is_transient_and_is_not_repeated(bench: Bench, ready: MergeRequest, name: str) -> None:
    bench.trouble("broken", WRITING)
    with pytest.raises(Transient):
        WRITES[name](bench.forge, ready)
    assert writes(bench) == 1
    assert not TOOK_EFFECT[name](bench.forge, ready)


@pytest.mark.parametrize("name", TOOK_EFFECT)
def test_R5_a_write_whose_answer_was_lost_is_not_repeated(bench: Bench, ready: MergeRequest, name: str) -> None:
    bench.trouble("broken-after", WRITING)
    with pytest.raises(Transient):
        WRITES[name](bench.forge, ready)
    assert writes(bench) == 1
    assert TOOK_EFFECT[name](bench.forge, ready)
