"""`trivy`: what the change brings counts, what stood there before is noted; against a stand-in for trivy 0.75.

The contract is recorded from trivy's handbook, page `trivy config` (flags: there is no `--offline-scan`, nothing is
fetched under `--skip-check-update`), and from the repository aquasecurity/trivy, integration/testdata/
helm_testchart.json.golden (JSON). The real program is not to be had as a module."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.validators.base import Broken, Told
from bot.validators.trivy import NAME, VALIDATOR
from policies.findings import Finding, Severity
from policies.validating import Validating
from tests.validators.programs import bench, object_of, stand_in
from tests.validators.trees import change_of

PATH = "environments/prod/eu/shop/values.yaml"
RECORDED = r"""
VALUED = {"--format", "-f", "--severity", "-s", "--misconfig-scanners", "--cache-dir", "--exit-code", "--ignorefile",
          "--config", "-c", "--timeout", "--config-check", "--check-namespaces", "--k8s-version", "--output", "-o"}
BARE = {"--quiet", "-q", "--skip-check-update", "--include-non-failures", "--skip-version-check",
        "--disable-telemetry", "--debug", "-d", "--insecure"}
if sys.argv[1] != "config":
    fail(f'unknown command "{sys.argv[1]}" for "trivy"')
given, folders = arguments(sys.argv[2:], VALUED, BARE, fail)
if len(folders) != 1:
    fail(f"accepts 1 arg(s), received {len(folders)}")
if "--skip-check-update" not in given:
    print("FATAL Fatal error failed to download checks bundle: no such host", file=sys.stderr)
    sys.exit(1)
CHECKS = {
    "KSV-0017": ("HIGH", "privileged: true", "Container '{0}' of {1} '{0}' should not be privileged"),
    "KSV-0014": ("LOW", "readOnly: false", "Container '{0}' of {1} '{0}' should be read-only"),
    "KSV-0109": ("CRITICAL", "password:", "{1} '{0}' stores secrets in key(s) or value(s)"),
}
results = []
for path in sorted(pathlib.Path(folders[0]).rglob("*.yaml")):
    text = path.read_text()
    if not all(named(text, key) for key in ("apiVersion", "kind", "name")):
        continue
    result = {"Target": path.name, "Class": "config", "Type": "kubernetes"}
    result["MisconfSummary"] = {"Successes": 90, "Failures": 0}
    for check, (severity, sign, message) in CHECKS.items():
        if sign in text and severity in given["--severity"][0].split(","):
            result.setdefault("Misconfigurations", []).append({
                "Type": "Kubernetes Security Check", "ID": check, "AVDID": "AVD-" + check, "Title": "A title",
                "Description": "Much text.", "Message": message.format(named(text, "name"), named(text, "kind")),
                "Namespace": "builtin.kubernetes", "Query": "data.builtin.deny", "Resolution": "Mend it.",
                "Severity": severity, "PrimaryURL": "https://avd.aquasec.com/misconfig/", "References": ["https://a"],
                "Status": "FAIL", "CauseMetadata": {"Provider": "Kubernetes", "Service": "general", "StartLine": 1},
            })
    results.append(result)
report = {"SchemaVersion": 2, "CreatedAt": "2026-01-01T00:00:00Z", "ArtifactName": folders[0],
          "ArtifactType": "filesystem", "Metadata": {}}
print(json.dumps({**report, "Results": results} if results else report, indent=2))
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    return stand_in(tmp_path, NAME, RECORDED)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def tell(program: str, before: str | None, after: str | None, **rules: object) -> Told:
        checks = Validating.model_validate({"checks": {"trivy": rules, "helm": {"chart": "chart"}}})
        change = change_of({PATH: "a: 1"}, {PATH: "a: 2"}, rules=checks)
        (part,) = VALIDATOR.parts(change)
        return VALIDATOR.check(change, part, bench(tmp_path, {NAME: program}, (before, after)))

    return tell


def pod(name: str, *body: str) -> str:
    return object_of("Pod", name, "".join(f"  {line}\n" for line in body), "v1")


FOUND = "Pod api: HIGH: Container 'api' of Pod 'api' should not be privileged"


def test_what_the_change_brings_is_an_error(program: str, told: Callable[..., Told]) -> None:
    found = told(program, pod("api"), pod("api", "privileged: true"))
    assert found.findings == (Finding(FOUND, Severity.error, PATH, rule="KSV-0017"),)
    assert found.version


def test_what_stood_there_before_is_a_note_wherever_it_stands_now(program: str, told: Callable[..., Told]) -> None:
    before = pod("api", "privileged: true")
    (found,) = told(program, before, pod("new") + before).findings
    assert (found.message, found.severity) == (FOUND, Severity.note)


def test_the_same_fault_in_another_object_is_an_error(program: str, told: Callable[..., Told]) -> None:
    before = pod("api", "privileged: true")
    found = told(program, before, before + pod("db", "privileged: true")).findings
    assert [one.severity for one in found] == [Severity.error, Severity.note]
    assert found[0].message.startswith("Pod db: ")


def test_all_of_a_new_target_is_what_the_change_brings(program: str, told: Callable[..., Told]) -> None:
    (found,) = told(program, None, pod("api", "privileged: true")).findings
    assert found.severity is Severity.error


def test_policy_names_the_severities_that_are_told(program: str, told: Callable[..., Told]) -> None:
    after = pod("api", "privileged: true", "readOnly: false")
    assert [one.rule for one in told(program, None, after).findings] == ["KSV-0017"]
    assert [one.rule for one in told(program, None, after, severities="LOW").findings] == ["KSV-0014"]


def test_S16_an_object_that_trivy_leaves_out_is_told(program: str, told: Callable[..., Told]) -> None:
    (found,) = told(program, None, pod("api") + "---\nkind: Odd\n").findings
    assert (found.message, found.severity) == ("Odd: trivy did not look at it", Severity.warning)


def test_a_removed_target_has_nothing_to_find(told: Callable[..., Told]) -> None:
    assert told("nowhere", pod("api"), None).findings == ()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("print('{}')", "printed what it should not"),
        ("print('null')", "printed what it should not"),
        (
            "print('FATAL Fatal error no space left', file=sys.stderr); sys.exit(1)",
            "ended with 1: FATAL Fatal error no",
        ),
        ('print(\'{"SchemaVersion": 2, "Results": [{}]}\')', "printed what it should not"),
    ],
)
def test_S16_an_answer_that_is_none_is_broken(tmp_path: Path, told: Callable[..., Told], script: str, why: str) -> None:
    with pytest.raises(Broken, match=why):
        told(stand_in(tmp_path, NAME, script), None, pod("api"))


def test_hostile_output_is_bounded_and_printable(tmp_path: Path, told: Callable[..., Told]) -> None:
    script = r"""
one = {"ID": "<b>\x1b[2J", "Message": "@all\n# h\x00" * 500, "Severity": "HIGH"}
print(json.dumps({"SchemaVersion": 2, "Results": [{"Target": "../../x", "Misconfigurations": [one] * 2000}]}))
"""
    found = told(stand_in(tmp_path, NAME, script), None, pod("api")).findings
    assert len(found) == 51
    assert all(len(one.message) <= 500 and one.message.isprintable() and one.rule.isprintable() for one in found)


def test_without_a_renderer_it_has_no_part_unless_it_is_required() -> None:
    def parts(rules: object) -> int:
        checks = Validating.model_validate({"checks": {"trivy": rules}})
        return len(list(VALIDATOR.parts(change_of({PATH: "a: 1"}, {PATH: "a: 2"}, rules=checks))))

    assert (parts({}), parts({"required": True})) == (0, 1)
