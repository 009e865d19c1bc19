"""What all processes below one use together, read from /proc and from the folder they write to (proc(5))."""

import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

PAGE = os.sysconf("SC_PAGE_SIZE")
BLOCK = 512
"""Bytes of a block as stat(2) counts them."""
ENTRY = 1024
"""Bytes for which each file and folder counts at least."""
LONGEST = 1000
"""Letters of a path below a folder; what has longer ones is too deep to be measured, and for Python to be removed."""
SHARE = 5
"""How many times longer than it takes is waited between two looks, so that looking costs little."""


class Living(NamedTuple):
    """One process: its number, its parent's, and how many threads it has."""

    pid: int
    parent: int
    threads: int


def living() -> Iterator[Living]:
    """All processes that /proc shows, the dead ones that nobody has asked after too."""
    for name in os.listdir("/proc"):  # noqa: PTH208 # names alone are wanted, and this is the quickest
        if name.isdigit():
            with suppress(OSError):
                # A command's name may hold anything but stands in the last parentheses.
                rest = Path(f"/proc/{name}/stat").read_bytes().rpartition(b")")[2].split()
                yield Living(int(name), int(rest[1]), int(rest[17]))


def standing(user: int) -> int:
    """How many threads of a user there are already."""
    count = 0
    for one in living():
        with suppress(OSError):
            count += one.threads if Path(f"/proc/{one.pid}").stat().st_uid == user else 0
    return count


def below(root: int) -> list[Living]:
    """The descendants of a process, without itself."""
    children: dict[int, list[Living]] = {}
    for one in living():
        children.setdefault(one.parent, []).append(one)
    found: list[Living] = []
    waiting = [root]
    while waiting:
        more = children.pop(waiting.pop(), [])
        found += more
        waiting += [one.pid for one in more]
    return found


def memory(processes: list[Living], most: int) -> int:
    """Bytes that these processes use; what they share counts once, where the simple sum is more than `most`."""
    simple = sum(_resident(one.pid) for one in processes)
    return simple if simple <= most else sum(_proportional(one.pid) for one in processes)


def _resident(pid: int) -> int:
    with suppress(OSError, IndexError):
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * PAGE
    return 0


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_bytes().splitlines():
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return _resident(pid)


def detached() -> int:
    """Bytes of System V's shared memory in our IPC namespace, which nobody need have attached (proc(5), `sysvipc`)."""
    try:
        names, *rows = (line.split() for line in Path("/proc/sysvipc/shm").read_bytes().splitlines())
    except (OSError, ValueError):
        return 0
    columns = [names.index(name) for name in (b"rss", b"swap") if name in names]
    return sum(int(row[column]) for row in rows for column in columns)


def nameless(processes: list[Living]) -> int:
    """Bytes of the open files that no folder shows: deleted ones, and those in memory."""
    sizes: dict[tuple[int, int], int] = {}
    for one in processes:
        for found in _open(one.pid):
            if stat.S_ISREG(found.st_mode) and found.st_nlink == 0:
                sizes[found.st_dev, found.st_ino] = found.st_blocks * BLOCK
    return sum(sizes.values())


def _open(pid: int) -> Iterator[os.stat_result]:
    with suppress(OSError):
        for place in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield place.stat()


class Unmeasurable(Exception):
    """A folder that is too deep, or that was made unreadable."""


def written(folder: str) -> int:
    """Bytes on disk below a folder; no link is followed."""
    size = 0
    waiting = [folder]
    while waiting:
        path = waiting.pop()
        if len(path) > len(folder) + LONGEST:
            raise Unmeasurable
        for entry in _entries(path):
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                size += max(found.st_blocks * BLOCK, ENTRY)
                if stat.S_ISDIR(found.st_mode):
                    waiting.append(entry.path)
    return size


def removable(folder: str) -> None:
    """Let us read all folders below, and lift those that are too deep; only while nobody else is at work there."""
    waiting, lifted = [folder], 0
    while waiting:
        path = waiting.pop()
        Path(path).chmod(0o700)
        for entry in [one for one in _entries(path) if one.is_dir(follow_symlinks=False)]:
            place = entry.path
            if len(place) > len(folder) + LONGEST:
                Path(place).chmod(0o700)
                place, lifted = f"{folder}/lifted-{lifted}-{os.getpid()}", lifted + 1
                Path(entry.path).rename(place)
            waiting.append(place)


def _entries(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise Unmeasurable from error


@dataclass
class Meter:
    """Looks again and again, and says which limit is passed: `seconds`, `memory`, `processes`, `disk` or `folders`."""

    folders: tuple[str, ...]
    seconds: float
    memory: int
    processes: int
    disk: int
    is_apart: bool = False
    """Whether we share an IPC namespace with nobody but those that are watched."""
    began: float = field(default_factory=time.monotonic)
    _before: int = 0
    _next: float = 0

    def __post_init__(self) -> None:
        self._before = self._written()

    def look(self, root: int) -> str | None:
        """The limit that the descendants of a process have passed, if any."""
        if time.monotonic() - self.began > self.seconds:
            return "seconds"
        found = below(root)
        if sum(one.threads for one in found) > self.processes:
            return "processes"
        if memory(found, self.memory) + (detached() if self.is_apart else 0) > self.memory:
            return "memory"
        return self.disk_passed(nameless(found)) if time.monotonic() >= self._next else None

    def disk_passed(self, more: int = 0) -> str | None:
        """The same for what is on disk alone."""
        start = time.monotonic()
        try:
            size = self._written() - self._before
        except Unmeasurable:
            return "folders"
        end = time.monotonic()
        self._next = end + max(0.1, SHARE * (end - start))
        return "disk" if size + more > self.disk else None

    def _written(self) -> int:
        return sum(written(folder) for folder in self.folders)
