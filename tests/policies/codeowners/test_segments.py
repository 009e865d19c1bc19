"""What one wildcard pattern matches, where a small slip would not be seen among random ones."""

import pytest

from policies.codeowners.matcher import LONGEST, Matcher, Pattern
from policies.codeowners.segments import ANY, GAP, Wild, steps_of


def matches(pattern: str, path: str) -> bool:
    steps = steps_of(pattern)
    return steps is not None and Matcher([Pattern(steps)], bool).match(path)


@pytest.mark.parametrize(
    ("pattern", "matched", "others"),
    [
        ("[a^]", ["a", "^"], ["b"]),
        ("[X]", ["X"], ["x", "a"]),
        ("[!a]", ["!", "[", "b"], ["a"]),
        ("[^a]", ["^", "[", "b"], ["a"]),
        ("[a!]", ["a", "!"], ["b"]),
        ("[a-c]", ["a", "b", "c"], ["d", "-"]),
        ("[c-a]", ["a", "c"], ["b", "-"]),
        ("[a-ac]", ["a", "c"], ["b", "-"]),
        ("[\\a-\\c]", ["a", "b", "c"], ["\\", "-"]),
        ("[\\]]", ["]"], ["\\"]),
        ("[!]", ["!", "a"], ["ab"]),
        ("[a/b]", ["a", "b"], ["c", "a/b"]),
        ("\\*", ["*"], ["a", "\\*"]),
        ("\\a", ["a"], ["\\a"]),
        ("a\\", ["a\\"], ["a"]),
        ("a\\/b", ["a/b"], ["a\\/b", "ab"]),
        ("**\\/b", ["x/b", "a/b"], ["b", "a/c/b"]),
        ("[a]**/b", ["ax/b", "a/b"], ["b", "a/c/b"]),
        ("**/**/[b]", ["b", "a/b", "a/a/b"], ["b/a"]),
        ("a?c", ["abc", "a\nc"], ["ac", "abbc"]),
        ("a*c*e", ["ace", "abcde", "aXcXcXe"], ["aec", "ac", "ae"]),
        ("a*", ["a", "ab"], ["b", "ba"]),
        ("*a", ["a", "ba"], ["b", "ab"]),
        ("ab*ba", ["abba", "abxba"], ["aba"]),
        ("*a*", ["a", "bab"], ["b"]),
        ("*abcde*", ["abcde", "xabcdex"], ["abcd", "abcdx"]),
        ("*ab?*", ["xabc", "abcd"], ["xab"]),
        ("?b*[cd]", ["abc", "abxd"], ["bc", "ab"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("a/[x]", ["a/x"], ["a/b/x", "x", "a"]),
        ("**/a/[x]", ["a/x", "b/a/x"], ["a/b/x", "b/x"]),
    ],
)
def test_what_matches(pattern: str, matched: list[str], others: list[str]) -> None:
    assert [text for text in (*matched, *others) if matches(pattern, text)] == matched


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        ("a/b", ("a", "b")),
        ("**/a", (GAP, "a")),
        ("**/**/a", (GAP, "a")),
        ("[a]/**/**/a", (Wild("", "", 1, "", "[a]"), GAP, "a")),
        ("a/**", ("a", ANY)),
        ("**", (ANY,)),
        ("a*b", (Wild("a", "b", 2, "", ""),)),
        ("\\a*b", (Wild("a", "b", 2, "", ""),)),
        ("*a*bcd*e*", (Wild("", "", 5, "bcd", "(?>.*?a)(?>.*?bcd)(?>.*?e).*"),)),
        ("*abc*d*", (Wild("", "", 4, "abc", "(?>.*?abc)(?>.*?d).*"),)),
        ("*a*bcd*", (Wild("", "", 4, "bcd", "(?>.*?a)(?>.*?bcd).*"),)),
        ("*a\\b", (Wild("", "ab", 2, "", ""),)),
        ("a?b*c", (Wild("a", "c", 4, "", "a.b.*c"),)),
        ("a?", (Wild("a", "", 2, "", "a."),)),
        ("?a", (Wild("", "a", 2, "", ".a"),)),
        ("\\*", ("*",)),
        ("\\", ("\\",)),
        ("[", None),
        ("[]", None),
        ("[a", None),
    ],
)
def test_the_steps_of_a_pattern(pattern: str, steps: tuple[object, ...] | None) -> None:
    """What is said of a segment beforehand spares its regular expression: how it begins and ends, its least length."""
    assert steps_of(pattern) == steps


def test_a_long_path_passes_the_folders_that_patterns_name() -> None:
    folder = "n" * (LONGEST - 1)
    deep = "x/" + "a/" * LONGEST
    patterns = [f"{folder}/*/c", "x/*/**/b", "a/*/**/b", f"{folder}n/*/c"]
    found = Matcher([Pattern(steps_of(text) or (), group=place) for place, text in enumerate(patterns)], sorted)
    assert found.match(f"{folder}/x/c") == [0]
    assert found.match(f"{folder}n/x/c") == [3]
    assert found.match(f"{deep}b") == [1]
