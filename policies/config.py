"""What teams write in `towpath.yaml`: frozen, strict, with the nearest right word for every typo."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from policies import layout, rights, tags
from policies.faults import MORE, MOST, Fault, PolicyError, fault, few, nearest, told
from policies.rights import Permissions
from policies.validating import Validating

__all__ = ["Fault", "Policy", "PolicyError", "parse_policy"]

STAGE_NAME = r"^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$"
"""Stage names stand in branch names, labels and status names: lower case, digits and dashes, at most 40."""
MOST_STAGES = 200
LONGEST_PATH = 1000
LONGEST_RULE = 200


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
"""One string, or a list of them."""


class Strict(BaseModel):
    """What all parts of the policy are: frozen, and without a key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Services(Strict):
    """Where services are found: no list to maintain."""

    path: str = Field(
        max_length=LONGEST_PATH,
        description="Path template; `{service}` names the service, other names can be used in `where`.",
    )
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
        default=None,
        max_length=LONGEST_RULE,
        description="`semver RANGE` (such as `semver >=1.0`), or a pattern such as `release-*`.",
    )

    @field_validator("tags")
    @classmethod
    def _parses(cls, rule: str | None) -> str | None:
        if rule is not None:
            tags.check(rule)
        return rule


class Approvals(Strict):
    """Who must have approved a promotion before it merges."""

    codeowners: Literal["required", "ignored"] = Field(
        default="ignored",
        description="CODEOWNERS of the target branch: each file's owners must approve, or they are not asked.",
    )
    minimum: int = Field(default=0, ge=0, le=20, description="How many people must approve in all; owners count.")
    people: Several = Field(
        default=(),
        alias="from",
        description="Whose approvals count towards `minimum`: users and groups; none: everybody who may write.",
    )

    @field_validator("people")
    @classmethod
    def _are_names(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not re.fullmatch(r"@[A-Za-z0-9_][\w./-]*", name):
                raise ValueError(f"{name!r} is no user or group: write @name or @group/subgroup")
        return names

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if self.people and not self.minimum:
            raise ValueError("`from` counts towards `minimum`: say how many of them must approve")
        if self.codeowners != "required" and not self.minimum:
            raise ValueError("asks for nobody: write `codeowners: required` or `minimum: 1`, or leave `approvals` out")
        return self


class Rollback(Strict):
    """What a rollback into the stage needs, in place of what other promotions need there."""

    checks: Literal["required", "optional", "ignored"] | None = Field(
        default=None, description="The forge's pipeline of a rollback; left out: as for the stage."
    )
    approvals: Approvals | None = Field(
        default=None, description="Who must approve a rollback; left out: as for the stage; null: nobody."
    )


class Stage(Strict):
    """One step of the pipeline: an environment, or one ring of it."""

    name: str = Field(pattern=STAGE_NAME, description="Lower case, digits and dashes.")
    where: dict[str, Several] = Field(min_length=1, description="Which targets: captured name to value or values.")
    after: Several = Field(
        default=(),
        max_length=MOST_STAGES,
        description="The stages that a release must have reached before; none: first.",
    )
    source: Source = Field(default=Source(), description="First stages only: which published images enter.")
    merge: Literal["auto", "manual", "signed"] = Field(
        default="manual",
        description="Who merges when every gate passes: Towpath by the forge, a person, or Towpath, signing it.",
    )
    mode: Literal["observe", "propose", "enforce"] = Field(
        default="enforce", description="observe: open nothing; propose: open but never merge; enforce: all."
    )
    checks: Literal["required", "optional", "ignored"] = Field(
        default="required",
        description="The forge's pipeline: required (absent is not passed), optional (may be absent), or ignored.",
    )
    approvals: Approvals | None = Field(default=None, description="Who must approve; left out: nobody.")
    absent: Literal["block", "pass"] = Field(
        default="block", description="When an `after` stage has no target of the service: block, or look past it."
    )

    rollback: Rollback | None = Field(default=None, description="What rollbacks need; left out: as for the stage.")

    @property
    def in_rollback(self) -> "Stage":
        """The stage as a rollback is judged by it."""
        if self.rollback is None:
            return self
        said = {key: getattr(self.rollback, key) for key in self.rollback.model_fields_set}
        return self.model_copy(update=said if said.get("checks", "") is not None else {**said, "checks": self.checks})

    @property
    def merges_itself(self) -> bool:
        """Whether Towpath merges when every gate passes."""
        return self.merge != "manual" and self.mode == "enforce"

    @property
    def signs(self) -> bool:
        """Whether Towpath merges by a commit of its own that carries its signature."""
        return self.merge == "signed" and self.merges_itself


class Policy(Strict):
    """The whole of `towpath.yaml`."""

    version: Literal[1]
    services: Services
    stages: tuple[Stage, ...] = Field(min_length=1, max_length=MOST_STAGES)
    permissions: Permissions = Field(default=Permissions(), description="Who may command what, by right and stage.")
    validation: Validating = Field(default=Validating(), description="Which validators look at what changes.")

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        faults = chain(
            _repeated(self.stages),
            _unknown_captures(self),
            _bad_after(self.stages),
            _late_source(self.stages),
            rights.faults(self.permissions, (stage.name for stage in self.stages)),
            _unknown_in_templates(self),
        )
        if found := few(faults):
            raise PolicyError(found)
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


def _repeated(stages: tuple[Stage, ...]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, stage in enumerate(stages):
        if stage.name in seen:
            yield Fault(("stages", index, "name"), f"a second stage is named {stage.name}")
        seen.add(stage.name)


def _unknown_captures(policy: "Policy") -> Iterator[Fault]:
    known = layout.names(policy.services.path)
    return (
        Fault(("stages", index, "where", key), f"services.path has no {{{key}}}{nearest(key, known)}")
        for index, stage in enumerate(policy.stages)
        for key in stage.where
        if key not in known
    )


def _unknown_in_templates(policy: "Policy") -> Iterator[Fault]:
    known, checks = layout.names(policy.services.path), policy.validation.checks
    templates: dict[tuple[str | int, ...], str | None] = {
        ("schema", "file"): checks.values_schema.file,
        ("helm", "chart"): checks.helm.chart,
        ("helm", "release"): checks.helm.release if checks.helm.chart else None,
        ("helm", "namespace"): checks.helm.namespace if checks.helm.chart else None,
        ("kustomize", "folder"): checks.kustomize.folder,
        **{("helm", "values", index): path for index, path in enumerate(checks.helm.values)},
    }
    return (
        Fault(("validation", "checks", *place), f"services.path has no {{{name}}}{nearest(name, known)}")
        for place, template in templates.items()
        for name in layout.names(template or "")
        if name not in known
    )


def _bad_after(stages: tuple[Stage, ...]) -> Iterator[Fault]:
    names = [stage.name for stage in stages]
    unknown = (
        Fault(("stages", index, "after"), f"there is no stage {name}{nearest(name, names)}")
        for index, stage in enumerate(stages)
        for name in stage.after
        if name not in names
    )
    first = next(unknown, None)
    return iter(_circles(stages)) if first is None else chain((first,), unknown)


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


def _late_source(stages: tuple[Stage, ...]) -> Iterator[Fault]:
    return (
        Fault(("stages", index, "source"), "only a first stage (one without `after`) has a source")
        for index, stage in enumerate(stages)
        if stage.after and "source" in stage.model_fields_set
    )


def parse_policy(value: object) -> Policy:
    """The policy that a parsed `towpath.yaml` states; PolicyError with every fault, of many the first."""
    try:
        return Policy.model_validate(value)
    except ValidationError as error:
        details = error.errors(include_url=False)
        found = told(tuple(fault(dict(detail), Policy) for detail in details[:MOST]))
        raise PolicyError((*found, MORE) if len(details) > MOST else found) from error
