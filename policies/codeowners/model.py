"""What a CODEOWNERS file says, whichever forge reads it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from policies.codeowners.matcher import Matcher, Pattern

DEFAULT: Final = "codeowners"
"""The section of what stands before any heading (GitLab), and the only one there is on GitHub."""

SPACES: Final = " \t\n\v\f\r\0"
"""What both forges, written in Ruby, take off a line's ends."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that the forge reports about a line (counted from 1)."""

    line: int
    kind: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that names owners; `approvals` is what the heading asks for, 0 where it says nothing."""

    section: str
    pattern: str
    line: int
    owners: tuple[str, ...]
    optional: bool
    approvals: int
    waived: bool = False
    """Whether the heading says in so many words that no approval is needed: `[name][0]`."""

    @property
    def asks(self) -> bool:
        """Whether its section asks for an approval."""
        return not (self.optional or self.waived)


class CodeOwners:
    """A parsed file: its faults, and who owns a path."""

    def __init__(self, patterns: Sequence[Pattern], errors: tuple[Fault, ...], decide: "Decide") -> None:
        self.errors = errors
        self._matcher = Matcher(patterns, decide)

    def rules_for(self, path: str) -> tuple[Rule, ...]:
        """The deciding rule of each section, in the order of the sections.

        Empty where no rule matches or an exclusion vetoes all. A rule without owners that decides is given like any
        other: on GitHub it says that nobody owns the path, on GitLab that its section asks nobody."""
        return self._matcher.match(path)


Decide = Callable[[frozenset[int]], tuple[Rule, ...]]
"""Of the numbers of the patterns that match a path: the rules that decide."""
