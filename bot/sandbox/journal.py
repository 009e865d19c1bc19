"""Who asked the forge for what: counted, so that tests can hold a promotion to its budget."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: `path` below `/api/v4/` as it came, or the project's path for Git."""

    kind: Literal["api", "fetch", "push"]
    method: str
    path: str
    user: str
    status: int

    @property
    def writes(self) -> bool:
        """Whether an API request may change something."""
        return self.kind == "api" and self.method not in ("GET", "HEAD")


@dataclass(slots=True)
class Journal:
    """The requests since it was last cleared."""

    _entries: list[Entry] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, entry: Entry) -> None:
        """Note one."""
        with self._lock:
            self._entries.append(entry)

    def clear(self) -> tuple[Entry, ...]:
        """Forget all, and return them."""
        with self._lock:
            found = tuple(self._entries)
            self._entries.clear()
        return found

    def entries(self, user: str | None = None) -> tuple[Entry, ...]:
        """All, or those of one user."""
        with self._lock:
            return tuple(one for one in self._entries if user in (None, one.user))

    def reads(self, user: str | None = None) -> int:
        """API requests that change nothing."""
        return _count(one.kind == "api" and not one.writes for one in self.entries(user))

    def writes(self, user: str | None = None) -> int:
        """API requests that may change something."""
        return _count(one.writes for one in self.entries(user))

    def pushes(self, user: str | None = None) -> int:
        """Git pushes that brought commands, taken or refused."""
        return _count(one.kind == "push" for one in self.entries(user))

    def fetches(self, user: str | None = None) -> int:
        """Git fetches, clones and ls-remotes."""
        return _count(one.kind == "fetch" for one in self.entries(user))


def _count(found: Iterable[bool]) -> int:
    return sum(found)
