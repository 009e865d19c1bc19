"""`kubeconform`, the real program: schemas of the target branch, what does not fit, and what it cannot know."""

import json
from pathlib import Path

import pytest

from bot.validators import jobs
from bot.validators.base import Broken, Part, Skipped, Told
from bot.validators.kubeconform import NAME, VALIDATOR
from policies.findings import Finding, Severity
from policies.validating import Validating
from tests.validators.programs import bench, object_of, real, stand_in
from tests.validators.trees import change_of

pytestmark = pytest.mark.programs

PATH = "environments/prod/eu/shop/values.yaml"
DEPLOYMENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": {"type": "object", "properties": {"replicas": {"type": "integer"}}},
    },
}
SECRET = {"type": "object", "properties": {"data": {"additionalProperties": {"type": "integer"}}}}
SCHEMAS = {
    "schemas/v1.31.0-standalone-strict/deployment-apps-v1.json": json.dumps(DEPLOYMENT),
    "schemas/v1.31.0-standalone-strict/secret-v1.json": json.dumps(SECRET),
    "schemas/example.com/shop_v1.json": json.dumps(DEPLOYMENT),
}
GOOD = object_of("Deployment", "api", "spec:\n  replicas: 2\n")
BAD = object_of("Deployment", "api", "spec:\n  replicas: two\n")


def told(
    scratch: Path, rendered: str | None, files: dict[str, str] | None = None, program: str = "", **rules: object
) -> Told:
    said = {"schemas": "schemas", "kubernetes": "1.31.0", **rules}
    checks = Validating.model_validate({"checks": {"kubeconform": said, "helm": {"chart": "chart"}}})
    before = {PATH: "a: 1", **(SCHEMAS if files is None else files)}
    change = change_of(before, {**before, PATH: "a: 2"}, rules=checks)
    (part,) = VALIDATOR.parts(change)
    return VALIDATOR.check(change, part, bench(scratch, {NAME: program or real(NAME)}, (None, rendered)))


def findings(scratch: Path, rendered: str, *, ignore_missing: bool = False) -> tuple[Finding, ...]:
    return told(scratch, rendered, ignore_missing=ignore_missing).findings


def test_objects_that_fit_are_not_told(tmp_path: Path) -> None:
    found = told(tmp_path, GOOD + object_of("Shop", "one", api="example.com/v1"))
    assert found.findings == ()
    assert found.version


def test_what_does_not_fit_is_an_error_with_its_place(tmp_path: Path) -> None:
    assert findings(tmp_path, GOOD + BAD + object_of("Deployment", "db", "specs: {}\n")) == (
        Finding("Deployment api at /spec/replicas: got string, want integer", Severity.error, PATH, rule="schema"),
        Finding("Deployment db at /: additional properties 'specs' not allowed", Severity.error, PATH, rule="schema"),
    )


def test_an_object_behind_a_seam_with_a_comment_is_looked_at(tmp_path: Path) -> None:
    assert len(findings(tmp_path, GOOD + BAD.replace("---\n", "--- # here\n"))) == 1


def test_a_duplicate_key_is_an_error(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, GOOD + "spec: {}\n")
    assert found.rule == "unreadable"
    assert "spec" in found.message


def test_a_kind_without_a_schema_is_an_error_unless_policy_lets_it_pass(tmp_path: Path) -> None:
    unknown = object_of("Gadget", "one", api="example.com/v1")
    (found,) = findings(tmp_path, unknown)
    assert (found.message, found.rule) == ("Gadget one: could not find schema for Gadget", "no-schema")
    (found,) = findings(tmp_path, unknown, ignore_missing=True)
    assert (found.message, found.severity) == ("1 object has no schema and passed unseen", Severity.note)


def test_S10_a_secrets_content_is_not_told(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, object_of("Secret", "db", "data:\n  password: aHVudGVyMg==\n", "v1"))
    assert found.message == "Secret db at /data/password"


def test_no_path_of_ours_is_told(tmp_path: Path) -> None:
    broken = {**SCHEMAS, "schemas/v1.31.0-standalone-strict/deployment-apps-v1.json": "{"}
    for found in told(tmp_path, GOOD, broken).findings:
        assert str(tmp_path) not in found.message


@pytest.mark.parametrize("folder", ["https-schemas", "a.json", "a,b", "a b"])
def test_S9_a_folders_name_is_a_folders_name(tmp_path: Path, folder: str) -> None:
    moved = {path.replace("schemas", folder, 1): text for path, text in SCHEMAS.items()}
    assert len(told(tmp_path, GOOD + BAD, moved, schemas=folder).findings) == 1


def test_S11_without_schemas_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(Skipped, match="none are fetched"):
        told(tmp_path, GOOD, schemas=[], required=True)
    with pytest.raises(Skipped, match="schemas is not on the target branch"):
        told(tmp_path, GOOD, {})


def test_nothing_rendered_starts_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, None, program="nowhere").findings == told(tmp_path, "", program="nowhere").findings == ()


def test_a_version_that_is_none_is_told_in_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(Broken, match=r"kubeconform ended with 1: .*kubernetes-version"):
        told(tmp_path, GOOD, kubernetes="newest")


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("print('<h1>no</h1>')", "printed what it should not"),
        ("print('{}')", "printed what it should not"),
        ("print('panic: x', file=sys.stderr); sys.exit(2)", "ended with 2: panic: x"),
        (
            "print(json.dumps({'resources': [], 'summary': dict(valid=1, invalid=0, errors=0, skipped=0)}))",
            "looked at 1 of 2 objects",
        ),
    ],
)
def test_S16_what_was_not_looked_at_is_not_in_order(tmp_path: Path, script: str, why: str) -> None:
    with pytest.raises(Broken, match=why):
        told(tmp_path, GOOD + BAD, program=stand_in(tmp_path, NAME, script))


def test_hostile_output_is_bounded_and_printable(tmp_path: Path) -> None:
    script = r"""
one = {"kind": "\x1b[31m<b>@all</b>" * 99, "name": "x\n# y", "status": "statusError", "msg": "\x00\x07m" * 99}
print(json.dumps({"resources": [one] * 5000, "summary": dict(valid=0, invalid=0, errors=5000, skipped=0)}))
"""
    found = told(tmp_path, GOOD, program=stand_in(tmp_path, NAME, script)).findings
    assert len(found) == 51
    assert found[-1].message == "and 4,950 more"
    assert all(len(one.message) <= 500 and one.message.isprintable() for one in found)


def test_without_schemas_in_policy_it_has_no_part() -> None:
    change = change_of({PATH: "a: 1"}, {PATH: "a: 2"}, rules=Validating.model_validate({}))
    assert list(VALIDATOR.parts(change)) == []
    assert jobs(change, (VALIDATOR,), {}) == ()


def test_a_part_of_no_target_is_not_looked_at(tmp_path: Path) -> None:
    rules = Validating.model_validate({"checks": {"kubeconform": {"schemas": "schemas"}}})
    change = change_of({PATH: "a: 1"}, {PATH: "a: 2"}, rules=rules)
    with pytest.raises(Skipped, match="no renderer"):
        VALIDATOR.check(change, Part("", ()), bench(tmp_path, {}))
