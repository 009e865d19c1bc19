"""Commands that people write in comments, over real HTTP on both forges: what they do, and what is answered (S5-S7)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.model import RequestState, Role
from bot.sandbox.requests import Opening
from policies import trailers
from tests.flows.gated import approve, gated_town, is_in_prod, waiting
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest, values


@pytest.fixture(params=FORGES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def town(tmp_path: Path, redis_url: str, kind: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, kind) as made:
        yield made


def test_questions_are_answered_by_two_writes_each_and_change_nothing(town: Town) -> None:
    request = waiting(town)
    before = town.state()
    for text, words in {
        "/status": "| `prod` | `v1`",
        "/explain": "needs 1 of `@platform/owners` (2 people)",
        "/explain @omar": "`@omar`",
        "/help": "| `/promote [SERVICE] [to STAGE]",
        "/help hold": "`/hold [SERVICE] [STAGE]",
        "/retry": "is looked at again",
    }.items():
        said = town.say("jonas", request, text)
        town.sandbox.journal.clear()
        town.settle()
        (answer,) = town.answers(request, said)
        assert words in answer
        assert answer.splitlines()[2] == f"`@jonas` at `{request.head[:12]}`:"
        assert town.reactions(said) == ["hooray"]
        assert town.sandbox.journal.writes("towpath") == 2, town.sandbox.journal.entries("towpath")
    assert town.state() == before
    assert not is_in_prod(town)


def test_a_promotion_that_was_asked_for_goes_past_a_closed_one_and_its_asker_never_approves(town: Town) -> None:
    """S15: by the sealed trailer, so that deleting the comment changes nothing; a stale approval never counts."""
    old = waiting(town)
    town.sandbox.add_member("platform/owners", "maria", Role.maintainer)
    town.sandbox.close_as("jonas", PROJECT, old.iid)
    town.settle()
    assert town.open_in("prod") is None
    answer = town.ask("maria", old, "/towpath promote")
    assert "is wanted in `prod`" in answer
    new = waiting(town)
    assert new.iid != old.iid
    old.notes.clear()
    record = trailers.read(town.sandbox.project(PROJECT).git.commit(new.head).message)
    assert record is not None and record.requesters == (town.sandbox.user("maria").id,)
    approve(town, "maria", new.iid)
    assert not is_in_prod(town)
    approve(town, "olga", new.iid)
    assert is_in_prod(town)
    assert "asked:" not in town.state()


def test_promote_asks_for_an_older_release_by_its_tag_or_digest(town: Town) -> None:
    first = waiting(town)
    town.publish("v3")
    town.settle()
    newer = waiting(town)
    assert newer.iid != first.iid
    control = town.control()
    assert "is no service or stage here" in town.ask("maria", control, "/promote shpo to prod v2")
    assert "is wanted in `prod`" in town.ask("maria", control, f"/towpath promote shop to prod {digest('v2')}")
    again = waiting(town)
    assert again.iid not in (first.iid, newer.iid)
    approve(town, "olga", again.iid)
    assert is_in_prod(town, "v2")


def test_refresh_makes_it_anew_and_no_approval_travels(town: Town) -> None:
    old = waiting(town)
    assert "is held" in town.ask("jonas", old, "/hold wait")
    approve(town, "olga", old.iid)
    assert "is replaced by a new merge request" in town.ask("jonas", old, "/refresh")
    new = waiting(town)
    assert (old.state, new.iid != old.iid) == (RequestState.closed, True)
    town.settle()
    assert waiting(town).iid == new.iid
    assert not is_in_prod(town)
    approve(town, "olga", new.iid)
    assert not is_in_prod(town), "the hold goes with the release"
    town.ask("maria", new, "/unhold")
    assert is_in_prod(town)


def test_merge_is_done_when_the_gates_pass_though_policy_leaves_it_to_people(
    tmp_path: Path, redis_url: str, kind: str
) -> None:
    with towns(tmp_path, redis_url, kind) as town:
        town.publish("v2")
        town.settle()
        request = town.open_in("prod")
        assert request is not None and request.state is RequestState.opened
        assert "You lack the right `merge`" in town.ask("jonas", request, "/towpath merge")
        assert request.state is RequestState.opened
        assert f"merges at exactly `{request.head[:12]}`" in town.ask("maria", request, "/towpath merge")
        assert digest("v2") in town.pins("prod")


def test_retry_tries_a_refused_merge_again_at_once(tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path, redis_url, "gitlab") as town:
        town.sandbox.configure(PROJECT, only_allow_merge_if_pipeline_succeeds=True)
        members = town.sandbox.project(PROJECT).group.members
        town.sandbox.add_member(PROJECT, "towpath", Role.developer)
        right = members.pop(town.sandbox.user("towpath").id)
        town.publish("v2")
        town.settle()
        request = town.open_in("nonprod")
        assert request is not None and "the forge refused the merge" in town.report(request.iid)
        members[town.sandbox.user("towpath").id] = right
        town.sandbox.add_member(PROJECT, "towpath", Role.maintainer)
        assert "tried again" in town.ask("jonas", request, "/retry")
        assert digest("v2") in town.pins("nonprod")


def test_an_unknown_command_gets_the_nearest_and_another_bots_command_nothing(town: Town) -> None:
    request = waiting(town)
    assert "did you mean `/promote`?" in town.ask("maria", request, "/promot shop")
    assert town.ask("maria", request, "/lgtm") == ""
    assert town.ask("maria", request, "/etc/passwd") == ""
    assert "there is no such command" in town.ask("maria", request, "/towpath dance").lower()


def test_what_is_no_command_gets_no_answer(town: Town) -> None:
    request = waiting(town)
    before = len(town.said(request))
    for text in ("```\n/hold now\n```", "> /hold now", "please `/hold now`", "<!--\n/hold now\n-->", "I /hold it"):
        town.say("maria", request, text)
    town.settle()
    assert len(town.said(request)) == before
    assert town.state().count("holds") == 0
    assert "towpath:hold" not in request.labels


def test_several_commands_all_or_none(town: Town) -> None:
    request = waiting(town)
    said = town.say("jonas", request, "/hold look at the errors", "/freeze prod for 2h an incident")
    town.settle()
    (answer,) = town.answers(request, said)
    assert "None of these was done" in answer
    assert "You lack the right `freeze`" in answer
    assert town.reactions(said) == ["-1"]
    assert "holds" not in town.state()
    assert "towpath:hold" not in request.labels
    before = town.sandbox.journal.pushes("towpath")
    said = town.say("maria", request, "/hold look at the errors", "/freeze prod for 2h an incident")
    town.settle()
    assert town.reactions(said) == ["hooray"]
    assert "holds" in town.state() and "freezes" in town.state()
    assert town.sandbox.journal.pushes("towpath") == before + 1


def test_rights_by_configuration_and_a_refusal_says_which_is_missing_and_who_has_it(
    tmp_path: Path, redis_url: str, kind: str
) -> None:
    policy = POLICY + 'permissions:\n  promote: {prod: ["@platform/releasers"], "*": ["@@developers"]}\n'
    with towns(tmp_path, redis_url, kind, policy) as town:
        town.sandbox.add_user("rita")
        town.sandbox.add_group("platform/releasers")
        town.sandbox.add_member("platform/releasers", "rita", Role.developer)
        town.sandbox.add_member(PROJECT, "rita", Role.developer)
        town.publish("v2")
        town.settle()
        request = town.open_in("prod")
        assert request is not None
        town.sandbox.close_as("jonas", PROJECT, request.iid)
        town.settle()
        refused = town.ask("maria", request, "/towpath promote")
        assert "You lack the right `promote` for `shop` in `prod`; who has it: `@platform/releasers`" in refused
        assert town.open_in("prod") is None
        assert "is wanted in `prod`" in town.ask("rita", request, "/towpath promote")
        assert town.open_in("prod") is not None


def test_S6_the_rights_of_just_now_count(town: Town) -> None:
    request = waiting(town)
    assert "`prod` is frozen" in town.ask("maria", request, "/freeze prod for 2h an incident")
    town.sandbox.add_member("platform", "maria", Role.developer)
    assert "You lack the right `unfreeze`" in town.ask("maria", request, "/unfreeze prod")
    assert "freezes" in town.state()


def test_on_a_merged_or_closed_merge_request_and_on_a_persons(town: Town) -> None:
    request = waiting(town)
    approve(town, "olga", request.iid)
    assert request.state is RequestState.merged
    assert f"!{request.iid} is merged" in town.ask("maria", request, "/hold too late")
    assert f"!{request.iid} is merged" in town.ask("maria", request, "/refresh")
    town.sandbox.commit_as("jonas", PROJECT, "fine", {"README.md": "x"}, "Fine")
    theirs = town.sandbox.open_as("jonas", PROJECT, Opening("fine", "main", "Fine"))
    town.settle()
    assert "Name a service, a stage or both" in town.ask("maria", theirs, "/hold this one")
    assert "this thread is none" in town.ask("maria", theirs, "/towpath merge")
    assert (theirs.state, theirs.labels) == (RequestState.opened, [])


def test_a_branch_that_only_looks_like_a_promotion_is_a_persons(town: Town) -> None:
    """S17: as one from a fork, whatever its branch is called."""
    branch = f"towpath/p/prod/shop/{'0' * 12}-1"
    town.sandbox.commit_as("jonas", PROJECT, branch, {"environments/prod/one/shop/values.yaml": values()[::-1]}, "x")
    theirs = town.sandbox.open_as("jonas", PROJECT, Opening(branch, "main", "Promote shop"))
    town.settle()
    for text in ("/towpath merge", "/refresh", "/override approvals now"):
        assert "this thread is none" in town.ask("maria", theirs, text)
    assert theirs.state is RequestState.opened
