"""The policy in force: `towpath.yaml` on the target branch, or the newest first-parent version of it that parses."""

from dataclasses import dataclass, replace

from bot.errors import Permanent
from bot.git import Mirror
from bot.yaml import Unreadable, parse_document
from policies.config import Fault, Policy, PolicyError, parse_policy

FILE = "towpath.yaml"
FAR_BACK = 2000
"""How many first-parent commits are looked through for a policy that parses."""


@dataclass(frozen=True)
class InForce:
    """The policy to go by, and what is wrong with the newest one."""

    policy: Policy
    faults: tuple[Fault, ...] = ()


def load(raw: bytes) -> Policy:
    """The policy that a file's bytes state; PolicyError whose faults carry lines."""
    try:
        document = parse_document(raw)
    except Unreadable as error:
        raise PolicyError((Fault((), error.reason, error.line),)) from error
    try:
        return parse_policy(document.value)
    except PolicyError as error:
        faults = tuple(replace(fault, line=document.line_of(fault.path)) for fault in error.faults)
        raise PolicyError(faults) from error


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
