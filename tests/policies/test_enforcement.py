"""S24: what is enforced, advisory or bypassable, and by whom; S22: the rules' own files need owners."""

from dataclasses import replace
from typing import Literal

import pytest

from policies.config import Approvals, Stage
from policies.enforcement import WRITERS, Change, Enforcement, Guard, Level, Needed, changed, judge
from policies.ownership import Lack, Ownership

GITLAB = Guard("gitlab", "main", True)
GITHUB = Guard("github", "main", True, is_app=True)
MARIA, JONAS = ("@maria (Maintainer)",), ("@jonas (Developer)",)


def a_stage(merge: str = "auto", approvals: Approvals | None = None, mode: str = "enforce") -> Stage:
    fields = {"name": "prod", "where": {"environment": "prod"}, "merge": merge, "mode": mode, "approvals": approvals}
    return Stage.model_validate(fields)


STAGE = a_stage()
APPROVED = a_stage("manual", Approvals(minimum=1))


@pytest.mark.parametrize(
    ("guard", "level", "by", "why", "change"),
    [
        (GITLAB, "enforced", (), "nobody but Towpath may push or merge", ""),
        (replace(GITLAB, lifters=MARIA), "enforced", (), "nobody but", "@maria (Maintainer) can change these settings"),
        (replace(GITLAB, protected=False), "bypassable", (WRITERS,), "main is not protected", "Protected branches"),
        (replace(GITLAB, protected=False, pushers=JONAS), "bypassable", JONAS, "not protected", "the bot alone"),
        (replace(GITLAB, pushers=JONAS), "bypassable", JONAS, "without a merge request", "*Allowed to push and merge*"),
        (replace(GITLAB, mergers=MARIA), "bypassable", MARIA, "nothing asks for the status", "*Allowed to merge*"),
        (
            replace(GITLAB, mergers=MARIA, status=Needed.anybodys),
            "advisory",
            MARIA,
            "can set a green one",
            "*Allowed to merge*",
        ),
        (
            replace(GITLAB, pushers=JONAS, mergers=MARIA, status=Needed.anybodys),
            "bypassable",
            (*JONAS, *MARIA),
            "without a merge request; a red status",
            "No one; *Allowed to merge*",
        ),
        (replace(GITLAB, protected=None, unread=("it (403)",)), "advisory", (), "could not be read: it (403)", "token"),
        (replace(GITLAB, protected=None), "advisory", (), "could not be read: the protection", "a token"),
        (replace(GITLAB, unread=("a list (403)",)), "advisory", (), "a list (403)", "docs/enforcement.md"),
        (
            replace(GITLAB, mergers=MARIA, unread=("a list (403)",)),
            "bypassable",
            MARIA,
            "to be green; could not be read: a list (403)",
            "again",
        ),
        (replace(GITHUB, protected=False), "bypassable", (WRITERS,), "not protected", "expected source"),
        (
            replace(GITHUB, protected=False, is_app=False),
            "bypassable",
            (WRITERS,),
            "not",
            "run Towpath as a GitHub App",
        ),
        (replace(GITHUB, protected=False, offered=False), "bypassable", (WRITERS,), "not protected", "a paid plan"),
        (replace(GITHUB, status=Needed.own, mergers=JONAS), "enforced", (), "of Towpath's own App", ""),
        (replace(GITHUB, status=Needed.own), "enforced", (), "nobody but Towpath", ""),
        (replace(GITHUB, status=Needed.own, mergers=JONAS, pushers=JONAS), "enforced", (), "own App", ""),
        (replace(GITHUB, status=Needed.own, may_force=True, mergers=JONAS), "enforced", (), "own App", ""),
        (
            replace(GITHUB, status=Needed.own, may_force=True, pushers=JONAS),
            "bypassable",
            JONAS,
            "force the branch back",
            "do not allow force pushes",
        ),
        (
            replace(GITHUB, status=Needed.own, bypassers=MARIA),
            "bypassable",
            MARIA,
            "let some bypass",
            "empty the bypass list",
        ),
        (replace(GITHUB, bypassers=MARIA), "bypassable", MARIA, "let some bypass", "Do not allow bypassing"),
        (replace(GITHUB, status=Needed.anybodys, mergers=JONAS), "advisory", JONAS, "by the API", "expected source"),
        (
            replace(GITHUB, status=Needed.anybodys, pushers=JONAS, mergers=JONAS, is_app=False),
            "advisory",
            JONAS,
            "by the API",
            "as a GitHub App",
        ),
        (replace(GITHUB, pushers=JONAS), "bypassable", JONAS, "without a merge request", "require a pull request"),
        (replace(GITHUB, mergers=JONAS), "bypassable", JONAS, "some may merge", "expected source"),
    ],
)
def test_S24_the_level_who_and_the_setting(
    guard: Guard, level: str, by: tuple[str, ...], why: str, change: str
) -> None:
    found = judge(guard, STAGE)
    assert (found.level, found.by, found.gated) == (Level(level), by, True)
    assert why in found.why
    assert change in found.change
    assert found.lifted_by == guard.lifters


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (a_stage("manual"), "asks for nothing"),
        (a_stage(mode="observe", approvals=Approvals(minimum=1)), "only watches"),
    ],
)
def test_a_stage_that_asks_for_nothing_says_so_however_open_the_branch_is(stage: Stage, why: str) -> None:
    found = judge(replace(GITLAB, protected=False), stage, None)
    assert (found.gated, found.level, found.by) == (False, Level.advisory, ())
    assert why in found.why
    assert found.change


LOST = Lack(("towpath.yaml", ".gitlab/CODEOWNERS"), "CODEOWNERS gives no owner", "a line in CODEOWNERS")
OF_OWNERS = a_stage("manual", Approvals(codeowners="required"))


def test_S22_a_stage_with_approvals_is_bypassable_while_the_rules_have_no_owner() -> None:
    found = judge(GITLAB, APPROVED, Ownership(rules=(LOST,)))
    assert (found.level, found.by) == (Level.bypassable, (WRITERS,))
    assert found.why == "nobody need be asked about towpath.yaml and .gitlab/CODEOWNERS: CODEOWNERS gives no owner"
    assert found.change == "a line in CODEOWNERS"
    assert judge(GITLAB, APPROVED).level is Level.enforced
    assert judge(GITLAB, STAGE, Ownership(rules=(LOST,))).level is Level.enforced  # asks nobody's approval


def test_a_stage_whose_own_files_nobody_owns_is_advisory_where_owners_are_asked_for() -> None:
    found = judge(GITLAB, OF_OWNERS, Ownership(files=(LOST,)))
    assert (found.level, found.by, found.gated) == (Level.advisory, (), True)
    assert judge(GITLAB, APPROVED, Ownership(files=(LOST,))).level is Level.enforced


def test_S16_owners_that_could_not_be_read_are_none() -> None:
    found = judge(GITLAB, APPROVED, None)
    assert (found.level, found.by) == (Level.advisory, ())
    assert "could not be read" in found.why


def test_approvals_that_ask_for_nobody_are_no_gate() -> None:
    """Policy refuses them; a stage that was made otherwise is still not called enforced."""
    empty = Approvals.model_construct(codeowners="ignored", minimum=0, people=())
    found = judge(GITLAB, a_stage().model_copy(update={"approvals": empty}))
    assert (found.level, found.gated) == (Level.advisory, False)
    assert "ask for nobody" in found.why and "`minimum: 1`" in found.change


@pytest.mark.parametrize(
    ("guard", "owners_asked", "level", "by"),
    [
        (replace(GITLAB, mergers=MARIA, status=Needed.anybodys), False, "bypassable", MARIA),
        (replace(GITLAB, mergers=MARIA, status=Needed.anybodys), True, "advisory", MARIA),
        (GITLAB, False, "enforced", ()),
        (replace(GITHUB, mergers=MARIA, status=Needed.own), False, "enforced", ()),
        (replace(GITHUB, mergers=MARIA, status=Needed.anybodys), False, "advisory", MARIA),
        (replace(GITHUB, mergers=MARIA), True, "bypassable", MARIA),
    ],
)
def test_S22_who_may_merge_a_change_of_policy_that_nobody_is_asked_about_goes_around(
    guard: Guard, owners_asked: bool, level: str, by: tuple[str, ...]
) -> None:
    found = judge(replace(guard, owners_asked=owners_asked), APPROVED)
    assert (found.level, found.by) == (Level(level), by)
    held = owners_asked or not guard.mergers or (guard.kind == "github" and guard.status is not Needed.no)
    assert ("asks no code owner" in found.why) is not held
    told = judge(replace(guard, owners_asked=owners_asked, protected=None), APPROVED)
    assert "asks no code owner" not in told.why  # what protects it was not read


@pytest.mark.parametrize(("kind", "setting"), [("gitlab", "Code owner approval"), ("github", "from Code Owners")])
def test_S22_the_setting_that_has_owners_asked_is_named(kind: Literal["gitlab", "github"], setting: str) -> None:
    assert setting in judge(Guard(kind, "main", True, mergers=MARIA), APPROVED).change


@pytest.mark.parametrize(
    ("level", "by", "last", "before", "change"),
    [
        ("enforced", (), None, (), "none"),
        ("enforced", (), "enforced", (), "none"),
        ("enforced", (), "advisory", (), "holds again"),
        ("enforced", (), "bypassable", JONAS, "holds again"),
        ("advisory", MARIA, None, (), "not held"),
        ("bypassable", MARIA, None, (), "not held"),
        ("advisory", MARIA, "enforced", (), "worse"),
        ("bypassable", MARIA, "advisory", MARIA, "worse"),
        ("bypassable", MARIA, "enforced", (), "worse"),
        ("advisory", MARIA, "bypassable", MARIA, "not held"),
        ("bypassable", MARIA, "bypassable", MARIA, "none"),
        ("bypassable", MARIA, "bypassable", (*MARIA, *JONAS), "none"),
        ("bypassable", (*MARIA, *JONAS), "bypassable", MARIA, "not held"),
    ],
)
def test_S24_what_became_of_a_stage_is_told_once(
    level: str, by: tuple[str, ...], last: str | None, before: tuple[str, ...], change: str
) -> None:
    now = Enforcement(Level(level), by, "", "")
    assert changed(now, Level(last) if last else None, before) is Change(change)
