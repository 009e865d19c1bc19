"""What all tests share: Hypothesis' profile, quiet logs, and a real Redis."""

import fcntl
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import structlog

from tests.profiles import load_profile
from tests.redis_server import RedisServer

load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"), Path(__file__).parent.parent)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The validators' tests that start programs come last: under CI those are built meanwhile."""
    items.sort(key=lambda item: "validators" in item.path.parts and item.get_closest_marker("programs") is not None)


@pytest.fixture(autouse=True)
def _quiet_logs() -> None:
    """For each test anew: commands that run in this process set the logs up as their operators want them."""
    structlog.reset_defaults()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@pytest.fixture
def one_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One demo at a time in all processes of the run: each takes the ports that it finds free, and says so later."""
    with (tmp_path_factory.getbasetemp().parent / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One real Redis for the whole run of this process."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty Redis."""
    redis.Redis.from_url(redis_server.url).flushall()
    return redis_server.url
