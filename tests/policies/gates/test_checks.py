"""The gate over the forge's pipeline."""

import pytest

from policies.gates.checks import judge
from policies.model import Check, CheckState
from policies.naming import STATUS
from policies.verdict import Outcome

BOT = 7

GREEN = Check("ci", CheckState.success)
RED = Check("lint", CheckState.failed)
RUNS = Check("e2e", CheckState.pending)
SKIPPED = Check("docs", CheckState.skipped)
ALLOWED = Check("flaky", CheckState.failed, allow_failure=True)
OWN = Check(STATUS, CheckState.failed, author_id=BOT)
OWN_GREEN = Check(STATUS, CheckState.success, author_id=BOT)


@pytest.mark.parametrize(
    ("checks", "required", "optional"),
    [
        ((), Outcome.wait, Outcome.passed),
        ((GREEN,), Outcome.passed, Outcome.passed),
        ((GREEN, SKIPPED), Outcome.passed, Outcome.passed),
        ((GREEN, ALLOWED), Outcome.passed, Outcome.passed),
        ((SKIPPED,), Outcome.wait, Outcome.passed),
        ((ALLOWED,), Outcome.wait, Outcome.passed),
        ((OWN_GREEN,), Outcome.wait, Outcome.passed),
        ((GREEN, OWN), Outcome.passed, Outcome.passed),
        ((GREEN, RUNS), Outcome.wait, Outcome.wait),
        ((GREEN, RED), Outcome.block, Outcome.block),
        ((RUNS, RED), Outcome.block, Outcome.block),
    ],
)
def test_S16_only_success_passes_and_absent_is_not_satisfied(
    checks: tuple[Check, ...], required: Outcome, optional: Outcome
) -> None:
    assert judge(checks, "required", BOT).outcome is required
    assert judge(checks, "optional", BOT).outcome is optional
    assert judge(checks, "ignored", BOT).outcome is Outcome.passed


def test_it_says_which_failed_and_what_would_change_it() -> None:
    found = judge((RED, Check("unit", CheckState.failed), GREEN), "required", BOT)
    assert (found.gate, found.reason) == ("checks", "`lint` and `unit` failed")
    assert found.change == "mend what it found, or run it again"


def test_it_says_which_have_not_finished() -> None:
    assert judge((RUNS, GREEN), "required", BOT).reason == "`e2e` not finished"


def test_it_says_that_nothing_reported() -> None:
    found = judge((), "required", BOT)
    assert found.reason == "no pipeline has reported on this commit"
    assert found.change == "run one on Towpath's branches, or set `checks: optional` for this stage"


def test_it_says_why_it_passes() -> None:
    assert judge((GREEN,), "required", BOT).reason == "`ci` succeeded"
    assert judge((), "optional", BOT).reason == "no pipeline runs here, which policy allows"
    assert judge((RED,), "ignored", BOT).reason == "policy ignores the pipeline here"


def test_S9_the_name_of_a_check_is_quoted() -> None:
    assert "`@all ¦ x`" in judge((Check("@all | x", CheckState.failed),), "required", BOT).reason


def test_S16_a_job_that_takes_towpaths_name_counts_like_any_other() -> None:
    forged = Check(STATUS, CheckState.failed, author_id=8)
    own = Check(STATUS, CheckState.failed, author_id=BOT)
    assert judge((GREEN, forged), "required", BOT).outcome is Outcome.block
    assert judge((GREEN, own), "required", BOT).outcome is Outcome.passed
    assert judge((Check(STATUS, CheckState.success, author_id=BOT),), "required", BOT).outcome is Outcome.wait
