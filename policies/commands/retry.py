"""/retry: what was refused is forgotten, and looked at again."""

from policies.commands.arguments import read, service_of, with_defaults
from policies.commands.entries import allow
from policies.commands.lines import Call
from policies.commands.model import Command, Done, Situation, Takes, refusing
from policies.state import State
from policies.wording.quote import code

TAKES = Takes()


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Change nothing and wake the unit."""
    found = with_defaults(situation, read(situation, call, TAKES))
    service = service_of(situation, found)
    allow(situation, "retry", service, found.stage)
    answer = f"{code(service)} is looked at again, and what was refused is tried again."
    return Done(state, answer, (service,))


COMMAND = Command(
    "retry",
    "/retry [SERVICE] [STAGE]",
    "tries a refused merge or validation again",
    "retry",
    apply,
    TAKES,
)
