"""What is heard on a thread and what becomes of it, in process: the corners that no sandbox forge reaches."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import LabelChange
from policies.model import MergeRequest, MergeRequestState, Permission, Thread, User
from policies.naming import HOLD
from policies.state import State
from policies.wording.answers import answered
from tests.flows.direct import PERSON
from tests.flows.world import Scene
from workers import observe
from workers.conversation import converse, heed_labels


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.forge.rights[PERSON.id] = Permission.maintain
    made.publish("v2")
    made.settle()
    return made


def waiting(scene: Scene) -> MergeRequest:
    found = scene.open_in("prod")
    assert found is not None
    return found


def hear(scene: Scene, request: MergeRequest) -> tuple[str, ...]:
    """What is new on a merge request is heard; whom it wakes."""
    spoken = converse(scene.context, scene.hands, request)
    if spoken.failure is not None:
        raise spoken.failure
    return spoken.wakes


def say(scene: Scene, *texts: str) -> tuple[str, ...]:
    """A person says this, and it is heard; whom it wakes."""
    request = waiting(scene)
    scene.forge.pass_time()
    for text in texts:
        scene.forge.comment_as(Thread(request.iid), text)
    return hear(scene, scene.forge.request("r", request.iid))


def answers(scene: Scene) -> list[str]:
    notes = scene.forge.notes("r", Thread(waiting(scene).iid))
    return [note.body for note in notes if answered(note.body) is not None]


def held(scene: Scene) -> int:
    """How many holds are recorded."""
    state = observe.base(scene.context).state
    assert isinstance(state, State)
    return len(state.holds)


def test_S17_a_merge_request_from_a_fork_is_no_promotion_whatever_its_branch_is_called(scene: Scene) -> None:
    scene.forge._update(waiting(scene).iid, same_project=False)
    say(scene, "/hold this one")
    assert "Name a service, a stage or both" in answers(scene)[0]
    assert held(scene) == 0


def test_a_promotion_whose_branch_and_commit_are_gone_is_still_one(scene: Scene) -> None:
    request = waiting(scene)
    scene.forge.close_as(request.iid)
    scene.forge._update(request.iid, head="f" * 40)
    scene.forge.comment_as(Thread(request.iid), "/hold\n\n/hold because")
    closed = scene.forge.requests[request.iid]
    assert closed.state is MergeRequestState.closed
    hear(scene, closed)
    (answer,) = [note.body for note in scene.forge.notes("r", Thread(request.iid)) if answered(note.body)]
    assert f"!{request.iid} is closed" in answer


@pytest.mark.parametrize("wrong", ["/promot", '/hold "unclosed', "/hold nowhere=x now"])
@pytest.mark.parametrize("first", [True, False])
def test_all_or_none_and_each_line_is_told_of(scene: Scene, wrong: str, first: bool) -> None:
    lines = [wrong, "/hold wait"] if first else ["/hold wait", wrong]
    assert say(scene, "\n\n".join(lines)) == ()
    (answer,) = answers(scene)
    assert "None of these was done" in answer
    assert "`/hold wait`: not done." in answer
    assert f"👎 `{wrong}`" in answer
    assert held(scene) == 0


def test_a_lost_answer_wakes_everything_for_nobody_knows_what_was_looked_at(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(scene.forge, "add_note", fails(Transient("comment", "!2", "502")))
        with pytest.raises(Transient):
            say(scene, "/hold shop prod an incident")
    assert held(scene) == 1
    # Meanwhile somebody reacted, which looks like an edit on GitLab: it is done all the same.
    notes = scene.forge.comments[waiting(scene).iid]
    notes[-1] = replace(notes[-1], edited=True)
    assert hear(scene, waiting(scene)) == ("*",)
    assert "This was recorded before" in answers(scene)[0]
    assert held(scene) == 1


def fails(error: OutsideError) -> object:
    """A call to the forge that fails."""

    def call(*_: object, **__: object) -> None:
        raise error

    return call


@pytest.mark.parametrize("lost", ["add_note", "react"])
def test_either_of_answer_and_reaction_marks_a_comment(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    monkeypatch.setattr(scene.forge, lost, fails(Permanent("write", "!2", "locked")))
    assert say(scene, "/hold wait") == ("shop",)
    before = len(scene.forge.comments[waiting(scene).iid])
    scene.memory.texts.clear()
    assert hear(scene, waiting(scene)) == ()
    assert len(scene.forge.comments[waiting(scene).iid]) == before
    assert held(scene) == 1


def test_what_can_be_neither_answered_nor_marked_is_tried_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("add_note", "react"):
        monkeypatch.setattr(scene.forge, name, fails(Permanent("write", "!2", "locked")))
    with pytest.raises(Permanent):
        say(scene, "/hold wait")


def test_a_state_that_cannot_be_written_is_told(scene: Scene) -> None:
    refusing = Path(scene.forge.access("r").url) / "hooks" / "pre-receive"
    refusing.parent.mkdir(exist_ok=True)
    refusing.write_text("#!/bin/sh\necho protected >&2\nexit 1\n")
    refusing.chmod(0o755)
    assert say(scene, "/hold wait", "/status") == ()
    first, second = answers(scene)
    assert "Nothing can be recorded" in first
    assert "`prod`" in second


def test_a_quiet_thread_is_read_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.forge.pass_time(timedelta(minutes=1))
    assert hear(scene, waiting(scene)) == ()
    monkeypatch.setattr(scene.forge, "notes", fails(Transient("list", "!2", "must not be asked")))
    assert hear(scene, waiting(scene)) == ()


def test_a_thread_that_changed_a_moment_ago_is_read_again(scene: Scene) -> None:
    """GitHub writes whole seconds: a second comment may carry the time of the first."""
    request = waiting(scene)
    scene.forge._update(request.iid)
    assert hear(scene, waiting(scene)) == ()
    scene.forge.comment_as(Thread(request.iid), "/status")
    hear(scene, waiting(scene))
    assert len(answers(scene)) == 1


def heed(scene: Scene) -> bool:
    return heed_labels(scene.context, scene.hands, scene.reconcile().snapshot)


def test_of_two_label_changes_in_one_second_the_later_counts(scene: Scene) -> None:
    request = waiting(scene)
    assert say(scene, "/hold wait") == ("shop",)
    scene.forge.pass_time()
    scene.forge.label_as(request.iid, (HOLD,), PERSON, added=False)
    log = scene.forge.label_log[request.iid]
    log[-1:] = [LabelChange(HOLD, PERSON, True, log[-1].at), log[-1]]
    assert heed(scene)
    assert held(scene) == 0


def test_a_hold_by_label_is_as_old_as_the_label_whatever_our_clock_says(scene: Scene) -> None:
    request = waiting(scene)
    scene.forge.label_as(request.iid, (HOLD,), PERSON)
    scene.forge.pass_time()
    assert heed(scene) and held(scene) == 1
    at = scene.forge.label_log[request.iid][-1].at + timedelta(seconds=1)
    scene.forge.label_as(request.iid, (HOLD,), PERSON, added=False)
    scene.forge.label_log[request.iid][-1] = LabelChange(HOLD, PERSON, False, at)
    assert heed(scene) and held(scene) == 0


def test_S16_a_label_of_which_nobody_knows_who_set_it_holds_while_it_stands(scene: Scene) -> None:
    request = waiting(scene)
    scene.forge._update(request.iid, labels=(*request.labels, HOLD))
    assert not heed(scene)
    assert HOLD in waiting(scene).labels
    assert held(scene) == 0


def test_what_a_command_held_and_a_crash_left_unlabelled_gets_its_label(scene: Scene) -> None:
    request = waiting(scene)
    say(scene, "/hold for 2h wait")
    scene.forge._update(request.iid, labels=request.labels)
    scene.forge.label_log.clear()
    assert not heed(scene)
    assert HOLD in waiting(scene).labels
    # It ends by itself, and its label goes.
    scene.forge.pass_time(timedelta(hours=3))
    assert heed(scene)
    assert HOLD not in waiting(scene).labels


def test_a_removal_from_before_the_hold_releases_nothing(scene: Scene) -> None:
    request = waiting(scene)
    scene.forge.label_as(request.iid, (HOLD,), PERSON)
    scene.forge.label_as(request.iid, (HOLD,), PERSON, added=False)
    say(scene, "/hold wait")
    scene.forge._update(request.iid, labels=request.labels)
    scene.forge.label_log[request.iid] = scene.forge.label_log[request.iid][:2]
    assert not heed(scene)
    assert HOLD in waiting(scene).labels
    assert held(scene) == 1


def test_internal_is_answered_internally(scene: Scene) -> None:
    request = waiting(scene)
    note = scene.forge.comment_as(Thread(request.iid), "/status")
    scene.forge.comments[request.iid][-1] = replace(note, internal=True)
    hear(scene, request)
    assert scene.forge.comments[request.iid][-1].internal


def test_R11_a_fault_of_our_own_is_told_and_the_next_comment_is_done(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = scene.forge.permission

    def permission(repository: str, user: User) -> Permission:
        asked.append(user.username)
        if len(asked) == 1:
            raise KeyError("prod")
        return real(repository, user)

    monkeypatch.setattr(scene.forge, "permission", permission)
    assert say(scene, "/hold first", "/hold second") == ("*", "shop")
    first, second = answers(scene)
    assert "Towpath failed on this command; it is logged" in first
    assert "is held: second" in second
    assert held(scene) == 1


def test_R11_what_fails_outside_is_tried_again_and_the_rest_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = scene.forge.permission, [Transient("read", "a role", "500")]

    def permission(repository: str, user: User) -> Permission:
        if failures:
            raise failures.pop()
        return real(repository, user)

    monkeypatch.setattr(scene.forge, "permission", permission)
    request = waiting(scene)
    for text in ("/hold first", "/hold second"):
        scene.forge.comment_as(Thread(request.iid), text)
    spoken = converse(scene.context, scene.hands, waiting(scene))
    assert isinstance(spoken.failure, Transient) and spoken.wakes == ("shop",)
    assert hear(scene, waiting(scene)) == ("shop",)
    assert ["second" in answers(scene)[0], "first" in answers(scene)[1]] == [True, True]
    assert held(scene) == 2


def test_R6_behind_a_rate_limit_nothing_more_is_asked(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    limit = RateLimited("read", "a role", scene.hands.clock())
    with monkeypatch.context() as patch:
        patch.setattr(scene.forge, "permission", fails(limit))
        request = waiting(scene)
        for text in ("/hold first", "/help"):
            scene.forge.comment_as(Thread(request.iid), text)
        assert converse(scene.context, scene.hands, waiting(scene)).failure is limit
    assert answers(scene) == []


def test_commands_answer_to_the_name_that_the_operator_gave(scene: Scene) -> None:
    scene.context = replace(scene.context, command_prefix="ship")
    say(scene, "/ship status", "/towpath status")
    (answer, *_) = answers(scene)
    assert "`/ship status`" in answer and "`prod`" in answer
