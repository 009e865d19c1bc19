"""What a hook makes of a payload: an image was published, something changed, or nothing that concerns Towpath."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

REPORT = "a comment that begins as Towpath's own report does"
"""Nothing follows from it. Whoever else begins a comment so is heard with the next thing that is said there."""


@dataclass(frozen=True, slots=True)
class ImagePublished:
    """A sender says that this digest can be pulled. Whether it may speak for the repository is asked elsewhere (S4)."""

    repository: str
    """As values files write it: `registry.example.com/commerce/api`, without tag and digest."""
    digest: str
    tag: str | None = None
    revision: str | None = None
    """The full id of the source commit that it was built from."""
    source: str | None = None
    """The web address of the source repository; shown, never fetched (S11)."""
    created: datetime | None = None
    """When it was built or pushed, by the sender's clock; aware, in UTC."""
    links: Mapping[str, str] = field(default_factory=dict)
    """Name to web address; shown, never fetched (S11)."""


@dataclass(frozen=True, slots=True)
class Changed:
    """Something in a repository may have changed. A hint of where to look, never a fact to act upon."""

    repository: str
    """Full path on the forge, such as `platform/config`."""
    branch: str | None = None
    """The branch that was pushed or built; of a merge request, its target branch."""
    iid: int | None = None
    """The merge request's number in its project."""
    source_branch: str | None = None
    """The merge request's."""
    sha: str | None = None
    """The commit that it is about: what was pushed or built, or the merge request's head."""
    by: int | None = None
    """Id of the user who caused it."""
    issue: int | None = None
    """The issue's number in its project, where somebody commented on one."""
    talk: bool = False
    """Whether somebody commented or changed labels, so that the thread wants reading."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """Understood and of no interest."""

    reason: str


Event = ImagePublished | Changed | Ignored


class Malformed(Exception):
    """A verified body that cannot be understood: which field, what is wrong, and the nearest right thing."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field
        self.message = message


class Unverified(Exception):
    """The sender could not be verified; the reason never holds a secret or the wanted signature (S10)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
