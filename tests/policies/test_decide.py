"""The eight rules of `decide`, one after the other; what they are made of is tested beside them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies import naming, trailers
from policies.actions import Action, Close, Merge, OpenPromotion, Report, SetStatus
from policies.config import Stage
from policies.decide import LONGEST, PATIENCE, SHORTEST, SOON, UNDECIDED, decide
from policies.model import (
    Check,
    CheckState,
    Mergeable,
    MergeRequestState,
    Permission,
    Review,
    ReviewState,
    Trouble,
)
from policies.snapshot import Attempts, Between, Content, Integrity, Question, Reported, Reviewed, Right
from policies.verdict import Outcome
from policies.wanted import release_of
from policies.wording import report as words
from tests import builders as a

NONPROD = a.stage()
AUTO = a.stage(merge="auto")
PROD = a.stage("prod", after="nonprod")
V2 = a.release("v2")
V3 = a.release("v3")
BROKEN = {"nonprod": (Trouble("environments/nonprod/us/payments/values.yaml", 3, "it is no YAML"),)}


def only(actions: tuple[Action, ...], kind: type[Action]) -> list[Action]:
    """The actions of one kind."""
    return [action for action in actions if isinstance(action, kind)]


def opened(actions: tuple[Action, ...]) -> OpenPromotion:
    """The one opening among the actions."""
    (found,) = (action for action in actions if isinstance(action, OpenPromotion))
    return found


# 1. Wanted.


def test_rule_1_a_first_stage_wants_the_newest_published_image() -> None:
    found = opened(a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2", "v3"))).actions)
    assert (found.stage, found.release, found.attempt) == ("nonprod", V3, 1)
    assert found.branch == f"towpath/p/nonprod/payments/{V3.name}-1"
    assert (found.target_branch, found.base) == ("main", "ba5e" * 10)
    assert found.labels == ("towpath", "towpath:payments")


def test_rule_1_a_later_stage_wants_what_its_upstream_stage_runs() -> None:
    pins = [{"nonprod": "v2", "prod": "v1"}, {"nonprod": "v1", "prod": "v1"}]
    found = opened(a.plan_of(a.snapshot(NONPROD, PROD, pins=pins, seen=("v1", "v2", "v3"))).actions[1:])
    assert (found.stage, found.release) == ("prod", V2)


def test_rule_1_a_stage_without_a_wanted_release_keeps_its_open_promotion_and_says_why_it_waits() -> None:
    asked = a.snapshot(NONPROD, promotions=(a.promotion(),))
    found = a.stage_of(asked)
    assert found.verdict.reason == "no admissible image has been published"
    assert found.request.endswith("/merge_requests/1")
    assert only(found.actions, Merge) == []
    assert [type(action) for action in found.actions] == [SetStatus, Report]


# 2. Never backwards.


def test_rule_2_an_older_release_never_replaces_a_newer_one() -> None:
    pins = [{"nonprod": "v2", "prod": "v3"}, {"nonprod": "v1", "prod": "v1"}]
    found = a.stage_of(a.snapshot(NONPROD, PROD, pins=pins, seen=("v1", "v2", "v3")), "prod")
    assert found.verdict.outcome is Outcome.block
    path = "environments/prod/eu/payments/values.yaml"
    assert found.verdict.reason == f"prod is ahead: `{path}` pins an image newer than `v2`"
    assert found.actions == ()


def test_rule_2_what_cannot_be_told_is_asked_and_never_opened() -> None:
    diverged = [a.built("v1", 0, "r1"), a.built("v2", 1, "r2")]
    between = {Between(a.SOURCE, "r1", "r2"): a.commits(1, 2), Between(a.SOURCE, "r2", "r1"): a.commits(0, 1)}
    pins = [{"nonprod": "v2", "prod": "v1"}]
    found = a.stage_of(a.snapshot(NONPROD, PROD, pins=pins, seen=diverged, answers=between), "prod")
    assert found.verdict.outcome is Outcome.block
    assert found.verdict.reason.startswith("whether `v2` is newer than what `environments/prod/")
    assert found.actions == ()


# 3. Done.


def test_rule_3_a_stage_that_runs_the_wanted_release_is_done_and_closes_what_is_open() -> None:
    asked = a.snapshot(NONPROD, pins=[{"nonprod": "v2"}], seen=("v1", "v2"), promotions=(a.promotion(iid=7),))
    found = a.stage_of(asked)
    assert found.verdict.outcome is Outcome.passed
    assert found.verdict.reason == "nonprod runs v2"
    assert found.actions == (Close(7, naming.DONE, words.finished("nonprod", V2)),)


def test_rule_3_one_target_of_two_is_not_done() -> None:
    pins = [{"nonprod/eu": "v2", "nonprod/us": "v1"}, {"nonprod": "v1"}]
    asked = a.snapshot(NONPROD, pins=pins, seen=("v1", "v2"), clusters={"nonprod": ("eu", "us")})
    assert opened(a.plan_of(asked).actions).release == V2


def test_rule_3_upstream_reverted_closes_the_promotion_where_the_stage_runs_the_older_one() -> None:
    pins = [{"nonprod": "v1", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}, {"nonprod": "v1", "prod": "v1"}]
    asked = a.snapshot(NONPROD, PROD, pins=pins, seen=("v1", "v2"), promotions=(a.promotion("prod", iid=7),))
    found = a.stage_of(asked, "prod")
    assert found.release == a.release("v1")
    assert [(action.iid, action.label) for action in found.actions if isinstance(action, Close)] == [(7, naming.DONE)]
    assert a.stage_of(asked).verdict.reason == "`v2` was reverted in nonprod"


# 4. Not wanted.


def test_rule_4_a_reverted_release_is_not_opened_again() -> None:
    pins = [{"nonprod": "v1"}, {"nonprod": "v2"}, {"nonprod": "v1"}]
    found = a.stage_of(a.snapshot(NONPROD, pins=pins, seen=("v1", "v2")))
    assert found.verdict.outcome is Outcome.block
    assert (found.verdict.reason, found.actions) == ("`v2` was reverted in nonprod", ())


def test_rule_4_a_release_reverted_in_one_target_of_two_is_not_opened_again() -> None:
    pins = [{"nonprod/eu": "v2", "nonprod/us": "v1"}, {"nonprod": "v2"}, {"nonprod": "v1"}]
    found = a.stage_of(a.snapshot(NONPROD, pins=pins, seen=("v1", "v2"), clusters={"nonprod": ("eu", "us")}))
    assert (found.verdict.reason, found.actions) == ("`v2` was reverted in nonprod", ())


def test_rule_4_a_replaced_release_is_not_opened_again_when_its_digest_is_announced_late() -> None:
    """v1 ran before v2 did; with its first announcement forgotten, a new one makes it look newer than v2."""
    pins = [{"nonprod": "v2"}, {"nonprod": "v1"}]
    found = a.stage_of(a.snapshot(NONPROD, pins=pins, seen=("v2", "v1")))
    assert (found.verdict.reason, found.actions) == ("`v1` was replaced in nonprod", ())


def test_rule_4_a_declined_release_is_not_opened_again() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, a.closed(5)))
    found = a.stage_of(asked)
    assert found.verdict.reason == "`v2` was declined: merge request !5 was closed by a person"
    assert found.verdict.change == "reopen !5, or publish a newer image"
    assert found.actions == ()


def test_rule_4_who_closed_it_is_unknown_so_it_counts_as_declined() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, a.closed(5, by=None)))
    assert a.stage_of(asked).verdict.reason == "`v2` was declined: merge request !5 was closed by a person"


def test_rule_4_a_person_may_decline_with_towpaths_own_label_on_it() -> None:
    """The label is anybody's to set; who closed it is not."""
    asked = a.snapshot(
        NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, a.closed(5, label=naming.REFRESHED))
    )
    assert a.stage_of(asked).actions == ()


def test_rule_4_an_early_no_holds_though_a_later_attempt_was_towpaths_to_close() -> None:
    answers = a.attempts("nonprod", V2, a.closed(5), a.closed(6, by=a.BOT, label=naming.REFRESHED))
    found = a.stage_of(a.snapshot(NONPROD, seen=("v1", "v2"), answers=answers))
    assert "!5" in found.verdict.reason


def test_rule_4_a_newer_release_than_the_declined_one_opens() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2", "v3"), answers=a.attempts("nonprod", V2, a.closed(5)))
    assert opened(a.plan_of(asked).actions).release == V3


def test_rule_4_a_superseded_release_is_not_opened_again_in_a_first_stage() -> None:
    asked = a.snapshot(
        NONPROD,
        seen=("v1", "v2"),
        answers=a.attempts("nonprod", V2, a.closed(5, by=a.BOT, label=naming.SUPERSEDED)),
    )
    found = a.stage_of(asked)
    assert (found.verdict.reason, found.actions) == ("`v2` was superseded before (!5)", ())


def test_rule_4_a_superseded_release_opens_again_in_a_later_stage_once_upstream_runs_it() -> None:
    """Upstream went on to v3 and came back to v2: v2 is what it runs now."""
    pins = [{"nonprod": "v2", "prod": "v1"}, {"nonprod": "v3", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}]
    asked = a.snapshot(
        NONPROD,
        PROD,
        pins=pins,
        seen=("v1", "v2", "v3"),
        answers=a.attempts("prod", V2, a.closed(5, by=a.BOT, label=naming.SUPERSEDED)),
    )
    found = opened(a.stage_of(asked, "prod").actions)
    assert (found.release, found.attempt) == (V2, 2)


@pytest.mark.parametrize("label", [naming.REFRESHED, naming.DONE])
def test_rule_4_what_towpath_closed_for_another_reason_may_open_again(label: str) -> None:
    asked = a.snapshot(
        NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, a.closed(5, by=a.BOT, label=label))
    )
    assert opened(a.plan_of(asked).actions).attempt == 2


def test_rule_4_a_merged_release_that_the_branch_does_not_show_is_not_opened_again() -> None:
    merged = a.request(5, state=MergeRequestState.merged, merged_at=a.NOW)
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, merged))
    found = a.stage_of(asked)
    assert found.verdict.outcome is Outcome.wait
    assert found.verdict.reason == "`v2` was merged as !5, which the target branch as read does not show"
    assert found.actions == ()


# 5. One at a time.


def test_rule_5_a_newer_release_supersedes_the_open_one() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2", "v3"), promotions=(a.promotion(iid=7),))
    opening, close = a.plan_of(asked).actions
    assert close == Close(7, naming.SUPERSEDED, words.superseded(V3, None, ""))
    assert isinstance(opening, OpenPromotion)
    assert opening.release == V3


def test_rule_5_the_new_promotion_names_the_old_one_in_its_commit() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2", "v3"), promotions=(a.promotion(iid=7),))
    record = trailers.read(opened(a.plan_of(asked).actions).message)
    assert record is not None
    assert (record.unit, record.stage, record.release, record.supersedes) == ("payments", "nonprod", V3, 7)


def test_rule_5_the_old_promotion_gets_a_link_to_the_new_one_once() -> None:
    newer = a.promotion(word="v3", iid=8, supersedes=7)
    asked, plan = a.whole(a.snapshot(NONPROD, seen=("v1", "v2", "v3"), promotions=(newer,)))
    link = Report(7, words.superseded(V3, 8, newer.request.url))
    assert link in plan.actions
    answered = replace(asked, answers={**asked.answers, Reported(7): link.body})
    assert link not in a.plan_of(answered).actions


def test_rule_5_a_second_open_promotion_is_closed_and_the_wanted_one_stays() -> None:
    older, newer = a.promotion(iid=7), a.promotion(word="v3", iid=8)
    found = a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2", "v3"), promotions=(older, newer))).actions
    assert [(one.iid, one.label) for one in found if isinstance(one, Close)] == [(7, naming.SUPERSEDED)]
    assert only(found, OpenPromotion) == []


def test_rule_5_of_two_attempts_at_one_release_the_last_stays() -> None:
    first, second = a.promotion(iid=7, attempt=1), a.promotion(iid=8, attempt=2)
    for both in ((second, first), (first, second)):
        found = a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=both)).actions
        assert [(one.iid, one.label) for one in found if isinstance(one, Close)] == [(7, naming.REFRESHED)]


def test_rule_5_a_stale_promotion_is_refreshed_by_a_new_attempt() -> None:
    stale = a.promotion(iid=7, integrity=a.STALE)
    asked = a.snapshot(
        NONPROD, seen=("v1", "v2"), promotions=(stale,), answers=a.attempts("nonprod", V2, stale.request)
    )
    opening, close = a.plan_of(asked).actions
    assert isinstance(close, Close)
    assert isinstance(opening, OpenPromotion)
    assert (close.iid, close.label) == (7, naming.REFRESHED)
    assert (opening.release, opening.attempt, opening.branch[-2:]) == (V2, 2, "-2")


def test_rule_5_a_first_step_that_was_cut_short_is_gone_on_with() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, True))
    assert opened(a.plan_of(asked).actions).attempt == 1


def test_rule_5_a_branch_that_is_not_towpaths_own_is_left_alone() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, False))
    assert opened(a.plan_of(asked).actions).attempt == 2


def test_rule_5_an_open_attempt_that_lost_its_label_does_not_count_as_a_no() -> None:
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), answers=a.attempts("nonprod", V2, a.request(5)))
    assert opened(a.plan_of(asked).actions).attempt == 2


def test_rule_5_a_release_that_cannot_be_spliced_in_is_not_opened() -> None:
    refused = {Content("nonprod", V2): (Trouble("values.yaml", 9, "the image has an anchor"),)}
    found = a.stage_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(a.promotion(word="v1"),), answers=refused))
    assert found.verdict.reason == "`values.yaml:9`: the image has an anchor"
    assert [type(action) for action in found.actions] == [SetStatus, Report]


def test_rule_5_observe_says_what_it_would_open() -> None:
    found = a.stage_of(a.snapshot(a.stage(mode="observe"), seen=("v1", "v2"), promotions=(a.promotion(word="v1"),)))
    assert found.verdict.reason == "would open: Promote payments v2 to nonprod"
    assert (found.release, found.actions) == (V2, ())


@pytest.mark.parametrize("mode", ["propose", "enforce"])
def test_rule_5_propose_and_enforce_open(mode: str) -> None:
    assert opened(a.plan_of(a.snapshot(a.stage(mode=mode), seen=("v1", "v2"))).actions).release == V2


# 6. Integrity.


def test_rule_6_a_foreign_push_blocks_and_is_never_merged() -> None:
    pushed = a.promotion(integrity=a.FOREIGN)
    found = a.stage_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(pushed,)))
    assert found.verdict.outcome is Outcome.block
    assert "the branch holds more than this release" in found.verdict.reason
    assert [type(action) for action in found.actions] == [SetStatus, Report]


def test_rule_6_a_conflict_with_a_foreign_push_is_not_refreshed_away() -> None:
    pushed = a.promotion(integrity=replace(a.FOREIGN, merged=None))
    assert only(a.plan_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(pushed,))).actions, OpenPromotion) == []


def test_rule_6_a_branch_without_towpaths_commit_is_replaced_by_the_wanted_release() -> None:
    """Nobody can say what it holds, so it is no promotion of v2 any more."""
    lost = replace(a.promotion(iid=7, integrity=a.GONE), release=None)
    opening, close = a.plan_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(lost,))).actions
    assert isinstance(close, Close)
    assert (close.iid, close.label) == (7, naming.REFRESHED)
    assert isinstance(opening, OpenPromotion)


@pytest.mark.parametrize(
    "integrity", [Integrity(None, None, (), own=True), Integrity(None, a.TREE, (), own=True), a.GONE]
)
def test_rule_6_without_an_expected_tree_nothing_merges(integrity: Integrity) -> None:
    found = a.stage_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(a.promotion(integrity=integrity),)))
    assert found.verdict.outcome is Outcome.block
    assert only(found.actions, Merge) + only(found.actions, OpenPromotion) == []


def test_rule_6_S16_nothing_merges_before_the_approvals_that_policy_asks_for() -> None:
    stage = a.stage(merge="auto", approvals={"minimum": 1})
    asked = a.snapshot(stage, seen=("v1", "v2"), promotions=(a.promotion(),))
    found = a.stage_of(asked)
    assert (found.verdict.outcome, found.verdict.reason) == (Outcome.wait, "needs 1 of anybody who may write")
    assert only(found.actions, Merge) == []
    review = Review(a.ALEX, ReviewState.approved, a.HEAD, a.NOW)
    answers: dict[Question, object] = {Reviewed(1, a.HEAD): (review,), Right(a.ALEX): Permission.write}
    assert len(only(a.stage_of(replace(asked, answers=answers)).actions, Merge)) == 1


# 7. Merge.


def test_rule_7_every_gate_passes_so_the_exact_head_is_merged() -> None:
    asked = a.snapshot(AUTO, seen=("v1", "v2"), promotions=(a.promotion(iid=7, supersedes=6),))
    (found,) = only(a.plan_of(asked).actions, Merge)
    assert isinstance(found, Merge)
    assert (found.iid, found.stage, found.release, found.head, found.expected) == (7, "nonprod", V2, a.HEAD, a.TREE)
    assert found.message.startswith("Promote payments v2 to nonprod\n\nMerge request !7\n\nTowpath-Unit: payments\n")
    record = trailers.read(found.message)
    assert record is not None
    assert (record.release, record.sightings[0].seen_at, record.supersedes) == (V2, a.sighting("v2", 1).seen_at, 6)


@pytest.mark.parametrize(
    "stage",
    [a.stage(merge="manual"), a.stage(merge="auto", mode="propose"), a.stage(merge="auto", mode="observe")],
)
def test_rule_7_people_merge_where_policy_says_so(stage: Stage) -> None:
    found = a.stage_of(a.snapshot(stage, seen=("v1", "v2"), promotions=(a.promotion(),)))
    assert found.verdict.outcome is Outcome.passed
    assert only(found.actions, Merge) == []
    assert found.look_again == PATIENCE


@pytest.mark.parametrize("state", [CheckState.failed, CheckState.pending, CheckState.skipped])
def test_rule_7_nothing_merges_before_its_checks_succeed(state: CheckState) -> None:
    unready = a.promotion(checks=(Check("ci", state),))
    found = a.stage_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(unready,)))
    assert found.verdict.outcome is not Outcome.passed
    assert only(found.actions, Merge) == []


def test_rule_7_the_stages_own_rule_for_checks_holds() -> None:
    asked = a.snapshot(a.stage(merge="auto", checks="ignored"), seen=("v1", "v2"), promotions=(a.promotion(checks=()),))
    assert len(only(a.plan_of(asked).actions, Merge)) == 1


@pytest.mark.parametrize(
    ("mergeable", "reason", "look_again"),
    [
        (Mergeable.unknown, "checking", UNDECIDED),
        (Mergeable.no, "ci_must_pass", timedelta(minutes=2)),
        (Mergeable.no, "not_approved", PATIENCE),
    ],
)
def test_rule_7_R8_what_the_forge_does_not_allow_yet_is_looked_at_again(
    mergeable: Mergeable, reason: str, look_again: timedelta
) -> None:
    opened_at = a.NOW - timedelta(minutes=8)
    waiting = a.promotion(request=a.request(mergeable=mergeable, merge_reason=reason, created_at=opened_at))
    found = a.stage_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(waiting,)))
    assert (only(found.actions, Merge), found.look_again) == ([], look_again)


def test_rule_7_a_promotion_that_is_no_longer_wanted_is_not_merged() -> None:
    """Upstream took v2 back: the open promotion passes every gate, and yet nobody wants it."""
    pins = [{"nonprod": "v1", "prod": "v0"}, {"nonprod": "v2", "prod": "v0"}, {"nonprod": "v1", "prod": "v0"}]
    later = a.stage("prod", after="nonprod", merge="auto")
    asked = a.snapshot(NONPROD, later, pins=pins, seen=("v0", "v1", "v2"), promotions=(a.promotion("prod"),))
    found = a.stage_of(asked, "prod").actions
    assert only(found, Merge) == []
    assert opened(found).release == a.release("v1")


# A stage that is gone.


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ((NONPROD,), "there is no stage `prod` any more"),
        ((NONPROD, PROD), "`prod` has no target of `payments` any more"),
    ],
)
def test_a_promotion_of_a_stage_that_is_gone_is_closed(stages: tuple[Stage, ...], reason: str) -> None:
    asked = a.snapshot(*stages, seen=("v1",), promotions=(a.promotion("prod"),))
    found = a.stage_of(asked, "prod")
    assert found.actions == (Close(1, naming.WITHDRAWN, words.outdated(reason)),)
    assert (found.verdict.outcome, found.verdict.reason) == (Outcome.block, reason)


# The status and the report.


def test_what_stands_already_is_not_written_again() -> None:
    one = a.promotion()
    (status, report) = a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(one,))).actions
    assert isinstance(status, SetStatus)
    assert isinstance(report, Report)
    own = Check(naming.STATUS, status.state, status.description, status.url, a.BOT.id)
    shown = replace(one, checks=(a.GREEN, own), reported=report.body)
    assert a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(shown,))).actions == ()


def test_the_status_stands_on_the_exact_head_and_leads_to_the_merge_request() -> None:
    one = a.promotion()
    status = a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(one,))).actions[0]
    assert status == SetStatus(
        1, a.HEAD, one.request.source_branch, CheckState.success, "Every gate passes", one.request.url
    )


def test_somebody_elses_status_of_towpaths_name_is_written_over() -> None:
    forged = Check(naming.STATUS, CheckState.success, "Every gate passes", author_id=a.ALEX.id)
    one = a.promotion(checks=(a.GREEN, forged))
    assert len(only(a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(one,))).actions, SetStatus)) == 1


def test_on_gitlab_a_pending_status_keeps_its_text_and_a_final_one_does_not() -> None:
    """GitLab refuses to change the text of a status that stays pending."""
    old = Check(naming.STATUS, CheckState.pending, "something else", author_id=a.BOT.id)
    waits = a.promotion(checks=(Check("ci", CheckState.pending), old))
    asked = a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(waits,))
    assert only(a.plan_of(asked).actions, SetStatus) == []
    (told,) = only(a.plan_of(replace(asked, kind="github")).actions, SetStatus)
    assert isinstance(told, SetStatus)
    same = replace(waits, checks=(waits.checks[0], replace(old, description=told.description)))
    assert told.description.startswith("Waits: ")
    assert only(a.plan_of(replace(asked, kind="github", promotions=(same,))).actions, SetStatus) == []
    wrong = Check(naming.STATUS, CheckState.failed, "Blocked: something else", author_id=a.BOT.id)
    fails = a.promotion(checks=(Check("ci", CheckState.failed), wrong))
    assert len(only(a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(fails,))).actions, SetStatus)) == 1


# Files that cannot be read.


def test_R11_a_broken_file_stops_its_own_stage_and_no_other() -> None:
    pins = [{"nonprod": "v1", "test": "v1"}]
    asked = a.snapshot(
        AUTO,
        a.stage("test", merge="auto"),
        pins=pins,
        seen=("v1", "v2"),
        troubles=BROKEN,
        promotions=(a.promotion(iid=7), a.promotion("test", iid=8)),
    )
    plan = a.plan_of(asked)
    assert [one.verdict.outcome for one in plan.stages] == [Outcome.block, Outcome.passed]
    assert [one.iid for one in plan.actions if isinstance(one, Merge)] == [8]
    reason = "`environments/nonprod/us/payments/values.yaml:3`: it is no YAML"
    assert (plan.stages[0].verdict.gate, plan.stages[0].verdict.reason) == ("files", reason)


def test_R11_the_report_of_a_stage_names_its_broken_file() -> None:
    asked = a.snapshot(AUTO, seen=("v1", "v2"), troubles=BROKEN, promotions=(a.promotion(),))
    (report,) = (one for one in a.plan_of(asked).actions if isinstance(one, Report))
    assert "\n- `environments/nonprod/us/payments/values.yaml:3`: it is no YAML\n" in report.body


def test_a_stage_of_broken_files_only_is_told_of_too() -> None:
    plan = a.plan_of(a.snapshot(NONPROD, pins=[{}], seen=("v1", "v2"), troubles=BROKEN))
    assert [one.stage for one in plan.stages] == ["nonprod"]


def test_a_stage_without_a_target_of_the_unit_is_no_stage_of_it() -> None:
    assert a.plan_of(a.snapshot(NONPROD, pins=[{}], seen=("v1", "v2"))).stages == ()


# 8. Wake.


def test_rule_8_the_plan_says_when_to_look_again() -> None:
    soon = a.promotion(request=a.request(mergeable=Mergeable.unknown, merge_reason="checking", created_at=a.NOW))
    later = a.promotion("test", iid=2)
    asked = a.snapshot(
        AUTO,
        a.stage("test", merge="auto"),
        pins=[{"nonprod": "v1", "test": "v1"}],
        seen=("v1", "v2"),
        promotions=(soon, later),
    )
    assert a.plan_of(asked).wake_at == a.NOW + SOON


@pytest.mark.parametrize(
    ("age", "look_again"),
    [
        (timedelta(seconds=-5), SHORTEST),
        (timedelta(seconds=1), SHORTEST),
        (timedelta(seconds=40), timedelta(seconds=10)),
        (timedelta(minutes=40), LONGEST),
        (timedelta(days=3), LONGEST),
    ],
)
def test_rule_8_what_is_worked_on_is_looked_at_after_a_quarter_of_its_age(
    age: timedelta, look_again: timedelta
) -> None:
    runs = a.promotion(checks=(Check("ci", CheckState.pending),), request=a.request(created_at=a.NOW - age))
    assert a.plan_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(runs,))).wake_at == a.NOW + look_again


def test_rule_8_what_is_blocked_waits_for_a_person() -> None:
    fails = a.promotion(checks=(Check("ci", CheckState.failed),), request=a.request(created_at=a.NOW))
    assert a.stage_of(a.snapshot(AUTO, seen=("v1", "v2"), promotions=(fails,))).look_again == PATIENCE


def test_rule_8_an_open_promotion_is_looked_at_again_though_nothing_wakes_us() -> None:
    assert a.plan_of(a.snapshot(NONPROD, seen=("v1", "v2"), promotions=(a.promotion(),))).wake_at == a.NOW + PATIENCE


def test_rule_8_nothing_open_needs_no_waking() -> None:
    assert a.plan_of(a.snapshot(NONPROD, pins=[{"nonprod": "v2"}], seen=("v1", "v2"))).wake_at is None


# Questions.


def test_a_question_stops_its_stage_and_no_other() -> None:
    pins = [{"nonprod": "v2", "prod": "v1"}]
    found = decide(a.snapshot(NONPROD, PROD, pins=pins, seen=("v1", "v2"), promotions=(a.promotion(iid=7),)), a.NOW)
    assert found.questions == (Attempts("prod", V2.name),)
    assert [type(action) for action in found.actions] == [Close]
    assert [stage.actions for stage in found.stages if stage.questions] == [()]


def test_a_question_is_asked_once() -> None:
    stages = (a.stage("prod-eu", after="nonprod"), a.stage("prod-us", after="nonprod"))
    pins = [{"nonprod": "v2", "prod-eu": "v1", "prod-us": "v1"}]
    asked = a.snapshot(NONPROD, *stages, pins=pins, seen=[a.built("v1", 0, "r1"), a.built("v2", 1, "r2")])
    assert decide(asked, a.NOW).questions == (Between(a.SOURCE, "r1", "r2"),)


def test_the_release_of_a_stage_is_told_in_one_order_of_its_images() -> None:
    assert release_of((a.image("v2", a.WORKER), a.image("v2"))) == a.release("v2", "v2")
