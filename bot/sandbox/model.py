"""What the forge keeps: users, groups, projects, merge requests and all that hangs on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from bot.sandbox.gitstore import GitRepository


class Role(IntEnum):
    """Access levels as GitLab numbers them; `none` is also its `No one` in branch protection."""

    none = 0
    guest = 10
    reporter = 20
    developer = 30
    maintainer = 40
    owner = 50


class RequestState(StrEnum):
    """A merge request's state."""

    opened = "opened"
    closed = "closed"
    merged = "merged"


class Checked(StrEnum):
    """What is known of whether Git can merge it."""

    unchecked = "unchecked"
    can = "can_be_merged"
    cannot = "cannot_be_merged"


@dataclass(frozen=True, slots=True)
class User:
    """A person or bot; `id` never changes hands."""

    id: int
    username: str
    name: str
    email: str
    bot: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; with `read_only` it may not write."""

    value: str = field(repr=False)
    user: User
    read_only: bool = False
    expires_at: datetime | None = None
    installation: int | None = None
    """Of a GitHub App's token: the installation that it is for."""
    scopes: tuple[str, ...] = ()
    """Those that the forge shows; none: the one that opens all (`api`, `repo`)."""
    describable: bool = True
    """Whether GitLab describes it to itself: it does personal, project and group tokens alone."""


@dataclass(slots=True)
class App:
    """A GitHub App: acts as its bot user, proves itself by its key, and may have a webhook of its own."""

    id: int
    slug: str
    user: User
    public_key: str
    hook: "Hook | None" = None


@dataclass(frozen=True, slots=True)
class Installation:
    """An App at work in an organisation, here a top group."""

    id: int
    app: App
    group: "Group"
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """A user's role in one group or project."""

    user: User
    role: Role
    since: datetime


@dataclass(slots=True)
class Group:
    """A group; `parent` makes it a subgroup."""

    id: int
    path: str
    name: str
    parent: "Group | None"
    created_at: datetime
    members: dict[int, Member] = field(default_factory=dict)

    @property
    def full_path(self) -> str:
        """The path from the top group down."""
        return f"{self.parent.full_path}/{self.path}" if self.parent else self.path


@dataclass(frozen=True, slots=True)
class Protection:
    """A rule for the branches whose name matches `name` (`*` matches anything)."""

    id: int
    name: str
    push: Role
    merge: Role
    allow_force_push: bool = False
    push_users: frozenset[int] = frozenset()
    merge_users: frozenset[int] = frozenset()
    checks: tuple["RequiredCheck", ...] = ()
    strict: bool = False
    """Whether the head must contain the target's newest commit (GitHub)."""
    reviews: int = 0
    """How many approving reviews are required (GitHub)."""


@dataclass(frozen=True, slots=True)
class RequiredCheck:
    """A check that must succeed before a merge; with `app_id` only that App's counts (GitHub)."""

    context: str
    app_id: int | None = None


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A ruleset of GitHub for the branches whose name matches `branch`; all that match count at once."""

    id: int
    branch: str
    checks: tuple[RequiredCheck, ...] = ()
    pull_request: bool = False
    update: bool = False
    """Whether nobody may move the branch but who bypasses the ruleset."""
    no_force: bool = True
    bypass: tuple["Bypass", ...] = ()


@dataclass(frozen=True, slots=True)
class Bypass:
    """Whom a ruleset lets through: `kind` and `mode` as GitHub names them, such as `User` and `always`."""

    kind: str
    number: int | None
    mode: str = "always"


@dataclass(slots=True)
class Settings:
    """A project's switches, named as GitLab names them."""

    merge_method: str = "merge"
    only_allow_merge_if_pipeline_succeeds: bool = False
    allow_merge_on_skipped_pipeline: bool = False
    approvals_before_merge: int = 0
    reset_approvals_on_push: bool = False
    merge_requests_author_approval: bool = True
    remove_source_branch_after_merge: bool = False
    visibility: str = "private"
    allow_merge_commit: bool = True
    allow_squash_merge: bool = True
    allow_rebase_merge: bool = True


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a project."""

    id: int
    name: str
    color: str
    description: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class LabelEvent:
    """Somebody added a label to a merge request or an issue, or removed it (`action`: add, remove)."""

    id: int
    user: User
    label: Label
    action: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Award:
    """An emoji on a merge request, an issue or a note."""

    id: int
    name: str
    user: User
    at: datetime


@dataclass(slots=True)
class Note:
    """A comment; `system` when the forge wrote it by itself."""

    id: int
    body: str
    author: User
    created_at: datetime
    updated_at: datetime
    system: bool = False
    internal: bool = False
    edited: bool = False
    awards: list[Award] = field(default_factory=list)


@dataclass(slots=True)
class Approval:
    """Who approved which head, and when; withdrawn by its user, or `reset` by a push."""

    user: User
    at: datetime
    sha: str
    withdrawn_at: datetime | None = None
    reset: bool = False


@dataclass(slots=True)
class Review:
    """A review as GitHub keeps it; `state` is APPROVED, CHANGES_REQUESTED, COMMENTED or DISMISSED."""

    id: int
    user: User
    state: str
    sha: str
    body: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Version:
    """One head of a merge request: `base` is where it left the target, `start` the target's head then."""

    id: int
    head: str
    base: str
    start: str
    created_at: datetime


@dataclass(slots=True)
class MergeRequest:
    """A merge request within one project."""

    id: int
    iid: int
    author: User
    source_branch: str
    target_branch: str
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    state: RequestState = RequestState.opened
    labels: list[str] = field(default_factory=list)
    squash: bool = False
    remove_source_branch: bool = False
    drafted: bool = False
    versions: list[Version] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    approvals: list[Approval] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)
    reviewers: list[User] = field(default_factory=list)
    review_teams: list["Group"] = field(default_factory=list)
    label_events: list[LabelEvent] = field(default_factory=list)
    checked: Checked = Checked.unchecked
    reads_until_checked: int = 1
    merge_error: str | None = None
    merged_at: datetime | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    squash_commit: str | None = None
    closed_at: datetime | None = None
    closed_by: User | None = None

    @property
    def head(self) -> str:
        """The newest version's commit."""
        return self.versions[-1].head

    @property
    def draft(self) -> bool:
        """Whether it was opened as one, or its title says so."""
        return self.drafted or self.title.lower().startswith(("draft:", "[draft]", "(draft)"))

    def standing_approvals(self) -> list[Approval]:
        """Those not withdrawn."""
        return [approval for approval in self.approvals if approval.withdrawn_at is None]


@dataclass(slots=True)
class Issue:
    """An issue within one project."""

    id: int
    iid: int
    author: User
    title: str
    description: str
    created_at: datetime
    updated_at: datetime
    state: RequestState = RequestState.opened
    labels: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    awards: list[Award] = field(default_factory=list)
    label_events: list[LabelEvent] = field(default_factory=list)
    closed_at: datetime | None = None
    closed_by: User | None = None
    confidential: bool = False
    """GitLab alone: only its author and Reporters can read it."""


Thread = MergeRequest | Issue
"""Where people talk."""


@dataclass(slots=True)
class CommitStatus:
    """A job of a pipeline, or a status that somebody set from outside."""

    id: int
    name: str
    status: str
    sha: str
    ref: str
    author: User
    created_at: datetime
    description: str | None = None
    target_url: str | None = None
    stage: str = "external"
    allow_failure: bool = False
    coverage: float | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    retried: bool = False


@dataclass(slots=True)
class Pipeline:
    """The statuses of one commit on one branch; its own status follows from theirs."""

    id: int
    iid: int
    sha: str
    ref: str
    source: str
    user: User
    created_at: datetime
    updated_at: datetime
    statuses: list[CommitStatus] = field(default_factory=list)


@dataclass(slots=True)
class Environment:
    """A named place that deployments go to."""

    id: int
    name: str
    external_url: str | None
    created_at: datetime


@dataclass(slots=True)
class Deployment:
    """One commit brought, or being brought, to an environment."""

    id: int
    iid: int
    environment: Environment
    sha: str
    ref: str
    status: str
    user: User
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True)
class Hook:
    """A webhook of a project; `events` are the switches such as `push_events` that are on."""

    id: int
    url: str
    events: frozenset[str]
    created_at: datetime
    token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    branch_filter: str = ""
    uuid: str = ""
    failures: int = 0
    disabled_until: datetime | None = None
    dialect: str = "gitlab"
    form: bool = False
    """Whether bodies are sent as a form with the JSON in `payload` (GitHub's default)."""


@dataclass(slots=True)
class Delivery:
    """One webhook to be sent, and what came of it: a status, or 0 where nobody answered."""

    id: int
    hook: Hook
    name: str
    """The event, as the dialect's header names it."""
    action: str | None
    body: bytes
    headers: Mapping[str, str]
    queued_at: datetime
    again: bool = False
    status: int | None = None


@dataclass(slots=True)
class Project:
    """A repository and all that is kept about it."""

    id: int
    path: str
    name: str
    group: Group
    creator: User
    created_at: datetime
    git: GitRepository
    default_branch: str = "main"
    settings: Settings = field(default_factory=Settings)
    members: dict[int, Member] = field(default_factory=dict)
    protections: dict[str, Protection] = field(default_factory=dict)
    rulesets: list[Ruleset] = field(default_factory=list)
    tier: str = "free"
    """`premium`: GitLab has approval rules; `none`: GitHub protects no private repository."""
    labels: dict[str, Label] = field(default_factory=dict)
    requests: dict[int, MergeRequest] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    pipelines: list[Pipeline] = field(default_factory=list)
    environments: dict[int, Environment] = field(default_factory=dict)
    deployments: dict[int, Deployment] = field(default_factory=dict)
    hooks: dict[int, Hook] = field(default_factory=dict)

    @property
    def threads(self) -> list[Thread]:
        """The merge requests and the issues."""
        return [*self.requests.values(), *self.issues.values()]

    @property
    def full_path(self) -> str:
        """Groups and project, such as `platform/config`."""
        return f"{self.group.full_path}/{self.path}"


@dataclass(frozen=True, slots=True)
class Pushed:
    """A branch moved; `before` is None when it is new, `after` when it is gone. `quiet`: too many at once for hooks."""

    project: Project
    actor: User
    branch: str
    before: str | None
    after: str | None
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class RequestChanged:
    """A merge request changed; `action` as GitLab's webhooks name it."""

    project: Project
    request: MergeRequest
    actor: User
    action: str
    changes: Mapping[str, tuple[object, object]] = field(default_factory=dict)
    oldrev: str | None = None
    system_action: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """A person's comment was written or edited (`action`: create, update)."""

    project: Project
    thread: Thread
    note: Note
    actor: User
    action: str


@dataclass(frozen=True, slots=True)
class Awarded:
    """An emoji was given or taken back (`action`: award, revoke)."""

    project: Project
    thread: Thread
    note: Note | None
    award: Award
    action: str


@dataclass(frozen=True, slots=True)
class StatusSet:
    """A status was set from outside."""

    project: Project
    status: CommitStatus
    actor: User


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review was submitted or dismissed (`action`)."""

    project: Project
    request: MergeRequest
    review: Review
    actor: User
    action: str


@dataclass(frozen=True, slots=True)
class PipelineMoved:
    """A pipeline's status changed."""

    project: Project
    pipeline: Pipeline


Event = Pushed | RequestChanged | Noted | Awarded | StatusSet | Reviewed | PipelineMoved
