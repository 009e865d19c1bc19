"""Validation: what the validators found in the content as it would be merged; what they have not seen is not passed."""

from datetime import datetime, timedelta

from policies.findings import Checked, Ran, Severity, Validation
from policies.snapshot import Promotion
from policies.validating import Validating
from policies.verdict import Verdict, block, passed, wait
from policies.wording.quote import code, listed, plain

NAME = "validation"
PATIENCE = timedelta(minutes=3)
"""How long validators may take before it is said that nobody answers."""


def judge(promotion: Promotion, rules: Validating, now: datetime) -> tuple[Verdict, ...]:
    """One verdict, or none where policy has nothing validated or no validator has anything to look at."""
    found = promotion.validation
    if rules.mode == "off" or (found is not None and not found.checked):
        return ()
    if rules.mode == "report":
        return (passed(NAME, _told(found)),)
    return (_pending(promotion, now) if found is None else _judged(found, rules),)


def _pending(promotion: Promotion, now: datetime) -> Verdict:
    if now - promotion.request.created_at > PATIENCE:
        change = "start `towpath worker --queue validate`, or look into its log"
        return wait(NAME, "no validator has answered so far", change)
    return wait(NAME, "the validators are still looking", "nothing: Towpath looks again when they are done")


def _judged(found: Validation, rules: Validating) -> Verdict:
    errors = [one for one in found.checked if _has_errors(one)]
    if errors:
        return block(NAME, _errors(errors), "mend what the findings below name")
    unable = [one for one in found.checked if _is_unknown(one, rules)]
    if unable:
        first = unable[0]
        how = f"{code(first.validator)} is required, but {plain(first.why)}"
        if first.ran is Ran.broken:
            how = f"{code(first.validator)} came to no end: {plain(first.why)}"
        more = f", and {len(unable) - 1} more" if len(unable) > 1 else ""
        return wait(NAME, how + more, "`/retry` has it looked at again")
    return passed(NAME, _told(found))


def _is_unknown(one: Checked, rules: Validating) -> bool:
    return one.ran is Ran.broken or (one.ran is Ran.skipped and rules.of(one.validator).required)


def _has_errors(one: Checked) -> bool:
    return any(finding.severity is Severity.error for finding in one.findings)


def _errors(errors: list[Checked]) -> str:
    """`secrets` found 2 errors (first in `a.yaml:3`)."""
    counts: dict[str, int] = {}
    for one in errors:
        more = sum(finding.severity is Severity.error for finding in one.findings)
        counts[one.validator] = counts.get(one.validator, 0) + more
    said = (f"{code(name)} found {count} error{'' if count == 1 else 's'}" for name, count in counts.items())
    return listed(tuple(said))


def _told(found: Validation | None) -> str:
    """How much looked, and what it had to say though nothing blocks."""
    if found is None:
        return "the validators are still looking, and only report"
    ran = {one.validator for one in found.checked if one.ran is Ran.done}
    count = {severity: sum(one.severity is severity for _, one in found.findings) for severity in Severity}
    parts = [f"{number} {name}{'' if number == 1 else 's'}" for name, number in count.items() if number]
    said = f"{len(ran)} validator{'' if len(ran) == 1 else 's'} found {' and '.join(parts) or 'nothing'}"
    absent = tuple(dict.fromkeys(code(one.validator) for one in found.checked if one.ran is not Ran.done))
    return f"{said}; {listed(absent)} did not look" if absent else said
