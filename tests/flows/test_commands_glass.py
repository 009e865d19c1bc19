"""Break glass by people, over real HTTP on both forges: two of them, one gate, one head, for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, RequestState, Role
from policies import trailers
from policies.wording.answers import answered
from tests.flows.gated import look
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest

pytestmark = pytest.mark.long

CHECKED = POLICY.replace("merge: manual\n    checks: optional\n", "merge: auto\n    checks: required\n")


@contextmanager
def two_managers(folder: Path, redis_url: str, kind: str, policy: str = CHECKED) -> Iterator[tuple[Town, MergeRequest]]:
    """Maria and Mira are maintainers; v2 waits for prod, where its check has failed."""
    with towns(folder, redis_url, kind, policy) as town:
        town.sandbox.add_user("mira")
        town.sandbox.add_member("platform", "mira", Role.maintainer)
        town.publish("v2")
        town.settle()
        request = town.open_in("prod")
        assert request is not None
        town.set_status(request.head, "failed")
        look(town)
        assert request.state is RequestState.opened
        yield town, request


@pytest.fixture(params=FORGES)
def scene(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[tuple[Town, MergeRequest]]:
    with two_managers(tmp_path, redis_url, request.param) as made:
        yield made


def test_one_says_it_another_confirms_it_and_it_merges_with_the_evidence(scene: tuple[Town, MergeRequest]) -> None:
    town, request = scene
    first = town.say("maria", request, "/override checks the linter is down")
    town.settle()
    (answer,) = town.answers(request, first)
    assert "It waits for a second person with the right `override`" in answer
    assert town.reactions(first) == ["eyes"]
    # Neither the same person again, nor one without the right.
    assert "waits for a second person" in town.ask("maria", request, "/override checks the linter is down")
    assert "You lack the right `override`" in town.ask("jonas", request, "/override checks the linter is down")
    assert digest("v2") not in town.pins("prod")
    second = town.say("mira", request, "/override checks yes, I have looked")
    town.settle()
    assert town.reactions(second) == ["hooray"]
    assert request.state is RequestState.merged
    assert digest("v2") in town.pins("prod")
    record = trailers.read(town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message)
    people = ",".join(str(town.sandbox.user(name).id) for name in ("maria", "mira"))
    assert record is not None
    assert [one.rpartition(" ")[0] for one in record.overrides] == [f"checks by={people}"]


def test_a_first_word_that_nobody_confirms_ends_by_itself(scene: tuple[Town, MergeRequest]) -> None:
    town, request = scene
    first = town.say("maria", request, "/override checks the linter is down")
    town.settle()
    # Its reaction marks it as answered where somebody deletes the answer.
    request.notes[:] = [note for note in request.notes if answered(note.body) != first.id]
    town.flush_redis()
    town.open(town.url)
    town.sweep()
    assert town.answers(request) == []
    town.pass_time(31 * 60)
    assert "waits for a second person" in town.ask("mira", request, "/override checks the linter is down")
    assert request.state is RequestState.opened


def test_what_is_never_passed_over(scene: tuple[Town, MergeRequest]) -> None:
    """S13, S16 to S19."""
    town, request = scene
    for gate in ("integrity", "state", "forge", "quarantine", "hold", "signing"):
        assert f"`{gate}` is never passed over" in town.ask("maria", request, f"/override {gate} now")
    assert "did you mean checks?" in town.ask("maria", request, "/override cheks now")
    assert "`prod` has no gate `soak` now" in town.ask("maria", request, "/skip soak now")
    assert "overrides" not in town.state()


def test_an_override_is_for_one_head_and_ends(tmp_path: Path, redis_url: str) -> None:
    """Approved for a head that then changes: it counts for nothing; and after its time neither."""
    with two_managers(tmp_path, redis_url, "gitlab") as (town, request):
        assert "is held" in town.ask("maria", request, "/hold wait")
        town.ask("maria", request, "/override checks the linter is down")
        town.ask("mira", request, "/override checks the linter is down")
        assert "confirmed:" in town.state()
        town.pass_time(3700)
        assert "is lifted" in town.ask("maria", request, "/unhold")
        assert request.state is RequestState.opened
        assert "overrides" not in town.state()


def test_S15_who_asked_for_the_promotion_confirms_nothing(scene: tuple[Town, MergeRequest]) -> None:
    town, old = scene
    town.sandbox.close_as("jonas", PROJECT, old.iid)
    town.settle()
    town.ask("maria", old, "/towpath promote")
    new = town.open_in("prod")
    assert new is not None
    town.ask("mira", new, "/override checks the linter is down")
    assert "(S15)" in town.ask("maria", new, "/override checks I asked for it")
    assert digest("v2") not in town.pins("prod")


def test_S6_the_first_word_of_one_who_lost_the_right_confirms_nothing(scene: tuple[Town, MergeRequest]) -> None:
    town, request = scene
    town.ask("mira", request, "/override checks the linter is down")
    town.sandbox.add_member("platform", "mira", Role.developer)
    assert "waits for a second person" in town.ask("maria", request, "/override checks yes")
    assert digest("v2") not in town.pins("prod")
