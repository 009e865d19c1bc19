"""Real bare repositories, read and written in process by pygit2, served to Git clients from the same folder."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pygit2
from pygit2.enums import DeltaStatus, FileMode, ObjectType, SortMode

from bot.sandbox.errors import RefMoved
from bot.sandbox.gitstore import Commit, Entry, FileDiff, Signature

CONFIG = {
    "receive.autogc": "false",
    "gc.auto": "0",
    "receive.denyDeleteCurrent": "ignore",
    "receive.hideRefs": "refs/merge-requests",
    "uploadpack.allowFilter": "true",
    "uploadpack.allowAnySHA1InWant": "true",
}
"""As GitLab's Gitaly sets them."""

KINDS = {ObjectType.BLOB: "blob", ObjectType.TREE: "tree", ObjectType.COMMIT: "commit"}
STATUSES = {DeltaStatus.ADDED: "added", DeltaStatus.DELETED: "deleted", DeltaStatus.RENAMED: "renamed"}


class DiskStore:
    """Bare repositories side by side in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, name: str) -> "DiskRepository":
        """A new, empty one at `<name>.git`; its HEAD points to `main`."""
        folder = self._folder / f"{name}.git"
        repository = pygit2.init_repository(str(folder), bare=True, initial_head="main")
        for key, value in CONFIG.items():
            repository.config[key] = value
        return DiskRepository(folder)


class DiskRepository:
    """One bare repository. Any thread may read it; writers hold the forge's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._thread = threading.local()

    @property
    def _git(self) -> pygit2.Repository:
        """This thread's own handle: libgit2's objects are not safe to share."""
        held: pygit2.Repository | None = getattr(self._thread, "git", None)
        if held is None:
            held = self._thread.git = pygit2.Repository(str(self.folder))
        return held

    def heads(self) -> dict[str, str]:
        """Branch to commit."""
        prefix = "refs/heads/"
        names = [name for name in self._git.references if name.startswith(prefix)]
        return {name.removeprefix(prefix): str(self._git.references[name].target) for name in names}

    def head(self, name: str) -> str | None:
        """The commit of one branch."""
        reference = self._git.references.get(f"refs/heads/{name}") if _is_ref(f"refs/heads/{name}") else None
        return str(reference.target) if reference else None

    def is_branch_name(self, name: str) -> bool:
        """As libgit2 judges it; a leading dash is what `git branch` refuses."""
        return not name.startswith("-") and _is_ref(f"refs/heads/{name}")

    def resolve(self, ref: str) -> str | None:
        """The commit that a branch, tag or id of at least 4 digits names."""
        found = self.head(ref.removeprefix("refs/heads/"))
        if found:
            return found
        try:
            return str(self._git.revparse_single(ref or "HEAD").peel(pygit2.Commit).id)
        except (KeyError, ValueError, pygit2.GitError):
            return None

    def set_branch(self, name: str, old: str | None, new: str | None) -> None:
        """Compare and swap; the forge's lock holds others off between the two."""
        if self.head(name) != old:
            raise RefMoved(f"branch {name} is at {self.head(name)}, not {old}")
        if new is None:
            self._git.references.delete(f"refs/heads/{name}")
        else:
            self._git.references.create(f"refs/heads/{name}", new, force=True)

    def keep(self, name: str, commit: str) -> None:
        """Point `refs/<name>` to a commit."""
        self._git.references.create(f"refs/{name}", commit, force=True)

    def commit(self, sha: str) -> Commit:
        """Read a commit."""
        return _commit(self._git[sha].peel(pygit2.Commit))

    def log(self, start: str, without: str | None = None, path: str = "", limit: int = 1000) -> tuple[Commit, ...]:
        """Newest first; a path is followed through first parents only, without renames."""
        walker = self._git.walk(start, SortMode.TOPOLOGICAL | SortMode.TIME)
        if without:
            walker.hide(without)
        touching = (commit for commit in walker if not path or self._touches(commit, path))
        return tuple(_commit(commit) for commit in islice(touching, limit))

    def merge_base(self, one: str, other: str) -> str | None:
        """The best common ancestor."""
        found = self._git.merge_base(one, other)
        return str(found) if found else None

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` contains `older`."""
        return older == newer or self._git.descendant_of(newer, older)

    def tree(self, commit: str) -> str:
        """A commit's tree id."""
        return str(self._tree(commit).id)

    def entries(self, commit: str, path: str = "", recursive: bool = False) -> tuple[Entry, ...] | None:
        """A folder's entries in Git's order."""
        tree = self._tree(commit)
        try:
            found = tree[path.strip("/")] if path.strip("/") else tree
        except KeyError:
            return None
        if not isinstance(found, pygit2.Tree):
            return None
        return tuple(self._walk(found, f"{path.strip('/')}/" if path.strip("/") else "", recursive))

    def blob(self, commit: str, path: str) -> tuple[str, bytes] | None:
        """A file's blob id and content."""
        try:
            found = self._tree(commit)[path]
        except KeyError:
            return None
        return (str(found.id), found.data) if isinstance(found, pygit2.Blob) else None

    def diff(self, old: str | None, new: str) -> tuple[FileDiff, ...]:
        """With renames found as Git finds them by default."""
        if old is None:
            found = self._tree(new).diff_to_tree(swap=True)
        else:
            found = self._tree(old).diff_to_tree(self._tree(new))
        found.find_similar()
        return tuple(_file_diff(patch) for patch in found if patch is not None)

    def create_tree(self, base: str | None, files: Mapping[str, bytes | None]) -> str:
        """Replaced files keep their mode; new ones are plain files."""
        index = pygit2.Index()
        if base:
            index.read_tree(self._tree(base))
        for path, content in files.items():
            if content is None:
                index.remove(path)
                continue
            mode = index[path].mode if path in index else FileMode.BLOB
            index.add(pygit2.IndexEntry(path, self._git.create_blob(content), mode))
        return str(index.write_tree(self._git))

    def merge_trees(self, base: str | None, ours: str, theirs: str) -> str | None:
        """Without a base the trees have nothing in common, and files on both sides conflict."""
        ancestor = self._tree(base) if base else self._git[self._git.TreeBuilder().write()].peel(pygit2.Tree)
        index = self._git.merge_trees(ancestor, self._tree(ours), self._tree(theirs))
        return None if index.conflicts else str(index.write_tree(self._git))

    def create_commit(self, tree: str, parents: Sequence[str], message: str, who: tuple[Signature, Signature]) -> str:
        """Write a commit."""
        author, committer = (_signature(one) for one in who)
        made = self._git.create_commit(None, author, committer, message, pygit2.Oid(hex=tree), list(parents))
        return str(made)

    def _tree(self, commit: str) -> pygit2.Tree:
        return self._git[commit].peel(pygit2.Tree)

    def _walk(self, tree: pygit2.Tree, prefix: str, recursive: bool) -> Iterator[Entry]:
        for item in tree:
            name = item.name or ""
            mode, kind = f"{item.filemode:06o}", KINDS.get(ObjectType(item.type), "blob")
            yield Entry(str(item.id), name, kind, prefix + name, mode)
            if recursive and isinstance(item, pygit2.Tree):
                yield from self._walk(item, f"{prefix}{name}/", recursive)

    def _touches(self, commit: pygit2.Commit, path: str) -> bool:
        parents = commit.parents
        before = _at(parents[0].tree, path) if parents else None
        return _at(commit.tree, path) != before


def _is_ref(name: str) -> bool:
    return "\0" not in name and pygit2.reference_is_valid_name(name)


def _at(tree: pygit2.Tree, path: str) -> str | None:
    try:
        return str(tree[path].id)
    except KeyError:
        return None


def _commit(found: pygit2.Commit) -> Commit:
    parents = tuple(str(parent) for parent in found.parent_ids)
    return Commit(str(found.id), parents, found.message, _read(found.author), _read(found.committer))


def _read(signature: pygit2.Signature) -> Signature:
    return Signature(signature.name, signature.email, datetime.fromtimestamp(signature.time, UTC))


def _signature(signature: Signature) -> pygit2.Signature:
    return pygit2.Signature(_plain(signature.name), _plain(signature.email), int(signature.at.timestamp()), 0)


def _plain(name: str) -> str:
    """A name as Git keeps it: angle brackets and line ends left out."""
    return "".join(char for char in name if char not in "<>\n\0").strip() or "unknown"


def _file_diff(patch: pygit2.Patch) -> FileDiff:
    delta = patch.delta
    _, additions, deletions = patch.line_stats
    text = (patch.data or b"").decode("utf-8", "replace")
    hunks = text[text.index("\n@@ ") + 1 :] if "\n@@ " in text else ""
    return FileDiff(
        old_path=delta.old_file.path,
        new_path=delta.new_file.path,
        old_mode=f"{delta.old_file.mode:06o}",
        new_mode=f"{delta.new_file.mode:06o}",
        status=STATUSES.get(DeltaStatus(delta.status), "modified"),
        text=hunks,
        additions=additions,
        deletions=deletions,
    )
