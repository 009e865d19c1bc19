"""Writes a tree's files into a folder, so that a program can look at them: nothing leads out of it (S9)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bot.validators.base import Broken, Tree
from bot.yaml import MOST_BYTES

LONGEST = 900
"""Letters of a path: the launcher measures and removes what is a little longer."""


@dataclass(frozen=True, slots=True)
class Most:
    """What is written at most; a tree with more is not written to its end."""

    files: int = 100_000
    size: int = 512 * 1024 * 1024
    """Bytes, of all files together."""


MOST = Most()


def export(tree: Tree, folder: Path, below: Iterable[str], most: Most = MOST) -> frozenset[str]:
    """Write the regular files below some folders of a tree to the same paths below `folder`, which is made: the paths.

    `""` is all of the tree; the path of a file is that file. Symbolic links and submodules are left out, and no file is
    executable. `folder` must hold nothing that anybody else has put there. Broken where a path could lead out of it or
    stands in another's way, a file is larger than any reader takes, or all of it is more than `most`."""
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    written: set[str] = set()
    for path in _paths(tree, below):
        if path in written:
            continue
        written.add(path)
        if len(written) > most.files:
            raise Broken(f"there are more than {most.files} files to check out")
        content = _content(tree, path)
        size += len(content)
        if size > most.size:
            raise Broken(f"the files to check out are larger than {most.size // 1024 // 1024} MiB together")
        _write(folder, _parts(path), content)
    return frozenset(written)


def _paths(tree: Tree, below: Iterable[str]) -> Iterator[str]:
    for one in below:
        if one:
            _parts(one)
        alone = True
        for path in tree.files(one):
            alone = False
            yield path
        if alone and one and tree.read(one) is not None:
            yield one


def _parts(path: str) -> tuple[str, ...]:
    """The segments of a path that stays where it is put. `.git` in any case: there are file systems that see none."""
    parts = tuple(path.split("/"))
    if len(path) > LONGEST or any(part.lower() in {"", ".", "..", ".git"} or "\0" in part for part in parts):
        raise Broken(f"{path[:200]!r} is no path that can be checked out")
    return parts


def _content(tree: Tree, path: str) -> bytes:
    content = tree.read(path)
    if content is None:
        raise Broken(f"{path[:200]!r} cannot be read")
    if len(content) > MOST_BYTES:
        raise Broken(f"{path[:200]!r} is larger than {MOST_BYTES // 1024 // 1024} MiB")
    return content


def _write(folder: Path, parts: tuple[str, ...], content: bytes) -> None:
    place = folder.joinpath(*parts)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            file.write(content)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "its name cannot be written"
        raise Broken(f"{'/'.join(parts)[:200]!r} cannot be checked out: {why}") from error
