"""The timer: hands due work to the workers, returns expired leases, and sweeps. Several may run."""

import threading
from collections.abc import Callable

import redis
import structlog

from bot.pending import Pending, Work

log = structlog.get_logger(__name__)

BATCH = 200
LONGEST_WAIT = 1.0
"""Seconds between two looks at the queue: also the patience with a stopped Redis."""
AGAIN = 30.0
"""Seconds after which a work that was handed out and not claimed is handed out again: its message was lost."""


def run_timer(
    pending: Pending,
    send: Callable[[Work], object],
    clock: Callable[[], float],
    sweep_seconds: float,
    stop: threading.Event,
) -> None:
    """Tick until told to stop; a Redis or broker that does not answer is told and tried again."""
    next_sweep = clock()
    while not stop.is_set():
        try:
            now = clock()
            if now >= next_sweep:
                pending.mark([("sweep",)], now, cause="sweep")
                next_sweep = now + sweep_seconds
            if tick(pending, send, now) < BATCH:
                _wait(pending, clock())
        except (redis.RedisError, OSError) as error:
            log.error("the work queue does not answer", error=type(error).__name__, why=str(error)[:200])
            stop.wait(LONGEST_WAIT)


def tick(pending: Pending, send: Callable[[Work], object], now: float) -> int:
    """One look: expired leases are due again, due works are sent; how many were sent."""
    expired = pending.expire(now)
    if expired:
        log.warning("leases expired", works=[" ".join(work) for work in expired[:20]])
    works = pending.hand_out(now, BATCH, now + AGAIN)
    for work in works:
        send(work)
    return len(works)


def _wait(pending: Pending, now: float) -> None:
    due = pending.next_at()
    seconds = LONGEST_WAIT if due is None else min(max(due - now, 0.0), LONGEST_WAIT)
    if seconds > 0:
        # Less than the client's socket timeout at a time, so that a stopped Redis is told from a quiet one.
        pending.wait(min(seconds, 0.3))
