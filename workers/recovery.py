"""Webhooks that did not arrive: asked for again where the forge keeps them, and told where a person must act."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.errors import OutsideError
from bot.forges.base import Recovery
from workers.world import World

log = structlog.get_logger(__name__)

FURTHEST = timedelta(days=3)
"""GitHub keeps deliveries for three days (its documentation of redelivering webhooks)."""
OVERLAP = timedelta(minutes=15)
"""How far a look goes back before the one before it: what was failing then may have failed again."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of one repository's webhooks; `failure` where the forge would not say."""

    forge: str
    repository: str
    recovery: Recovery
    failure: OutsideError | None = None


def hook_path(kind: str, forge: str) -> str:
    """Where a forge's webhooks go at the receiver."""
    return f"/hooks/{kind}/{forge}"


def recover(world: World, since: datetime) -> tuple[Recovered, ...]:
    """Recover the webhooks of every config repository; one that cannot be asked stops no other."""
    return tuple(_recovered(world, forge, repository, since) for forge, repository in _asked(world))


def _asked(world: World) -> tuple[tuple[str, str], ...]:
    """The repositories to ask for; an App has one webhook for all its repositories, and so is asked once."""
    asked: dict[object, tuple[str, str]] = {}
    for forge, repository in world.repositories():
        by_app = world.settings.forges[forge].app() is not None
        asked.setdefault(forge if by_app else (forge, repository), (forge, repository))
    return tuple(asked.values())


def recover_lately(world: World, now: datetime) -> None:
    """What the sweep does: as `recover`, since the last time; told in the log, and never a reason to fail."""
    for forge, repository in _asked(world):
        key = f"recovered:{forge}:{repository}"
        last = world.memory.get(key)
        since = datetime.fromisoformat(last) - OVERLAP if last else now - timedelta(hours=1)
        one = _recovered(world, forge, repository, max(since, now - FURTHEST))
        place = {"forge": one.forge, "repository": one.repository}
        if one.recovery.sent_again:
            log.warning("webhooks sent again", count=one.recovery.sent_again, **place)
        for advice in one.recovery.advice:
            log.error("webhook needs a person", advice=advice, **place)
        if one.failure is not None:
            log.info("webhooks not looked at", why=str(one.failure), **place)
        if one.failure is None:
            world.memory.set(key, now.isoformat(), int(FURTHEST.total_seconds()))


def _recovered(world: World, forge: str, repository: str, since: datetime) -> Recovered:
    path = hook_path(world.settings.forges[forge].kind, forge)
    try:
        return Recovered(forge, repository, world.context(forge, repository).forge.recover(repository, path, since))
    except OutsideError as failure:
        return Recovered(forge, repository, Recovery(), failure)
