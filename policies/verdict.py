"""Verdicts and how they combine: a tree that comment, status and page render alike."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """The three answers of a gate."""

    passed = "pass"
    wait = "wait"
    block = "block"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says: the outcome, why, and what would change it (S16: absent is never `pass` by default)."""

    gate: str
    outcome: Outcome
    reason: str
    change: str = ""
    until: datetime | None = None
    """When a wait ends by itself, in UTC."""
    children: tuple["Verdict", ...] = ()

    @property
    def ends(self) -> tuple[datetime, ...]:
        """Every moment at which this, or a part of it, may change by itself."""
        own = (self.until,) if self.until is not None else ()
        return own + tuple(end for child in self.children for end in child.ends)


def passed(gate: str, reason: str) -> Verdict:
    """A gate that lets the promotion through."""
    return Verdict(gate, Outcome.passed, reason)


def wait(gate: str, reason: str, change: str = "", until: datetime | None = None) -> Verdict:
    """A gate that will pass by itself or when somebody does `change`."""
    return Verdict(gate, Outcome.wait, reason, change, until)


def block(gate: str, reason: str, change: str, until: datetime | None = None) -> Verdict:
    """A gate that does not pass until somebody does `change`, or until a moment."""
    return Verdict(gate, Outcome.block, reason, change, until)


def combine(gate: str, verdicts: tuple[Verdict, ...]) -> Verdict:
    """One verdict over several: the worst outcome rules, and all of that outcome say why."""
    for outcome in (Outcome.block, Outcome.wait):
        worst = [verdict for verdict in verdicts if verdict.outcome is outcome]
        if worst:
            ends = [verdict.until for verdict in worst if verdict.until is not None]
            return Verdict(
                gate,
                outcome,
                "; ".join(verdict.reason for verdict in worst),
                "; ".join(verdict.change for verdict in worst if verdict.change),
                max(ends) if ends and len(ends) == len(worst) else None,
                verdicts,
            )
    return Verdict(gate, Outcome.passed, "every gate passes", children=verdicts)
