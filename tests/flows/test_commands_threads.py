"""Who is heard, when and how often, over real HTTP on both forges: threads, crashes, lost webhooks (S7, R3, R4)."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.forges import FORGES
from bot.sandbox.faults import Fault
from bot.sandbox.model import Issue, MergeRequest, Note, Role
from policies.naming import HOLD
from tests.flows.gated import GATED, gated_town, look, waiting
from tests.flows.town import PROJECT, Town

pytestmark = pytest.mark.long

NOTES = r".*/(notes|comments)"


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def only_on(town: Town, kind: str) -> None:
    if town.kind != kind:
        pytest.skip(f"only {kind} has this")


def once(town: Town, thread: MergeRequest | Issue, note: Note) -> str:
    """The one answer to a comment, also after everything has looked again."""
    look(town)
    town.sweep()
    (answer,) = town.answers(thread, note)
    return answer


def test_an_edited_comment_is_answered_once_and_not_done(town: Town) -> None:
    request = waiting(town)
    said = town.say("maria", request, "hello")
    town.settle()
    assert town.answers(request) == []
    town.pass_time(5)
    town.sandbox.edit_comment_as("maria", PROJECT, said, "/hold now")
    town.settle()
    assert "changed after it was written" in once(town, request, said)
    assert town.reactions(said) == ["-1"]
    assert "holds" not in town.state()
    # One that was answered already is not answered again.
    said = town.say("maria", request, "/status")
    town.settle()
    town.pass_time(5)
    town.sandbox.edit_comment_as("maria", PROJECT, said, "/hold now")
    town.settle()
    assert "`/status`" in once(town, request, said)
    assert "holds" not in town.state()


def test_a_reaction_counts_as_an_edit_on_gitlab_alone(town: Town) -> None:
    request = waiting(town)
    town.lost = 10_000
    said = town.say("maria", request, "/hold now")
    town.pass_time(5)
    said.updated_at = said.updated_at if town.kind == "github" else town.now
    town.lost = 0
    town.sweep()
    answer = once(town, request, said)
    assert ("is held" in answer) == (town.kind == "github")
    assert ("on GitLab a reaction counts too" in answer) == (town.kind == "gitlab")


def test_an_internal_note_is_answered_internally(town: Town) -> None:
    only_on(town, "gitlab")
    request = waiting(town)
    inner, outer = town.say("maria", request, "/status", internal=True), town.say("maria", request, "/status")
    town.settle()
    answers = {note.body.split()[2]: note.internal for note in town.said(request) if "towpath:answer" in note.body}
    assert answers == {str(inner.id): True, str(outer.id): False}
    town.say("jonas", request, "/hold embargo-of-acme", internal=True)
    town.settle()
    assert "internal: true" in town.state()
    assert "embargo-of-acme" not in town.report(request.iid) + town.status(request)
    git = town.sandbox.project(PROJECT).git
    head = git.head("towpath/state")
    assert head is not None and "acme" not in git.commit(head).message


def test_bots_and_towpath_itself_are_left_alone(town: Town) -> None:
    request = waiting(town)
    bot = "project_31_bot_5f1c"  # GitLab tells a bot by its name alone
    town.sandbox.add_user(bot, bot=True)
    town.sandbox.add_member("platform", bot, Role.maintainer)
    before = len(request.notes)
    for name in (bot, "towpath"):
        assert town.ask(name, request, "/hold by a bot") == ""
    assert len(request.notes) == before + 2
    assert "holds" not in town.state()


def test_S7_a_bot_with_an_ordinary_name_has_no_rights(town: Town) -> None:
    """GitLab tells of a comment's writer no more than the name."""
    request = waiting(town)
    town.sandbox.add_user("deployer", bot=True)
    town.sandbox.add_member("platform", "deployer", Role.maintainer)
    assert "is held" not in town.ask("deployer", request, "/hold by a bot")
    assert "holds" not in town.state()


def test_a_busy_discussion_makes_nobody_talk_to_himself(town: Town) -> None:
    request = waiting(town)
    before = len(town.said(request))
    for number in range(50):
        town.say("jonas" if number % 2 else "maria", request, "/status" if number % 10 == 0 else f"Thought {number}")
        if number % 7 == 0:
            town.step()
    town.settle()
    town.sweep()
    assert len(town.answers(request)) == 5
    assert len(town.said(request)) == before + 5
    town.sandbox.journal.clear()
    town.sweep()
    assert town.sandbox.journal.writes("towpath") == 0


def test_R4_redis_emptied_and_everything_looked_at_again(town: Town) -> None:
    request, control = waiting(town), town.control()
    threads: tuple[MergeRequest | Issue, ...] = (request, control)
    said = [town.say("maria", thread, "/hold shop prod an incident") for thread in threads]
    town.settle()
    town.flush_redis()
    town.open(town.url)
    pushes = town.sandbox.journal.pushes("towpath")
    for thread, note in zip(threads, said, strict=True):
        once(town, thread, note)
    assert town.sandbox.journal.pushes("towpath") == pushes


def test_a_deleted_answer_is_not_given_again(town: Town) -> None:
    request = waiting(town)
    said = town.say("jonas", request, "/status")
    town.settle()
    (gone,) = [note for note in town.said(request) if "towpath:answer" in note.body]
    request.notes.remove(gone)
    town.flush_redis()
    town.open(town.url)
    town.sweep()
    assert town.answers(request) == []
    assert town.reactions(said) == ["hooray"]


def test_R3_what_was_recorded_before_a_crash_is_answered_and_not_done_twice(town: Town) -> None:
    """The forge fails behind the record and before the answer."""
    control = town.control()
    town.sandbox.faults.add(Fault("broken", "POST", NOTES, count=1))
    said = town.say("maria", control, "/hold shop prod an incident")
    town.step()
    assert town.answers(control) == []
    assert town.state().count("an incident") == 1
    pushes = town.sandbox.journal.pushes("towpath")
    town.settle()
    assert "recorded before" in once(town, control, said)
    assert town.sandbox.journal.pushes("towpath") == pushes
    assert "is held by" in town.status(waiting(town))


def test_R5_an_answer_that_was_given_though_the_forge_said_500_is_given_once(town: Town) -> None:
    request = waiting(town)
    town.sandbox.faults.add(Fault("broken-after", "POST", NOTES, count=1))
    said = town.say("maria", request, "/hold wait")
    town.settle()
    assert "is held" in once(town, request, said)
    assert town.state().count("reason: wait") == 1
    assert HOLD in request.labels


def test_a_comment_that_is_heard_only_after_a_day_is_refused_and_after_more_not_answered(town: Town) -> None:
    request = waiting(town)
    town.lost = 10_000
    old = town.say("maria", request, "/hold what stood there last week")
    town.now += timedelta(days=2)
    stale = town.say("maria", request, "/hold what stood there yesterday")
    town.now += timedelta(days=1, hours=12)
    town.sweep()
    assert "is heard only now" in once(town, request, stale)
    assert town.answers(request, old) == []
    assert "holds" not in town.state()


def test_R4_an_answer_comes_by_the_sweep_where_its_webhook_was_lost(town: Town) -> None:
    request, control = waiting(town), town.control()
    town.settle()
    town.sweep()
    town.pass_time(600)
    town.lost = 10_000
    said = [(thread, town.say("maria", thread, "/status shop")) for thread in (request, control)]
    town.settle()
    assert town.answers(request) + town.answers(control) == []
    town.sweep()
    for thread, note in said:
        assert "`prod`" in once(town, thread, note)


def test_an_answer_that_the_forge_refuses_is_a_reaction_alone(town: Town) -> None:
    request = waiting(town)
    town.sandbox.faults.add(Fault("broken", "POST", NOTES, count=1, status=403))
    said = town.say("maria", request, "/hold wait")
    town.settle()
    look(town)
    assert town.answers(request) == []
    assert town.reactions(said) == ["hooray"]
    assert town.state().count("reason: wait") == 1


def test_S21_nothing_is_recorded_while_the_state_is_unknown(town: Town) -> None:
    control = town.control()
    town.sandbox.commit_as("maria", PROJECT, "towpath/state", {"state.yaml": "version: 1\n"}, "by hand")
    said = town.say("maria", control, "/hold all now", "/freeze prod for 2h an incident")
    town.settle()
    (answer,) = town.answers(control, said)
    assert "Nothing can be recorded" in answer
    assert town.reactions(said) == ["-1"]
    assert "`prod`" in town.ask("maria", control, "/status shop")


def test_R11_a_comment_that_cannot_be_done_now_keeps_none_waiting_behind_it(town: Town) -> None:
    control = town.control()
    jonas = town.sandbox.user("jonas")
    who = rf".*/members/all/{jonas.id}" if town.kind == "gitlab" else ".*/collaborators/jonas/permission"
    town.sandbox.faults.add(Fault("broken", "GET", who, 100_000))
    first = town.say("jonas", control, "/hold shop nonprod first")
    town.settle()
    assert town.answers(control, first) == []
    assert "is held" in town.ask("maria", control, "/hold shop prod an incident").lower()
    assert "is held by" in town.status(waiting(town))
    town.sandbox.faults.clear()
    town.pass_time(3600)
    town.sweep()
    assert "is held" in once(town, control, first)


def test_R11_a_comment_on_a_promotion_to_a_stage_that_is_gone_keeps_none_waiting(town: Town) -> None:
    request = waiting(town)
    policy = GATED[: GATED.index("  - name: prod")]
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": policy}, "No prod any more")
    town.settle()
    lines = ("/rollback bad", "/towpath promote", "/hold x", "/merge", "/explain @olga", "/help")
    said = [town.say("maria", request, line) for line in lines]
    town.settle(200)
    for note in said:
        once(town, request, note)
