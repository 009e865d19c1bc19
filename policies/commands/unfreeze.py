"""/unfreeze: ends the freezes of a stage that people set by command."""

from dataclasses import replace

from policies.commands.arguments import read, stage_of
from policies.commands.entries import allow
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.state import State, freezes_on
from policies.wording.quote import code
from policies.wording.steering import freeze_line, rows

TAKES = Takes(frozenset({"stage"}), text=True)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Take the stage's freezes out of the state, but none that is younger than the comment."""
    found = read(situation, call, TAKES)
    stage = stage_of(situation, replace(found, stage=found.stage or situation.stage))
    allow(situation, "unfreeze", None, stage)
    lifted = [one for one in state.freezes if one.stage == stage and one.at <= situation.comment.at]
    if not lifted:
        raise Declined(f"There is no freeze of {code(stage)} that a command set.")
    after = state.model_copy(update={"freezes": tuple(one for one in state.freezes if one not in lifted)})
    rest = [freeze_line(one) for one in freezes_on(after, stage, situation.now)]
    more = f" What remains:\n{rows(rest)}" if rest else ""
    return Done(after, f"{code(stage)} is open again.{more}", ("*",))


COMMAND = Command("unfreeze", "/unfreeze STAGE", "ends a freeze before its time", "unfreeze", apply, TAKES)
