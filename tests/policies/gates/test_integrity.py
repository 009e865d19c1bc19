"""The gate that proves a promotion by merging it (S13)."""

from dataclasses import replace

import pytest

from policies.gates.integrity import judge
from policies.snapshot import Integrity
from policies.verdict import Outcome
from tests import builders as a

OTHER = "f" * 40
PATHS = ("a.yaml", "b.yaml")


@pytest.mark.parametrize(
    ("integrity", "outcome"),
    [
        (Integrity(a.TREE, a.TREE, (), own=True), Outcome.passed),
        (Integrity(a.TREE, a.TREE, (), own=False), Outcome.passed),
        (Integrity(a.TREE, OTHER, PATHS, own=True), Outcome.wait),
        (Integrity(a.TREE, OTHER, PATHS, own=False), Outcome.block),
        (Integrity(a.TREE, None, PATHS, own=True), Outcome.wait),
        (Integrity(a.TREE, None, PATHS, own=False), Outcome.block),
        (Integrity(None, a.TREE, PATHS, own=True), Outcome.block),
        (Integrity(None, None, (), own=True), Outcome.block),
        (Integrity(None, None, (), own=False), Outcome.block),
    ],
)
def test_S13_only_the_exact_tree_passes(integrity: Integrity, outcome: Outcome) -> None:
    assert judge(a.promotion(integrity=integrity)).outcome is outcome


def test_S13_a_foreign_commit_is_named_by_what_it_would_change_and_how_to_take_it_out() -> None:
    found = judge(a.promotion(integrity=replace(a.FOREIGN, differing=PATHS)))
    assert found.reason == (
        "the branch holds more than this release: somebody pushed to it, and merging it would also change "
        "`a.yaml` and `b.yaml`"
    )
    assert found.change == f"set the branch back to Towpath's own commit `{a.MADE[:12]}`"


def test_S13_without_towpaths_own_commit_there_is_nothing_to_set_back_to() -> None:
    found = judge(a.promotion(integrity=Integrity(a.TREE, None, (), own=False)))
    assert found.reason.endswith("would also change the whole branch")
    assert found.change == "close it"


def test_S13_a_merge_request_that_goes_elsewhere_blocks_whatever_else_is_true_of_it() -> None:
    found = judge(a.promotion(integrity=replace(a.PROVED, elsewhere="release")))
    assert (found.gate, found.outcome) == ("integrity", Outcome.block)
    assert found.reason == "the merge request goes to `release` instead of the branch that Towpath promotes on"
    assert found.change == "set its target branch back, or close it"


def test_a_target_branch_that_moved_on_waits_for_the_next_attempt() -> None:
    found = judge(a.promotion(integrity=replace(a.STALE, differing=PATHS)))
    assert found.reason == "the target branch has moved on in `a.yaml` and `b.yaml`"


def test_a_release_that_cannot_be_spliced_in_any_more_says_what_to_mend() -> None:
    found = judge(a.promotion(integrity=a.GONE))
    assert found.reason == "the release can no longer be spliced into the target branch"
    assert found.change == "mend the files named below"
