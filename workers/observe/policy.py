"""The policy in force: `towpath.yaml` on the target branch, or the newest first-parent version of it that parses."""

from dataclasses import dataclass

from bot.errors import Permanent
from bot.git import Mirror
from policies.config import Fault, Policy, PolicyError
from workers.policy_file import FILE, load

__all__ = ["FILE", "InForce", "in_force"]

FAR_BACK = 2000
"""How many first-parent commits are looked through for a policy that parses."""


@dataclass(frozen=True)
class InForce:
    """The policy to go by, and what is wrong with the newest one."""

    policy: Policy
    faults: tuple[Fault, ...] = ()


def in_force(mirror: Mirror, commit: str, subject: str) -> InForce:
    """The policy to go by at a commit; Permanent where the repository never had one that parses."""
    newest: tuple[Fault, ...] = ()
    for index, entry in enumerate(mirror.history(commit, (FILE,), FAR_BACK)):
        blob = entry.blobs[0]
        try:
            if blob is None:
                raise PolicyError((Fault((), f"there is no {FILE}"),))
            return InForce(load(mirror.blob(blob)), newest)
        except PolicyError as error:
            newest = newest if index else error.faults
    told = "; ".join(f"{fault.place}: {fault.message}" for fault in newest)
    raise Permanent("read the policy of", subject, f"{FILE}: {told}")
