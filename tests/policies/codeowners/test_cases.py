"""Every collected case gets its expected answer."""

import pytest

from policies.codeowners import parse
from policies.codeowners.gitlab import Sections, heading_of, owners_in
from policies.codeowners.matcher import Matcher, Pattern
from policies.codeowners.segments import steps_of
from tests.policies.codeowners.shared import lowered, rows

OTHERWISE: dict[int, str] = {}
"""Disputed cases that Towpath answers otherwise than the collection expects, and why: none.

Where suites disagree the expected answer is the forge's own: on GitHub an inner slash ties a pattern to the top, as
gitignore has it (95, 794, 795, 1222, 1223), and an unescaped bracket makes a line invalid (145, 361-363, 365, 366,
455); on GitLab Ruby's code decides what `.*` matches (1376) and which addresses stand in odd text (1423-1437)."""


@pytest.mark.parametrize("name", ["cases.jsonl", "gitlab_sections_of_paths.jsonl"])
def test_who_owns_a_path(name: str) -> None:
    wrong = {}
    for case in rows(name):
        rules = parse(case["dialect"], case["codeowners"]).rules_for(case["path"])
        owners = lowered(owner for rule in rules for owner in rule.owners) if rules else None
        if owners != (None if case["expected"] is None else lowered(case["expected"])):
            wrong[case["id"]] = owners
    assert wrong.keys() == OTHERWISE.keys(), wrong


def test_the_deciding_rule_of_each_section_and_the_errors() -> None:
    for case in rows("gitlab_sections_of_paths.jsonl"):
        owners = parse("gitlab", case["codeowners"])
        assert [
            (rule.section, rule.pattern, rule.line, sorted(rule.owners), rule.optional, rule.approvals)
            for rule in owners.rules_for(case["path"])
        ] == [
            (said["name"], said["pattern"], said["line"], lowered(said["owners"]), said["optional"], said["approvals"])
            for said in case["sections"]
        ], case["id"]
        assert [[error.line, error.kind] for error in owners.errors] == case["errors"], case["id"]


def test_headings() -> None:
    for case in rows("gitlab_sections.jsonl"):
        sections = Sections()
        for name in case["existing_sections"]:
            sections.open(name)
        heading, kinds = heading_of(case["line"], sections)
        assert (heading is not None) is case["is_header"], case
        assert list(kinds) == case["errors"], case
        if heading is not None:
            said = (heading.name, heading.optional, heading.approvals, heading.owners)
            assert said == tuple(case[key] for key in ("name", "optional", "approvals", "default_owners"))


def test_errors() -> None:
    for case in rows("gitlab_errors.jsonl"):
        assert [[error.line, error.kind] for error in parse("gitlab", case["codeowners"]).errors] == case["errors"]


def test_owners_in_a_text() -> None:
    for case in rows("gitlab_refs.jsonl"):
        found = owners_in(case["text"])
        names = {owner[1:] for owner in found if owner.startswith("@") and not owner.startswith("@@")}
        emails = {owner for owner in found if not owner.startswith("@")}
        if case.get("names") is not None:
            assert names == set(case["names"])
        if case.get("emails") is not None:
            assert emails == set(case["emails"])
        if case.get("roles") is not None:
            assert {owner[2:] for owner in found if owner.startswith("@@")} == set(case["roles"])
        if "emails_contains" in case:
            assert (case["text"] in emails) is case["emails_contains"]


def test_what_ruby_matches() -> None:
    wrong = []
    for case in rows("ruby_fnmatch.jsonl"):
        steps = steps_of(case["pattern"])
        # The matcher drops one leading slash, which `File.fnmatch?` does not.
        path = f"/{case['path']}"
        matched = steps is not None and Matcher([Pattern(steps)], bool).match(path)
        if matched is not case["match"]:
            wrong.append(case)
    assert wrong == []
