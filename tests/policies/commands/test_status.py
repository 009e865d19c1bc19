"""/status, /explain and /help: they say, and change nothing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from policies.actions import Plan, StagePlan
from policies.codeowners import parse
from policies.commands import COMMANDS
from policies.commands.model import Done, Situation
from policies.model import Review, ReviewState, User
from policies.snapshot import Owners, OwnersFile, Question, Reviewed, Snapshot
from policies.state import Freeze, Hold, Quarantine, State, Unknown
from policies.verdict import block, passed, wait
from tests import builders as a
from tests.policies.commands import scenes as s
from tests.policies.texts import golden

SAID = {"by": s.person(s.DEV), "at": s.BEFORE, "where": s.WHERE, "reason": "it broke"}
V3 = a.release("v3")
BAD = {"service": "payments", "release": V3.name, "tag": "v3", "images": {a.API: a.digest("v3")}}
HOLDS = ({"service": "payments"}, {"service": "ledger"}, {"request": 12}, {"request": 99}, {"until": a.NOW})
STATE = State(
    holds=tuple(Hold.model_validate({**SAID, **one}) for one in HOLDS),
    freezes=tuple(
        Freeze.model_validate({**SAID, "stage": "ring-1", "until": a.NOW + timedelta(hours=hours)}) for hours in (0, 2)
    ),
    quarantine=tuple(Quarantine.model_validate({**SAID, **BAD, "service": one}) for one in ("payments", "ledger")),
)
MIXED = ({"nonprod": "v3", "ring-1/eu": "v3", "ring-1/us": "v2", "ring-2": "v2"},)


def test_the_whole_of_a_service() -> None:
    asked = s.snapshot(promotions=(s.promotion(),), pins=MIXED, clusters={"ring-1": ("eu", "us")})
    found = s.done("/status payments", s.situation(asked=asked), STATE)
    assert (found.state, found.wakes) == (STATE, ())
    assert found.answer == golden("answer-status")


def test_S21_that_the_state_cannot_be_told_comes_first() -> None:
    untold = replace(s.snapshot(), state=Unknown("the branch is missing", "push it again"))
    answer = s.done("/status payments", s.situation(asked=untold)).answer
    assert answer.startswith(
        "What is held, frozen or quarantined cannot be told, so nothing merges and nothing opens: the branch is "
        "missing. What would change it: push it again.\n\n`payments`:\n\n| stage |"
    )


def test_a_service_that_nothing_holds() -> None:
    asked = s.snapshot(clusters={"nonprod": ()})
    where = replace(s.situation(asked=asked), plan=Plan(()))
    assert s.done("/status payments", where).answer == (
        "`payments`:\n\n| stage | runs | how it stands |\n|---|---|---|\n"
        f"| `ring-1` | `v3` (`{V3.name}`) | nothing is planned |\n"
        f"| `ring-2` | `v2` (`{a.release('v2').name}`) | nothing is planned |"
    )


@pytest.mark.parametrize("text", ["/status", "/explain"])
def test_of_which_service(text: str) -> None:
    assert s.refused(text) == "Name a service: `ledger` and `payments`."
    assert s.refused(f"{text} ledger").startswith("What `ledger` runs was not read")
    assert s.done(text, s.on_promotion()).state == State()


def test_why_it_waits_and_who_could_unblock_it() -> None:
    gates = (
        passed("integrity", "merging changes exactly this release's digests"),
        block("hold", "`payments` is held by `@dev`", "`/unhold payments`"),
        wait("freeze", "`ring-2` is frozen", ""),
        wait("soak", "2 h left"),
        wait("approvals", "needs 2 of `@owners` (3 people)", "their approval of this merge request"),
    )
    found = s.done("/explain", s.gated(s.on_promotion(), *gates))
    assert found.answer == golden("answer-explain")


def test_nobody_is_named_who_could_not_unblock_it_either() -> None:
    found = s.done("/explain", s.gated(s.on_promotion(), block("approvals", "no owner", "add one"))).answer
    assert found.endswith("\n  - ⛔ approvals: no owner. What would change it: add one.")


def test_on_an_issue_each_stage_is_explained() -> None:
    assert s.done("/explain payments").answer.count("`:\n\n- ") == 3
    assert s.done("/explain payments ring-1").answer == "`ring-1`:\n\n- ✅ wanted: ring-1 runs v3."
    nothing = replace(s.situation(), plan=Plan((StagePlan("nonprod", passed("wanted", "x")),)))
    assert s.done("/explain payments ring-1", nothing).answer == "Nothing is planned there."


# What somebody's approval would change.


def asking(minimum: int = 1, rule: Mapping[str, object] | None = None, *given: Review) -> Situation:
    """The promotion into a stage that asks for approvals."""
    rules: Mapping[str, object] = rule or {"minimum": minimum, "from": "@leads"}
    asked = s.snapshot(promotions=(s.promotion(),))
    policy = a.policy(s.NONPROD, s.RING_1, a.stage("ring-2", after="ring-1", approvals=rules))
    views = tuple(replace(one, stage=policy.stage(one.stage.name)) for one in asked.stages)
    reviews: dict[Question, object] = {Reviewed(12, a.HEAD): given}
    return s.on_promotion(asked=replace(asked, policy=policy, stages=views, answers=reviews))


PEOPLE = {
    "@leads": (s.DEV, s.SECOND),
    "@dev": (s.DEV,),
    "@Dev": (s.DEV,),
    "@sam": (s.SECOND,),
    "@ada": (s.ADMIN,),
    "@rea": (s.READER,),
}
OLD = Review(s.SECOND, ReviewState.approved, a.HEAD, a.NOW)


@pytest.mark.parametrize(
    ("person", "where", "words"),
    [
        ("@dev", asking(), "With an approval of `@dev` this gate passes: approved by `@dev`."),
        ("@Dev", asking(), "With an approval of `@dev` this gate passes: approved by `@dev`."),
        (
            "@dev",
            asking(2),
            "An approval of `@dev` would count; then still: needs 2 of `@leads` (2 people), 1 has.",
        ),
        ("@sam", asking(2, None, OLD), "An approval of `@sam` would count towards nothing that is asked for: needs 2"),
        ("@ada", asking(), "An approval of `@ada` would not count: its giver is none of those who are asked."),
        ("@rea", asking(), "An approval of `@rea` would not count: its giver may not write to this repository."),
        ("@dev", s.on_promotion(), "Policy asks for no approval in `ring-2`: one of `@dev` changes nothing."),
    ],
)
def test_what_an_approval_would_change(person: str, where: Situation, words: str) -> None:
    assert s.done(f"/explain {person}", where, people=PEOPLE).answer.startswith(words)


@pytest.mark.parametrize("people", [{}, {"@dev": None}, {"@dev": (s.DEV, s.SECOND)}, {"@dev": (s.SECOND,)}])
def test_who_is_no_person(people: Mapping[str, tuple[User, ...] | None]) -> None:
    assert s.refused("/explain @dev", asking(), people=people) == "`@dev` is no person whom the forge knows here."


def test_where_nothing_is_open_nothing_can_be_approved() -> None:
    no = "Nothing is open there that could be approved; on a control issue name service and stage."
    where = s.situation(asked=asking().snapshot)
    assert s.refused("/explain payments @dev", where, people=PEOPLE) == no
    assert s.refused("/explain payments ring-1 @dev", where, people=PEOPLE) == no
    assert s.done("/explain payments ring-2 @dev", where, people=PEOPLE).answer.startswith("With an approval")
    another = s.on_promotion(asked=asking().snapshot, on=s.request(iid=13))
    assert s.refused("/explain @dev", another, people=PEOPLE) == no


# Who owns a path.


def owned(text: str | None) -> Snapshot:
    rules = parse("gitlab", text) if text is not None else None
    return replace(s.snapshot(), answers={OwnersFile(): Owners("gitlab", "CODEOWNERS", rules)})


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("* @alex @ola\n", "a/b.yaml", "`a/b.yaml` is owned by `@alex` and `@ola` (line 1), as `CODEOWNERS` says."),
        ("* @alex\n", "/a/b.yaml", "`/a/b.yaml` is owned by `@alex` (line 1), as `CODEOWNERS` says."),
        ("docs/ @alex\n", "a/b.yaml", "`a/b.yaml` is owned by nobody, as `CODEOWNERS` says."),
        (None, "a/b.yaml", "There is no `CODEOWNERS` on the target branch, so nobody owns `a/b.yaml`."),
    ],
)
def test_who_owns_a_path(text: str | None, path: str, words: str) -> None:
    assert s.done(f"/explain payments {path}", s.situation(asked=owned(text))).answer == words


# Help.


def test_help_is_made_from_the_list() -> None:
    found = s.done("/help").answer
    assert all(f"| `/{one.name}" in found and one.summary in found for one in COMMANDS)
    assert "`/towpath NAME` always works too." in found
    assert found.endswith("write `/towpath merge` and `/towpath promote` there.")


@pytest.mark.parametrize("word", ["hold", "/hold", "HOLD"])
def test_help_for_one_command(word: str) -> None:
    assert s.done(f"/help {word}").answer == (
        "`/hold [SERVICE] [STAGE] [until TIME\\|for 2h] REASON` holds this merge request, or a service, a stage or "
        "both; `all` holds everything. It needs the right `hold`."
    )


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("hodl", "There is no command `hodl`; did you mean hold?"),
        ("qqq", "There is no command `qqq`; `/help` lists them all."),
    ],
)
def test_help_for_what_is_none(word: str, why: str) -> None:
    assert s.refused(f"/help {word}") == why


def test_who_may_ask_in_one_stage_may_ask_for_help() -> None:
    rules = s.with_permissions(s.snapshot(), status={"ring-2": "@@developers", "*": "@@admins"})
    found = s.say("/help", s.situation(s.comment(s.DEV), rules))
    assert isinstance(found, Done)
    assert s.refused("/status payments", s.situation(s.comment(s.DEV), rules)).startswith("You lack the right `status`")
