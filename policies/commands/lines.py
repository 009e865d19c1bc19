"""One line of a comment -> a call of a command, or what is wrong with it."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

LONGEST = 2_000
MOST_WORDS = 500

# An apostrophe is no quote: people write "it's" in a reason.
_CLOSERS = {'"': '"', "“": '”“"', "„": '“”"', "‟": '”"', "”": '”"', "«": "»", "»": "«»"}
_ESCAPED = frozenset('"“”„‟«»\\')
_HEAD = re.compile(r"\s*/([A-Za-z][A-Za-z-]*)(?!\S)")
_NAME = re.compile(r"\s*(/?[A-Za-z][A-Za-z-]*)(?!\S)")
_KEY = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)=")
_LONGEST_NAME = 40
_NEAR = 0.7

_PROW = """
    approve area assign auto-cc cc cherry-pick cherrypick close committee good-first-issue hold-cancel honk joke kind
    label lgtm lifecycle meow milestone ok-to-test override-sticky pipeline pony priority rebase release-note
    release-note-none remove-approve remove-area remove-hold remove-kind remove-label remove-lgtm remove-lifecycle
    remove-priority remove-sig reopen retest retest-required retitle sig skip-test stage-cancel test test-all triage
    unassign uncc unlabel verify-owners wip woof work-in-progress
"""
_QUICK_ACTIONS = """
    add-email approve award blocked-by blocks board-move clear-health-status clear-weight clone confidential
    convert-to-ticket copy-metadata create-merge-request done draft due duplicate epic estimate iteration link lock
    move page promote-to promote-to-incident publish react ready reassign reassign-reviewer relabel relate
    remove-due-date remove-epic remove-estimate remove-iteration remove-milestone remove-parent remove-time-spent
    request-changes request-review set-parent severity shrug spend spend-time submit-review subscribe tableflip
    target-branch timeline title todo type unapprove unlink unlock unrelate unsubscribe weight zoom
"""
_OTHERS = """
    apply ask azp azurepipelines benchmark build canary codex copilot deploy describe fix format gcbrun gemini improve
    lint ok packit plan preview rerun review run run-tests sync terraform update-branch upgrade workflow
"""
FOREIGN = frozenset(f"{_PROW} {_QUICK_ACTIONS} {_OTHERS}".split())
"""Commands that other bots on the same merge request listen to; unless they are ours too, they are left alone."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command as somebody called it."""

    name: str
    words: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    raw: str
    starts: tuple[int, ...] = ()
    """Where each word begins in `raw`."""
    option_starts: tuple[int, ...] = ()

    def option(self, key: str) -> str | None:
        """The value of `key=value`, wherever it stands on the line."""
        return dict(self.options).get(key)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why a line is no call; it says nothing that its writer could make alive in Markdown (S9)."""

    reason: str
    nearest: str | None = None
    known: bool = False
    """The command is ours, and wrongly written."""
    foreign: bool = False
    """Probably another bot's command: to be left without an answer."""


@dataclass(frozen=True, slots=True)
class _Argument:
    key: str | None
    value: str
    start: int


class _Unclosed(Exception):
    """A quote is opened and not closed."""


def parse_line(line: str, names: Collection[str], prefix: str = "towpath") -> Call | Mistake:
    """What one line calls: `/name arguments` or `/towpath name arguments`, the names in either case."""
    head = _HEAD.match(line)
    if head is None:
        return Mistake("a command is a line that starts with `/` and its name", foreign=True)
    name, end, prefixed = head[1].lower(), head.end(), head[1].lower() == prefix.lower()
    if prefixed:
        inner = _NAME.match(line, end)
        name, end = (inner[1].lower(), inner.end()) if inner else ("", end)
    known = {each.lower(): each for each in names}
    if name not in known:
        return _unknown(name, known, None if prefixed else prefix)
    return _call(known[name], line, end)


def _unknown(name: str, known: dict[str, str], prefix: str | None) -> Mistake:
    """`prefix` is what was not written before the name; None: it was, so the line is meant for us."""
    if prefix is not None and (name in FOREIGN or len(name) > _LONGEST_NAME):
        return Mistake("another bot's command", foreign=True)
    candidates = [*known, *([prefix.lower()] if prefix else [])]
    near = get_close_matches(name.lstrip("/")[:_LONGEST_NAME], candidates, n=1, cutoff=_NEAR)
    nearest = known.get(near[0], near[0]) if near else None
    if not name:
        return Mistake("no command is named")
    return Mistake("there is no such command", nearest, foreign=prefix is not None and nearest is None)


def _call(name: str, line: str, end: int) -> Call | Mistake:
    if len(line) > LONGEST:
        return Mistake(f"the line is longer than {LONGEST:,} characters", known=True)
    try:
        found = list(_arguments(line, end))
    except _Unclosed:
        return Mistake(
            "a quote is opened and not closed; to mean the character, write a backslash before it", known=True
        )
    words = [each for each in found if each.key is None]
    options = [(each.key, each.value) for each in found if each.key is not None]
    if len(found) > MOST_WORDS:
        return Mistake(f"there are more than {MOST_WORDS} words", known=True)
    twice = next((key for at, (key, _) in enumerate(options) if key in dict(options[:at])), None)
    if twice is not None:
        return Mistake(f"`{twice[:_LONGEST_NAME]}=` is given twice", known=True)
    option_starts = tuple(each.start for each in found if each.key is not None)
    starts = tuple(each.start for each in words)
    return Call(name, tuple(each.value for each in words), tuple(options), line, starts, option_starts)


def rest_from(call: Call, index: int) -> str:
    """The line as written from the n-th word on, for a command whose rest is free text; "" where there is none.

    One quoted string is given without its quotes. An option behind that word is part of the text.
    """
    if not 0 <= index < len(call.starts):
        return ""
    start = call.starts[index]
    rest = call.raw[start:].strip()
    if rest[0] not in _CLOSERS:
        return rest
    value, end = _quoted(call.raw, start)
    return value if not call.raw[end:].strip() else rest


def options_before(call: Call, index: int) -> dict[str, str]:
    """The options that stand before the n-th word: those that `rest_from` does not take as text."""
    end = call.starts[index] if 0 <= index < len(call.starts) else len(call.raw)
    return {key: value for (key, value), start in zip(call.options, call.option_starts, strict=True) if start < end}


def quoted(text: str) -> str:
    """A word written so that it is read as this text again; a line holds no line break, so neither may the text."""
    if text and not any(char.isspace() or char in _ESCAPED for char in text) and not _KEY.match(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _arguments(line: str, at: int) -> Iterator[_Argument]:
    """Raises _Unclosed."""
    while (start := _skip_blanks(line, at)) < len(line):
        key = _KEY.match(line, start)
        value, at = _word(line, key.end() if key else start)
        yield _Argument(key[1].lower() if key else None, value, start)


def _skip_blanks(line: str, at: int) -> int:
    while at < len(line) and line[at].isspace():
        at += 1
    return at


def _word(line: str, at: int) -> tuple[str, int]:
    """The word from here, and where it ends; a quote inside it is a character like any other."""
    value = ""
    if at < len(line) and line[at] in _CLOSERS:
        value, at = _quoted(line, at)
    while at < len(line) and not line[at].isspace():
        char, at = _character(line, at)
        value += char
    return value, at


def _quoted(line: str, at: int) -> tuple[str, int]:
    closers, at, value = _CLOSERS[line[at]], at + 1, ""
    while at < len(line):
        if line[at] in closers:
            return value, at + 1
        char, at = _character(line, at)
        value += char
    raise _Unclosed


def _character(line: str, at: int) -> tuple[str, int]:
    if line[at] == "\\" and line[at + 1 : at + 2] in _ESCAPED:
        return line[at + 1], at + 2
    return line[at], at + 1
