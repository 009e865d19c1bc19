"""What holds of every plan, whatever the snapshot."""

import copy
from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.actions import Close, Merge, OpenPromotion, Report, SetStatus
from policies.decide import decide
from policies.gates import checks as gate
from policies.model import Check, CheckState, Mergeable, Sighting, Trouble
from policies.naming import REPORT_MARK
from policies.order import BARE_TAG
from policies.snapshot import Attempts, Integrity, Promotion, Snapshot
from policies.verdict import Outcome, Verdict
from policies.wanted import places_of
from policies.wording.report import STATUS_LIMIT
from tests import builders as a
from tests.policies.play import done, due

WORDS = ("v0", "v1", "v2", "v3")
PIPELINES = ((("a", ()),), (("a", ()), ("b", ("a",))), (("a", ()), ("b", ()), ("c", ("a", "b"))))
words = st.sampled_from(WORDS)
pinned = st.sampled_from((*WORDS, "tag:1.0"))
checks = st.lists(
    st.builds(
        Check, st.sampled_from(["ci", "lint", "towpath"]), st.sampled_from(CheckState), allow_failure=st.booleans()
    ),
    max_size=3,
    unique_by=lambda one: one.name,
).map(tuple)
trees = st.sampled_from([None, a.TREE, "f" * 40])
integrities = st.builds(Integrity, trees, trees, st.sampled_from([(), ("x.yaml",)]), st.booleans())
closers = st.sampled_from([None, a.ALEX, a.BOT])
labels = st.sampled_from(["", "towpath:superseded", "towpath:refreshed", "towpath:done"])


@st.composite
def sightings(draw: st.DrawFn) -> tuple[Sighting, ...]:
    """Some of the words, first announced at any time, built from any commit."""
    known = draw(st.lists(words, unique=True))
    return tuple(
        a.built(word, draw(st.integers(0, 3)), f"r{draw(st.integers(0, 3))}")
        if draw(st.booleans())
        else a.sighting(word, draw(st.integers(0, 3)))
        for word in known
    )


@st.composite
def promotions(draw: st.DrawFn, names: tuple[str, ...]) -> tuple[Promotion, ...]:
    """Open promotions in any state."""
    found = draw(st.lists(st.tuples(st.sampled_from(names), words), max_size=3, unique=True))
    return tuple(
        a.promotion(
            name,
            word,
            iid,
            integrity=draw(integrities),
            checks=draw(checks),
            request=a.request(iid, mergeable=draw(st.sampled_from(Mergeable))),
            supersedes=draw(st.sampled_from([None, 90])),
        )
        for iid, (name, word) in enumerate(found, 1)
    )


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """A unit in any pipeline, with any history, sightings, open promotions and earlier attempts."""
    pipeline = draw(st.sampled_from(PIPELINES))
    names = tuple(name for name, _ in pipeline)
    stages = [
        a.stage(
            name,
            after,
            merge=draw(st.sampled_from(["auto", "manual", "signed"])),
            mode=draw(st.sampled_from(["observe", "propose", "enforce", "enforce"])),
            checks=draw(st.sampled_from(["required", "optional", "ignored"])),
            absent=draw(st.sampled_from(["block", "pass"])),
        )
        for name, after in pipeline
    ]
    places = [f"{name}/{cluster}" for name in names for cluster in ("eu", "us")]
    now = draw(st.fixed_dictionaries({place: st.none() | pinned for place in places}))
    before = draw(st.lists(st.fixed_dictionaries({place: st.none() | pinned for place in places}), max_size=3))
    refused = draw(st.lists(st.tuples(st.sampled_from(names), words, closers, labels), max_size=2))
    tried = {
        question: found
        for name, word, by, label in refused
        for question, found in a.attempts(name, a.release(word), a.closed(80, by, label)).items()
    }
    broken = {"a": (Trouble("a.yaml", 1, "it is no YAML"),)} if draw(st.integers(0, 9)) == 0 else None
    found = a.snapshot(
        *stages,
        pins=[now, *before],
        seen=draw(sightings()),
        promotions=draw(promotions(names)),
        clusters=dict.fromkeys(names, ("eu", "us")),
        answers=tried,
        troubles=broken,
    )
    return replace(found, can_sign=draw(st.booleans()))


def tree(verdict: Verdict) -> list[Verdict]:
    """A verdict and all below it."""
    return [verdict, *(below for child in verdict.children for below in tree(child))]


@given(snapshots())
def test_the_same_snapshot_gives_the_same_plan(asked: Snapshot) -> None:
    answered, plan = a.whole(asked)
    assert decide(copy.deepcopy(answered), a.NOW) == plan


@given(snapshots())
def test_a_stage_with_a_question_does_nothing_and_an_answer_is_asked_for_once(asked: Snapshot) -> None:
    plan = decide(asked, a.NOW)
    assert all(stage.actions == () for stage in plan.stages if stage.questions)
    assert not set(plan.questions) & asked.answers.keys()
    assert a.plan_of(asked).questions == ()


@given(snapshots())
def test_S13_S16_a_merge_is_proved_checked_allowed_and_names_the_exact_head(asked: Snapshot) -> None:
    for merge in (action for action in a.plan_of(asked).actions if isinstance(action, Merge)):
        (one,) = (one for one in asked.promotions if one.request.iid == merge.iid)
        stage = asked.view(merge.stage).stage
        assert one.integrity.expected is not None
        assert one.integrity.expected == one.integrity.merged == merge.expected
        assert gate.judge(one.checks, stage.checks, asked.bot_id).outcome is Outcome.passed
        assert stage.merge != "manual"
        assert (stage.mode, one.request.mergeable) == ("enforce", Mergeable.yes)
        assert merge.signed == (stage.merge == "signed")  # S23
        assert not merge.signed or (asked.can_sign and merge.base == asked.head)
        assert (merge.head, merge.stage, merge.release) == (one.request.head, one.stage, one.release)
        assert not asked.view(merge.stage).troubles


@given(snapshots())
def test_every_refusal_says_what_would_change_it(asked: Snapshot) -> None:
    verdicts = [one for stage in a.plan_of(asked).stages for one in tree(stage.verdict)]
    assert [one for one in verdicts if one.outcome is Outcome.block and not one.change] == []
    assert [one for one in verdicts if not one.reason] == []


@given(snapshots())
def test_S18_nothing_older_by_first_sighting_is_ever_opened_or_merged(asked: Snapshot) -> None:
    for action in a.plan_of(asked).actions:
        if not isinstance(action, OpenPromotion | Merge):
            continue
        for place, digest in places_of(asked.view(action.stage), action.release):
            now = asked.moments[0].pins[place]
            new, old = (asked.sightings.get((place[1], pin)) for pin in (digest, now))
            if now not in (digest, None) and not now.startswith(BARE_TAG) and new is not None and old is not None:
                assert (new.seen_at, digest) > (old.seen_at, now)


@given(snapshots())
def test_S19_nothing_that_a_person_declined_is_opened(asked: Snapshot) -> None:
    for opening in (action for action in a.plan_of(asked).actions if isinstance(action, OpenPromotion)):
        current = [one for one in asked.promotions if (one.stage, one.name) == (opening.stage, opening.release.name)]
        tried = asked.answers.get(Attempts(opening.stage, opening.release.name), ())
        assert isinstance(tried, tuple)
        assert current or all(one.request.closed_by == a.BOT for one in tried)


@given(snapshots())
def test_rule_5_what_opens_leaves_nothing_else_open_in_its_stage(asked: Snapshot) -> None:
    for stage in a.plan_of(asked).stages:
        openings = [action for action in stage.actions if isinstance(action, OpenPromotion)]
        closed = {action.iid for action in stage.actions if isinstance(action, Close)}
        assert len(openings) <= 1
        if openings:
            assert closed == {one.request.iid for one in asked.promotions if one.stage == stage.stage}
            assert asked.view(stage.stage).stage.mode != "observe"


@given(snapshots())
def test_what_is_written_fits_where_it_goes(asked: Snapshot) -> None:
    for action in a.plan_of(asked).actions:
        match action:
            case SetStatus():
                assert 0 < len(action.description) <= STATUS_LIMIT
                assert "\n" not in action.description
            case Report() | Close():
                assert action.body.startswith(REPORT_MARK)
                assert action.body == action.body.strip()
            case _:
                pass


@settings(max_examples=60)
@given(snapshots())
def test_doing_what_is_decided_ends_with_nothing_to_do(asked: Snapshot) -> None:
    """Level-triggered: no ping-pong of opening and closing, and one promotion a stage at the end."""
    opened: Counter[tuple[str, str]] = Counter()
    world, plan = a.whole(asked)
    for _ in range(40):
        if not plan.actions:
            break
        now = due(plan)
        opened.update((action.stage, action.release.name) for action in now if isinstance(action, OpenPromotion))
        world, plan = a.whole(done(world, now))
    assert plan.actions == ()
    assert all(count == 1 for count in opened.values())
