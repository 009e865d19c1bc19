"""Starts outside programs under limits (S8): by argument list, in an empty environment, without a network.

`bot.launch` does it, in a process of its own; here are its orders and the words for each end."""

import errno
import hashlib
import os
import shutil
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeAlias

from bot.validators.listening import Ending, carried_out

Isolation: TypeAlias = Literal["namespaces", "process"]

MEBI = 1024 * 1024
VERSIONS: Mapping[str, tuple[str, ...]] = {
    "conftest": ("--version",),
    "cosign": ("version",),
    "helm": ("version", "--short"),
    "kubeconform": ("-v",),
    "kustomize": ("version",),
    "kyverno": ("version",),
    "trivy": ("--version",),
}
"""How each program is asked for its version; any other is known by its file's hash."""
LONGEST_VERSION = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """What one start of a program may use at most."""

    seconds: float = 30
    """Of the clock, and of each process's CPU."""
    memory: int = 1024 * MEBI
    """Bytes, of all its processes together."""
    processes: int = 256
    """Threads count: a program in Go has some for each core."""
    output: int = 64 * MEBI
    """Bytes, of standard output and of standard error each."""
    disk: int = 256 * MEBI
    """Bytes that may be written below its folder."""


LIMITS = Limits()
VERSION_LIMITS = Limits(seconds=10, output=MEBI, disk=16 * MEBI)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    out: bytes
    err: bytes


class Absent(Exception):
    """The program is not installed."""


class Unconfined(Absent):
    """The machine cannot keep a program apart as it should, so none is started."""


class Stopped(Exception):
    """A limit stopped the program, it died by a signal, or it could not be started; the text says which."""


class Launcher:
    """Starts programs that the operator has installed; nothing from a repository names one."""

    def __init__(
        self,
        programs: Mapping[str, str] | None = None,
        isolation: Isolation = "namespaces",
        readable: Sequence[str] = (),
    ) -> None:
        """`programs`: name to absolute path; what is not in it is looked up on the operator's PATH.

        `readable`: absolute paths that programs may read, besides the system's own folders."""
        self._programs = dict(programs or {})
        self._isolation = isolation
        self._readable = sorted({path for one in readable for path in (one, os.path.realpath(one))})
        self._versions: dict[tuple[str, int, int], str] = {}

    def find(self, program: str) -> str | None:
        """The absolute path of a program, or None where it is not installed."""
        found = self._programs.get(program) or shutil.which(program)
        return None if found is None else str(Path(found).absolute())

    def version(self, program: str) -> str | None:
        """What tells one version of a program from another; None where it is not installed or cannot be started."""
        path = self.find(program)
        if path is None or self._refusal:
            return None
        found = Path(path).stat()
        key = (path, found.st_mtime_ns, found.st_size)
        if key not in self._versions:
            self._versions[key] = self._said(program) or _hash(path)
        return self._versions[key]

    @cached_property
    def _refusal(self) -> str:
        """Why this machine keeps no program apart; empty where it does."""
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            try:
                self.run(["true"], Path(folder), limits=VERSION_LIMITS)
            except Unconfined as why:
                return str(why)
            except (Absent, Stopped):
                return ""
        return ""

    def _said(self, program: str) -> str:
        """The first line of what a program says of its version; empty where it says none."""
        arguments = VERSIONS.get(program)
        if arguments is None:
            return ""
        with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
            try:
                ended = self.run([program, *arguments], Path(folder), limits=VERSION_LIMITS)
            except Stopped:
                return ""
        text = (ended.out.strip() or ended.err.strip()).decode(errors="replace") if ended.code == 0 else ""
        line = text.partition("\n")[0].strip()[:LONGEST_VERSION]
        return "".join(letter for letter in line if letter.isprintable())

    def run(
        self, argv: Sequence[str], folder: Path, *, limits: Limits = LIMITS, network: bool = False, given: bytes = b""
    ) -> Ended:
        """Run a program in a folder, with `given` on its standard input; Absent or Stopped where it does not end.

        `argv[0]` is its name. It may write to the folder, and to an empty one that goes afterwards and to which HOME
        and TMPDIR lead: what a repository holds is nobody's configuration. Nothing else stands in its environment.
        Unconfined where the machine allows no namespaces and `isolation` asks for them."""
        path = self.find(argv[0])
        if path is None:
            raise Absent(f"{argv[0]} is not installed")
        if self._isolation == "process" and os.geteuid() == 0:
            # Whom RLIMIT_NPROC does not bound: a few forks could take the machine.
            raise Unconfined("TOWPATH_VALIDATORS_ISOLATION=process bounds nothing that root starts: use another user")
        with tempfile.TemporaryDirectory(prefix="towpath-home-") as made:
            home = os.path.realpath(made)
            orders = {
                "argv": [path, *argv[1:]],
                "path": os.path.realpath(path),
                "folder": os.path.realpath(folder),
                "home": home,
                "environment": {"HOME": home, "TMPDIR": home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
                "namespaces": self._isolation == "namespaces",
                "network": network,
                "readable": self._readable,
                **{name: getattr(limits, name) for name in ("seconds", "memory", "processes", "disk")},
            }
            return _ended(Path(argv[0]).name, limits, *carried_out(orders, limits.output, limits.seconds, given))


def _hash(path: str) -> str:
    with Path(path).open("rb") as file:
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"


def _ended(name: str, limits: Limits, ending: Ending, out: bytes, err: bytes) -> Ended:
    """The launcher's word as a value or an exception."""
    match ending:
        case {"code": int(code)}:
            return Ended(code, out, err)
        case {"signal": int(number)}:
            raise Stopped(f"{name} {_died(number, limits)}")
        case {"passed": str(limit)}:
            raise Stopped(f"{name} {_passed(limit, limits)}")
        case {"refused": str(why)}:
            raise Stopped(f"{name} cannot be started: {why}{_missing(why)}")
        case {"unable": str(why)}:
            raise Unconfined(
                f"this machine does not allow namespaces to keep programs apart ({why}): set "
                "TOWPATH_VALIDATORS_ISOLATION=process where the validators' container has no network of its own"
            )
        case _:
            raise Stopped(f"{name} ended, and nobody knows how")


def _missing(why: str) -> str:
    if why != os.strerror(errno.ENOENT):
        return ""
    return "; is its interpreter where TOWPATH_VALIDATORS_READABLE names no folder?"


def _died(number: int, limits: Limits) -> str:
    if number == signal.SIGXFSZ:
        return _passed("disk", limits)
    if number == signal.SIGXCPU:
        return f"used more than {limits.seconds:g} s of CPU"
    with suppress(ValueError):
        return f"was ended by {signal.Signals(number).name}"
    return f"was ended by signal {number}"


def _passed(limit: str, limits: Limits) -> str:
    return {
        "seconds": f"did not end within {limits.seconds:g} s",
        "memory": f"used more than {_size(limits.memory)} of memory",
        "processes": f"ran more than {limits.processes} processes and threads",
        "disk": f"wrote more than {_size(limits.disk)}",
        "output": f"printed more than {_size(limits.output)}",
        "folders": "made folders too deep to measure, or that cannot be read",
    }.get(limit, f"passed its limit of {limit}")


def _size(size: int) -> str:
    """`256 MiB`, `1 GiB`."""
    for unit, bytes_ in (("GiB", 1024 * MEBI), ("MiB", MEBI), ("KiB", 1024)):
        if size >= bytes_ and size % bytes_ == 0:
            return f"{size // bytes_} {unit}"
    return f"{size} bytes"
