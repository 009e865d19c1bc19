"""/skip: two people pass over the soak, the window or the health gate of one head."""

from policies.commands.glass import BY_SKIP, TAKES, break_glass
from policies.commands.lines import Call
from policies.commands.model import Command, Done, Situation, refusing
from policies.state import State


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """A first word, or its confirmation."""
    return break_glass(situation, state, call, "skip", BY_SKIP)


COMMAND = Command(
    "skip",
    "/skip soak|window|health REASON [for 2h]",
    "passes over that gate for this head, once a second person writes the same",
    "skip",
    apply,
    TAKES,
)
