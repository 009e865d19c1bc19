"""`conftest`: rendered objects against Rego policies of the target branch.

Program: conftest 0.66; its flags and its JSON: the repository open-policy-agent/conftest, docs and output/result.go."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter

from bot.validators.base import Bench, Broken, Change, Part, Skipped, Told, Validator
from bot.validators.checking import (
    Answer,
    checked_out,
    failed,
    pieces,
    placed,
    ranked,
    read,
    rendered_parts,
    rendering_of,
    workplace,
    written,
)
from policies.findings import Finding, Severity

NAME = "conftest"
OBJECTS = "objects"


class Said(Answer):
    """One message of a rule."""

    msg: str = ""


class Result(Answer):
    """What the rules of one namespace say of one file."""

    filename: str
    namespace: str = ""
    failures: tuple[Said, ...] = ()
    warnings: tuple[Said, ...] = ()
    exceptions: tuple[Said, ...] = ()


OUTPUT = TypeAdapter(tuple[Result, ...])


def parts(change: Change) -> Iterator[Part]:
    """The targets that are rendered, where policy names Rego or requires the check."""
    rules = change.rules.checks.conftest
    return rendered_parts(change, NAME, rules.policy) if rules.policy or rules.required else iter(())


def check(change: Change, part: Part, bench: Bench) -> Told:
    """`deny` and `violation` are errors, `warn` warnings, and what an `exception` lets pass is noted."""
    rules = change.rules.checks.conftest
    if not rules.policy:
        raise Skipped("policy names no folder of Rego")
    rendered = rendering_of(change, part, bench)
    apart = pieces(rendered.after or b"")
    if not apart or part.target is None:
        return Told(version=rendered.version)
    folder = workplace(bench)
    policies = checked_out(change.before, placed(rules.policy, part.target), folder / "policy")
    names = written(apart, folder / OBJECTS)
    ended = bench.launcher.run(_command(folder, policies), folder)
    results = read(OUTPUT, NAME, ended, (0, 1))
    if ended.code == 1 and not any(result.failures for result in results):
        raise failed(NAME, ended)
    findings = tuple(_findings(part.subject, results, names))
    return Told(ranked(findings), version=bench.launcher.version(NAME) or "")


def _command(folder: Path, policies: tuple[Path, ...]) -> list[str]:
    """All namespaces: rules that stand outside of `main` would never be asked, and nobody would notice."""
    command = [NAME, "test", "--output", "json", "--no-color", "--all-namespaces", "--parser", "yaml"]
    return [*command, *(f"--policy={one.relative_to(folder)}" for one in policies), OBJECTS]


def _findings(path: str, results: tuple[Result, ...], names: Mapping[str, str]) -> Iterator[Finding]:
    files = [PurePosixPath(result.filename).name for result in results]
    if not names.keys() <= set(files):  # absent is not satisfied (S16)
        raise Broken(f"{NAME} looked at {len(set(files) & names.keys())} of {len(names)} objects")
    for file, result in zip(files, results, strict=True):
        finding = partial(Finding, path=path, rule=result.namespace)
        for severity, messages in _by_severity(result):
            for message in messages:
                yield finding(f"{names.get(file, file)}: {message.msg or 'denied'}", severity)


def _by_severity(result: Result) -> Iterator[tuple[Severity, tuple[Said, ...]]]:
    yield Severity.error, result.failures
    yield Severity.warning, result.warnings
    yield Severity.note, result.exceptions


VALIDATOR = Validator(NAME, "rendered objects obey the Rego policies", parts, check, program=NAME, renders=True)
