"""What was pushed to the target branch by people: validated like a merge request, and told on the commit itself."""

import structlog

from bot.errors import OutsideError
from bot.forges.base import Status
from bot.pending import Work
from policies import layout, trailers
from policies.codeowners import LOCATIONS
from policies.config import Policy
from policies.findings import Severity, Validation
from policies.judging import Judged, judged
from policies.model import CheckState
from policies.validating import Validating
from policies.verdict import Outcome
from policies.wording.fitting import number_of
from policies.wording.quote import one_line
from policies.wording.report import STATUS_LIMIT
from workers.audit import is_bound
from workers.hands import Hands
from workers.looking import look_at
from workers.observe.changes import Reading, change_of
from workers.observe.context import Context
from workers.observe.inventory import first
from workers.observe.policy import FILE, in_force
from workers.world import World

log = structlog.get_logger(__name__)

STATUS = "towpath/validation"
"""The commit status of what was pushed; not the one by which promotions are judged."""


def pushed(context: Context, policy: Policy, last: str, head: str) -> Work | None:
    """The work of validating what came into the target branch; None where that was Towpath's, or is nobody's here."""
    if context.mirror.parents(head)[:1] == (last,) and _is_merge(context, last, head):
        return None
    changed = context.mirror.changed(last, head)
    rules = {FILE, *LOCATIONS[context.forge.kind]}
    ours = any(path in rules or layout.capture(policy.services.path, path) is not None for path in changed)
    return ("pushed", context.forge.name, context.repository, last, head) if ours else None


def _is_merge(context: Context, last: str, head: str) -> bool:
    """Whether it is Towpath's own merge, of which everything was looked at before; anybody can copy its message.

    Evidence that names no head is that of a branch, not of a merge."""
    record = trailers.unsealed(context.mirror.message(head), context.seal_keys)
    return record is not None and record.head != "" and is_bound(context, record, last, head)


def validate_push(world: World, hands: Hands, place: tuple[str, str], commits: tuple[str, str]) -> None:
    """Look at what is otherwise in the second of two commits of the target branch, by the first one's rules (S12)."""
    context, (last, head) = world.context(*place), commits
    context.mirror.ensure(last, head)
    policy = in_force(context.mirror, last, context.subject).policy
    inventory = first(context.mirror, head, policy.services)
    change = change_of(Reading(context.mirror, context.parsed), policy, commits, inventory)
    found = look_at(world.kit, change, hands.still_mine)
    if not found.checked:
        return
    state, text = told(found, policy.validation)
    if judged(found, policy.validation).outcome is Outcome.block:
        places = [f"{one.path}:{one.line or ''}" for _, one in found.findings if one.severity is Severity.error]
        log.error("pushed content has errors", repository=context.subject, commit=head, places=places[:20])
    _set(context, head, Status(STATUS, state, text, ""))


def told(found: Validation, rules: Validating) -> tuple[CheckState, str]:
    """The status of a push: what validators found, in a few words."""
    one = judged(found, rules)
    match one.outcome:
        case Outcome.block:
            return CheckState.failed, f"Validators found {number_of(one.error_count, 'error')}: see `towpath validate`"
        case Outcome.wait:
            return CheckState.failed, _unknown(one)
        case Outcome.passed:
            errors = number_of(one.error_count, "error") if one.errors else "no error"
            return CheckState.success, f"Validators found {errors}{', only reported' if one.errors else ''}"


def _unknown(one: Judged) -> str:
    if one.broken:
        return "A validator came to no end: see `towpath validate`"
    return one_line(f"{one.unknown[0].validator} is required, but {one.unknown[0].why}", STATUS_LIMIT)


def _set(context: Context, head: str, status: Status) -> None:
    try:
        branch = context.forge.default_branch(context.repository)
        context.forge.set_status(context.repository, head, branch, status)
    except OutsideError as refusal:
        # It is the log that alarms; a commit that may not be marked must not be looked at for ever.
        log.warning("status not set", commit=head, why=str(refusal))
