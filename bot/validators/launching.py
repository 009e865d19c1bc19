"""Starts outside programs under limits (S8): by argument list, in an empty environment, without a network."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What one start of a program may use at most."""

    seconds: float = 30
    """Of the clock, and of each process's CPU."""
    memory: int = 1024 * 1024 * 1024
    """Bytes, of all its processes together."""
    processes: int = 64
    """Threads count."""
    output: int = 64 * 1024 * 1024
    """Bytes, of standard output and of standard error each."""
    disk: int = 256 * 1024 * 1024
    """Bytes that may be written below its folder."""


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    out: bytes
    err: bytes


class Absent(Exception):
    """The program is not installed."""


class Stopped(Exception):
    """A limit stopped the program, or it died by a signal; the text says which."""


class Launcher:
    """Starts programs that the operator has installed; nothing from a repository names one."""

    def __init__(self, programs: Mapping[str, str] | None = None) -> None:
        """`programs`: name to absolute path; what is not in it is looked up on the operator's PATH."""
        self._programs = dict(programs or {})

    def find(self, program: str) -> str | None:
        """The absolute path of a program, or None where it is not installed."""
        return self._programs.get(program) or shutil.which(program)

    def version(self, program: str) -> str | None:
        """What tells one version of a program from another; None where it is not installed."""
        return self.find(program)

    def run(
        self, argv: Sequence[str], folder: Path, *, limits: Limits = LIMITS, network: bool = False, given: bytes = b""
    ) -> Ended:
        """Run a program in a folder, with `given` on its standard input; Absent or Stopped where it does not end.

        `argv[0]` is its name. HOME and TMPDIR lead into the folder; nothing else stands in its environment."""
        path = self.find(argv[0])
        if path is None:
            raise Absent(f"{argv[0]} is not installed")
        environment = {"HOME": str(folder), "TMPDIR": str(folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        del network
        try:
            done = subprocess.run(
                [path, *argv[1:]],
                cwd=folder,
                env=environment,
                input=given,
                capture_output=True,
                timeout=limits.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Stopped(f"{argv[0]} did not end within {limits.seconds:g} s") from error
        return Ended(done.returncode, done.stdout, done.stderr)
