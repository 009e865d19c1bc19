"""The receiver's requests per second as a share of a bare Flask view under the same server."""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import redis
from flask import Flask, request

from bot.hooks.ci import sign
from tests.bench.figures import Row, quantile
from tests.redis_server import RedisServer, free_port

SECRET = "a-ci-secret-of-the-bench"
SECONDS = 2.0
CLIENTS = 4
PATH = "/hooks/images/ci"
BODY_SIZE = 25_000
"""Bytes of a large webhook, which both have to read."""


def bare() -> Flask:
    """The yardstick: reads the body and answers 202."""
    app = Flask("bare")

    def view() -> tuple[str, int]:
        request.get_data()
        return "", 202

    app.add_url_rule(PATH, view_func=view, methods=["POST"])
    return app


def measure(rounds: int) -> list[Row]:
    """Rounds in turn, medians; once with all events for one image, once with every event for another."""
    with tempfile.TemporaryDirectory() as name, RedisServer(Path(name)) as server:
        variables = _variables(Path(name), server.url)
        with (
            _served("workers.serving:make_web", variables) as ours,
            _served("tests.bench.receiver:bare", variables) as base,
        ):
            return [
                *_compare("one image", lambda _: 0, (ours, base), rounds, server.url),
                *_compare("every image another", lambda number: number, (ours, base), rounds, server.url),
            ]


def _compare(name: str, image: Callable[[int], int], ports: tuple[int, int], rounds: int, redis_url: str) -> list[Row]:
    rates: list[list[float]] = [[], []]
    slow: list[list[float]] = [[], []]
    for _ in range(rounds):
        redis.Redis.from_url(redis_url).flushall()
        for index, port in enumerate(ports):
            rate, latencies = _load(port, image)
            rates[index].append(rate)
            slow[index].append(quantile(latencies, 0.99) * 1000)
    how = f"granian, 1 process, 4 threads, {CLIENTS} clients, {rounds} rounds of {SECONDS:g} s in turn, median"
    return [
        Row(f"receiver, {name}: requests", statistics.median(rates[0]), statistics.median(rates[1]), "/s", how),
        Row(f"receiver, {name}: p99", statistics.median(slow[0]), statistics.median(slow[1]), "ms", how),
    ]


def _load(port: int, image: Callable[[int], int]) -> tuple[float, list[float]]:
    latencies: list[list[float]] = [[] for _ in range(CLIENTS)]
    end = time.perf_counter() + SECONDS
    threads = [threading.Thread(target=_client, args=(port, end, image, found, n)) for n, found in enumerate(latencies)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [one for client in latencies for one in client]
    return len(found) / (time.perf_counter() - began), found


def _client(port: int, end: float, image: Callable[[int], int], latencies: list[float], client: int) -> None:
    number = client
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = connection.makefile("rb")
        while time.perf_counter() < end:
            message = _message(number, image(number))
            began = time.perf_counter()
            connection.sendall(message)
            _read(reader)
            latencies.append(time.perf_counter() - began)
            number += CLIENTS


def _message(number: int, image: int) -> bytes:
    said = {
        "repository": f"registry.example.com/shop/app-{image}",
        "digest": f"sha256:{number:064x}",
        "tag": f"v{number}",
        "links": {f"link-{n}": "https://ci.example.com/" + "x" * (BODY_SIZE // 60) for n in range(20)},
    }
    body = json.dumps(said).encode()
    headers = {**sign(SECRET, body, datetime.now(UTC)), "Content-Length": str(len(body)), "Host": "bench"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {PATH} HTTP/1.1\r\n{head}\r\n".encode() + body


def _read(reader: "socket.SocketIO | object") -> None:
    assert hasattr(reader, "readline") and hasattr(reader, "read")
    status = reader.readline()
    if b" 202 " not in status:
        raise RuntimeError(f"the server answered {status!r}")
    length = 0
    while (line := reader.readline()) != b"\r\n":
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    reader.read(length)


def _variables(folder: Path, redis_url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "TOWPATH_REDIS_URL": redis_url,
        "TOWPATH_LOG_LEVEL": "error",
        "TOWPATH_MIRRORS": str(folder / "mirrors"),
        "TOWPATH_SEAL": '["a-seal-key-of-the-bench"]',
        "TOWPATH_FORGES__MAIN__KIND": "gitlab",
        "TOWPATH_FORGES__MAIN__URL": "https://gitlab.example.com",
        "TOWPATH_FORGES__MAIN__TOKEN": "glpat-not-a-real-one",
        "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": '["a-hook-token-of-the-bench"]',
        "TOWPATH_FORGES__MAIN__REPOSITORIES": '["platform/config"]',
        "TOWPATH_SOURCES__CI__KIND": "ci",
        "TOWPATH_SOURCES__CI__SECRETS": f'["{SECRET}"]',
        "TOWPATH_SOURCES__CI__IMAGES": '["registry.example.com/shop/"]',
    }


@contextmanager
def _served(factory: str, variables: dict[str, str]) -> Iterator[int]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1"),
        *("--port", str(port), "--workers", "1", "--blocking-threads", "4", "--log-level", "error", factory),
    ]
    process = subprocess.Popen(command, env=variables, stdout=subprocess.DEVNULL)
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("the server did not start") from None
            time.sleep(0.05)
        else:
            return
