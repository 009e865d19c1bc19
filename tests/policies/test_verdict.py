"""Verdicts: the worst rules, and says all of its reasons."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from policies.verdict import Outcome, Verdict, block, combine, passed, wait
from tests import builders as a

PASS = passed("a", "fine")
WAIT = wait("b", "soaks", until=a.NOW)
LATER = wait("c", "window", until=a.NOW + timedelta(hours=2))
OPEN_END = wait("d", "approvals", "two approvals")
BLOCK = block("e", "foreign commit", "take it out")
OTHER = block("f", "checks failed", "run them again")
verdicts = st.lists(st.sampled_from([PASS, WAIT, LATER, OPEN_END, BLOCK, OTHER]), max_size=6).map(tuple)


def test_nothing_to_ask_passes() -> None:
    assert combine("all", ()) == Verdict("all", Outcome.passed, "every gate passes")


def test_all_pass_so_it_passes() -> None:
    found = combine("all", (PASS, PASS))
    assert (found.outcome, found.change, found.children) == (Outcome.passed, "", (PASS, PASS))


def test_a_block_rules_over_a_wait_and_every_block_says_why() -> None:
    found = combine("all", (WAIT, BLOCK, PASS, OTHER))
    assert (found.outcome, found.reason) == (Outcome.block, "foreign commit; checks failed")
    assert (found.change, found.until) == ("take it out; run them again", None)
    assert found.children == (WAIT, BLOCK, PASS, OTHER)


def test_a_wait_rules_over_a_pass() -> None:
    found = combine("all", (PASS, OPEN_END))
    assert (found.gate, found.outcome, found.reason, found.change) == (
        "all",
        Outcome.wait,
        "approvals",
        "two approvals",
    )


def test_waits_that_end_by_themselves_end_with_the_last() -> None:
    found = combine("all", (LATER, WAIT))
    assert (found.until, found.change) == (LATER.until, "")


def test_one_wait_without_an_end_has_none() -> None:
    assert combine("all", (LATER, OPEN_END)).until is None


@given(verdicts)
def test_S16_it_passes_only_where_all_pass(some: tuple[Verdict, ...]) -> None:
    found = combine("all", some)
    assert (found.outcome is Outcome.passed) is all(one.outcome is Outcome.passed for one in some)
    assert (found.outcome is Outcome.block) is any(one.outcome is Outcome.block for one in some)


@given(verdicts)
def test_the_order_of_the_gates_changes_no_outcome(some: tuple[Verdict, ...]) -> None:
    one, other = combine("all", some), combine("all", some[::-1])
    assert (one.outcome, one.until) == (other.outcome, other.until)


@given(verdicts)
def test_every_block_says_what_would_change_it(some: tuple[Verdict, ...]) -> None:
    found = combine("all", some)
    assert found.change or found.outcome is not Outcome.block
