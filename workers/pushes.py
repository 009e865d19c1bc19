"""What was pushed to the target branch by people: validated like a merge request, and told on the commit itself."""

import structlog

from bot.errors import OutsideError
from bot.forges.base import Status
from bot.pending import Work
from policies import layout, trailers
from policies.codeowners import LOCATIONS
from policies.config import Policy
from policies.findings import Ran, Severity, Validation
from policies.model import CheckState
from policies.wording.fitting import number_of
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
    if context.mirror.parents(head)[:1] == (last,) and _is_merge(context, head):
        return None
    changed = context.mirror.changed(last, head)
    rules = {FILE, *LOCATIONS[context.forge.kind]}
    ours = any(path in rules or layout.capture(policy.services.path, path) is not None for path in changed)
    return ("pushed", context.forge.name, context.repository, last, head) if ours else None


def _is_merge(context: Context, head: str) -> bool:
    """Whether it is Towpath's own merge, of which everything was looked at before."""
    return trailers.unsealed(context.mirror.message(head), context.seal_keys) is not None


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
    state, text = told(found)
    if state is CheckState.failed:
        places = [f"{one.path}:{one.line or ''}" for _, one in found.findings if one.severity is Severity.error]
        log.error("pushed content has errors", repository=context.subject, commit=head, places=places[:20])
    _set(context, head, Status(STATUS, state, text, ""))


def told(found: Validation) -> tuple[CheckState, str]:
    """The status of a push: what validators found, in a few words."""
    errors = sum(one.severity is Severity.error for _, one in found.findings)
    if errors:
        return CheckState.failed, f"Validators found {number_of(errors, 'error')}: see `towpath validate`"
    if any(one.ran is Ran.broken for one in found.checked):
        return CheckState.failed, "A validator came to no end: see `towpath validate`"
    return CheckState.success, "Validators found no error"


def _set(context: Context, head: str, status: Status) -> None:
    try:
        branch = context.forge.default_branch(context.repository)
        context.forge.set_status(context.repository, head, branch, status)
    except OutsideError as refusal:
        # It is the log that alarms; a commit that may not be marked must not be looked at for ever.
        log.warning("status not set", commit=head, why=str(refusal))
