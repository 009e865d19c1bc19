"""Finds secrets in text by its lines, and where it is YAML or JSON by its structure too.

By lines nothing is seen of a name that stands on another line than its value, in braces, or with escaped letters; by
structure nothing of what does not parse. A value is judged alike both ways."""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate, islice

from bot.validators.secret_lines import Line
from bot.validators.secret_names import HINT, Says, is_about, is_many, says
from bot.validators.secret_places import DEEPEST, Hides, Place, below, item
from bot.validators.secret_scan import Span, merged, scan, valued
from bot.validators.secret_shapes import is_public
from bot.validators.secret_tree import Leaf, trees
from bot.validators.secret_values import Value, is_sealed, kind

MOST_LETTERS = 1024 * 1024
"""That are read as YAML, those within texts counted again."""
MOST_NODES = 200_000
"""That are walked, each as often as an alias repeats it."""
MOST_NESTED = 3
"""Texts within texts that are read so too."""
MOST_WITHIN = 20
"""Secrets in one text within a text, and places of each, that are told one by one; of more, all the text is one."""

_NESTING = re.compile(r"[\n{\[\\]")
_STRUCTURED = re.compile(r"[:{\[]|\n[ \t]{0,200}- ")


@dataclass(slots=True)
class Budget:
    """How much may still be read by structure; what is beyond is looked at by lines alone."""

    letters: int = MOST_LETTERS
    nodes: int = MOST_NODES
    nested: int = 0
    """How many texts are around the present one."""


def secrets_in(text: str, budget: Budget) -> Iterator[tuple[Line, tuple[Span, ...]]]:
    """Each line with the secrets on it, left to right, not overlapping."""
    found = _by_line(text, budget)
    for line, spans in scan(text):
        more = found.get(line.number)
        yield line, merged((*spans, *more)) if more else spans


def _by_line(text: str, budget: Budget) -> Mapping[int, list[Span]]:
    """What the structure tells, by the number of the line; columns are those of the line."""
    told: defaultdict[int, list[Span]] = defaultdict(list)
    if len(text) > budget.letters or not _STRUCTURED.search(text) or not HINT.search(text):
        return told
    budget.letters -= len(text)
    lines = text.split("\n")
    starts = [*accumulate((len(line) + 1 for line in lines), initial=0)]
    for span in _structured(text, budget):
        first, last = (bisect_right(starts, at) - 1 for at in (span.start, max(span.start, span.end - 1)))
        for number in range(first, min(last + 1, len(lines))):
            start, end = max(span.start - starts[number], 0), min(span.end - starts[number], len(lines[number]))
            part = lines[number][start:end]
            if part.strip():
                start += len(part) - len(part.lstrip())
                told[number + 1].append(replace(span, start=start, end=start + len(part.strip())))
    return told


def _structured(text: str, budget: Budget) -> Iterator[Span]:
    """Spans of all of the text, several lines where a value has several; the same one again where it is repeated."""
    for tree in trees(text):
        for leaf, place in _leaves(tree, Place(), budget):
            found = _judged(leaf, place)
            if found is not None:
                yield replace(found, start=leaf.start, end=leaf.end)
            elif _NESTING.search(leaf) and budget.nested < MOST_NESTED:
                budget.nested += 1
                yield from _within(text, leaf, budget)
                budget.nested -= 1


def _leaves(value: object, place: Place, budget: Budget) -> Iterator[tuple[Leaf, Place]]:
    budget.nodes -= 1
    if budget.nodes < 0 or len(place.path) > DEEPEST:
        return
    match value:
        case Leaf():
            yield value, place
        case dict():
            for name, inner in value.items():
                if isinstance(name, Leaf):
                    yield name, Place()
                yield from _leaves(inner, below(value, str(name), inner, place), budget)
        case list():
            before: object = None
            for inner in value:
                yield from _leaves(inner, item(place, before), budget)
                before = inner
        case _:
            pass


def _judged(value: Leaf, place: Place) -> Span | None:
    """What is wrong with a value at its place; columns are 0."""
    if is_sealed(value) or (place.name.startswith("-") and value.startswith("-")):
        return None
    if place.hides is Hides.all:
        is_fine = kind(value) in {Value.nothing, Value.identifier} or is_public(value)
        return None if is_fine else valued(says(place.name), place.name, value) or _manifest(place)
    found = None if value.startswith("{") else valued(says(place.name), place.name, value)
    if found is None and place.hides is Hides.texts and not place.is_where and not is_about(place.name):
        found = valued(says(place.holder) if is_many(place.holder) else Says.maybe, place.name, value)
    return found


def _manifest(place: Place) -> Span:
    return Span(0, 0, "secret-manifest", key=place.name)


def _within(text: str, leaf: Leaf, budget: Budget) -> Iterator[Span]:
    """The secrets in a text that stands as a value, at their places in the text around."""
    rows = [*accumulate((len(row) + 1 for row in text[leaf.start : leaf.end].split("\n")), initial=leaf.start)]
    found = ((line, span) for line, spans in secrets_in(leaf, budget) for span in spans)
    several = [*islice(found, MOST_WITHIN + 1)]
    if len(several) > MOST_WITHIN:
        yield replace(several[0][1], start=leaf.start, end=leaf.end)
        return
    for line, span in several:
        yield from _placed(text, leaf, (line, span), rows)


def _placed(text: str, leaf: Leaf, found: tuple[Line, Span], rows: list[int]) -> Iterator[Span]:
    """One of them where its line stands as it is; else wherever its letters do; else all of the value."""
    line, span = found
    row = rows[line.number - 1] if line.number < len(rows) else leaf.end
    at = text.find(line.text, row, min(rows[line.number] if line.number < len(rows) else row, leaf.end))
    if at >= 0:
        yield replace(span, start=at + span.start, end=at + span.end)
        return
    letters = re.compile(re.escape(line.text[span.start : span.end]))
    places = [one.span() for one in islice(letters.finditer(text, leaf.start, leaf.end), MOST_WITHIN + 1)]
    for start, end in places if 0 < len(places) <= MOST_WITHIN else [(leaf.start, leaf.end)]:
        yield replace(span, start=start, end=end)
