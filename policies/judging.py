"""What a validation counts for by the rules: the one answer that gate, report, commit status and command line share."""

from dataclasses import dataclass

from policies.findings import Checked, Ran, Severity, Validation
from policies.validating import Validating
from policies.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Judged:
    """What stands in the way, by kind; in the order of the validators."""

    errors: tuple[Checked, ...] = ()
    """What has findings that are errors."""
    unknown: tuple[Checked, ...] = ()
    """Of which nothing is known (S16): what came to no end, and what policy requires and could not look."""
    reports: bool = False
    """Whether policy has all of it only told."""

    @property
    def outcome(self) -> Outcome:
        """An error blocks; what is not known waits; nothing does where it is only told."""
        if self.reports or not (self.errors or self.unknown):
            return Outcome.passed
        return Outcome.block if self.errors else Outcome.wait

    @property
    def broken(self) -> tuple[Checked, ...]:
        """What came to no end."""
        return tuple(one for one in self.unknown if one.ran is Ran.broken)

    @property
    def error_count(self) -> int:
        """How many different errors were found."""
        found = ((one.validator, finding) for one in self.errors for finding in one.findings)
        return len({(name, finding) for name, finding in found if finding.severity is Severity.error})


def judged(found: Validation, rules: Validating) -> Judged:
    """What validators said, by the rules of the target branch."""
    return Judged(
        tuple(one for one in found.checked if any(each.severity is Severity.error for each in one.findings)),
        tuple(one for one in found.checked if one.ran is Ran.broken or _is_lacking(one, rules)),
        reports=rules.mode != "enforce",
    )


def _is_lacking(one: Checked, rules: Validating) -> bool:
    return one.ran is Ran.skipped and rules.of(one.validator).required
