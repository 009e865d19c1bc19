"""First-parent history of some paths, remembered from one head to the next."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

import pygit2

from bot.git.trees import entry, is_file

MOST_REMEMBERED = 20_000
"""Histories remembered per mirror; one of three paths and ten entries takes about 4 KB."""
LATEST = int(datetime(9000, 1, 1, tzinfo=UTC).timestamp())
"""Seconds since 1970: the time of a commit that says that it is of later."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """The blobs of the asked paths as of one commit, in the order asked; None where a path was no file."""

    commit: str
    blobs: tuple[str | None, ...]
    at: datetime
    """The committer's time, in UTC; whoever makes a commit can write what they like."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What a walk from a head found."""

    head: str
    entries: tuple[HistoryEntry, ...] = ()
    depths: tuple[int, ...] = ()
    """How many first parents below the head the commit of each entry is."""
    changed: bool = False
    """Whether the head changed something itself: its entry is there in any case, but not below a newer head."""


class Histories:
    """Walks first parents from new heads down to what is known already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[tuple[str, ...], int], _Known] = OrderedDict()

    def of(
        self, repository: pygit2.Repository, head: str, paths: tuple[str, ...], limit: int
    ) -> tuple[HistoryEntry, ...]:
        """One entry for the head and one for each commit that changed any of the paths, newest first.

        Only the `limit` newest commits are looked at, whatever was asked before."""
        key = (paths, limit)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known.head == head:
            return known.entries
        found = _walk(repository, head, paths, limit, known)
        with self._lock:
            self._known[key] = found
            self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return found.entries


def _walk(repository: pygit2.Repository, head: str, paths: tuple[str, ...], limit: int, known: _Known | None) -> _Known:
    """What stands from `head` down to the known head, and what was known from there on."""
    reader = _Reader(repository, paths)
    commit = repository[head].peel(pygit2.Commit)
    blobs = reader.blobs(commit)
    entries: list[HistoryEntry] = []
    depths: list[int] = []
    changed = False
    for depth in range(limit):
        if known is not None and str(commit.id) == known.head:
            return _joined(_Known(head, tuple(entries), tuple(depths), changed), known, depth, limit)
        parents = commit.parents
        before = reader.blobs(parents[0]) if parents else tuple(None for _ in paths)
        if depth == 0:
            changed = blobs != before
        if depth == 0 or blobs != before:
            entries.append(HistoryEntry(str(commit.id), blobs, _moment(commit.commit_time)))
            depths.append(depth)
        if not parents:
            break
        commit, blobs = parents[0], before
    return _Known(head, tuple(entries), tuple(depths), changed)


def _moment(seconds: int) -> datetime:
    """A commit's time, kept between 1970 and a year on which dates can still be reckoned: anybody can write any."""
    return datetime.fromtimestamp(min(max(seconds, 0), LATEST), UTC)


def _joined(newer: _Known, known: _Known, below: int, limit: int) -> _Known:
    """What was found above the known head, and of what was known that which a walk from the new head would find."""
    kept = [
        (entry, below + depth)
        for entry, depth in zip(known.entries, known.depths, strict=True)
        if below + depth < limit and (depth or known.changed)
    ]
    entries, depths = tuple(entry for entry, _ in kept), tuple(depth for _, depth in kept)
    return _Known(newer.head, newer.entries + entries, newer.depths + depths, newer.changed)


class _Reader:
    """Blob ids of some paths at commits; a top folder that did not change is not looked into again."""

    def __init__(self, repository: pygit2.Repository, paths: tuple[str, ...]) -> None:
        self._repository = repository
        self._paths = paths
        self._tops = tuple(dict.fromkeys(path.partition("/")[0] for path in paths))
        self._seen: tuple[tuple[str | None, ...], tuple[str | None, ...]] | None = None

    def blobs(self, commit: pygit2.Commit) -> tuple[str | None, ...]:
        tree = commit.tree
        tops = tuple(str(tree[top].id) if top in tree else None for top in self._tops)
        if self._seen is not None and self._seen[0] == tops:
            return self._seen[1]
        found = tuple(self._blob(tree, path) for path in self._paths)
        self._seen = (tops, found)
        return found

    def _blob(self, tree: pygit2.Tree, path: str) -> str | None:
        found = entry(tree, path)
        return str(found.id) if is_file(found) else None
