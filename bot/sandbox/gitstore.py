"""What the forge asks of Git; `gitdisk` answers with real bare repositories."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Signature:
    """An author or committer at a time."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as read."""

    sha: str
    parents: tuple[str, ...]
    message: str
    author: Signature
    committer: Signature

    @property
    def title(self) -> str:
        """The first line of the message."""
        return self.message.strip().split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a tree; `kind` is blob, tree or commit, `mode` six octal digits."""

    id: str
    name: str
    kind: str
    path: str
    mode: str


@dataclass(frozen=True, slots=True)
class FileDiff:
    """One file's change; `text` holds the hunks without the file header."""

    old_path: str
    new_path: str
    old_mode: str
    new_mode: str
    status: str
    """added, deleted, renamed or modified."""
    text: str
    additions: int
    deletions: int


class GitRepository(Protocol):
    """One repository. Commits are full ids; every method but `create_*` and `set_branch` only reads."""

    def heads(self) -> Mapping[str, str]:
        """Branch to commit."""
        ...

    def head(self, name: str) -> str | None:
        """The commit of one branch."""
        ...

    def is_branch_name(self, name: str) -> bool:
        """Whether Git would take a branch of that name."""
        ...

    def resolve(self, ref: str) -> str | None:
        """The commit that a branch, tag or (short) id names."""
        ...

    def set_branch(self, name: str, old: str | None, new: str | None) -> None:
        """Move, make (`old` None) or delete (`new` None) a branch; RefMoved where it is not at `old`."""
        ...

    def keep(self, name: str, commit: str) -> None:
        """Point a hidden ref such as `merge-requests/1/head` to a commit."""
        ...

    def commit(self, sha: str) -> Commit:
        """Read a commit; KeyError where there is none."""
        ...

    def log(self, start: str, without: str | None = None, path: str = "", limit: int = 1000) -> tuple[Commit, ...]:
        """The commits reachable from `start` but not from `without`, newest first; only those that touch `path`."""
        ...

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor."""
        ...

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older` (a commit contains itself)."""
        ...

    def entries(self, commit: str, path: str = "", recursive: bool = False) -> tuple[Entry, ...] | None:
        """A folder's entries, or None where there is no such folder."""
        ...

    def blob(self, commit: str, path: str) -> tuple[str, bytes] | None:
        """A file's blob id and content."""
        ...

    def diff(self, old: str | None, new: str) -> tuple[FileDiff, ...]:
        """What changed between two commits; from nothing where `old` is None."""
        ...

    def tree(self, commit: str) -> str:
        """A commit's tree id."""
        ...

    def create_tree(self, base: str | None, files: Mapping[str, bytes | None]) -> str:
        """The tree of commit `base` with files replaced, added, or removed (None)."""
        ...

    def merge_trees(self, base: str | None, ours: str, theirs: str) -> str | None:
        """Three-way merge of the trees of three commits; None where they conflict."""
        ...

    def create_commit(self, tree: str, parents: Sequence[str], message: str, who: tuple[Signature, Signature]) -> str:
        """Write a commit by (author, committer); moves no branch."""
        ...


class GitStore(Protocol):
    """Makes repositories."""

    def create(self, name: str) -> GitRepository:
        """A new, empty repository."""
        ...
