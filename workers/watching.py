"""The doctor on the timer: the log tells which gates do not hold, and which hold less than an hour ago (S24)."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

import structlog

from bot.errors import OutsideError
from bot.pending import Work
from policies.enforcement import Change, Enforcement, Level, changed, judge
from policies.standing import expiring
from workers.observe import base
from workers.observe.context import Context
from workers.owning import ownership
from workers.world import World

log = structlog.get_logger(__name__)

EVERY = timedelta(hours=1)
KEPT = 30 * 24 * 3600
"""Seconds for which it is remembered how far the gates held; without it they are told again, as at first sight."""
Known = Mapping[str, tuple[str, list[str]]]
"""Stage to its level and who may go around it."""


def due(world: World) -> tuple[Work, ...]:
    """The look at each repository's gates that is an hour old, as work."""
    return tuple(
        ("doctor", forge, repository) for forge, repository in world.repositories() if _is_due(world, forge, repository)
    )


def watch(world: World, forge: str, repository: str) -> None:
    """Look at a repository's gates and at Towpath's token, at most once an hour, whatever comes of it."""
    if not _is_due(world, forge, repository):
        return
    world.memory.set(_key(forge, repository), world.clock().isoformat(), KEPT)
    looks: tuple[Callable[[World, Context], None], ...] = (_look_at_gates, _look_at_token)
    for look in looks:
        try:
            look(world, world.context(forge, repository))
        except OutsideError as failure:
            log.warning("gates not looked at", forge=forge, repository=repository, why=str(failure))


def _key(forge: str, repository: str) -> str:
    return f"doctored:{forge}:{repository}"


def _is_due(world: World, forge: str, repository: str) -> bool:
    last = world.memory.get(_key(forge, repository))
    return last is None or world.clock() - datetime.fromisoformat(last) >= EVERY


def _look_at_gates(world: World, context: Context) -> None:
    key = f"gates:{context.subject}"
    before = _known(world.memory.get(key))
    found = dict(_judged(context))
    for stage, judged in found.items():
        _tell(context, stage, judged, before)
    known = {stage: (judged.level.value, list(judged.by)) for stage, judged in found.items()}
    world.memory.set(key, json.dumps(known), KEPT)


def _judged(context: Context) -> Iterator[tuple[str, Enforcement]]:
    """Each stage with approvals that are asked for; without any the forge is not asked about its settings."""
    now = base(context)
    stages = [stage for stage in now.policy.ordered() if stage.approvals is not None and stage.mode != "observe"]
    if not stages:
        return
    guard = context.forge.guard(context.repository, now.branch)
    owning = ownership(context, now)
    for stage in stages:
        yield stage.name, judge(guard, stage, owning[stage.name])


def _known(text: str | None) -> Known:
    found: dict[str, tuple[str, list[str]]] = json.loads(text) if text else {}
    return found


def _tell(context: Context, stage: str, judged: Enforcement, before: Known) -> None:
    level, by = before.get(stage, (None, []))
    last = None if level is None else Level(level)
    place = {"forge": context.forge.name, "repository": context.repository, "stage": stage, "level": judged.level.value}
    told = {**place, "before": level, "by": list(judged.by), "why": judged.why, "change": judged.change}
    match changed(judged, last, by):
        case Change.worse:
            log.critical("gates hold less than before", **told)
        case Change.not_held:
            log.warning("gates can be gone around", **told)
        case Change.holds_again:
            log.info("gates hold again", **place)
        case Change.none:
            pass


def _look_at_token(world: World, context: Context) -> None:
    """Once a day for each forge, from two weeks before its end."""
    now = world.clock()
    told = expiring(context.forge.credential(context.repository), now)
    key, today = f"expiring:{context.forge.name}", now.date().isoformat()
    if told and world.memory.get(key) != today:
        log.warning("token expires soon", forge=context.forge.name, what=told)
        world.memory.set(key, today, KEPT)
