"""Validating a merge request: what validators have not seen yet is looked at, and whoever waits for it is woken."""

import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import structlog

from bot.git import Merged
from bot.pending import Work
from bot.validators import Change, Job, jobs, key_of, look
from bot.validators.base import Bench
from bot.validators.rendering import Renderings
from policies import naming
from policies.findings import CHECKED, VALIDATION, Checked, Ran, Validation
from policies.model import MergeRequest, MergeRequestState
from workers import observe
from workers.hands import Hands
from workers.observe import validations
from workers.observe.changes import change_of
from workers.observe.context import Context
from workers.observe.promotions import is_ours
from workers.world import World

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Validators that look at the same time."""


def validate(world: World, hands: Hands, place: tuple[str, str], iid: int) -> None:
    """Look at a merge request's content as it would be merged now, keep the result, and wake who waits for it."""
    context = world.context(*place)
    request = context.forge.request(context.repository, iid)
    change = _change(context, request)
    if change is None:
        return
    found = look_at(world, context, change, hands)
    log.info("validated", mr=iid, key=found.key, findings=len(found.findings))
    world.pending.mark([_woken(context, request)], world.clock().timestamp(), cause="validated")


def _change(context: Context, request: MergeRequest) -> Change | None:
    base = observe.base(context)
    if request.state is not MergeRequestState.opened or request.target_branch != base.branch:
        return None
    context.mirror.ensure(request.head)
    merged = context.mirror.merge(base.head, request.head)
    if not isinstance(merged, Merged):
        return None
    return change_of(context, base.policy, (base.head, merged.tree), base.inventory)


def _woken(context: Context, request: MergeRequest) -> Work:
    name, place = naming.parse_branch(request.source_branch), (context.forge.name, context.repository)
    if name is not None and is_ours(request, context.forge.me()):
        return ("unit", *place, name.unit)
    return ("request", *place, str(request.iid))


def look_at(world: World, context: Context, change: Change, hands: Hands) -> Validation:
    """What validators say of a change; each part that was looked at before is taken from memory."""
    versions = world.versions()
    world.memory.set(validations.TOOLS, json.dumps(versions), validations.KEPT)
    wanted = jobs(change, context.validating.validators, versions)
    key = key_of(wanted)
    again = world.memory.get(validations.again_key(key)) is not None
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        scratch = Path(folder)
        bench = Bench(world.launcher, world.registries, scratch, Renderings(world.launcher, scratch))

        def one(job: Job) -> Checked:
            hands.still_mine()
            return _kept(world, change, job, bench, again)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = Validation(key, tuple(pool.map(one, wanted)))
    _keep(world, found)
    world.memory.delete(validations.again_key(key))
    return found


def _kept(world: World, change: Change, job: Job, bench: Bench, again: bool) -> Checked:
    place = validations.part_key(job.key)
    raw = None if again else world.memory.get(place)
    if raw is not None:
        return CHECKED.validate_json(raw)
    found = look(change, job, bench)
    if found.ran is not Ran.broken:
        world.memory.set(place, CHECKED.dump_json(found).decode(), validations.KEPT)
    return found


def _keep(world: World, found: Validation) -> None:
    broken = any(one.ran is Ran.broken for one in found.checked)
    seconds = validations.BROKEN_KEPT if broken else validations.KEPT
    world.memory.set(validations.result_key(found.key), VALIDATION.dump_json(found).decode(), seconds)
