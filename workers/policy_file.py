"""`towpath.yaml` as a file: its bytes to a policy, or to faults with lines.

Light to import: `towpath check` starts at once."""

from dataclasses import dataclass, replace
from functools import lru_cache

from bot.yaml import Document, Unreadable, parse_document, parse_in_python
from policies.config import Fault, Policy, PolicyError, parse_policy

FILE = "towpath.yaml"
MOST_BYTES = 256 * 1024
MOST_EVENTS = 20_000
"""Keys, values, and ends of lists: the parser in Python reads some twenty thousand in a second."""


@dataclass(frozen=True, slots=True)
class Stated:
    """A policy, and the document that states it, which knows the line of every key."""

    policy: Policy
    document: Document


def read(raw: bytes) -> Stated:
    """The policy that a file's bytes state, with its document; PolicyError whose faults carry lines."""
    if len(raw) > MOST_BYTES:
        raise PolicyError((Fault((), f"the file is larger than {MOST_BYTES // 1024} KiB"),))
    try:
        # libyaml refuses a plain `host:port/` inside brackets, which YAML 1.2 allows and people write.
        document = parse_document(raw, parse_in_python, MOST_EVENTS)
    except Unreadable as error:
        raise PolicyError((Fault((), error.reason, error.line),)) from error
    try:
        return Stated(parse_policy(document.value), document)
    except PolicyError as error:
        faults = tuple(replace(fault, line=document.line_of(fault.path)) for fault in error.faults)
        raise PolicyError(faults) from error


def load(raw: bytes) -> Policy:
    """The policy that a file's bytes state; PolicyError whose faults carry lines."""
    found = _loaded(raw) if len(raw) <= MOST_BYTES else read(raw).policy
    if not isinstance(found, Policy):
        raise PolicyError(found)
    return found


@lru_cache(maxsize=64)
def _loaded(raw: bytes) -> Policy | tuple[Fault, ...]:
    """The policy, or its faults: a branch that states none is read again and again too."""
    try:
        return read(raw).policy
    except PolicyError as error:
        return error.faults
