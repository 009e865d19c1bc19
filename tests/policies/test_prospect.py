"""What would be otherwise for a unit after a merge request, and who would have to approve."""

from dataclasses import replace

import pytest

from policies.actions import Close, OpenPromotion, Plan, StagePlan
from policies.codeowners import parse
from policies.prospect import Sight, asks, prospects
from policies.snapshot import Owners, OwnersFile, Snapshot
from policies.verdict import Verdict, block, passed
from tests import builders as a

OWNED = "/environments/prod/ @sre @leads\n"
GATED = a.stage("prod", after="nonprod", approvals={"codeowners": "required", "minimum": 2, "from": ["@sre"]})


def snapshot(owners: str | None = OWNED, stage: object = GATED) -> Snapshot:
    found = a.snapshot(a.stage(), stage, pins=({"nonprod": "v1", "prod": "v1"},))  # type: ignore[arg-type] # a stage
    rules = None if owners is None else parse("gitlab", owners)
    return replace(found, answers={OwnersFile(): Owners("gitlab", "CODEOWNERS", rules)})


def opening(title: str) -> OpenPromotion:
    release = a.release("v2")
    return OpenPromotion("prod", release, 1, "b", "main", a.HEAD, a.TREE, title, "", "", (), ())


def plan(*actions: object, verdict: Verdict | None = None, names: tuple[str, ...] = ("nonprod", "prod")) -> Plan:
    fine = passed("wanted", "runs")
    stages = [StagePlan(name, fine) for name in names]
    stages[-1] = replace(stages[-1], verdict=verdict or fine, actions=tuple(actions))  # type: ignore[arg-type] # actions
    return Plan(tuple(stages))


def told(before: Plan, after: Plan) -> list[str]:
    return list(prospects(Sight(snapshot(), before), Sight(snapshot(), after)))


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        (plan(), plan(), []),
        (plan(), plan(opening("Promote x")), ["`payments` in `prod`: opens Promote x"]),
        (plan(opening("Promote x")), plan(opening("Promote x")), []),
        (plan(opening("Promote x")), plan(), ["`payments` in `prod`: no longer opens Promote x"]),
        (plan(), plan(Close(7, "label", "body")), ["`payments` in `prod`: closes `!7`"]),
        (plan(names=("nonprod",)), plan(), ["`payments` comes to `prod`"]),
        (plan(), plan(names=("nonprod",)), ["`payments` is in `prod` no more"]),
        (plan(), plan(verdict=block("files", "it is no YAML", "mend it")),
         ["`payments` stands still in `prod`: it is no YAML"]),
        (plan(verdict=block("files", "a", "b")), plan(verdict=block("files", "it is no YAML", "mend it")), []),
    ],
)  # fmt: skip
def test_what_would_be_otherwise(before: Plan, after: Plan, says: list[str]) -> None:
    assert told(before, after) == says


def test_S9_a_title_of_somebodys_making_is_quoted() -> None:
    assert told(plan(), plan(opening("@all [x](y)"))) == ["`payments` in `prod`: opens `@all [x](y)`"]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (snapshot(), "1 of `@sre` and `@leads` and 2 of `@sre`"),
        (snapshot("[Core][2]\n* @a\n[Docs]\n* @b\n"), "2 of `@a` and 1 of `@b` and 2 of `@sre`"),
        (snapshot(None), "owners whom `CODEOWNERS` does not tell and 2 of `@sre`"),
        (snapshot("/elsewhere/ @sre\n"), "owners of whom none is named and 2 of `@sre`"),
        (snapshot(stage=a.stage("prod", after="nonprod", approvals={"minimum": 1})), "1 of anybody who may write"),
        (snapshot(stage=a.stage("prod", after="nonprod")), "nobody"),
    ],
)
def test_who_would_have_to_approve(found: Snapshot, says: str) -> None:
    assert asks(found, found.view("prod")) == says


def test_a_change_of_who_approves_is_told_with_who_it_was() -> None:
    other = Sight(snapshot("/environments/prod/ @b\n"), plan())
    told = prospects(Sight(snapshot(), plan()), other)
    assert told == (
        (
            "`payments` in `prod` needs the approval of 1 of `@b` and 2 of `@sre`, now of 1 of `@sre` and `@leads` "
            "and 2 of `@sre`"
        ),
    )
