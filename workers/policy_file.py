"""`towpath.yaml` as a file: its bytes to a policy, or to faults with lines.

Light to import: `towpath check` starts at once."""

from dataclasses import dataclass, replace
from functools import lru_cache

from bot.yaml import Document, Unreadable, parse_document, parse_in_python
from policies.config import Fault, Policy, PolicyError, parse_policy

FILE = "towpath.yaml"


@dataclass(frozen=True, slots=True)
class Stated:
    """A policy, and the document that states it, which knows the line of every key."""

    policy: Policy
    document: Document


def read(raw: bytes) -> Stated:
    """The policy that a file's bytes state, with its document; PolicyError whose faults carry lines."""
    try:
        # libyaml refuses a plain `host:port/` inside brackets, which YAML 1.2 allows and people write.
        document = parse_document(raw, parse_in_python)
    except Unreadable as error:
        raise PolicyError((Fault((), error.reason, error.line),)) from error
    try:
        return Stated(parse_policy(document.value), document)
    except PolicyError as error:
        faults = tuple(replace(fault, line=document.line_of(fault.path)) for fault in error.faults)
        raise PolicyError(faults) from error


@lru_cache(maxsize=64)
def load(raw: bytes) -> Policy:
    """The policy that a file's bytes state; PolicyError whose faults carry lines."""
    return read(raw).policy
