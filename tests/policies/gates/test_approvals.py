"""The gate over approvals: whose count, towards what, and why another does not (S14, S15, S16)."""

from dataclasses import replace

import pytest

from policies import approvals
from policies.approvals import Discount, Invited, Requirement, Tally
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
    Unanswered,
)
from policies.verdict import Outcome, Verdict, block, passed, wait
from policies.wording.promotion import description
from tests import builders as a

OLGA, OMAR, JONAS, HELPER = User(21, "olga"), User(22, "omar"), User(23, "jonas"), User(24, "helper", bot=True)
GROUPS = {"@owners": (OLGA, OMAR), "@sre": (OMAR,), "@empty": (), "@bots": (HELPER,), "@jonas": (JONAS,)}
PATH, OTHER = a.path_of("nonprod"), "environments/nonprod/us/payments/values.yaml"
BOTH = Approvals(codeowners="required", minimum=1)
NOT_ASKED = "one approval does not count: its giver is none of those who are asked"
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
        (
            (approval(JONAS),),
            Outcome.wait,
            "needs 1 of `@owners` (2 people); one approval does not count: its giver is none of those who are asked",
        ),
        ((approval(JONAS), approval(OLGA)), Outcome.passed, "approved by `@olga`"),
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
    outcome, reason = judged(asked(approval(OLGA), objection, owners="* @owners @jonas\n", rights=rights))
    assert (outcome, reason) == (
        Outcome.wait,
        (
            "needs 1 of `@owners` and `@jonas` (1 person); one approval does not count: its giver may not write "
            "to this repository"
        ),
    )


def test_a_wait_is_hopeless_where_no_owner_may_write_and_blocks() -> None:
    rights = {OLGA.id: Permission.read, OMAR.id: Permission.none}
    assert judged(asked(approval(OLGA), rights=rights)) == (
        Outcome.block,
        (
            "1 of `@owners` (0 people) must approve, and none of them can give it; one approval does not count: "
            "its giver may not write to this repository"
        ),
    )


def test_a_bots_objection_blocks_nothing() -> None:
    """Copilot's nit, and nobody who could dismiss it."""
    objections = tuple(approval(bot, state=ReviewState.changes_requested) for bot in (HELPER, a.BOT))
    assert judged(asked(*objections, approval(OLGA)))[0] is Outcome.passed


def test_S16_optional_sections_alone_are_nobodys_approval() -> None:
    words = f"policy asks for owners, and no required section owns `{PATH}`"
    for rule in (OWNED, BOTH):
        assert judged(asked(approval(OLGA), owners="^[A]\n* @owners\n"), rule) == (Outcome.block, words)
    both = asked(approval(OLGA), owners="^[A]\n* @sre\n[B]\n* @owners\n")
    assert judged(both)[0] is Outcome.passed


@pytest.mark.parametrize(
    ("edge", "lost"),
    [
        (f"^[Edge]\n/{OTHER} @sre\n", OTHER),
        (f"^[Edge]\n/{PATH} @owners\n/{OTHER} @sre\n", OTHER),
        (f"^[Edge]\n/{OTHER} @sre\n[Core]\n/{OTHER} @sre\n", ""),
        (f"^[Edge]\n/{OTHER} @sre\n[Free][0]\n/{OTHER} @sre\n", ""),
    ],
)
def test_S16_each_file_needs_a_required_owner_of_its_own(edge: str, lost: str) -> None:
    """A required owner of one file is none of another, which only an optional section owns."""
    owners = f"[Core]\n/{PATH} @owners\n{edge}"
    reviews = (approval(OLGA), approval(OMAR))
    outcome, reason = judged(asked(*reviews, owners=owners, paths=(PATH, OTHER)))
    if lost:
        assert (outcome, reason) == (
            Outcome.block,
            f"policy asks for owners, and no required section owns `{lost}`",
        )
    else:
        assert outcome is Outcome.passed
    assert judged(asked(*reviews, owners=owners, paths=(PATH,)))[0] is Outcome.passed


def test_S16_a_change_of_nothing_has_no_owner() -> None:
    words = "policy asks for owners, and no required section owns anything that it changes"
    assert judged(asked(approval(OLGA), paths=())) == (Outcome.block, words)


def test_S16_a_rule_that_asks_for_nobody_blocks_though_no_policy_can_say_it() -> None:
    assert judged(asked(approval(OLGA)), Approvals.model_construct())[0] is Outcome.block


def test_more_names_of_owners_than_are_looked_up_block_before_any_is() -> None:
    """401 names cost 823 calls."""
    names = [f"@ghost{number}" for number in range(approvals.MOST_NAMES + 1)]
    found = judged(asked(approval(OLGA), owners=f"* {' '.join(names)}\n"))
    assert found == (Outcome.block, "too many owners to tell: 51 names, and 50 are looked up")
    with pytest.raises(Unanswered) as missing:
        judged(asked(owners=f"* {' '.join(names[1:])}\n"))
    assert missing.value.questions == tuple(Members(name) for name in names[1:])
    assert approvals.asked(asked(owners=f"* {' '.join(names)}\n"), OWNED, (PATH,)) == Invited()


def test_of_a_met_requirement_nobodys_right_is_looked_up_and_of_a_crowd_neither() -> None:
    many = crowd(approvals.MOST_COUNTED + 1)
    met = asked(approval(OLGA))
    met = replace(met, answers={**met.answers, Members("@owners"): (OLGA, *many)})
    assert judged(met)[0] is Outcome.passed
    unmet = asked()
    unmet = replace(unmet, answers={**unmet.answers, Members("@owners"): many})
    assert judged(unmet) == (Outcome.wait, "needs 1 of `@owners` (up to 51 people)")


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
    assert reason == (
        "needs 1 of `@owners` (2 people); 2 approvals do not count: it was given to another state of the branch, "
        "or the forge does not tell to which; one approval does not count: its giver is a bot"
    )


@pytest.mark.parametrize(
    ("owners", "words"),
    [
        (None, "there is no CODEOWNERS on the target branch"),
        ("", "names no owner of"),
        ("/docs/ @owners\n", "names no owner of"),
        ("* @nobody\n", "nobody can tell who `@nobody` is"),
        ("* @empty\n", "none of them can give it"),
        ("* @bots\n", "none of them can give it"),
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
        ("[A]\n* @owners\n[B][2]\n* @owners\n", (OLGA,), Outcome.wait, "needs 2 of `@owners` (2 people), 1 has"),
        ("[A][2]\n* @owners\n", (OLGA,), Outcome.wait, "needs 2 of `@owners` (2 people), 1 has"),
        ("[A][2]\n* @owners\n", (OLGA, OMAR), Outcome.passed, "approved by `@olga` and `@omar`"),
        ("* @jonas @sre\n", (JONAS,), Outcome.passed, "approved by `@jonas`"),
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
    assert judged(asked(approval(JONAS)), named) == (Outcome.wait, f"needs 1 of `@sre` (1 person); {NOT_ASKED}")
    assert judged(asked(approval(OMAR)), named)[0] is Outcome.passed
    assert (
        "needs 3 of anybody who may write, 2 have"
        in judged(asked(approval(JONAS), approval(OLGA)), Approvals(minimum=3))[1]
    )


def test_owners_and_a_minimum_must_both_be_met() -> None:
    # By the minimum Jonas is among those who are asked.
    assert judged(asked(approval(JONAS)), BOTH)[1] == "needs 1 of `@owners` (2 people)"
    assert judged(asked(approval(JONAS), approval(OLGA)), BOTH)[1] == "approved by `@jonas` and `@olga`"
    assert judged(asked(approval(OLGA)), BOTH)[0] is Outcome.passed


def test_S14_who_left_the_owners_is_none_of_those_who_are_asked() -> None:
    snapshot = asked(approval(OLGA))
    left = replace(snapshot, answers={**snapshot.answers, Members("@owners"): (OMAR,)})
    assert judged(left) == (Outcome.wait, f"needs 1 of `@owners` (1 person); {NOT_ASKED}")


CHANGE = "their approval of this merge request"
MEND = "name people who may write, other than who opened or asked for this"


@pytest.mark.parametrize(
    ("owners", "reviews", "verdict"),
    [
        (
            "[A]\n* @owners\n[B]\n* @sre\n",
            (OLGA,),
            Verdict(
                "approvals",
                Outcome.wait,
                "needs 1 of `@sre` (1 person)",
                CHANGE,
                children=(
                    passed("approvals", "1 of `@owners` approved"),
                    wait("approvals", "1 of `@sre` (1 person)"),
                ),
            ),
        ),
        (
            "* @owners\n",
            (OLGA,),
            Verdict(
                "approvals",
                Outcome.passed,
                "approved by `@olga`",
                children=(passed("approvals", "1 of `@owners` approved"),),
            ),
        ),
        (
            "* @empty\n",
            (),
            Verdict(
                "approvals",
                Outcome.block,
                "1 of `@empty` (0 people) must approve, and none of them can give it",
                MEND,
                children=(
                    block("approvals", "1 of `@empty` (0 people) must approve, and none of them can give it", MEND),
                ),
            ),
        ),
        (
            "^[A]\n* @owners\n",
            (),
            block(
                "approvals",
                f"policy asks for owners, and no required section owns `{PATH}`",
                "a section of `CODEOWNERS` that is not optional, or `minimum` instead",
            ),
        ),
        (
            "",
            (),
            block(
                "approvals",
                f"`CODEOWNERS` names no owner of `{PATH}`",
                "give it an owner in `CODEOWNERS` on the target branch",
            ),
        ),
        (
            None,
            (),
            block(
                "approvals",
                "there is no CODEOWNERS on the target branch",
                "add one, or take `codeowners: required` out",
            ),
        ),
        (
            "*.yaml a\n" * 7,
            (),
            block(
                "approvals",
                "CODEOWNERS has errors: `"
                + ", ".join(f"CODEOWNERS:{line} (malformed_entry_owner)" for line in (1, 2, 3, 4))
                + " and CODEOWNERS:5 (malformed_entry_owner)`",
                "mend them on the target branch",
            ),
        ),
        (
            "*.yaml not_an_owner\n*.yml\n",
            (),
            block(
                "approvals",
                "CODEOWNERS has errors: `CODEOWNERS:1 (malformed_entry_owner) and CODEOWNERS:2 (missing_entry_owner)`",
                "mend them on the target branch",
            ),
        ),
    ],
)
def test_S16_the_verdict_is_a_tree_of_what_was_asked(
    owners: str | None, reviews: tuple[User, ...], verdict: Verdict
) -> None:
    snapshot = asked(*map(approval, reviews), owners=owners)
    assert judge(snapshot, snapshot.view("nonprod"), a.promotion(), OWNED) == verdict


def test_a_few_of_many_paths_without_an_owner_are_named() -> None:
    paths = tuple(f"{name}.yaml" for name in "abcdefg")
    _, reason = judged(asked(owners="", paths=paths))
    assert reason == "`CODEOWNERS` names no owner of `a.yaml`, `b.yaml`, `c.yaml`, `d.yaml` and `e.yaml`"


def test_S14_an_objection_blocks_until_it_is_settled() -> None:
    objections = (approval(user, state=ReviewState.changes_requested) for user in (OLGA, JONAS))
    snapshot = asked(*objections, approval(OMAR), rights={JONAS.id: Permission.none})
    assert judge(snapshot, snapshot.view("nonprod"), a.promotion(), OWNED) == block(
        "approvals", "`@olga` asked for changes", "settle it with them: their approval or a dismissal lifts it"
    )


def test_S16_what_cannot_be_told_waits_with_its_gates_name() -> None:
    snapshot = asked()
    found = judge(snapshot, snapshot.view("nonprod"), a.promotion(release=None), OWNED)
    assert found == wait("approvals", "the branch holds no release whose files could be told")
    answers = {**snapshot.answers, Content("nonprod", a.release("v2")): (Trouble("x", 1, "no"),)}
    broken = replace(snapshot, answers=answers)
    found = judge(broken, broken.view("nonprod"), a.promotion(), OWNED)
    assert found == wait("approvals", "the files that it changes cannot be told")


def test_S14_what_reviewers_said_is_sorted() -> None:
    reviews = (
        approval(OLGA, state=ReviewState.changes_requested),
        approval(OMAR, state=ReviewState.changes_requested),
        approval(HELPER),
        approval(JONAS),
    )
    assert approvals.tally(asked(*reviews), a.promotion()) == Tally(
        (JONAS,), (Discount(HELPER, "its giver is a bot"),), (OLGA, OMAR)
    )


@pytest.mark.parametrize(
    ("user", "sha", "changed", "reason"),
    [
        (replace(HELPER, bot=True), a.HEAD, {}, "its giver is a bot"),
        (replace(a.BOT, bot=False), a.HEAD, {}, "its giver is a bot"),
        (OLGA, a.HEAD, {"request": a.request(author=OLGA)}, "its giver opened the merge request"),
        (OLGA, a.HEAD, {"requesters": (OMAR.id, OLGA.id)}, "its giver asked for this promotion"),
        (OLGA, "", {}, "it was given to another state of the branch, or the forge does not tell to which"),
        (User(99, "reader"), a.HEAD, {}, "its giver may not write to this repository"),
    ],
)
def test_S14_S15_why_an_approval_does_not_count(user: User, sha: str, changed: dict[str, object], reason: str) -> None:
    snapshot = asked(approval(user, sha))
    snapshot = replace(snapshot, answers={Right(User(99, "reader")): Permission.read, **snapshot.answers})
    found = approvals.tally(snapshot, replace(a.promotion(), **changed))  # type: ignore[arg-type] # a test names any field
    assert found == Tally((), (Discount(user, reason),), ())


def test_S15_who_could_give_an_approval_at_all() -> None:
    one = a.promotion(request=a.request(author=OLGA), requesters=(OMAR.id,))
    people = (OLGA, OMAR, JONAS, a.BOT)
    able = frozenset(person.id for person in people)
    assert approvals.could_give(asked(), one, Requirement("x", 1, people), able) == 1
    assert approvals.could_give(asked(), one, Requirement("x", 1, people), None) == 1
    assert approvals.could_give(asked(), one, Requirement("x", 1, people), frozenset()) == 0
    assert approvals.could_give(asked(), one, Requirement("x", 1, None), able) is None


def test_what_a_stages_minimum_asks_names_whom_nobody_knows() -> None:
    found = approvals.of_policy(asked(), 2, ("@sre", "@nobody"))
    assert found == Requirement("`@sre` and `@nobody`", 2, (OMAR,), ("@nobody",))
    assert approvals.counted(found, frozenset({OMAR.id})) == " (1 person)"
    assert approvals.of_policy(asked(), 2, ()) == Requirement("anybody who may write", 2, None)


def test_github_asks_the_few_of_each_set_of_owners_once() -> None:
    """By GitLab's reading the two patterns would be two requirements, of the same people."""
    snapshot = asked(owners=f"* @owners\n/{OTHER} @owners\n", dialect="github", paths=(PATH, OTHER))
    rules = snapshot.owners().rules
    assert rules is not None
    assert len(approvals.deciding("github", rules, (PATH, OTHER))) == 1
    assert len(approvals.deciding("gitlab", rules, (PATH, OTHER))) == 2
    ten = crowd(approvals.MOST_ASKED)
    full = with_people(snapshot, {"@owners": (*ten[:-1], a.BOT)})
    assert approvals.asked(full, OWNED, (PATH,)) == Invited(ten[:-1])
    assert approvals.asked(with_people(snapshot, {"@owners": ten}), OWNED, (PATH,)) == Invited(ten)


def crowd(number: int, first: int = 100) -> tuple[User, ...]:
    return tuple(User(first + one, f"u{first + one}") for one in range(number))


def with_people(
    snapshot: Snapshot, groups: dict[str, tuple[User, ...]], may: Permission = Permission.write
) -> Snapshot:
    answers: dict[Question, object] = {Members(name): people for name, people in groups.items()}
    answers |= {Right(user): may for people in groups.values() for user in people}
    return replace(snapshot, answers={**snapshot.answers, **answers})


def test_never_more_than_ten_people_are_asked_and_of_each_requirement_as_many() -> None:
    """300 people were pinged by one promotion."""
    names = [f"@g{number}" for number in range(30)]
    owners = "".join(f"[S{number}]\n* {name}\n" for number, name in enumerate(names))
    groups = {name: crowd(10, 1000 + 10 * number) for number, name in enumerate(names)}
    found = approvals.asked(with_people(asked(owners=owners), groups), OWNED, (PATH,))
    assert found == Invited(tuple(groups[name][0] for name in names[:10]), more=True)
    two = {name: groups[name] for name in names[:2]}
    found = approvals.asked(with_people(asked(owners="[A]\n* @g0\n[B]\n* @g1\n"), two), OWNED, (PATH,))
    assert found == Invited((*two["@g0"][:5], *two["@g1"][:5]), more=True)


def test_others_who_are_not_named_are_told_of_in_words() -> None:
    snapshot, release = asked(), a.release("v2")
    told = description(snapshot, snapshot.view("nonprod"), release, None, Invited((OLGA, OMAR), more=True))
    assert "Asked for an approval: @olga, @omar, and others who are not named." in told
    assert "Asked for" not in description(snapshot, snapshot.view("nonprod"), release, None, Invited((), more=True))


def test_an_owner_who_may_not_write_is_neither_asked_nor_counted() -> None:
    snapshot = asked(rights={OLGA.id: Permission.read})
    assert approvals.asked(snapshot, OWNED, (PATH,)) == Invited((OMAR,))
    assert judged(snapshot) == (Outcome.wait, "needs 1 of `@owners` (1 person)")


def test_owners_and_who_counts_towards_the_minimum_are_asked_together() -> None:
    both = Approvals.model_validate({"codeowners": "required", "minimum": 1, "from": ["@jonas"]})
    assert approvals.asked(asked(), both, (PATH,)) == Invited((OLGA, OMAR, JONAS))


def test_S16_a_section_that_names_nobody_asks_for_somebody_who_is_nobody() -> None:
    """The gate blocks on such a file before; what is asked must be impossible wherever it is not looked at first."""
    snapshot = asked(owners="* @owners\n/environments/\n", dialect="github")
    rules = snapshot.owners().rules
    assert rules is not None
    (found,) = approvals.of_codeowners(snapshot, approvals.deciding("github", rules, (PATH,)))
    assert found == Requirement("an owner, of whom the section names none", 1, ())
    assert approvals.could_give(snapshot, a.promotion(), found, None) == 0
    assert approvals.asked(snapshot, OWNED, (PATH,)) == Invited()


def test_few_people_are_asked_when_it_opens_and_a_crowd_is_not() -> None:
    snapshot = asked(owners="[A]\n* @owners\n[B]\n* @sre\n")
    assert approvals.asked(snapshot, BOTH, (PATH,)) == Invited((OLGA, OMAR))
    many = with_people(snapshot, {"@owners": crowd(approvals.MOST_ASKED + 1)})
    assert approvals.asked(many, OWNED, (PATH,)) == Invited((OMAR,), more=True)
    assert approvals.asked(asked(owners=None), OWNED, (PATH,)) == Invited()
    assert approvals.asked(asked(owners="*.yaml not_an_owner\n"), OWNED, (PATH,)) == Invited()
    named = Approvals.model_validate({"minimum": 1, "from": ["@sre"]})
    assert approvals.asked(asked(), named, (PATH,)) == Invited((OMAR,))
