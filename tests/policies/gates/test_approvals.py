"""The gate over approvals: whose count, towards what, and why another does not (S14, S15, S16)."""

from dataclasses import replace

import pytest

from policies import approvals
from policies.codeowners import parse
from policies.config import Approvals
from policies.gates.approvals import judge
from policies.model import Permission, Review, ReviewState, Trouble, User
from policies.snapshot import (
    Content,
    Members,
    Owners,
    OwnersFile,
    Promotion,
    Question,
    Reviewed,
    Right,
    Snapshot,
    Splice,
)
from policies.verdict import Outcome
from tests import builders as a

OLGA, OMAR, JONAS, HELPER = User(21, "olga"), User(22, "omar"), User(23, "jonas"), User(24, "helper", bot=True)
GROUPS = {"@owners": (OLGA, OMAR), "@sre": (OMAR,), "@empty": (), "@bots": (HELPER,), "@jonas": (JONAS,)}
PATH, OTHER = a.path_of("nonprod"), "environments/nonprod/us/payments/values.yaml"
BOTH = Approvals(codeowners="required", minimum=1)
OWNED = Approvals(codeowners="required")


def approval(user: User, sha: str = a.HEAD, state: ReviewState = ReviewState.approved) -> Review:
    return Review(user, state, sha, a.NOW)


def asked(
    *reviews: Review,
    owners: str | None = "* @owners\n",
    dialect: str = "gitlab",
    paths: tuple[str, ...] = (PATH,),
    rights: dict[int, Permission] | None = None,
) -> Snapshot:
    """A snapshot whose questions about people are answered."""
    rules = parse(dialect, owners) if owners is not None else None  # type: ignore[arg-type]
    one = a.promotion()
    assert one.release is not None
    answers: dict[Question, object] = {
        OwnersFile(): Owners(dialect, "CODEOWNERS", rules),  # type: ignore[arg-type]
        Reviewed(one.request.iid, one.request.head): reviews,
        Content("nonprod", one.release): Splice("tree", paths),
        **{Members(name): people for name, people in GROUPS.items()},
        Members("@nobody"): None,
    }
    for user in (OLGA, OMAR, JONAS, HELPER, a.BOT):
        answers[Right(user)] = (rights or {}).get(user.id, Permission.write)
    return a.snapshot(a.stage(), seen=("v1", "v2"), promotions=(one,), answers=answers)


def judged(snapshot: Snapshot, rule: Approvals = OWNED, one: Promotion | None = None) -> tuple[Outcome, str]:
    found = judge(snapshot, snapshot.view("nonprod"), one or a.promotion(), rule)
    return found.outcome, found.reason


@pytest.mark.parametrize(
    ("reviews", "outcome", "words"),
    [
        ((), Outcome.wait, "needs 1 of `@owners` (2 people)"),
        ((approval(OLGA),), Outcome.passed, "approved by `@olga`"),
        ((approval(OLGA), approval(OMAR)), Outcome.passed, "approved by `@olga` and `@omar`"),
        ((approval(JONAS),), Outcome.wait, "needs 1 of `@owners` (2 people)"),
        (
            (approval(OLGA, "0" * 40),),
            Outcome.wait,
            "needs 1 of `@owners` (2 people); one approval does not count: it was given to another state of the branch",
        ),
        ((approval(HELPER),), Outcome.wait, "one approval does not count: its giver is a bot"),
        ((approval(a.BOT),), Outcome.wait, "one approval does not count: its giver is a bot"),
        ((approval(OLGA, state=ReviewState.changes_requested),), Outcome.block, "`@olga` asked for changes"),
        (
            (approval(OLGA), approval(OMAR, state=ReviewState.changes_requested)),
            Outcome.block,
            "`@omar` asked for changes",
        ),
    ],
)
def test_S14_who_approved_what(reviews: tuple[Review, ...], outcome: Outcome, words: str) -> None:
    found = judged(asked(*reviews))
    assert found[0] is outcome
    assert words in found[1]


def test_S14_who_may_not_write_neither_approves_nor_objects() -> None:
    rights = {OLGA.id: Permission.read, OMAR.id: Permission.none}
    objection = approval(OMAR, state=ReviewState.changes_requested)
    outcome, reason = judged(asked(approval(OLGA), objection, rights=rights))
    assert outcome is Outcome.wait
    assert reason.endswith("one approval does not count: its giver may not write to this repository")


def test_S15_who_asked_or_opened_never_approves() -> None:
    one = a.promotion(requesters=(OLGA.id,))
    outcome, reason = judged(asked(approval(OLGA)), one=one)
    assert (outcome, reason.endswith("its giver asked for this promotion")) == (Outcome.wait, True)
    one = a.promotion(request=a.request(author=OMAR))
    outcome, reason = judged(asked(approval(OMAR)), one=one)
    assert (outcome, reason.endswith("its giver opened the merge request")) == (Outcome.wait, True)


def test_several_approvals_that_do_not_count_are_counted_by_reason() -> None:
    reviews = (approval(OLGA, ""), approval(OMAR, ""), approval(HELPER))
    _, reason = judged(asked(*reviews))
    assert "; 2 approvals do not count: it was given to another state" in reason
    assert "; one approval does not count: its giver is a bot" in reason


@pytest.mark.parametrize(
    ("owners", "words"),
    [
        (None, "there is no CODEOWNERS on the target branch"),
        ("", "names no owner of"),
        ("/docs/ @owners\n", "names no owner of"),
        ("* @nobody\n", "nobody can tell who `@nobody` is"),
        ("* @empty\n", "only 0 of them can give it"),
        ("* @bots\n", "only 0 of them can give it"),
        ("[Docs][3]\n* @owners\n", "3 of `@owners` (2 people) must approve, and only 2 of them can give it"),
        ("*.yaml not_an_owner\n", "CODEOWNERS has errors: `CODEOWNERS:1"),
        ("* @owners\n[B]\n*.yaml\n", "CODEOWNERS has errors: `CODEOWNERS:3"),
    ],
)
def test_S16_absent_is_not_satisfied(owners: str | None, words: str) -> None:
    outcome, reason = judged(asked(approval(OLGA), approval(OMAR), owners=owners))
    assert (outcome, words in reason) == (Outcome.block, True), reason


def test_S16_files_that_cannot_be_told_wait() -> None:
    broken = asked(approval(OLGA))
    release = a.release("v2")
    answers = {**broken.answers, Content("nonprod", release): (Trouble("x", 1, "no"),)}
    assert judged(replace(broken, answers=answers)) == (Outcome.wait, "the files that it changes cannot be told")
    lost = a.promotion(release=None)
    assert judged(broken, one=lost) == (Outcome.wait, "the branch holds no release whose files could be told")


@pytest.mark.parametrize(
    ("owners", "reviews", "outcome", "words"),
    [
        ("[A]\n* @owners\n[B]\n* @sre\n", (OLGA,), Outcome.wait, "needs 1 of `@sre` (1 person)"),
        ("[A]\n* @owners\n[B]\n* @sre\n", (OMAR,), Outcome.passed, "approved by `@omar`"),
        ("[A][2]\n* @owners\n", (OLGA,), Outcome.wait, "needs 2 of `@owners` (2 people), 1 has"),
        ("[A][2]\n* @owners\n", (OLGA, OMAR), Outcome.passed, "approved by `@olga` and `@omar`"),
        ("^[A]\n* @owners\n", (), Outcome.passed, "every section that matches is optional"),
        (
            "[A]\n* @owners\n[B]\n* @jonas\n",
            (),
            Outcome.wait,
            "needs 1 of `@owners` (2 people) and 1 of `@jonas` (1 person)",
        ),
    ],
)
def test_gitlab_every_section_counts(owners: str, reviews: tuple[User, ...], outcome: Outcome, words: str) -> None:
    found = judged(asked(*map(approval, reviews), owners=owners))
    assert (found[0], words in found[1]) == (outcome, True), found[1]


def test_github_each_distinct_set_of_owners_counts_once() -> None:
    owners = f"* @owners\n/{OTHER} @sre\n/{PATH} @owners\n"
    paths = (PATH, OTHER, "environments/nonprod/x.yaml")
    found = judged(asked(approval(OLGA), owners=owners, dialect="github", paths=paths))
    assert found == (Outcome.wait, "needs 1 of `@sre` (1 person)")


def test_a_minimum_of_anybody_or_of_named_people() -> None:
    anybody = Approvals(minimum=2)
    assert judged(asked(approval(JONAS)), anybody) == (Outcome.wait, "needs 2 of anybody who may write, 1 has")
    assert judged(asked(approval(JONAS), approval(OLGA)), anybody)[0] is Outcome.passed
    named = Approvals.model_validate({"minimum": 1, "from": ["@sre"]})
    assert judged(asked(approval(JONAS)), named) == (Outcome.wait, "needs 1 of `@sre` (1 person)")
    assert judged(asked(approval(OMAR)), named)[0] is Outcome.passed
    assert (
        "needs 3 of anybody who may write, 2 have"
        in judged(asked(approval(JONAS), approval(OLGA)), Approvals(minimum=3))[1]
    )


def test_owners_and_a_minimum_must_both_be_met() -> None:
    assert judged(asked(approval(JONAS)), BOTH)[1] == "needs 1 of `@owners` (2 people)"
    assert judged(asked(approval(OLGA)), BOTH)[0] is Outcome.passed


def test_the_verdict_is_a_tree_of_what_was_asked() -> None:
    snapshot = asked(approval(OLGA), owners="[A]\n* @owners\n[B]\n* @sre\n")
    found = judge(snapshot, snapshot.view("nonprod"), a.promotion(), OWNED)
    assert [(one.outcome, one.reason) for one in found.children] == [
        (Outcome.passed, "1 of `@owners` (2 people) approved"),
        (Outcome.wait, "1 of `@sre` (1 person)"),
    ]


def test_few_people_are_asked_when_it_opens_and_a_crowd_is_not() -> None:
    crowd = tuple(User(100 + number, f"u{number}") for number in range(approvals.MOST_ASKED + 1))
    snapshot = asked(owners="[A]\n* @owners\n[B]\n* @sre\n")
    assert approvals.asked(snapshot, BOTH, (PATH,)) == (OLGA, OMAR)
    many = replace(snapshot, answers={**snapshot.answers, Members("@owners"): crowd})
    assert approvals.asked(many, OWNED, (PATH,)) == (OMAR,)
    assert approvals.asked(asked(owners=None), OWNED, (PATH,)) == ()
    assert approvals.asked(asked(owners="*.yaml not_an_owner\n"), OWNED, (PATH,)) == ()
    named = Approvals.model_validate({"minimum": 1, "from": ["@sre"]})
    assert approvals.asked(asked(), named, (PATH,)) == (OMAR,)
