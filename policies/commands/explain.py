"""/explain: why it waits, who could unblock it, what somebody's approval would change, and who owns a path."""

from dataclasses import replace

from policies import permissions
from policies.approvals import Tally, tallied, tally
from policies.commands.arguments import Arguments, known, read, service_of, with_defaults
from policies.commands.entries import allow, was_read
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.gates import approvals
from policies.gates.override import is_overridable
from policies.gating import judged_as
from policies.model import Review, ReviewState, User
from policies.snapshot import Promotion, Reviewed, Snapshot, StageView
from policies.state import State
from policies.verdict import Outcome, Verdict
from policies.wording.quote import code, listed
from policies.wording.report import SIGN

TAKES = Takes(others=1)
RIGHTS = {
    "hold": "unhold",
    "freeze": "unfreeze",
    "quarantine": "unquarantine",
    "soak": "skip",
    "window": "skip",
    "health": "skip",
    "checks": "override",
    "approvals": "override",
}
"""Which right unblocks a gate."""


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Change nothing."""
    found = with_defaults(situation, read(situation, call, TAKES))
    service = service_of(situation, found)
    allow(situation, "status", service, found.stage)
    was_read(situation, service)
    subject = next(iter(found.others), "")
    if subject.startswith("@"):
        return Done(state, _person(situation, found, subject))
    return Done(state, _path(situation.snapshot, subject) if subject else _reasons(situation, found))


def _reasons(situation: Situation, found: Arguments) -> str:
    plans = [one for one in situation.plan.stages if found.stage in (None, one.stage)]
    parts = [f"{code(plan.stage)}:\n\n{_tree(situation, plan.stage, plan.verdict)}" for plan in plans]
    return "\n\n".join(parts) or "Nothing is planned there."


def _tree(situation: Situation, stage: str, verdict: Verdict, depth: int = 0) -> str:
    change = f" What would change it: {verdict.change}." if verdict.change and not verdict.children else ""
    line = f"{'  ' * depth}- {SIGN[verdict.outcome]} {verdict.gate}: {verdict.reason}.{change}"
    right = RIGHTS.get(verdict.gate)
    if right is not None and verdict.outcome is not Outcome.passed and _helps(right, verdict):
        service = None if right == "unfreeze" else situation.snapshot.unit
        line += f" {code(f'/{right}')} belongs to {permissions.held_by(situation.snapshot, right, service, stage)}."
    return "\n".join([line, *(_tree(situation, stage, one, depth + 1) for one in verdict.children)])


def _helps(right: str, verdict: Verdict) -> bool:
    """Whether who has the right could unblock this."""
    return right not in {"skip", "override"} or is_overridable(verdict)


def _path(snapshot: Snapshot, path: str) -> str:
    found = snapshot.owners()
    if found.rules is None:
        return f"There is no {code(found.path)} on the target branch, so nobody owns {code(path)}."
    rules = [rule for rule in found.rules.rules_for(path.lstrip("/")) if rule.owners]
    owners = [f"{listed(tuple(code(name) for name in rule.owners), 20)} (line {rule.line})" for rule in rules]
    return f"{code(path)} is owned by {listed(tuple(owners), 20) or 'nobody'}, as {code(found.path)} says."


def _person(situation: Situation, found: Arguments, name: str) -> str:
    snapshot = situation.snapshot
    people = snapshot.members(name)
    if people is None or [one.username.casefold() for one in people] != [name[1:].casefold()]:
        raise Declined(f"{code(name)} is no person whom the forge knows here.")
    mine = situation.request.iid if situation.request is not None else None
    there = [one for one in snapshot.promotions if one.stage == found.stage and mine in (None, one.request.iid)]
    if found.stage is None or not there:
        raise Declined("Nothing is open there that could be approved; on a control issue name service and stage.")
    return _approval(snapshot, snapshot.view(known(situation, found.stage)), there[-1], people[0])


def _approval(snapshot: Snapshot, view: StageView, promotion: Promotion, person: User) -> str:
    """What an approval of this person, given now, would change."""
    who, rule = code(f"@{person.username}"), judged_as(view, promotion).stage.approvals
    if rule is None:
        return f"Policy asks for no approval in {code(view.stage.name)}: one of {who} changes nothing."
    before = approvals.judge(snapshot, view, promotion, rule)
    after = _with_approval(snapshot, promotion, person)
    if reason := _why_not(tally(after, promotion), person):
        return f"An approval of {who} would not count: {reason}."
    then = approvals.judge(after, view, promotion, rule)
    if then == before and then.outcome is not Outcome.passed:
        return f"An approval of {who} would count towards nothing that is asked for: {then.reason}."
    if reason := _why_not(tallied(after, view, promotion), person):
        return f"An approval of {who} would not count: {reason}."
    if then.outcome is Outcome.passed:
        return f"With an approval of {who} this gate passes: {then.reason}."
    return f"An approval of {who} would count; then still: {then.reason}."


def _why_not(found: Tally, person: User) -> str:
    """Why an approval of this person does not count, or an empty text."""
    return next((one.reason for one in found.discounted if one.user.id == person.id), "")


def _with_approval(snapshot: Snapshot, promotion: Promotion, person: User) -> Snapshot:
    request = promotion.request
    others = tuple(one for one in snapshot.reviews(request) if one.user.id != person.id)
    review = Review(person, ReviewState.approved, request.head, request.updated_at)
    return replace(snapshot, answers={**snapshot.answers, Reviewed(request.iid, request.head): (*others, review)})


COMMAND = Command(
    "explain",
    "/explain [SERVICE] [STAGE] [@PERSON|PATH]",
    "says why it waits and who could unblock it, what that person's approval would change, or who owns a path",
    "status",
    apply,
    TAKES,
)
