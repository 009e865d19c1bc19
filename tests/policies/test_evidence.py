"""Evidence: what a merge's trailers say of why it was allowed."""

from dataclasses import replace
from datetime import timedelta

from policies import trailers
from policies.actions import Merge
from policies.model import Permission, Review, ReviewState, User
from policies.snapshot import Members, Question, Reviewed, Right
from policies.trailers import Approver, Record
from tests import builders as a

SAM, OWN = User(43, "sam"), User(44, "olga")
EARLIER = a.NOW - timedelta(hours=2)


def merged(*reviews: Review, requesters: tuple[int, ...] = (), asks: bool = True) -> Record:
    """What the merge of one promotion says."""
    stage = a.stage(merge="auto", approvals={"minimum": 1}) if asks else a.stage(merge="auto")
    promotion = replace(a.promotion(iid=7), requesters=requesters)
    answers: dict[Question, object] = {Reviewed(7, a.HEAD): reviews}
    answers |= {Right(review.user): Permission.write for review in reviews}
    asked = replace(a.snapshot(stage, seen=("v1", "v2"), promotions=(promotion,)), answers=answers)
    (found,) = (action for action in a.plan_of(asked).actions if isinstance(action, Merge))
    record = trailers.read(found.message)
    assert record is not None
    return record


def test_each_approval_that_counted_with_its_time_and_head() -> None:
    record = merged(
        Review(a.ALEX, ReviewState.approved, a.HEAD, EARLIER),
        Review(SAM, ReviewState.approved, a.MADE, a.NOW),
        Review(OWN, ReviewState.approved, a.HEAD, a.NOW),
        requesters=(OWN.id,),
    )
    assert record.approvers == (Approver(a.ALEX.id, "alex", EARLIER, a.HEAD),)
    assert record.requesters == (OWN.id,)


def test_S14_who_was_not_asked_is_no_approver() -> None:
    reviews = (Review(SAM, ReviewState.approved, a.HEAD, EARLIER), Review(OWN, ReviewState.approved, a.HEAD, a.NOW))
    stage = a.stage(merge="auto", approvals={"minimum": 1, "from": ["@olga"]})
    promotion = a.promotion(iid=7)
    answers: dict[Question, object] = {Reviewed(7, a.HEAD): reviews, Members("@olga"): (OWN,)}
    answers |= {Right(review.user): Permission.write for review in reviews}
    asked = replace(a.snapshot(stage, seen=("v1", "v2"), promotions=(promotion,)), answers=answers)
    (found,) = (action for action in a.plan_of(asked).actions if isinstance(action, Merge))
    assert [line for line in found.message.splitlines() if line.startswith("Towpath-Approver")] == [
        f"Towpath-Approver: {OWN.id} olga at={a.NOW.isoformat()} head={a.HEAD}"
    ]


def test_the_request_the_head_and_each_gate() -> None:
    record = merged(Review(a.ALEX, ReviewState.approved, a.HEAD, EARLIER))
    assert (record.request, record.head) == (7, a.HEAD)
    assert record.gates == (("integrity", "pass"), ("checks", "pass"), ("approvals", "pass"))
    assert (record.overrides, record.validation) == ((), "")


def test_where_policy_asks_for_no_approval_none_is_claimed() -> None:
    record = merged(Review(a.ALEX, ReviewState.approved, a.HEAD, EARLIER), asks=False)
    assert record.approvers == ()
    assert "approvals" not in dict(record.gates)
