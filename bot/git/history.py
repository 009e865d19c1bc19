"""First-parent history of some paths, remembered from one head to the next."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

import pygit2

from bot.git.trees import entry, is_file

MOST_REMEMBERED = 20_000
"""Histories remembered per mirror; one of three paths and ten entries takes about 4 KB."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """The blobs of the asked paths as of one commit, in the order asked; None where a path was no file."""

    commit: str
    blobs: tuple[str | None, ...]
    at: datetime
    """The committer's time, in UTC; whoever makes a commit can write what they like."""


@dataclass(frozen=True, slots=True)
class _Known:
    head: str
    entries: tuple[HistoryEntry, ...]


class Histories:
    """Walks first parents from new heads down to what is known already."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[tuple[str, ...], int], _Known] = OrderedDict()

    def of(
        self, repository: pygit2.Repository, head: str, paths: tuple[str, ...], limit: int
    ) -> tuple[HistoryEntry, ...]:
        """One entry for the head and one for each commit that changed any of the paths, newest first."""
        key = (paths, limit)
        with self._lock:
            known = self._known.get(key)
        if known is not None and known.head == head:
            return known.entries
        entries = _joined(*_walk(repository, head, paths, limit, known), known)
        with self._lock:
            self._known[key] = _Known(head, entries)
            self._known.move_to_end(key)
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        return entries


def _walk(
    repository: pygit2.Repository, head: str, paths: tuple[str, ...], limit: int, known: _Known | None
) -> tuple[list[HistoryEntry], bool]:
    """The entries from `head` down to the known head (True: it was met) or to the end."""
    reader = _Reader(repository, paths)
    commit = repository[head].peel(pygit2.Commit)
    entries: list[HistoryEntry] = []
    blobs = reader.blobs(commit)
    first = True
    for _ in range(limit):
        if known is not None and str(commit.id) == known.head:
            if first or blobs != known.entries[0].blobs:
                entries.append(HistoryEntry(str(commit.id), blobs, datetime.fromtimestamp(commit.commit_time, UTC)))
            return entries, True
        parents = commit.parents
        before = reader.blobs(parents[0]) if parents else tuple(None for _ in paths)
        if first or blobs != before:
            entries.append(HistoryEntry(str(commit.id), blobs, datetime.fromtimestamp(commit.commit_time, UTC)))
        first = False
        if not parents:
            return entries, False
        commit, blobs = parents[0], before
    return entries, False


def _joined(entries: list[HistoryEntry], met: bool, known: _Known | None) -> tuple[HistoryEntry, ...]:
    if not met or known is None:
        return tuple(entries)
    older = known.entries
    # The known head had an entry because it was the head; below a newer one it counts only where it changed something.
    if len(older) > 1 and older[0].blobs == older[1].blobs:
        older = older[1:]
    merged = [*entries, *older]
    return tuple(one for index, one in enumerate(merged) if index == 0 or one.commit != merged[index - 1].commit)


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
