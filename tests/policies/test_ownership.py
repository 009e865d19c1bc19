"""S22: whom CODEOWNERS has asked about a path, and the line that changes it where that is nobody."""

import pytest

from policies.codeowners import parse
from policies.ownership import lacking, required

ABLE = frozenset({"@maria"})
OWN = ("towpath.yaml", "CODEOWNERS")
BOTH = "towpath.yaml and CODEOWNERS"
NO_OWNER = f"a line in CODEOWNERS that gives {BOTH} an owner, in no optional section"


@pytest.mark.parametrize(
    ("text", "paths", "why", "change"),
    [
        ("/towpath.yaml @maria\n", ("CODEOWNERS",), "CODEOWNERS gives no owner", "that gives CODEOWNERS an owner"),
        ("* @maria\n/towpath.yaml\n", ("towpath.yaml",), "CODEOWNERS:2 gives no owner", "that gives towpath.yaml"),
        ("", OWN, "CODEOWNERS gives no owner", NO_OWNER),
        (None, OWN, "CODEOWNERS gives no owner", NO_OWNER),
        ("^[Opt]\n* @maria\n", OWN, "CODEOWNERS:2 stands in an optional section", "`[Opt]` without `^` in CODEOWNERS"),
        ("* @no @one\n", OWN, "CODEOWNERS:1 names nobody who may write (@no and @one)", "CODEOWNERS:1: an owner who"),
        ("^[Opt]\n* @maria\n[Two]\n* @no\n", OWN, "CODEOWNERS:4 names nobody who may write (@no)", "CODEOWNERS:4"),
    ],
)
def test_S22_who_need_not_be_asked_is_no_owner(text: str | None, paths: tuple[str, ...], why: str, change: str) -> None:
    (lost,) = lacking("CODEOWNERS", None if text is None else parse("gitlab", text), OWN, ABLE)
    assert (lost.paths, lost.why) == (paths, why)
    assert change in lost.change


@pytest.mark.parametrize("text", ["* @maria\n", "* @no @maria\n", "[One]\n* @no\n[Two]\n* @maria\n"])
def test_S22_one_owner_who_may_write_is_enough(text: str) -> None:
    assert lacking("CODEOWNERS", parse("gitlab", text), OWN, ABLE) == ()


def test_each_path_is_told_with_its_own_line() -> None:
    found = lacking("CODEOWNERS", parse("github", "/towpath.yaml @no\n/CODEOWNERS @no\n"), OWN, ABLE)
    assert [(one.paths, one.change[:12]) for one in found] == [(OWN[:1], "CODEOWNERS:1"), (OWN[1:], "CODEOWNERS:2")]


def test_whom_to_look_up_is_each_rule_once_and_no_optional_one() -> None:
    rules = parse("gitlab", "* @maria\n^[Opt]\n* @no\n[Two]\n/towpath.yaml\n")
    assert [rule.owners for rule in required(rules, OWN)] == [("@maria",)]
    assert required(None, OWN) == ()
