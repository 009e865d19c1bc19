"""Cutting a comment to what a forge takes: the least important goes first, whole, and what is left out is said."""

import bisect
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from policies.wording.quote import LONGEST_COMMENT, fit


class Weight(IntEnum):
    """How long something stays; what weighs least goes first."""

    further_diff = 1
    note = 2
    diff = 3
    tool = 4
    change = 5
    warning = 6
    error = 7
    always = 8


@dataclass(frozen=True, slots=True)
class Item:
    """Markdown that is shown whole or not at all: a list's line, a fence, a fold, a table."""

    text: str
    weight: Weight = Weight.always
    shorter: "Item | None" = None
    """What stands for it once it had to go; it weighs no less."""
    counts: int = 1
    """How many of what its section is made of it stands for."""


@dataclass(frozen=True, slots=True)
class Section:
    """Items under one heading, or folded away under one summary."""

    items: tuple[Item, ...]
    each: str = "line"
    """What is counted where it is said how much is left out."""
    heading: str = ""
    summary: str = ""
    """The line that is seen of what is folded away, as HTML; empty: all of it is seen."""
    joint: str = "\n"


Gone = Counter[tuple[int, int]]
"""How often the item at (section, place) was made shorter, or left out at last."""


def fitted(sections: Sequence[Section], full: str = "", longest: int = LONGEST_COMMENT) -> str:
    """The sections as one comment of at most `longest` characters; `full` is the address of all that was to be said.

    What always stays is never cut, unless it is too long all by itself: then at the end of a line."""
    steps = _steps(sections)

    def written(done: int) -> str:
        return _written(sections, Counter(steps[:done]), full)

    whole = written(0)
    if len(whole) <= longest:
        return whole
    # Each step makes it shorter, but for the line that says so: at worst a few more go than must.
    done = bisect.bisect_left(range(len(steps)), True, key=lambda done: len(written(done)) <= longest)
    return fit(written(done), longest)


def _steps(sections: Sequence[Section]) -> list[tuple[int, int]]:
    """Where to make something shorter, the least important first, and of the same weight the last."""
    found: list[tuple[Weight, int, int]] = []
    for number, section in enumerate(sections):
        for place, first in enumerate(section.items):
            item: Item | None = first
            while item is not None and item.weight is not Weight.always:
                found.append((item.weight, -number, -place))
                item = item.shorter
    return [(-number, -place) for _, number, place in sorted(found)]


def _written(sections: Sequence[Section], gone: Gone, full: str) -> str:
    parts = (_section(section, number, gone, full) for number, section in enumerate(sections))
    return "\n\n".join(part for part in parts if part)


def _section(section: Section, number: int, gone: Gone, full: str) -> str:
    forms = [_form(item, gone[number, place]) for place, item in enumerate(section.items)]
    shown = [form.text for form in forms if form is not None]
    missing = sum(item.counts for item, form in zip(section.items, forms, strict=True) if form is None)
    more = left_out(missing, section.each, full) if missing else ""
    said = "\n\n".join(part for part in (section.heading, section.joint.join(shown), more) if part)
    return folded(section.summary, said) if section.summary and shown else said


def _form(item: Item | None, times: int) -> Item | None:
    for _ in range(times):
        item = item.shorter if item is not None else None
    return item


def folded(summary: str, markdown: str) -> str:
    """Markdown that is seen after a click. Without the empty lines neither forge would read it as Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{markdown}\n\n</details>"


def left_out(count: int, each: str, full: str) -> str:
    """`… 14 more findings: the full report`, with its address where there is one."""
    where = f": [the full report]({full})" if full else ""
    return f"… {number_of(count, each, 'more ')}{where}"


def number_of(count: int, each: str, more: str = "") -> str:
    """`1 finding`, `2 findings`; so for the kinds of Kubernetes: `2 NetworkPolicies`, `3 Ingresses`."""
    return f"{count} {more}{each if count == 1 else _plural(each)}"


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in set("aeiou"):
        return f"{word[:-1]}ies"
    return f"{word}es" if word.endswith(("s", "x", "ch", "sh")) else f"{word}s"
