"""/status: what runs where, what is open and why it waits, and what holds it."""

from policies.actions import StagePlan
from policies.commands import releases
from policies.commands.arguments import read, service_of, with_defaults
from policies.commands.entries import allow, was_read
from policies.commands.lines import Call
from policies.commands.model import Command, Done, Situation, Takes, refusing
from policies.snapshot import StageView
from policies.state import State, holds_request
from policies.wording.quote import code
from policies.wording.report import SIGN
from policies.wording.steering import freeze_line, hold_line, named, quarantine_line, rows

TAKES = Takes(frozenset({"service"}))


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Change nothing."""
    service = service_of(situation, with_defaults(situation, read(situation, call, TAKES)))
    allow(situation, "status", service, None)
    was_read(situation, service)
    plans = {plan.stage: plan for plan in situation.plan.stages}
    views = [view for view in situation.snapshot.stages if view.targets]
    lines = (f"| {code(one.stage.name)} | {_runs(situation, one)} | {_stands(plans, one)} |" for one in views)
    table = "\n".join(["| stage | runs | how it stands |", "|---|---|---|", *lines])
    return Done(state, f"{_untold(situation)}{code(service)}:\n\n{table}{_closed(situation, state, service)}")


def _untold(situation: Situation) -> str:
    """That what commands decided is not shown below, where it cannot be told (S21)."""
    found = situation.snapshot.state
    if isinstance(found, State):
        return ""
    lead = "What is held, frozen or quarantined cannot be told, so nothing merges and nothing opens"
    return f"{lead}: {found.reason}. What would change it: {found.change}.\n\n"


def _runs(situation: Situation, view: StageView) -> str:
    release = releases.running(situation.snapshot, view)
    return named(release) if release is not None else "not one release"


def _stands(plans: dict[str, StagePlan], view: StageView) -> str:
    plan = plans.get(view.stage.name)
    if plan is None:
        return "nothing is planned"
    link = f" ([merge request]({plan.request}))" if plan.request else ""
    return f"{SIGN[plan.verdict.outcome]} {plan.verdict.reason}{link}"


def _closed(situation: Situation, state: State, service: str) -> str:
    now, unit, own = situation.now, situation.snapshot.unit, situation.snapshot.promotions
    lines = [
        hold_line(one)
        for one in state.holds
        if one.service in (None, service)
        and (one.request is None or any(holds_request(one, p.request.iid, (unit, p.stage, p.name)) for p in own))
        and (one.until is None or one.until > now)
    ]
    lines += [freeze_line(one) for one in state.freezes if one.until > now]
    lines += [quarantine_line(one) for one in state.quarantine if one.service == service]
    return f"\n{rows(lines)}" if lines else ""


COMMAND = Command(
    "status",
    "/status [SERVICE]",
    "says what runs in each stage, what is open, why it waits, and what is held, frozen or quarantined",
    "status",
    apply,
    TAKES,
)
