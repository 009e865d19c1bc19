"""/merge: this very head is merged once its gates pass, though policy leaves merging to people."""

from policies.commands.arguments import read
from policies.commands.entries import Opened, allow, healthy, mode_of, opened, said
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.state import Order, State, ordered
from policies.verdict import Outcome
from policies.wording.quote import code

TAKES = Takes(frozenset())


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Record the order, instead of an earlier one for another head."""
    read(situation, call, TAKES)
    on = opened(situation)
    request = on.request
    allow(situation, "merge", on.unit, on.stage)
    _mergeable(situation, state, on)
    known = ordered(state, request.iid, request.head)
    others = tuple(one for one in state.merges if one.request != request.iid)
    entry = Order(request=request.iid, head=request.head, **said(situation))
    after = state if known else state.model_copy(update={"merges": (*others, entry)})
    words = f"!{request.iid} merges at exactly {code(request.head[:12])} when its gates pass."
    return Done(after, f"{words} {_waits(situation)}", (on.unit,))


def _mergeable(situation: Situation, state: State, on: Opened) -> None:
    mode = mode_of(situation, on.stage)
    if mode != "enforce":
        raise Declined(f"Policy says {code(f'mode: {mode}')} for {code(on.stage)}: Towpath merges nothing there.")
    if situation.release is not None:
        healthy(state, on.unit, on.stage, situation.release)


def _waits(situation: Situation) -> str:
    found = next((one for one in situation.plan.stages if one.stage == situation.stage), None)
    if found is None or found.verdict.outcome is Outcome.passed:
        return "Nothing is left to wait for."
    change = f" What would change it: {found.verdict.change}." if found.verdict.change else ""
    return f"It still waits: {found.verdict.reason}.{change}"


COMMAND = Command(
    "merge",
    "/merge",
    "merges this merge request, at exactly its present head, when its gates pass",
    "merge",
    apply,
    TAKES,
)
