"""Evidence: what the trailers of a merge say of why it was allowed, so that Git alone can tell who approved what."""

from policies.approvals import tallied
from policies.model import Release, ReviewState
from policies.proposal import known
from policies.snapshot import Promotion, Snapshot, StageView
from policies.trailers import Approver, Record
from policies.verdict import Verdict


def of_merge(
    snapshot: Snapshot, view: StageView, current: Promotion, release: Release, gates: tuple[Verdict, ...]
) -> Record:
    """What the merge of a promotion says whose gates have all passed."""
    return Record(
        snapshot.unit,
        view.stage.name,
        release,
        known(snapshot, release),
        current.supersedes,
        requesters=current.requesters,
        approvers=_approvers(snapshot, view, current) if view.stage.approvals is not None else (),
        request=current.request.iid,
        head=current.request.head,
        gates=tuple((gate.gate, gate.outcome.value) for gate in gates),
        validation=current.validation.key if current.validation is not None else "",
    )


def _approvers(snapshot: Snapshot, view: StageView, current: Promotion) -> tuple[Approver, ...]:
    """Each approval that counted, as the forge tells it now: it may forget, Git does not."""
    counting = {user.id for user in tallied(snapshot, view, current).counting}
    return tuple(
        Approver(review.user.id, review.user.username, review.at, review.sha or "")
        for review in snapshot.reviews(current.request)
        if review.user.id in counting and review.state is ReviewState.approved
    )
