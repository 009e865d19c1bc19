"""The beginning of a file that is too large to load: libgit2 can only load the whole of it."""

import os
import subprocess
from pathlib import Path

from bot.errors import Transient

_ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


def beginning(folder: Path, blob: str, count: int) -> bytes:
    """The first bytes of a blob of a mirror; Transient where Git gives fewer."""
    # Above this size Git streams; below it, it would load the whole file in its own process.
    command = ["git", f"--git-dir={folder}", "-c", "core.bigFileThreshold=1m", "cat-file", "blob", blob]
    with subprocess.Popen(
        command, env=_ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as running:
        found = running.stdout.read(count) if running.stdout is not None else b""
        running.kill()
    if len(found) < count:
        raise Transient("read", f"the blob {blob}", "Git gave less than it has")
    return found
