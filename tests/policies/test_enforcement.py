"""S24: what is enforced, advisory or bypassable, and by whom; S22: the rules' own files need owners."""

from dataclasses import replace

import pytest

from policies.codeowners import parse
from policies.config import Approvals, Stage
from policies.enforcement import WRITERS, Guard, Level, Needed, judge, unowned

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


def test_S22_a_stage_with_approvals_is_bypassable_while_the_rules_have_no_owner() -> None:
    found = judge(GITLAB, APPROVED, ("towpath.yaml", ".gitlab/CODEOWNERS"))
    assert (found.level, found.by) == (Level.bypassable, (WRITERS,))
    assert "nobody owns towpath.yaml and .gitlab/CODEOWNERS" in found.why
    assert "towpath.yaml and .gitlab/CODEOWNERS an owner" in found.change
    assert judge(GITLAB, APPROVED, ()).level is Level.enforced
    assert judge(GITLAB, STAGE, ("towpath.yaml",)).level is Level.enforced  # asks nobody's approval


def test_S16_owners_that_could_not_be_read_are_none() -> None:
    found = judge(GITLAB, APPROVED, None)
    assert (found.level, found.by) == (Level.advisory, ())
    assert "could not be read" in found.why


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("* @maria\n", ()),
        ("/towpath.yaml @maria\n", ("CODEOWNERS",)),
        ("^[Optional]\n* @maria\n", ("towpath.yaml", "CODEOWNERS")),
        ("* @maria\n/towpath.yaml\n", ("towpath.yaml",)),
        ("", ("towpath.yaml", "CODEOWNERS")),
    ],
)
def test_S22_who_need_not_be_asked_is_no_owner(text: str, left: tuple[str, ...]) -> None:
    assert unowned(parse("gitlab", text), ("towpath.yaml", "CODEOWNERS")) == left


def test_S22_without_CODEOWNERS_nobody_owns_anything() -> None:
    assert unowned(None, ("towpath.yaml",)) == ("towpath.yaml",)
