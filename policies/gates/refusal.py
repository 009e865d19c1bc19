"""The forge's own no, or the signer's: what it said when Towpath last tried to merge this very head."""

from datetime import datetime, timedelta

from policies.snapshot import Refusal
from policies.verdict import Verdict, wait
from policies.wording.quote import plain

PAUSE = timedelta(minutes=10)
"""How long after a refusal the merge is tried again: nobody tells when a right was given or a rule changed."""


def judge(refused: Refusal) -> Verdict:
    """Wait, and say what the forge said."""
    who = "the forge refused the merge" if refused.by == "forge" else "the merge could not be signed"
    change = "change what it names; Towpath tries again every ten minutes"
    return wait(refused.by, f"{who}: {plain(refused.text)}", change, refused.at + PAUSE)


def is_due(refused: Refusal, now: datetime) -> bool:
    """Whether the merge is to be tried again."""
    return now >= refused.at + PAUSE
