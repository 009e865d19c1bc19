"""What commands decided, as Git remembers it on the branch `towpath/state` (S21): one value, and who is held by it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from policies.model import Image, Release

BRANCH = "towpath/state"
INTERNAL = "a reason given in an internal note"
FILE = "state.yaml"

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
Reason = Annotated[str, StringConstraints(max_length=1000)]

Standing = Collection[tuple[str, str, str]]
"""Service, stage and release (its 12 hex digits) of promotions."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Part):
    """A user of the forge: the id identifies, the name is what it was then."""

    id: int
    name: str


class _Entry(_Part):
    """What every entry says: who, when, and in which comment."""

    by: Person
    at: AwareDatetime
    where: str = Field(description="The web address of the comment; empty where no comment asked for it.")
    note: str = Field(default="", description="The comment, as `request 12 345` or `issue 3 345`: never done twice.")
    internal: bool = Field(default=False, description="Said in an internal note: the reason is shown nowhere else.")


class Hold(_Entry):
    """Nothing merges, and nothing new opens, where it reaches; what it leaves out it does not limit."""

    service: str | None = None
    stage: str | None = None
    request: int | None = Field(default=None, description="This merge request, and what takes its place.")
    release: Name | None = Field(default=None, description="What it carries: held in that stage, whatever carries it.")
    reason: Reason = ""
    until: AwareDatetime | None = None

    @property
    def carries(self) -> tuple[str, str, str] | None:
        """What a held merge request brings where; None of wide holds, and of an older version's."""
        if self.service is None or self.stage is None or self.release is None:
            return None
        return self.service, self.stage, self.release


class Freeze(_Entry):
    """A stage is closed to everything but rollbacks until a moment."""

    stage: str
    until: AwareDatetime
    reason: Reason = ""


class Quarantine(_Entry):
    """Images that must not run any more: see `quarantined` for the releases that are not promoted (S19)."""

    service: str
    release: str = Field(description="The 12 hex digits of the release that was found bad.")
    tag: str = Field(default="", description="How people call it.")
    images: dict[str, Digest] = Field(min_length=1, description="Repository to digest.")
    stages: tuple[str, ...] = Field(default=(), description="Where; none: everywhere.")
    reason: Reason = ""


class Pinned(_Part):
    """One image of a release that was asked for."""

    repository: str
    digest: Digest
    tag: str | None = None


class Asked(_Entry):
    """A release that a person wants in a stage, whatever the pipeline would choose, until it is there or declined."""

    service: str
    stage: str
    cause: Literal["promote", "rollback", "refresh"]
    images: tuple[Pinned, ...] = Field(min_length=1)
    replaces: int | None = Field(default=None, description="The open merge request that is made anew.")
    reason: Reason = ""

    @property
    def release(self) -> Release:
        """The release."""
        images = (Image(one.repository, one.digest, one.tag) for one in self.images)
        return Release(tuple(sorted(images, key=lambda image: image.repository)))


class Override(_Entry):
    """A gate that may be passed over for one head of one merge request once a second person has confirmed it."""

    request: int
    head: str
    gate: str
    reason: Reason
    until: AwareDatetime
    confirmed: Person | None = None

    @property
    def people(self) -> frozenset[int]:
        """The ids of those who spoke for it."""
        return frozenset((self.by.id, *([self.confirmed.id] if self.confirmed is not None else [])))


class Order(_Entry):
    """Merge this head of this merge request when its gates pass, though policy leaves merging to people."""

    request: int
    head: str


class State(_Part):
    """The whole of `state.yaml`."""

    version: Literal[1] = 1
    holds: tuple[Hold, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    quarantine: tuple[Quarantine, ...] = ()
    asked: tuple[Asked, ...] = ()
    overrides: tuple[Override, ...] = ()
    merges: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """The state cannot be told: nothing merges and nothing opens until it can (S21)."""

    reason: str
    change: str


def holds_on(  # noqa: PLR0913 # where, when, and what is carried there
    state: State, service: str, stage: str, now: datetime, request: int | None = None, release: str | None = None
) -> tuple[Hold, ...]:
    """The holds that reach a service in a stage, and of single merge requests those on this one or of its release."""
    carried = (service, stage, release or "")
    return tuple(
        hold
        for hold in state.holds
        if hold.service in (None, service)
        and hold.stage in (None, stage)
        and (hold.request is None or holds_request(hold, request, carried))
        and (hold.until is None or hold.until > now)
    )


def holds_request(hold: Hold, request: int | None, carried: tuple[str, str, str]) -> bool:
    """Whether a hold is of this merge request by itself, or of another one with the same release for the stage."""
    return hold.request is not None and (hold.request == request or hold.carries == carried)


def bound(hold: Hold, service: str, stage: str, release: str) -> Hold:
    """The hold of a merge request as one of what it carries, so that no new attempt at that gets away from it (S20)."""
    return hold.model_copy(update={"service": service, "stage": stage, "release": release})


def without_stale(state: State, carried: tuple[str, str, str], standing: Standing) -> State:
    """The state without holds of merge requests with this release, where none stands open any more."""
    if carried in standing:
        return state
    return state.model_copy(update={"holds": tuple(one for one in state.holds if one.carries != carried)})


def public_reason(entry: Hold | Freeze | Quarantine | Asked | Override) -> str:
    """The reason as everybody may read it."""
    return INTERNAL if entry.internal and entry.reason else entry.reason


def freezes_on(state: State, stage: str, now: datetime) -> tuple[Freeze, ...]:
    """The freezes of a stage that have not ended."""
    return tuple(one for one in state.freezes if one.stage == stage and one.until > now)


def quarantined(state: State, service: str, stage: str, release: Release) -> Quarantine | None:
    """Why a release must not come into a stage: it is the bad one, as far as it has images of the same repositories.

    A stage that pins only some of them gets a part of the bad release, which is no better; but one image that is
    another may be what mends it."""
    digests = release.digests
    for one in state.quarantine:
        reaches = one.service == service and (not one.stages or stage in one.stages)
        shared = one.images.keys() & digests.keys()
        if reaches and shared and all(digests[repository] == one.images[repository] for repository in shared):
            return one
    return None


def asked_in(state: State, service: str, stage: str) -> Asked | None:
    """What was asked for last in a stage."""
    found = [one for one in state.asked if (one.service, one.stage) == (service, stage)]
    return max(found, key=lambda one: one.at, default=None)


def overridden(state: State, request: int, head: str, now: datetime) -> tuple[Override, ...]:
    """The confirmed overrides for exactly this head."""
    return tuple(
        one
        for one in state.overrides
        if (one.request, one.head) == (request, head)
        and one.until > now
        and one.confirmed is not None
        and one.confirmed.id != one.by.id
    )


def ordered(state: State, request: int, head: str) -> Order | None:
    """Who asked to merge exactly this head."""
    return next((one for one in state.merges if (one.request, one.head) == (request, head)), None)


def pruned(state: State, now: datetime) -> State:
    """The state without what has ended by itself; the branch's history keeps it."""
    return state.model_copy(
        update={
            "holds": tuple(one for one in state.holds if one.until is None or one.until > now),
            "freezes": tuple(one for one in state.freezes if one.until > now),
            "overrides": tuple(one for one in state.overrides if one.until > now),
        }
    )


def settled(state: State, asked: Asked) -> State:
    """The state without what was asked for and is there, or is no longer wanted."""
    return state.model_copy(update={"asked": tuple(one for one in state.asked if one != asked)})


def requests_in(state: State) -> frozenset[int]:
    """The merge requests of which the state says something."""
    held = (hold.request for hold in state.holds if hold.request is not None)
    return frozenset((*held, *(one.request for one in state.overrides), *(one.request for one in state.merges)))


def tidied(state: State, open_iids: Collection[int], standing: Standing = (), declined: Collection[int] = ()) -> State:
    """The state without what it says of merge requests that are no longer open.

    The hold of one stays while another open promotion (`standing`) carries its release there, and where a person closed
    it (`declined`): whoever may reopen it need not have the right to lift the hold (S20)."""
    held = {*open_iids, *declined}
    return state.model_copy(
        update={
            "holds": tuple(
                one for one in state.holds if one.request is None or one.request in held or one.carries in standing
            ),
            "overrides": tuple(one for one in state.overrides if one.request in open_iids),
            "merges": tuple(one for one in state.merges if one.request in open_iids),
        }
    )
