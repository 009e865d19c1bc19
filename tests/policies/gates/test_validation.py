"""The gate over what validators found: errors block, what nobody has seen waits, the rest passes and is told."""

from datetime import timedelta

import pytest

from policies.findings import Checked, Finding, Ran, Severity, Validation
from policies.gates.validation import PATIENCE, judge
from policies.validating import Validating
from policies.verdict import Outcome, Verdict
from tests import builders as a

ENFORCE = Validating()
REQUIRED = Validating.model_validate({"checks": {"helm": {"required": True}}, "commands": {"lint": {"required": True}}})
ERROR, WARNING = Finding("is bad", path="a.yaml", line=3), Finding("is odd", Severity.warning)
REPORT = Validating(mode="report")
NOTE = Finding("by the way", Severity.note)
YOUNG = timedelta(0)


def found(*checked: Checked, rules: Validating = ENFORCE, age: timedelta = YOUNG, seen: bool = True) -> Verdict:
    request = a.request(created_at=a.NOW - age)
    one = a.promotion(validation=Validation("k", checked) if seen else None, request=request)
    (verdict,) = judge(one, rules, a.NOW)
    return verdict


def said(name: str, *findings: Finding) -> Checked:
    return Checked(name, "a.yaml", findings=findings)


def unable(name: str, how: Ran, why: str = "it is not installed") -> Checked:
    return Checked(name, "a.yaml", how, why=why)


SKIPPED, BROKEN = unable("helm", Ran.skipped), unable("trivy", Ran.broken, "trivy did not end within 30 s")


@pytest.mark.parametrize(
    ("checked", "rules", "outcome", "reason"),
    [
        ((said("pinned"),), ENFORCE, Outcome.passed, "1 validator found nothing"),
        ((said("pinned"), said("secrets")), ENFORCE, Outcome.passed, "2 validators found nothing"),
        ((said("pinned"), said("pinned")), ENFORCE, Outcome.passed, "1 validator found nothing"),
        ((said("pinned", WARNING, NOTE), said("secrets", NOTE)), ENFORCE, Outcome.passed,
         "2 validators found 1 warning and 2 notes"),
        ((said("pinned"), SKIPPED), ENFORCE, Outcome.passed, "1 validator found nothing; `helm` did not look"),
        ((said("pinned", ERROR),), ENFORCE, Outcome.block, "`pinned` found 1 error"),
        ((said("pinned", ERROR, WARNING), said("secrets", ERROR, NOTE), said("pinned", ERROR)), ENFORCE, Outcome.block,
         "`pinned` found 2 errors and `secrets` found 1 error"),
        ((said("pinned", ERROR), BROKEN), ENFORCE, Outcome.block, "`pinned` found 1 error"),
        ((BROKEN,), ENFORCE, Outcome.wait, "`trivy` came to no end: trivy did not end within 30 s"),
        ((SKIPPED,), REQUIRED, Outcome.wait, "`helm` is required, but it is not installed"),
        ((unable("lint", Ran.skipped), BROKEN), REQUIRED, Outcome.wait,
         "`lint` is required, but it is not installed, and 1 more"),
        ((said("pinned", ERROR),), REPORT, Outcome.passed, "1 validator found 1 error, which is only reported"),
        ((said("pinned", ERROR, WARNING),), REPORT, Outcome.passed,
         "1 validator found 1 error and 1 warning, which are only reported"),
        ((said("pinned", ERROR), SKIPPED), REPORT, Outcome.passed,
         "1 validator found 1 error, which is only reported; `helm` did not look"),
        ((said("pinned", WARNING),), REPORT, Outcome.passed, "1 validator found 1 warning"),
        ((BROKEN,), REPORT, Outcome.passed, "0 validators found nothing; `trivy` did not look"),
    ],
)  # fmt: skip
def test_what_the_gate_says(checked: tuple[Checked, ...], rules: Validating, outcome: Outcome, reason: str) -> None:
    verdict = found(*checked, rules=rules)
    assert (verdict.gate, verdict.outcome, verdict.reason) == ("validation", outcome, reason)
    assert bool(verdict.change) is (outcome is not Outcome.passed)


@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (YOUNG, "the validators are still looking"),
        (PATIENCE, "the validators are still looking"),
        (PATIENCE + timedelta(seconds=1), "no validator has answered so far"),
    ],
)
def test_S16_what_nobody_has_looked_at_is_not_passed(age: timedelta, reason: str) -> None:
    verdict = found(seen=False, age=age)
    assert (verdict.outcome, verdict.reason) == (Outcome.wait, reason)
    assert ("towpath worker --queue validate" in verdict.change) is (age > PATIENCE)


@pytest.mark.parametrize(
    ("age", "outcome", "reason"),
    [
        (YOUNG, Outcome.wait, "the validators are still looking"),
        (PATIENCE, Outcome.wait, "the validators are still looking"),
        (PATIENCE + timedelta(seconds=1), Outcome.passed, "no validator has answered so far, and they only report"),
    ],
)
def test_where_policy_only_wants_a_report_it_is_waited_for_and_not_for_long(
    age: timedelta, outcome: Outcome, reason: str
) -> None:
    verdict = found(seen=False, rules=REPORT, age=age)
    assert (verdict.outcome, verdict.reason) == (outcome, reason)


@pytest.mark.parametrize(
    ("checked", "change"),
    [
        ((BROKEN,), "`/retry` has it looked at again"),
        ((SKIPPED,), "install or configure it where validators run, or take `required` out of `towpath.yaml`"),
    ],
)
def test_what_is_advised_can_help(checked: tuple[Checked, ...], change: str) -> None:
    assert found(*checked, rules=REQUIRED).change == change


@pytest.mark.parametrize(
    ("validation", "rules"),
    [
        (Validation("k"), ENFORCE),
        (None, Validating(mode="off")),
        (Validation("k", (said("pinned", ERROR),)), Validating(mode="off")),
    ],
)
def test_there_is_no_gate_where_there_is_nothing_to_look_at(validation: Validation | None, rules: Validating) -> None:
    assert judge(a.promotion(validation=validation), rules, a.NOW) == ()


def test_S9_a_validators_words_are_quoted() -> None:
    assert "`trivy [x](http://evil) @all`" in found(unable("trivy", Ran.broken, "trivy [x](http://evil) @all")).reason
