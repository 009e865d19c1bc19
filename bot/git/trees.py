"""Trees in process: reading, splicing files in, comparing, merging."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

import pygit2
from pygit2.enums import FileMode, MergeFlag

from bot.errors import Permanent


@dataclass(frozen=True, slots=True)
class Merged:
    """A merge without conflict gives this tree."""

    tree: str


@dataclass(frozen=True, slots=True)
class Conflicting:
    """A merge conflicts in these paths; none where the two have no common ancestor."""

    paths: tuple[str, ...]


def checked(path: str) -> tuple[str, ...]:
    """The segments of a relative path; Permanent for one that could leave the repository (S9)."""
    parts = tuple(path.split("/"))
    if any(part in {"", ".", "..", ".git"} or "\0" in part for part in parts):
        raise Permanent("use the path", repr(path), "it is not a plain relative path")
    return parts


def tree_of(repository: pygit2.Repository, base: str) -> pygit2.Tree:
    """The tree of a commit or tree id; KeyError where the mirror lacks it."""
    return repository[base].peel(pygit2.Tree)


def entry(tree: pygit2.Tree, path: str) -> pygit2.Object | None:
    """The object at a path, or None."""
    checked(path)
    try:
        return tree[path]
    except KeyError:
        return None


def is_file(found: pygit2.Object | None) -> TypeGuard[pygit2.Blob]:
    """Whether it is a regular file: no folder, symlink or submodule."""
    return isinstance(found, pygit2.Blob) and found.filemode in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)


def files(tree: pygit2.Tree) -> Iterator[tuple[str, str]]:
    """(path, blob id) of every regular file, without recursion."""
    waiting: list[tuple[str, pygit2.Tree]] = [("", tree)]
    while waiting:
        prefix, folder = waiting.pop()
        for found in folder:
            name = f"{prefix}{found.name}"
            if isinstance(found, pygit2.Tree):
                waiting.append((f"{name}/", found))
            elif is_file(found):
                yield name, str(found.id)


def links(tree: pygit2.Tree) -> Iterator[str]:
    """The path of every symbolic link and submodule, without recursion."""
    waiting: list[tuple[str, pygit2.Tree]] = [("", tree)]
    while waiting:
        prefix, folder = waiting.pop()
        for found in folder:
            name = f"{prefix}{found.name}"
            if isinstance(found, pygit2.Tree):
                waiting.append((f"{name}/", found))
            elif not is_file(found):
                yield name


def with_files(repository: pygit2.Repository, tree: pygit2.Tree | None, contents: Mapping[str, bytes]) -> str:
    """The id of the tree with these files replaced or added; an existing file keeps its mode.

    Permanent for a path that is not UTF-8: libgit2 gives such names as PEP 383 has them, and takes none back."""
    blobs = {checked(path): repository.create_blob(text) for path, text in contents.items()}
    try:
        return str(_with_blobs(repository, tree, blobs))
    except UnicodeEncodeError as error:
        raise Permanent("write the path", ascii(error.object), "its name is not UTF-8") from error


def _with_blobs(
    repository: pygit2.Repository, tree: pygit2.Tree | None, blobs: Mapping[tuple[str, ...], pygit2.Oid]
) -> pygit2.Oid:
    builder = repository.TreeBuilder(tree) if tree is not None else repository.TreeBuilder()
    folders: dict[str, dict[tuple[str, ...], pygit2.Oid]] = {}
    for parts, blob in blobs.items():
        if len(parts) > 1:
            folders.setdefault(parts[0], {})[parts[1:]] = blob
            continue
        standing = builder.get(parts[0])
        mode = standing.filemode if is_file(standing) else FileMode.BLOB
        builder.insert(parts[0], blob, mode)
    for name, inner in folders.items():
        standing = builder.get(name)
        below = standing if isinstance(standing, pygit2.Tree) else None
        builder.insert(name, _with_blobs(repository, below, inner), FileMode.TREE)
    return builder.write()


def changed(repository: pygit2.Repository, old: str, new: str) -> tuple[str, ...]:
    """The paths in which two commits or trees differ, sorted; a rename is two paths."""
    first, second = tree_of(repository, old), tree_of(repository, new)
    if first.id == second.id:
        return ()
    deltas = first.diff_to_tree(second, context_lines=0, interhunk_lines=0).deltas
    return tuple(sorted({path for delta in deltas for path in (delta.old_file.path, delta.new_file.path)}))


def merge(repository: pygit2.Repository, ours: str, theirs: str) -> Merged | Conflicting:
    """The merge of two commits in memory.

    Renames are not followed. The forge's merge may follow them; then the two can only disagree where one of them
    conflicts or the trees differ, and both of these block (they never pass what the forge would merge otherwise,
    because the tree after the merge is compared again)."""
    base: pygit2.Oid | None = repository.merge_base(ours, theirs)  # the stub knows no unrelated commits
    if base is None:
        return Conflicting(())
    index = repository.merge_trees(
        tree_of(repository, str(base)), tree_of(repository, ours), tree_of(repository, theirs), flags=MergeFlag(0)
    )
    if index.conflicts is not None:
        found = {side.path for conflict in index.conflicts for side in conflict if side is not None}
        return Conflicting(tuple(sorted(found)))
    return Merged(str(index.write_tree(repository)))
