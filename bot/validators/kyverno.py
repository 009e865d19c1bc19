"""`kyverno`: rendered objects against Kyverno policies of the target branch, without a cluster.

Program: the command line of Kyverno 1.18; its flags and its report: the repository kyverno/kyverno, folder
cmd/cli/kubectl-kyverno/commands/apply; the report's fields: openreports.io/v1alpha1."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bot.validators.base import Bench, Broken, Change, Part, Skipped, Told, Validator
from bot.validators.checking import (
    Answer,
    called,
    checked_out,
    failed,
    joined,
    pieces,
    placed,
    ranked,
    rendered_parts,
    rendering_of,
    workplace,
)
from bot.validators.launching import Ended
from policies.findings import Finding, Severity

NAME = "kyverno"
RENDERED = "rendered.yaml"
NOT_APPLIED = {
    "Policies Skipped (as required variables are not provided by the user):": Severity.warning,
    "Invalid Policies:": Severity.error,
}
"""Headings of the lists of policies that were not asked: what needs a cluster's values cannot be asked here; what is no
policy is mended on the target branch."""
_ENTRY = re.compile(r"\d+\. (.+)")


class Resource(Answer):
    """The object that a result is about."""

    kind: str = ""
    name: str = ""
    namespace: str = ""


class Result(Answer):
    """What one rule says of one object: `pass`, `fail`, `warn`, `error` or `skip`."""

    policy: str
    rule: str = ""
    result: str
    message: str = ""
    resources: tuple[Resource, ...] = ()


class Report(Answer):
    """One report; cluster-wide policies share one, each other policy has its own."""

    results: tuple[Result, ...] = ()


OUTPUT = TypeAdapter(Report)


def parts(change: Change) -> Iterator[Part]:
    """The targets that are rendered, where policy names Kyverno's policies or requires the check."""
    rules = change.rules.checks.kyverno
    return rendered_parts(change, NAME, rules.policies) if rules.policies or rules.required else iter(())


def check(change: Change, part: Part, bench: Bench) -> Told:
    """What fails is an error; what fails under a policy that only audits is a warning, as in the cluster."""
    rules = change.rules.checks.kyverno
    if not rules.policies:
        raise Skipped("policy names no policies of Kyverno")
    rendered = rendering_of(change, part, bench)
    apart = pieces(rendered.after or b"")
    if not apart or part.target is None:
        return Told(version=rendered.version)
    folder = workplace(bench)
    policies = checked_out(change.before, placed(rules.policies, part.target), folder / "policies")
    (folder / RENDERED).write_bytes(joined(apart))
    ended = bench.launcher.run(_command(folder, policies), folder)
    findings = (*_not_applied(part.subject, ended), *_findings(part.subject, _results(ended)))
    if ended.code != 0 and not any(one.severity is Severity.error for one in findings):
        raise failed(NAME, ended)
    return Told(ranked(findings), version=bench.launcher.version(NAME) or "")


def _command(folder: Path, policies: tuple[Path, ...]) -> list[str]:
    where = [str(one.relative_to(folder)) for one in policies]
    report = ["--policy-report", "--output-format", "json", "--audit-warn", "--remove-color"]
    return [NAME, "apply", *where, "--resource", RENDERED, *report]


def _results(ended: Ended) -> tuple[Result, ...]:
    """Each report stands on a line of its own, beside lines for people. Where no rule matches there is none."""
    if ended.code not in {0, 1}:
        raise failed(NAME, ended)
    try:
        reports = [OUTPUT.validate_json(one) for one in ended.out.splitlines() if one.startswith(b"{")]
    except ValidationError as error:
        raise Broken(f"{NAME} printed what it should not: no report") from error
    return tuple(result for report in reports for result in report.results)


def _findings(path: str, results: tuple[Result, ...]) -> Iterator[Finding]:
    for one in results:
        severity = {"pass": None, "skip": None, "warn": Severity.warning}.get(one.result, Severity.error)
        if severity is None:
            continue
        finding = partial(Finding, severity=severity, path=path, rule=f"{one.policy}/{one.rule}".rstrip("/"))
        about = ", ".join(called(each.kind, each.namespace, each.name) for each in one.resources[:3])
        why = one.message or "it fails"
        yield finding(f"{about or 'an object'}: " + (why if one.result != "error" else f"cannot be judged: {why}"))


def _not_applied(path: str, ended: Ended) -> Iterator[Finding]:
    """The policies that were not asked; silence about them would look like consent (S16)."""
    severity = None
    for text in ended.out.decode(errors="replace").splitlines():
        severity = NOT_APPLIED.get(text.strip(), None if text.startswith("---") else severity)
        entry = _ENTRY.fullmatch(text.strip())
        if severity is not None and entry is not None:
            why = "needs what only a cluster knows" if severity is Severity.warning else "is no valid policy"
            yield Finding(f"the policy {entry[1]} was not applied: it {why}", severity, path, rule="not-applied")


VALIDATOR = Validator(NAME, "rendered objects obey the Kyverno policies", parts, check, program=NAME, renders=True)
