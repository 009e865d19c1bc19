"""What a person's merge request would bring about, by deciding on the target branch as it would be after it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import structlog

from bot.errors import OutsideError
from bot.git import Identity
from policies import layout
from policies.codeowners import LOCATIONS
from policies.prospect import Sight, prospects
from policies.snapshot import OwnersFile
from policies.wording.quote import code, plain
from workers import observe
from workers.observe.answers import answered
from workers.observe.context import Context
from workers.observe.inventory import Inventories
from workers.observe.policy import FILE, in_force
from workers.reconcile import look

log = structlog.get_logger(__name__)

MOST_UNITS = 5
"""Units that are decided on for one merge request: each costs the forge some reads, twice."""
KEPT = 3600
"""Seconds for which what was told of a merge is remembered."""
NOBODY = Identity("Towpath", "towpath@localhost")


def prospect(context: Context, base: observe.Base, tree: str, now: datetime) -> tuple[str, ...]:
    """One sentence for each thing that would be otherwise if the target branch had this tree."""
    key = f"prospect:{context.subject}:{base.head}:{base.state_head}:{tree}"
    known = context.memory.get(key)
    if known is not None:
        return tuple(known.splitlines())
    found = _prospect(context, base, tree, now)
    context.memory.set(key, "\n".join(found), KEPT)
    return found


def _prospect(context: Context, base: observe.Base, tree: str, now: datetime) -> tuple[str, ...]:
    aside = _aside(context)
    later = _later(aside, base, tree, now)
    if later.policy.services != base.policy.services:
        # Another template would have us read, and speak of, whatever files a merge request likes.
        return ("`services` changes, so what follows is not foreseen here",)
    units = tuple(_units(aside, base, later))
    found = [line for unit in units[:MOST_UNITS] for line in _of_unit(aside, (base, later), unit, now)]
    more = len(units) - MOST_UNITS
    rest = (f"{more} more services, which are not looked at here",) if more > 0 else ()
    return (*found, *rest)


def _aside(context: Context) -> Context:
    """The same repository, without what is remembered from one head to the next: this one will never be."""
    return replace(context, mirror=context.mirror.aside(), inventories=Inventories(context.inventories.blobs))


def _later(context: Context, base: observe.Base, tree: str, now: datetime) -> observe.Base:
    """The target branch after the merge, as a commit of the mirror that is never pushed."""
    head = context.mirror.commit(base.head, tree, "What would be", NOBODY, now)
    force = in_force(context.mirror, head, context.subject)
    inventory = context.inventories.at(context.mirror, head, force.policy.services)
    return replace(base, head=head, policy=force.policy, faults=force.faults, inventory=inventory)


def _units(context: Context, base: observe.Base, later: observe.Base) -> Iterable[str]:
    """The units that it may concern: those whose files change first, all where the rules do."""
    changed = context.mirror.changed(base.head, later.head)
    touched = [one.captured(path).get("service", "") for path in changed for one in (base.inventory, later.inventory)]
    units = [unit for unit in dict.fromkeys(touched) if unit]
    if FILE in changed or any(path in changed for path in LOCATIONS[context.forge.kind]):
        units += sorted({*base.inventory.by_service, *later.inventory.by_service})
    return dict.fromkeys(unit for unit in units if layout.is_utf8(unit))


def _of_unit(context: Context, bases: tuple[observe.Base, observe.Base], unit: str, now: datetime) -> tuple[str, ...]:
    try:
        first, second = (_sight(context, unit, now, at) for at in bases)
    except OutsideError as failure:
        log.warning("not foreseen", unit=unit, why=str(failure))
        return (f"{code(unit)}: it cannot be told, for {plain(str(failure))}",)
    return prospects(first, second)


def _sight(context: Context, unit: str, now: datetime, at: observe.Base) -> Sight:
    snapshot, plan = look(context, unit, now, at)
    return Sight(answered(context, snapshot, (OwnersFile(),)), plan)
