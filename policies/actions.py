"""What a plan may ask to be done; each action is idempotent, and `workers.execute` is the only one who does them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.model import CheckState, Release, User
from policies.snapshot import Question
from policies.state import Asked
from policies.verdict import Verdict


@dataclass(frozen=True, slots=True)
class OpenPromotion:
    """Commit the tree on top of the target branch, push it to the branch, open the merge request."""

    stage: str
    release: Release
    attempt: int
    branch: str
    target_branch: str
    base: str
    tree: str
    title: str
    description: str
    message: str
    labels: tuple[str, ...]
    reviewers: tuple[User, ...] = ()
    """Who is asked for an approval."""
    catches_up: bool = False
    """Whether it only brings the same release onto the newest commit."""
    branch_only: bool = False
    """Whether the merge request waits for the end of a hold or freeze: the branch remembers the image until then."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close an open promotion unmerged; the label says why, so that it is not taken for a person's no."""

    iid: int
    label: str
    body: str
    """What its report comment says from then on."""


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge exactly this head; afterwards the tree must be the target branch with only this release spliced in."""

    iid: int
    stage: str
    release: Release
    head: str
    expected: str
    message: str
    base: str = ""
    """The target branch's head as read, on which the tree was proved."""
    signed: bool = False
    """By a commit of Towpath's own on exactly that base, with its signature, instead of the forge's merge."""
    paths: tuple[str, ...] = ()
    """The files of the stage's targets, into which the release is spliced."""


@dataclass(frozen=True, slots=True)
class Report:
    """Post or edit the one report comment of a merge request."""

    iid: int
    body: str


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Set Towpath's commit status on a promotion's head."""

    iid: int
    head: str
    branch: str
    state: CheckState
    description: str
    url: str
    """Where the status leads: the merge request."""


@dataclass(frozen=True, slots=True)
class Settle:
    """Take what was asked for out of the state: it is there, or nobody wants it any more."""

    stage: str
    asked: Asked
    why: str


@dataclass(frozen=True, slots=True)
class Validate:
    """Ask the validators to look at a merge request."""

    iid: int
    key: str
    """Of what they are to look at."""


Action = OpenPromotion | Close | Merge | Report | SetStatus | Settle | Validate


@dataclass(frozen=True, slots=True)
class StagePlan:
    """What becomes of one stage of the unit, and why."""

    stage: str
    verdict: Verdict
    release: Release | None = None
    request: str = ""
    """The web address of the open promotion, where there is one."""
    actions: tuple[Action, ...] = ()
    questions: tuple[Question, ...] = ()
    look_again: timedelta | None = None
    """Soon, because something was unknown (R8)."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, what is missing to decide, and when to look again."""

    stages: tuple[StagePlan, ...]
    wake_at: datetime | None = None

    @property
    def actions(self) -> tuple[Action, ...]:
        """All actions, upstream stages first."""
        return tuple(action for stage in self.stages for action in stage.actions)

    @property
    def questions(self) -> tuple[Question, ...]:
        """What must be read before the plan is whole; while there are any, no action may be taken."""
        return tuple(dict.fromkeys(question for stage in self.stages for question in stage.questions))
