"""What people with some rights could try, and what they do without thinking: nothing unproved gets into a stage."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pygit2
import pytest

from bot.errors import Conflict, Permanent, Transient
from bot.forges.base import Proposal
from policies.model import Check, CheckState, Mergeable, MergeRequest, MergeRequestState, Thread
from tests.flows.direct import BOT, HEADS, PERSON, DirectForge
from tests.flows.world import POLICY, Scene, digest, green, values

CHECKED = POLICY.replace("merge: auto\n    checks: optional", "merge: auto")
"""Nonprod merges by itself, once a pipeline has succeeded."""

PARALLEL = POLICY.replace(
    "  - name: prod\n    where: {environment: prod}\n    after: [nonprod]\n    merge: manual\n    checks: optional\n",
    "  - {name: canary, where: {environment: canary}, after: [nonprod], merge: auto}\n"
    "  - {name: prod, where: {environment: prod}, after: [nonprod], merge: manual}\n",
)
"""Canary and prod come after nonprod; canary merges by itself, prod does not."""


def files(*places: str) -> dict[str, str | None]:
    """One values file for each `environment/cluster`."""
    return {f"environments/{place}/shop/values.yaml": values() for place in places}


def promoted(scene: Scene, stage: str) -> MergeRequest:
    found = scene.open_in(stage)
    assert found is not None
    return found


def squashing(forge: DirectForge) -> None:
    """From now on the forge's merges are squashes."""

    def merge(_: str, iid: int, head: str, message: str) -> str:
        main = forge.head("", "main")
        tree = str(forge.git.merge_commits(main, head).write_tree(forge.git))
        commit = forge._commit(tree, [main], message, "main")
        merged = {"state": MergeRequestState.merged, "merge_commit": commit, "merged_at": forge.now}
        forge._update(iid, head=head, **merged)
        return commit

    forge.merge = merge  # type: ignore[method-assign,assignment]


# --- somebody else's content, or another place ----------------------------------------------------------------------


def test_S13_S17_another_stages_commit_never_merges_by_this_stages_gates(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=PARALLEL, files=files("nonprod/one", "canary/one", "prod/one"))
    scene.publish("v2")
    scene.settle()
    canary, prod = promoted(scene, "canary"), promoted(scene, "prod")
    scene.forge.git.references.create(HEADS + canary.source_branch, prod.head, force=True)
    scene.forge.check_as(canary.iid, green())
    scene.settle()
    assert digest("v2") not in scene.pins("prod")
    assert scene.forge.requests[canary.iid].state is not MergeRequestState.merged
    assert promoted(scene, "canary").iid != canary.iid


def test_S13_a_promotion_that_was_made_to_go_elsewhere_is_blocked_and_says_so(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.forge.commit_as({"x": "y"}, branch="other", base=scene.forge.head("", "main"))
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "nonprod")
    scene.forge._update(request.iid, target_branch="other")
    scene.forge.check_as(request.iid, green())
    scene.settle()
    assert scene.forge.requests[request.iid].state is MergeRequestState.opened
    assert "goes to `other` instead of the branch" in scene.report(request.iid)


def test_S13_a_promotion_that_is_made_to_go_elsewhere_at_the_last_moment_is_not_merged(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "nonprod")
    scene.forge.check_as(request.iid, green())
    look, asked = scene.forge.request, []

    def retargeted(repository: str, iid: int) -> MergeRequest:
        asked.append(iid)
        scene.forge._update(iid, target_branch="other")
        return look(repository, iid)

    scene.forge.request = retargeted  # type: ignore[method-assign]
    with pytest.raises(Conflict, match="it goes to other, not to main"):
        scene.settle()
    assert asked == [request.iid]
    assert scene.forge.requests[request.iid].state is MergeRequestState.opened


def test_S17_a_merge_request_from_a_fork_is_nobodys_promotion(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "nonprod")
    scene.forge._update(request.iid, same_project=False)
    scene.forge.check_as(request.iid, green())
    scene.settle()
    assert scene.forge.requests[request.iid].state is MergeRequestState.opened
    (merged,) = (one for one in scene.forge.requests.values() if one.merge_commit)
    assert merged.same_project


def test_S17_a_merge_that_brought_more_than_was_proved_is_told_as_an_alarm(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    merge = scene.forge.merge

    def more(repository: str, iid: int, head: str, message: str) -> str:
        """A forge whose merge also brings in a file that nobody saw."""
        made = scene.forge.git[merge(repository, iid, head, message)].peel(pygit2.Commit)
        index = pygit2.Index()
        index.read_tree(made.tree)
        index.add(pygit2.IndexEntry("EVIL", scene.forge.git.create_blob(b"x"), pygit2.enums.FileMode.BLOB))
        scene.forge.git.references.create(HEADS + "main", made.parent_ids[0], force=True)
        parents = [str(parent) for parent in made.parent_ids]
        return scene.forge._commit(str(index.write_tree(scene.forge.git)), parents, made.message, "main")

    scene.forge.merge = more  # type: ignore[method-assign]
    scene.settle()
    assert "Alarm" in scene.report(1)
    assert "`EVIL`" in scene.report(1)


def test_S16_a_job_that_takes_towpaths_name_holds_the_merge_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "nonprod")
    scene.forge.statuses.setdefault(request.head, {})["forged"] = Check("towpath", CheckState.failed, author_id=8)
    scene.forge.check_as(request.iid, green())
    scene.settle()
    assert scene.forge.requests[request.iid].state is MergeRequestState.opened
    assert "`towpath` failed" in scene.report(request.iid)


# --- never backwards ------------------------------------------------------------------------------------------------


def test_S18_squashes_remember_when_an_image_was_seen_after_branches_and_redis_are_gone(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=POLICY.replace("merge: manual", "merge: auto"))
    squashing(scene.forge)
    scene.publish("v2")
    scene.publish("v3")
    first = scene.published[0]
    scene.settle()
    for name in list(scene.forge.git.references):
        if "towpath/" in name:
            scene.forge.git.references.delete(name)
    scene.memory.texts.clear()
    scene.fresh_context()
    scene.context.mirror.fetch()
    scene.published[:] = [first]
    scene.settle()
    assert digest("v3") in scene.pins("nonprod")
    assert digest("v3") in scene.pins("prod")


def test_S18_what_a_person_pinned_after_an_image_was_seen_is_not_overwritten_by_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.publish("v2")
    scene.settle()
    scene.forge.pass_time(timedelta(days=3))
    scene.forge.commit_as({"environments/nonprod/one/shop/values.yaml": values(tag="v9")}, message="hotfix")
    for request in scene.forge.opened():
        scene.forge.check_as(request.iid, green())
    scene.settle()
    assert digest("v9") in scene.pins("nonprod")
    assert scene.open_in("prod") is None or digest("v2") not in str(promoted(scene, "prod").description)


def test_S18_what_a_person_pinned_before_an_image_was_seen_is_replaced_by_it(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.forge.commit_as({"environments/nonprod/one/shop/values.yaml": values(tag="v9")}, message="hotfix")
    scene.forge.pass_time(timedelta(days=3))
    scene.publish("v10")
    scene.settle()
    assert digest("v10") in scene.pins("nonprod")


def test_rule_1_a_target_that_was_away_for_a_commit_still_speaks(tmp_path: Path) -> None:
    scene = Scene(tmp_path, files=files("nonprod/one", "nonprod/two", "prod/one"))
    two = "environments/nonprod/two/shop/values.yaml"
    scene.forge.commit_as({two: None}, message="move two")
    scene.forge.commit_as({"environments/nonprod/one/shop/values.yaml": values(tag="try")}, message="try on one")
    scene.forge.commit_as({two: values()}, message="two is back")
    scene.settle()
    assert scene.open_in("prod") is None


# --- what changes around a promotion --------------------------------------------------------------------------------


def test_a_new_cluster_gets_the_stages_release(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    scene.settle()
    scene.forge.merge_as(promoted(scene, "prod").iid)
    scene.settle()
    scene.forge.commit_as(files("nonprod/two", "prod/two"))
    scene.settle()
    assert digest("v2") in scene.pins("nonprod", "two")
    assert promoted(scene, "prod").source_branch.endswith("-2")


def test_the_promotion_of_a_unit_that_left_the_stage_is_closed_and_says_why(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "prod")
    scene.forge.commit_as({"environments/prod/one/shop/values.yaml": None})
    scene.settle()
    assert scene.forge.requests[request.iid].state is MergeRequestState.closed
    assert "`prod` has no target of `shop` any more" in scene.report(request.iid)


def test_a_branch_that_somebody_else_opened_a_merge_request_from_is_left_to_them(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.publish("v2")
    open_request = scene.forge.open_request

    def fails(repository: str, proposal: Proposal) -> MergeRequest:
        raise Transient("open", proposal.source_branch, "503")

    scene.forge.open_request = fails  # type: ignore[method-assign]
    with pytest.raises(Transient):
        scene.settle()
    scene.forge.open_request = open_request  # type: ignore[method-assign]
    (branch,) = (name for name in scene.context.mirror.branches() if name.startswith("towpath/p/"))
    scene.forge.user = PERSON
    theirs = scene.forge.open_request("", Proposal(branch, "main", "Draft: what is this", "", ()))
    scene.forge.user = BOT
    scene.settle()
    (ours,) = (one for one in scene.forge.opened() if one.author == BOT)
    assert ours.source_branch == branch[:-1] + "2"
    assert scene.forge.requests[theirs.iid].state is MergeRequestState.opened
    assert ours.mergeable is Mergeable.yes


def test_R3_a_crash_after_the_new_promotion_opened_loses_no_link(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=POLICY.replace("merge: auto", "merge: manual"))
    scene.publish("v2")
    scene.settle()
    old = promoted(scene, "nonprod")
    scene.publish("v3")
    close = scene.forge.close

    def dies(repository: str, iid: int, label: str) -> None:
        raise Transient("close", f"!{iid}", "connection reset")

    scene.forge.close = dies  # type: ignore[method-assign]
    assert [str(failure) for failure in scene.reconcile().failures] == [f"failed to close !{old.iid}: connection reset"]
    scene.forge.close = close  # type: ignore[method-assign]
    scene.settle()
    new = promoted(scene, "nonprod")
    assert scene.forge.requests[old.iid].state is MergeRequestState.closed
    assert new.url in scene.report(old.iid)


# --- what a person must be told --------------------------------------------------------------------------------------


def test_a_merge_that_the_forge_refuses_is_told_where_its_people_look_and_tried_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    merge, tried = scene.forge.merge, []

    def refuses(repository: str, iid: int, head: str, message: str) -> str:
        tried.append(scene.forge.now)
        raise Permanent("merge", f"!{iid}", "the bot's user needs a role that is allowed to merge")

    scene.forge.merge = refuses  # type: ignore[method-assign]
    with pytest.raises(Permanent):
        scene.settle()
    again = scene.settle()
    request = promoted(scene, "nonprod")
    assert "the forge refused the merge: the bot's user needs a role" in scene.report(request.iid)
    assert "tries again every ten minutes" in scene.report(request.iid)
    # A forge may ask for this very status before it merges, so a refusal must not take it back.
    assert scene.forge.statuses[request.head]["towpath"].state is CheckState.success
    assert len(tried) == 1
    assert again.wake_at is not None
    scene.forge.now = again.wake_at + timedelta(minutes=10)
    with pytest.raises(Permanent):
        scene.settle()
    assert len(tried) == 2
    scene.forge.merge = merge  # type: ignore[method-assign]
    scene.forge.pass_time(timedelta(minutes=11))
    scene.settle()
    assert scene.forge.requests[request.iid].state is MergeRequestState.merged


def test_R3_a_second_report_is_removed_by_the_next_pass(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "prod")
    scene.forge.add_note("", Thread(request.iid), scene.forge.comments[request.iid][0].body)
    scene.memory.texts.clear()
    scene.settle()
    assert "Every gate passes" in scene.report(request.iid)


def test_S18_a_hotfix_by_hand_stays_though_the_next_stage_takes_it_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v3")
    scene.forge.pass_time(timedelta(hours=1))
    scene.forge.commit_as({"environments/nonprod/one/shop/values.yaml": values(tag="hot")}, message="hotfix")
    for _ in range(4):
        scene.settle()
        scene.forge.pass_time(timedelta(minutes=10))
    assert digest("hot") in scene.pins("nonprod")


def test_S18_a_hotfix_that_came_with_a_new_cluster_is_one_too(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v3")
    scene.forge.pass_time(timedelta(hours=1))
    scene.forge.commit_as({"environments/nonprod/two/shop/values.yaml": values(tag="hot")}, message="a new cluster")
    scene.forge.commit_as({"environments/nonprod/one/shop/values.yaml": values(tag="hot")}, message="hotfix")
    scene.settle()
    assert digest("hot") in scene.pins("nonprod")


def test_a_release_that_a_person_has_just_merged_is_not_opened_again(tmp_path: Path) -> None:
    manual = POLICY.replace("merge: auto", "merge: manual")
    scene = Scene(tmp_path, policy=manual, files=files("nonprod/one", "nonprod/two"))
    scene.publish("v2")
    scene.forge.commit_as({"environments/nonprod/two/shop/values.yaml": values(tag="v2")}, message="by hand")
    scene.settle()
    request = promoted(scene, "nonprod")
    heads = scene.context.mirror.heads

    def late(names: Iterable[str]) -> Mapping[str, str]:
        """The heads as read; the merge comes right after."""
        found = heads(names)
        scene.context.mirror.heads = heads  # type: ignore[method-assign]
        scene.forge.merge_as(request.iid)
        return found

    scene.context.mirror.heads = late  # type: ignore[method-assign]
    scene.settle()
    assert list(scene.forge.requests) == [request.iid]


def test_R3_a_merge_whose_answer_was_lost_is_proved_by_the_next_pass(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    merge = scene.forge.merge

    def lost(repository: str, iid: int, head: str, message: str) -> str:
        scene.forge.merge = merge  # type: ignore[method-assign]
        merge(repository, iid, head, message)
        raise Transient("merge", f"!{iid}", "connection reset")

    scene.forge.merge = lost  # type: ignore[method-assign]
    with pytest.raises(Transient):
        scene.settle()
    assert "Merged as" not in scene.report(1)
    scene.settle()
    assert "Merged as" in scene.report(1)


def test_a_promotion_that_was_made_to_go_elsewhere_is_closed_when_a_newer_one_comes(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    scene.publish("v2")
    scene.settle()
    old = promoted(scene, "nonprod")
    scene.forge._update(old.iid, target_branch="other")
    scene.publish("v3")
    scene.settle()
    assert scene.forge.requests[old.iid].state is MergeRequestState.closed


def test_a_merge_that_can_never_be_proved_is_said_and_holds_nothing_up(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")
    merge = scene.forge.merge

    def lost(repository: str, iid: int, head: str, message: str) -> str:
        scene.forge.merge = merge  # type: ignore[method-assign]
        merge(repository, iid, head, message)
        scene.forge._update(iid, merge_commit="1" * 40)
        raise Transient("merge", f"!{iid}", "connection reset")

    scene.forge.merge = lost  # type: ignore[method-assign]
    with pytest.raises(Transient):
        scene.settle()
    scene.settle()
    assert "could not prove that nothing else came in" in scene.report(1)
    scene.publish("v3")
    scene.settle()
    assert digest("v3") in scene.pins("nonprod")


def test_a_refusal_whose_time_is_over_wakes_nobody_again_and_again(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.publish("v2")

    def refuses(_: str, iid: int, __: str, ___: str) -> str:
        raise Permanent("merge", f"!{iid}", "no")

    scene.forge.merge = refuses  # type: ignore[method-assign,assignment]
    with pytest.raises(Permanent):
        scene.settle()
    scene.forge.commit_as({"towpath.yaml": POLICY.replace("merge: auto", "merge: manual")})
    for _ in range(3):
        scene.forge.pass_time(timedelta(minutes=15))
        found = scene.settle()
        assert found.wake_at is None or found.wake_at > scene.forge.now - timedelta(minutes=1)
    assert "tries again" not in scene.report(1)


def behind(scene: Scene) -> None:
    """From now on the forge wants the newest commit in each branch before it merges, as GitHub can."""
    fresh = scene.forge._fresh

    def strict(iid: int) -> MergeRequest:
        one = fresh(iid)
        late = not scene.forge.git.descendant_of(one.head, scene.forge.head("", "main"))
        if one.state is not MergeRequestState.opened or not late:
            return one
        return replace(one, mergeable=Mergeable.no, merge_reason="behind")

    scene.forge._fresh = strict  # type: ignore[method-assign]


def test_a_promotion_that_fell_behind_is_made_anew_and_merges(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    behind(scene)
    scene.publish("v2")
    scene.settle()
    first = promoted(scene, "nonprod")
    scene.forge.commit_as({"README": "moved on"})
    scene.settle()
    assert promoted(scene, "nonprod").iid == first.iid  # its pipeline is not through: nothing to hurry for
    scene.forge.check_as(first.iid, green())
    scene.settle()
    second = promoted(scene, "nonprod")
    assert second.iid != first.iid
    scene.forge.check_as(second.iid, green())
    scene.settle()
    assert digest("v2") in scene.pins("nonprod")


def test_only_one_unit_of_a_repository_is_made_anew_at_a_time(tmp_path: Path) -> None:
    scene = Scene(tmp_path, policy=CHECKED)
    behind(scene)
    scene.publish("v2")
    scene.settle()
    request = promoted(scene, "nonprod")
    scene.memory.set("catching-up:direct:platform/config", "another", 900)
    scene.forge.commit_as({"README": "moved on"})
    scene.forge.check_as(request.iid, green())
    scene.settle()
    assert promoted(scene, "nonprod").iid == request.iid
    assert "newest commit in this branch first" in scene.report(request.iid)
    scene.memory.delete("catching-up:direct:platform/config")
    scene.settle()
    assert promoted(scene, "nonprod").iid != request.iid
