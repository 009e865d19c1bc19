"""Speaks with the launcher in its own process: gives it orders, hears what its program prints, and lets it go."""

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

import bot.launch

Ending: TypeAlias = Mapping[str, int | str]
"""The launcher's word; see `bot.launch.__main__`."""

LAUNCHER = Path(bot.launch.__file__).with_name("__main__.py")
GRACE = 10
"""Seconds for the launcher to end what it has started, before it is killed itself."""
CHUNK = 64 * 1024


class Overflow(Exception):
    """More was printed than may be."""


@dataclass
class _Heard:
    """What has come from a pipe, up to a bound."""

    most: int
    chunks: list[bytes] = field(default_factory=list)
    size: int = 0

    def take(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size > self.most:
            raise Overflow
        self.chunks.append(chunk)


def carried_out(orders: Mapping[str, object], most: int, seconds: float, given: bytes) -> tuple[Ending, bytes, bytes]:
    """Have the launcher carry its orders out; how it ended, standard output and standard error.

    `most`: bytes of each of the two. After `seconds` and some grace the launcher is killed, if it has not ended."""
    mine, its = socket.socketpair()
    with mine:
        with its:
            command = [sys.executable, "-I", "-S", str(LAUNCHER), str(its.fileno())]
            running = subprocess.Popen(
                command,
                env={},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(its.fileno(),),
                start_new_session=True,
                bufsize=0,
            )
        with running:
            try:
                with suppress(BrokenPipeError):
                    mine.sendall(json.dumps(orders).encode() + b"\n")
                out, err, told = _listen(running, mine, (most, seconds), given)
            except Overflow:
                return {"passed": "output"}, b"", b""
            finally:
                _let_go(running, mine)
    return (json.loads(told) if told else {"signal": signal.SIGKILL}), out, err


def _let_go(running: "subprocess.Popen[bytes]", mine: socket.socket) -> None:
    """Close the line, upon which the launcher ends what it has started, and then itself."""
    mine.close()
    for pipe in (running.stdin, running.stdout, running.stderr):
        if pipe is not None:
            pipe.close()
    try:
        running.wait(GRACE)
    except subprocess.TimeoutExpired:
        running.kill()


def _listen(
    running: "subprocess.Popen[bytes]", mine: socket.socket, bounds: tuple[int, float], given: bytes
) -> tuple[bytes, bytes, bytes]:
    """Give standard input, and read standard output, standard error and the launcher's word to their ends."""
    assert running.stdin is not None  # noqa: S101 # all three are pipes
    assert running.stdout is not None  # noqa: S101
    assert running.stderr is not None  # noqa: S101
    most, seconds = bounds
    heard = {
        running.stdout.fileno(): _Heard(most),
        running.stderr.fileno(): _Heard(most),
        mine.fileno(): _Heard(CHUNK),
    }
    deadline = time.monotonic() + seconds + GRACE
    with selectors.DefaultSelector() as selector:
        for number in heard:
            selector.register(number, selectors.EVENT_READ)
        _offer(selector, running.stdin, given)
        while any(number in selector.get_map() for number in heard) and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                _move(selector, key, heard)
    out, err, told = (b"".join(one.chunks) for one in heard.values())
    return out, err, told


def _offer(selector: selectors.BaseSelector, pipe: IO[bytes], given: bytes) -> None:
    """Have bytes written to a pipe whenever it takes some."""
    os.set_blocking(pipe.fileno(), False)
    if given:
        selector.register(pipe, selectors.EVENT_WRITE, (pipe, memoryview(given)))
    else:
        pipe.close()


def _move(selector: selectors.BaseSelector, key: selectors.SelectorKey, heard: Mapping[int, _Heard]) -> None:
    """Read from what can be read, or write to what can be written."""
    if key.fd in heard:
        chunk = os.read(key.fd, CHUNK)
        heard[key.fd].take(chunk)
        if not chunk:
            selector.unregister(key.fd)
        return
    pipe, left = key.data
    with suppress(BlockingIOError):
        try:
            left = left[os.write(key.fd, left) :]
        except BrokenPipeError:
            left = left[:0]
    if left:
        selector.modify(pipe, selectors.EVENT_WRITE, (pipe, left))
    else:
        selector.unregister(pipe)
        pipe.close()
