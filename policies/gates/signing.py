"""Signing: a stage with `merge: signed` merges only where Towpath has a key, and never without the signature (S23)."""

from policies.verdict import Verdict, passed, wait

NAME = "signing"


def judge(can_sign: bool) -> Verdict:
    """Wait for the operator's key; the forge's merge would be one that the signature's readers refuse."""
    if can_sign:
        return passed(NAME, "Towpath has a key to sign the merge with")
    change = "set `TOWPATH_SIGNING__KIND` and `TOWPATH_SIGNING__KEY_FILE` where Towpath runs"
    return wait(NAME, "policy says `merge: signed`, and Towpath has no key to sign with", change)
