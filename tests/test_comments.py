"""Comments -> candidate command lines (S7): the table of both forges' habits, and what holds for every text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.comments import LONGEST, candidate_lines

COMMANDS: list[tuple[str, list[str]]] = [
    # a line of its own
    ("/hold", ["/hold"]),
    ("/hold\n", ["/hold"]),
    ("\n\n/hold\n\n", ["/hold"]),
    (" /hold", ["/hold"]),
    ("   /hold", ["/hold"]),
    ("/hold   ", ["/hold"]),
    ("/hold\t", ["/hold"]),
    ("/HOLD prod", ["/HOLD prod"]),
    ("/Hold prod", ["/Hold prod"]),
    ("/remove-hold", ["/remove-hold"]),
    ("/towpath promote prod", ["/towpath promote prod"]),
    ("/promote shop to prod-ring-1", ["/promote shop to prod-ring-1"]),
    ("/hold\tprod", ["/hold\tprod"]),
    ("/hold\u00a0prod", ["/hold\u00a0prod"]),
    ("/unknown-thing at all", ["/unknown-thing at all"]),
    ("/lgtm", ["/lgtm"]),
    # among other text
    ("Looks bad.\n\n/hold", ["/hold"]),
    ("Looks bad.\n/hold", ["/hold"]),
    ("/hold\nLooks bad.", ["/hold"]),
    ("Looks bad.  \n/hold", ["/hold"]),
    ("Looks bad.\\\n/hold", ["/hold"]),
    ("Looks bad.\n  /hold", ["/hold"]),
    ("/hold\n/unhold", ["/hold", "/unhold"]),
    ("/hold\n\n/unhold", ["/hold", "/unhold"]),
    ("/hold a\ntext\n/merge\n\ntext\n\n/status", ["/hold a", "/merge", "/status"]),
    ("/hold\n/hold", ["/hold", "/hold"]),
    ("/hold a\n/hold b\ntext\n/hold c", ["/hold a", "/hold b", "/hold c"]),
    ("# Title\n/hold", ["/hold"]),
    ("Title\n===\n/hold", ["/hold"]),
    ("***\n/hold", ["/hold"]),
    ("- a\n- b\n\n/hold", ["/hold"]),
    ("- [ ] a\n- [x] b\n\n/hold", ["/hold"]),
    ("1. a\n\n/hold", ["/hold"]),
    ("> quoted\n\n/hold", ["/hold"]),
    ("> /unhold\n\n/hold", ["/hold"]),
    ("```\n/unhold\n```\n/hold", ["/hold"]),
    ("~~~\n/unhold\n~~~\n\n/hold", ["/hold"]),
    ("    /unhold\n\n/hold", ["/hold"]),
    ("| a |\n|---|\n| b |\n\n/hold", ["/hold"]),
    ("<!-- a -->\n/hold", ["/hold"]),
    ("<!--\n/unhold\n-->\n/hold", ["/hold"]),
    ("<details>\n<summary>log</summary>\n\n/unhold\n\n</details>\n\n/hold", ["/hold"]),
    ("<details><summary>log</summary>x</details>\n\n/hold", ["/hold"]),
    ("<br>\n\n/hold", ["/hold"]),
    ('<img src="a.png">\n\n/hold', ["/hold"]),
    ("<hr/>\n\n/hold", ["/hold"]),
    ('<p align="center">x</p>\n\n/hold', ["/hold"]),
    ("> <details>\n> <summary>x</summary>\n\n/hold", ["/hold"]),
    ("List<String> is gone\n\n/hold", ["/hold"]),
    (">>>\n/unhold\n>>>\n\n/hold", ["/hold"]),
    (">>>\n/unhold\n>>>\n/hold", ["/hold"]),
    (">>>>\n>>>\n/unhold\n>>>>\n/hold", ["/hold"]),
    ("> [!WARNING]\n> careful\n\n/hold", ["/hold"]),
    ("[^1]: a note\n\n/hold", ["/hold"]),
    ("[site]: https://example.com\n\n/hold", ["/hold"]),
    ("---\ntitle: x\n---\n/hold", ["/hold"]),
    ("@towpath please:\n/hold", ["/hold"]),
    ("![shot](/uploads/a.png)\n\n/hold", ["/hold"]),
    ("Thanks :tada:\n\n/promote", ["/promote"]),
    ("`code`\n/hold", ["/hold"]),
    ("**bold**\n/hold", ["/hold"]),
    ("a ` b\n/hold", ["/hold"]),
    ("a [b\n/hold", ["/hold"]),
    ("a *b\n/hold", ["/hold"]),
    ("a | b\n/hold", ["/hold"]),
    ("/hold\n> quoted", ["/hold"]),
    ("/hold\n- item", ["/hold"]),
    ("/hold\n```\nlog\n```", ["/hold"]),
    ("/hold\n<details>\n\nlog\n\n</details>", ["/hold"]),
    ("/hold\n# Title", ["/hold"]),
    # the reason stays as it was written
    ("/hold because `x` broke", ["/hold because `x` broke"]),
    ("/hold *really* _bad_ **thing**", ["/hold *really* _bad_ **thing**"]),
    ("/hold p99 < 3s & 5 > 4", ["/hold p99 < 3s & 5 > 4"]),
    ("/hold for <team>", ["/hold for <team>"]),
    ("/hold see [x](https://e.org/a)", ["/hold see [x](https://e.org/a)"]),
    ("/hold see https://e.org/a_b_c", ["/hold see https://e.org/a_b_c"]),
    ("/hold see <https://e.org>", ["/hold see <https://e.org>"]),
    ("/hold see #12 !3 @jo ~bug", ["/hold see #12 !3 @jo ~bug"]),
    ("/hold a | b", ["/hold a | b"]),
    ("/hold ~~a~~ b", ["/hold ~~a~~ b"]),
    ("/hold a\\_b \\*", ["/hold a\\_b \\*"]),
    ("/hold &amp; &lt;", ["/hold &amp; &lt;"]),
    ('/hold "two words" for=2h', ['/hold "two words" for=2h']),
    ("/hold “two words”", ["/hold “two words”"]),
    ("/hold `a\nb`", ["/hold `a"]),
    ("/hold `a\n/unhold`", ["/hold `a"]),
    ("/hold **a\nb**", ["/hold **a"]),
    ("/hold [a\n/unhold](x)", ["/hold [a"]),
    ("/hold é ü 中文 עברית", ["/hold é ü 中文 עברית"]),
    ("/hold 🔥 it burns", ["/hold 🔥 it burns"]),
    ("/hold ❤️ 👩‍💻", ["/hold ❤️ 👩‍💻"]),
    ("/hold <details>\n\n/unhold", ["/hold <details>"]),
    # formulas and what is taken back
    ("$$\nx\n$$\n/hold", ["/hold"]),
    ("$$\n\n/unhold\n\n$$\n\n/hold", ["/hold"]),
    ("$$ x $$\n/hold", ["/hold"]),
    ("$$\n/hold", ["/hold"]),
    ("it costs $$\n/hold", ["/hold"]),
    ("/hold since $$ is $$", ["/hold since $$ is $$"]),
    ("/hold {-a-} [-b-] c", ["/hold {-a-} [-b-] c"]),
    ("{-a-}\n/hold", ["/hold"]),
    ("{-a\n/hold", ["/hold"]),
    ("a-}\n/hold [-1]", ["/hold [-1]"]),
    # line ends
    ("/hold\r\n/status\r\n", ["/hold", "/status"]),
    ("/hold\r/status\r", ["/hold", "/status"]),
    ("a\r\n\r\n/hold", ["/hold"]),
    ("\ufeff/hold", ["/hold"]),
]

OTHERS: list[str] = [
    # no line of its own
    "",
    " ",
    "text",
    "please /hold",
    "a /hold b",
    "(/hold)",
    "./hold",
    "//hold",
    "// hold",
    "/ hold",
    "/",
    "\\/hold",
    "text\n\\/hold",
    "&sol;hold",
    "&#47;hold",
    "@towpath /hold",
    ": /hold",
    "**/hold**",
    "*/hold*",
    "~~/hold~~",
    "`/hold`",
    "``/hold``",
    '"/hold"',
    "&nbsp;/hold",
    "\u00a0/hold",
    "\u3000/hold",
    # paths and the like
    "/etc/passwd",
    "/usr/bin/env python",
    "/etc/passwd is world-readable",
    "/hold/",
    "/hold.",
    "/hold, please",
    "/hold: x",
    "/hold=1",
    "/hold_it",
    "/hold2",
    "/2",
    "/-hold",
    "/hóld",
    "/~hold",
    "/hold<br>",
    "/hold`x`",
    "/regex/i",
    # code
    "```\n/hold\n```",
    "```sh\n/hold\n```",
    "```suggestion:-0+0\n/hold\n```",
    "~~~\n/hold\n~~~",
    "````\n```\n/hold\n```\n````",
    "```\n\n/hold",
    "```\n~~~\n/hold\n```",
    "   ```\n/hold\n   ```",
    "text\n```\n/hold\n```",
    "    /hold",
    "text\n\n    /hold",
    "\t/hold",
    "text\n    /hold",
    "`\n/hold\n`",
    "`` a\n/hold ``",
    "a `b\n/hold\nc` d",
    "\ufeff```\n/hold\n```",
    "```\r/hold\r```",
    # quotes
    "> /hold",
    ">/hold",
    "> a\n/hold",
    "> a\n> /hold",
    "> > /hold",
    "> ```\n> /hold\n> ```",
    "> [!NOTE]\n> /hold",
    "> - /hold",
    ">>> /hold",
    ">>>\n/hold\n>>>",
    ">>>\n\n/hold\n\n>>>",
    ">>>\ntext\n\n/hold",
    "   >>>\n/hold\n   >>>",
    ">>>>\n/hold\n>>>\n/merge\n>>>>",
    ">>> [!NOTE]\n/hold\n>>>",
    "text\n\n>>>\n/hold\n>>>\n\ntext",
    ">>>\n```\n>>>\n\n>>>\n```\n/hold",
    "```\n>>>\n```\n>>>\n/hold\n>>>",
    # lists
    "- /hold",
    "* /hold",
    "+ /hold",
    "1. /hold",
    "1) /hold",
    "- [ ] /hold",
    "- [x] /hold",
    "- a\n/hold",
    "- a\n  /hold",
    "- a\n\n  /hold",
    "- a\n  - b\n\n    /hold",
    # tables
    "| a |\n|---|\n| /hold |",
    "| a |\n|---|\n/hold",
    "/hold | a\n---|---\nb | c",
    # headings
    "# /hold",
    "## /hold ##",
    "/hold\n===",
    "/hold\n---",
    "a\n/hold\n---",
    # HTML
    "<!-- /hold -->",
    "<!--\n/hold\n-->",
    "<!--\n\n/hold\n\n-->",
    "<!--\n\n/hold",
    "<!-- a --\n/hold\n-- >\n/hold",
    "text <!--\n/hold\n-->",
    "text <!--\n\n/hold\n\n-->",
    "/hold <!-- prod -->",
    "/hold <!-- prod",
    "/hold <!--\nprod -->",
    "/hold <?php ?>",
    "<div>\n/hold\n</div>",
    "<div>\n\n/hold\n\n</div>",
    "<div>\n\n/hold",
    "<DIV>\n\n/hold",
    "<details>\n/hold\n</details>",
    "<details>\n\n/hold\n\n</details>",
    "<details><summary>x</summary>\n\n/hold\n\n</details>",
    "<details open>\n<summary>x</summary>\n\n```\nlog\n```\n\n/hold\n</details>",
    '<details title="</details>">\n\n/hold\n\n</details>',
    "<details>\n\n<details>\n\n</details>\n\n/hold\n\n</details>",
    "<details>\n\n<!-- </details> -->\n\n/hold\n\n</details>",
    "<details>\n\n> </details>\n\n/hold\n\n</details>",
    "<details>\n\n`</details>`\n\n/hold\n\n</details>",
    "text <details>\n\n/hold\n\n</details>",
    "# Title <details>\n\n/hold",
    "<pre>\n/hold\n</pre>",
    "<pre>\n\n/hold\n\n</pre>",
    "<pre><code>\n\n/hold\n\n</code></pre>",
    "<script>\n/hold\n</script>",
    "<blockquote>\n\n/hold\n\n</blockquote>",
    "<table><tr><td>\n\n/hold\n\n</td></tr></table>",
    "<ul><li>\n\n/hold\n\n</li></ul>",
    "text <code>\n/hold\n</code>",
    "text <s>\n/hold\n</s>",
    "text <del>\n\n/hold\n\n</del>",
    "<kbd>/hold</kbd>",
    "<span>\n/hold\n</span>",
    "<?php\n/hold\n?>",
    "<![CDATA[\n/hold\n]]>",
    "<!DOCTYPE x\n/hold\n>",
    '<a href="\n/hold\n">x</a>',
    "<div><!--\n\n/hold\n\n-->",
    "text <details> <!--\n\n</details>\n\n/hold",
    # links
    "[/hold](https://example.com)",
    "[text\n/hold](https://example.com)",
    "![text\n/hold](https://example.com/a.png)",
    "[text](\n/hold\n)",
    '[text](/x "\n/hold\n")',
    "[a]:\n/hold",
    "[text\n/hold][a]\n\n[a]: /x",
    "</hold>",
    "<https://example.com/hold>",
    "https://example.com\\\n/hold/x",
    # emphasis across lines
    "**text\n/hold**",
    "~~text\n/hold\ntext~~",
    "_text\n/hold_",
    # footnotes and front matter
    "[^1]: /hold",
    "[^1]: a note\n/hold",
    "[^1]: a note\n\n    /hold",
    "[^a-b]: a note\nmore\n/hold",
    "text [^1]\n\n[^1]:\n/hold",
    "---\n\n/hold\n\n---",
    "---yaml\n\n/hold\n\n---",
    "+++\n/hold\n+++",
    ";;;\n/hold\n;;;",
    "\n---\ntitle: x\n\n/hold\n\n---\ntext",
    # formulas, and what GitLab strikes out
    "$$\n/hold\n$$",
    "   $$\n\n/hold\n\n   $$",
    "$$ x\n\n/hold\n\ny $$",
    "text\n$$\n\n/hold\n\n$$",
    "text $$ x\n/hold\n$$ text",
    "`$$` $$ x\n/hold\n$$",
    "$$\n```\n$$\n/hold\n```",
    "{- text\n/hold\n-}",
    "[-\n/hold\n-]",
    "a {-b-} {-\n/hold -}",
    # characters that a reader does not see
    "/hold\x00",
    "\x00/hold",
    "/hold \x1b[31m",
    "/hold\x0bprod",
    "/hold\x0cprod",
    "text\u2028/hold",
    "text\u0085/hold",
    "/hold\u2028/unhold",
    "/hold\u2029",
    "/hold\u0085",
    "/ho\u200bld",
    "\u200b/hold",
    "/hold prod\u200b",
    "/hold pr\u200dod",
    "/hold \u202eprod",
    "/hold \u2066prod\u2069",
    "/hold \u200fprod",
    "/hold\ufeff prod",
    "/hold pr\u00adod",
    "/hold \ud800",
    "/hold \u3164prod",
    "\uffa0/hold",
    "/hold prod\uffa0",
    "/hold \u2800",
    "/hold pr\u034fod",
    "/hold\u2800prod",
    "\u2060/hold",
]


@pytest.mark.parametrize(("body", "lines"), COMMANDS)
def test_S7_these_lines_are_commands(body: str, lines: list[str]) -> None:
    assert candidate_lines(body) == tuple(lines)


@pytest.mark.parametrize("body", OTHERS)
def test_S7_these_lines_are_none(body: str) -> None:
    assert candidate_lines(body) == ()


def test_a_comment_too_long_to_be_read_has_no_commands() -> None:
    line = "/hold\n\n"
    assert candidate_lines(line + "a" * (LONGEST - len(line))) == ("/hold",)
    assert candidate_lines(line + "a" * (LONGEST - len(line) + 1)) == ()
    assert candidate_lines(line + "é" * (LONGEST // 2)) == ()


HOSTILE = [
    *("{-", "[-\n", "$$", "$$\n", "$$\n\n", "a $$\n"),
    *("[", "![", "![](", "[a][", "[[a]", "[\n", "[a\n", "[a]: ", "[^1]:\n\n"),
    *("> ", "> a\n", ">>> \n\n", "- a\n", "|-|\n", "||\n", "`", "`\n", "*a ", "<!--", "<div>", "<s></b>"),
]


@pytest.mark.parametrize("part", HOSTILE)
def test_a_hostile_comment_is_read_to_the_end_and_beyond_the_limit_not_at_all(part: str) -> None:
    """How long it takes is measured by `make bench comments`."""
    body = "[^1]: /x\n/hold\n\n" + part * LONGEST  # both readings are made
    assert candidate_lines(body[:LONGEST]) in ((), ("/hold",))
    assert candidate_lines(body) == ()


BLOCK_MARKS = (
    "``` ~~~ >>> >>>> > - 1. # === --- +++ | :--- [^1]: [a]: $$ <!-- --> <details> </details> <pre> </pre> <div>"
)
INLINE_MARKS = "/hold {- -} ` `` [ ](x) \\ * ** ~~ <a b=' </div> <code> </code> <? ?> &sol; text"
UNSEEN_MARKS = ["\n", "\n\n", "\r\n", "\r", " ", "    ", "\t", "> ", "- ", "\x00", "\u2028", "\ufeff", "\ud800"]
MARKS = st.sampled_from([*BLOCK_MARKS.split(), *INLINE_MARKS.split(), *UNSEEN_MARKS])
MARKDOWN = st.lists(st.one_of(MARKS, MARKS, MARKS, st.text(max_size=5)), max_size=30).map("".join)


@given(MARKDOWN)
def test_it_never_raises_and_gives_lines_that_stand_there(body: str) -> None:
    for line in candidate_lines(body):
        assert line.startswith("/")
        assert line in body


INSIDE = MARKDOWN.map(lambda text: text.replace("\r", "\n"))


@given(INSIDE, st.sampled_from(["`", "~"]))
def test_S7_nothing_in_a_fenced_block_is_found(text: str, mark: str) -> None:
    fence = mark * (max(map(len, text.split("\n"))) + 3)
    assert candidate_lines(f"{fence}\n/hold\n{text}\n/hold\n{fence}") == ()


@given(INSIDE)
def test_S7_nothing_in_a_quote_is_found(text: str) -> None:
    quoted = "\n".join(f"> {line}" for line in f"/hold\n{text}\n/hold".split("\n"))
    assert candidate_lines(quoted) == ()


@given(INSIDE)
def test_S7_nothing_in_a_quote_of_many_lines_is_found(text: str) -> None:
    fence = ">" * (max(map(len, text.split("\n"))) + 3)
    assert candidate_lines(f"{fence}\n/hold\n{text}\n/hold\n{fence}") == ()


@given(INSIDE)
def test_S7_nothing_in_an_html_comment_is_found(text: str) -> None:
    assert candidate_lines(f"<!--\n/hold\n{text.replace('>', '')}\n/hold\n-->") == ()


@given(INSIDE)
def test_S7_nothing_in_a_formula_is_found(text: str) -> None:
    assert candidate_lines(f"$$\n/hold\n{text.replace('$', '')}\n/hold\n$$") == ()


@given(INSIDE)
def test_S7_nothing_in_details_is_found(text: str) -> None:
    within = text.replace("</", "").replace("<", "")
    assert candidate_lines(f"<details>\n/hold\n\n{within}\n\n/hold\n</details>") == ()


@given(INSIDE)
def test_S7_nothing_in_an_item_is_found(text: str) -> None:
    item = "\n".join(f"  {line}" for line in f"/hold\n{text}\n\n/hold".split("\n"))
    assert candidate_lines(f"-{item[1:]}") == ()


WORDS = st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="<"), min_size=1, max_size=8)
SAID = st.lists(WORDS, max_size=6).map(lambda words: " ".join(["/hold", *words]))
PLAIN = st.lists(st.text("abc .,/", max_size=20).map(str.strip), max_size=5).map("\n".join)


@given(PLAIN, SAID, PLAIN)
def test_a_plain_line_in_a_paragraph_of_its_own_is_always_found(before: str, line: str, after: str) -> None:
    assert line in candidate_lines(f"{before}\n\n{line}\n\n{after}")
