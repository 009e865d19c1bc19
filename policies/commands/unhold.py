"""/unhold: lifts a hold, and says what still holds; a quarantine stays."""

from policies.commands.arguments import read
from policies.commands.entries import allow
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.commands.reach import WORDS, Reach, reach, touching, way_out
from policies.naming import HOLD
from policies.state import State
from policies.wording.quote import code
from policies.wording.steering import hold_line, quarantine_line, rows, when

TAKES = Takes(WORDS, text=True)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Take the holds that reach exactly as far out of the state, but none that is younger than the comment."""
    found = read(situation, call, TAKES)
    reached = reach(situation, found, closed=True)
    allow(situation, "unhold", *reached.right)
    lifted = [one for one in state.holds if reached.covers(one) and one.at <= situation.comment.at]
    after = state.model_copy(update={"holds": tuple(one for one in state.holds if one not in lifted)})
    rest = _rest(after, reached, situation)
    younger = _younger(situation, reached)
    if not lifted and (younger or not _is_labelled(situation, reached)):
        raise Declined(f"There is no hold of {reached.words} to lift.{younger}{rest}")
    said = f"What held {reached.words} before is lifted." if younger else f"The hold of {reached.words} is lifted."
    return Done(after, f"{said}{younger}{rest}", reached.wakes, reached.request)


def _is_labelled(situation: Situation, reached: Reach) -> bool:
    """Whether the merge request is held by its label alone."""
    request = situation.request
    return request is not None and reached.request == request.iid and HOLD in request.labels


def _younger(situation: Situation, reached: Reach) -> str:
    """That the label was set by hand after the comment, so that the merge request stays held; empty where it was not.

    The state need not know of it yet."""
    if situation.held_since is None or not _is_labelled(situation, reached):
        return ""
    name, at = situation.held_since
    held = f"{code(f'@{name}')} set the label {code(HOLD)} on {when(at)}, later than this comment"
    return f" {held}: it stays held until {code('/unhold')} is written again."


def _rest(state: State, reached: Reach, situation: Situation) -> str:
    lines = [f"{hold_line(one)}; {way_out(one)} lifts it" for one in touching(state, reached, situation)]
    service, stage = reached.right
    lines += [
        f"{quarantine_line(one)}; no `/unhold` lifts a quarantine, `/unquarantine` does"
        for one in state.quarantine
        if service in (None, one.service) and (stage is None or not one.stages or stage in one.stages)
    ]
    return f" What remains:\n{rows(lines)}" if lines else ""


COMMAND = Command(
    "unhold",
    "/unhold [SERVICE] [STAGE]",
    "lifts a hold that was set with the same words, and names what still holds",
    "unhold",
    apply,
    TAKES,
)
