"""Break glass: two people with the right let one gate of one head pass for a while."""

from datetime import timedelta

from policies import permissions
from policies.approvals import involved
from policies.commands.arguments import TIME, Arguments, read, reason_of
from policies.commands.entries import Opened, allow, opened, said
from policies.commands.lines import Call
from policies.commands.model import Declined, Done, Situation, Takes
from policies.faults import nearest
from policies.gates.override import OVERRIDABLE, is_overridable
from policies.model import User
from policies.state import Override, Person, State, public_reason
from policies.verdict import Outcome
from policies.wording.quote import code, listed
from policies.wording.steering import because, when, who

TAKES = Takes(TIME, others=1, text=True)
PATIENCE = timedelta(minutes=30)
"""How long a first word waits for a second person's."""
USUAL, LONGEST = timedelta(hours=1), timedelta(hours=24)
NEVER = {
    "integrity": "what merges must be exactly this release (S13)",
    "state": "what cannot be told is not satisfied (S16)",
    "forge": "the forge's own no is not Towpath's to pass over (S17)",
    "quarantine": "a quarantine ends by `/unquarantine` alone (S19)",
    "hold": "a hold ends by `/unhold` alone (S20)",
    "signing": "a signature is made only over what passed every gate (S23)",
}
"""Gates that nobody passes over, and why."""


def break_glass(situation: Situation, state: State, call: Call, right: str, gates: tuple[str, ...]) -> Done:
    """Record a first word, or confirm it by a second person's."""
    found = read(situation, call, TAKES)
    on = opened(situation)
    gate = _gate(found, gates)
    allow(situation, right, on.unit, on.stage)
    barred = _barred(situation, on)
    _passable(situation, on, gate)
    entry = _entry(situation, on, gate, found)
    there = [one for one in _of(state, on, gate) if one.until > situation.now and barred.isdisjoint(one.people)]
    for one in there:
        if one.confirmed is not None:
            names = f"{who(one.by)}, confirmed by {who(one.confirmed)}"
            return Done(state, f"{code(gate)} is passed over already, by {names}, until {when(one.until)}.", (on.unit,))
    first = next((one for one in there if one.by.id != situation.comment.author.id), None)
    if first is not None and _still_may(situation, on, first, right):
        return _confirmed(situation, state, on, first, found)
    there = [one for one in there if one is not first]
    after = state if there else _with(state, entry)
    answer = f"{code(gate)} of !{on.request.iid} at {code(on.request.head[:12])} is to be passed over"
    way_on = f"It waits for a second person with the right {code(right)}, who writes the same here"
    ends = when((there[0] if there else entry).until)
    return Done(
        after,
        f"{answer}{because(found.text)}. {way_on} by {ends}: {code(call.raw.strip())}.",
        (on.unit,),
        seen_only=True,
    )


def _barred(situation: Situation, on: Opened) -> frozenset[int]:
    """Who asked for this promotion or opened it; Declined where the commenter is one of them (S15)."""
    promotion = next((one for one in situation.snapshot.promotions if one.request.iid == on.request.iid), None)
    if promotion is None:
        raise Declined("Who asked for this promotion could not be told (S16): write it again in a moment.")
    found = involved(promotion) | {on.request.author.id}
    if situation.comment.author.id in found:
        raise Declined("You asked for this promotion, so somebody else has to pass over its gates (S15).")
    return found


def _still_may(situation: Situation, on: Opened, first: Override, right: str) -> bool:
    """Whether who spoke first has the right now too (S6)."""
    person = User(first.by.id, first.by.name)
    return permissions.refusal(situation.snapshot, person, right, on.unit, on.stage) is None


def _gate(found: Arguments, gates: tuple[str, ...]) -> str:
    if not found.others:
        raise Declined(f"Name a gate: {listed(tuple(code(one) for one in gates), 9)}.")
    gate = found.others[0].lower()
    if gate in NEVER:
        raise Declined(f"{code(gate)} is never passed over: {NEVER[gate]}.")
    if gate not in gates:
        meant = nearest(gate, gates) or f"; these are: {listed(tuple(code(one) for one in gates), 9)}."
        raise Declined(f"{code(gate)} is no gate that this command passes over{meant}")
    return gate


def _passable(situation: Situation, on: Opened, gate: str) -> None:
    """Declined where the stage has no such gate, or it needs nobody, or nobody may."""
    plans = (one for one in situation.plan.stages if one.stage == on.stage and one.request == on.request.url)
    children = next((one.verdict.children for one in plans), ())
    verdicts = [one for one in children if one.gate == gate]
    if children and not verdicts:
        names = listed(tuple(dict.fromkeys(code(one.gate) for one in children)), 9)
        raise Declined(f"{code(on.stage)} has no gate {code(gate)} now; it has {names}.")
    if verdicts and all(one.outcome is Outcome.passed for one in verdicts):
        raise Declined(f"{code(gate)} passes: there is nothing to pass over.")
    for one in verdicts:
        if one.outcome is not Outcome.passed and not is_overridable(one):
            change = f" What would change it: {one.change}." if one.change else ""
            raise Declined(f"This is never passed over, for absent is not satisfied (S16): {one.reason}.{change}")


def _entry(situation: Situation, on: Opened, gate: str, found: Arguments) -> Override:
    reason, at = reason_of(found), situation.comment.at
    if found.until is not None and found.until > at + LONGEST:
        raise Declined("At most 24 hours: after that two people decide again.")
    if at + PATIENCE <= situation.now:
        raise Declined("This was written more than half an hour ago: write it again if it is still meant.")
    head, until = on.request.head, at + PATIENCE
    return Override(request=on.request.iid, head=head, gate=gate, reason=reason, until=until, **said(situation))


def _of(state: State, on: Opened, gate: str) -> list[Override]:
    key = (on.request.iid, on.request.head, gate)
    return [one for one in state.overrides if (one.request, one.head, one.gate) == key]


def _with(state: State, entry: Override) -> State:
    key = (entry.request, entry.head, entry.gate)
    kept = tuple(one for one in state.overrides if (one.request, one.head, one.gate) != key)
    return state.model_copy(update={"overrides": (*kept, entry)})


def _confirmed(situation: Situation, state: State, on: Opened, first: Override, found: Arguments) -> Done:
    author = situation.comment.author
    until = found.until or situation.comment.at + USUAL
    if until <= situation.now:
        raise Declined(f"That would have ended on {when(until)} already.")
    second = Person(id=author.id, name=author.username)
    entry = first.model_copy(update={"confirmed": second, "until": until})
    what = f"{code(first.gate)} of !{first.request} at {code(first.head[:12])} is passed over until {when(until)}"
    answer = f"{what}, by {who(first.by)} and {who(second)}{because(public_reason(first))}."
    return Done(_with(state, entry), answer, (on.unit,))


BY_OVERRIDE = tuple(sorted(OVERRIDABLE))
BY_SKIP = ("health", "soak", "window")
