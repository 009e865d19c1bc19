"""What GitLab's documentation and code say, beside the collected cases."""

import random
import re

import pytest

from policies.codeowners import parse
from policies.codeowners.gitlab import (
    MOST_APPROVALS,
    Heading,
    Sections,
    _addresses,
    heading_of,
    normalised,
    owners_in,
)
from policies.codeowners.model import Fault, Rule

NAME, NUMBER = "missing_section_name", "invalid_approval_requirement"
OWNER, FORMAT = "invalid_section_owner_format", "invalid_section_format"


@pytest.mark.parametrize(
    ("line", "heading", "kinds"),
    [
        ("[Docs]", Heading("Docs"), ()),
        ("[Docs and more]", Heading("Docs and more"), ()),
        ("^[Docs]", Heading("Docs", optional=True), ()),
        ("[Docs][2]", Heading("Docs", approvals=2), ()),
        ("[Docs][20]", Heading("Docs", approvals=20), ()),
        ("[Docs][0]", Heading("Docs", waived=True), ()),
        ("[Docs][00000000000002]", Heading("Docs", approvals=2), ()),
        ("[Docs][999999999]", Heading("Docs", approvals=MOST_APPROVALS - 1), ()),
        ("[Docs][1000000001]", Heading("Docs", approvals=MOST_APPROVALS), ()),
        ("[Docs][99999999999]", Heading("Docs", approvals=MOST_APPROVALS), ()),
        ("[Docs] @sre  @docs/writers", Heading("Docs", owners="@sre  @docs/writers"), ()),
        ("[Docs][2] @sre", Heading("Docs", approvals=2, owners="@sre"), ()),
        ("^[Docs][0]", Heading("Docs", optional=True, waived=True), ()),
        ("^[Docs][2]", Heading("Docs", optional=True, approvals=2), (NUMBER,)),
        ("[Docs][]", Heading("Docs"), (NUMBER,)),
        ("[Docs][2 3]", Heading("Docs", approvals=2), (NUMBER,)),
        ("[Docs][ 2 ]", Heading("Docs", approvals=2), (FORMAT,)),
        ("[Docs] @sre, @docs", Heading("Docs", owners="@sre"), (FORMAT,)),
        ("[Docs]@sre", Heading("Docs", owners="@sre"), (FORMAT,)),
        ("[Docs] sre", Heading("Docs", owners="sre"), (OWNER,)),
        ("[Docs] @sre docs", Heading("Docs", owners="@sre docs"), (OWNER,)),
        ("[]", Heading(""), (NAME,)),
        ("[ ]", Heading(" "), (NAME,)),
        ("[ ][ ] sre", Heading(" ", owners="sre"), (NAME, NUMBER, OWNER)),
        ("[Docs", None, (FORMAT,)),
        ("^[Docs", None, (FORMAT,)),
        ("^Docs]", None, ()),
        ("docs/ [Docs]", None, ()),
    ],
)
def test_what_a_heading_says(line: str, heading: Heading | None, kinds: tuple[str, ...]) -> None:
    assert heading_of(line, Sections()) == (heading, kinds)


def sections(text: str, path: str) -> list[tuple[str, int]]:
    """Section and line of each deciding rule."""
    return [(rule.section, rule.line) for rule in parse("gitlab", text).rules_for(path)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Docs]\nx @a\n[DOCS]\nx @b", [("Docs", 4)]),
        ("[Docs]\nx @a\n[Code]\nx @b\n[dOCS]\nx @c", [("Docs", 6), ("Code", 4)]),
        ("x @a\n[CODEOWNERS]\nx @b", [("codeowners", 1), ("CODEOWNERS", 3)]),
        ("x @a\n[Docs]\n[CODEOWNERS]\nx @b", [("codeowners", 4)]),
        ("[Docs]\n[STRASSE]\nx @a\n[straße]\nx @b", [("STRASSE", 5)]),
    ],
)
def test_headings_of_one_name_in_another_case_are_one_section(text: str, expected: list[tuple[str, int]]) -> None:
    assert sections(text, "x") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # The last that stands there decides; one with the same pattern takes an earlier one's place in the order.
        ("x @a\nx @b", [("codeowners", 2)]),
        ("x @a\n* @b", [("codeowners", 2)]),
        ("x @a\n* @b\nx @c", [("codeowners", 2)]),
        ("x @a\n* @b\n/x @c", [("codeowners", 3)]),
        # An exclusion vetoes its own section, wherever it stands, and only that.
        ("* @a\n!x\n* @b", []),
        ("!x\n* @a\n[Docs]\n* @b", [("Docs", 4)]),
        ("[A]\n* @a\n[B]\n* @b\n!x\n[C]\n* @c", [("A", 2), ("C", 7)]),
        ("* @a\n!y", [("codeowners", 1)]),
        # What is no rule.
        ("\n  \n# x @a\n\t* @b \0", [("codeowners", 4)]),
        ("* @a\n#x @b", [("codeowners", 1)]),
        ("* @a\n\0\tx @b\0", [("codeowners", 2)]),
        ("* @a\n[Docs\nx @b", [("codeowners", 3)]),
    ],
)
def test_which_line_of_a_section_decides(text: str, expected: list[tuple[str, int]]) -> None:
    assert sections(text, "x") == expected


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("x", Rule("codeowners", "x", 1, (), optional=False, approvals=0)),
        ("x @A @b @a", Rule("codeowners", "x", 1, ("@a", "@b"), optional=False, approvals=0)),
        ("x\\ y  @a", Rule("codeowners", "x\\ y", 1, ("@a",), optional=False, approvals=0)),
        ("[Docs][2] @a\nx", Rule("Docs", "x", 2, ("@a",), optional=False, approvals=2)),
        ("[Docs][2] @a\nx @b", Rule("Docs", "x", 2, ("@b",), optional=False, approvals=2)),
        ("^[Docs] @a\nx", Rule("Docs", "x", 2, ("@a",), optional=True, approvals=0)),
        # Optional only where all its headings say so.
        ("^[Docs] @a\nx\n[Docs]\ny @b", Rule("Docs", "x", 2, ("@a",), optional=False, approvals=0)),
        ("^[Docs] @a\nx\n^[Docs]\ny @b", Rule("Docs", "x", 2, ("@a",), optional=True, approvals=0)),
    ],
)
def test_what_a_rule_says(text: str, rule: Rule) -> None:
    assert parse("gitlab", text).rules_for(rule.pattern.replace("\\", "")) == (rule,)


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("x @a\n!y\n", []),
        ("# a note\nx @a\n", []),
        ("x @a\ny", [(2, "missing_entry_owner")]),
        ("x sre", [(1, "malformed_entry_owner")]),
        ("x @a sre @b", [(1, "malformed_entry_owner")]),
        ("[Docs] @a\nx", []),
        ("[Docs]\nx", [(2, "missing_entry_owner")]),
        ("[Docs\n^[\n[]\n", [(1, FORMAT), (2, FORMAT), (3, NAME)]),
        ("[Docs][] sre\n", [(1, NUMBER), (1, OWNER)]),
    ],
)
def test_what_is_wrong_with_a_file(text: str, errors: list[tuple[int, str]]) -> None:
    assert parse("gitlab", text).errors == tuple(Fault(line, kind) for line, kind in errors)


@pytest.mark.parametrize(
    ("text", "owners"),
    [
        ("", ()),
        ("sre", ()),
        ("@Sre, @sre and @docs/Writers.", ("@sre", "@docs/writers")),
        ("Alex@Example.com @alex", ("alex@example.com", "@alex")),
        ("@@Developers @@maintainer @@owners", ("@@developer", "@@maintainer", "@@owner")),
        ("@@guest x@@owner", ()),
        ("@users", ("@users",)),
        ("@@owner,", ()),
    ],
)
def test_who_stands_in_a_text(text: str, owners: tuple[str, ...]) -> None:
    assert owners_in(text) == owners


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*", "/**/*"),
        ("x", "/**/x"),
        ("/x", "/x"),
        ("x/", "/**/x/**/*"),
        ("/x/", "/x/**/*"),
        ("\\#x", "/**/#x"),
        ("x\\#", "/**/x\\#"),
        ("x\\ \\  y", "/**/x  y"),
    ],
)
def test_what_a_pattern_becomes(pattern: str, path: str) -> None:
    assert normalised(pattern) == path


@pytest.mark.parametrize(
    ("pattern", "owned", "free"),
    [
        ("*", ["x", "a/x"], []),
        ("x", ["x", "a/x", "a/b/x"], ["x/a", "ax"]),
        ("/x", ["x"], ["a/x", "x/a"]),
        ("x/", ["x/a", "a/x/b/c"], ["x", "a/x"]),
        ("/x/*", ["x/a"], ["x/a/b", "a/x/b"]),
        ("/x/**/y", ["x/y", "x/a/b/y"], ["y", "x/y/a"]),
        ("/x/**", ["x/a"], ["x", "x/a/b"]),
        ("*.[jt]s", ["a.js", "b/a.ts"], ["a.rs"]),
        ("/[x", [], ["x", "[x"]),
    ],
)
def test_what_a_pattern_owns(pattern: str, owned: list[str], free: list[str]) -> None:
    assert [path for path in (*owned, *free) if sections(f"{pattern} @a", path)] == owned


def test_addresses_are_found_as_a_regular_expression_finds_them() -> None:
    expression = re.compile(r"[^@\s]{1,100}@[^@\s]{1,255}(?<!\W)", re.ASCII)
    chance = random.Random(7)
    for _ in range(3000):
        word = "".join(
            chance.choice(("a@", "b-", "@", ".", "é", "x" * 99, "y" * 254, "-" * 255, "_")) for _ in range(9)
        )
        assert list(_addresses(word)) == [found[0] for found in expression.finditer(word)], word
