"""/refresh: the open merge request is made anew on the newest commit; no approval travels."""

from policies.commands.arguments import read
from policies.commands.entries import acting, allow, asked, healthy, opened, overtaken, pinned, said
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.state import Asked, State

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
    after = asked(state, situation, entry)
    answer = f"!{request.iid} is replaced by a new merge request of the same release; approvals start anew."
    return Done(after, answer + overtaken(state, situation, unit, stage), (unit,))


COMMAND = Command(
    "refresh",
    "/refresh",
    "replaces this merge request by a new one of the same release, on the newest commit",
    "refresh",
    apply,
    TAKES,
)
