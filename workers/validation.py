"""Validating a merge request: what validators have not seen yet is looked at, and whoever waits for it is woken."""

import structlog

from bot.git import Merged
from bot.pending import Work
from bot.validators import Change
from policies import naming
from policies.model import MergeRequest, MergeRequestState
from workers import observe
from workers.hands import Hands
from workers.looking import look_at
from workers.observe import full
from workers.observe.changes import Reading, change_of
from workers.observe.context import Context
from workers.observe.promotions import is_ours
from workers.world import World

log = structlog.get_logger(__name__)


def validate(world: World, hands: Hands, place: tuple[str, str], iid: int) -> None:
    """Look at a merge request's content as it would be merged now, keep the result, and wake who waits for it."""
    context = world.context(*place)
    request = context.forge.request(context.repository, iid)
    change = _change(context, request)
    if change is None:
        return
    found = look_at(world.kit, change, hands.still_mine)
    full.keep(context, request, found)
    log.info("validated", mr=iid, key=found.key, findings=len(found.findings))
    world.pending.mark([_woken(context, request)], world.clock().timestamp(), cause="validated")


def _change(context: Context, request: MergeRequest) -> Change | None:
    """What it would change just now; None where nothing of it would be merged as it stands."""
    base = observe.base(context)
    if request.state is not MergeRequestState.opened or request.target_branch != base.branch:
        return None
    context.mirror.ensure(request.head)
    merged = context.mirror.merge(base.head, request.head)
    if not isinstance(merged, Merged):
        return None
    return change_of(Reading(context.mirror, context.parsed), base.policy, (base.head, merged.tree), base.inventory)


def _woken(context: Context, request: MergeRequest) -> Work:
    name, place = naming.parse_branch(request.source_branch), (context.forge.name, context.repository)
    if name is not None and is_ours(request, context.forge.me()):
        return ("unit", *place, name.unit)
    return ("request", *place, str(request.iid))
