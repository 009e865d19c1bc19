"""Everything that a decision may look at, as values read at one commit of the target branch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, cast

from policies.codeowners import Dialect
from policies.codeowners.model import CodeOwners
from policies.config import Fault, Policy, Stage
from policies.findings import Validation
from policies.model import (
    Check,
    MergeRequest,
    Permission,
    Release,
    Review,
    Sighting,
    SourceCommit,
    Target,
    Trouble,
    User,
)
from policies.state import State, Unknown

Place = tuple[str, str]
"""A path and an image repository: where a target is and what it pins."""


ROLLBACK = "rollback"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Moment:
    """The unit's pins as of one first-parent commit at which some of them changed."""

    commit: str
    pins: Mapping[Place, str]
    """The digest that is pinned, or `tag:` and the bare tag; places that did not exist then are absent."""
    at: datetime = LONG_AGO
    """When the commit says it was made. Anybody can write that, so it may only make Towpath more careful."""


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage as the unit has it: its targets now, and the files of it that cannot be read."""

    stage: Stage
    targets: tuple[Target, ...]
    troubles: tuple[Trouble, ...] = ()

    @property
    def repositories(self) -> tuple[str, ...]:
        """The image repositories that the stage pins, each once, in file order."""
        return tuple(dict.fromkeys(target.pin.repository for target in self.targets))

    @property
    def places(self) -> tuple[Place, ...]:
        """The places of its targets, each once."""
        return tuple(dict.fromkeys((target.path, target.pin.repository) for target in self.targets))


@dataclass(frozen=True, slots=True)
class Splice:
    """What a promotion would make of the target branch: the tree, and the paths that change."""

    tree: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Integrity:
    """How merging the exact head into the target branch as read compares with splicing the release into it (S13)."""

    expected: str | None
    """The tree that merging must give; None where the release cannot be spliced in."""
    merged: str | None
    """The tree that merging gives; None on conflicts."""
    differing: tuple[str, ...]
    """The paths in which the two differ, or that conflict."""
    own: bool
    """Whether the head is nothing but this release spliced into an earlier commit of the target branch."""
    made: str = ""
    """Towpath's own commit on the branch, where one is found."""
    elsewhere: str = ""
    """The branch that the merge request was made to go to instead of the target branch; nothing is proved there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """This very head could not be merged when Towpath last tried, and why, in the words of who refused."""

    text: str
    at: datetime
    by: Literal["forge", "signing"] = "forge"


@dataclass(frozen=True, slots=True)
class Promotion:
    """An open promotion: its merge request and what was read of it."""

    stage: str
    name: str
    """The name of its release, as its branch says it."""
    release: Release | None
    """None where its branch holds no commit of Towpath's for that release any more."""
    attempt: int
    request: MergeRequest
    checks: tuple[Check, ...]
    integrity: Integrity
    supersedes: int | None
    """The merge request that it replaced."""
    reported: str | None
    """The text of its report comment; None where there is none, or where there are two, of which one must go."""
    refused: Refusal | None = None
    up_to_date: bool = True
    """Whether its head contains the target branch's head as read."""
    landed: bool = False
    """Whether its head, with Towpath's own commit, is in the target branch as read: the forge has yet to see so."""
    requesters: tuple[int, ...] = ()
    """Ids of who asked for this very promotion, as its sealed commit says: they never approve it (S15)."""
    cause: str = ""
    """By which command they asked, as its sealed commit says: `promote` or `rollback`; empty where nobody did."""
    validation: Validation | None = None
    """What validators say of merging it as it stands; None where they have not looked at that content yet."""
    unasked: str = ""
    """The key of what validators are to look at, or to look at again, where they have not been asked lately."""
    full: str = ""
    """The web address of all that they said, where Towpath has one."""

    @property
    def is_rollback(self) -> bool:
        """Whether it takes the stage back, and so passes holds and freezes (S19)."""
        return self.cause == ROLLBACK


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a promotion that was found on the forge."""

    number: int
    request: MergeRequest | None
    """None where only its branch stands."""
    own: bool
    """Whether the branch, where only that stands, is Towpath's own first step, which can be gone on with."""
    landed: bool = False
    """Whether its merge is in the target branch as read."""
    requesters: tuple[int, ...] = ()
    """Where only its branch stands: who asked for it, as the sealed commit there says, and by which command."""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Attempts:
    """Question: which attempts were there at this release in this stage, oldest first?"""

    stage: str
    release: str


@dataclass(frozen=True, slots=True)
class Content:
    """Question: what becomes of the target branch when the release is spliced into the stage's targets?"""

    stage: str
    release: Release


@dataclass(frozen=True, slots=True)
class Between:
    """Question: which commits are reachable from `new` and not from `old` in a source repository?"""

    source: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """Question: which merged merge request brought the release into the stage?"""

    stage: str
    release: str


@dataclass(frozen=True, slots=True)
class Reported:
    """Question: what does Towpath's report on this (closed) merge request say?"""

    iid: int


@dataclass(frozen=True, slots=True)
class OwnersFile:
    """Question: what does CODEOWNERS of the target branch as read say, by which forge's rules? (S12)"""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """Question: who approves this merge request, and who asks for changes, at which head?"""

    iid: int
    head: str


@dataclass(frozen=True, slots=True)
class Members:
    """Question: whom does a name of CODEOWNERS or policy, such as `@group/sub`, stand for?"""

    name: str


@dataclass(frozen=True, slots=True)
class Right:
    """Question: what may this user do in the repository?"""

    user: User


@dataclass(frozen=True, slots=True)
class Exists:
    """Question: does the registry still have this image?"""

    repository: str
    digest: str


@dataclass(frozen=True, slots=True)
class Owners:
    """CODEOWNERS as it was found: None where there is no file."""

    dialect: Dialect
    path: str
    rules: CodeOwners | None


Question = Attempts | Content | Between | Arrival | Reported | OwnersFile | Reviewed | Members | Right | Exists


class Unanswered(Exception):
    """A decision needs the answer to a question that the snapshot does not hold yet."""

    def __init__(self, *questions: Question) -> None:
        super().__init__(repr(questions))
        self.questions = questions


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One unit of one repository at one commit of its target branch."""

    forge: str
    repository: str
    branch: str
    head: str
    unit: str
    bot_id: int
    policy: Policy
    stages: tuple[StageView, ...]
    """In the order of the pipeline: each after all that it comes after."""
    moments: tuple[Moment, ...]
    """First-parent history, newest first; the first is now."""
    sightings: Mapping[tuple[str, str], Sighting]
    """(repository, digest) to what is known of it, from Redis and from the trailers in Git."""
    promotions: tuple[Promotion, ...] = ()
    policy_faults: tuple[Fault, ...] = ()
    """Why the newest `towpath.yaml` is not the one in use; empty where it is."""
    answers: Mapping[Question, object] = field(default_factory=dict)
    catching_up: str = ""
    """The unit whose promotion is being made anew on the newest commit, because the forge asks for that."""
    can_sign: bool = False
    """Whether Towpath has a key to sign merges with."""
    state: State | Unknown = field(default_factory=State)
    """What commands decided (S21)."""
    state_head: str = ""
    """The commit on the branch of the state that says so; empty where there is no such branch yet."""
    kind: Dialect = "gitlab"
    """Which forge it is; `forge` is its name in the settings."""

    def view(self, name: str) -> StageView:
        """The stage of that name; KeyError where there is none."""
        return {view.stage.name: view for view in self.stages}[name]

    def attempts(self, stage: str, release: str) -> tuple[Attempt, ...]:
        """The attempts so far, oldest first."""
        return cast(tuple[Attempt, ...], self._answer(Attempts(stage, release)))

    def content(self, stage: str, release: Release) -> Splice | tuple[Trouble, ...]:
        """What splicing gives, or why it is refused."""
        return cast(Splice | tuple[Trouble, ...], self._answer(Content(stage, release)))

    def between(self, source: str, old: str, new: str) -> tuple[SourceCommit, ...]:
        """The source commits that `new` has and `old` has not, newest first."""
        return cast(tuple[SourceCommit, ...], self._answer(Between(source, old, new)))

    def arrival(self, stage: str, release: str) -> MergeRequest | None:
        """The merge request that brought the release in; None for a direct push."""
        return cast(MergeRequest | None, self._answer(Arrival(stage, release)))

    def report_on(self, iid: int) -> str | None:
        """The report's text on another merge request of the unit."""
        return cast(str | None, self._answer(Reported(iid)))

    def owners(self) -> Owners:
        """CODEOWNERS of the target branch."""
        return cast(Owners, self._answer(OwnersFile()))

    def reviews(self, request: MergeRequest) -> tuple[Review, ...]:
        """Who approves it, and who asks for changes."""
        return cast(tuple[Review, ...], self._answer(Reviewed(request.iid, request.head)))

    def members(self, name: str) -> tuple[User, ...] | None:
        """Whom a name stands for; None where nobody could tell."""
        return cast(tuple[User, ...] | None, self._answer(Members(name)))

    def right(self, user: User) -> Permission:
        """What a user may do."""
        return cast(Permission, self._answer(Right(user)))

    def exists(self, repository: str, digest: str) -> bool | None:
        """Whether the registry still has the image; None where no registry can tell."""
        return cast(bool | None, self._answer(Exists(repository, digest)))

    def _answer(self, question: Question) -> object:
        if question not in self.answers:
            raise Unanswered(question)
        return self.answers[question]
