"""Which of many patterns match a path: one automaton over the path's segments.

The patterns stand in one tree. A state is what a folder leads to: the places in the tree from which patterns go on, and
the patterns that match everything below. States, the wildcards that a segment fits and the answers are remembered up to
a bound, beyond which all is forgotten and found again."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, Generic, TypeVar

from policies.codeowners.segments import ANY, GAP, Step, Wild

MOST_REMEMBERED: Final = 500_000
"""How much one matcher remembers: entries of dictionaries, with what they hold counted, 32 characters as one."""

LONGEST: Final = 4_096
"""Characters of a folder's path (Linux allows no more) beyond which the folders above it are not remembered."""

FEW: Final = 4
"""As many wildcards in one place are looked at one by one."""

CLIP: Final = 4
"""By as many characters of what stands within a wildcard segment it is looked up."""

NONE: Final[frozenset[int]] = frozenset()

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The steps that lead to what is matched: `itself`, whatever lies `below`, or both. A gap is never the last.

    Of the patterns of one group that match a path only the last counts."""

    steps: tuple[Step, ...]
    itself: bool = True
    below: bool = False
    group: int = 0


class Node:
    """A place in the tree of patterns. What `gap` leads to is kept for every folder further down."""

    __slots__ = ("any", "below", "ends", "gap", "literals", "wilds")

    def __init__(self) -> None:
        self.literals: dict[str, Node] = {}
        self.wilds: dict[int, Node] = {}
        self.any: Node | None = None
        self.gap: Node | None = None
        self.ends: frozenset[int] = NONE
        self.below: frozenset[int] = NONE

    def next(self, step: Step, wilds: "Wilds") -> "Node":
        """The place to which a step leads, a new one where there is none yet."""
        if isinstance(step, str):
            found = self.literals.get(step)
            if found is None:
                found = self.literals[step] = Node()
            return found
        if step is GAP:
            self.gap = self.gap or Node()
            return self.gap
        if step == ANY:
            self.any = self.any or Node()
            return self.any
        return self.wilds.setdefault(wilds.number(step), Node())


class Places:
    """Where patterns go on, made ready for the next segment."""

    __slots__ = ("always", "few", "literals", "many")

    def __init__(self, nodes: Sequence[Node], above: "Places | None" = None) -> None:
        self.always: list[Node] = above.always if above else []
        self.literals: list[dict[str, Node]] = above.literals if above else []
        self.few: list[tuple[int, Node]] = above.few if above else []
        self.many: list[dict[int, Node]] = above.many if above else []
        wilds = []
        for node in nodes:
            if node.any is not None:
                self.always = [node.any, *self.always]
            if node.literals:
                self.literals = [node.literals, *self.literals]
            if node.wilds:
                wilds.append(node.wilds)
        if wilds:
            self.few = [*(item for one in wilds if len(one) <= FEW for item in one.items()), *self.few]
            self.many = [*(one for one in wilds if len(one) > FEW), *self.many]

    def size(self) -> int:
        """How much they hold."""
        return len(self.always) + len(self.literals) + len(self.few) + len(self.many)


class Gaps:
    """The gaps that a folder stands in."""

    __slots__ = ("nodes", "places")

    def __init__(self, nodes: tuple[Node, ...]) -> None:
        self.nodes = nodes
        self.places = Places(nodes)


class State:
    """What a folder leads to: places from which patterns go on, the gaps among them, what matches all below."""

    __slots__ = ("below", "gaps", "idle", "places")

    def __init__(self, places: Places, gaps: Gaps, below: frozenset[int]) -> None:
        self.places = places
        self.gaps = gaps
        self.below = below
        self.idle: State | None = None


class Bucket:
    """Wildcard segments with one beginning, middle or end: those that this alone tells, and those still to be tried."""

    __slots__ = ("told", "tried")

    def __init__(self) -> None:
        self.told: list[int] = []
        self.tried: list[tuple[int, Wild]] = []


class Wilds:
    """The wildcard segments of all patterns, each once, found by how they begin, what stands within or how they end."""

    def __init__(self) -> None:
        self._numbers: dict[Wild, int] = {}
        self._heads: dict[int, dict[str, Bucket]] = {}
        self._inners: dict[int, dict[str, Bucket]] = {}
        self._tails: dict[int, dict[str, Bucket]] = {}
        self._compiled: dict[int, re.Pattern[str]] = {}

    def number(self, wild: Wild) -> int:
        """The number of a segment, a new one where it is new."""
        number = self._numbers.get(wild)
        if number is None:
            number = self._numbers[wild] = len(self._numbers)
            by_length, text = self._place(wild)
            bucket = by_length.setdefault(len(text), {}).setdefault(text, Bucket())
            if wild.regex or len(text) < wild.least:
                bucket.tried.append((number, wild))
            else:
                bucket.told.append(number)
        return number

    def _place(self, wild: Wild) -> tuple[dict[int, dict[str, Bucket]], str]:
        if wild.head:
            return self._heads, wild.head
        return (self._inners, wild.inner[:CLIP]) if wild.inner else (self._tails, wild.tail)

    def fitting(self, segment: str) -> frozenset[int]:
        """The numbers of all that match a segment."""
        found: list[int] = []
        for length, heads in self._heads.items():
            if (bucket := heads.get(segment[:length])) is not None:
                self._try(bucket, segment, found)
        for length, tails in self._tails.items():
            if (bucket := tails.get(segment[-length:] if length else "")) is not None:
                self._try(bucket, segment, found)
        for length, inners in self._inners.items():
            for at in range(len(segment) - length + 1):
                if (bucket := inners.get(segment[at : at + length])) is not None:
                    self._try(bucket, segment, found)
        return frozenset(found) if found else NONE

    def _try(self, bucket: Bucket, segment: str, found: list[int]) -> None:
        found += bucket.told
        size = len(segment)
        for number, wild in bucket.tried:
            if size < wild.least or not segment.endswith(wild.tail):
                continue
            if not wild.regex or self._pattern(number, wild).fullmatch(segment) is not None:
                found.append(number)

    def _pattern(self, number: int, wild: Wild) -> re.Pattern[str]:
        compiled = self._compiled.get(number)
        if compiled is None:
            compiled = self._compiled[number] = re.compile(wild.regex, re.DOTALL)
        return compiled


class Matcher(Generic[T]):
    """Patterns, known by their place in the sequence, and what the set of those that match a path comes to."""

    def __init__(
        self, patterns: Sequence[Pattern], decide: Callable[[frozenset[int]], T], most: int = MOST_REMEMBERED
    ) -> None:
        self._decide = decide
        self._most = most
        self._groups = [pattern.group for pattern in patterns]
        self._alone = [frozenset({number}) for number in range(len(patterns))]
        self._one_group = len(set(self._groups)) == 1
        self._wilds = Wilds()
        self._remembered = 0
        self._anchors = {"": Node()}
        self._plant(patterns)
        self._start = self._entered([self._anchors[""]], State(Places(()), Gaps(()), NONE))
        self._forget()

    @property
    def remembered(self) -> int:
        """How much is remembered now: no more than was asked for, but for what the last path added."""
        return self._remembered

    def match(self, path: str) -> T:
        """What is decided for a path; a leading slash says nothing."""
        path = path if path.startswith("/") else f"/{path}"
        folder, _, name = path.rpartition("/")
        if self._remembered > self._most:
            self._forget()
        state = self._states.get(folder) or self._state_of(folder)
        ends = [node.ends for node in self._children(state.places, name) if node.ends]
        if path in self._anchors:
            ends.append(self._anchors[path].ends)
        matching = self._joined(state.below, ends) if ends else state.below
        answer = self._answers.get(matching)
        if answer is None:
            answer = self._answers[matching] = self._decide(matching)
            self._remembered += 1 + len(matching)
        return answer

    def _plant(self, patterns: Sequence[Pattern]) -> None:
        """Grow the tree; what many patterns lead to is joined once, when all of them stand."""
        ends: dict[Node, list[int]] = {}
        below: dict[Node, list[int]] = {}
        for number, pattern in enumerate(patterns):
            node = self._node_of(pattern)
            if pattern.itself:
                ends.setdefault(node, []).append(number)
            if pattern.below:
                below.setdefault(node, []).append(number)
        for node, numbers in ends.items():
            node.ends = self._all_of(numbers)
        for node, numbers in below.items():
            node.below = self._all_of(numbers)

    def _all_of(self, numbers: list[int]) -> frozenset[int]:
        return self._alone[numbers[0]] if len(numbers) == 1 else self._joined(frozenset(numbers), [])

    def _node_of(self, pattern: Pattern) -> Node:
        """The literal steps at the start lead to a node at once, the others one by one."""
        literals = list(takewhile(lambda step: isinstance(step, str), pattern.steps))
        anchor = "".join(f"/{step}" for step in literals)
        if len(anchor) > LONGEST:
            anchor, literals = "", []
        node = self._anchors.get(anchor)
        if node is None:
            node = self._anchors[anchor] = Node()
        for step in pattern.steps[len(literals) :]:
            node = node.next(step, self._wilds)
        return node

    def _joined(self, numbers: frozenset[int], more: list[frozenset[int]]) -> frozenset[int]:
        """All of these, of each group the last."""
        joined = numbers.union(*more)
        if len(joined) < 2:
            return joined
        if self._one_group:
            return self._alone[max(joined)]
        last = {self._groups[number]: number for number in sorted(joined)}
        return joined if len(last) == len(joined) else frozenset(last.values())

    def _forget(self) -> None:
        self._remembered = 0
        self._states = {"": self._start}
        self._fitting: dict[str, frozenset[int]] = {}
        self._answers: dict[frozenset[int], T] = {}

    def _state_of(self, path: str) -> State:
        """The state of a folder that is not remembered, from the nearest one above that is."""
        if len(path) > LONGEST:
            return self._state_of_long(path)
        missing = []
        above = path
        while above not in self._states:
            folder = above
            above, _, name = folder.rpartition("/")
            missing.append((folder, name))
        state = self._states[above]
        for folder, name in reversed(missing):
            state = self._states[folder] = self._follow(state, name, self._anchors.get(folder))
        self._remembered += len(missing) * (1 + len(path) // 32)
        return state

    def _state_of_long(self, path: str) -> State:
        """The same for a path of any length, with nothing remembered of it but what its segments fit."""
        end, state = 0, self._start
        for folder in path.split("/")[1:]:
            end += 1 + len(folder)
            state = self._follow(state, folder, self._anchors.get(path[:end]) if end <= LONGEST else None)
        return state

    def _follow(self, state: State, folder: str, anchor: Node | None) -> State:
        nodes = self._children(state.places, folder)
        if anchor is not None:
            nodes.append(anchor)
        if nodes:
            return self._entered(nodes, state)
        if state.places is state.gaps.places:
            return state
        if state.idle is None:
            state.idle = State(state.gaps.places, state.gaps, state.below)
        return state.idle

    def _entered(self, nodes: Sequence[Node], before: State) -> State:
        """The state of these nodes, of the gaps that go on, and of those that begin here."""
        gaps, added, more, live = before.gaps, [], [], []
        for node in nodes:
            if node.below:
                added.append(node.below)
            if node.gap is not None and node.gap not in gaps.nodes:
                more.append(node.gap)
            if node.literals or node.wilds or node.any is not None:
                live.append(node)
        if more:
            gaps = Gaps((*gaps.nodes, *more))
            added += [node.below for node in more if node.below]
            self._remembered += len(gaps.nodes) + gaps.places.size()
        places = gaps.places
        if live:
            places = Places(live, places)
            self._remembered += places.size()
        return State(places, gaps, self._joined(before.below, added) if added else before.below)

    def _children(self, places: Places, segment: str) -> list[Node]:
        """The nodes to which a segment leads, other than the gaps that go on."""
        found = [literals[segment] for literals in places.literals if segment in literals]
        found += places.always
        if places.few or places.many:
            fitting = self._fitting.get(segment)
            if fitting is None:
                fitting = self._fits(segment)
            if fitting:
                found += [node for number, node in places.few if number in fitting]
                for wilds in places.many:
                    found += [wilds[number] for number in wilds.keys() & fitting]
        return found

    def _fits(self, segment: str) -> frozenset[int]:
        fitting = self._fitting[segment] = self._wilds.fitting(segment)
        self._remembered += 1 + len(fitting) + len(segment) // 32
        return fitting
