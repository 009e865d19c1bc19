"""What writing needs beside the context: who commits, the clock, and a deadline that stops a late write."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.git import Identity


@dataclass(frozen=True)
class Hands:
    """In whose name, when, and for how long something may be written."""

    identity: Identity
    clock: Callable[[], datetime]
    still_mine: Callable[[], None]
    """Raises `Conflict` when the lease may have run out (checked before every write)."""
