"""JUnit's XML as test runners and linters write it: the common part of Ant's and Maven Surefire's dialects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from bot.validators.reports.places import Place
from bot.validators.reports.unreadable import MOST_READ, Unreadable, small
from policies.findings import Finding

BAD = {"failure", "error"}
ROOTS = {"testsuites", "testsuite"}
LONGEST = 2000
"""Letters that are kept of a failure's text."""


@dataclass
class _Reader:
    """What expat's events add up to."""

    place: Place
    found: list[Finding] = field(default_factory=list)
    depth: int = 0
    case: dict[str, str] = field(default_factory=dict)
    bad: dict[str, str] | None = None
    text: str = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth == 1 and name not in ROOTS:
            raise Unreadable(f"is no JUnit XML: it begins with <{name[:40]}>")
        if name == "testcase":
            self.case = attributes
        elif name in BAD:
            self.bad, self.text = attributes, ""

    def words(self, text: str) -> None:
        if self.bad is not None and len(self.text) < LONGEST:
            self.text += text

    def end(self, name: str) -> None:
        self.depth -= 1
        if name in BAD and self.bad is not None:
            if len(self.found) < MOST_READ:
                self.found.append(self._finding(self.bad))
            self.bad = None
        elif name == "testcase":
            self.case = {}

    def _finding(self, bad: dict[str, str]) -> Finding:
        name, said = self.case.get("name", ""), bad.get("message") or self.text.strip()[:LONGEST]
        path, line = self.place(self.case.get("file", "")), self.case.get("line", "")
        number = int(line) if path and line.isascii() and line.isdigit() and len(line) < 8 else 0
        rule = bad.get("type") or self.case.get("classname", "")
        return Finding(
            ": ".join(one for one in (name, said) if one) or "failed", path=path, line=number or None, rule=rule
        )


def _refuse(*_: object) -> None:
    """Entities are defined in a DTD alone: without one nothing expands, and nothing is fetched."""
    raise Unreadable("holds a DTD")


def read(raw: bytes, place: Place) -> Iterator[Finding]:
    """An error for each failed or broken test, as many as are read of one output."""
    reader, parser = _Reader(place), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.words
    try:
        parser.Parse(small(raw), True)
    except expat.ExpatError as error:
        raise Unreadable(f"is no XML: {expat.errors.messages[error.code]}, line {error.lineno}") from error
    except (LookupError, ValueError) as error:
        raise Unreadable("is no XML: unknown encoding") from error
    return iter(reader.found)
