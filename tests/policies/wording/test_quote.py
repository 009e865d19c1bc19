"""Quoting: text that others control is harmless wherever it is shown (S9)."""

import html
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from policies.wording.quote import (
    LONGEST,
    LONGEST_COMMENT,
    code,
    code_in_html,
    fenced,
    fit,
    listed,
    one_line,
    plain,
    title,
    visible,
)

HOSTILE = [
    *("`", "``", "` @all `", "a`b``c", "@all", "#1 !2 ~bug %3 $4 &5", "[x](https://evil.example.com)", "<b>x</b>"),
    *("![x](https://evil.example.com/x.png)", "| a | b |", "a\n\n# b", "a\r\nb"),
    *("\u202eexe.txt", "\x1b[31m", "<!-- x", "\\`"),
    *("\u2028x", "\u200b", " ", "", "`|`", "***", "---", "> x", "- x", "a" * 500),
]
texts = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=300), st.text(alphabet="`| \\a@\n", max_size=20))
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


@given(texts)
def test_S9_code_shows_the_text_and_nothing_else(text: str) -> None:
    shown = MARKDOWN.renderInline(f"x {code(text)} y")
    (inside,) = re.findall(r"\Ax <code>(.*)</code> y\Z", shown)
    assert html.unescape(inside).strip() == one_line(text).replace("|", "¦").strip()


@given(texts)
def test_S9_code_keeps_a_table_whole(text: str) -> None:
    shown = MARKDOWN.render(f"| a | b |\n|---|---|\n| {code(text)} | end |\n")
    assert shown.count("<td>") == 2
    assert "<td>end</td>" in shown


@given(texts)
def test_S9_one_line_is_one_short_line_without_control_or_direction_characters(text: str) -> None:
    found = one_line(text)
    assert len(found) <= LONGEST
    assert len(found.splitlines()) <= 1
    assert not [letter for letter in found if unicodedata.category(letter) == "Cc"]
    assert not [letter for letter in found if unicodedata.bidirectional(letter) in {"RLO", "LRO", "RLE", "LRE", "PDF"}]
    assert one_line(found) == found


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("it is no YAML: did not find expected ',' or '}'", "`it is no YAML: did not find expected ',' or '}'`"),
        ("is 'atuo': write 'auto' or 'manual'; did you mean auto?", None),
        ("is '@all': write 'auto'", "`is '@all': write 'auto'`"),
        ("see https://evil.example.com", "`see https://evil.example.com`"),
        ("see www.evil.example.com", "`see www.evil.example.com`"),
        ("the tag `latest` moves", None),
        ("`a``b` is `@all`", "`a` `b` is `@all`"),
        ("say `a` to @all, `b`", "say `a` `to @all,` `b`"),
        ("one ` is @all", "``one ` is @all``"),
        ("``", "``` `` ```"),
        ("see GH-1", "`see GH-1`"),
        ("two\nlines", "two lines"),
    ],
)
def test_S9_a_sentence_that_repeats_others_words_stays_plain_only_where_it_is_harmless(
    text: str, shown: str | None
) -> None:
    assert plain(text) == (shown or text)


@given(
    st.lists(st.one_of(texts, st.sampled_from(["```", "````", "</details>", "~~~", "\ud800", "\x1b[2J"])), max_size=5)
)
def test_S9_nothing_leaves_a_fence(lines: list[str]) -> None:
    block = fenced(lines, "diff")
    (token,) = MARKDOWN.parse(block)
    assert (token.type, token.info) == ("fence", "diff")
    assert token.content == "".join(f"{visible(line)}\n" for line in lines)
    block.encode()  # no half of a character, which no forge can be sent


@given(texts)
def test_S9_code_in_html_is_text(text: str) -> None:
    shown = code_in_html(text)
    inside = shown.removeprefix("<code>").removesuffix("</code>")
    assert not set(inside) & set("<>\"'\n")
    assert html.unescape(inside) == one_line(text)


@given(texts)
def test_S9_a_sentence_is_text_and_code(text: str) -> None:
    (line,) = MARKDOWN.parseInline(f"x: {plain(text)} (`y`)")
    children = line.children or []
    assert {child.type for child in children} <= {"text", "code_inline", "em_open", "em_close"}
    alive = re.compile(r"[@#!~%$&`<>|\[\]]|://|www\.")
    assert [child.content for child in children if child.type == "text" and alive.search(child.content)] == []
    assert children[-2].content == "y"


def test_one_line_is_cut_with_a_mark() -> None:
    assert one_line("a" * 201) == "a" * 199 + "…"
    assert one_line("a" * 200) == "a" * 200


def test_a_comment_too_long_is_cut_at_the_end_of_a_line_and_says_so() -> None:
    """A line cut in two could leave a code span open, and what stands in it alive."""
    lines = ["x" * 99] * (LONGEST_COMMENT // 100)
    assert fit("\n".join(lines)) == "\n".join(lines)
    longer = fit("\n".join([*lines, "`@all`"]))
    assert longer == "\n".join(lines[:-1]) + "\n\n… and more than a comment can hold."
    assert len(longer) <= LONGEST_COMMENT


@pytest.mark.parametrize("mark", "@#!~%$&")
def test_S9_a_title_mentions_and_refers_to_nothing(mark: str) -> None:
    assert title(f"Promote {mark}all1 to prod") == f"Promote {mark}\u2060all1 to prod"
    assert title(f"a {mark} b") == f"a {mark} b"


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b"), "a and b"),
        (("a", "b", "c"), "a, b and c"),
        (tuple("abcde"), "a, b, c, d and e"),
        (tuple("abcdefgh"), "a, b, c, d, e and 3 more"),
    ],
)
def test_a_list_of_things(items: tuple[str, ...], text: str) -> None:
    assert listed(items) == text


def test_a_list_of_fewer() -> None:
    assert listed(("a", "b", "c"), most=1) == "a and 2 more"
