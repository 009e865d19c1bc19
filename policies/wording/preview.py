"""The report on a person's merge request: what it breaks, what validators found, and what it would bring about."""

from dataclasses import dataclass, field

from policies.config import Fault
from policies.findings import Validation
from policies.judging import Judged, judged
from policies.model import Trouble
from policies.naming import REPORT_MARK
from policies.validating import Validating
from policies.verdict import Outcome
from policies.wording.findings import sections
from policies.wording.fitting import Item, Section, fitted, number_of
from policies.wording.quote import most
from policies.wording.report import AS_BEFORE, policy_line, trouble_line


@dataclass(frozen=True, slots=True)
class Preview:
    """What is known of a person's merge request."""

    faults: tuple[Fault, ...] = ()
    """Of the policy that it brings."""
    troubles: tuple[Trouble, ...] = ()
    """Files that could not be read."""
    loosened: tuple[str, ...] = ()
    """What policy would ask less for (S22)."""
    coming: tuple[str, ...] = ()
    """What would be otherwise after it, a sentence each."""
    validation: Validation | None = None
    """None where validators have not looked yet."""
    full: str = ""
    """The web address of all that they said."""
    rules: Validating = field(default_factory=Validating)
    """By which that counts: those of the target branch (S12)."""
    merges: bool = True
    """Whether it merges without conflicts: else there is nothing that validators could look at."""


def preview(found: Preview) -> str:
    """The comment: what Towpath could not use, what it would ask less for, what follows, and what validators say."""
    validation = found.validation
    told = sections(validation, found.full) if validation is not None else ()
    parts = (_bad(found), _looser(found), _fine(found), _coming(found))
    return fitted((*(Section((Item(part),)) for part in parts if part), *told), found.full)


def _bad(found: Preview) -> str:
    rows = [f"- {policy_line(one)}" for one in found.faults] + [f"- {trouble_line(one)}" for one in found.troubles]
    if not rows:
        return ""
    return "\n".join([REPORT_MARK, "**⛔ Towpath could not use this after merging:**", "", *most(rows), "", AS_BEFORE])


def _looser(found: Preview) -> str:
    if not found.loosened:
        return ""
    head = [] if found.faults or found.troubles else [REPORT_MARK]
    rows = most([f"- {what}" for what in found.loosened])
    return "\n".join([*head, "**⚠️ This loosens the policy of promotions:**", "", *rows])


def _fine(found: Preview) -> str:
    """The first line where nothing is broken; where something is, what validators say is a line of its own."""
    line = _verdict(found)
    if found.faults or found.troubles or found.loosened:
        return line if line != _UNDERSTOOD else ""
    return f"{REPORT_MARK}\n{line}"


_UNDERSTOOD = "**✅ Towpath understands the policy and the values files of this merge request.**"


def _verdict(found: Preview) -> str:
    if not found.merges:
        return "**⏳ It conflicts with the target branch: validators look once that is mended.**"
    if found.validation is None:
        return "**⏳ Validators are still looking at this.**"
    one = judged(found.validation, found.rules)
    match one.outcome:
        case Outcome.block:
            return f"**⛔ Validators found {number_of(one.error_count, 'error')}.**"
        case Outcome.wait:
            return f"**⏳ {_unknown(one)}: see who looked, below.**"
        case Outcome.passed:
            return _reported(one.error_count) if one.errors else _UNDERSTOOD


def _unknown(one: Judged) -> str:
    """`1 validator came to no end`; where none did, `1 validator that policy requires did not look`."""
    if one.broken:
        return f"{number_of(len({each.validator for each in one.broken}), 'validator')} came to no end"
    return f"{number_of(len({each.validator for each in one.unknown}), 'validator')} that policy requires did not look"


def _reported(errors: int) -> str:
    which = "which is" if errors == 1 else "which are"
    return f"**✅ Validators found {number_of(errors, 'error')}, {which} only reported.**"


def _coming(found: Preview) -> str:
    if not found.coming:
        return ""
    return "\n".join(["**After merging it:**", "", *most([f"- {what}" for what in found.coming])])
