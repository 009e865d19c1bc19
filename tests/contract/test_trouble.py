"""The contract: limits, failures, and writes that are never repeated."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from bot.errors import OutsideError, RateLimited, Transient
from bot.forges.base import Forge
from policies.model import (
    MergeRequest,
    MergeRequestState,
    Thread,
)
from tests.contract.bench import Bench, Trouble
from tests.contract.steps import LABEL, R, opened, proposal, status, writes

# --- trouble --------------------------------------------------------------------------------------------------------

READS: dict[str, Callable[[Forge, MergeRequest], object]] = {
    "head": lambda forge, _: forge.head(R, "main"),
    "open_requests": lambda forge, _: forge.open_requests(R, LABEL),
    "requests_from": lambda forge, request: forge.requests_from(R, request.source_branch),
    "request": lambda forge, request: forge.request(R, request.iid),
    "updated_requests": lambda forge, request: forge.updated_requests(R, request.created_at),
    "checks": lambda forge, request: forge.checks(R, request.head),
    "notes": lambda forge, request: forge.notes(R, Thread(request.iid)),
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
    "add_note": lambda forge, request: forge.add_note(R, Thread(request.iid), "text"),
    "set_status": lambda forge, request: forge.set_status(R, request.head, request.source_branch, status()),
    "merge": lambda forge, request: forge.merge(R, request.iid, request.head, "message"),
    "close": lambda forge, request: forge.close(R, request.iid, "superseded"),
    "label": lambda forge, request: forge.label(R, request.iid, ["urgent"]),
}

WRITING = "POST|PUT|PATCH|DELETE"

TOOK_EFFECT: dict[str, Callable[[Forge, MergeRequest], bool]] = {
    "open_request": lambda forge, _: len(forge.requests_from(R, "fresh")) == 1,
    "add_note": lambda forge, request: len(forge.notes(R, Thread(request.iid))) == 1,
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
