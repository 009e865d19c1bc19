"""The contract: who the bot is, and merge requests opened, listed and closed."""

import base64
import os
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import Conflict, Permanent
from bot.forges.base import Forge, Proposal
from policies.model import (
    Mergeable,
    MergeRequestState,
    Thread,
)
from tests.contract.bench import Bench
from tests.contract.steps import COSTS, LABEL, R, opened, proposal

# --- who and where --------------------------------------------------------------------------------------------------


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
        lambda forge: forge.edit_note(R, Thread(1), 999, "text"),
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


# --- merge requests -------------------------------------------------------------------------------------------------


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
