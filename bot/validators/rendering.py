"""What the cluster gets of a target, before and after: rendered once, by whichever renderer policy names."""

import threading
from pathlib import Path

from bot.validators.base import Change, Rendered, Skipped, Target
from bot.validators.launching import Launcher


class Renderings:
    """The renderings of one validation, each made at most once, from many threads."""

    def __init__(self, launcher: Launcher, scratch: Path) -> None:
        self._launcher = launcher
        self._scratch = scratch
        self._lock = threading.Lock()

    def __call__(self, change: Change, target: Target) -> Rendered:  # noqa: ARG002
        """What the cluster gets of a target; Skipped where policy names no renderer or its program is absent."""
        raise Skipped("policy names no renderer")
