"""Which file of the repository a program means: it may write the path from the checkout, from the root, or as a URI."""

from collections.abc import Callable, Container
from pathlib import Path
from posixpath import normpath
from typing import TypeAlias
from urllib.parse import unquote

Place: TypeAlias = Callable[[str], str]
"""A path or URI as a program writes it, to the path in the repository; empty for what is no file there (S9)."""


def place_in(folder: Path, files: Container[str]) -> Place:
    """The places in a checkout that holds these files of the repository."""
    roots = tuple(dict.fromkeys(f"{root}/" for root in (folder, folder.resolve())))

    def place(text: str) -> str:
        found = (_plain(one, roots) for one in (text, unquote(text.removeprefix("file:").removeprefix("//"))))
        return next((path for path in found if path in files), "")

    return place


def _plain(path: str, roots: tuple[str, ...]) -> str:
    for root in roots:
        path = path.removeprefix(root)
    return normpath(path)
