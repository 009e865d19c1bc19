"""What teams write in `towpath.yaml`: frozen, strict, with the nearest right word for every typo."""

import difflib
import typing
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from policies import layout, tags

STAGE_NAME = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""Stage names stand in branch names, labels and status names: lower case, digits and dashes, at most 40."""


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


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One string, or a list of them."""


class Strict(BaseModel):
    """What all parts of the policy are: frozen, and without a key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Services(Strict):
    """Where services are found: no list to maintain."""

    path: str = Field(description="Path template; `{service}` names the service, other names can be used in `where`.")
    format: Literal["helm-values"] = Field(default="helm-values", description="How the files pin images.")
    registries: tuple[str, ...] = Field(
        default=(), description="Only images whose repository starts with one of these are promoted; empty: all."
    )
    images: Literal["together", "apart"] = Field(
        default="together",
        description="A service of several images enters the first stage when all carry one source revision, or apart.",
    )

    @field_validator("path")
    @classmethod
    def _names_the_service(cls, path: str) -> str:
        if "service" not in layout.names(path):
            raise ValueError("must contain {service}, such as environments/{environment}/{service}/values.yaml")
        if path.startswith("/") or ".." in path.split("/"):
            raise ValueError("must be relative to the repository's root, without '..'")
        layout.check(path)
        return path


class Source(Strict):
    """Which published images may enter a first stage."""

    tags: str | None = Field(
        default=None, description="`semver RANGE` (such as `semver >=1.0`), or a pattern such as `release-*`."
    )

    @field_validator("tags")
    @classmethod
    def _parses(cls, rule: str | None) -> str | None:
        if rule is not None:
            tags.check(rule)
        return rule


class Stage(Strict):
    """One step of the pipeline: an environment, or one ring of it."""

    name: str = Field(pattern=STAGE_NAME, description="Lower case, digits and dashes.")
    where: dict[str, Several] = Field(min_length=1, description="Which targets: captured name to value or values.")
    after: Several = Field(default=(), description="The stages that a release must have reached before; none: first.")
    source: Source = Field(default=Source(), description="First stages only: which published images enter.")
    merge: Literal["auto", "manual"] = Field(default="manual", description="Who merges when every gate passes.")
    mode: Literal["observe", "propose", "enforce"] = Field(
        default="enforce", description="observe: open nothing; propose: open but never merge; enforce: all."
    )
    checks: Literal["required", "optional", "ignored"] = Field(
        default="required",
        description="The forge's pipeline: required (absent is not passed), optional (may be absent), or ignored.",
    )
    absent: Literal["block", "pass"] = Field(
        default="block", description="When an `after` stage has no target of the service: block, or look past it."
    )


class Policy(Strict):
    """The whole of `towpath.yaml`."""

    version: Literal[1]
    services: Services
    stages: tuple[Stage, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = [
            *_repeated(self.stages),
            *_unknown_captures(self),
            *_bad_after(self.stages),
            *_late_source(self.stages),
        ]
        if faults:
            raise PolicyError(tuple(faults))
        return self

    def stage(self, name: str) -> Stage:
        """The stage of that name; KeyError where there is none."""
        return {stage.name: stage for stage in self.stages}[name]

    def ordered(self) -> tuple[Stage, ...]:
        """The stages, each after all that it comes after; otherwise in the order written."""
        done: list[Stage] = []
        names: set[str] = set()
        waiting = list(self.stages)
        while waiting:
            ready = next(stage for stage in waiting if names.issuperset(stage.after))
            waiting.remove(ready)
            done.append(ready)
            names.add(ready.name)
        return tuple(done)


def _repeated(stages: tuple[Stage, ...]) -> list[Fault]:
    names = [stage.name for stage in stages]
    return [
        Fault(("stages", index, "name"), f"a second stage is named {name}")
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def _unknown_captures(policy: "Policy") -> list[Fault]:
    known = layout.names(policy.services.path)
    return [
        Fault(("stages", index, "where", key), f"services.path has no {{{key}}}{_nearest(key, known)}")
        for index, stage in enumerate(policy.stages)
        for key in stage.where
        if key not in known
    ]


def _bad_after(stages: tuple[Stage, ...]) -> list[Fault]:
    names = [stage.name for stage in stages]
    unknown = [
        Fault(("stages", index, "after"), f"there is no stage {name}{_nearest(name, names)}")
        for index, stage in enumerate(stages)
        for name in stage.after
        if name not in names
    ]
    return unknown or _circles(stages)


def _circles(stages: tuple[Stage, ...]) -> list[Fault]:
    after = {stage.name: set(stage.after) for stage in stages}
    # What nothing left comes after is in no circle, only behind one.
    while free := [
        name
        for name, earlier in after.items()
        if not earlier & after.keys() or not any(name in others for others in after.values())
    ]:
        for name in free:
            del after[name]
    return [
        Fault(("stages", index, "after"), f"{stage.name} comes after itself, through {', '.join(sorted(after))}")
        for index, stage in enumerate(stages)
        if stage.name in after
    ]


def _late_source(stages: tuple[Stage, ...]) -> list[Fault]:
    return [
        Fault(("stages", index, "source"), "only a first stage (one without `after`) has a source")
        for index, stage in enumerate(stages)
        if stage.after and "source" in stage.model_fields_set
    ]


def parse_policy(value: object) -> Policy:
    """The policy that a parsed `towpath.yaml` states; PolicyError with every fault where it states none."""
    try:
        return Policy.model_validate(value)
    except ValidationError as error:
        raise PolicyError(_told(tuple(_fault(dict(detail)) for detail in error.errors()))) from error


def _told(faults: tuple[Fault, ...]) -> tuple[Fault, ...]:
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


def _fault(detail: dict[str, typing.Any]) -> Fault:
    path = tuple(part for part in detail["loc"] if part != "tuple[str, ...]")
    match detail["type"]:
        case "extra_forbidden":
            return Fault(path, f"unknown key{_nearest(str(path[-1]), _keys_at(path[:-1]))}")
        case "literal_error":
            wanted = [word.strip("' ") for word in detail["ctx"]["expected"].replace(" or ", ",").split(",")]
            return Fault(
                path,
                f"is {detail['input']!r}: write {detail['ctx']['expected']}{_nearest(str(detail['input']), wanted)}",
            )
        case "string_pattern_mismatch":
            return Fault(path, f"is {detail['input']!r}: use lower case letters, digits and dashes, at most 40")
        case "value_error":
            return Fault(path, str(detail["ctx"]["error"]))
        case kind:
            return Fault(path, PLAIN_WORDS.get(kind, str(detail["msg"]).lower()))


def _keys_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    model: type[BaseModel] = Policy
    for part in path:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_of(model.model_fields[part].annotation)
    return tuple(model.model_fields)


def _model_of(annotation: object) -> type[BaseModel]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in typing.get_args(annotation):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return Strict


def _nearest(word: str, known: typing.Iterable[str]) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""
