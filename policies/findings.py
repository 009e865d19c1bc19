"""What validators found: values that the gate judges, the report shows and memory keeps as JSON."""

from dataclasses import dataclass, replace
from enum import StrEnum

from pydantic import TypeAdapter


class Severity(StrEnum):
    """How much a finding matters: an error blocks, a warning is shown, a note is folded away."""

    error = "error"
    warning = "warning"
    note = "note"


class Ran(StrEnum):
    """Whether a validator came to an end."""

    done = "done"
    skipped = "skipped"
    """Its program is not installed, or it cannot tell here; `why` says which."""
    broken = "broken"
    """It was stopped by a limit or failed itself: nothing is known (S16)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a validator found; every text in it may be somebody else's, so it is quoted when shown (S9)."""

    message: str
    severity: Severity = Severity.error
    path: str = ""
    """Relative to the repository's root; empty where it is about no file."""
    line: int | None = None
    """Counted from 1."""
    rule: str = ""
    """The validator's own name for what was broken, such as `KSV014` or `duplicate-key`."""


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object of a cluster that a change adds, removes or alters, as rendered; secrets are redacted (S10)."""

    kind: str
    name: str
    namespace: str = ""
    how: str = "changed"
    """`added`, `removed` or `changed`."""
    diff: str = ""
    """The lines of a unified diff without its header; noise is folded into `@@` lines."""
    target: str = ""
    """The path of the values file, or the folder, from which it was rendered."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What one validator says of one part of a change: a file, a target, an image, or all of it."""

    validator: str
    part: str = ""
    ran: Ran = Ran.done
    findings: tuple[Finding, ...] = ()
    why: str = ""
    """Why it was skipped or is broken."""
    version: str = ""
    """Of the outside program."""
    changes: tuple[ObjectChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Validation:
    """Everything that validators say of one change."""

    key: str
    """Hash of what was looked at and by what: the same content and the same tools give the same one."""
    checked: tuple[Checked, ...] = ()
    lasts: bool = True
    """Whether another look would say the same; else it is looked at again after a while."""

    @property
    def findings(self) -> tuple[tuple[str, Finding], ...]:
        """Each finding with its validator's name, errors first, each once."""
        found = dict.fromkeys((one.validator, finding) for one in self.checked for finding in one.findings)
        order = list(Severity)
        return tuple(sorted(found, key=lambda one: order.index(one[1].severity)))

    @property
    def changes(self) -> tuple[ObjectChange, ...]:
        """The objects that change, in the order of the targets."""
        return tuple(change for one in self.checked for change in one.changes)


def at_most(found: Checked, severity: Severity) -> Checked:
    """The same with no finding more severe than that."""
    order = list(Severity)
    lowered = tuple(replace(one, severity=max(one.severity, severity, key=order.index)) for one in found.findings)
    return replace(found, findings=lowered)


CHECKED = TypeAdapter(Checked)
VALIDATION = TypeAdapter(Validation)
"""To and from JSON."""
