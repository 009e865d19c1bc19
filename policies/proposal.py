"""A promotion about to be opened: its branch, texts and trailers, all from the snapshot."""

from datetime import datetime

from policies import naming, trailers
from policies.actions import OpenPromotion
from policies.approvals import NOBODY, asked
from policies.model import Release, Sighting
from policies.snapshot import ROLLBACK, Promotion, Snapshot, Splice, StageView
from policies.state import State, holds_on
from policies.wanted import Wanted
from policies.wording.promotion import asked_for, description, headline, message


def propose(  # noqa: PLR0913 # all that a proposal is made of
    snapshot: Snapshot, view: StageView, found: Wanted, content: Splice, standing: tuple[Promotion, ...], now: datetime
) -> OpenPromotion:
    """The opening of the next attempt at this release, on top of the target branch as read, in place of what stands."""
    stage, release = view.stage.name, found.release
    record = _record(snapshot, stage, found, standing)
    attempt = _next_attempt(snapshot, record)
    subject = headline(snapshot.unit, stage, release, record.cause)
    rule = (view.stage.in_rollback if record.cause == ROLLBACK else view.stage).approvals
    reviewers = asked(snapshot, rule, content.paths) if rule is not None else NOBODY
    return OpenPromotion(
        stage,
        release,
        attempt,
        naming.branch(naming.BranchName(stage, snapshot.unit, release.name, attempt)),
        snapshot.branch,
        snapshot.head,
        content.tree,
        subject,
        asked_for(found.asked) + description(snapshot, view, release, found.upstream, reviewers),
        message(subject, record),
        (naming.LABEL, naming.label(snapshot.unit), *_held(snapshot, stage, release, now)),
        reviewers.people,
    )


def _held(snapshot: Snapshot, stage: str, release: Release, now: datetime) -> tuple[str, ...]:
    """The label of a hold, where a merge request with this release was held there by itself (S20)."""
    if not isinstance(snapshot.state, State):
        return ()
    found = holds_on(snapshot.state, snapshot.unit, stage, now, release=release.name)
    return (naming.HOLD,) if any(one.request is not None for one in found) else ()


def _record(snapshot: Snapshot, stage: str, found: Wanted, standing: tuple[Promotion, ...]) -> trailers.Record:
    """What its commit says: a new attempt has all that asked for those before it (S15)."""
    people = {person for one in standing if one.name == found.release.name for person in one.requesters}
    if found.asked is not None and found.asked.cause != "refresh":
        people.add(found.asked.by.id)
    return trailers.Record(
        snapshot.unit,
        stage,
        found.release,
        known(snapshot, found.release),
        max((one.request.iid for one in standing), default=None),
        cause_of(found, standing),
        tuple(sorted(people)),
    )


def cause_of(found: Wanted, standing: tuple[Promotion, ...]) -> str:
    """By which command it is asked for; a refresh, or a new attempt, is for what the one before it was."""
    if found.asked is not None and found.asked.cause != "refresh":
        return found.asked.cause
    same = [one for one in standing if one.name == found.release.name]
    return max(same, key=lambda one: one.attempt).cause if same else ""


def _next_attempt(snapshot: Snapshot, record: trailers.Record) -> int:
    earlier = snapshot.attempts(record.stage, record.release.name)
    if not earlier:
        return 1
    last = earlier[-1]
    # A branch of Towpath's own without a merge request is a first step that was cut short: go on with it where it says
    # of who asked for it what this one would.
    same = (last.cause, last.requesters) == (record.cause, record.requesters)
    return last.number if last.request is None and last.own and same else last.number + 1


def known(snapshot: Snapshot, release: Release) -> tuple[Sighting, ...]:
    """What is known of a release's images, for the trailers."""
    keys = ((image.repository, image.digest) for image in release.images)
    return tuple(snapshot.sightings[key] for key in keys if key in snapshot.sightings)
