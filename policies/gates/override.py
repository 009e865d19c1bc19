"""Break glass: a gate that two people let pass for one head, for a while (never what is absent, S16)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC

from policies.gates import checks
from policies.state import Override, public_reason
from policies.verdict import Outcome, Verdict
from policies.wording.quote import code

WAITING = frozenset({Outcome.wait})
EITHER = frozenset({Outcome.wait, Outcome.block})
BLOCKED = frozenset({Outcome.block})

OVERRIDABLE: Mapping[str, frozenset[Outcome]] = {
    "approvals": WAITING,
    "checks": EITHER,
    "freeze": WAITING,
    "health": EITHER,
    "soak": EITHER,
    "validation": BLOCKED,
    "window": WAITING,
}
"""Which gates may be passed over, and from which of their answers. Every other gate never: integrity, signing, state,
hold, quarantine, refusal. An approvals gate that blocks can be met by nobody, so nobody may pass it over either; a
validation that waits has not been made, and what nobody has looked at is not passed (S16)."""
NEVER = frozenset({checks.ABSENT})
"""Reasons that stand whatever two people say: absent is not satisfied."""


def applied(verdicts: Sequence[Verdict], overrides: Sequence[Override]) -> tuple[Verdict, ...]:
    """The verdicts with those passed over that a confirmed override of this very head names."""
    by_gate = {one.gate: one for one in overrides if one.confirmed is not None}
    return tuple(_one(verdict, by_gate.get(verdict.gate)) for verdict in verdicts)


def is_overridable(verdict: Verdict) -> bool:
    """Whether two people may let this pass."""
    return verdict.outcome in OVERRIDABLE.get(verdict.gate, ()) and verdict.reason not in NEVER


def in_force(verdicts: Sequence[Verdict], overrides: Sequence[Override]) -> tuple[Override, ...]:
    """The overrides without which these gates would not pass, each once."""
    passed_over = {verdict.gate for verdict in verdicts if is_overridable(verdict)}
    return tuple({one.gate: one for one in overrides if one.gate in passed_over}.values())


def evidence(one: Override) -> str:
    """An override as the trailers of a merge tell it."""
    people = [one.by.id, *([one.confirmed.id] if one.confirmed is not None else [])]
    return f"{one.gate} by={','.join(str(person) for person in people)} until={one.until.astimezone(UTC).isoformat()}"


def _one(verdict: Verdict, found: Override | None) -> Verdict:
    if found is None or found.confirmed is None or not is_overridable(verdict):
        return verdict
    who = f"{code(f'@{found.by.name}')}, confirmed by {code(f'@{found.confirmed.name}')}"
    until = f"{found.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return replace(
        verdict,
        outcome=Outcome.passed,
        reason=f"overridden by {who} until {until}: {code(public_reason(found))}; it said: {verdict.reason}",
        change="",
        until=found.until,
    )
