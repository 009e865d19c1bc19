"""/hold: nothing merges and nothing opens there until somebody releases it."""

from policies.commands.arguments import TIME, read, reason_of
from policies.commands.entries import allow, said
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.commands.reach import WORDS, Reach, reach
from policies.state import Hold, State, bound
from policies.wording.quote import code
from policies.wording.steering import because, sentence, when

TAKES = Takes(WORDS | TIME, text=True)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Record the hold."""
    found = read(situation, call, TAKES)
    reached = reach(situation, found)
    allow(situation, "hold", *reached.right)
    if found.until is not None and found.until <= situation.now:
        raise Declined(f"That hold ended on {when(found.until)} already.")
    plain = Hold(
        service=reached.service,
        stage=reached.stage,
        request=reached.request,
        reason=reason_of(found),
        until=found.until,
        **said(situation),
    )
    entry = bound(plain, *reached.carries) if reached.carries is not None else plain
    known = any(one.note == entry.note and reached.covers(one) for one in state.holds)
    after = state if known else state.model_copy(update={"holds": (*state.holds, entry)})
    return Done(after, _answer(reached, entry), reached.wakes)


def _answer(reached: Reach, hold: Hold) -> str:
    until = f" until {when(hold.until)}" if hold.until is not None else ""
    out = code(f"/unhold {reached.command}".rstrip())
    return f"{sentence(reached.words)} is held{until}{because(hold.reason)}. Nothing merges there; {out} lifts it."


COMMAND = Command(
    "hold",
    "/hold [SERVICE] [STAGE] [until TIME|for 2h] REASON",
    "holds this merge request, or a service, a stage or both; `all` holds everything",
    "hold",
    apply,
    TAKES,
)
