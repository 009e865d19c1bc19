"""One line -> a call or a mistake."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.commands.lines import (
    FOREIGN,
    LONGEST,
    MOST_WORDS,
    Call,
    Mistake,
    options_before,
    parse_line,
    quoted,
    rest_from,
)

NAMES = ("promote", "hold", "unhold", "rollback", "merge", "refresh", "retry", "status", "explain", "skip", "help")


def call(line: str) -> Call:
    found = parse_line(line, NAMES)
    assert isinstance(found, Call), found
    return found


def mistake(line: str, prefix: str = "towpath") -> Mistake:
    found = parse_line(line, NAMES, prefix)
    assert isinstance(found, Mistake), found
    return found


@pytest.mark.parametrize(
    ("line", "name", "words", "options"),
    [
        ("/hold", "hold", [], {}),
        ("  /hold  ", "hold", [], {}),
        ("/HOLD Prod", "hold", ["Prod"], {}),
        ("/towpath hold prod", "hold", ["prod"], {}),
        ("/Towpath HOLD prod", "hold", ["prod"], {}),
        ("/hold\tprod\u00a0eu", "hold", ["prod", "eu"], {}),
        ("/promote shop to prod", "promote", ["shop", "to", "prod"], {}),
        ('/hold "two words" x', "hold", ["two words", "x"], {}),
        ("/hold “two words” x", "hold", ["two words", "x"], {}),
        ("/hold „zwei Worte“ «deux mots»", "hold", ["zwei Worte", "deux mots"], {}),
        ('/hold “two words" x', "hold", ["two words", "x"], {}),
        ("/hold for=2h prod", "hold", ["prod"], {"for": "2h"}),
        ('/hold For="two hours" prod', "hold", ["prod"], {"for": "two hours"}),
        ("/hold for= prod", "hold", ["prod"], {"for": ""}),
        ('/hold ""', "hold", [""], {}),
        ('/hold "for=2h"', "hold", ["for=2h"], {}),
        ("/hold https://e.org/?a=b", "hold", ["https://e.org/?a=b"], {}),
        ("/hold it's don't", "hold", ["it's", "don't"], {}),
        ("/hold it\u2019s", "hold", ["it\u2019s"], {}),
        ('/hold 5" disk', "hold", ['5"', "disk"], {}),
        ('/hold \\"prod', "hold", ['"prod'], {}),
        ('/hold "say \\"hi\\" now"', "hold", ['say "hi" now'], {}),
        ("/hold a\\_b", "hold", ["a\\_b"], {}),
        ("/hold trailing\\", "hold", ["trailing\\"], {}),
        ('/hold "foo", then', "hold", ["foo,", "then"], {}),
        ("/hold `x` *y* <z>", "hold", ["`x`", "*y*", "<z>"], {}),
    ],
)
def test_a_line_is_read(line: str, name: str, words: list[str], options: dict[str, str]) -> None:
    found = call(line)
    assert (found.name, found.words, dict(found.options), found.raw) == (name, tuple(words), options, line)


@pytest.mark.parametrize(
    ("line", "index", "rest"),
    [
        ("/hold prod it is *really* broken", 1, "it is *really* broken"),
        ("/hold prod   it  is\u00a0broken ", 1, "it  is\u00a0broken"),
        ('/hold prod "it is broken"', 1, "it is broken"),
        ('/hold prod "it is \\"broken\\""', 1, 'it is "broken"'),
        ('/hold prod "foo", then', 1, '"foo", then'),
        ('/hold prod "foo" then', 1, '"foo" then'),
        ("/hold prod “it is”", 1, "it is"),
        ("/hold prod cpu high load=9", 1, "cpu high load=9"),
        ("/hold for=2h prod high", 1, "high"),
        ("/hold prod", 1, ""),
        ("/hold prod", 0, "prod"),
        ("/hold prod", -1, ""),
        ("/hold", 0, ""),
    ],
)
def test_the_rest_of_a_line_is_free_text(line: str, index: int, rest: str) -> None:
    assert rest_from(call(line), index) == rest


def test_options_are_those_before_the_free_text() -> None:
    found = call("/hold for=2h prod cpu load=9")
    assert options_before(found, 1) == {"for": "2h"}
    assert options_before(found, 9) == {"for": "2h", "load": "9"}
    assert (found.option("load"), found.option("until")) == ("9", None)


@pytest.mark.parametrize(
    ("line", "nearest", "known", "foreign", "says"),
    [
        ("/promot shop", "promote", False, False, "no such command"),
        ("/Unhld", "unhold", False, False, "no such command"),
        ("/towpaht hold", "towpath", False, False, "no such command"),
        ("/towpath promot", "promote", False, False, "no such command"),
        ("/towpath /promote", "promote", False, False, "no such command"),
        ("/towpath zzz", None, False, False, "no such command"),
        ("/towpath", None, False, False, "no command is named"),
        ("/towpath 12", None, False, False, "no command is named"),
        ("/zzz", None, False, True, "no such command"),
        ("/retest", None, False, True, "another bot"),
        ("/remove-hold", None, False, True, "another bot"),
        ("/label bug", None, False, True, "another bot"),
        ("/rerun", None, False, True, "another bot"),
        ("/towpath retest", None, False, False, "no such command"),
        ("/" + "a" * 60, None, False, True, "another bot"),
        ("hold", None, False, True, "starts with `/`"),
        ("/etc/passwd", None, False, True, "starts with `/`"),
        ('/hold "prod', None, True, False, "not closed"),
        ("/hold “prod", None, True, False, "not closed"),
        ('/hold for="2h', None, True, False, "not closed"),
        ('/hold "prod\\"', None, True, False, "not closed"),
        ("/hold a=1 A=2", None, True, False, "`a=` is given twice"),
        ("/hold " + "a" * LONGEST, None, True, False, "longer than 2,000"),
        ("/hold" + " a" * (MOST_WORDS + 1), None, True, False, "more than 500"),
    ],
)
def test_a_mistake_says_what_is_wrong(line: str, nearest: str | None, known: bool, foreign: bool, says: str) -> None:
    found = mistake(line)
    assert (found.nearest, found.known, found.foreign) == (nearest, known, foreign)
    assert says in found.reason


def test_the_longest_line_is_read() -> None:
    assert call("/hold " + "a" * (LONGEST - 6)).words == ("a" * (LONGEST - 6),)
    assert len(call("/hold" + " a" * MOST_WORDS).words) == MOST_WORDS


def test_the_prefix_can_be_another() -> None:
    assert isinstance(parse_line("/ship hold", NAMES, prefix="ship"), Call)
    assert mistake("/towpath hold", prefix="ship").foreign


def test_what_is_ours_is_not_foreign() -> None:
    assert isinstance(parse_line("/approve", ["approve"]), Call)
    assert mistake("/approve").foreign
    assert {"lgtm", "approve", "retest", "label", "assign", "cc", "close", "azp"} <= FOREIGN


@given(st.text(max_size=60).map(lambda text: f"/hold {text}") | st.text(max_size=60))
def test_it_never_raises(line: str) -> None:
    found = parse_line(line, NAMES)
    if isinstance(found, Call):
        assert all(rest_from(found, index) in line or "\\" in line for index in range(len(found.words)))


PIECES = st.text(st.sampled_from('ab "“”„«»\\=\u00a0é'), max_size=8) | st.text(
    st.characters(exclude_categories=["Cc", "Zl", "Zp", "Cs"]), max_size=8
)


@given(st.lists(PIECES, max_size=6))
def test_what_is_quoted_is_read_again(words: list[str]) -> None:
    found = call(" ".join(["/hold", *map(quoted, words)]))
    assert found.words == tuple(words)
    assert found.options == ()


@given(PIECES)
def test_a_quoted_value_is_read_again(value: str) -> None:
    assert call(f"/hold for={quoted(value)}").options == (("for", value),)


@given(PIECES.filter(str.strip))
def test_a_quoted_rest_is_read_again(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert rest_from(call(f'/hold prod "{escaped}"'), 1) == text
