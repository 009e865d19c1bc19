"""What GitHub's documentation says beyond the collected cases."""

import pytest

from policies.codeowners import LOCATIONS, parse
from policies.codeowners.github import TOO_LARGE
from policies.codeowners.model import Fault


def lines(text: str, path: str) -> list[int]:
    return [rule.line for rule in parse("github", text).rules_for(path)]


def test_a_file_too_large_is_not_loaded() -> None:
    text = "* @a\n" + "#" * (TOO_LARGE - 5)
    owners = parse("github", text)
    assert (owners.errors, owners.rules_for("x")) == ((Fault(1, "file_too_large"),), ())
    assert lines(text[:-1], "x") == [1]


@pytest.mark.parametrize("pattern", ["!x", "\\#x", "[x]", "x[", "x]", "***/x"])
def test_an_invalid_pattern_is_left_out_and_reported(pattern: str) -> None:
    owners = parse("github", f"* @a\n{pattern} @b\n")
    assert owners.errors == (Fault(2, "invalid_pattern"),)
    assert [rule.line for rule in owners.rules_for("x")] == [1]


@pytest.mark.parametrize("owner", ["b", "@", "@a/b/c", "docs@", "@\u212aelvin", "@a,"])
def test_an_invalid_owner_invalidates_its_line(owner: str) -> None:
    owners = parse("github", f"* @a\nx @b {owner}\n")
    assert owners.errors == (Fault(2, "invalid_owner"),)
    assert [rule.line for rule in owners.rules_for("x")] == [1]


def test_a_rule_without_owners_is_given() -> None:
    (rule,) = parse("github", "* @a\nx # nobody @b\n").rules_for("x")
    assert (rule.line, rule.owners, rule.section, rule.optional, rule.approvals) == (2, (), "codeowners", False, 0)


@pytest.mark.parametrize(
    ("pattern", "owned", "free"),
    [
        ("/", [], ["x", "x/y"]),
        ("/*", ["x"], ["x/y"]),
        ("*/", ["x/y", "x/y/z"], ["x"]),
        ("x/**/", ["x/y/z"], ["x", "x/y", "y/x/z/z"]),
        ("x/**", ["x/y", "x/y/z"], ["x", "y/x/z"]),
        # As `git check-ignore` has them: stars in a row are one, and a slash at the end asks for a folder.
        ("x/**/**", ["x/y", "x/y/z"], ["x", "y/x/z"]),
        ("**/**", ["x", "x/y", "x/y/z"], []),
        ("**/", ["x/y", "x/y/z"], ["x"]),
        ("/**/", ["x/y", "x/y/z"], ["x"]),
        ("**", ["x", "x/y"], []),
        ("/**", ["x", "x/y"], []),
        ("x/*", ["x/y"], ["x", "x/y/z", "y/x/z"]),
        ("x/*/**", ["x/y/z", "x/y/z/z"], ["x/y"]),
        ("/x", ["x", "x/y"], ["y/x"]),
        ("/x/", ["x/y"], ["x", "y/x/z"]),
        ("*", ["x", "x/y"], []),
        ("*x*/", ["x/y", "axb/y"], ["x", "y/z"]),
        ("**/x", ["x", "y/x", "y/x/z"], ["y"]),
        ("x/*/", ["x/y/z", "x/y/z/z"], ["x/y"]),
        ("f*", ["foo", "y/foo/z"], ["of"]),
    ],
)
def test_what_a_pattern_owns(pattern: str, owned: list[str], free: list[str]) -> None:
    assert [path for path in (*owned, *free) if lines(f"{pattern} @a", path)] == owned


def test_where_the_file_lies() -> None:
    assert LOCATIONS == {
        "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
        "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    }


def test_a_backslash_at_the_end_escapes_nothing() -> None:
    assert parse("github", "x\\").errors == (Fault(1, "invalid_pattern"),)


def test_comments_say_nothing_and_what_ruby_takes_off_a_lines_ends_is_no_part_of_it() -> None:
    owners = parse("github", "# a note\n#x @b\n* @a\n\0\tx @c\0\n\n")
    assert owners.errors == ()
    assert [rule.line for rule in owners.rules_for("x")] == [4]
