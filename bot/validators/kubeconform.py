"""`kubeconform`: rendered objects against the schemas of Kubernetes that the repository holds.

Program: kubeconform 0.7; its flags and its JSON: the repository yannh/kubeconform, Readme.md and pkg/output/json.go."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import Field, TypeAdapter

from bot.validators.base import Bench, Broken, Change, Part, Skipped, Told, Validator
from bot.validators.checking import (
    Answer,
    called,
    checked_out,
    joined,
    pieces,
    placed,
    ranked,
    read,
    rendered_parts,
    rendering_of,
    workplace,
)
from policies.findings import Finding, Severity
from policies.validating import Kubeconform

NAME = "kubeconform"
LAYOUTS = (
    "{{ .NormalizedKubernetesVersion }}-standalone{{ .StrictSuffix }}/{{ .ResourceKind }}{{ .KindSuffix }}.json",
    "{{ .Group }}/{{ .ResourceKind }}_{{ .ResourceAPIVersion }}.json",
)
"""Kubeconform's own layout, that of the repository kubernetes-json-schema, and that of catalogues of custom resources.

They are written out: a folder whose name ends in `json` would be taken for a file's, one in `http` for a host's."""
WRONG = {"statusInvalid", "statusError"}


class Fault(Answer):
    """One place at which an object does not fit its schema."""

    path: str = ""
    msg: str = ""


class Resource(Answer):
    """What kubeconform says of one object; objects that fit are not told."""

    kind: str = ""
    name: str = ""
    status: str
    msg: str = ""
    faults: tuple[Fault, ...] = Field(default=(), alias="validationErrors")


class Summary(Answer):
    """How many objects were looked at."""

    valid: int
    invalid: int
    errors: int
    skipped: int


class Output(Answer):
    """All of what kubeconform prints."""

    resources: tuple[Resource, ...]
    summary: Summary


OUTPUT = TypeAdapter(Output)


def parts(change: Change) -> Iterator[Part]:
    """The targets that are rendered, where policy names schemas or requires the check."""
    rules = change.rules.checks.kubeconform
    return rendered_parts(change, NAME, rules.schemas) if rules.schemas or rules.required else iter(())


def check(change: Change, part: Part, bench: Bench) -> Told:
    """An error for each place at which an object does not fit, and for each object without a schema."""
    rules = change.rules.checks.kubeconform
    if not rules.schemas:
        raise Skipped("policy names no folder of schemas, and none are fetched from a network")
    rendered = rendering_of(change, part, bench)
    apart = pieces(rendered.after or b"")
    if not apart or part.target is None:
        return Told(version=rendered.version)
    folder = workplace(bench)
    schemas = checked_out(change.before, placed(rules.schemas, part.target), folder / "schemas")
    ended = bench.launcher.run(_command(rules, folder, schemas), folder, given=joined(apart))
    output = read(OUTPUT, NAME, ended, (0, 1))
    _all_seen(output.summary, len(apart))
    findings = (*_findings(part.subject, output, str(folder)), *_passed_over(part.subject, output.summary))
    return Told(ranked(findings), version=bench.launcher.version(NAME) or "")


def _command(rules: Kubeconform, folder: Path, schemas: tuple[Path, ...]) -> list[str]:
    """Every folder in every layout; `-summary` tells how many objects it saw."""
    where = [f"{one.relative_to(folder)}/{layout}" for one in schemas for layout in LAYOUTS]
    command = [NAME, "-output", "json", "-summary", "-strict", "-kubernetes-version", rules.kubernetes]
    command += [word for one in where for word in ("-schema-location", one)]
    return [*command, "-ignore-missing-schemas", "-"] if rules.ignore_missing else [*command, "-"]


def _all_seen(summary: Summary, count: int) -> None:
    """Absent is not satisfied (S16): an object that was not looked at is not in order. A list counts as its items."""
    seen = summary.valid + summary.invalid + summary.errors + summary.skipped
    if seen < count:
        raise Broken(f"{NAME} looked at {seen} of {count} objects")


def _findings(path: str, output: Output, folder: str) -> Iterator[Finding]:
    for one in output.resources:
        if one.status not in WRONG:
            continue
        finding = partial(Finding, path=path, rule=_rule(one))
        name = called(one.kind, "", one.name)
        if not one.faults:
            yield finding(f"{name}: " + one.msg.replace(f"file://{folder}/", "").replace(f"{folder}/", ""))
        for fault in one.faults:
            yield finding(f"{name} at {fault.path or '/'}" + ("" if one.kind == "Secret" else f": {fault.msg}"))


def _rule(one: Resource) -> str:
    if "could not find schema" in one.msg:
        return "no-schema"
    return "schema" if one.status == "statusInvalid" else "unreadable"


def _passed_over(path: str, summary: Summary) -> Iterator[Finding]:
    if summary.skipped:
        said = "1 object has" if summary.skipped == 1 else f"{summary.skipped} objects have"
        yield Finding(f"{said} no schema and passed unseen", Severity.note, path, rule="no-schema")


VALIDATOR = Validator(NAME, "rendered objects fit the schemas of Kubernetes", parts, check, program=NAME, renders=True)
