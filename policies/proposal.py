"""A promotion about to be opened: its branch, texts and trailers, all from the snapshot."""

from policies import naming, trailers
from policies.actions import OpenPromotion
from policies.approvals import asked
from policies.model import Release, Sighting
from policies.snapshot import Snapshot, Splice, StageView
from policies.wanted import Wanted
from policies.wording.promotion import description, headline, message


def propose(
    snapshot: Snapshot, view: StageView, found: Wanted, content: Splice, supersedes: int | None
) -> OpenPromotion:
    """The opening of the next attempt at this release in this stage, on top of the target branch as read."""
    stage, release = view.stage.name, found.release
    attempt = _next_attempt(snapshot, stage, release.name)
    subject = headline(snapshot.unit, stage, release)
    record = trailers.Record(snapshot.unit, stage, release, known(snapshot, release), supersedes)
    rule = view.stage.approvals
    reviewers = asked(snapshot, rule, content.paths) if rule is not None else ()
    return OpenPromotion(
        stage,
        release,
        attempt,
        naming.branch(naming.BranchName(stage, snapshot.unit, release.name, attempt)),
        snapshot.branch,
        snapshot.head,
        content.tree,
        subject,
        description(snapshot, view, release, found.upstream, reviewers),
        message(subject, record),
        (naming.LABEL, naming.label(snapshot.unit)),
        reviewers,
    )


def _next_attempt(snapshot: Snapshot, stage: str, release: str) -> int:
    earlier = snapshot.attempts(stage, release)
    if not earlier:
        return 1
    last = earlier[-1]
    # A branch of Towpath's own without a merge request is a first step that was cut short: go on with it.
    return last.number if last.request is None and last.own else last.number + 1


def known(snapshot: Snapshot, release: Release) -> tuple[Sighting, ...]:
    """What is known of a release's images, for the trailers."""
    keys = ((image.repository, image.digest) for image in release.images)
    return tuple(snapshot.sightings[key] for key in keys if key in snapshot.sightings)
