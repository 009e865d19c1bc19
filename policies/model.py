"""The values that all layers speak: images, releases, targets, promotions and what surrounds them."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
"""A digest as the OCI image specification writes it; Towpath moves no other algorithm."""


@dataclass(frozen=True, slots=True)
class Pin:
    """What one place in a file says of one image; `digest` and `tag` are None where the file names none."""

    repository: str
    digest: str | None
    tag: str | None
    line: int
    """1-based line of the `repository` scalar."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image: a digest of a repository, with the tag as a human name only."""

    repository: str
    digest: str
    tag: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Sighting:
    """What is known of a published image: when its digest was first announced, its tags and where it was built.

    Sightings of one digest unite in any order to the same value (R2)."""

    image: Image
    seen_at: datetime
    """The announcement's own time where it names one, never later than its receipt; the earliest of all."""
    tags: tuple[str, ...] = ()
    revision: str | None = None
    """The commit of the source repository that it was built from."""
    revisions: tuple[str, ...] = ()
    """All commits that were announced to give this very digest (an unchanged image of a later commit)."""
    source: str | None = None
    """The web address of the source repository."""
    created: datetime | None = None
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Release:
    """What moves: the digests of all of a unit's images, pinned together. Equal digests are the same release."""

    images: tuple[Image, ...]

    @property
    def name(self) -> str:
        """The 12 hex digits that name the release in branches, trailers and messages."""
        lines = sorted(f"{image.repository}@{image.digest}" for image in self.images)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    @property
    def digests(self) -> dict[str, str]:
        """Repository to digest."""
        return {image.repository: image.digest for image in self.images}


@dataclass(frozen=True, slots=True)
class Target:
    """One place in one file that pins one image of one service; `where` holds what the path template captured."""

    path: str
    pin: Pin
    service: str
    where: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A file that cannot be read or edited safely, and why."""

    path: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class User:
    """A person or bot on a forge; only `id` identifies, names can be given to somebody else."""

    id: int
    username: str
    name: str = ""
    bot: bool = False


@dataclass(frozen=True, slots=True)
class Thread:
    """Where people talk: a merge request, or an issue. GitHub numbers both in one row, GitLab each in its own."""

    iid: int
    issue: bool = False


class MergeRequestState(StrEnum):
    """A merge request's state; `locked` (GitLab, while merging) counts as opened."""

    opened = "opened"
    merged = "merged"
    closed = "closed"


class Mergeable(StrEnum):
    """What the forge says of merging; `unknown` means: ask again soon (R8), never yes and never no."""

    yes = "yes"
    no = "no"
    unknown = "unknown"


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A merge request as the forge tells it. Times are aware, in UTC; `head` is a full commit id."""

    iid: int
    url: str
    title: str
    description: str
    state: MergeRequestState
    source_branch: str
    target_branch: str
    head: str
    author: User
    same_project: bool
    """False when it comes from a fork."""
    labels: tuple[str, ...]
    mergeable: Mergeable
    merge_reason: str
    """The forge's own word for why it can or cannot be merged now, such as `ci_must_pass`."""
    created_at: datetime
    updated_at: datetime
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    """The commit on the target branch that brought it in: merge, squash or fast-forwarded head."""
    closed_at: datetime | None = None
    closed_by: User | None = None


class CheckState(StrEnum):
    """A commit status folded to what a gate needs to know."""

    pending = "pending"
    success = "success"
    failed = "failed"
    skipped = "skipped"


@dataclass(frozen=True, slots=True)
class Check:
    """The newest status of one name on one commit."""

    name: str
    state: CheckState
    description: str = ""
    url: str = ""
    author_id: int | None = None
    allow_failure: bool = False


class ReviewState(StrEnum):
    """What a reviewer's standing word is."""

    approved = "approved"
    changes_requested = "changes_requested"


@dataclass(frozen=True, slots=True)
class Review:
    """One user's standing word on a merge request."""

    user: User
    state: ReviewState
    sha: str | None
    """The head that it was given to; None where the forge does not tell."""
    at: datetime


class Permission(IntEnum):
    """What a user may do in a repository, in steps that can be compared."""

    none = 0
    read = 1
    write = 2
    maintain = 3
    admin = 4


@dataclass(frozen=True, slots=True)
class SourceCommit:
    """One commit of a source repository, as shown to the approver."""

    sha: str
    title: str
    author: str
