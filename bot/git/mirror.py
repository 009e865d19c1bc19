"""One bare mirror: reads and writes objects in process, fetches and pushes by the Git program."""

import fcntl
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha1
from pathlib import Path
from typing import cast

import pygit2

from bot.errors import Permanent
from bot.forges.base import GitAccess
from bot.git import large, remote, trees
from bot.git.history import Histories, HistoryEntry
from bot.git.trees import Conflicting, Merged
from bot.yaml import MOST_BYTES

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
HEADS = "refs/heads/"
NOTES = "refs/towpath/"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who commits."""

    name: str
    email: str


class Mirror:
    """A bare mirror in a folder of its own, safe to use from many threads and processes.

    libgit2's objects belong to one thread, so each thread opens the folder for itself."""

    def __init__(self, folder: Path, access: Callable[[], GitAccess], *, timeout: float = 60) -> None:
        self.folder = folder
        self._access = access
        self._timeout = timeout
        self._local = threading.local()
        self._histories = Histories()

    def aside(self) -> "Mirror":
        """The same mirror for a look at commits that will never be on the forge, of which nothing is remembered."""
        return Mirror(self.folder, self._access, timeout=self._timeout)

    # What crosses the network.

    def fetch(self) -> Mapping[str, str]:
        """Bring all heads; returns branch to commit."""
        with self._alone():
            self._fetch(["+refs/heads/*:refs/heads/*"], "--prune")
        return self.branches()

    def ensure(self, *commits: str) -> None:
        """Fetch when any of these is missing, then each by itself; Permanent when one is still missing."""
        if all(self.has(_checked(commit)) for commit in commits):
            return
        self.fetch()
        for commit in commits:
            if not self.has(commit):
                with self._alone():
                    self._fetch([commit])
            if not self.has(commit):
                raise Permanent("fetch", f"{self._access().url}@{commit[:12]}", "the repository has no such commit")

    def heads(self, names: Iterable[str]) -> Mapping[str, str]:
        """Where these branches are on the forge just now, by one look; those that it does not have are left out."""
        self._repository()
        access, refs = self._access(), {HEADS + name: name for name in names}
        arguments = ["ls-remote", "--refs", access.url, *refs]
        printed = remote.run(self.folder, access, arguments, "read the branches of", self._timeout)
        found = (line.partition("\t") for line in printed.splitlines())
        return {refs[ref]: _checked(commit) for commit, _, ref in found if ref in refs}

    def push(self, branch: str, commit: str, expect: str | None) -> None:
        """Push a commit to a branch that must be at `expect` (None: must not exist); LeaseLost where it is not."""
        self._push(branch, f"{_checked(commit)}:{HEADS}{branch}", expect)
        self._note(branch, commit)

    def delete(self, branch: str, expect: str) -> None:
        """Delete a branch that must be at `expect`."""
        self._push(branch, f":{HEADS}{branch}", expect)
        self._note(branch, None)

    def _note(self, branch: str, commit: str | None) -> None:
        """Bring our own ref to where the forge's is now, with no fetch under way that would prune it or its folder.

        It never fails: the forge has taken the push, so a failure told here would have it done again for nothing. Our
        ref can stand in the way of another that is gone on the forge, or its disk be full; the next fetch heals it."""
        with suppress(pygit2.GitError, OSError, ValueError), self._alone():
            references = self._repository().references
            if commit is not None:
                references.create(HEADS + branch, commit, force=True)
            elif HEADS + branch in references:
                references.delete(HEADS + branch)

    def _push(self, branch: str, refspec: str, expect: str | None) -> None:
        if not pygit2.reference_is_valid_name(HEADS + branch):
            raise Permanent("push to", repr(branch), "it is no valid branch name")
        lease = f"--force-with-lease={HEADS}{branch}:{_checked(expect) if expect else ''}"
        access = self._access()
        arguments = ["push", "--porcelain", "--no-verify", lease, access.url, refspec]
        remote.run(self.folder, access, arguments, f"push {branch} to", self._timeout)

    def _fetch(self, refspecs: list[str], *options: str) -> None:
        remote.no_locks_left(self.folder)
        access = self._access()
        arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", *options, access.url, *refspecs]
        remote.run(self.folder, access, arguments, "fetch", self._timeout)
        self._local.__dict__.clear()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One fetch at a time among all processes that share the folder."""
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with self.folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (self.folder / "HEAD").exists():
                pygit2.init_repository(str(self.folder), bare=True)
            yield

    def _repository(self) -> pygit2.Repository:
        found = getattr(self._local, "repository", None)
        if found is None:
            if not (self.folder / "HEAD").exists():
                with self._alone():
                    pass
            found = self._local.repository = pygit2.Repository(str(self.folder))
        return found

    # What is read.

    def branches(self, prefix: str = "") -> Mapping[str, str]:
        """Branch to commit, as of the last fetch or push."""
        found = self._repository().references
        return {name.removeprefix(HEADS): str(found[name].target) for name in found if name.startswith(HEADS + prefix)}

    def has(self, commit: str) -> bool:
        """Whether the mirror holds this commit."""
        try:
            return _checked(commit) in self._repository()
        except ValueError:
            return False

    def tree(self, commit: str) -> str:
        """The id of a commit's tree."""
        return str(self._tree(commit).id)

    def read(self, base: str, path: str) -> bytes | None:
        """The bytes of a regular file of a commit or tree, as `blob` gives them; None where there is none."""
        found = self.blob_id(base, path)
        return None if found is None else self.blob(found)

    def blob_id(self, base: str, path: str) -> str | None:
        """The blob id of a regular file of a commit or tree."""
        found = trees.entry(self._tree(base), path)
        return str(found.id) if trees.is_file(found) else None

    def is_link(self, base: str, path: str) -> bool:
        """Whether a symbolic link or a submodule stands at a path of a commit or tree."""
        found = trees.entry(self._tree(base), path)
        return found is not None and not isinstance(found, pygit2.Tree) and not trees.is_file(found)

    def link(self, base: str, path: str) -> str | None:
        """Where a symbolic link of a commit or tree leads, as written; empty for a submodule, None: it is neither."""
        found = trees.entry(self._tree(base), path)
        if found is None or isinstance(found, pygit2.Tree) or trees.is_file(found):
            return None
        return self.blob(str(found.id)).decode(errors="replace") if isinstance(found, pygit2.Blob) else ""

    def files(self, base: str) -> Iterator[tuple[str, str]]:
        """(path, blob id) of every regular file; symlinks and submodules are left out."""
        return trees.files(self._tree(base))

    def id_of(self, base: str, path: str) -> str | None:
        """The id of whatever stands at a path of a commit or tree, a folder too; the empty path is all of it."""
        found = trees.entry(self._tree(base), path) if path else self._tree(base)
        return None if found is None else str(found.id)

    def links(self, base: str) -> Iterator[str]:
        """The path of every symbolic link and submodule."""
        return trees.links(self._tree(base))

    def blob(self, blob: str) -> bytes:
        """The bytes of a blob; of a larger one than any reader takes, its first `MOST_BYTES` + 1.

        That many tell every reader that the file is too large, so each says so as it says all that is wrong with one,
        and nobody's 400 MB come into memory for it."""
        repository = self._repository()
        _, size = repository.odb.read_header(blob)
        if size > MOST_BYTES:
            return large.beginning(self.folder, blob, MOST_BYTES + 1)
        return bytes(repository[blob].peel(pygit2.Blob).data)

    def changed(self, old: str, new: str) -> tuple[str, ...]:
        """The paths in which two commits or trees differ, sorted."""
        return trees.changed(self._repository(), old, new)

    def parents(self, commit: str) -> tuple[str, ...]:
        """The ids of a commit's parents."""
        return tuple(str(parent) for parent in self._commit(commit).parent_ids)

    def message(self, commit: str) -> str:
        """A commit's whole message."""
        return _text(self._commit(commit).raw_message)

    def is_ancestor(self, old: str, new: str) -> bool:
        """Whether `old` is `new` or reachable from it."""
        return old == new or self._repository().descendant_of(new, old)

    def history(self, commit: str, paths: tuple[str, ...], limit: int) -> tuple[HistoryEntry, ...]:
        """The first-parent history of some paths, newest first; the first entry is always `commit` itself."""
        return self._histories.of(self._repository(), commit, paths, limit)

    def merge(self, ours: str, theirs: str) -> Merged | Conflicting:
        """What merging `theirs` into `ours` gives, without writing a commit."""
        return trees.merge(self._repository(), ours, theirs)

    def common(self, ours: str, theirs: str) -> str | None:
        """The newest commit that both have; None where they have none in common."""
        found: pygit2.Oid | None = self._repository().merge_base(ours, theirs)  # the stub knows no unrelated commits
        return None if found is None else str(found)

    def log(self, old: str, new: str, limit: int) -> tuple[str, ...]:
        """The commits reachable from `new` and not from `old`, newest first."""
        walker = self._repository().walk(new)
        walker.hide(old)
        return tuple(str(found.id) for found, _ in zip(walker, range(limit), strict=False))

    def holds_only(self, base: str, path: str) -> bool:
        """Whether a commit or tree holds one regular file of that name and nothing else."""
        tree = self._tree(base)
        return len(tree) == 1 and trees.is_file(trees.entry(tree, path))

    def first_parents(self, commit: str, limit: int) -> Iterator[str]:
        """A commit and what its first parents lead to, newest first."""
        found: str | None = commit
        for _ in range(limit):
            if found is None:
                return
            yield found
            found = next(iter(self.parents(found)), None)

    def author(self, commit: str) -> str:
        """Who wrote a commit and when, as `name <email> seconds`, the seconds since 1970."""
        return _who(self._commit(commit).author)

    def committer(self, commit: str) -> str:
        """Who made a commit and when, as `author`."""
        return _who(self._commit(commit).committer)

    def is_plain(self, commit: str) -> bool:
        """Whether a commit is as `commit` writes them: in UTC, and without a signature or any other header."""
        found = self._commit(commit)
        parents = "".join(f"parent {parent}\n" for parent in found.parent_ids)
        people = f"author {_who(found.author)} +0000\ncommitter {_who(found.committer)} +0000\n"
        text = f"tree {found.tree_id}\n{parents}{people}\n{_text(found.raw_message)}".encode()
        return sha1(b"commit %d\0%b" % (len(text), text), usedforsecurity=False).hexdigest() == commit

    def note(self, name: str) -> str | None:
        """The commit that was noted under a name, in this mirror alone."""
        references, ref = self._repository().references, NOTES + name
        return str(references[ref].target) if ref in references else None

    # What is written: objects, and notes of our own.

    def take_note(self, name: str, commit: str) -> None:
        """Note a commit under a name: it stays in the mirror, whatever becomes of the forge's branches."""
        with self._alone():
            self._repository().references.create(NOTES + name, _checked(commit), force=True)

    def with_files(self, base: str | None, files: Mapping[str, bytes]) -> str:
        """The id of the tree of `base` (None: an empty one) with these files replaced or added."""
        return trees.with_files(self._repository(), None if base is None else self._tree(base), files)

    def commit(self, parent: str | None, tree: str, message: str, author: Identity, at: datetime) -> str:
        """Write a commit object, the first of a history where it has no parent; the same arguments give the same id."""
        who = pygit2.Signature(author.name, author.email, int(at.timestamp()), 0)
        parents: list[str | pygit2.Oid] = [pygit2.Oid(hex=parent)] if parent is not None else []
        return str(self._repository().create_commit(None, who, who, message, pygit2.Oid(hex=tree), parents))

    def merge_text(self, parents: tuple[str, str], tree: str, message: str, author: Identity, at: datetime) -> bytes:
        """What a merge commit would say, for signing; nothing is written."""
        who = pygit2.Signature(author.name, author.email, int(at.timestamp()), 0)
        ids: list[str | pygit2.Oid] = [_checked(parent) for parent in parents]
        text = self._repository().create_commit_string(who, who, message, pygit2.Oid(hex=tree), ids)
        return cast(str, text).encode()  # the stub says that it is an id

    def signed(self, text: bytes, signature: str) -> str:
        """Write the commit object that says this and carries the signature."""
        return str(self._repository().create_commit_with_signature(text.decode(), signature, "gpgsig"))

    def _commit(self, commit: str) -> pygit2.Commit:
        try:
            return self._repository()[_checked(commit)].peel(pygit2.Commit)
        except KeyError as error:
            raise Permanent("read", commit[:12], "the mirror has no such commit") from error

    def _tree(self, base: str) -> pygit2.Tree:
        try:
            return trees.tree_of(self._repository(), _checked(base))
        except KeyError as error:
            raise Permanent("read", base[:12], "the mirror has no such commit or tree") from error


def _checked(commit: str) -> str:
    if not _COMMIT.fullmatch(commit):
        raise Permanent("use the commit", repr(commit), "it is no full commit id")
    return commit


def _who(found: pygit2.Signature) -> str:
    return f"{_text(found.raw_name)} <{_text(found.raw_email)}> {found.time}"


def _text(raw: bytes) -> str:
    """As UTF-8, whatever encoding the commit names: anybody can write one there that nobody knows."""
    return raw.decode(errors="replace")
