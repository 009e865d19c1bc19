"""What commands decided, from the branch `towpath/state` to what becomes of promotions; and a state that is not to be
believed (S21). A command is played by its change of the state."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from policies import naming, trailers
from policies.model import Image, MergeRequestState, Release
from policies.state import BRANCH, FILE, Asked, Freeze, Hold, Person, Pinned, Quarantine, State, Unknown
from policies.verdict import Outcome
from tests.flows.direct import BOT, HEADS
from tests.flows.world import HOST, POLICY, Scene, digest, values
from workers import observe
from workers.observe.state import sealed_lines
from workers.state import record, recorded_change, start_anew

ANA = Person(id=11, name="ana")
WHERE = "https://forge.example.com/r/1#note_5"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def change(scene: Scene, **entries: object) -> State:
    """As a command does it: every entry with who, when and where."""

    def added(state: State) -> State:
        said = {name: (*getattr(state, name), entry) for name, entry in entries.items()}
        return state.model_copy(update=said)

    return record(scene.context, scene.hands, added, "@ana: a command", "in a comment")


def lift(scene: Scene, *names: str) -> State:
    def emptied(state: State) -> State:
        return state.model_copy(update=dict.fromkeys(names, ()))

    return record(scene.context, scene.hands, emptied, "@ana: another command", "")


def hold(scene: Scene, **more: object) -> Hold:
    return Hold.model_validate({"by": ANA, "at": scene.forge.now, "where": WHERE, **more})


def asked(scene: Scene, tag: str, cause: str, **more: object) -> Asked:
    pins = (Pinned(repository=f"{HOST}/api", digest=digest(tag), tag=tag),)
    said = {"by": ANA, "at": scene.forge.now, "where": WHERE, "service": "shop", "stage": "nonprod"}
    return Asked.model_validate({**said, "cause": cause, "images": pins, **more})


def quarantine(scene: Scene, tag: str) -> Quarantine:
    name = Release((Image(f"{HOST}/api", digest(tag)),)).name
    said = {"by": ANA, "at": scene.forge.now, "where": WHERE, "service": "shop", "release": name}
    return Quarantine.model_validate({**said, "images": {f"{HOST}/api": digest(tag)}})


def unknown(scene: Scene) -> Unknown:
    found = observe.base(scene.context).state
    assert isinstance(found, Unknown)
    return found


def branches(scene: Scene) -> set[str]:
    return {name.removeprefix(HEADS) for name in scene.forge.git.references}


# What people decide.


def test_S21_the_branch_stands_before_the_first_promotion_opens(scene: Scene) -> None:
    scene.settle()
    assert BRANCH not in branches(scene)
    open_request, seen = scene.forge.open_request, []

    def spy(repository: str, proposal: object) -> object:
        seen.append(BRANCH in branches(scene))
        return open_request(repository, proposal)  # type: ignore[arg-type] # a proposal

    scene.forge.open_request = spy  # type: ignore[method-assign,assignment]
    scene.publish("v2")
    scene.settle()
    assert seen[0] is True


def test_R4_a_held_image_is_remembered_by_its_branch_and_opens_when_the_hold_ends(scene: Scene) -> None:
    change(scene, holds=hold(scene, stage="nonprod", reason="night"))
    scene.publish("v2")
    done = scene.settle()
    assert scene.forge.opened() == [] and scene.pins("nonprod") == values()
    assert "is held by `@ana`" in done.plan.stages[0].verdict.reason
    assert sum(name.startswith(naming.PREFIX) for name in branches(scene)) == 1
    scene.published.clear()
    scene.memory.texts.clear()
    scene.fresh_context()
    scene.context.mirror.fetch()
    lift(scene, "holds")
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")


def test_a_hold_that_is_set_while_a_merge_is_decided_still_holds(scene: Scene) -> None:
    request, heads = scene.forge.request, scene.context.mirror.heads
    scene.publish("v2")

    def late(repository: str, iid: int) -> object:
        """Right before the merge."""
        scene.forge.request = request  # type: ignore[method-assign]
        change(scene, holds=hold(scene))
        return request(repository, iid)

    scene.forge.request = late  # type: ignore[method-assign,assignment]
    with pytest.raises(Exception, match="has just changed"):
        scene.settle()
    scene.settle()
    assert scene.pins("nonprod") == values() and heads is not None


def test_a_freeze_wakes_when_it_ends(scene: Scene) -> None:
    until = scene.forge.now + timedelta(hours=3)
    freeze = Freeze(by=ANA, at=scene.forge.now, where=WHERE, stage="nonprod", until=until, reason="year end")
    change(scene, freezes=freeze)
    scene.publish("v2")
    done = scene.settle()
    assert scene.forge.opened() == [] and done.wake_at == until
    scene.forge.now = until
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")


def test_a_label_set_by_hand_holds_one_merge_request(tmp_path: Path) -> None:
    scene = Scene(
        tmp_path, POLICY.replace("merge: manual", "merge: auto").replace("checks: optional", "checks: required")
    )
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("nonprod")
    assert request is not None
    scene.forge.label("r", request.iid, (naming.HOLD,))
    scene.settle()
    assert "the label `towpath:hold` stands on it" in scene.report(request.iid)


def test_S19_a_rollback_sticks(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    scene.publish("v3")
    scene.settle()
    rollback = asked(scene, "v2", "rollback", reason="burns")
    change(scene, quarantine=quarantine(scene, "v3"), holds=hold(scene, stage="nonprod"), asked=rollback)
    done = scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    assert done.snapshot.state.asked == ()  # type: ignore[union-attr] # it is known
    rolled = max(scene.forge.requests.values(), key=lambda one: one.iid if "nonprod" in one.source_branch else 0)
    assert rolled.title == "Roll back shop in nonprod to v2"
    assert "Towpath-Requester: 11" in scene.context.mirror.message(rolled.head)
    assert scene.open_in("prod") is None or "v3" not in scene.open_in("prod").title  # type: ignore[union-attr] # it is open
    lift(scene, "holds")
    for _ in range(3):
        scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    scene.publish("v4")
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v4")


def test_an_older_release_that_is_asked_for_is_promoted_and_settled(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    change(scene, asked=asked(scene, "v1", "promote"))
    done = scene.settle()
    assert scene.pins("nonprod") == values(tag="v1")
    assert done.snapshot.state == State()
    assert "was reverted" in done.plan.stages[0].verdict.reason


def test_what_is_asked_for_and_closed_by_a_person_is_settled(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    change(scene, asked=asked(scene, "v0", "promote", stage="prod"))
    scene.settle()
    request = scene.open_in("prod")
    assert request is not None and "v0" in request.title
    scene.forge.pass_time()
    scene.forge.close_as(request.iid)
    done = scene.settle()
    assert done.snapshot.state == State()
    now = scene.open_in("prod")
    assert now is not None and "v2" in now.title


def test_a_refresh_is_one_new_attempt(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    old = scene.open_in("prod")
    assert old is not None
    change(scene, asked=asked(scene, "v2", "refresh", stage="prod", replaces=old.iid))
    done = scene.settle()
    new = scene.open_in("prod")
    assert new is not None and new.iid != old.iid and new.source_branch.endswith("-2")
    assert naming.REFRESHED in scene.forge.requests[old.iid].labels
    assert done.snapshot.state == State()


def test_S19_an_open_promotion_is_closed_by_a_quarantine_and_opens_again_after_it(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    old = scene.open_in("prod")
    assert old is not None
    change(scene, quarantine=quarantine(scene, "v2"))
    scene.settle()
    assert scene.forge.requests[old.iid].state is MergeRequestState.closed
    assert "quarantined" in scene.report(old.iid)
    lift(scene, "quarantine")
    scene.settle()
    new = scene.open_in("prod")
    assert new is not None and new.iid != old.iid


# A state that is not to be believed.


def deleted(scene: Scene) -> None:
    scene.forge.git.references.delete(HEADS + BRANCH)


def forged(scene: Scene) -> None:
    scene.forge.commit_as({FILE: "version: 1\n"}, BRANCH)


def copied(scene: Scene) -> None:
    """Towpath's own words on another commit."""
    head = scene.forge.head("", BRANCH)
    scene.forge.commit_as({FILE: "version: 1\n"}, BRANCH, scene.context.mirror.message(head))


def well_forged(scene: Scene) -> None:
    """Everything is right but the seal, which takes the key."""
    head, raw = scene.forge.head("", BRANCH), b"version: 1\n"
    lines = [f"Towpath-{name}: {value}" for name, value in sealed_lines(scene.context, raw, head)]
    message = trailers.sealed("\n".join(["Begin", "", *lines]), b"a key of somebody else's")
    scene.forge.commit_as({FILE: raw.decode()}, BRANCH, message)


def unreadable(scene: Scene) -> None:
    scene.forge.commit_as({FILE: "holds: [\n"}, BRANCH)


def crowded(scene: Scene) -> None:
    scene.forge.commit_as({"more": "x"}, BRANCH)


def rewound(scene: Scene) -> None:
    """The hold is rubbed out by going back to what was before it."""
    head = scene.forge.head("", BRANCH)
    (parent,) = scene.context.mirror.parents(head)
    scene.forge.git.references.create(HEADS + BRANCH, parent, force=True)


SPOILED = [deleted, forged, well_forged, copied, unreadable, crowded, rewound]


@pytest.mark.parametrize("spoil", SPOILED)
def test_S21_a_spoiled_state_is_unknown_and_stops_everything(scene: Scene, spoil: Callable[[Scene], None]) -> None:
    scene.publish("v2")
    scene.settle()
    change(scene, holds=hold(scene, stage="prod"))
    request = scene.open_in("prod")
    assert request is not None
    spoil(scene)
    scene.publish("v3")
    done = scene.settle()
    assert [stage.verdict.gate for stage in done.plan.stages] == ["state", "state"]
    assert all(stage.verdict.outcome is Outcome.block for stage in done.plan.stages)
    assert scene.pins("nonprod") == values(tag="v2")
    assert "what commands decided cannot be told" in scene.report(request.iid)
    with pytest.raises(Exception, match="failed to record in"):
        change(scene, holds=hold(scene))


@pytest.mark.parametrize("spoil", SPOILED)
def test_S21_an_operator_begins_anew(scene: Scene, spoil: Callable[[Scene], None]) -> None:
    scene.publish("v2")
    scene.settle()
    change(scene, holds=hold(scene, stage="prod"))
    old = scene.forge.head("", BRANCH)
    spoil(scene)
    start_anew(scene.context, scene.hands, replace=spoil is not deleted)
    assert observe.base(scene.context).state == State()
    kept = scene.context.mirror.is_ancestor(old, scene.forge.head("", BRANCH))
    assert kept is (spoil is not rewound)


def test_S21_nothing_begins_anew_where_it_stands(scene: Scene) -> None:
    change(scene, holds=hold(scene))
    with pytest.raises(Exception, match="stands and is Towpath's own"):
        start_anew(scene.context, scene.hands, replace=False)


def test_S21_a_missing_branch_is_unknown_also_on_a_new_machine(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    deleted(scene)
    scene.memory.texts.clear()
    scene.fresh_context()
    assert "is missing" in unknown(scene).reason


def test_S21_a_missing_branch_is_unknown_where_only_a_sealed_commit_is_left(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    for name in [one for one in scene.forge.git.references if "towpath/" in one]:
        scene.forge.git.references.delete(name)
    scene.memory.texts.clear()
    scene.fresh_context()
    assert "is missing" in unknown(scene).reason


def test_S21_the_state_of_another_repository_is_not_believed(scene: Scene, tmp_path: Path) -> None:
    change(scene, holds=hold(scene))
    scene.context = type(scene.context)(**{**vars(scene.context), "repository": "platform/other"})
    assert "not Towpath's own" in unknown(scene).reason


def test_S21_a_rewound_state_is_known_by_the_mirror_alone(scene: Scene) -> None:
    change(scene, holds=hold(scene))
    change(scene, holds=hold(scene, stage="prod"))
    scene.memory.texts.clear()
    rewound(scene)
    assert "was rewritten" in unknown(scene).reason


# Writing.


def test_two_writers_lose_nothing(scene: Scene) -> None:
    change(scene, holds=hold(scene, reason="first"))
    calls = []

    def slow(state: State) -> State:
        """While it is thought about, somebody else is faster, twice."""
        calls.append(len(state.holds))
        if len(calls) < 3:
            change(scene, holds=hold(scene, reason=f"faster {len(calls)}"))
        return state.model_copy(update={"holds": (*state.holds, hold(scene, reason="slow"))})

    found = record(scene.context, scene.hands, slow, "subject", "body")
    assert [one.reason for one in found.holds] == ["first", "faster 1", "faster 2", "slow"]
    assert calls == [1, 2, 3]
    assert observe.base(scene.context).state == found


def test_nothing_is_written_where_nothing_changes_or_the_note_is_there(scene: Scene) -> None:
    def held(state: State) -> State:
        return state.model_copy(update={"holds": (*state.holds, hold(scene))})

    record(scene.context, scene.hands, held, "subject", "Towpath-Note: request 1 6", "request 1 5")
    head = scene.forge.head("", BRANCH)
    record(scene.context, scene.hands, held, "subject", "body", "request 1 5")
    record(scene.context, scene.hands, lambda state: state, "subject", "body")
    assert scene.forge.head("", BRANCH) == head
    assert recorded_change(scene.context, "request 1 5") is not None
    assert recorded_change(scene.context, "request 1 6") is None


def test_a_commit_says_who_why_and_where(scene: Scene) -> None:
    change(scene, holds=hold(scene))
    text = scene.context.mirror.message(scene.forge.head("", BRANCH))
    assert text.startswith("@ana: a command\n\nin a comment\n\nTowpath-State: sha256:")
    assert "\nTowpath-Parent: none\nTowpath-Repository: direct:platform/config\nTowpath-Seal: " in text


# Alarms.


def test_S17_a_merge_that_brought_more_holds_the_stage_once_and_for_people_to_lift(scene: Scene) -> None:
    merge = scene.forge.merge

    def more(repository: str, iid: int, head: str, message: str) -> str:
        merge(repository, iid, head, message)
        return scene.forge.commit_as({"sneaky": "x"})

    scene.forge.merge = more  # type: ignore[method-assign]
    scene.publish("v2")
    scene.settle()
    state = observe.base(scene.context).state
    assert isinstance(state, State)
    (held,) = state.holds
    assert (held.by.id, held.service, held.stage) == (BOT.id, "shop", "nonprod")
    assert "more than this release" in held.reason


def test_a_merge_around_the_gates_holds_the_stage_and_never_again_once_it_was_lifted(tmp_path: Path) -> None:
    scene = Scene(tmp_path, POLICY.replace("merge: manual", "merge: manual\n    approvals: {minimum: 1}"))
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("prod")
    assert request is not None
    scene.forge.merge_as(request.iid)
    scene.settle()
    state = observe.base(scene.context).state
    assert isinstance(state, State) and [one.stage for one in state.holds] == ["prod"]
    assert "without the approvals" in state.holds[0].reason
    lift(scene, "holds")
    scene.memory.texts.clear()
    scene.settle()
    assert observe.base(scene.context).state == State()
