"""What validators found, for people: sections of the report comment, and plain text for a terminal."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from policies.findings import Finding, Ran, Severity, Validation
from policies.wording.fitting import Item, Section, Weight, folded, left_out, number_of
from policies.wording.objects import Same, counted, grouped, shortened
from policies.wording.quote import code, code_in_html, fenced, listed, visible
from policies.wording.quote import plain as harmless

SIGN = {Severity.error: "⛔", Severity.warning: "⚠️", Severity.note: "💬"}
_WEIGHT = {Severity.error: Weight.error, Severity.warning: Weight.warning, Severity.note: Weight.note}
MOST_OPEN = 10
"""Findings, and objects, that are seen without a click."""
MOST_LINES = 150
MOST_LETTERS = 8_000
"""Of one object's diff in a comment."""
MOST_TARGETS = 20
LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a validator found, and the places in which it is the same."""

    validator: str
    finding: Finding
    places: tuple[str, ...]
    counts: int
    """How many findings these are."""

    @property
    def source(self) -> str:
        """`trivy KSV014`: who says so."""
        return f"{self.validator} {self.finding.rule}".strip()


def told(findings: Iterable[tuple[str, Finding]]) -> tuple[Told, ...]:
    """The same finding in many files is one, at the first one's place in the order."""
    found: dict[tuple[str, Finding], list[Finding]] = {}
    for validator, one in findings:
        found.setdefault((validator, replace(one, path="", line=None)), []).append(one)
    return tuple(
        Told(validator, same, tuple(dict.fromkeys(_place(one) for one in each if one.path)), len(each))
        for (validator, same), each in found.items()
    )


def sections(validation: Validation, full: str) -> tuple[Section, ...]:
    """What validators found, what changes in the clusters, and who looked; nothing where there is nothing to say."""
    return (*_findings(validation), *_objects(validation, full), *_tools(validation))


# What was found.


def _findings(validation: Validation) -> tuple[Section, ...]:
    every = told(validation.findings)
    loud = [one for one in every if one.finding.severity is not Severity.note]
    quiet = [one for one in every if one.finding.severity is Severity.note]
    opened, more = loud[:MOST_OPEN], loud[MOST_OPEN:]
    found = (
        Section(_items(opened), "finding", f"**{_counts(validation)}:**"),
        Section(_items(more), "finding", summary=number_of(_count(more), "finding", "more ")),
        Section(_items(quiet), "note", summary=number_of(_count(quiet), "note")),
    )
    return tuple(section for section in found if section.items)


def _count(found: Iterable[Told]) -> int:
    return sum(one.counts for one in found)


def _items(found: Iterable[Told]) -> tuple[Item, ...]:
    return tuple(Item(_line(one), _WEIGHT[one.finding.severity], counts=one.counts) for one in found)


def _line(one: Told) -> str:
    """⛔ `a.yaml:3` and 11 more: what is wrong (`trivy KSV014`)."""
    where = f" {listed(tuple(code(place) for place in one.places), most=1)}:" if one.places else ""
    message = harmless(one.finding.message, LONGEST_MESSAGE)
    return f"- {SIGN[one.finding.severity]}{where} {message} ({code(one.source)})"


def _counts(validation: Validation) -> str:
    """`2 errors and 1 warning`; notes are told where they are folded away."""
    count = Counter(one.severity for _, one in validation.findings)
    loud = (severity for severity in Severity if severity is not Severity.note and count[severity])
    return listed(tuple(number_of(count[severity], severity) for severity in loud))


def _place(one: Finding) -> str:
    return f"{one.path}:{one.line}" if one.line else one.path


# What changes in the clusters.


def _objects(validation: Validation, full: str) -> tuple[Section, ...]:
    same = grouped(validation.changes)
    if not same:
        return ()
    first, more = same[:MOST_OPEN], same[MOST_OPEN:]
    opened = Section(
        tuple(_opened(one, full) for one in first), "object", f"**{counted(validation.changes)}**", joint="\n\n"
    )
    further = tuple(Item(f"{_headline(one)}\n\n{_within(one, full)}", Weight.further_diff) for one in more)
    summary = number_of(len(more), "object", "more ")
    return (opened, Section(further, "object", summary=summary, joint="\n\n")) if more else (opened,)


def _opened(one: Same, full: str) -> Item:
    """The object's line, which opens on its diff; where the diff has to go, the line alone."""
    seen = folded(f"{code_in_html(one.name)} {_extent(one)}", _within(one, full))
    elsewhere = f"its diff is in [the full report]({full})" if full else "its diff is too long for this comment"
    return Item(seen, Weight.diff, Item(f"{_headline(one)}: {elsewhere}", Weight.change))


def _within(one: Same, full: str) -> str:
    return "\n\n".join(part for part in (_diff(one, full), _targets(one.targets)) if part)


def _headline(one: Same) -> str:
    return f"{code(one.name)} {_extent(one)}"


def _extent(one: Same) -> str:
    """`removed in 4 targets, +0 -9`."""
    return f"{one.where}, {one.size}" if one.size else one.where


def _targets(targets: tuple[str, ...]) -> str:
    """In `environments/prod/…/values.yaml`: `aws/eu-1` and `aws/eu-2`."""
    shared, each = shortened(targets)
    names = listed(tuple(code(name or ".") for name in each), MOST_TARGETS)
    return f"In {code(shared)}: {names}" if shared else f"In {names}"


def _diff(one: Same, full: str) -> str:
    shown = _first(one.lines)
    if not shown:
        return ""
    missing = len(one.lines) - len(shown)
    more = f"\n\n{left_out(missing, 'line', full)}" if missing else ""
    return fenced(shown, "diff") + more


def _first(lines: list[str]) -> list[str]:
    """The first lines, each cut where it is very long."""
    cut = [f"{line[:LONGEST_MESSAGE]}…" if len(line) > LONGEST_MESSAGE else line for line in lines[:MOST_LINES]]
    ends = accumulate(len(line) + 1 for line in cut)
    return [line for line, end in zip(cut, ends, strict=True) if end <= MOST_LETTERS]


# Who looked.


def _tools(validation: Validation) -> tuple[Section, ...]:
    looked, unable = ran(validation), unables(validation)
    if not validation.checked:
        return ()
    names = ", ".join(f"{code(name)}{f' {harmless(version)}' if version else ''}" for name, version in looked)
    rows = [f"Looked: {names}."] if looked else []
    rows += [f"{code(one.validator)} {one.what}: {harmless(one.why, LONGEST_MESSAGE)}" for one in unable]
    silent = len({one.validator for one in unable})
    summary = f"{number_of(len(looked), 'validator')} looked{f', {silent} did not' if silent else ''}"
    return (Section(tuple(Item(f"- {row}", Weight.tool) for row in rows), "validator", summary=summary),)


@dataclass(frozen=True, slots=True)
class Unable:
    """A validator that did not come to an end, and why; how many parts of the change that concerns."""

    validator: str
    ran: Ran
    why: str
    parts: int

    @property
    def what(self) -> str:
        """`did not look (3 times)`."""
        verb = "came to no end" if self.ran is Ran.broken else "did not look"
        return verb if self.parts == 1 else f"{verb} ({self.parts} times)"


def ran(validation: Validation) -> tuple[tuple[str, str], ...]:
    """The validators that came to an end, each with its program's version where it has one."""
    done = [one for one in validation.checked if one.ran is Ran.done]
    versions = {one.validator: one.version for one in done if one.version}
    return tuple((name, versions.get(name, "")) for name in dict.fromkeys(one.validator for one in done))


def unables(validation: Validation) -> tuple[Unable, ...]:
    """Those that did not, each reason once: what broke first."""
    count = Counter((one.validator, one.ran, one.why) for one in validation.checked if one.ran is not Ran.done)
    found = (Unable(*key, parts) for key, parts in count.items())
    return tuple(sorted(found, key=lambda one: one.ran is not Ran.broken))


# For a terminal.


def plain(validation: Validation) -> str:
    """The same for a terminal: every finding as `error path:line: message [validator rule]`, every diff whole.

    Nothing in it steers a terminal (S9)."""
    parts = (_text_findings(validation), *_text_objects(validation), _text_tools(validation))
    return "\n\n".join(part for part in parts if part) or "Nothing to validate."


def _text_findings(validation: Validation) -> str:
    return "\n".join(_text_line(name, one) for name, one in validation.findings)


def _text_line(validator: str, one: Finding) -> str:
    where = f"{_place(one)}: " if one.path else ""
    return visible(f"{one.severity:7} {where}{one.message} [{f'{validator} {one.rule}'.strip()}]")


def _text_objects(validation: Validation) -> Iterator[str]:
    if validation.changes:
        yield counted(validation.changes).replace("`", "")
    for one in grouped(validation.changes):
        rows = [f"{one.name} {one.where}", *one.targets, *one.lines]
        yield "\n".join(visible(row) if number == 0 else f"  {visible(row)}" for number, row in enumerate(rows))


def _text_tools(validation: Validation) -> str:
    looked = ", ".join(f"{name} {version}".strip() for name, version in ran(validation))
    rows = [f"Looked: {looked}."] if looked else []
    rows += [f"{one.validator} {one.what}: {one.why}" for one in unables(validation)]
    return "\n".join(visible(row) for row in rows)
