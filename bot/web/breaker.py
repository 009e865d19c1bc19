"""After a failure of Redis nobody waits for it for a moment, so that many callers at once hear 503 in time (R1)."""

from collections.abc import Callable

PAUSE = 1.0
"""Seconds after a failure in which Redis is not asked."""


class Breaker:
    """Remembers for a moment that Redis did not answer; the clock is monotonic, in seconds."""

    def __init__(self, clock: Callable[[], float], pause: float = PAUSE) -> None:
        self._clock = clock
        self._pause = pause
        self._until = float("-inf")

    def failed(self) -> None:
        """Redis did not answer just now."""
        self._until = self._clock() + self._pause

    @property
    def open(self) -> bool:
        """Whether it would be in vain to ask Redis now."""
        return self._clock() < self._until
