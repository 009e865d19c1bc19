"""What is wrong in a policy, in the words of who writes YAML, with the nearest right word."""

import difflib
import typing
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from pydantic import BaseModel

MOST = 50
"""Faults of one policy that are told."""
MOST_KNOWN = 200
"""Words among which the nearest is sought; each is compared with the wrong one, letter by letter."""
LONGEST_WORD = 80
"""Letters of the wrong word that are compared."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong in a policy: where (keys and indices from the root), what, and the nearest right word."""

    path: tuple[str | int, ...]
    message: str
    line: int | None = None

    @property
    def place(self) -> str:
        """The path as people write it: `stages[1].merge`."""
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self.path)
        return text.removeprefix(".") or "the file"


class PolicyError(Exception):
    """A policy that cannot be used, with every fault found."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("; ".join(f"{fault.place}: {fault.message}" for fault in faults))
        self.faults = faults


MORE = Fault((), f"has more than {MOST} faults")


def few(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """The first of them, and that there are more: no policy shall hold up who reads it, however wrong it is."""
    first = tuple(islice(faults, MOST + 1))
    return first if len(first) <= MOST else (*first[:MOST], MORE)


def told(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
    """Without what only follows from a fault further down, such as a list that is empty because its items are wrong."""
    return tuple(one for one in faults if not any(_is_below(other.path, one.path) for other in faults))


def _is_below(inner: tuple[str | int, ...], outer: tuple[str | int, ...]) -> bool:
    return len(inner) > len(outer) and inner[: len(outer)] == outer


PLAIN_WORDS = {
    "missing": "is missing",
    "tuple_type": "must be a list",
    "model_type": "must be a mapping of keys to values",
    "dict_type": "must be a mapping of keys to values",
    "string_type": "must be a text",
    "too_short": "must not be empty",
}
"""Pydantic's kinds of fault in the words of who writes YAML."""


def fault(detail: dict[str, typing.Any], root: type[BaseModel]) -> Fault:
    """One of pydantic's faults, in a model of that root."""
    path = tuple(part for part in detail["loc"] if part != "tuple[str, ...]")
    match detail["type"]:
        case "extra_forbidden":
            return Fault(path, f"unknown key{nearest(str(path[-1]), _keys_at(root, path[:-1]))}")
        case "literal_error":
            wanted = [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]
            return Fault(
                path,
                f"is {detail['input']!r}: write {detail['ctx']['expected']}{nearest(str(detail['input']), wanted)}",
            )
        case "string_pattern_mismatch":
            return Fault(path, f"is {detail['input']!r}: use lower case letters, digits and dashes, at most 40")
        case "value_error":
            return Fault(path, str(detail["ctx"]["error"]))
        case "too_long":
            return Fault(path, f"must have at most {detail['ctx']['max_length']} entries")
        case kind:
            return Fault(path, PLAIN_WORDS.get(kind, str(detail["msg"]).lower()))


def _keys_at(root: type[BaseModel], path: tuple[str | int, ...]) -> tuple[str, ...]:
    model = root
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_of(model.model_fields[part].annotation)
    return tuple(field.alias or name for name, field in model.model_fields.items())


def _model_of(annotation: object) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return BaseModel


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean X?`, or an empty text; of many known words, the first are tried."""
    found = difflib.get_close_matches(word[:LONGEST_WORD], list(islice(known, MOST_KNOWN)), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
