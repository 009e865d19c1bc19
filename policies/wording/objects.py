"""What changes in the clusters: the same change of the same object is one, wherever it happens."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice, takewhile

from policies.findings import ObjectChange
from policies.wording.fitting import number_of
from policies.wording.quote import listed, plain

HOWS = ("removed", "changed", "added")
"""In the order in which people want to know of it."""
CUT = "…"
"""How the line begins that says how much more of a diff there is."""
_VERBS = {"removed": "Removes", "changed": "Changes", "added": "Adds"}


@dataclass(frozen=True, slots=True)
class Same:
    """One change of one object, and the targets in which it is the same, in their order."""

    change: ObjectChange
    targets: tuple[str, ...]

    @property
    def name(self) -> str:
        """`Deployment shop/payments-api`."""
        space = f"{self.change.namespace}/" if self.change.namespace else ""
        return f"{self.change.kind} {space}{self.change.name}"

    @property
    def where(self) -> str:
        """`removed in 4 targets`; that it is changed goes without saying."""
        how = f"{self.change.how} " if self.change.how in {"removed", "added"} else ""
        return f"{how}in {number_of(len(self.targets), 'target')}"

    @property
    def size(self) -> str:
        """`+1 -2`: how many lines come and go; empty where there is no diff, or not all of it."""
        signs = Counter(line[:1] for line in self.lines)
        return f"+{signs['+']} -{signs['-']}" if signs and not signs[CUT] else ""

    @property
    def lines(self) -> list[str]:
        """The diff, line by line. Whatever else ends a line for Python is a character of the line."""
        return self.change.diff.rstrip("\n").split("\n") if self.change.diff.strip() else []


def grouped(changes: Iterable[ObjectChange]) -> tuple[Same, ...]:
    """What goes first, then what changes, then what comes; of each what is in the most targets first."""
    found: dict[tuple[str, ...], list[ObjectChange]] = {}
    for one in changes:
        # Two that read the same as far as they are shown may differ in what is not shown.
        alone = one.target if _is_cut(one.diff) else ""
        found.setdefault((one.how, *_object(one), one.diff, alone), []).append(one)
    same = [Same(each[0], tuple(dict.fromkeys(one.target for one in each))) for each in found.values()]
    return tuple(sorted(same, key=lambda one: (_order(one.change.how), -len(one.targets))))


def shortened(paths: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """What all paths have in common, as `a/…/values.yaml`, and what each has instead of the dots."""
    parts = [path.split("/") for path in paths]
    room = min(map(len, parts)) - 1
    before = _same(parts, room)
    after = _same([each[::-1] for each in parts], room - before)
    if len(paths) < 2 or not before + after:
        return "", paths
    first = parts[0]
    shared = "/".join([*first[:before], "…", *first[len(first) - after :]])
    return shared, tuple("/".join(each[before : len(each) - after]) for each in parts)


def _same(parts: list[list[str]], room: int) -> int:
    """How many of the first parts, at most `room`, are the same in all."""
    together = takewhile(lambda column: len(set(column)) == 1, zip(*parts, strict=False))
    return len(list(islice(together, room)))


def counted(changes: tuple[ObjectChange, ...]) -> str:
    """`Changes 3 objects in 12 targets: 2 Deployments and 1 ConfigMap.`, a sentence for each way; harmless Markdown."""
    hows = sorted({one.how for one in changes}, key=lambda how: (_order(how), how))
    return " ".join(_sentence(how, [one for one in changes if one.how == how]) for how in hows)


def _is_cut(diff: str) -> bool:
    return any(line.startswith(CUT) for line in diff.split("\n"))


def _sentence(how: str, changes: list[ObjectChange]) -> str:
    objects = {_object(one) for one in changes}
    kinds = Counter(kind for kind, _, _ in sorted(objects))
    what = listed(tuple(plain(number_of(count, kind)) for kind, count in kinds.most_common()))
    targets = number_of(len({one.target for one in changes}), "target")
    verb = _VERBS.get(how, _VERBS["changed"])
    return f"{verb} {number_of(len(objects), 'object')} in {targets}: {what}."


def _object(one: ObjectChange) -> tuple[str, str, str]:
    return one.kind, one.namespace, one.name


def _order(how: str) -> int:
    return HOWS.index(how) if how in HOWS else HOWS.index("changed")
