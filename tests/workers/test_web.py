"""`towpath web` as it is started: the real server, under callers that hold it up."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from tests.redis_server import RedisServer, free_port

HALF_SENT = b"POST /hooks/images/ci HTTP/1.1\r\nHost: towpath\r\nContent-Length: 1000\r\n\r\n"


class Web:
    """A served receiver, with a Redis of its own."""

    def __init__(self, redis: RedisServer, port: int) -> None:
        self.redis, self.port = redis, port

    def get(self, path: str) -> int:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=20).status_code

    def wait(self) -> None:
        end = time.monotonic() + 20
        while True:
            try:
                assert self.get("/readyz") == 200
                return
            except requests.ConnectionError:
                assert time.monotonic() < end
                time.sleep(0.05)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    with RedisServer(tmp_path) as server:
        variables = {
            "PATH": os.environ["PATH"],
            "TOWPATH_REDIS_URL": server.url,
            "TOWPATH_MIRRORS": str(tmp_path / "mirrors"),
            "TOWPATH_SEAL": '["0123456789abcdef"]',
            "TOWPATH_FORGES__MAIN__KIND": "gitlab",
            "TOWPATH_FORGES__MAIN__URL": "https://gitlab.example.com",
            "TOWPATH_FORGES__MAIN__TOKEN": "glpat-not-a-real-one",
            "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": '["a-hook-token"]',
            "TOWPATH_FORGES__MAIN__REPOSITORIES": '["platform/config"]',
        }
        found = Web(server, free_port())
        command = [sys.executable, "-c", "from workers.cli import main; main()", "web", "--port", str(found.port)]
        root = Path(__file__).parents[2]
        with subprocess.Popen(
            command,
            env=variables,
            cwd=root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                found.wait()
                yield found
            finally:
                os.killpg(process.pid, signal.SIGKILL)


def test_callers_that_announce_a_body_and_send_none_hold_up_nobody(web: Web) -> None:
    idle = [socket.create_connection(("127.0.0.1", web.port)) for _ in range(12)]
    try:
        for connection in idle:
            connection.sendall(HALF_SENT)
        time.sleep(0.3)
        assert requests.get(f"http://127.0.0.1:{web.port}/healthz", timeout=3).status_code == 200
    finally:
        for connection in idle:
            connection.close()


def test_R1_with_a_redis_that_hangs_many_callers_at_once_hear_503_in_time(web: Web) -> None:
    process = web.redis._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        start = time.monotonic()
        with ThreadPoolExecutor(40) as pool:
            statuses = list(pool.map(lambda _: web.get("/readyz"), range(40)))
        took = time.monotonic() - start
    finally:
        process.send_signal(signal.SIGCONT)
    assert statuses == [503] * 40
    assert took < 2, "half a second for Redis, and the rest for a busy machine"
