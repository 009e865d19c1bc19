"""Starts and stops the processes of the demo, each the real one, and shows their logs when one of them fails."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

PATIENCE = 30.0
"""Seconds that a process gets until it answers."""


class NotStarted(Exception):
    """A process of the demo did not come up; the message holds the end of its log."""


@dataclass
class Processes:
    """The running processes, each with a log of its own in `folder`."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str]) -> None:
        """Start one, in a session of its own, so that Ctrl-C reaches only us and we stop the others in order."""
        with self.log(name).open("wb") as log:
            self.running[name] = subprocess.Popen(
                arguments,
                env=dict(environment),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def log(self, name: str) -> Path:
        """Where a process writes."""
        return self.folder / f"{name}.log"

    def check(self) -> None:
        """NotStarted where one of them has ended."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise NotStarted(f"{name} ended with {process.returncode}:\n{self.tail(name)}")

    def tail(self, name: str, lines: int = 20) -> str:
        """The end of a log."""
        text = self.log(name).read_text(errors="replace") if self.log(name).exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self) -> None:
        """Stop all, the last started first; what does not end in ten seconds is killed."""
        for process in reversed(self.running.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)
        self.running.clear()


def towpath(*arguments: str) -> list[str]:
    """The argument list that runs this very Towpath, installed or not."""
    return [sys.executable, "-c", "from workers.cli import main; main()", *arguments]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """A small environment: what finds programs and files, none of the caller's TOWPATH_ variables."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH") if name in os.environ}
    return {**kept, **extra}


def free_port(wanted: int) -> int:
    """The wanted port where it is free, else any that is."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise NotStarted("no port is free on 127.0.0.1")


def wait_for(processes: Processes, url: str) -> None:
    """Until a page answers; NotStarted when a process ends or the patience does."""
    end = time.monotonic() + PATIENCE
    # A proxy that the environment names cannot reach this machine's own loopback interface.
    direct = build_opener(ProxyHandler({}))
    while True:
        processes.check()
        try:
            with direct.open(url, timeout=2):
                return
        except OSError as error:
            if time.monotonic() > end:
                raise NotStarted(f"{url} does not answer: {error}") from error
        time.sleep(0.1)


def scratch(name: str, parent: Path) -> Path:
    """An empty folder below `parent`."""
    folder = parent / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
