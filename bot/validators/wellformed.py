"""`wellformed`: YAML and JSON that parse within limits, no key twice in a mapping, no way out of the repository."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, NoReturn

from bot.validators.base import Bench, Change, Part, Told, Tree, Validator, both, bounded
from bot.yaml import (
    DEEPEST,
    MOST_BYTES,
    MOST_EVENTS,
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    Shape,
    Unreadable,
    decode,
    stream,
)
from policies.findings import Finding, Severity
from policies.layout import is_utf8

NAME = "wellformed"
DUPLICATE = "duplicate-key"
_YAML = (".yaml", ".yml")
_JSON = ".json"
_UNLOOKED = "//"
"""The part that says how many targets nobody looks at: no path of Git."""


def parts(change: Change) -> Iterator[Part]:
    """A part for each changed YAML and JSON file, and one for all else, of which none may lead out.

    One more says so where not all targets that the change concerns are looked at."""
    if change.unlooked:
        yield Part(_UNLOOKED, (_how_many(change),))
    others: list[str] = []
    targets = {target.path for target in change.targets}
    for path in change.paths:
        before, after = both(change, path)
        if after == "-":
            continue
        if path in targets or (path.endswith((*_YAML, _JSON)) and not _is_template(change.after, path)):
            yield Part(path, (path, before, after))
        else:
            others += [path, after]
    if others:
        yield Part("", tuple(others))


def _how_many(change: Change) -> str:
    looked = len(change.targets)
    return f"looked at {looked} of {looked + change.unlooked} targets that this changes"


def _is_template(tree: Tree, path: str) -> bool:
    """Whether it is of a Helm chart's folder `templates`: those are YAML only when they are filled."""
    folders = path.split("/")[:-1]
    above = ("/".join((*folders[:at], "Chart.yaml")) for at, name in enumerate(folders) if name == "templates")
    return any(tree.id(chart) is not None for chart in above)


def check(change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001 # as all are called
    """What is wrong with a file, each with its line."""
    if part.subject == _UNLOOKED:
        return Told((Finding(f"{_how_many(change)}: `towpath validate` looks at all", Severity.warning, rule="some"),))
    if not part.subject:
        return Told(bounded(found for path in part.inputs[::2] for found in _beside(change.after, path)))
    raw = change.after.read(part.subject)
    beside = _beside(change.after, part.subject)
    if raw is None:
        return Told(tuple(beside))
    problem = json_problems(raw) if part.subject.endswith(_JSON) else problems(raw)
    found = (Finding(one.message, path=part.subject, line=one.line, rule=one.rule) for one in problem)
    return Told(bounded(chain(beside, found)))


def _beside(tree: Tree, path: str) -> Iterator[Finding]:
    """What is wrong with a path whatever the file holds."""
    if not is_utf8(path):
        yield Finding("its name is no UTF-8", path=path, rule="name")
    yield from _way_out(tree, path)


def _way_out(tree: Tree, path: str) -> Iterator[Finding]:
    leads = tree.link(path)
    if leads == "":
        yield Finding("is a submodule: what is in it is in another repository", path=path, rule="submodule")
    elif leads is not None and _is_outside(path, leads):
        yield Finding(f"is a symbolic link to {leads}, outside the repository", path=path, rule="link")


def _is_outside(path: str, leads: str) -> bool:
    depth = path.count("/")
    for step in leads.split("/"):
        depth += -1 if step == ".." else step not in {"", "."}
        if depth < 0:
            return True
    return leads.startswith("/") or "\0" in leads


_Standing = ScalarEvent | AliasEvent | MappingStartEvent | SequenceStartEvent
"""An event that is a node, or begins one."""


class Problem(NamedTuple):
    """What is wrong with a text, and at which line, counted from 1."""

    rule: str
    line: int | None
    message: str


# JSON.


def json_problems(raw: bytes) -> Iterator[Problem]:
    """What is wrong with a JSON file (RFC 8259): that it does not parse, or a name that stands twice in one object."""
    if len(raw) > MOST_BYTES:
        yield Problem("too-large", None, f"the file is larger than {MOST_BYTES // 1024 // 1024} MiB")
        return
    twice: dict[str, None] = {}

    def once(pairs: list[tuple[str, object]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                twice[name] = None
            seen.add(name)

    try:
        json.loads(raw.decode(), object_pairs_hook=once, parse_constant=_no_number, parse_int=len, parse_float=len)
    except json.JSONDecodeError as error:
        yield Problem("no-json", error.lineno, f"it is no JSON: {error.msg}")
    except RecursionError:
        yield Problem("too-deep", None, "it is nested too deep")
    except ValueError as error:
        yield Problem("no-json", None, f"it is no JSON: {error}")
    yield from (Problem(DUPLICATE, None, f"the key {name} is written twice in one object") for name in twice)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


# YAML.


def problems(raw: bytes) -> Iterator[Problem]:
    """What is wrong with a YAML stream of any number of documents, in the order of the text; it never raises.

    A key is told by its text, so `1` and `"1"` are the same: what reads such files makes JSON of them. A merge key is
    a key like any other (YAML 1.2.2, 3.2.1.1: keys are unique); several mappings are merged by one list of them."""
    shapes: list[Shape] = []
    walk = _Walk(shapes)
    try:
        for event in stream(decode(raw).text, shapes):
            yield from walk.step(event)
            if walk.is_over:
                return
    except Unreadable as error:
        yield Problem("no-yaml", error.line, error.reason)


class _Node(NamedTuple):
    """A node as a key is compared by, and what it would be with its aliases replaced."""

    key: object
    size: int = 1
    depth: int = 0


@dataclass(slots=True)
class _Open:
    """A collection that is not over yet; a mapping has `keys`, each with its line."""

    first: int
    event: _Standing
    keys: dict[object, int] | None = None
    expects_value: bool = False
    size: int = 1
    depth: int = 1


@dataclass(slots=True)
class _Walk:
    """One pass over the events, without recursion."""

    shapes: list[Shape]
    stack: list[_Open] = field(default_factory=list)
    anchors: dict[str, _Node | None] = field(default_factory=dict)
    """None: of a collection that is still open."""
    is_over: bool = False

    def step(self, event: Event) -> Iterable[Problem]:
        """What is wrong with this event."""
        if isinstance(event, ScalarEvent):
            return self._node(event, _Node(event.value))
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            self._start(event)
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            return self._end()
        elif isinstance(event, AliasEvent):
            return self._alias(event)
        elif isinstance(event, DocumentStartEvent):
            self.anchors.clear()
        return ()

    def _start(self, event: MappingStartEvent | SequenceStartEvent) -> None:
        if event.anchor:
            self.anchors[event.anchor] = None
        keys: dict[object, int] | None = {} if isinstance(event, MappingStartEvent) else None
        self.stack.append(_Open(len(self.shapes) - 1, event, keys))

    def _end(self) -> Iterable[Problem]:
        done = self.stack.pop()
        top = self.stack[-1] if self.stack else None
        is_key = top is not None and top.keys is not None and not top.expects_value
        # A collection as a key is compared by what is written; its hash, for one may hold the next.
        key = hash(tuple(self.shapes[done.first :])) if is_key or done.event.anchor else None
        return self._node(done.event, _Node((key,), done.size, done.depth))

    def _alias(self, event: AliasEvent) -> Iterable[Problem]:
        line = _line(event)
        if event.anchor not in self.anchors:
            yield Problem("alias", line, f"the alias *{event.anchor} has no anchor")
        elif self.anchors[event.anchor] is None:
            yield Problem("alias", line, f"the alias *{event.anchor} stands within what it is an alias of")
        yield from self._node(event, self.anchors.get(event.anchor) or _Node(("*", event.anchor)))

    def _node(self, event: _Standing, node: _Node) -> Iterable[Problem]:
        """Put a node where the walk stands."""
        if event.anchor and not isinstance(event, AliasEvent):
            self.anchors[event.anchor] = node
        if not self.stack:
            return ()
        top = self.stack[-1]
        top.size += node.size
        top.depth = max(top.depth, node.depth + 1)
        if top.size > MOST_EVENTS or top.depth + len(self.stack) - 1 > DEEPEST:
            self.is_over = True
            return (Problem("bomb", _line(event), f"its aliases make more than {_most(top)} of it"),)
        if top.keys is None:
            return ()
        top.expects_value = not top.expects_value
        return _twice(top.keys, event, node.key) if top.expects_value else ()


def _twice(keys: dict[object, int], event: _Standing, key: object) -> Iterable[Problem]:
    if key not in keys:
        keys[key] = _line(event)
        return ()
    name = f"the key {key}" if isinstance(key, str) else "a key"
    return (Problem(DUPLICATE, _line(event), f"{name} is written twice, first in line {keys[key]}"),)


def _most(top: _Open) -> str:
    return f"{MOST_EVENTS:,} values" if top.size > MOST_EVENTS else f"{DEEPEST} levels"


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


VALIDATOR = Validator(NAME, "YAML and JSON that parse, without a key twice, and no link out of here", parts, check)
