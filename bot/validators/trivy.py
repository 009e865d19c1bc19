"""`trivy`: misconfigurations in the rendered objects; what stood there before is noted, what the change brings counts.

Program: trivy 0.75, with the checks that it carries; none are fetched. Its flags: the page `trivy config` of its
handbook; its JSON: the repository aquasecurity/trivy, integration/testdata/helm_testchart.json.golden."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from pydantic import Field, TypeAdapter

from bot.validators.base import Bench, Change, Part, Told, Validator
from bot.validators.checking import (
    Answer,
    pieces,
    ranked,
    read,
    rendered_parts,
    rendering_of,
    workplace,
    written,
)
from policies.findings import Finding, Severity

NAME = "trivy"
OBJECTS = "objects"


class Misconfiguration(Answer):
    """One check that an object fails."""

    id: str = Field(alias="ID")
    message: str = Field(default="", alias="Message")
    title: str = Field(default="", alias="Title")
    severity: str = Field(alias="Severity")
    status: str = Field(default="FAIL", alias="Status")


class Result(Answer):
    """What trivy says of one file."""

    target: str = Field(alias="Target")
    found: tuple[Misconfiguration, ...] = Field(default=(), alias="Misconfigurations")


class Output(Answer):
    """All of what trivy prints; where it recognises no file there are no results."""

    schema_version: int = Field(alias="SchemaVersion")
    results: tuple[Result, ...] = Field(default=(), alias="Results")


OUTPUT = TypeAdapter(Output)


class Known(NamedTuple):
    """One check that one object fails."""

    name: str
    found: Misconfiguration


def parts(change: Change) -> Iterator[Part]:
    """The targets that are rendered, or all of them where policy requires the check."""
    return rendered_parts(change, NAME)


def check(change: Change, part: Part, bench: Bench) -> Told:
    """An error for each misconfiguration of the severities that policy names, unless it stood there before."""
    rendered = rendering_of(change, part, bench)
    severities = change.rules.checks.trivy.severities
    after = _scanned(bench, severities, rendered.after)
    stood = frozenset(_scanned(bench, severities, rendered.before)[0]) if after[0] else frozenset()
    findings = (*_findings(part.subject, *after, stood),)
    return Told(ranked(findings), version=bench.launcher.version(NAME) or "")


def _findings(
    path: str, found: tuple[Known, ...], missed: tuple[str, ...], stood: frozenset[Known]
) -> Iterator[Finding]:
    for one in found:
        message = f"{one.name}: {one.found.severity}: {one.found.message or one.found.title}"
        yield Finding(message, Severity.note if one in stood else Severity.error, path, rule=one.found.id)
    for name in missed:  # absent is not satisfied (S16), but trivy may leave out a file in which nothing can be wrong
        yield Finding(f"{name}: {NAME} did not look at it", Severity.warning, path, rule="not-looked-at")


def _scanned(bench: Bench, severities: tuple[str, ...], raw: bytes | None) -> tuple[tuple[Known, ...], tuple[str, ...]]:
    """What trivy finds in one rendering, and at which objects it did not look.

    Its settings are read from the folder it runs in, where there are none."""
    apart = pieces(raw or b"")
    if not apart:
        return (), ()
    folder = workplace(bench)
    names = written(apart, folder / OBJECTS)
    ended = bench.launcher.run(_command(severities), folder)
    results = read(OUTPUT, NAME, ended, (0,)).results
    looked_at = {PurePosixPath(result.target).name for result in results}
    missed = tuple(name for file, name in names.items() if file not in looked_at)
    return tuple(_found(results, names, severities)), missed


def _command(severities: tuple[str, ...]) -> list[str]:
    command = [NAME, "config", "--format", "json", "--quiet", "--skip-check-update", "--cache-dir", "cache"]
    return [*command, "--misconfig-scanners", "kubernetes", "--severity", ",".join(severities), OBJECTS]


def _found(results: tuple[Result, ...], names: Mapping[str, str], severities: tuple[str, ...]) -> Iterator[Known]:
    for result in results:
        name = names.get(PurePosixPath(result.target).name, result.target)
        for one in result.found:
            if one.status == "FAIL" and one.severity in severities:
                yield Known(name, one)


VALIDATOR = Validator(NAME, "no new misconfiguration", parts, check, program=NAME, renders=True)
