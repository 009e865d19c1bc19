"""The approval gate over real HTTP on both forges: each attack by the name of the incident that taught it."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.forges import FORGES
from bot.sandbox.model import RequestState, Role
from bot.sandbox.requests import Edit, Opening
from bot.sandbox.statuses import Setting
from policies import trailers
from tests.flows.gated import GATED, PROD, approve, gated_town, is_in_prod, look, waiting
from tests.flows.town import PROJECT, Town
from tests.flows.world import digest, values


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def test_an_owner_approves_and_it_merges(town: Town) -> None:
    request = waiting(town)
    assert "needs 1 of `@platform/owners` (2 people)" in town.report(request.iid)
    assert not is_in_prod(town)
    approve(town, "olga", request.iid)
    assert is_in_prod(town)
    message = town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message
    assert f"Towpath-Approver: {town.sandbox.user('olga').id}" in message


def test_the_owners_are_asked_when_it_opens_and_nobody_else(town: Town) -> None:
    request = waiting(town)
    owners = {"olga", "omar"}
    assert {one.username for one in request.reviewers} == owners
    assert "Asked for an approval: @olga, @omar." in request.description
    assert {word.strip(",.") for word in request.description.split() if word.startswith("@")} == {"@olga", "@omar"}


def test_an_approval_of_somebody_else_counts_for_nothing(town: Town) -> None:
    request = waiting(town)
    approve(town, "jonas", request.iid)
    assert not is_in_prod(town)
    report = town.report(request.iid)
    assert "needs 1 of `@platform/owners` (2 people); one approval does not count: its giver is none of those" in report
    approve(town, "olga", request.iid)
    assert is_in_prod(town)
    message = town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message
    approvers = [line.split()[1] for line in message.splitlines() if line.startswith("Towpath-Approver: ")]
    assert approvers == [str(town.sandbox.user("olga").id)]


def test_the_status_names_what_is_waited_for_where_the_forge_lets_it_change(town: Town) -> None:
    request = waiting(town)
    first = town.status(request)
    approve(town, "jonas", request.iid)
    if town.kind == "github":
        assert first == "pending Waits: needs 1 of @platform/owners (2 people)"
        assert town.status(request).startswith(f"{first}; one approval does not count: its giver is none of those")
    else:
        assert first == town.status(request) == "pending Waits: Towpath's comment on the merge request says for what"
    town.sandbox.journal.clear()
    look(town)
    assert [one for one in town.sandbox.journal.entries("towpath") if "/statuses/" in one.path] == []


def test_an_owner_whose_account_was_renamed_approves_as_before(town: Town) -> None:
    """Ids count; somebody else who takes the old name is nobody's owner."""
    request, olga = waiting(town), town.sandbox.user("olga")
    state = town.sandbox.state
    renamed = state.users[olga.id] = replace(olga, username="olga2")
    for group in state.groups.values():
        if olga.id in group.members:
            group.members[olga.id] = replace(group.members[olga.id], user=renamed)
    members = town.sandbox.project(PROJECT).members
    members[olga.id] = replace(members[olga.id], user=renamed)
    town.sandbox.add_user("olga")
    town.sandbox.add_member(PROJECT, "olga", Role.developer)
    town.pass_time(400)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "its giver is none of those who are asked" in town.report(request.iid)
    approve(town, "olga2", request.iid)
    assert is_in_prod(town)
    message = town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message
    assert f"Towpath-Approver: {olga.id} olga2 at=" in message


@pytest.mark.parametrize(
    ("path", "merged"),
    [(PROD, False), ("environments/prod/two/shop/values.yaml", False), ("CODEOWNERS", False), ("README.md", True)],
)
def test_a_merge_that_races_with_a_change_of_its_base(town: Town, path: str, merged: bool) -> None:
    """Pushed right before Towpath looks: what is approved was another change, or of other owners, or the same."""
    request = waiting(town)
    content = {PROD: values(tag="other"), "CODEOWNERS": "/environments/prod/ @jonas\n"}.get(path, values())
    town.lost = 50
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.sandbox.commit_as("maria", PROJECT, "main", {path: content}, "meanwhile")
    town.lost = 0
    look(town)
    assert is_in_prod(town) is merged, town.report(request.iid)
    assert town.sandbox.request(PROJECT, request.iid).head == request.head


def test_gitlab_CVE_2023_4812_content_pushed_after_the_approval(town: Town) -> None:
    request = waiting(town)
    own = request.head
    town.sandbox.commit_as("jonas", PROJECT, request.source_branch, {"evil.yaml": "x"}, "more")
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    report = town.report(request.iid)
    assert "somebody pushed to it" in report
    assert own[:12] in report


def test_gitlab_436977_a_branch_deleted_and_made_again_brings_no_approval_along(town: Town) -> None:
    request = waiting(town)
    town.sandbox.close_as("jonas", PROJECT, request.iid)
    town.sandbox.force_as("jonas", PROJECT, request.source_branch, None)
    town.sandbox.force_as("jonas", PROJECT, request.source_branch, town.sandbox.head(PROJECT))
    town.sandbox.commit_as("jonas", PROJECT, request.source_branch, {PROD: values(tag="evil")}, "mine")
    town.sandbox.reopen_as("jonas", PROJECT, request.iid)
    approve(town, "olga", request.iid)
    assert digest("evil") not in town.pins("prod")


def test_gitlab_422142_a_changed_target_branch(town: Town) -> None:
    request = waiting(town)
    town.sandbox.commit_as("maria", PROJECT, "other", {"x": "y"}, "other")
    town.sandbox.edit_as("jonas", PROJECT, request.iid, Edit(target_branch="other"))
    approve(town, "olga", request.iid)
    assert request.state is RequestState.opened
    assert "goes to `other`" in town.report(request.iid)


def test_kyverno_5243_nobody_approves_what_they_asked_for(town: Town) -> None:
    """By the commit's sealed trailer, so that deleting the comment changes nothing."""
    request = waiting(town)
    git = town.sandbox.project(PROJECT).git
    record = trailers.read(git.commit(request.head).message)
    assert record is not None
    olga = town.sandbox.user("olga").id
    said = git.commit(request.head).message.partition("Towpath-Seal")[0]
    asked = said.replace("Towpath-Release", f"Towpath-Requester: {olga}\nTowpath-Release", 1)
    message = trailers.sealed(asked, town.world.context("main", PROJECT).seal_keys[0])
    tree, parents = git.tree(request.head), git.commit(request.head).parents
    who = git.commit(request.head).author
    commit = git.create_commit(tree, parents, message, (who, who))
    town.sandbox.force_as("towpath", PROJECT, request.source_branch, commit)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "one approval does not count: its giver asked for this promotion" in town.report(request.iid)
    approve(town, "omar", request.iid)
    assert is_in_prod(town)


def test_an_approval_by_a_person_who_left(town: Town) -> None:
    request = waiting(town)
    group = next(one for one in town.sandbox.state.groups.values() if one.path == "owners")
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    del group.members[town.sandbox.user("olga").id]
    look(town)
    assert not is_in_prod(town)
    assert "(1 person)" in town.report(request.iid)


def test_an_owner_who_may_no_longer_write(town: Town) -> None:
    request = waiting(town)
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.sandbox.add_member(PROJECT, "olga", Role.reporter)
    look(town)
    assert not is_in_prod(town)
    assert "its giver may not write to this repository" in town.report(request.iid)


def test_policy_bot_28_a_withdrawn_approval_and_a_new_one(town: Town) -> None:
    request = waiting(town)
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.sandbox.unapprove_as("olga", PROJECT, request.iid)
    look(town)
    assert not is_in_prod(town)
    approve(town, "olga", request.iid)
    assert is_in_prod(town)


def test_qvac_3728_a_comment_after_an_approval_takes_nothing_back(town: Town) -> None:
    request = waiting(town)
    town.pass_time(1)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.sandbox.comment_as("olga", PROJECT, request.iid, "nice")
    look(town)
    assert is_in_prod(town)


def test_an_approval_of_an_older_release_does_not_travel(town: Town) -> None:
    old = waiting(town)
    town.pass_time(1)
    town.sandbox.approve_as("jonas", PROJECT, old.iid)
    town.publish("v3")
    town.settle()
    new = waiting(town)
    assert new.iid != old.iid
    assert "needs 1 of" in town.report(new.iid)


def test_bors_ng_S12_CODEOWNERS_of_the_merge_request_itself_is_not_asked(town: Town) -> None:
    request = waiting(town)
    town.sandbox.commit_as("jonas", PROJECT, request.source_branch, {"CODEOWNERS": "* @jonas\n"}, "mine now")
    approve(town, "jonas", request.iid)
    assert not is_in_prod(town)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no CODEOWNERS on the target branch"),
        ("/docs/ @platform/owners\n", "names no owner of `environments/prod"),
        ("/environments/prod/ @platform/nobody\n", "nobody can tell who `@platform/nobody` is"),
        ("/environments/prod/ @platform/empty\n", "none of them can give it"),
        ("/environments/prod/ @towpath\n", "none of them can give it"),
        ("/environments/prod/ not_an_owner\n", "CODEOWNERS has errors"),
    ],
)
def test_S16_atlantis_764_absent_is_not_satisfied(town: Town, content: str | None, words: str) -> None:
    town.sandbox.add_group("platform/empty")
    town.sandbox.commit_as("maria", PROJECT, "main", {"CODEOWNERS": content}, "owners")
    request = waiting(town)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert words in town.report(waiting(town).iid)


def test_S15_bots_never_count(town: Town) -> None:
    town.sandbox.add_user("helper", bot=True)
    town.sandbox.add_member("platform/owners", "helper", Role.developer)
    town.sandbox.add_member(PROJECT, "helper", Role.developer)
    request = waiting(town)
    approve(town, "helper", request.iid)
    assert not is_in_prod(town)


def test_gitlab_22956_a_status_set_by_somebody_else_merges_nothing(town: Town) -> None:
    request = waiting(town)
    town.sandbox.status_as("jonas", PROJECT, request.head, Setting("success", "towpath"))
    look(town)
    assert not is_in_prod(town)


def test_a_squatted_branch_is_not_taken_over(town: Town) -> None:
    """The branch of the next promotion is predictable; whoever made it first does not get Towpath's name for it."""
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v1")}, "same")
    request = waiting(town)
    town.sandbox.commit_as("jonas", PROJECT, "squat", {"x": "y"}, "squat")
    theirs = town.sandbox.open_as("jonas", PROJECT, Opening("squat", "main", "Promote shop v2 to prod"))
    approve(town, "olga", theirs.iid)
    assert theirs.state is RequestState.opened
    assert not is_in_prod(town)
    assert waiting(town).iid == request.iid


def test_an_objection_of_who_may_write_blocks(town: Town) -> None:
    if town.kind == "gitlab":
        pytest.skip("GitLab Free knows approvals alone")
    request = waiting(town)
    town.sandbox.review_as("jonas", PROJECT, request.iid, "REQUEST_CHANGES", "not on a Friday")
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert "`@jonas` asked for changes" in town.report(request.iid)


def test_S22_a_looser_policy_is_announced_where_it_is_proposed_and_alarmed_when_it_merges(town: Town) -> None:
    looser = GATED.replace("codeowners: required", "codeowners: ignored, minimum: 1")
    town.sandbox.commit_as("jonas", PROJECT, "easy", {"towpath.yaml": looser, "CODEOWNERS": "* @jonas\n"}, "Easier")
    opened = town.sandbox.open_as("jonas", PROJECT, Opening("easy", "main", "Easier"))
    town.settle()
    report = town.report(opened.iid)
    assert "This loosens the policy of promotions" in report
    assert "`prod`: code owners need not approve any more" in report
    assert "`CODEOWNERS` changes" in report
    town.sandbox.merge_as("maria", PROJECT, opened.iid)
    with capture_logs() as logs:
        town.settle()
    (alarm,) = (one for one in logs if one["event"] == "policy loosened")
    assert alarm["log_level"] == "critical"
