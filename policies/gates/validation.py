"""Validation: what the validators found in the content as it would be merged; what they have not seen is not passed."""

from datetime import datetime, timedelta

from policies.findings import Checked, Ran, Severity, Validation
from policies.judging import Judged, judged
from policies.snapshot import Promotion
from policies.validating import Validating
from policies.verdict import Outcome, Verdict, block, passed, wait
from policies.wording.fitting import number_of
from policies.wording.quote import code, listed, plain

NAME = "validation"
PATIENCE = timedelta(minutes=3)
"""How long validators may take before it is said that nobody answers; where they only report, how long they have."""
INSTALL = "install or configure it where validators run, or take `required` out of `towpath.yaml`"
RETRY = "`/retry` has it looked at again"


def judge(promotion: Promotion, rules: Validating, now: datetime) -> tuple[Verdict, ...]:
    """One verdict, or none where policy has nothing validated or no validator has anything to look at."""
    found = promotion.validation
    if rules.mode == "off" or (found is not None and not found.checked):
        return ()
    if found is None:
        return (_pending(promotion, now, reports=rules.mode == "report"),)
    return (_of(found, judged(found, rules)),)


def _pending(promotion: Promotion, now: datetime, *, reports: bool) -> Verdict:
    if now - promotion.request.created_at <= PATIENCE:
        return wait(NAME, "the validators are still looking", "nothing: Towpath looks again when they are done")
    if reports:
        return passed(NAME, "no validator has answered so far, and they only report")
    change = "start `towpath worker --queue validate`, or look into its log"
    return wait(NAME, "no validator has answered so far", change)


def _of(found: Validation, one: Judged) -> Verdict:
    match one.outcome:
        case Outcome.block:
            return block(NAME, _errors(one.errors), "mend what the findings below name")
        case Outcome.wait:
            return _unknown(one.unknown)
        case Outcome.passed:
            return passed(NAME, _told(found, only=bool(one.errors)))


def _unknown(unable: tuple[Checked, ...]) -> Verdict:
    """Who could not look: what came to no end may do better the next time, what is not there has to be installed."""
    first, more = unable[0], f", and {len(unable) - 1} more" if len(unable) > 1 else ""
    if first.ran is Ran.broken:
        return wait(NAME, f"{code(first.validator)} came to no end: {plain(first.why)}{more}", RETRY)
    return wait(NAME, f"{code(first.validator)} is required, but {plain(first.why)}{more}", INSTALL)


def _errors(errors: tuple[Checked, ...]) -> str:
    """`secrets` found 2 errors."""
    counts: dict[str, int] = {}
    for one in errors:
        more = sum(finding.severity is Severity.error for finding in one.findings)
        counts[one.validator] = counts.get(one.validator, 0) + more
    return listed(tuple(f"{code(name)} found {number_of(count, 'error')}" for name, count in counts.items()))


def _told(found: Validation, *, only: bool) -> str:
    """How much looked, and what it had to say though nothing blocks; `only`: it would, but for the mode `report`."""
    ran = {one.validator for one in found.checked if one.ran is Ran.done}
    count = {severity: sum(one.severity is severity for _, one in found.findings) for severity in Severity}
    parts = [number_of(number, name) for name, number in count.items() if number]
    said = f"{number_of(len(ran), 'validator')} found {' and '.join(parts) or 'nothing'}"
    if only:
        said += f", which {'is' if len(found.findings) == 1 else 'are'} only reported"
    absent = tuple(dict.fromkeys(code(one.validator) for one in found.checked if one.ran is not Ran.done))
    return f"{said}; {listed(absent)} did not look" if absent else said
