"""What all commands do with the state: who asks is checked, entries say who asked, and nothing is written twice."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from policies import permissions
from policies.commands.arguments import known, own_unit
from policies.commands.model import Comment, Declined, Situation
from policies.config import Policy
from policies.model import MergeRequest, MergeRequestState, Release
from policies.snapshot import StageView
from policies.state import Asked, Person, Pinned, State, quarantined
from policies.wording.quote import code
from policies.wording.steering import quarantine_line, sentence, when


class Said(TypedDict):
    """What every entry of the state says of how it came."""

    by: Person
    at: datetime
    where: str
    note: str
    internal: bool


def note(comment: Comment) -> str:
    """The comment as the state names it."""
    kind = "issue" if comment.thread.issue else "request"
    return f"{kind} {comment.thread.iid} {comment.id}"


def said(situation: Situation) -> Said:
    """Who asks, when and where."""
    comment = situation.comment
    author = Person(id=comment.author.id, name=comment.author.username)
    return Said(by=author, at=comment.at, where=comment.url, note=note(comment), internal=comment.internal)


def allow(situation: Situation, right: str, service: str | None, stage: str | None) -> None:
    """Declined where the commenter lacks a right there; None for a service or stage: everywhere (S6)."""
    why = permissions.refusal(situation.snapshot, situation.comment.author, right, service, stage)
    if why is not None:
        raise Declined(f"{sentence(why)}.")


def was_read(situation: Situation, service: str) -> None:
    """Declined where a command would decide by another unit than its own."""
    if service != situation.snapshot.unit:
        raise Declined(f"What {code(service)} runs was not read; write its name right behind the command.")


def view_of(situation: Situation, service: str, stage: str) -> StageView:
    """The stage as the service has it; Declined where it has no target there."""
    was_read(situation, service)
    found = next((view for view in situation.snapshot.stages if view.stage.name == stage), None)
    if found is None or not found.targets:
        raise Declined(f"{code(service)} has no target in {code(stage)}.")
    return found


def acting(situation: Situation, stage: str) -> None:
    """Declined where policy says that nothing is ever opened in a stage."""
    if mode_of(situation, stage) == "observe":
        raise Declined(f"Policy says `mode: observe` for {code(stage)}: Towpath opens nothing there.")


def mode_of(situation: Situation, stage: str) -> str:
    """What policy has Towpath do in a stage; Declined where policy has no such stage any more."""
    known(situation, stage)
    return situation.snapshot.policy.stage(stage).mode


@dataclass(frozen=True, slots=True)
class Opened:
    """The open promotion on which a comment stands."""

    request: MergeRequest
    stage: str
    unit: str


def opened(situation: Situation) -> Opened:
    """The open promotion of the thread; Declined where it is none."""
    request, stage = situation.request, situation.stage
    if request is None or stage is None:
        raise Declined("This works on a promotion's merge request that Towpath opened, and this thread is none.")
    if request.state is not MergeRequestState.opened:
        raise Declined(f"!{request.iid} is {request.state.value}. To have this release there after all: `/promote`.")
    known(situation, stage)
    return Opened(request, stage, own_unit(situation) or situation.snapshot.unit)


def healthy(state: State, service: str, stage: str, release: Release) -> None:
    """Declined where a release is quarantined in a stage (S19)."""
    one = quarantined(state, service, stage, release)
    if one is not None:
        way_out = code(f"/unquarantine {one.release} reason")
        raise Declined(f"{quarantine_line(one)}. To allow it again: {way_out}.")


def asked(state: State, situation: Situation, entry: Asked) -> State:
    """The state in which a release is asked for, instead of what was asked for there before.

    The same state where this comment asked already, or somebody asked later than it."""
    place = (entry.service, entry.stage)
    there = [one for one in state.asked if (one.service, one.stage) == place]
    if any(one.note == entry.note and one.release == entry.release for one in there):
        return state
    if any(one.at > situation.comment.at for one in there):
        return state
    kept = tuple(one for one in state.asked if one not in there)
    return state.model_copy(update={"asked": (*kept, entry)})


def overtaken(state: State, situation: Situation, service: str, stage: str) -> str:
    """What to say where somebody asked later; empty where nobody did."""
    there = [one for one in state.asked if (one.service, one.stage) == (service, stage)]
    later = [one for one in there if one.at > situation.comment.at]
    if not later:
        return ""
    return f" Somebody asked for another one on {when(later[-1].at)}, later than this comment: that counts."


def pinned(release: Release) -> tuple[Pinned, ...]:
    """The release as the state writes it."""
    return tuple(Pinned(repository=one.repository, digest=one.digest, tag=one.tag) for one in release.images)


def downstream(policy: Policy, stage: str) -> tuple[str, ...]:
    """A stage and all that come after it, directly or not."""
    found = [stage]
    for one in policy.ordered():
        if one.name not in found and not set(one.after).isdisjoint(found):
            found.append(one.name)
    return tuple(found)
