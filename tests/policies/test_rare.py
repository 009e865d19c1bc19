"""What few flows come to: a state that nobody can tell, and ways that changes take past Towpath."""

from dataclasses import replace

import pytest

from policies import around, asked, gating
from policies.commands.bad import bad_of
from policies.commands.model import Declined
from policies.commands.reach import Reach, of_hold
from policies.history import How, Known, told
from policies.proposal import propose
from policies.snapshot import Attempts, Snapshot, Splice
from policies.state import State, Unknown, without_stale
from policies.verdict import Outcome, Verdict
from policies.wanted import Wanted, wanted
from tests import builders as a
from tests.policies import test_history as h
from tests.policies import test_state as s

LOST = Unknown("the branch towpath/state is missing", "run `towpath state init`")
V2 = a.release("v2")


def lost() -> Snapshot:
    found = a.snapshot(a.stage(), seen=("v1", "v2"), answers={Attempts("nonprod", V2.name): ()})
    return replace(found, state=LOST)


def test_S21_nothing_is_asked_for_nor_overridden_where_the_state_is_unknown() -> None:
    scene = lost()
    view, one = scene.view("nonprod"), a.promotion()
    assert asked.of_stage(scene, view) is None
    assert gating.overrides(scene, view, one, a.NOW) == ()
    assert gating.paused(scene, view, a.NOW) is None
    assert next(gate.outcome for gate in gating.gates(scene, view, one, a.NOW)) is Outcome.block


def test_no_hold_goes_with_a_new_attempt_where_nobody_knows_of_one() -> None:
    scene = lost()
    opening = propose(scene, scene.view("nonprod"), Wanted(V2, None), Splice(a.TREE, ("p",)), (), a.NOW)
    assert not any("hold" in label for label in opening.labels)


def test_there_is_no_bad_release_where_the_stage_runs_the_good_one() -> None:
    scene = a.snapshot(a.stage())
    with pytest.raises(Declined, match="differs from"):
        bad_of(scene, scene.view("nonprod"), a.release("v1"))


def test_a_hold_reaches_what_it_names() -> None:
    assert of_hold(s.hold(service="payments", stage="nonprod")) == Reach("payments", "nonprod")
    assert of_hold(s.hold(request=7)) == Reach(None, None, 7)


def test_a_hold_of_a_release_that_nothing_carries_any_more_is_gone() -> None:
    carried = (a.UNIT, "nonprod", V2.name)
    state = State(holds=(s.hold(service=a.UNIT, stage="nonprod", release=V2.name, request=7), s.hold(stage="prod")))
    assert without_stale(state, carried, {carried}) == state
    assert [one.stage for one in without_stale(state, carried, ()).holds] == ["prod"]


def test_where_all_that_upstream_ran_is_quarantined_the_newest_says_why() -> None:
    stages = (a.stage(), a.stage("prod", after="nonprod"))
    scene = a.snapshot(*stages, pins=({"nonprod": "v3", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}))
    bad = tuple(s.quarantine(word, stages=("prod",)) for word in ("v3", "v2"))
    found = wanted(replace(scene, state=State(quarantine=bad)), scene.view("prod"))
    assert isinstance(found, Verdict)
    assert found.gate == "quarantine"


@pytest.mark.parametrize(
    ("changes", "stage", "how"),
    [
        ({"merge": h.RECORD}, "auto", How.signed),
        ({"copied_from": h.OTHER}, "auto", How.around),
        ({}, "auto", How.by_hand),
        ({"proposal": h.RECORD}, "auto", How.around),
        ({"proposal": h.RECORD}, "manual", How.merged_by_hand),
    ],
)
def test_how_a_change_came(changes: dict[str, object], stage: str, how: How) -> None:
    step = replace(h.STEP, **{"merge": None, **changes})  # type: ignore[arg-type] # any field
    change = replace(h.CHANGE, stages=(a.stage("prod", merge=stage),))
    entry = told(step, change, Known())
    assert entry.how is how
    assert entry.verified.startswith("DISAGREES: its seal is that of dddddddddddd") == bool(step.copied_from)


def test_what_came_by_a_push_or_with_other_content_is_to_be_looked_at() -> None:
    assert "somebody pushed it" in around.pushed().reason
    assert "something else than its merge request proposed" in around.other_content().reason
