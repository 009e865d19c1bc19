"""`permissions` of `towpath.yaml`: which right belongs to whom, by stage and service, and what is wrong with it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from policies.faults import Fault, nearest

DEVELOPERS, MAINTAINERS, ADMINS, OWNERS = "@@developers", "@@maintainers", "@@admins", "@@owners"
ROLES = (DEVELOPERS, MAINTAINERS, ADMINS, OWNERS)
"""Names of no person or group: what the forge lets somebody do in the repository, and who owns the files."""

BOTH = {"unhold": "hold", "unfreeze": "freeze", "unquarantine": "quarantine"}
"""A right that is worth nothing without another one: releasing needs what holding needs (S20)."""

_NAME = re.compile(r"@[A-Za-z0-9_][\w./-]*", re.ASCII)
_STAGE = re.compile(r"[a-z0-9*-]+")
_SERVICE = re.compile(r"[^/\s]+")


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Holders = dict[str, Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]]
"""`STAGE` or `STAGE/SERVICE`, with `*` for any text, to names; of several that fit, the first counts."""


def _right(what: str) -> Holders:
    return Field(default_factory=dict, description=f"Who may {what}: STAGE or STAGE/SERVICE (with `*`) to names.")


class Permissions(BaseModel):
    """Who may command what; where nothing is written for a stage, a safe default counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    promote: Holders = _right("ask for a release in a stage")
    hold: Holders = _right("pause a merge request, a service or a stage")
    unhold: Holders = _right("end a hold; whoever does needs `hold` too")
    rollback: Holders = _right("move a stage back to an earlier release")
    merge: Holders = _right("have a promotion merged once its gates pass")
    refresh: Holders = _right("have a merge request made anew")
    retry: Holders = _right("have a refused merge or validation tried again")
    status: Holders = _right("ask how things stand, and why")
    skip: Holders = _right("pass over a soak, a window or a health gate, with a second person")
    override: Holders = _right("pass over another gate, with a second person")
    quarantine: Holders = _right("forbid a release")
    unquarantine: Holders = _right("allow it again; whoever does needs `quarantine` too")
    freeze: Holders = _right("close a stage until a time")
    unfreeze: Holders = _right("open it again; whoever does needs `freeze` too")

    def holders(self, right: str, stage: str, service: str | None) -> tuple[tuple[str, ...], ...]:
        """The names of the first key that fits; for every service at once (None), those of each that may be the first.

        A user must be among the names of each."""
        written: Mapping[str, tuple[str, ...]] = getattr(self, right)
        found = []
        for key, names in written.items():
            of_stage, _, of_service = key.partition("/")
            if not _fits(of_stage, stage) or not (service is None or _fits(of_service or "*", service)):
                continue
            found.append(names)
            if service is not None or of_service in ("", "*"):
                return tuple(found)
        return (*found, default(right))


RIGHTS = tuple(Permissions.model_fields)
"""Every right by its name."""


def default(right: str) -> tuple[str, ...]:
    """Who has a right where nothing is written."""
    return (DEVELOPERS,) if right in {"hold", "status", "refresh", "retry"} else (MAINTAINERS,)


def _fits(pattern: str, name: str) -> bool:
    """Whether a name fits; each text between two `*` is taken where it stands first, so nothing is ever tried again.

    A regular expression for the same takes years for a pattern of many `*` that somebody made up to fit almost."""
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    *between, last = others
    if not name.startswith(first):
        return False
    at = len(first)
    for text in between:
        found = name.find(text, at)
        if found < 0:
            return False
        at = found + len(text)
    return name.endswith(last) and at + len(last) <= len(name)


def faults(permissions: Permissions, stages: Iterable[str]) -> Iterator[Fault]:
    """Keys that name no stage, and names that nobody can have."""
    known = tuple(stages)
    for right in RIGHTS:
        for key, names in getattr(permissions, right).items():
            path = ("permissions", right, key)
            if wrong := _key_fault(key, known):
                yield Fault(path, wrong)
            for index, name in enumerate(names):
                if wrong := _name_fault(name):
                    yield Fault((*path, index), wrong)


def _key_fault(key: str, stages: tuple[str, ...]) -> str:
    stage, slash, service = key.partition("/")
    if not _STAGE.fullmatch(stage) or (slash and not _SERVICE.fullmatch(service)):
        return "is no stage: write STAGE or STAGE/SERVICE, with * for any text"
    if not any(_fits(stage, one) for one in stages):
        return f"there is no stage {stage}{nearest(stage, stages)}"
    return ""


def _name_fault(name: str) -> str:
    if name in ROLES or _NAME.fullmatch(name):
        return ""
    return f"{name!r} is nobody: write @user, @group/subgroup or a role such as {MAINTAINERS}{nearest(name, ROLES)}"
