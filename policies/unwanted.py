"""Rules 2 and 4: what a stage does not want, because it is older, was undone, or was declined."""

from policies import naming, order
from policies.model import MergeRequest, MergeRequestState, Release
from policies.order import Order, compare, left_behind, went_back
from policies.snapshot import Snapshot, StageView
from policies.verdict import Verdict, block, wait
from policies.wanted import Wanted, places_of, source_rule
from policies.wording.promotion import release_name
from policies.wording.quote import code


def backwards(snapshot: Snapshot, view: StageView, release: Release) -> Verdict | None:
    """Rule 2: the release is older than what is pinned, or nobody can tell."""
    rule, name = source_rule(snapshot, view.stage), code(release_name(release))
    for place, digest in places_of(view, release):
        pinned = snapshot.moments[0].pins.get(place)
        if pinned is None or left_behind(snapshot, place, digest):
            continue
        match compare(snapshot, place[1], digest, pinned, rule):
            case Order.older:
                reason = f"{view.stage.name} is ahead: {code(place[0])} pins an image newer than {name}"
                return block(order.GATE, reason, "nothing: a still newer release opens by itself")
            case Order.unknown:
                reason = f"whether {name} is newer than what {code(place[0])} pins cannot be told"
                return block(order.GATE, reason, f"write the digest into {code(place[0])} by hand if you want it there")
            case Order.newer | Order.same:
                continue
    return None


def reverted(snapshot: Snapshot, view: StageView, release: Release) -> Verdict | None:
    """Rule 4: the stage had the release, and a person took it out."""
    left = [(place, digest) for place, digest in places_of(view, release) if left_behind(snapshot, place, digest)]
    if not left:
        return None
    how = "was reverted" if any(went_back(snapshot, place, digest) for place, digest in left) else "was replaced"
    reason = f"{code(release_name(release))} {how} in {view.stage.name}"
    return block("wanted", reason, "publish a newer image, or pin it by hand")


def refused_before(snapshot: Snapshot, view: StageView, found: Wanted) -> Verdict | None:
    """Rule 4: its merge request was closed by a person, or made way for a newer one."""
    earlier = snapshot.attempts(view.stage.name, found.release.name)
    # What a merge brought is in the target branch as read, or it came since; a place that lacks it was added later.
    requests = [one.request for one in reversed(earlier) if one.request is not None and not one.landed]
    verdicts = (_refused(snapshot, one, found) for one in requests)
    return next((verdict for verdict in verdicts if verdict is not None), None)


def _refused(snapshot: Snapshot, request: MergeRequest, found: Wanted) -> Verdict | None:
    name = code(release_name(found.release))
    if request.state is MergeRequestState.merged:
        # The branch as read has it in no history: merged a moment ago, or undone out of sight. Never opened again.
        reason = f"{name} was merged as !{request.iid}, which the target branch as read does not show"
        return wait("wanted", reason, "publish a newer image")
    if request.state is MergeRequestState.opened:
        return None
    if request.closed_by is None or request.closed_by.id != snapshot.bot_id:
        reason = f"{name} was declined: merge request !{request.iid} was closed by a person"
        return block("wanted", reason, f"reopen !{request.iid}, or publish a newer image")
    if found.upstream is None and naming.SUPERSEDED in request.labels:
        return block("wanted", f"{name} was superseded before (!{request.iid})", "publish a newer image")
    return None
