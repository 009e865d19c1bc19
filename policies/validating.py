"""The part `validation` of `towpath.yaml`: which validators run, what each needs to know, what their word counts."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from policies import layout

RENDERERS = ("helm", "kustomize")
"""Validators whose output is what the cluster gets, of which at most one renders a target."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _inside(path: str) -> str:
    """A relative path that stays in the repository (S9); it may name captures of `services.path`."""
    parts = path.rstrip("/").split("/")
    if path.startswith(("/", "-")) or any(part in {"", ".", "..", ".git"} for part in parts):
        raise ValueError("must be relative to the repository's root, without '.' or '..'")
    if "{" in layout.CAPTURE.sub("", path):
        raise ValueError("holds a '{' that is no {name} of services.path")
    return path.rstrip("/")


def _plain(text: str) -> str:
    """A word that no program takes for an option."""
    if text.startswith("-") or not text.isprintable():
        raise ValueError("must be printable and not begin with '-'")
    return text


Inside = Annotated[str, AfterValidator(_inside)]
Insides = Annotated[tuple[Inside, ...], BeforeValidator(_as_tuple)]
Word = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
Words = Annotated[tuple[Word, ...], BeforeValidator(_as_tuple)]


class Strict(BaseModel):
    """Frozen, and without a key that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Check(Strict):
    """What can be said of every validator."""

    run: bool = Field(default=True, description="Whether it runs at all.")
    required: bool = Field(default=False, description="Whether it blocks when it cannot run (its program is absent).")
    severity: Literal["error", "warning", "note"] = Field(
        default="error", description="The most that its findings count: only an error blocks."
    )


class Platforms(Check):
    """`image`: the digest exists in its registry, and is built for these platforms."""

    platforms: Words = Field(default=(), description="Such as linux/amd64; none: those of the image it replaces.")


class Schema(Check):
    """`schema`: values against a JSON Schema."""

    file: Inside | None = Field(
        default=None, description="The schema; `{name}` stands for a capture. Left out: helm's chart's own."
    )


class Parity(Check):
    """`parity`: what else differs between the files of the stage before and of this one."""

    severity: Literal["error", "warning", "note"] = Field(
        default="note", description="The most that its findings count: only an error blocks."
    )
    differ: Words = Field(
        default=(),
        description="Keys that may differ, such as `replicas`, `ingress.*` (one level), `env.**` (all below).",
    )


class Helm(Check):
    """`helm`: `helm template` before and after."""

    chart: Inside | None = Field(default=None, description="The chart's folder; `{name}` stands for a capture.")
    values: Insides = Field(default=(), description="Values files below the target's own, the weakest first.")
    release: Word = Field(default="{service}", description="The release's name.")
    namespace: Word = Field(default="{service}", description="Its namespace.")


class Kustomize(Check):
    """`kustomize`: `kustomize build` before and after."""

    folder: Inside | None = Field(default=None, description="The folder to build; `{name}` stands for a capture.")


class Kubeconform(Check):
    """`kubeconform`: rendered objects against the schemas of Kubernetes."""

    schemas: Insides = Field(default=(), description="Folders of JSON Schemas, in kubeconform's own layout.")
    kubernetes: Word = Field(default="master", description="The version, such as 1.31.0.")
    ignore_missing: bool = Field(default=False, description="Whether a kind without a schema passes.")


class Conftest(Check):
    """`conftest`: rendered objects against Rego policies."""

    policy: Insides = Field(default=(), description="Folders of Rego, read from the target branch.")


class Kyverno(Check):
    """`kyverno`: rendered objects against Kyverno policies."""

    policies: Insides = Field(default=(), description="Files or folders of policies, read from the target branch.")


class Trivy(Check):
    """`trivy`: misconfigurations in the rendered objects."""

    severities: Annotated[tuple[Literal["LOW", "MEDIUM", "HIGH", "CRITICAL"], ...], BeforeValidator(_as_tuple)] = Field(
        default=("HIGH", "CRITICAL"), description="Which of trivy's severities are told."
    )


class Cosign(Check):
    """`cosign`: who signed the digest, by a key or by an identity, and what its provenance says."""

    key: Inside | None = Field(default=None, description="The public key's file, read from the target branch.")
    identity: Word | None = Field(default=None, description="The signer's identity, or a pattern written /…/.")
    issuer: Word | None = Field(default=None, description="Who vouches for the identity, a URL.")
    provenance: bool = Field(default=False, description="Whether an SLSA provenance by the same signer is needed too.")

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if (self.identity is None) != (self.issuer is None):
            raise ValueError("`identity` and `issuer` go together")
        if self.key is not None and self.identity is not None:
            raise ValueError("a `key` or an `identity`, not both")
        return self

    @property
    def is_told_whose(self) -> bool:
        """Whether policy says whose signature counts."""
        return self.key is not None or self.identity is not None


class Checks(Strict):
    """Each validator by its name; what is left out runs as it is."""

    wellformed: Check = Field(default=Check(), description="YAML that parses, without duplicate keys.")
    pinned: Check = Field(default=Check(), description="Images pinned by digest, and no tag `latest`.")
    registries: Check = Field(default=Check(), description="Images from `services.registries` alone.")
    image: Platforms = Field(default=Platforms(), description="The digest exists, for the platforms wanted.")
    # Not `schema`: pydantic's models have a method of that name.
    values_schema: Schema = Field(default=Schema(), alias="schema", description="Values against a JSON Schema.")
    secrets: Check = Field(default=Check(), description="No secret in plain text in what changes.")
    parity: Parity = Field(default=Parity(), description="What else differs from the stage before.")
    helm: Helm = Field(default=Helm(), description="Rendered by helm, before and after.")
    kustomize: Kustomize = Field(default=Kustomize(), description="Built by kustomize, before and after.")
    kubeconform: Kubeconform = Field(default=Kubeconform(), description="Against the schemas of Kubernetes.")
    conftest: Conftest = Field(default=Conftest(), description="Against Rego policies.")
    kyverno: Kyverno = Field(default=Kyverno(), description="Against Kyverno policies.")
    trivy: Trivy = Field(default=Trivy(), description="For misconfigurations.")
    cosign: Cosign = Field(default=Cosign(), description="Signed by whom policy says.")

    @staticmethod
    def names() -> tuple[str, ...]:
        """The names of Towpath's own validators, the outside programs among them."""
        return tuple("schema" if name == "values_schema" else name for name in Checks.model_fields)

    def of(self, name: str) -> Check:
        """What is said of the validator of that name."""
        found: Check = getattr(self, "values_schema" if name == "schema" else name)
        return found


COMMAND = r"^[a-z][a-z0-9-]{0,39}$"


class Validating(Strict):
    """Which validators look at a change, and what their word counts."""

    mode: Literal["enforce", "report", "off"] = Field(
        default="enforce", description="enforce: errors block; report: they are only told; off: nothing is validated."
    )
    checks: Checks = Field(default=Checks(), description="What is said of each validator, by its name.")
    commands: dict[Annotated[str, Field(pattern=COMMAND)], Check] = Field(
        default={}, description="The same for the operator's own validators, by their names."
    )

    @model_validator(mode="after")
    def _renders_one_way(self) -> Self:
        if self.checks.helm.chart is not None and self.checks.kustomize.folder is not None:
            raise ValueError("checks.helm.chart or checks.kustomize.folder, not both: a target is rendered one way")
        return self

    def of(self, name: str) -> Check:
        """What is said of the validator of that name; the operator's own too."""
        return self.commands.get(name, Check()) if name not in BUILT_IN else self.checks.of(name)


BUILT_IN = frozenset(Checks.names())


def filled(template: str, names: dict[str, str]) -> str:
    """A template with what the target's path captured; a name that it did not capture stays as written."""
    return re.sub(layout.CAPTURE, lambda found: names.get(found[1], found[0]), template)
