"""Markdown -> candidate command lines: what its author says in their own words, on a line of its own (S7)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from unicodedata import category

from markdown_it import MarkdownIt
from markdown_it.common.html_blocks import block_names
from markdown_it.parser_block import RuleFuncBlockType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

LONGEST = 16_384
"""Bytes of a comment that is read; in a longer one nothing is a command."""

_LINE_END = re.compile(r"\r\n?")
_CANDIDATE = re.compile(r" {0,3}/[A-Za-z][A-Za-z-]*(?![^ \t\u00a0])")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and signs by Unicode's word, of which nothing is seen."""
_JOINER = "\u200d"
_UNSEEN = "<!--"

# Where none of these stands, the two readings are one.
_EXTENDED = re.compile(r">>>|\$\$|\[\^|\A\s*(?:---|\+\+\+|;;;)")
_QUOTE_FENCE = re.compile(r"(>{3,})[ \t]*(\[![^\]]*\].*)?$")
_FRONT_MATTER = re.compile(r"(---|\+\+\+|;;;)[ \t]*\S*[ \t]*$")
_MATHS = re.compile(r"\$\$(?!.*\$\$)")
_TAKEN_BACK = (("$$", "$$"), ("{-", "-}"), ("[-", "-]"))
"""Between which signs of one paragraph a formula stands, or what GitLab strikes out."""
_FOOTNOTE = re.compile(r"\[\^[^\]\s]+\]:")

_TAG = re.compile(
    r"<!--.*?(?P<closed>-->|\Z)"
    r"|<(?P<end>/?)(?P<name>[a-z][a-z0-9]*)(?:=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z))|[^>])*+",
    re.IGNORECASE | re.DOTALL,
)
# What stands in one of these is shown, quoted, hidden or struck out rather than said. A <p> ends where the next begins.
_SHOWN = (
    "a audio button cite code del kbd math noscript object picture pre q s samp script select strike style svg "
    "template textarea tt video"
)
_NEVER_OPEN = "base basefont body col frame head hr html link p param track"
_CONTAINERS = frozenset(block_names).union(_SHOWN.split()).difference(_NEVER_OPEN.split())


class _Markdown(MarkdownIt):
    """Links are recognised by their form alone, as the forges do; none is ever followed or written."""

    def normalizeLink(self, url: str) -> str:  # noqa: N802 - the library's name
        return url

    def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - the library's name
        return True


def candidate_lines(body: str) -> tuple[str, ...]:
    """The lines of a comment that may be commands, in order and as written, without the blanks around them.

    Both forges must read it so: the comment is parsed as either shows it, and a line counts that is in both a line of a
    plain top-level paragraph.
    """
    if len(body) > LONGEST or len(body.encode(errors="surrogatepass")) > LONGEST:
        return ()
    text = _LINE_END.sub("\n", body.removeprefix("\ufeff"))
    lines = text.split("\n")
    if not any(map(_CANDIDATE.match, lines)):
        return ()
    plain, extended = _readings()
    said = set(_said(plain.parse(text)))
    if said and _EXTENDED.search(text):
        said.intersection_update(_said(extended.parse(text)))
    return tuple(lines[at].strip(" \t") for at in sorted(said) if _CANDIDATE.match(lines[at]) and _seen(lines[at]))


def _seen(line: str) -> bool:
    """Whether a reader sees every character; a joiner is part of the emoji before it."""
    return _BLANKS.isdisjoint(line) and not any(
        category(char) in _INVISIBLE and char != "\t" and not (char == _JOINER and _joins(line, at))
        for at, char in enumerate(line)
    )


def _joins(line: str, at: int) -> bool:
    before, after = line[at - 1], line[at + 1 : at + 2]
    return before > "\u2000" and category(before) in {"So", "Sk", "Mn"} and after != "" and category(after) == "So"


# --- the two readings of Markdown ---------------------------------------------------------------------------------


@cache
def _readings() -> tuple[MarkdownIt, MarkdownIt]:
    """What both forges share, and that with what only one of them knows or a comment may bring along."""
    plain, extended = _markdown(), _markdown()
    ends = ["paragraph", "reference", "list"]
    extended.block.ruler.before("table", "multiline_quote", _multiline_quote, {"alt": ends})
    extended.block.ruler.before("table", "front_matter", _front_matter)
    extended.block.ruler.before("table", "maths", _maths, {"alt": ends})
    extended.block.ruler.before("reference", "footnote", _footnote, {"alt": ["paragraph", "reference"]})
    return plain, extended


def _markdown() -> MarkdownIt:
    markdown = _Markdown("commonmark").enable(["table", "strikethrough"])
    markdown.inline.ruler.before("text", "slash", _slash)
    return markdown


def _slash(state: StateInline, silent: bool) -> bool:
    """Inline rule: a slash that begins a line becomes a token that knows where it stands."""
    if state.src[state.pos] != "/" or state.src[max(0, state.pos - 4) : state.pos].rpartition("\n")[2].strip(" "):
        return False
    if not silent:
        state.push("slash", "", 0).meta["at"] = state.pos
    state.pos += 1
    return True


def _line(state: StateBlock, line: int) -> str:
    return state.src[state.bMarks[line] + state.tShift[line] : state.eMarks[line]]


def _top(state: StateBlock, line: int) -> bool:
    return state.level == 0 and state.blkIndent == 0 and 0 <= state.sCount[line] < 4


def _swallow(state: StateBlock, kind: str, start: int, end: int) -> bool:
    """Take the lines as one block that nobody looks into."""
    state.push(kind, "", 0).map = [start, end]
    state.line = end
    return True


def _multiline_quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: GitLab's `>>>`, up to a line of as many; unclosed, up to the end."""
    opening = _QUOTE_FENCE.match(_line(state, start)) if _top(state, start) else None
    if opening is None or silent:
        return opening is not None
    closing = re.compile(rf">{{{len(opening[1])},}}[ \t]*$")
    ends = (line + 1 for line in range(start + 1, end) if state.sCount[line] < 4 and closing.match(_line(state, line)))
    return _swallow(state, "multiline_quote", start, next(ends, end))


def _front_matter(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: GitLab's front matter, where nothing stands before it and it is closed."""
    opening = _FRONT_MATTER.match(_line(state, start)) if not state.tokens and _top(state, start) else None
    if opening is None or silent:
        return False
    ends = (line + 1 for line in range(start + 1, end) if _line(state, line).rstrip(" \t") == opening[1])
    closed = next(ends, None)
    return closed is not None and _swallow(state, "front_matter", start, closed)


def _maths(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a formula from a line that begins with `$$` to the next that has one, where there is one."""
    if not _top(state, start) or _MATHS.match(_line(state, start)) is None:
        return False
    closed = next((line + 1 for line in range(start + 1, end) if "$$" in _line(state, line)), None)
    return closed is not None and (silent or _swallow(state, "maths", start, closed))


def _footnote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: `[^1]: text`, the lines that go on with it, and the indented ones below."""
    found = _top(state, start) and _FOOTNOTE.match(_line(state, start)) is not None
    if silent or not found:
        return found
    rules = state.md.block.ruler.getRules("paragraph")
    line = start + 1
    while line < end and _goes_on(state, line, end, rules):
        line += 1
    return _swallow(state, "footnote", start, line)


def _goes_on(state: StateBlock, line: int, end: int, rules: Sequence[RuleFuncBlockType]) -> bool:
    if state.sCount[line] >= 4 or state.isEmpty(line):
        return True
    return not state.isEmpty(line - 1) and not any(rule(state, line, end, True) for rule in rules)


# --- what is said in a parsed comment -----------------------------------------------------------------------------


def _said(tokens: Iterable[Token]) -> Iterator[int]:
    """The numbers of the lines that begin with a slash in a top-level paragraph, outside any element of HTML."""
    around: list[str] = []
    before: Token | None = None
    for token in tokens:
        if token.type == "html_block" and token.level == 0:
            _walk_tags(token.content, around)
        elif token.type == "inline" and token.level == 1 and before is not None and token.map is not None:
            lines = _said_inline(token, around)
            if before.type == "paragraph_open":
                yield from (token.map[0] + line for line in lines)
        before = token


def _said_inline(paragraph: Token, around: list[str]) -> list[int]:
    """The same within one paragraph, counted from its first line; `around` is what stays open behind it."""
    found: list[int] = []
    taken_back = _taken_back(paragraph.content)
    line = counted = 0
    same_line = False
    for token in paragraph.children or ():
        if token.type == "slash" and token.level == 0 and not around and not _is_in(taken_back, token.meta["at"]):
            line += paragraph.content.count("\n", counted, token.meta["at"])
            counted = token.meta["at"]
            found.append(line)
            same_line = True
        elif token.type in {"softbreak", "hardbreak"}:
            same_line = False
        elif _hides(token) and same_line:
            found.pop()
            same_line = False
        if token.type == "html_inline" or _hides(token):
            _walk_tags(token.content, around)
    return found


def _taken_back(text: str) -> list[tuple[int, int]]:
    """From where to where no line counts: from the first sign to the last, for one in code may split the pairs."""
    return [(text.find(start), text.rfind(end)) for start, end in _TAKEN_BACK if start in text]


def _is_in(spans: Sequence[tuple[int, int]], at: int) -> bool:
    return any(start < at < end for start, end in spans)


def _hides(token: Token) -> bool:
    """Whether a reader does not see all of it: a line of which a part is hidden is no command."""
    opens = ("<!", "<?") if token.type == "html_inline" else ()
    return token.content.startswith(opens) or (token.type == "text" and _UNSEEN in token.content)


def _walk_tags(html: str, around: list[str]) -> None:
    """Follow which elements are open; a comment that is not closed stays open for good."""
    for tag in _TAG.finditer(html):
        name = (tag["name"] or "").lower()
        if not name:
            around.extend([] if tag["closed"] else [_UNSEEN])
        elif name in _CONTAINERS:
            _follow(name, bool(tag["end"]), around)


def _follow(name: str, ends: bool, around: list[str]) -> None:
    if not ends:
        around.append(name)
    elif name in around and _UNSEEN not in around:
        while around.pop() != name:
            pass
