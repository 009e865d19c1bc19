"""The contract: merging, and why not."""

import pytest

from bot.errors import Conflict, OutsideError, Permanent, Transient
from policies.model import (
    CheckState,
    MergeRequestState,
)
from tests.contract.bench import Bench
from tests.contract.steps import R, opened, proposal, status, writes

# --- merging --------------------------------------------------------------------------------------------------------


def test_S17_a_merge_brings_exactly_the_head_and_keeps_message_and_branch(bench: Bench) -> None:
    request = opened(bench)
    bench.forge.default_branch(R)
    bench.calls()
    commit = bench.forge.merge(R, request.iid, request.head, "Promote checkout\n\nTowpath-Stage: prod\n")
    assert writes(bench) == 1
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
