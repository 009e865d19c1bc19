"""Objects before and after as readable differences: redacted (S10), noise folded, and never too long.

Of a pair of objects noise is folded first, so that a generated name is the same on both sides and so are the marks of
redaction, which cover it; then keys are put into one order, secrets are redacted, and only then there are lines."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

from bot.validators.lines import lines_of
from bot.validators.objects import Identity, Objects, Value
from bot.validators.redaction import line, redacted
from policies.findings import ObjectChange

MOST_OBJECTS = 300
MOST_LINES = 400
"""Of one difference."""
MOST_LINES_IN_ALL = 5_000
"""Of all differences of one target; what comes afterwards is only named."""
MOST_TEXT = 4 * 1024 * 1024
"""Letters of all objects of one target that are looked through for secrets and lines; beyond it they are only named."""
TOO_LARGE = "@@ too large to be shown @@"
BEYOND = "@@ not shown: the lines above are too many already @@"
LONGEST_LINE = 300
CONTEXT = 3
MOST_COMPARED = 4_000_000
"""Lines before times lines after, between the first and the last that differ: more of them are not matched up."""
MOST_MATCHED = 50_000_000
"""Pairs of the same line, times the lines of the shorter side: as often may such a pair be looked at."""
MOST_ABOVE = 2_000
"""Lines above a hunk that are looked at for the keys that lead to it."""

_CHECKSUM = "checksum/"
_NOISE = {"helm.sh/chart"}
_FOLDED = "…"
_SUFFIX = re.compile(r"(.+)-[2456789bcdfghkmt]{10}")
"""A name with a hash of the content, as kustomize writes it (sigs.k8s.io/kustomize/api/hasher, `encode`)."""
_KEY = re.compile(r" *(?:- )*(?P<key>[^\s:-][^:]{0,80}):(?: (?P<value>.{1,80}))?.*")
_GENERATED = {"ConfigMap", "Secret"}


class Pair(NamedTuple):
    """One object before and after; None where it is not there."""

    identity: Identity
    """The one that it has afterwards, or had."""
    before: Value | None
    after: Value | None


@dataclass(frozen=True, slots=True)
class Compared:
    """What two renderings differ in."""

    changes: tuple[ObjectChange, ...]
    more: int
    """Objects that differ beside these."""


def differences(before: Objects, after: Objects, target: str) -> Compared:
    """What differs between two renderings of a target, sorted by kind, namespace and name.

    An object whose name differs in kustomize's hash alone is the same one, changed."""
    renamed = _renamed(before.found, after.found)
    stems = {one.name: f"{_stem(one.name)}-{_FOLDED}" for both in renamed.items() for one in both}
    paired = _pairs(before.found, after.found, renamed)
    pairs = [one for one in paired if _canonical(one.before) != _canonical(one.after)]
    changes, left, room = [], MOST_LINES_IN_ALL, MOST_TEXT
    for pair in pairs[:MOST_OBJECTS]:
        room -= len(_canonical(pair.before)) + len(_canonical(pair.after))
        lines = [BEYOND] if not left else _difference(pair, stems) if room >= 0 else [TOO_LARGE]
        shown = _at_most(lines, min(MOST_LINES, max(1, left)))
        left = max(0, left - len(shown))
        changes.append(_change(pair, "\n".join(shown), target))
    return Compared(tuple(changes), len(pairs) - len(changes))


def _change(pair: Pair, diff: str, target: str) -> ObjectChange:
    how = "added" if pair.before is None else "removed" if pair.after is None else "changed"
    kind, namespace, name, _ = map(line, pair.identity)
    return ObjectChange(kind, name, namespace, how, diff, target)


def _canonical(value: Value | None) -> str:
    """A text that is the same for the same value in any order of keys; for Python 1 equals True, here it does not."""
    return json.dumps(value, sort_keys=True)


def _at_most(lines: list[str], most: int) -> list[str]:
    cut = [text if len(text) <= LONGEST_LINE else text[:LONGEST_LINE] + _FOLDED for text in lines[:most]]
    more = len(lines) - len(cut)
    return [*cut, f"… {more} more lines"] if more else cut


# Which object is which.


def _pairs(
    before: Mapping[Identity, Value], after: Mapping[Identity, Value], renamed: Mapping[Identity, Identity]
) -> Iterator[Pair]:
    """All objects, each with what it was; `renamed` are those that have another name now."""
    was = {new: old for old, new in renamed.items()}
    for identity in sorted((before.keys() - renamed.keys()) | after.keys()):
        yield Pair(identity, before.get(was.get(identity, identity)), after.get(identity))


def _renamed(before: Mapping[Identity, Value], after: Mapping[Identity, Value]) -> dict[Identity, Identity]:
    """Objects of which nothing but the hash in their name tells that they are others, where there is no doubt."""
    gone, come = _by_stem(before.keys() - after.keys()), _by_stem(after.keys() - before.keys())
    both = [(gone[stem], come[stem]) for stem in gone.keys() & come.keys()]
    return {old[0]: new[0] for old, new in both if len(old) == len(new) == 1}


def _by_stem(identities: Iterable[Identity]) -> Mapping[Identity, list[Identity]]:
    found = defaultdict(list)
    for one in identities:
        stem = _stem(one.name)
        if stem and one.kind in _GENERATED and not one.group:
            found[one._replace(name=stem)].append(one)
    return found


def _stem(name: str) -> str:
    """A generated name without its hash; empty where it has none."""
    found = _SUFFIX.fullmatch(name)
    return "" if found is None else found[1]


# What of an object is compared.


def _difference(pair: Pair, stems: Mapping[str, str]) -> list[str]:
    """The lines of one object's difference, of any number."""
    if pair.before is None or pair.after is None:
        sign, only = ("+", pair.after) if pair.before is None else ("-", pair.before)
        return [sign + text for text in lines_of(redacted(only))]
    before, after = _Folding(stems), _Folding(stems)
    old, new = before.of(pair.before), after.of(pair.after)
    lines = list(_hunks(lines_of(redacted(_ordered(old, new))), lines_of(redacted(new))))
    noise = sorted({name for name, _ in before.noise ^ after.noise})
    if noise:
        lines.append(f"@@ also differs: {line(', '.join(noise))} @@")
    return lines or ["@@ what differs is not shown @@"]


@dataclass(slots=True)
class _Folding:
    """One walk over an object that takes out what tells an approver nothing."""

    stems: Mapping[str, str]
    """Generated names to what is shown instead of them."""
    noise: set[tuple[str, str]] = field(default_factory=set)
    """What was folded, with what stood there."""

    def of(self, value: object) -> object:
        """The value without noise, in containers of its own."""
        match value:
            case dict():
                return {
                    key: self._noisy(key, inner) if _is_noise(key) else self.of(inner) for key, inner in value.items()
                }
            case list():
                return [self.of(inner) for inner in value]
            case str() if value in self.stems:
                return self._folded(self.stems[value], value)
            case _:
                return value

    def _noisy(self, key: str, value: object) -> object:
        return self.of(value) if isinstance(value, dict | list) else self._folded(key, str(value), _FOLDED)

    def _folded(self, name: str, value: str, shown: str = "") -> str:
        self.noise.add((name, value))
        return shown or name


def _is_noise(key: str) -> bool:
    return key in _NOISE or key.startswith(_CHECKSUM)


def _ordered(value: object, like: object) -> object:
    """The value with the keys of its mappings in the order that they have in another; those it lacks come last."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = [*(key for key in like if key in value), *(key for key in value if key not in like)]
        return {key: _ordered(value[key], like.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(like, list):
        return [_ordered(one, other) for one, other in zip_longest(value, like[: len(value)])]
    return value


# Lines.


def _hunks(before: list[str], after: list[str]) -> Iterator[str]:
    """What differs with three lines around it, each hunk below the keys that lead to it.

    No line numbers: the same change of another cluster's object shall read the same."""
    same = _alike(before, after)
    start, rest = max(0, same - CONTEXT), _alike(before[same:][::-1], after[same:][::-1])
    old, new = (lines[start : len(lines) - max(0, rest - CONTEXT)] for lines in (before, after))
    for group in _groups(old, new):
        tag, low, _, low_after, _ = next(one for one in group if one[0] != "equal")
        way = _way(before, start + low) if tag == "delete" else _way(after, start + low_after)
        yield f"@@ {way} @@" if way else "@@"
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                yield from (" " + text for text in old[old_start:old_end])
            else:
                yield from ("-" + text for text in old[old_start:old_end])
                yield from ("+" + text for text in new[new_start:new_end])


def _alike(before: list[str], after: list[str]) -> int:
    """How many lines are the same from the start."""
    for count, (old, new) in enumerate(zip(before, after, strict=False)):
        if old != new:
            return count
    return min(len(before), len(after))


_Step = tuple[str, int, int, int, int]


def _groups(old: list[str], new: list[str]) -> Iterable[Iterable[_Step]]:
    """What is the same and what is not, with the context around it; all of it at once where it is too much to match."""
    if len(old) * len(new) > MOST_COMPARED or _looks(old, new) > MOST_MATCHED:
        return [[("replace", 0, len(old), 0, len(new))]]
    return SequenceMatcher(None, old, new, autojunk=True).get_grouped_opcodes(CONTEXT)


def _looks(old: list[str], new: list[str]) -> int:
    """How often SequenceMatcher may look at a pair of the same line: once for each block that it finds."""
    first, second = Counter(old), Counter(new)
    return sum(count * second[text] for text, count in first.items()) * min(len(old), len(new))


def _way(lines: list[str], at: int) -> str:
    """The keys that lead to a line, and the names of the items, read off the lines above it that are indented less.

    Lines of a text may pass for keys; it is a heading and no more."""
    found: list[str] = []
    least = _indent(lines[at])
    for text in reversed(lines[max(0, at - MOST_ABOVE) : at]):
        indent, key = _indent(text), _KEY.fullmatch(text)
        if not text or indent >= least:
            continue
        if key is not None and key.start("key") < least:
            found.append(key["key"])
        elif key is not None and key["key"] == "name":
            found.append(key["value"] or "")
        least = indent
    return ".".join(reversed(found))


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))
