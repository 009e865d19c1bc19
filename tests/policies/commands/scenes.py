"""Who says what where: a comment's line is parsed, applied, and every question that it asks is answered."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from policies.actions import Plan, StagePlan
from policies.commands import COMMANDS
from policies.commands.lines import Call, parse_line
from policies.commands.model import Comment, Done, Refused, Situation
from policies.model import MergeRequest, Permission, Release, Thread, User
from policies.naming import BranchName, branch
from policies.rights import Permissions
from policies.snapshot import Exists, Members, Promotion, Question, Right, Snapshot, Unanswered
from policies.state import Person, State
from policies.verdict import Verdict, combine, passed, wait
from tests import builders as a

NAMES = [one.name for one in COMMANDS]
APPLY = {one.name: one.apply for one in COMMANDS}

STRANGER = User(10, "sid")
READER = User(11, "rea")
DEV = User(12, "dev")
MAINTAINER = User(13, "mira")
SECOND = User(14, "sam")
ADMIN = User(15, "ada")
RIGHTS = {
    STRANGER.id: Permission.none,
    READER.id: Permission.read,
    DEV.id: Permission.write,
    MAINTAINER.id: Permission.maintain,
    SECOND.id: Permission.maintain,
    ADMIN.id: Permission.admin,
    a.BOT.id: Permission.admin,
}

NONPROD = a.stage()
RING_1 = a.stage("ring-1", after="nonprod")
RING_2 = a.stage("ring-2", after="ring-1")
OLDEST = {"nonprod": "v1", "ring-1": "v1", "ring-2": "v1"}
PINS = (
    {"nonprod": "v3", "ring-1": "v3", "ring-2": "v2"},
    {"nonprod": "v3", "ring-1": "v2", "ring-2": "v2"},
    {"nonprod": "v2", "ring-1": "v2", "ring-2": "v2"},
    {"nonprod": "v2", "ring-1": "v1", "ring-2": "v1"},
    OLDEST,
)
"""Newest first: v3 is in nonprod and the first ring, v2 in the second."""
SEEN = ("v1", "v2", "v3", "v4")
SERVICES = ("ledger", "payments")
ISSUE = Thread(3, issue=True)
BEFORE = a.NOW - timedelta(hours=1)
WHERE = "https://gitlab.example.com/platform/config/-/issues/3#note_1"


def snapshot(**more: object) -> Snapshot:
    """Payments in three stages."""
    known: dict[str, object] = {"pins": PINS, "seen": SEEN, **more}
    return a.snapshot(NONPROD, RING_1, RING_2, **known)  # type: ignore[arg-type] # a test names any argument


def with_permissions(asked: Snapshot, **rights: object) -> Snapshot:
    """The snapshot under a policy that says who may what."""
    return replace(asked, policy=asked.policy.model_copy(update={"permissions": Permissions.model_validate(rights)}))


def request(stage: str = "ring-2", word: str = "v3", iid: int = 12, unit: str = a.UNIT, **more: object) -> MergeRequest:
    """The merge request of a promotion."""
    name = branch(BranchName(stage, unit, a.release(word).name, 1))
    return a.request(iid, source_branch=name, **more)


def promotion(stage: str = "ring-2", word: str = "v3", iid: int = 12, **more: object) -> Promotion:
    """An open promotion."""
    return a.promotion(stage, word, iid, request=request(stage, word, iid), **more)


def comment(
    by: User = MAINTAINER, thread: Thread = ISSUE, number: int = 345, at: datetime = a.NOW, url: str = WHERE
) -> Comment:
    """A comment on the control issue."""
    return Comment(thread, number, url, by, at)


CHECKS = wait("checks", "`ci` not finished", "nothing: Towpath looks again when it is")
GATES = (passed("integrity", "merging changes exactly this release's digests"), CHECKS)


def plan(*gates: Verdict, on: MergeRequest | None = None) -> Plan:
    """What was decided: two stages are done, the promotion into the third has these gates."""
    done = (StagePlan(name, passed("wanted", f"{name} runs v3")) for name in ("nonprod", "ring-1"))
    whole = combine("promotion", gates or GATES)
    url = (on or request()).url
    return Plan((*done, StagePlan("ring-2", whole, a.release("v3"), url)))


def situation(
    said: Comment | None = None,
    asked: Snapshot | None = None,
    on: MergeRequest | None = None,
    stage: str | None = None,
    release: Release | None = None,
) -> Situation:
    """On a control issue, or on a promotion's merge request."""
    asked = asked or snapshot()
    thread = Thread(on.iid) if on is not None else ISSUE
    said = said or comment()
    said = replace(said, thread=thread)
    return Situation(asked, plan(on=on), said, a.NOW, SERVICES, on, stage, release)


def on_promotion(
    said: Comment | None = None, asked: Snapshot | None = None, on: MergeRequest | None = None
) -> Situation:
    """On the merge request that brings v3 into the second ring."""
    asked = asked or snapshot(promotions=(promotion(),))
    return situation(said, asked, on or request(), "ring-2", a.release("v3"))


def call(text: str) -> Call:
    """A line that is a call."""
    found = parse_line(text, NAMES)
    assert isinstance(found, Call), found
    return found


def say(
    text: str,
    where: Situation | None = None,
    state: State | None = None,
    people: Mapping[str, tuple[User, ...] | None] | None = None,
    exists: Mapping[str, bool | None] | None = None,
) -> Done | Refused:
    """Apply one line, and answer what is asked."""
    where, found = where or situation(), call(text)
    while True:
        try:
            return APPLY[found.name](where, state or State(), found)
        except Unanswered as missing:
            known = {one: _answer(one, people or {}, exists or {}) for one in missing.questions}
            answers = {**where.snapshot.answers, **known}
            where = replace(where, snapshot=replace(where.snapshot, answers=answers))


def _answer(
    question: Question, people: Mapping[str, tuple[User, ...] | None], exists: Mapping[str, bool | None]
) -> object:
    match question:
        case Right():
            return RIGHTS.get(question.user.id, Permission.none)
        case Members():
            return people.get(question.name)
        case Exists():
            return exists.get(question.digest)
        case _:
            return a.answer(question)


def done(*words: object, **more: object) -> Done:
    """What is granted; fails where it is refused."""
    found = say(*words, **more)  # type: ignore[arg-type] # as `say`
    assert isinstance(found, Done), found
    return found


def refused(*words: object, **more: object) -> str:
    """Why it is refused; fails where it is granted."""
    found = say(*words, **more)  # type: ignore[arg-type] # as `say`
    assert isinstance(found, Refused), found
    return found.answer


def person(user: User = MAINTAINER) -> Person:
    """A user as the state writes them."""
    return Person(id=user.id, name=user.username)


def gated(where: Situation, *gates: Verdict) -> Situation:
    """The situation in which the promotion has these gates."""
    return replace(where, plan=plan(*gates, on=where.request))
