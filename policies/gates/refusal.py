"""The forge's own no: what it said when Towpath last tried to merge this very head."""

from datetime import datetime, timedelta

from policies.snapshot import Refusal
from policies.verdict import Verdict, wait
from policies.wording.quote import plain

NAME = "forge"
PAUSE = timedelta(minutes=10)
"""How long after a refusal the merge is tried again: nobody tells when a right was given or a rule changed."""


def judge(refused: Refusal) -> Verdict:
    """Wait, and say what the forge said."""
    reason = f"the forge refused the merge: {plain(refused.text)}"
    return wait(NAME, reason, "change what it names; Towpath tries again every ten minutes", refused.at + PAUSE)


def is_due(refused: Refusal, now: datetime) -> bool:
    """Whether the merge is to be tried again."""
    return now >= refused.at + PAUSE
