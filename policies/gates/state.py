"""State: what commands decided can be told; while it cannot, nothing merges and nothing opens (S21)."""

from policies.state import Unknown
from policies.verdict import Verdict, block
from policies.wording.quote import plain

NAME = "state"


def judge(unknown: Unknown) -> Verdict:
    """Block, and say the way out."""
    return block(NAME, f"what commands decided cannot be told: {plain(unknown.reason)}", plain(unknown.change))
