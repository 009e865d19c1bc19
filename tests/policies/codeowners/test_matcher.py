"""The automaton agrees with trying every pattern on every path, forgets, and is not slowed by hostile patterns."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies.codeowners import Dialect, matcher, parse
from policies.codeowners.matcher import Matcher, Pattern
from policies.codeowners.segments import GAP, Wild, steps_of
from tests.policies.codeowners.naive import fnmatch

PIECES = st.sampled_from(
    ["a", "b", "ab", "*", "**", "?", "[ab]", "[!a]", "[b-a]", "[", "[]", "[!]", "\\*", "\\", ".", "é"]
)
SEGMENTS = st.one_of(st.just("**"), st.sampled_from(["a", "ab", "b", "*"]), st.lists(PIECES, max_size=5).map("".join))
PATTERNS = st.lists(SEGMENTS, min_size=1, max_size=5).map("/".join).filter(lambda text: "[" not in text or plain(text))
NAMES = st.text("ab*.é[\\", max_size=5)
PATHS = st.lists(NAMES, min_size=1, max_size=5).map("/".join)


def plain(pattern: str) -> bool:
    """Neither a bracket over a slash nor an escaped slash, which the slow way does not know."""
    return all(part.count("[") <= part.count("]") for part in pattern.split("/"))


def automaton(patterns: Sequence[str], most: int = matcher.MOST_REMEMBERED) -> Matcher[frozenset[int]]:
    """Each pattern in a group of its own, so that all that match are told."""
    steps = [steps_of(pattern) for pattern in patterns]
    return Matcher(
        [
            Pattern((), itself=False, group=number) if found is None else Pattern(found, group=number)
            for number, found in enumerate(steps)
        ],
        lambda matching: matching,
        most,
    )


@given(st.lists(PATTERNS.filter(lambda text: "\\/" not in text), max_size=8), st.lists(PATHS, min_size=1, max_size=6))
@example(["**/a/**/a"], ["a/a/a", "b/a/b/a", "a"])
@example(["a*b*b", "*ab*a*", "a?*"], ["abb", "aabab", "a", "ab"])
@example(["//a", "/a", "a/"], ["/a", "a", "//a", "a/"])
def test_every_pattern_on_every_path(patterns: list[str], paths: list[str]) -> None:
    all_at_once = automaton(patterns)
    forgetful = automaton(patterns, 0)
    for path in paths:
        slowly = frozenset(number for number, pattern in enumerate(patterns) if fnmatch(pattern, path))
        assert all_at_once.match(f"/{path}") == slowly
        assert forgetful.match(f"/{path}") == slowly


@given(st.lists(PATTERNS, max_size=8), PATHS)
def test_of_a_group_the_last_counts(patterns: list[str], path: str) -> None:
    numbers = automaton(patterns).match(path)
    steps = [steps_of(pattern) for pattern in patterns]
    halves = [Pattern(found or (), found is not None, group=number % 2) for number, found in enumerate(steps)]
    together = Matcher([Pattern(half.steps, half.itself) for half in halves], lambda matching: matching)
    assert together.match(path) == frozenset(sorted(numbers)[-1:])
    last = {number % 2: number for number in sorted(numbers)}
    assert Matcher(halves, lambda matching: matching).match(path) == frozenset(last.values())


@given(st.lists(PATTERNS, max_size=5), st.lists(PATHS, min_size=1, max_size=4))
def test_what_lies_below(patterns: list[str], paths: list[str]) -> None:
    """A pattern for what lies below matches what the same pattern with `/**/*` after it matches."""
    found = [steps for pattern in patterns if (steps := steps_of(pattern)) is not None]
    below = Matcher([Pattern(steps, False, True, number) for number, steps in enumerate(found)], sorted)
    after = Matcher([Pattern((*steps, GAP, *_any()), group=number) for number, steps in enumerate(found)], sorted)
    for path in paths:
        assert below.match(path) == after.match(path)


def _any() -> tuple[Wild]:
    (found,) = steps_of("*") or ()
    assert isinstance(found, Wild)
    return (found,)


def test_a_very_long_path() -> None:
    deep = "/".join(["a"] * 5_000)
    found = automaton([f"{deep}/b", "**/a/b", "a/a/*/a/**/b", "a/b", f"{'a/' * 20}**/b", "c/**/b"])
    for _ in range(2):
        assert found.match(f"{deep}/b") == {0, 1, 2, 4}
    assert len(found._states) == 1


def test_memory_is_bounded() -> None:
    owners = automaton(["*.py", "**/x*/", "a/**/b?", "**/f*7/**/g[0-4]*"], 500)
    most = 0
    for number in range(3_000):
        owners.match(f"f{number % 977}/x{number}/g{number % 91}/n{number}.py")
        most = max(most, owners.remembered)
    assert 500 < most < 550
    kept = sum(len(kept) for kept in (owners._states, owners._fitting, owners._answers))
    assert kept <= most


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("a", 2),  # what the name fits: nothing; and the answer: nobody
        ("a.py", 4),  # what it fits: the first; and the answer
        ("a/b.py", 10),
        ("x1/a.py", 9),
        ("a/f17/q/g3z", 23),
        ("f7/" * 40 + "g0", 171),
        ("n" * 320 + ".py", 14),
        ("n" * 63 + "/a", 7),
    ],
)
def test_how_much_is_remembered_is_counted(path: str, size: int) -> None:
    owners = automaton(["*.py", "**/x*/", "a/**/b?", "**/f*7/**/g[0-4]*"])
    for _ in range(2):
        owners.match(path)
        assert owners.remembered == size


def test_what_was_remembered_is_used_again() -> None:
    asked: list[frozenset[int]] = []

    def decide(matching: frozenset[int]) -> int:
        asked.append(matching)
        return len(matching)

    owners = Matcher([Pattern(("a",), itself=False, below=True)], decide)
    assert [owners.match(path) for path in ("a/b", "a/c", "b", "a/d/e", "c/d")] == [1, 1, 0, 1, 0]
    assert asked == [frozenset({0}), frozenset()]


HOSTILE = {
    "gaps": ("**/a/" * 60 + "b", "a/" * 400 + "c"),
    "stars": ("*a" * 100 + "b", "a" * 4_000),
    "stars and questions": ("*?a" * 100 + "b", "a" * 4_000),
    "stars and ranges": ("*[ab]" * 100 + "c", "ab" * 2_000),
    "stars within folders": ("/".join(["*a*a*a*b"] * 30), "/".join(["a" * 200] * 30)),
    "double stars": ("a**" * 100 + "b", "a" * 4_000),
    "an open range": ("[" + "a-b" * 50_000, "a"),
    "an open range with escapes": ("[" + "\\a-" * 50_000, "a"),
    "questions": ("?" * 100_000, "a" * 99_999),
    "many short stars": ("*a" * 10_000, "a" * 1_000),
    "brackets": ("[[" * 50_000, "["),
    "escapes": ("\\" * 100_001, "\\" * 50_000),
}


def test_one_pattern_in_many_sections_is_joined_once() -> None:
    """With each section joined to those before it, twice as many take four times as long: here half a minute."""
    many = 20_000
    began = time.process_time()
    owners = parse("gitlab", "\n".join(f"[s{number}]\n* @a" for number in range(many)))
    assert len(owners.rules_for("a/b")) == many
    assert time.process_time() - began < 8


@pytest.mark.parametrize("dialect", ["github", "gitlab"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pattern_takes_no_time(dialect: Dialect, name: str) -> None:
    pattern, path = HOSTILE[name]
    began = time.process_time()
    parse(dialect, f"{pattern} @a\n/x/{pattern} @b").rules_for(f"x/{path}")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("dialect", ["github", "gitlab"])
@pytest.mark.parametrize(
    "text",
    [
        *("[" * 100_000, "[A]" + " " * 200_000 + "+", "[A][" + "1" * 100_000 + "]", "[A]" + "[" * 100_000),
        *("x " + "a" * 200_000, "x " + "@a/" * 50_000, "x " + "a@" * 50_000, "x " + "-@" * 50_000, "x" + " " * 200_000),
        *("\\ " * 100_000, "!" * 100_000, "x @" + "a.git" * 50_000, "x " + "@a" * 50_000, "^[" + "]" * 100_000),
    ],
    ids=lambda text: text[:8],
)
def test_a_hostile_line_takes_no_time(dialect: Dialect, text: str) -> None:
    began = time.process_time()
    parse(dialect, text).rules_for("x")
    assert time.process_time() - began < 5


LINES = st.text(st.one_of(st.sampled_from("[]^!#*?\\/@ \n\r\t\0ab1-."), st.characters()), max_size=60)


@given(st.sampled_from(["github", "gitlab"]), LINES, st.text(max_size=20))
@example("gitlab", "[a-", "a")
@example("github", "\ud800 @a", "\ud800")
def test_no_text_raises(dialect: Dialect, text: str, path: str) -> None:
    owners = parse(dialect, text)
    assert owners.rules_for(path) == owners.rules_for(path)
    count = text.count("\n") + 1
    assert all(1 <= error.line <= count for error in owners.errors)
