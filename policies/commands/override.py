"""/override: two people pass over one gate of one head."""

from policies.commands.glass import BY_OVERRIDE, TAKES, break_glass
from policies.commands.lines import Call
from policies.commands.model import Command, Done, Situation, refusing
from policies.state import State


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """A first word, or its confirmation."""
    return break_glass(situation, state, call, "override", BY_OVERRIDE)


COMMAND = Command(
    "override",
    "/override GATE REASON [for 2h]",
    "passes over a gate for this head, once a second person writes the same; 1 h, at most 24 h",
    "override",
    apply,
    TAKES,
)
