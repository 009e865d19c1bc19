"""`kyverno`: policies of the target branch, against a stand-in for the command line of Kyverno 1.18.

The contract is recorded from the repository kyverno/kyverno at v1.18.2: in cmd/cli/kubectl-kyverno,
commands/apply/command.go (flags, exit codes), commands/apply/report.go (what is printed) and report/report.go; and
pkg/utils/report/results.go (results). The fields are those of openreports.io/v1alpha1. The real program takes too long
to build."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.validators.base import Broken, Skipped, Told
from bot.validators.kyverno import NAME, VALIDATOR
from policies.findings import Finding, Severity
from policies.validating import Validating
from tests.validators.programs import bench, object_of, stand_in
from tests.validators.trees import change_of

PATH = "environments/prod/eu/shop/values.yaml"
POLICY = "apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata:\n  name: no-latest\nspec:\n"
RECORDED = r"""
VALUED = {"--resource", "-r", "--resources", "--set", "-s", "--values-file", "-f", "--output", "-o", "--output-format",
          "--userinfo", "-u", "--namespace", "-n", "--exception", "-e", "--warn-exit-code", "--context-file"}
BARE = {"--policy-report", "-p", "--audit-warn", "--remove-color", "--detailed-results", "--table", "-t", "--cluster",
        "-c", "--stdin", "-i", "--registry", "--warn-no-pass", "--continue-on-fail"}
if sys.argv[1] != "apply":
    fail(f'unknown command "{sys.argv[1]}" for "kyverno"')
given, policies = arguments(sys.argv[2:], VALUED, BARE, fail)
if not policies:
    fail("require policy")
if "--resource" not in given:
    fail("resource file(s) or cluster required")
paths = [path for one in policies for path in ([pathlib.Path(one)] if pathlib.Path(one).is_file() else
         sorted(pathlib.Path(one).rglob("*.yaml")))]
results, skipped, invalid = [], [], []
for policy in (path.read_text() for path in paths):
    if "kind: ClusterPolicy" not in policy:
        fail("failed to load policies: unknown kind")
    name = named(policy, "name")
    if "variables: [cluster]" in policy:
        skipped.append(name)
        continue
    if "no: rules" in policy:
        invalid.append(name)
        continue
    audit = "validationFailureAction: Audit" in policy
    for text in re.split(r"(?m)^---$", pathlib.Path(given["--resource"][0]).read_text()):
        if named(text, "kind") != "Deployment":
            continue
        status = "error" if "image: []" in text else "fail" if ":latest" in text else "pass"
        if status == "fail" and audit and "--audit-warn" in given:
            status = "warn"
        results.append({
            "source": "kyverno", "policy": name, "rule": "autogen-tag", "result": status, "scored": True,
            "timestamp": {"seconds": 1700000000, "nanos": 0},
            "message": "validation error: \x1b[31mno latest\x1b[0m. rule autogen-tag failed at path /spec/",
            "resources": [{"kind": "Deployment", "name": named(text, "name"), "namespace": named(text, "namespace"),
                           "apiVersion": "apps/v1"}],
            "properties": {"process": "background scan"},
        })
line = "-" * 70
if skipped:
    print(line, "Policies Skipped (as required variables are not provided by the user):", sep="\n")
    print(*(f"{number}. {one}" for number, one in enumerate(skipped, 1)), line, sep="\n")
if invalid:
    print(line, "Invalid Policies:", sep="\n")
    print(*(f"{number}. {one}" for number, one in enumerate(invalid, 1)), line, sep="\n")
if results:
    if "--policy-report" not in given or given.get("--output-format") != ["json"]:
        fail("the stand-in prints reports as JSON alone")
    print(json.dumps({"kind": "ClusterReport", "apiVersion": "openreports.io/v1alpha1", "metadata": {"name": "merged"},
                      "summary": {"pass": 0, "fail": 0, "warn": 0, "error": 0, "skip": 0}, "results": results}))
sys.exit(1 if any(one["result"] in {"fail", "error"} for one in results) else 0)
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    return stand_in(tmp_path, NAME, RECORDED)


@pytest.fixture
def told(tmp_path: Path) -> Callable[..., Told]:
    def tell(program: str, rendered: str, files: dict[str, str] | None = None, **rules: object) -> Told:
        checks = Validating.model_validate({"checks": {"kyverno": {"policies": "policies", **rules}}})
        before = {PATH: "a: 1", **({"policies/tag.yaml": POLICY} if files is None else files)}
        change = change_of(before, {**before, PATH: "a: 2", "policies/tag.yaml": "none"}, rules=checks)
        part = next(iter(VALIDATOR.parts(change)))
        return VALIDATOR.check(change, part, bench(tmp_path, {NAME: program}, (None, rendered)))

    return tell


def deployment(name: str, image: str) -> str:
    return object_of("Deployment", name, f"  namespace: shop\nspec:\n  image: {image}\n")


GOOD, BAD = deployment("api", "a:1"), deployment("db", "a:latest")
MESSAGE = "Deployment shop/db: validation error: no latest . rule autogen-tag failed at path /spec/"


def test_what_fails_is_an_error_with_its_object(program: str, told: Callable[..., Told]) -> None:
    found = told(program, GOOD + BAD)
    assert found.findings == (Finding(MESSAGE, Severity.error, PATH, rule="no-latest/autogen-tag"),)
    assert found.version


def test_what_fails_under_a_policy_that_only_audits_is_a_warning(program: str, told: Callable[..., Told]) -> None:
    (found,) = told(program, BAD, {"policies/a.yaml": POLICY + "  validationFailureAction: Audit\n"}).findings
    assert (found.message, found.severity) == (MESSAGE, Severity.warning)


def test_what_cannot_be_judged_is_an_error(program: str, told: Callable[..., Told]) -> None:
    (found,) = told(program, deployment("db", "[]")).findings
    assert found.message.startswith("Deployment shop/db: cannot be judged: ")
    assert found.severity is Severity.error


def test_objects_that_obey_or_match_no_rule_are_not_told(program: str, told: Callable[..., Told]) -> None:
    assert told(program, GOOD).findings == told(program, object_of("Service", "a", api="v1")).findings == ()


def test_policies_may_be_files(program: str, told: Callable[..., Told]) -> None:
    assert len(told(program, BAD, policies="policies/tag.yaml").findings) == 1


def test_S16_policies_that_were_not_asked_are_told(program: str, told: Callable[..., Told]) -> None:
    files = {
        "policies/a.yaml": POLICY.replace("no-latest", "needs-a-cluster") + "  variables: [cluster]\n",
        "policies/b.yaml": POLICY.replace("no-latest", "empty") + "  no: rules\n",
        "policies/c.yaml": POLICY,
    }
    assert [(one.message, one.severity) for one in told(program, BAD, files).findings] == [
        (MESSAGE, Severity.error),
        ("the policy empty was not applied: it is no valid policy", Severity.error),
        ("the policy needs-a-cluster was not applied: it needs what only a cluster knows", Severity.warning),
    ]


def test_policies_that_are_not_there_are_told_as_such(told: Callable[..., Told]) -> None:
    with pytest.raises(Skipped, match="policies is not on the target branch"):
        told("nowhere", GOOD, {})
    with pytest.raises(Skipped, match="names no policies of Kyverno"):
        told("nowhere", GOOD, policies=[], required=True)


def test_a_file_that_is_no_policy_is_told_in_kyvernos_words(program: str, told: Callable[..., Told]) -> None:
    with pytest.raises(Broken, match="kyverno ended with 1: Error: failed to load policies: unknown kind"):
        told(program, GOOD, {"policies/a.yaml": "kind: Pod\n"})


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("print('{')", "printed what it should not"),
        ("print('{}'); sys.exit(1)", "ended with 1"),
        ("print(json.dumps({'results': 'none'}))", "printed what it should not"),
        ("sys.exit(2)", "ended with 2"),
    ],
)
def test_S16_an_answer_that_is_none_is_broken(tmp_path: Path, told: Callable[..., Told], script: str, why: str) -> None:
    with pytest.raises(Broken, match=why):
        told(stand_in(tmp_path, NAME, script), GOOD)


def test_a_rendered_text_is_taken_for_no_report(tmp_path: Path, told: Callable[..., Told]) -> None:
    rendered = '---\n{"apiVersion": "v1", "kind": "Pod", "results": "none", "metadata": {"name": "a"}}\n'
    assert told(stand_in(tmp_path, NAME, RECORDED), rendered).findings == ()


def test_nothing_rendered_starts_nothing(told: Callable[..., Told]) -> None:
    assert told("nowhere", "").findings == ()
