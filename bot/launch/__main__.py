"""Starts one program as its orders say, watches it, and ends all that it has started.

Its one argument is the number of a socket to whoever started it. There it reads the orders, one line of JSON, and
writes one line how the program ended: `{"code": 1}`, `{"signal": 11}`, `{"passed": "memory"}` for a limit, `{"refused":
"why"}` where the program cannot be started, `{"unable": "why"}` where the machine allows no namespaces. When the socket
closes, because nobody is interested any more or because he was killed, everything ends."""

import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn, TypeAlias, cast

if __name__ == "__main__":
    # Last, so that nothing beside this project stands before Python's own library.
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from bot.launch import confine, system, watch
from bot.launch.confine import Orders

Ending: TypeAlias = dict[str, int | str]

PAUSE = 0.02
"""Seconds between two looks at what the program uses, at least."""


def main(number: int) -> None:
    """Read the orders, do as they say, and tell how it ended."""
    with socket.socket(fileno=number) as line:
        os.set_inheritable(number, False)
        with line.makefile("rb") as orders:
            ordered = orders.readline()
        if ordered.endswith(b"\n"):
            try:
                ending = launch(cast(Orders, json.loads(ordered)), line)
            except OSError as error:
                ending = {"unable": str(error)}
            with suppress(BrokenPipeError):
                line.sendall(json.dumps(ending).encode() + b"\n")


def launch(orders: Orders, line: socket.socket) -> Ending:
    """Start the program and wait for its end, or bring it about."""
    system.adopt_orphans()
    limits = (orders["seconds"], orders["memory"], orders["processes"], orders["disk"])
    try:
        meter = watch.Meter((orders["folder"], orders["home"]), *limits, orders["namespaces"])
    except watch.Unmeasurable:
        return {"passed": "folders"}
    orders["standing"] = watch.standing(os.geteuid())
    if orders["namespaces"]:
        confine.apart(orders["network"])
    told, tell = os.pipe()
    first = os.fork()
    if first == 0:
        _first(orders, tell)
    os.close(tell)
    try:
        passed = _watched(meter, first, line)
    finally:
        _end(first)
        for folder in (orders["folder"], orders["home"]):
            _tidy(folder)
    with open(told, "rb") as answer:  # noqa: PTH123 # it is no path
        ended = answer.read()
    if passed:
        return {"passed": passed}
    return cast(Ending, json.loads(ended)) if ended else {"signal": signal.SIGKILL}


def _watched(meter: watch.Meter, first: int, line: socket.socket) -> str | None:
    """Which limit is passed before the first process ends; `interest` where nobody waits for it any more."""
    end = os.pidfd_open(first)
    pause = PAUSE
    while True:
        ready, _, _ = select.select([end, line.fileno()], [], [], pause)
        if line.fileno() in ready:
            return "interest"
        if end in ready:
            return meter.disk_passed()
        start = time.monotonic()
        if passed := meter.look(first):
            return passed
        pause = max(PAUSE, watch.SHARE * (time.monotonic() - start))


def _end(first: int) -> None:
    """Kill the first process, with which its namespace ends, and whoever else is below us."""
    os.kill(first, signal.SIGKILL)
    while True:
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        found = watch.below(os.getpid())
        if not found:
            return
        for one in found:
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)
        time.sleep(PAUSE / 10)


def _tidy(folder: str) -> None:
    """See to it that whoever made a folder can remove it."""
    try:
        watch.written(folder)
    except watch.Unmeasurable:
        watch.removable(folder)


def _first(orders: Orders, tell: int) -> NoReturn:
    """The first process of the namespace: it starts the program, adopts orphans, and tells how the program ended."""
    try:
        ending = _started(orders)
    except OSError as error:
        ending = {"unable": str(error)}
    with suppress(OSError):
        os.write(tell, json.dumps(ending).encode())
    os._exit(0)


def _started(orders: Orders) -> Ending:
    system.die_with_parent(signal.SIGKILL)
    system.adopt_orphans()
    if orders["namespaces"]:
        confine.new_root(orders)
    failed, fail = os.pipe()
    program = os.fork()
    if program == 0:
        _program(orders, fail)
    os.close(fail)
    with open(failed, "rb") as answer:  # noqa: PTH123 # it is no path
        why = answer.read()
    status = _status(program)
    if why:
        return {"refused": why.decode()}
    code = os.waitstatus_to_exitcode(status)
    return {"code": code} if code >= 0 else {"signal": -code}


def _status(program: int) -> int:
    """How the program ended; orphans that end before it are let go."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == program:
            return status


def _program(orders: Orders, fail: int) -> NoReturn:
    """Become the program."""
    try:
        system.die_with_parent(signal.SIGKILL)
        confine.limited(orders)
        confine.as_new(orders)
        os.execve(orders["path"], orders["argv"], orders["environment"])  # noqa: S606 # that is what S8 asks for
    except (OSError, ValueError) as error:
        os.write(fail, str(getattr(error, "strerror", None) or error).encode())
    os._exit(127)


if __name__ == "__main__":
    main(int(sys.argv[1]))
