"""Starts real programs through the launcher, as the tests' own user or as nobody, for the tests of S8."""

import ctypes
import os
import pickle
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest

from bot.launch import system
from bot.validators.launching import LIMITS, Absent, Ended, Isolation, Launcher, Limits, Stopped, Unconfined

PYTHON = "/usr/bin/python3"
NOBODY = 65534
DUMPABLE = 4
"""PR_SET_DUMPABLE of prctl(2)."""
READABLE = (sys.base_prefix, sys.prefix)
Result = TypeVar("Result")
Outcome = Ended | Absent | Stopped


@cache
def refusal() -> str:
    """Why this machine keeps no programs apart; empty where it does."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            Launcher().run(["true"], Path(folder))
        except Unconfined as why:
            return str(why)
    return ""


def needs(isolation: Isolation) -> None:
    """Skip where the kernel forbids what the test is about."""
    if isolation == "namespaces" and refusal():
        pytest.skip(refusal())
    if isolation == "process" and os.geteuid() == 0 and not Path(PYTHON).exists():
        pytest.skip(f"root starts nothing without namespaces, and nobody has no {PYTHON}")


def outcome(isolation: Isolation, argv: Sequence[str], limits: Limits = LIMITS, given: bytes = b"") -> Outcome:
    """How a program ended that was started in a new folder."""
    needs(isolation)

    def work() -> Outcome:
        with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own are root's alone
            try:
                return Launcher(None, isolation, READABLE).run(argv, Path(folder), limits=limits, given=given)
            except (Absent, Stopped) as error:
                return error

    return as_nobody(work) if isolation == "process" and os.geteuid() == 0 else work()


def python(isolation: Isolation, code: str, limits: Limits = LIMITS) -> Outcome:
    """How a program in Python ended."""
    program = PYTHON if Path(PYTHON).exists() else sys.executable
    return outcome(isolation, [program, "-c", code], limits)


def as_nobody(work: Callable[[], Result]) -> Result:
    """What a function gives that runs in a process of the user nobody."""

    def inside() -> Result:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        ctypes.CDLL(None).prctl(DUMPABLE, 1, 0, 0, 0)  # who changes his user loses his own /proc/self
        sys.executable = PYTHON  # the tests' own may stand in a home folder
        return work()

    return _forked(inside)


def without_namespaces(work: Callable[[], Result]) -> Result:
    """What a function gives where the kernel refuses any further namespace, as Docker's default profile does."""

    def inside() -> Result:
        user, group = os.geteuid(), os.getegid()
        system.unshare(system.NEW_USER)
        for name, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
            Path("/proc/self", name).write_text(text)
        Path("/proc/sys/user/max_user_namespaces").write_text("0")
        return work()

    return (as_nobody if os.geteuid() == 0 else _forked)(inside)


def _forked(work: Callable[[], Result]) -> Result:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            os.write(writing, pickle.dumps(work()))
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as answer:  # noqa: PTH123 # it is no path
        found = answer.read()
    os.waitpid(child, 0)
    assert found, "the process of its own failed"
    result: Result = pickle.loads(found)  # noqa: S301 # our own
    return result


def running(word: str) -> list[int]:
    """The processes on whose command line a word stands by itself."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if word.encode() in words:
            found.append(int(place.name))
    return found


def gone(word: str) -> bool:
    """Whether no such process is left, now or soon."""
    return _soon(lambda: not running(word))


def there(word: str) -> bool:
    """Whether there is such a process, now or soon."""
    return _soon(lambda: bool(running(word)))


def _soon(holds: Callable[[], bool]) -> bool:
    for _ in range(1000):
        if holds():
            return True
        time.sleep(0.02)
    return False


def killed_while_running(isolation: Isolation, word: str) -> None:
    """Start a program that sleeps under that word, and kill the process of ours that started it."""
    needs(isolation)
    child = os.fork()
    if child == 0:
        try:
            outcome(isolation, ["sh", "-c", f"(setsid sleep {word} &) ; sleep {word}"])
        finally:
            os._exit(0)
    try:
        assert there(word)
    finally:
        for pid in _tree_of_ours(child):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(child, 0)


def _tree_of_ours(child: int) -> list[int]:
    """The child, and the process of the user nobody that it may have made; none that the launcher has made."""
    below = [int(one) for one in Path(f"/proc/{child}/task/{child}/children").read_text().split()]
    ours = Path(f"/proc/{child}/cmdline").read_bytes()
    return [child, *(one for one in below if Path(f"/proc/{one}/cmdline").read_bytes() == ours)]
