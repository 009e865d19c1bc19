"""The main job from end to end, with the real mirror and a forge in process."""

from pathlib import Path

import pytest

from bot.errors import Permanent, Transient
from policies import naming
from policies.model import Check, CheckState, MergeRequestState, Thread
from tests.flows.world import HOST, POLICY, Scene, digest, green, long_ago, values
from workers.observe.own import own_commit

NONPROD = "environments/nonprod/one/shop/values.yaml"
PROD = "environments/prod/one/shop/values.yaml"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_a_published_image_walks_to_production(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    waiting = scene.open_in("prod")
    assert waiting is not None and scene.pins("prod") == values(tag="v1")
    scene.forge.merge_as(waiting.iid)
    done = scene.settle()
    assert scene.pins("prod") == values(tag="v2")
    assert [stage.verdict.reason for stage in done.plan.stages] == ["nonprod runs v2", "prod runs v2"]


def test_only_the_digest_and_tag_change_in_one_commit_for_all_targets(tmp_path: Path) -> None:
    files = {f"environments/nonprod/{name}/shop/values.yaml": values() for name in ("one", "two", "three", "four")}
    scene = Scene(tmp_path, POLICY.replace("merge: auto", "merge: manual"), files)
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("nonprod")
    assert request is not None
    changed = scene.context.mirror.changed(scene.forge.head("", "main"), request.head)
    assert list(changed) == sorted(files)
    assert scene.context.mirror.read(request.head, changed[0]) == values(tag="v2").encode()
    assert len(scene.context.mirror.log(scene.forge.head("", "main"), request.head, 10)) == 1


def test_a_newer_release_supersedes_with_links_both_ways(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    old = scene.open_in("prod")
    scene.publish("v3")
    scene.settle()
    new = scene.open_in("prod")
    assert old is not None and new is not None and old.iid != new.iid
    assert scene.forge.requests[old.iid].state is MergeRequestState.closed
    assert new.url in scene.report(old.iid)
    name = naming.parse_branch(new.source_branch)
    assert name is not None
    record = own_commit(scene.context, new.head, name)
    assert record is not None and record[1].supersedes == old.iid


def test_a_revert_in_git_is_respected_here_and_further_down(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    merged = scene.forge.requests[1].merge_commit
    assert merged is not None
    scene.forge.revert_as(merged)
    done = scene.settle()
    assert scene.pins("nonprod") == values()
    assert scene.forge.opened() == []
    assert "reverted" in done.plan.stages[0].verdict.reason


def test_a_merge_request_closed_by_a_person_is_respected_until_it_is_reopened(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("prod")
    assert request is not None
    scene.forge.close_as(request.iid)
    done = scene.settle()
    assert "declined" in done.plan.stages[1].verdict.reason
    scene.forge.reopen_as(request.iid)
    scene.settle()
    again = scene.open_in("prod")
    assert again is not None and again.iid == request.iid


def test_S13_a_neighbours_change_to_the_same_file_is_fine(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("prod")
    assert request is not None
    scene.forge.commit_as({PROD: "replicas: 3\n" + values()})
    scene.settle()
    still = scene.open_in("prod")
    assert still is not None and still.iid == request.iid and "✅ Every gate passes" in scene.report(request.iid)
    scene.forge.merge_as(request.iid)
    scene.settle()
    assert scene.pins("prod") == "replicas: 3\n" + values(tag="v2")


def test_a_neighbours_change_that_conflicts_makes_a_new_attempt(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    old = scene.open_in("prod")
    assert old is not None
    scene.forge.commit_as({PROD: values() + "replicas: 3\n"})
    scene.settle()
    new = scene.open_in("prod")
    assert new is not None and new.iid != old.iid
    scene.forge.merge_as(new.iid)
    scene.settle()
    assert scene.pins("prod") == values(tag="v2") + "replicas: 3\n"


def test_S13_somebody_elses_commit_on_the_branch_blocks_and_says_what_differs(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("prod")
    assert request is not None
    scene.forge.commit_as({"README.md": "sneaky"}, request.source_branch)
    scene.settle()
    text = scene.report(request.iid)
    assert "⛔ Blocked" in text and "`README.md`" in text and request.head[:12] in text
    status = scene.forge.statuses[scene.forge.request("", request.iid).head]["towpath"]
    assert status.state is CheckState.failed


def test_a_new_cluster_in_the_stage_makes_a_new_attempt(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    old = scene.open_in("prod")
    assert old is not None
    scene.forge.commit_as({"environments/prod/two/shop/values.yaml": values()})
    scene.settle()
    new = scene.open_in("prod")
    assert new is not None and new.source_branch.endswith("-2")
    assert "towpath:refreshed" in scene.forge.requests[old.iid].labels


def test_checks_are_waited_for_and_a_failure_blocks(tmp_path: Path) -> None:
    scene = Scene(tmp_path, POLICY.replace("checks: optional", "checks: required"))
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("nonprod")
    assert request is not None and "no pipeline has reported" in scene.report(request.iid)
    scene.forge.check_as(request.iid, Check("validate", CheckState.failed))
    scene.settle()
    assert "`validate` failed" in scene.report(request.iid)
    scene.forge.check_as(request.iid, green())
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")


def test_R3_a_crash_between_push_and_merge_request_is_gone_on_with(scene: Scene, tmp_path: Path) -> None:
    scene.publish("v2")
    opened = scene.forge.open_request
    scene.forge.open_request = _down  # type: ignore[method-assign,assignment]  # the forge breaks here
    with pytest.raises(Transient):
        scene.reconcile()
    scene.forge.open_request = opened  # type: ignore[method-assign]
    scene.published.clear()
    scene.memory.texts.clear()
    scene.fresh_context()
    scene.context.mirror.fetch()
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    assert next(iter(scene.forge.requests.values())).source_branch.endswith("-1")


def _down(*_: object) -> None:
    raise Transient("open a merge request for", "platform/config", "503")


def test_R4_emptied_redis_changes_nothing(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    before = list(scene.forge.requests.values())
    scene.published.clear()
    scene.memory.texts.clear()
    scene.fresh_context()
    scene.settle()
    assert list(scene.forge.requests.values()) == before
    assert all(len(notes) == 1 for notes in scene.forge.comments.values())


def test_R2_an_older_build_that_arrives_late_goes_nowhere(scene: Scene) -> None:
    scene.publish("v3")
    scene.settle()
    scene.publish("v2", created=long_ago())
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v3")


def test_nobody_can_invent_a_published_image_by_pushing_a_branch(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    own = scene.forge.head("", f"towpath/p/nonprod/shop/{_release(scene)}-1")
    forged = scene.context.mirror.message(own)
    forged = forged.replace(digest("v2"), digest("evil")).replace("tag=v2", "tag=v9")
    head = scene.forge.head("", "main")
    scene.forge.commit_as({"x": "y"}, "towpath/p/nonprod/shop/0123456789ab-1", forged, head)
    scene.context.mirror.fetch()
    scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    assert not any("evil" in one.title or "v9" in one.title for one in scene.forge.requests.values())


def _release(scene: Scene) -> str:
    return scene.forge.requests[1].source_branch.rpartition("/")[2].partition("-")[0]


def test_a_broken_values_file_blocks_its_stage_alone(scene: Scene) -> None:
    scene.forge.commit_as({PROD: "image: [\n"})
    scene.publish("v2")
    done = scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    assert f"`{PROD}:" in done.plan.stages[1].verdict.reason


def test_a_broken_policy_is_gone_round_by_the_last_good_one(scene: Scene) -> None:
    scene.forge.commit_as({"towpath.yaml": POLICY.replace("merge: auto", "merge: automatic")})
    scene.publish("v2")
    done = scene.settle()
    assert scene.pins("nonprod") == values(tag="v2")
    assert "did you mean auto?" in done.snapshot.policy_faults[0].message
    assert done.snapshot.policy_faults[0].line == 8


def test_several_images_move_together_when_all_carry_one_revision(tmp_path: Path) -> None:
    files = {NONPROD: "a:\n" + _indented("api") + "b:\n" + _indented("worker")}
    scene = Scene(tmp_path, POLICY, files)
    scene.publish("api-2", "api", revision="a" * 40)
    done = scene.settle()
    assert f"waits for `{HOST}/worker`" in done.plan.stages[0].verdict.reason
    scene.publish("worker-2", "worker", revision="a" * 40)
    scene.settle()
    assert digest("api-2") in scene.pins("nonprod") and digest("worker-2") in scene.pins("nonprod")
    assert len(scene.forge.requests) == 1


def _indented(image: str) -> str:
    return "".join(f"  {line}\n" for line in values(image).splitlines())


@pytest.mark.parametrize("mode", ["observe", "propose"])
def test_modes_for_careful_adoption(tmp_path: Path, mode: str) -> None:
    scene = Scene(tmp_path, POLICY.replace("merge: auto", f"merge: auto\n    mode: {mode}"))
    scene.publish("v2")
    done = scene.settle()
    assert scene.pins("nonprod") == values()
    assert (scene.open_in("nonprod") is not None) == (mode == "propose")
    if mode == "observe":
        assert "would open" in done.plan.stages[0].verdict.reason


def test_S12_the_policy_that_counts_is_the_target_branchs_not_the_merge_requests(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("prod")
    assert request is not None
    lowered = POLICY.replace("merge: manual", "merge: auto")
    scene.forge.commit_as({"towpath.yaml": lowered}, request.source_branch)
    done = scene.settle()
    assert done.snapshot.policy.stage("prod").merge == "manual"
    assert scene.pins("prod") == values()
    assert "`towpath.yaml`" in scene.report(request.iid)


def test_R9_a_comment_that_cannot_be_posted_stops_no_promotion(scene: Scene) -> None:
    scene.forge.add_note = _silent  # type: ignore[method-assign,assignment]  # the forge takes no comments
    scene.publish("v2")
    scene.reconcile()
    scene.reconcile()
    done = scene.reconcile()
    assert scene.pins("nonprod") == values(tag="v2")
    assert scene.open_in("prod") is not None
    assert [str(failure) for failure in done.failures] == ["failed to comment on !2: 403"]


def _silent(_repository: str, thread: Thread, _body: str) -> None:
    raise Permanent("comment on", f"!{thread.iid}", "403")


def test_S16_an_unreadable_target_upstream_is_not_taken_for_a_released_one(tmp_path: Path) -> None:
    other = "environments/nonprod/two/shop/values.yaml"
    scene = Scene(tmp_path, POLICY, {NONPROD: values(), other: values(), PROD: values()})
    scene.forge.commit_as({other: "image: [\n", NONPROD: values(tag="v2")})
    done = scene.settle()
    assert scene.open_in("prod") is None
    assert f"`{other}`" in done.plan.stages[1].verdict.reason


def test_a_stage_that_is_looked_past_still_says_which_tags_enter(tmp_path: Path) -> None:
    policy = POLICY.replace("merge: auto", 'merge: auto\n    source: {tags: "semver >=1"}').replace(
        "after: [nonprod]", "after: [nonprod]\n    absent: pass"
    )
    scene = Scene(tmp_path, policy, {PROD: values()})
    scene.publish("pr-123")
    scene.settle()
    assert scene.open_in("prod") is None
    scene.publish("v1.2.0")
    scene.settle()
    assert scene.open_in("prod") is not None


def test_two_revisions_of_one_service_are_never_mixed(tmp_path: Path) -> None:
    files = {NONPROD: "a:\n" + _indented("api") + "b:\n" + _indented("worker")}
    scene = Scene(tmp_path, POLICY, files)
    for revision, build in (("b" * 40, "2"), ("c" * 40, "3")):
        scene.publish(f"api-{build}", "api", revision=revision)
    text = files[NONPROD].replace(digest("v1"), digest("api-3"), 1)
    scene.forge.commit_as({NONPROD: text})
    scene.publish("worker-2", "worker", revision="b" * 40)
    scene.settle()
    assert scene.forge.requests == {}


def test_a_promotion_whose_stage_was_renamed_is_closed_and_opened_under_the_new_name(scene: Scene) -> None:
    scene.publish("v2")
    scene.settle()
    old = scene.open_in("prod")
    assert old is not None
    scene.forge.commit_as({"towpath.yaml": POLICY.replace("name: prod", "name: production")})
    scene.settle()
    assert "towpath:withdrawn" in scene.forge.requests[old.iid].labels
    assert "there is no stage `prod` any more" in scene.report(old.iid)
    assert [one.source_branch.split("/")[2] for one in scene.forge.opened()] == ["production"]
