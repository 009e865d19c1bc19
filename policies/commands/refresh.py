"""/refresh: the open merge request is made anew on the newest commit; no approval travels."""

from policies.commands.arguments import read
from policies.commands.entries import acting, allow, asked, healthy, opened, overtaken, pinned, said
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.state import Asked, State, asked_in
from policies.wording.quote import code
from policies.wording.steering import named, when

TAKES = Takes(frozenset())


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Ask for the same release in a new merge request."""
    read(situation, call, TAKES)
    on = opened(situation)
    request, unit, stage = on.request, on.unit, on.stage
    allow(situation, "refresh", unit, stage)
    acting(situation, stage)
    if situation.release is None:
        raise Declined("Its branch holds no commit of Towpath's any more: close it, and ask for the release anew.")
    healthy(state, unit, stage, situation.release)
    entry = Asked(
        service=unit,
        stage=stage,
        cause="refresh",
        images=pinned(situation.release),
        replaces=request.iid,
        **said(situation),
    )
    after = _anew(state, situation, entry)
    answer = f"!{request.iid} is replaced by a new merge request of the same release; approvals start anew."
    return Done(after, answer + overtaken(state, situation, unit, stage), (unit,))


def _anew(state: State, situation: Situation, entry: Asked) -> State:
    """The state in which the release gets another merge request; what somebody wants there stays wanted (S19).

    Declined where that is another release: whoever may refresh need not have the right to take it back."""
    wish = asked_in(state, entry.service, entry.stage)
    if wish is None or wish.cause == "refresh" or wish.at > entry.at:
        return asked(state, situation, entry)
    if wish.release.name != entry.release.name:
        who, wanted = code(f"@{wish.by.name}"), named(wish.release)
        raise Declined(f"{who} asked for {wanted} in {code(entry.stage)} on {when(wish.at)}: that comes instead.")
    again = wish.model_copy(update={"replaces": entry.replaces})
    return state.model_copy(update={"asked": tuple(again if one == wish else one for one in state.asked)})


COMMAND = Command(
    "refresh",
    "/refresh",
    "replaces this merge request by a new one of the same release, on the newest commit",
    "refresh",
    apply,
    TAKES,
)
