"""What validators said of a merge request, read from memory; and the asking where they have not looked yet."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bot.validators import Change, Validator, jobs, key_of
from policies.findings import VALIDATION, Validation

KEPT = 7 * 24 * 3600
"""Seconds for which a result is kept; it is content-addressed, so it never grows wrong."""
BROKEN_KEPT = 600
"""Seconds after which what came to no end, or what somebody outside said no to, is looked at again by itself."""
ASKED = 60
"""Seconds after which validators that were asked are asked again."""
TOOLS = "validators:versions"
"""Where memory keeps which programs, in which versions, the validators' machine has."""


class Texts(Protocol):
    """What is kept for a while under a key; see `bot.memory.Memory`."""

    def get(self, key: str) -> str | None:
        """What is kept, or None."""
        ...

    def set(self, key: str, value: str, seconds: int) -> None:
        """Keep a text for so many seconds."""
        ...

    def delete(self, key: str) -> None:
        """Forget a key."""
        ...


def _nobody(_: tuple[str, ...]) -> None:
    return


@dataclass(frozen=True)
class Validating:
    """Which validators there are, and how the process that runs them is woken."""

    validators: tuple[Validator, ...] = ()
    ask: Callable[[tuple[str, ...]], None] = field(default=_nobody)
    """Takes the work that is to be done: (`validate`, forge, repository, iid)."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the validation of a change."""

    validation: Validation | None
    """None where validators have not looked at this very content yet."""
    unasked: str = ""
    """The key of what they are to look at, for the first time or again, where they were not asked a moment ago."""


def known(memory: Texts, validators: tuple[Validator, ...], change: Change) -> Known:
    """What memory holds; validators that have nothing to look at have found nothing."""
    versions = tools(memory)
    wanted = jobs(change, validators, versions or {})
    if not wanted:
        return Known(Validation(""))
    key = key_of(wanted)
    raw = memory.get(result_key(key)) if versions is not None else None
    if raw is None:
        return Known(None, key if memory.get(asked_key(key)) is None else "")
    found = VALIDATION.validate_json(raw)
    stale = (not found.lasts and memory.get(fresh_key(key)) is None) or memory.get(again_key(key)) is not None
    return Known(found, key if stale and memory.get(asked_key(key)) is None else "")


def tools(memory: Texts) -> Mapping[str, str] | None:
    """Program to version, as the validators' machine has them; None where none has said so yet."""
    raw = memory.get(TOOLS)
    return None if raw is None else {str(name): str(version) for name, version in json.loads(raw).items()}


def result_key(key: str) -> str:
    """Where memory keeps the result of a validation."""
    return f"validation:{key}"


def keep(memory: Texts, found: Validation) -> None:
    """Keep a result, and for how long it is not to be looked at again."""
    memory.set(result_key(found.key), VALIDATION.dump_json(found).decode(), KEPT)
    memory.set(fresh_key(found.key), "1", BROKEN_KEPT)
    if memory.get(again_key(found.key)) == _BEGUN:  # else somebody wants it again since this look began
        memory.delete(again_key(found.key))


def fresh_key(key: str) -> str:
    """Where memory keeps that a result is young."""
    return f"validated:{key}"


def part_key(key: str) -> str:
    """Where memory keeps what one validator said of one part."""
    return f"checked:{key}"


def asked_key(key: str) -> str:
    """Where memory keeps that validators were asked."""
    return f"validating:{key}"


def again_key(key: str) -> str:
    """Where memory keeps that somebody wants it looked at again, whatever was found before."""
    return f"validate-again:{key}"


_WANTED, _BEGUN = "wanted", "begun"


def look_again(memory: Texts, key: str) -> None:
    """Have all of it looked at again; until then what was found stands."""
    if key:
        memory.set(again_key(key), _WANTED, KEPT)
        memory.delete(asked_key(key))


def begin(memory: Texts, key: str, parts: Iterable[str]) -> None:
    """Begin a look: where somebody wants all of it anew, what is kept of its parts is forgotten, once.

    A second try of the same look goes on with what the first has found."""
    if memory.get(again_key(key)) == _WANTED:
        for part in parts:
            memory.delete(part_key(part))
        memory.set(again_key(key), _BEGUN, KEPT)


def ask(memory: Texts, validating: Validating, work: tuple[str, ...], key: str) -> None:
    """Wake the validators for a merge request, unless they were asked for the same a moment ago."""
    if memory.get(asked_key(key)) is None:
        validating.ask(work)
        memory.set(asked_key(key), "1", ASKED)
