"""What Git and the forge say of a change of a target: how it came, who approved it, and whether the two agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import accumulate

from policies.config import Stage
from policies.model import MergeRequest, MergeRequestState, Pin, Review, ReviewState
from policies.trailers import Approver, Record

SIGNING = ("signing", "pass")
"""The gate that only a stage with `merge: signed` has."""
GONE = "no longer known to the forge"
NOTHING = "no merge request"
DISAGREES = "DISAGREES: "


class How(StrEnum):
    """How a change came into the target branch."""

    towpath = "towpath"
    signed = "towpath (signed)"
    merged_by_hand = "towpath, merged by hand"
    by_hand = "by hand"
    around = "by hand, around Towpath"


@dataclass(frozen=True, slots=True)
class Pinned:
    """What one file pins of one image; a file that pins it differently in several places has each in its place."""

    digest: str = ""
    tag: str = ""
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """One target that one commit changed; None: it pinned nothing there."""

    service: str
    stages: tuple[Stage, ...]
    """Those of today's policy that select it."""
    path: str
    image: str
    old: Pinned | None
    new: Pinned | None


@dataclass(frozen=True, slots=True)
class Step:
    """One first-parent commit of the target branch, and what Towpath's sealed words in it are."""

    commit: str
    parents: tuple[str, ...]
    at: datetime
    """When the commit says that it was made; anybody can write that."""
    merge: Record | None = None
    """Of a merge by Towpath: its evidence."""
    proposal: Record | None = None
    """Towpath's own commit that came in by this one."""
    copied_from: str = ""
    """The older commit whose seal this one repeats: then neither record is believed."""
    hints: tuple[int, ...] = ()
    """Merge requests that the message speaks of."""


@dataclass(frozen=True, slots=True)
class Known:
    """What the forge knows of the merge request of a step."""

    request: MergeRequest | None = None
    reviews: tuple[Review, ...] = ()
    by_towpath: bool = False
    """Whether the forge says that Towpath itself merged it."""
    gone: bool = False
    """Whether there was one that the forge does not know, or not show, any more."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A change with its story."""

    step: Step
    change: Change
    stage: str
    at: datetime
    at_by_forge: bool
    how: How
    verified: str
    number: int | None = None
    url: str = ""
    requesters: tuple[str, ...] = ()
    """Ids of who asked for it by a command; of a change by hand, who opened the merge request."""
    approvers: tuple[Approver, ...] = ()
    gates: tuple[tuple[str, str], ...] = ()
    overrides: tuple[str, ...] = ()
    validation: str = ""

    @property
    def is_odd(self) -> bool:
        """Whether a person should look at it."""
        return self.how is How.around or self.verified.startswith(DISAGREES)


def pinned(pins: Sequence[Pin]) -> Pinned | None:
    """What these pins of one image say together."""
    return Pinned(_in_order([pin.digest for pin in pins]), _in_order([pin.tag for pin in pins])) if pins else None


def _in_order(words: Sequence[str | None]) -> str:
    """One word where all agree, else each in its place: two that change places are a change."""
    return (words[0] or "") if len(set(words)) == 1 else " ".join(word or "-" for word in words)


def reckoned(steps: Sequence[Step], now: datetime) -> tuple[datetime, ...]:
    """When each step happened, oldest first, as far as it can be told without the forge: never before an older one.

    A commit's date is its maker's word. That of Towpath's own merges is believed, and bounds what came before it."""
    bounds = list(accumulate((step.at if step.merge else now for step in reversed(steps)), min))[::-1]
    words = accumulate((min(step.at, bound) for step, bound in zip(steps, bounds, strict=True)), max)
    return tuple(min(at, bound) for at, bound in zip(words, bounds, strict=True))


def told(step: Step, change: Change, known: Known) -> Entry:
    """The whole story of a change."""
    record, request, believed = step.merge, known.request, _speaks_of(step.merge, change)
    evidence = record if believed else None
    how, proposal = _how(step, change, known), step.proposal or step.merge
    stage = proposal.stage if proposal and _speaks_of(proposal, change) else change.stages[0].name
    merged_at = request.merged_at if request is not None else None
    number = request.iid if request is not None else record.request if record is not None else None
    return Entry(
        step,
        change,
        stage,
        merged_at or step.at,
        merged_at is not None,
        how,
        _verified(step, change, known),
        number,
        request.url if request is not None else "",
        _requesters(how, evidence, known),
        _approvers(evidence, known.reviews) if believed or record is None else (),
        evidence.gates if evidence else (),
        evidence.overrides if evidence else (),
        evidence.validation if evidence else "",
    )


def _speaks_of(record: Record | None, change: Change) -> bool:
    """Whether Towpath's words are of this very change."""
    return (
        record is not None
        and change.new is not None
        and record.unit == change.service
        and any(stage.name == record.stage for stage in change.stages)
        and record.release.digests.get(change.image) == change.new.digest
    )


def _how(step: Step, change: Change, known: Known) -> How:
    if _speaks_of(step.merge, change):
        return How.signed if step.merge is not None and SIGNING in step.merge.gates else How.towpath
    if step.merge is not None or step.copied_from:
        return How.around
    if step.proposal is None:
        return How.by_hand
    if not _speaks_of(step.proposal, change):
        return How.around
    if known.by_towpath:
        return How.towpath
    manual = any(stage.name == step.proposal.stage and not stage.merges_itself for stage in change.stages)
    return How.merged_by_hand if manual else How.around


def _verified(step: Step, change: Change, known: Known) -> str:
    differences = [*_in_git(step, change), *_with_forge(step, known)]
    if differences:
        return DISAGREES + "; ".join(differences)
    if known.request is not None:
        return "yes"
    return GONE if known.gone else NOTHING


def _in_git(step: Step, change: Change) -> list[str]:
    """Where the commit contradicts its own evidence."""
    record, found = step.merge, []
    if step.copied_from:
        found.append(f"its seal is that of {step.copied_from[:12]}")
    if record is not None and not _speaks_of(record, change):
        digests = ", ".join(f"{image.repository}@{image.digest}" for image in record.release.images)
        found.append(f"the sealed evidence is of {record.unit} in {record.stage}, {digests}")
    return found


def _with_forge(step: Step, known: Known) -> list[str]:
    """Where the forge says another thing than the evidence in Git."""
    request, record = known.request, step.merge
    if request is None:
        return []
    name = f"!{request.iid}"
    if request.state is not MergeRequestState.merged:
        return [f"the forge has {name} as {request.state.value}"]
    found = []
    # GitLab names the head where a push brought the merge in.
    if request.merge_commit not in (None, step.commit, *step.parents[1:]):
        found.append(f"the forge has {name} merged as {str(request.merge_commit)[:12]}")
    if record is None:
        return found
    if record.head and request.head != record.head:
        found.append(f"the forge has the head {request.head[:12]}, the evidence {record.head[:12]}")
    return found + _approved_otherwise(record, known.reviews)


def _approved_otherwise(record: Record, reviews: Sequence[Review]) -> list[str]:
    """An approval that is gone is recorded here; one of another head is a contradiction."""
    heads = {one.user.id: one.sha for one in reviews if one.state is ReviewState.approved}
    wrong = ((one, heads.get(one.id)) for one in record.approvers if one.head)
    return [
        f"the forge has the approval of user {one.id} at {head[:12]}, the evidence at {one.head[:12]}"
        for one, head in wrong
        if head is not None and head != one.head
    ]


def _requesters(how: How, evidence: Record | None, known: Known) -> tuple[str, ...]:
    if evidence is not None:
        return tuple(str(one) for one in evidence.requesters)
    opened = known.request.author.username if known.request is not None and how is How.by_hand else ""
    return (opened,) if opened else ()


def _approvers(evidence: Record | None, reviews: Sequence[Review]) -> tuple[Approver, ...]:
    """As recorded, with what an older version did not record from the forge; without evidence, as the forge has it."""
    given = {
        one.user.id: Approver(one.user.id, one.user.username, one.at, one.sha or "")
        for one in reviews
        if one.state is ReviewState.approved
    }
    if evidence is None:
        return tuple(given.values())
    return tuple(one if one.at is not None else given.get(one.id, one) for one in evidence.approvers)
