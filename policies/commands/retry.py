"""/retry: what was refused is forgotten and looked at again; on a person's merge request, what validators said."""

from policies.commands.arguments import read, service_of, with_defaults
from policies.commands.entries import allow
from policies.commands.lines import Call
from policies.commands.model import Command, Done, Situation, Takes, refusing
from policies.model import MergeRequest
from policies.state import State
from policies.wording.quote import code

TAKES = Takes()


def is_persons(request: MergeRequest | None, stage: str | None) -> bool:
    """Whether a comment stands on a merge request that is no promotion of Towpath's own."""
    return request is not None and stage is None


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Change nothing and wake the unit; a person's merge request is looked at again without one."""
    found = with_defaults(situation, read(situation, call, TAKES))
    if found.service is None and is_persons(situation.request, situation.stage):
        allow(situation, "retry", None, found.stage)
        return Done(state, "Validators look at this merge request again.")
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
