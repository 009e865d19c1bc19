"""What the contract needs of a forge to be tried on: a repository, users by role, and trouble at will."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.forges.base import Forge
from policies.model import User

Role = Literal["none", "reporter", "developer", "maintainer"]


class Hook(Protocol):
    """A webhook as the forge keeps it."""

    url: str
    token: str


Trouble = Literal["limited", "exhausted", "broken", "broken-after"]
"""Asked too fast (`Retry-After: 30`); the quota used up for 30 s; 500 before the request has an effect; 500 after."""


@dataclass(frozen=True, slots=True)
class Call:
    """One API request that the forge received."""

    method: str
    path: str


class Bench(Protocol):
    """A fresh forge with `platform/config`: branch `main`, protected so that only maintainers merge and push."""

    forge: Forge
    """As the bot, a maintainer."""
    repository: str
    kind: str
    """As settings name the kind of forge."""
    url: str

    def as_role(self, role: Role) -> Forge:
        """An adapter for a person with that role in the repository."""
        ...

    def as_nobody(self) -> Forge:
        """An adapter with a token that the forge does not know."""
        ...

    def user(self, role: Role) -> User:
        """The person of `as_role`."""
        ...

    def team(self, *roles: Role) -> str:
        """A group or team of these persons; returns its full path."""
        ...

    def approve(self, role: Role, iid: int) -> None:
        """The person approves."""
        ...

    def unapprove(self, role: Role, iid: int) -> None:
        """The person takes that back, or a maintainer dismisses it."""
        ...

    def reviewers(self, iid: int) -> set[int]:
        """The ids of who is asked for a review."""
        ...

    def robot(self) -> Forge:
        """An adapter for another bot, a reporter: GitLab's access token of the project, a GitHub App."""
        ...

    def issue(self, role: Role, title: str, *labels: str) -> int:
        """The person opens an issue with these labels; returns its number."""
        ...

    def close_issue(self, iid: int) -> None:
        """A maintainer closes it."""
        ...

    def emoji(self, note: int) -> list[str]:
        """The emoji on a comment of a merge request, by the forge's own names."""
        ...

    def later(self, seconds: float) -> None:
        """Let the forge's clock go on."""
        ...

    def hooks(self) -> Sequence[Hook]:
        """The repository's webhooks."""
        ...

    def deliveries(self) -> int:
        """How many webhooks were made so far."""
        ...

    def push(self, branch: str, files: Mapping[str, str], message: str = "change") -> str:
        """A commit with these files on top of the branch, else of `main`; returns it."""
        ...

    def message(self, commit: str) -> str:
        """A commit's whole message."""
        ...

    def settle(self) -> None:
        """Let the forge finish what it does in the background, such as checking whether requests merge."""
        ...

    def require_checks(self) -> None:
        """Make the repository ask for successful checks before a merge."""
        ...

    def trouble(self, kind: Trouble, method: str = ".*") -> None:
        """The next API request (of a method, a regular expression), and only it, meets that trouble."""
        ...

    def calls(self) -> list[Call]:
        """The API requests received since this was last asked."""
        ...
