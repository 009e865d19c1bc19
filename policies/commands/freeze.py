"""/freeze: closes a stage to everything but rollbacks until a time."""

from dataclasses import replace

from policies.commands.arguments import TIME, read, reason_of, stage_of
from policies.commands.entries import allow, said
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.state import Freeze, State
from policies.wording.quote import code
from policies.wording.steering import because, when

TAKES = Takes(frozenset({"stage"}) | TIME, text=True)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Record the freeze."""
    found = read(situation, call, TAKES)
    stage = stage_of(situation, replace(found, stage=found.stage or situation.stage))
    allow(situation, "freeze", None, stage)
    reason = reason_of(found)
    if found.until is None or found.until <= situation.now:
        raise Declined("Say until when, later than now: `until 2026-12-24T09:00` or `for 2h`.")
    entry = Freeze(stage=stage, until=found.until, reason=reason, **said(situation))
    known = any((one.note, one.stage) == (entry.note, entry.stage) for one in state.freezes)
    after = state if known else state.model_copy(update={"freezes": (*state.freezes, entry)})
    way_out = code(f"/unfreeze {entry.stage}")
    answer = f"{code(entry.stage)} is frozen until {when(entry.until)}{because(entry.reason)}."
    return Done(after, f"{answer} Only rollbacks go on there; {way_out} ends it sooner.", ("*",))


COMMAND = Command(
    "freeze",
    "/freeze STAGE until TIME REASON",
    "closes a stage for every service until a time; rollbacks go on",
    "freeze",
    apply,
    TAKES,
)
