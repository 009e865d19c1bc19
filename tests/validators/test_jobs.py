"""What is looked at, what its key depends on, and that nothing a validator does gets out of the look."""

import logging
from dataclasses import dataclass, field, replace

import pytest
import structlog
from structlog.testing import capture_logs

from bot.errors import Transient
from bot.validators import Bench, Change, Part, Target, Told, Validator, jobs, key_of, look
from bot.validators.base import Broken, Skipped, file_parts, target_parts
from bot.validators.jobs import TOWPATH, versions_of
from bot.validators.launching import Absent, Launcher, Stopped
from policies.config import Services
from policies.findings import CHECKED, Finding, Ran, Severity
from policies.validating import Validating
from tests.validators.trees import DictTree, change_of

PATH = "environments/prod/eu/shop/values.yaml"
BENCH = Bench(Launcher())


def changed(before: str = "a: 1\n", after: str = "a: 2\n", rules: Validating | None = None) -> Change:
    return change_of({PATH: before}, {PATH: after}, rules=rules)


def validator(name: str = "pinned", program: str = "", *, renders: bool = False) -> Validator:
    return Validator(name, "what the test wants", target_parts, lambda *_: Told(), program, renders)


def key(change: Change, one: Validator, **versions: str) -> str:
    return key_of(jobs(change, (one,), {TOWPATH: "1", **versions}))


def test_the_key_is_of_the_content_not_of_where_it_was_seen() -> None:
    again = replace(changed(), before=DictTree({PATH: b"a: 1\n", "other": b"x"}))
    assert key(changed(), validator()) == key(again, validator())


@pytest.mark.parametrize(
    ("change", "one", "versions"),
    [
        (changed(after="a: 3\n"), validator(), {}),
        (changed(before="a: 0\n"), validator(), {}),
        (changed(), validator("secrets"), {}),
        (changed(), validator(), {TOWPATH: "2"}),
        (changed(rules=Validating.model_validate({"checks": {"pinned": {"severity": "note"}}})), validator(), {}),
    ],
)
def test_the_key_is_another_where_anything_differs(change: Change, one: Validator, versions: dict[str, str]) -> None:
    assert key(change, one, **versions) != key(changed(), validator())


@pytest.mark.parametrize(
    ("one", "program", "matters"),
    [
        (validator("helm", "helm"), "helm", True),
        (validator("trivy", "trivy", renders=True), "helm", True),
        (validator("trivy", "trivy", renders=True), "trivy", True),
        (validator("trivy", "trivy"), "helm", False),
        (validator(), "helm", False),
    ],
)
def test_a_new_version_of_a_program_counts_for_whom_it_concerns(one: Validator, program: str, matters: bool) -> None:
    assert (key(changed(), one, **{program: "1"}) != key(changed(), one, **{program: "2"})) is matters


def test_rules_of_the_renderer_count_for_who_looks_at_rendered_objects() -> None:
    charted = changed(rules=Validating.model_validate({"checks": {"helm": {"chart": "charts/shop"}}}))
    assert key(charted, validator(renders=True)) != key(changed(), validator(renders=True))
    assert key(charted, validator()) == key(changed(), validator())


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({}, ["pinned", "secrets"]),
        ({"mode": "report"}, ["pinned", "secrets"]),
        ({"checks": {"pinned": {"run": False}}}, ["secrets"]),
        ({"mode": "off"}, []),
    ],
)
def test_what_policy_switches_off_is_not_looked_at(rules: dict[str, object], names: list[str]) -> None:
    both = (validator(), validator("secrets"))
    found = jobs(changed(rules=Validating.model_validate(rules)), both, {})
    assert [job.validator.name for job in found] == names


@pytest.mark.parametrize(
    ("rules", "names"),
    [
        ({"commands": {"lint": {"required": True}}}, ["pinned", "lint"]),
        ({"commands": {"lint": {"required": True, "run": False}}}, ["pinned"]),
        ({"commands": {"lint": {}}}, ["pinned"]),
        ({"commands": {"lint": {"required": True}}, "mode": "off"}, []),
    ],
)
def test_S16_a_required_validator_that_settings_do_not_name_did_not_look(
    rules: dict[str, object], names: list[str]
) -> None:
    change = changed(rules=Validating.model_validate(rules))
    found = jobs(change, (validator(),), {})
    assert [job.validator.name for job in found] == names
    told = [look(change, job, BENCH) for job in found if job.validator.name == "lint"]
    assert [(one.ran, one.why) for one in told] == [(Ran.skipped, "settings name no such validator")] * len(told)


def test_a_required_validator_that_settings_name_looks_itself() -> None:
    rules = Validating.model_validate({"commands": {"lint": {"required": True}}})
    (job,) = jobs(changed(rules=rules), (validator("lint"),), {})
    assert look(changed(rules=rules), job, BENCH).ran is Ran.done


def test_where_nothing_changes_nothing_is_missing() -> None:
    rules = Validating.model_validate({"commands": {"lint": {"required": True}}})
    assert jobs(changed(after="a: 1\n", rules=rules), (validator(),), {}) == ()


@dataclass
class Raising:
    error: Exception | None = None
    findings: tuple[Finding, ...] = field(default_factory=tuple)

    def check(self, change: Change, part: Part, bench: Bench) -> Told:
        if self.error is not None:
            raise self.error
        return Told(self.findings, version="v1")


def looked(raising: Raising, rules: Validating | None = None) -> tuple[Ran, str]:
    change = changed(rules=rules)
    (job,) = jobs(change, (replace(validator(), check=raising.check),), {})
    found = look(change, job, BENCH)
    assert (found.validator, found.part) == ("pinned", PATH)
    return found.ran, found.why


@pytest.mark.parametrize(
    ("error", "ran", "why"),
    [
        (None, Ran.done, ""),
        (Skipped("no registry is configured"), Ran.skipped, "no registry is configured"),
        (Absent("helm is not installed"), Ran.skipped, "helm is not installed"),
        (Broken("it fell asleep"), Ran.broken, "it fell asleep"),
        (Stopped("helm did not end within 30 s"), Ran.broken, "helm did not end within 30 s"),
        (Transient("look up", "x", "no route"), Ran.broken, "failed to look up x: no route"),
    ],
)
def test_how_it_ended_is_a_value(error: Exception | None, ran: Ran, why: str) -> None:
    assert looked(Raising(error)) == (ran, why)


def test_R11_a_fault_of_ours_is_told_in_the_log_and_counts_as_not_known() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with capture_logs() as logs:
        ran, why = looked(Raising(ZeroDivisionError("secret words")))
    assert ran is Ran.broken
    assert "secret words" not in why
    assert [entry["event"] for entry in logs] == ["fault"]


@pytest.mark.parametrize(
    ("most", "severities"),
    [
        ("error", [Severity.error, Severity.warning, Severity.note]),
        ("warning", [Severity.warning, Severity.warning, Severity.note]),
        ("note", [Severity.note, Severity.note, Severity.note]),
    ],
)
def test_policy_says_how_much_findings_count_at_most(most: str, severities: list[Severity]) -> None:
    change = changed(rules=Validating.model_validate({"checks": {"pinned": {"severity": most}}}))
    findings = tuple(Finding(str(severity), severity) for severity in Severity)
    (job,) = jobs(change, (replace(validator(), check=Raising(findings=findings).check),), {})
    found = look(change, job, BENCH)
    assert [one.severity for one in found.findings] == severities
    assert found.version == "v1"


def test_only_installed_programs_have_a_version() -> None:
    known = {"helm": "v3"}
    assert versions_of((validator(), validator("helm", "helm"), validator("trivy", "trivy")), known.get) == known


def test_each_changed_file_and_each_touched_target_is_a_part() -> None:
    change = change_of({"a": "1", "gone": "1", PATH: "1"}, {"a": "2", "new": "1", PATH: "2"})
    assert [part.subject for part in file_parts(change)] == ["a", PATH, "new"]
    assert [part.inputs[1] for part in file_parts(change)][2] == "-"
    assert [part.target and part.target.path for part in target_parts(change)] == [PATH]


def test_a_target_knows_what_its_path_captured() -> None:
    (target,) = changed().targets
    assert target == Target(PATH, {"environment": "prod", "cluster": "eu", "service": "shop"})
    assert changed().services == Services(path="environments/{environment}/{cluster}/{service}/values.yaml")


def test_a_name_that_is_no_utf_8_can_be_kept() -> None:
    path = "environments/prod/caf\udce9/shop/values.yaml"
    change = change_of({path: "a: 1\n"}, {path: "a: 2\n"})
    finding = Finding("bad \udce9", path=path)
    for answer in (Raising(findings=(finding,)), Raising(Broken(f"lost {path}"))):
        (job,) = jobs(change, (replace(validator(), check=answer.check),), {})
        kept = look(change, job, BENCH)
        assert CHECKED.validate_json(CHECKED.dump_json(kept)) == kept
        assert kept.part == "environments/prod/caf?/shop/values.yaml"
