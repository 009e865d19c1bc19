"""GitLab's dialect (docs `user/project/codeowners`; what it leaves open is as GitLab's own code does it)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from policies.codeowners.matcher import Pattern
from policies.codeowners.model import DEFAULT, SPACES, CodeOwners, Fault, Rule
from policies.codeowners.segments import ANY, GAP, steps_of

LOCATIONS: Final = ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
MOST_APPROVALS: Final = 10**9
"""More than there are people; a heading may ask for a number of any length."""

_HEADING = re.compile(r"(\^)?\[(.*?)\](?:\[([\s\d]*)\])?([@\w.\-/\s]*)", re.ASCII)
_PROPER_HEADING = re.compile(r"\^?\[[^\]]+\](?:\[\d+\])?(?:\s[@\w.\-/\s]+)?", re.ASCII)
_NUMBER = re.compile(r"\s*\d+\s*", re.ASCII)
_BREAK = re.compile(r"(?<!\\)\s+", re.ASCII)
_ESCAPED_SPACES = re.compile(r"\\\s+", re.ASCII)
_WORD = re.compile(r"\S+", re.ASCII)

_NAME = r"(?:[a-z0-9_.][a-z0-9_.-]{0,254}[a-z0-9_-]|[a-z0-9_])(?<!\.git)(?<!\.atom)"
_USER_OR_GROUP = re.compile(rf"(?<![\w@])@(?:{_NAME}/){{0,20}}{_NAME}", re.ASCII | re.IGNORECASE)
_ROLE = re.compile(r"(?<!\S)@@(?:developer|maintainer|owner)s?(?!\S)", re.ASCII | re.IGNORECASE)
_UP_TO_A_WORD = re.compile(r".*\w", re.ASCII | re.DOTALL)
LONGEST_LOCAL, LONGEST_DOMAIN = 100, 255
"""Characters before and after the `@` of an address."""


@dataclass(frozen=True, slots=True)
class Heading:
    """`^[name][approvals] owners`."""

    name: str
    optional: bool = False
    approvals: int = 0
    owners: str = ""
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A line with a pattern, under its heading; `owners` is text, and None on a line that excludes."""

    heading: Heading
    pattern: str
    line: int
    owners: str | None


class Sections:
    """The entries of each section by normalised pattern, in the order in which each pattern first stood there.

    An entry replaces an earlier one with the same normalised pattern, but takes its place in the order."""

    def __init__(self) -> None:
        self.entries: dict[str, dict[str, Entry]] = {DEFAULT: {}}
        self._spellings = {DEFAULT.casefold(): DEFAULT}

    def open(self, name: str) -> None:
        """Begin a section, or go on with it."""
        self.entries.setdefault(name, {})
        self._spellings.setdefault(name.casefold(), name)

    def spelling(self, name: str) -> str:
        """The name under which a section runs: as it was written first, but for the first heading of the file."""
        return self._spellings.get(name.casefold(), name) if len(self.entries) > 1 else name

    def enter(self, entry: Entry) -> tuple[str, ...]:
        """Take an entry in; what is wrong with it."""
        self.entries[entry.heading.name][normalised(entry.pattern)] = entry
        if entry.owners is None:
            return ()
        kinds = []
        if not all(_found_in(word) for word in _WORD.findall(entry.owners)):
            kinds.append("malformed_entry_owner")
        if not (entry.owners.strip() or entry.heading.owners):
            kinds.append("missing_entry_owner")
        return tuple(kinds)


def parse(text: str) -> CodeOwners:
    """A file's sections; in each the last entry that matches decides, unless an exclusion matches too."""
    sections = Sections()
    errors: list[Fault] = []
    heading = Heading(DEFAULT)
    for number, written in enumerate(text.split("\n"), 1):
        line = written.strip(SPACES)
        if not line.strip() or line.startswith("#"):
            continue
        found, kinds = heading_of(line, sections)
        if found is not None:
            heading = found
            sections.open(heading.name)
        elif not kinds:
            kinds = sections.enter(_entry(line, number, heading))
        errors += [Fault(number, kind) for kind in kinds]
    return _code_owners(sections, tuple(errors))


def heading_of(line: str, sections: Sections) -> tuple[Heading | None, tuple[str, ...]]:
    """The heading that a line is, and what is wrong with it; a line that only begins like one is none, and wrong."""
    found = _HEADING.match(line)
    if found is None:
        return None, (("invalid_section_format",) if line.startswith(("[", "^[")) else ())
    approvals = _approvals(found[3] or "")
    waived = not approvals and _NUMBER.fullmatch(found[3] or "") is not None
    heading = Heading(sections.spelling(found[2]), found[1] is not None, approvals, found[4].strip(), waived)
    kinds = []
    if not heading.name.strip():
        kinds.append("missing_section_name")
    if found[3] is not None and (not _NUMBER.fullmatch(found[3]) or (heading.optional and heading.approvals)):
        kinds.append("invalid_approval_requirement")
    if not all(word in _found_in(word) for word in _WORD.findall(heading.owners)):
        kinds.append("invalid_section_owner_format")
    if not kinds and not _PROPER_HEADING.fullmatch(line):
        kinds.append("invalid_section_format")
    return heading, tuple(kinds)


def _approvals(text: str) -> int:
    digits = (text.split() or ["0"])[0].lstrip("0")
    return int(digits or "0") if len(digits) < len(str(MOST_APPROVALS)) else MOST_APPROVALS


def _entry(line: str, number: int, heading: Heading) -> Entry:
    pattern, *rest = _BREAK.split(line, maxsplit=1)
    if pattern.startswith("!"):
        return Entry(heading, pattern[1:], number, None)
    return Entry(heading, pattern, number, "".join(rest))


def owners_in(text: str) -> tuple[str, ...]:
    """The owners that stand anywhere in a text, in lower case; roles in the singular."""
    found = (owner.lower() for word in _WORD.findall(text) for owner in _found_in(word))
    return tuple(dict.fromkeys(owner.removesuffix("s") if owner.startswith("@@") else owner for owner in found))


def _found_in(word: str) -> list[str]:
    """Names of users and groups, addresses, roles: each found wherever it stands in the word."""
    if "@" not in word:
        return []
    names, roles = ([found[0] for found in kind.finditer(word)] for kind in (_USER_OR_GROUP, _ROLE))
    return [*names, *_addresses(word), *roles]


def _addresses(word: str) -> Iterator[str]:
    """What `[^@ ]{1,100}@[^@ ]{1,255}` finds that ends with a letter, in linear time: from one `@` to the next."""
    start, at = 0, word.find("@")
    while at >= 0:
        following = word.find("@", at + 1)
        end = min(len(word) if following < 0 else following, at + 1 + LONGEST_DOMAIN)
        domain = _UP_TO_A_WORD.match(word, at + 1, end)
        if start < at and domain is not None:
            yield word[max(start, at - LONGEST_LOCAL) : domain.end()]
            start = domain.end()
        else:
            start = at + 1
        at = following


def normalised(pattern: str) -> str:
    """What GitLab hands to `File.fnmatch` in place of a pattern."""
    if pattern == "*":
        return "/**/*"
    pattern = "#" + pattern[2:] if pattern.startswith("\\#") else pattern
    pattern = _ESCAPED_SPACES.sub(" ", pattern)
    pattern = pattern if pattern.startswith("/") else f"/**/{pattern}"
    return f"{pattern}**/*" if pattern.endswith("/") else pattern


def _code_owners(sections: Sections, errors: tuple[Fault, ...]) -> CodeOwners:
    patterns: list[Pattern] = []
    rules: list[tuple[str, Rule | None]] = []
    for place, (name, entries) in enumerate(sections.entries.items()):
        optional = all(entry.heading.optional for entry in entries.values())
        for key, entry in entries.items():
            group = 2 * place + (entry.owners is None)
            patterns.append(replace(_pattern(key), group=group))
            rules.append((name, _rule(entry, optional)))

    def decide(matching: frozenset[int]) -> tuple[Rule, ...]:
        matched = [rules[number] for number in sorted(matching)]
        vetoed = {name for name, rule in matched if rule is None}
        deciding = {name: rule for name, rule in matched if rule is not None and name not in vetoed}
        return tuple(deciding.values())

    return CodeOwners(patterns, errors, decide)


def _rule(entry: Entry, optional: bool) -> Rule | None:
    """None for an exclusion."""
    if entry.owners is None:
        return None
    owners = owners_in(entry.owners if entry.owners.strip() else entry.heading.owners)
    heading = entry.heading
    return Rule(heading.name, entry.pattern, entry.line, owners, optional, heading.approvals, heading.waived)


def _pattern(key: str) -> Pattern:
    """A normalised pattern without its leading slash, which every path has too."""
    steps = steps_of(key[1:])
    if steps is None:
        return Pattern((), itself=False)
    if steps[-2:] == (GAP, ANY):
        return Pattern(steps[:-2], itself=False, below=True)
    return Pattern(steps)
