"""Checks: the forge's pipeline on the exact head, without Towpath's own status."""

from typing import Literal

from policies.model import Check, CheckState
from policies.naming import STATUS
from policies.verdict import Verdict, block, passed, wait
from policies.wording.quote import code, listed

NAME = "checks"
ABSENT = "no pipeline has reported on this commit"


def judge(checks: tuple[Check, ...], rule: Literal["required", "optional", "ignored"], bot: int) -> Verdict:
    """Pass when all others' statuses succeeded; no status at all waits unless policy says `checks: optional` (S16).

    Only what the bot itself reported under its name is left out: a job that calls itself so counts like any other."""
    if rule == "ignored":
        return passed(NAME, "policy ignores the pipeline here")
    others = [check for check in checks if check.name != STATUS or check.author_id != bot]
    failed = [check for check in others if check.state is CheckState.failed and not check.allow_failure]
    if failed:
        return block(NAME, f"{_names(failed)} failed", "mend what it found, or run it again")
    pending = [check for check in others if check.state is CheckState.pending]
    if pending:
        return wait(NAME, f"{_names(pending)} not finished", "nothing: Towpath looks again when it is")
    if not any(check.state is CheckState.success for check in others) and rule == "required":
        return wait(
            NAME,
            ABSENT,
            "run one on Towpath's branches, or set `checks: optional` for this stage",
        )
    return passed(NAME, f"{_names(others)} succeeded" if others else "no pipeline runs here, which policy allows")


def _names(checks: list[Check]) -> str:
    return listed(tuple(code(check.name) for check in checks))
