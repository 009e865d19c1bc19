"""`conftest`: Rego of the target branch; the real program where it is built, else a stand-in for conftest 0.66.

The contract is recorded from the repository open-policy-agent/conftest at v0.66.0: internal/commands/test.go (flags,
exit codes), output/result.go and output/json.go (the JSON). The stand-in holds the same rules as the Rego below."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.validators.base import Broken, Skipped, Told
from bot.validators.conftest import NAME, VALIDATOR
from policies.findings import Finding, Severity
from policies.validating import Validating
from tests.validators.programs import bench, object_of, real, stand_in
from tests.validators.trees import change_of

pytestmark = pytest.mark.programs

PATH = "environments/prod/eu/shop/values.yaml"
REGO = """package main

import rego.v1

deny contains msg if {
	input.spec.privileged == true
	msg := sprintf("%s is privileged", [input.metadata.name])
}

warn contains msg if {
	not input.metadata.owner
	msg := "nobody owns it"
}

exception contains rules if {
	input.metadata.excused == true
	rules := ["owner"]
}

deny_owner contains msg if {
	not input.metadata.owner
	msg := "it has no owner"
}
"""
LIBRARY = 'package shop.rules\n\nimport rego.v1\n\nviolation contains {"msg": "never"} if input.spec.never\n'
RECORDED = r"""
VALUED = {"--output", "-o", "--parser", "--policy", "-p", "--namespace", "-n", "--data", "-d", "--update", "-u"}
BARE = {"--no-color", "--all-namespaces", "--combine", "--fail-on-warn", "--no-fail", "--strict", "--trace", "--quiet"}
if sys.argv[1] != "test":
    fail(f'unknown command "{sys.argv[1]}" for "conftest"')
given, files = arguments(sys.argv[2:], VALUED, BARE, fail)
if given.get("--output") != ["json"] or given.get("--parser") != ["yaml"]:
    fail(f"unknown output or parser")
rego = [path for one in given["--policy"] for path in sorted(pathlib.Path(one).rglob("*.rego"))]
if not rego:
    fail(f"running test: load: loading policies: no policies found in {given['--policy']}")
packages = {}
for path in rego:
    text = path.read_text()
    if not text.startswith("package "):
        fail(f"running test: load: loading policies: get compiler: 1 error occurred: {path}:1: rego_parse_error")
    packages[text.split()[1]] = text
wanted = packages if "--all-namespaces" in given else {"main": packages.get("main", "")}
results = []
for path in sorted(one for name in files for one in pathlib.Path(name).iterdir()):
    text = path.read_text()
    for package in wanted:
        result = {"filename": str(path), "namespace": package, "successes": 0}
        if package == "main":
            if "privileged: true" in text:
                result.setdefault("failures", []).append({"msg": named(text, "name") + " is privileged"})
            if "owner:" not in text:
                result["warnings"] = [{"msg": "nobody owns it"}]
                kind = "exceptions" if "excused: true" in text else "failures"
                owner = {"msg": "" if kind == "exceptions" else "it has no owner"}
                owner = {"msg": "data.main.exception[_][_] == \"owner\""} if kind == "exceptions" else owner
                result.setdefault(kind, []).append(owner)
        elif "never: true" in text:
            result["failures"] = [{"msg": "never"}]
        results.append(result)
print(json.dumps(results, indent="\t"))
sys.exit(1 if any("failures" in one for one in results) else 0)
"""


@pytest.fixture(params=["recorded", "real"])
def program(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return real(NAME) if request.param == "real" else stand_in(tmp_path, NAME, RECORDED)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def tell(program: str, rendered: str, rego: dict[str, str] | None = None, **rules: object) -> Told:
        checks = Validating.model_validate({"checks": {"conftest": {"policy": "policy", **rules}}})
        files = {"policy/main.rego": REGO, "policy/more/rules.rego": LIBRARY} if rego is None else rego
        before = {PATH: "a: 1", **files}
        change = change_of(before, {**before, PATH: "a: 2", "policy/main.rego": "package main\n"}, rules=checks)
        part = next(iter(VALIDATOR.parts(change)))
        return VALIDATOR.check(change, part, bench(tmp_path, {NAME: program}, (None, rendered)))

    return tell


def pod(name: str, *body: str) -> str:
    return object_of("Pod", name, "".join(f"{line}\n" for line in body), "v1")


OWNED = "  owner: shop"


def test_objects_that_obey_are_not_told(program: str, told: Callable[..., Told]) -> None:
    found = told(program, pod("api", OWNED) + pod("db", OWNED))
    assert found.findings == ()
    assert found.version


def test_failures_are_errors_warnings_warnings_and_each_names_its_object(
    program: str, told: Callable[..., Told]
) -> None:
    assert told(program, pod("api", OWNED) + pod("db", "spec: {privileged: true}")).findings == (
        Finding("Pod db: db is privileged", Severity.error, PATH, rule="main"),
        Finding("Pod db: it has no owner", Severity.error, PATH, rule="main"),
        Finding("Pod db: nobody owns it", Severity.warning, PATH, rule="main"),
    )


def test_what_an_exception_lets_pass_is_a_note(program: str, told: Callable[..., Told]) -> None:
    found = told(program, pod("api", "  excused: true")).findings
    assert [one.severity for one in found] == [Severity.warning, Severity.note]


def test_rules_outside_of_the_package_main_are_asked_too(program: str, told: Callable[..., Told]) -> None:
    found = told(program, pod("api", OWNED, "spec:", "  never: true")).findings
    assert [(one.message, one.rule) for one in found] == [("Pod api: never", "shop.rules")]


@pytest.mark.parametrize("seam", ["--- # here\n", "---  \n", "---\r\n"])
def test_an_object_behind_an_odd_seam_is_looked_at(program: str, told: Callable[..., Told], seam: str) -> None:
    rendered = pod("api", OWNED) + pod("db", OWNED, "spec: {privileged: true}").replace("---\n", seam)
    assert [one.message for one in told(program, rendered).findings] == ["Pod db: db is privileged"]


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"policy/readme.md": "no Rego"}, "conftest ended with 1: Error: .*no policies found"),
        ({"policy/main.rego": "no rego at all {"}, "conftest ended with 1: Error: .*rego_parse_error"),
    ],
)
def test_S16_rules_that_cannot_be_read_are_not_obeyed(
    program: str, told: Callable[..., Told], policy: dict[str, str], why: str
) -> None:
    with pytest.raises(Broken, match=why):
        told(program, pod("api", OWNED), policy)


def test_rules_that_are_not_there_are_told_as_such(told: Callable[..., Told]) -> None:
    with pytest.raises(Skipped, match="policy is not on the target branch"):
        told("nowhere", pod("api"), {})
    with pytest.raises(Skipped, match="names no folder of Rego"):
        told("nowhere", pod("api"), policy=[], required=True)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("print('[]')", "looked at 0 of 1 objects"),
        ("print('[]'); sys.exit(1)", "ended with 1"),
        ("print('null')", "printed what it should not"),
        ("print('[' * 99999)", "printed what it should not"),
        ("sys.exit(3)", "ended with 3: it said nothing"),
    ],
)
def test_S16_an_answer_that_is_none_is_broken(tmp_path: Path, told: Callable[..., Told], script: str, why: str) -> None:
    with pytest.raises(Broken, match=why):
        told(stand_in(tmp_path, NAME, script), pod("api"))


def test_nothing_rendered_starts_nothing(told: Callable[..., Told]) -> None:
    assert told("nowhere", "# nothing\n").findings == ()
