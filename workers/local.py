"""A working tree of Git as Towpath reads a config repository: what is committed, and what lies there now."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pygit2
from pygit2.enums import DiffOption, FileMode

from bot.errors import Permanent
from bot.forges.base import GitAccess
from bot.git import Mirror


@dataclass(frozen=True)
class Local:
    """A working tree, read through a bare repository beside it, so that nothing is written into its own."""

    mirror: Mirror
    before: str
    """The commit that it is compared with."""
    after: str
    """The tree that it is, with what is not committed yet and without what `.gitignore` names."""


@contextmanager
def local(folder: Path, base: str) -> Iterator[Local]:
    """The working tree that a folder is in, and a commit by any name that Git knows; Permanent where neither is."""
    found = pygit2.discover_repository(str(folder.resolve()))
    repository = pygit2.Repository(found) if found is not None else None
    if repository is None or repository.workdir is None:
        raise Permanent("read", str(folder), "it is no working tree of Git")
    before = _commit(repository, base)
    with TemporaryDirectory(prefix="towpath-") as place:
        aside = Path(place) / "aside.git"
        pygit2.init_repository(str(aside), bare=True)
        # What the working tree's own repository has is read from there; what is new is written here.
        (aside / "objects" / "info" / "alternates").write_text(f"{_objects(repository)}\n")
        yield Local(Mirror(aside, _nowhere), str(before.id), _tree(repository, aside, before))


def _objects(repository: pygit2.Repository) -> Path:
    """Where its objects are; a linked working tree shares those of another (gitrepository-layout, `commondir`)."""
    own = Path(repository.path)
    shared = own / "commondir"
    return ((own / shared.read_text().strip()) if shared.is_file() else own).resolve() / "objects"


def _commit(repository: pygit2.Repository, name: str) -> pygit2.Commit:
    try:
        found = repository.revparse_single(name).peel(pygit2.Commit)
    except (KeyError, ValueError, pygit2.GitError) as error:
        raise Permanent("find", repr(name), "Git knows no such commit here") from error
    # What the branch itself changed, as a merge request shows it.
    head = repository.head.target if not repository.head_is_unborn else found.id
    common: pygit2.Oid | None = repository.merge_base(found.id, head)  # the stub knows no unrelated commits
    return found if common is None else repository[common].peel(pygit2.Commit)


def _tree(repository: pygit2.Repository, aside: Path, before: pygit2.Commit) -> str:
    """The tree of what lies in the folder, written beside."""
    bare = pygit2.Repository(str(aside))
    index = pygit2.Index()
    index.read_tree(bare[before.tree_id].peel(pygit2.Tree))
    flags = DiffOption.INCLUDE_UNTRACKED | DiffOption.RECURSE_UNTRACKED_DIRS | DiffOption.INCLUDE_TYPECHANGE
    for delta in before.tree.diff_to_workdir(flags=flags).deltas:
        _put(index, bare, Path(repository.workdir), delta.new_file.path)
    return str(index.write_tree(bare))


def _put(index: pygit2.Index, bare: pygit2.Repository, root: Path, path: str) -> None:
    place = root / path
    if place.is_symlink():
        blob = bare.create_blob(str(place.readlink()).encode())
        index.add(pygit2.IndexEntry(path, blob, FileMode.LINK))
    elif place.is_file():
        mode = FileMode.BLOB_EXECUTABLE if place.stat().st_mode & 0o100 else FileMode.BLOB
        index.add(pygit2.IndexEntry(path, bare.create_blob(place.read_bytes()), mode))
    elif path in index:
        index.remove(path)


def _nowhere() -> GitAccess:
    raise Permanent("fetch", "a working tree", "it is read as it lies there")
