"""Who owns a path: the CODEOWNERS file as each forge reads it."""

from collections.abc import Mapping
from typing import Final, Literal

from policies.codeowners import github, gitlab
from policies.codeowners.model import CodeOwners, Fault

Dialect = Literal["github", "gitlab"]

LOCATIONS: Final[Mapping[Dialect, tuple[str, ...]]] = {"github": github.LOCATIONS, "gitlab": gitlab.LOCATIONS}
"""Where each forge looks for the file; the first that exists counts."""


def parse(dialect: Dialect, text: str) -> CodeOwners:
    """What a file says to a forge. No text is refused: what is wrong with it is among its errors."""
    return github.parse(text) if dialect == "github" else gitlab.parse(text)


def unusable(kind: str) -> CodeOwners:
    """A file that says nothing but what is wrong with it."""
    return CodeOwners((), (Fault(1, kind),), lambda _: ())
