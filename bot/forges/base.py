"""The Forge protocol: all that Towpath asks of GitLab or GitHub, narrow enough to imitate.

Every list is read to its end (R7). No write is ever repeated by an adapter (R5): the caller looks first. All methods
raise `bot.errors`: `Transient`, `Permanent`, `Conflict` or `RateLimited`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, Protocol

from policies.enforcement import Guard
from policies.model import Check, CheckState, MergeRequest, Permission, Review, SourceCommit, Thread, User
from policies.standing import Credential, Hook


@dataclass(frozen=True, slots=True)
class GitAccess:
    """How to reach a repository by Git over HTTP; `password` never appears in its repr (S10)."""

    url: str
    username: str
    password: str = field(repr=False)
    ca_file: str | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """A comment on a merge request or an issue."""

    id: int
    body: str
    author: User
    created_at: datetime
    edited: bool
    """Whether its text may not be what its author first wrote (S7); never false where the forge does not tell."""
    internal: bool
    """Whether only members see it (GitLab's internal notes); its answer must be as hidden (S7)."""
    url: str
    """The web address of this very comment."""


class Emoji(StrEnum):
    """The reactions that Towpath gives; both forges have them."""

    seen = "eyes"
    done = "hooray"
    """The party popper; GitLab calls it `tada`."""
    refused = "-1"


@dataclass(frozen=True, slots=True)
class Reaction:
    """Somebody's emoji on a comment; `name` is an `Emoji`'s value, or the forge's own word for another."""

    name: str
    user: User


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue as the forge tells it."""

    iid: int
    url: str
    title: str
    open: bool
    labels: tuple[str, ...]
    author: User
    updated_at: datetime
    confidential: bool = False
    """Whether only members of the project can read it; GitHub has no such issues."""


@dataclass(frozen=True, slots=True)
class LabelChange:
    """Somebody added a label to a merge request or an issue, or removed it."""

    label: str
    user: User
    added: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Proposal:
    """A merge request to be opened."""

    source_branch: str
    target_branch: str
    title: str
    description: str
    labels: tuple[str, ...]
    reviewers: tuple[User, ...] = ()
    """Who is asked for a review. Asking is a courtesy: whom the forge will not ask is passed over."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook to be set up; `secret` and `signing_secret` (GitLab only) never appear in its repr (S10)."""

    url: str
    secret: str = field(repr=False)
    signing_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What became of webhooks that did not arrive: how many were sent again, and what a person has to do."""

    sent_again: int = 0
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """A commit status to be set; `description` has at most 140 characters."""

    name: str
    state: CheckState
    description: str
    url: str


Kind = Literal["gitlab", "github"]

Installed = Literal["made", "brought up to date"]


class Forge(Protocol):
    """One forge, as one user (the bot). `repository` is the full path, such as `platform/config`."""

    name: str
    kind: Kind
    """Whose rules hold there, such as those of CODEOWNERS."""

    def me(self) -> User:
        """The bot's own user; read once, then remembered."""
        ...

    def access(self, repository: str) -> GitAccess:
        """Where and as whom to fetch and push; costs no call."""
        ...

    def default_branch(self, repository: str) -> str:
        """The repository's default branch; read once, then remembered."""
        ...

    def head(self, repository: str, branch: str) -> str:
        """The commit that `branch` points to. One read. Permanent where the branch does not exist."""
        ...

    def open_requests(self, repository: str, label: str) -> Sequence[MergeRequest]:
        """The open merge requests with that label, with their mergeability re-checked. One read a page."""
        ...

    def requests_from(self, repository: str, source_branch: str) -> Sequence[MergeRequest]:
        """The merge requests of any state from that source branch, newest first. One read a page."""
        ...

    def request(self, repository: str, iid: int) -> MergeRequest:
        """One merge request, read alone."""
        ...

    def updated_requests(self, repository: str, since: datetime) -> Sequence[MergeRequest]:
        """The merge requests of any state updated at or after `since` (for the sweep)."""
        ...

    def checks(self, repository: str, sha: str) -> Sequence[Check]:
        """The newest status of each name on a commit, pipeline jobs and outside statuses alike."""
        ...

    def issues(self, repository: str, label: str, since: datetime | None) -> Sequence[Issue]:
        """The open issues with that label, of those updated at or after `since`; never merge requests."""
        ...

    def issue(self, repository: str, iid: int) -> Issue:
        """One issue. Permanent where there is none of that number, or a pull request."""
        ...

    def label_changes(self, repository: str, thread: Thread) -> Sequence[LabelChange]:
        """Who added and removed which label, oldest first; a label that is deleted is left out.

        Those with which it was opened were added when it was."""
        ...

    def notes(self, repository: str, thread: Thread) -> Sequence[Note]:
        """The comments written by users, oldest first; no system notes."""
        ...

    def reactions(self, repository: str, thread: Thread, note: int) -> Sequence[Reaction]:
        """The emoji on a comment."""
        ...

    def reviews(self, repository: str, iid: int) -> Sequence[Review]:
        """Each user's standing word on a merge request, oldest first; withdrawn and dismissed ones are gone.

        GitHub: a comment never replaces an approval, a dismissal does. GitLab tells of approvals alone."""
        ...

    def members(self, repository: str, group: str) -> Sequence[User]:
        """Whom `organisation/team` stands for: GitHub's team with its child teams, GitLab's group with its direct
        members alone, as each forge's CODEOWNERS count them. Permanent where there is none to be seen."""
        ...

    def named(self, repository: str, name: str) -> Sequence[User] | None:
        """Whom a name of CODEOWNERS stands for: `@user`, `@group/team`, `@@role` (GitLab) or an e-mail address.

        None where there is no such name, or the forge does not show it to the bot."""
        ...

    def permission(self, repository: str, who: User) -> Permission:
        """What a user may do in the repository, inherited rights too."""
        ...

    def commits_between(self, source: str, old: str, new: str) -> Sequence[SourceCommit]:
        """The commits after `old` up to `new`, newest first, of a repository given by web address or path.

        Empty where the address is not on this forge or the two commits are unknown to it."""
        ...

    def open_request(self, repository: str, proposal: Proposal) -> MergeRequest:
        """Open a merge request. Conflict where one is open for that branch already.

        Where labels take a write of their own (GitHub), a failure of that leaves it open without them."""
        ...

    def add_note(self, repository: str, thread: Thread, body: str, *, internal: bool = False) -> Note:
        """Comment on a merge request or an issue, `internal` for members alone; GitHub has no such comments.

        Permanent where GitLab took the whole text as its own quick actions."""
        ...

    def edit_note(self, repository: str, thread: Thread, note: int, body: str) -> None:
        """Replace a comment's text. Permanent where the comment is gone."""
        ...

    def delete_note(self, repository: str, thread: Thread, note: int) -> None:
        """Remove a comment. Permanent where it is gone."""
        ...

    def react(self, repository: str, thread: Thread, note: int, emoji: Emoji) -> None:
        """Give a comment an emoji; one's own that stands there already is no fault."""
        ...

    def label(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        """Add labels to a merge request; those that it has stay."""
        ...

    def unlabel(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        """Take labels off a merge request; one that it lacks is no fault. GitHub takes a write for each."""
        ...

    def ask_for_review(self, repository: str, iid: int, reviewers: Sequence[User]) -> None:
        """Ask users for a review, beside those asked already. Permanent where one may not review."""
        ...

    def set_status(self, repository: str, sha: str, branch: str, status: Status) -> None:
        """Set a commit status on a head; `branch` is the source branch that it is the head of."""
        ...

    def merge(self, repository: str, iid: int, head: str, message: str) -> str:
        """Merge exactly `head`, keep the message, delete no branch; returns the commit on the target branch.

        Conflict where the head moved, Transient where the forge is not ready to say, Permanent where it refuses."""
        ...

    def install_webhook(self, repository: str, webhook: Webhook) -> Installed:
        """Set up the webhook of that address, or bring the one that stands there up to date.

        No forge tells a secret, so one that stands is always given its secret again. An App has one webhook for all its
        repositories, whose events only a person can choose."""
        ...

    def recover(self, repository: str, path: str, since: datetime) -> Recovery:
        """Find webhooks to addresses that end in `path` which failed after `since`, or that the forge switched off.

        GitHub sends again what nobody took; GitLab resends by itself, but gives up after failures."""
        ...

    def guard(self, repository: str, branch: str) -> Guard:
        """Who may get what onto a branch past Towpath; what the forge would not show is told as not read (S24)."""
        ...

    def credential(self, repository: str) -> Credential:
        """What Towpath's own token or App may do there, and until when."""
        ...

    def hooks(self, repository: str, path: str) -> Sequence[Hook]:
        """The webhooks to addresses that end in `path`, and whether they work. Sends nothing again."""
        ...

    def close(self, repository: str, iid: int, label: str) -> None:
        """Close a merge request unmerged and add a label that says why, in one write."""
        ...
