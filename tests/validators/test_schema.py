"""Values as Helm merges and judges them, the line of each fault, and schemas that were made to do harm."""

import json
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.validators import Bench, Change, Skipped, Told, jobs, key_of, look
from bot.validators import schema as validator
from bot.validators.base import Broken
from bot.validators.launching import Launcher, Stopped
from bot.validators.schema import VALIDATOR
from bot.validators.schema_process import judged
from policies.findings import Finding, Ran
from policies.validating import Validating
from tests.validators.test_pinned import PATH
from tests.validators.trees import change_of

BENCH = Bench(Launcher(), scratch=Path(tempfile.gettempdir()))
SCHEMA = "schemas/shop.json"
OWN = "charts/shop/values.schema.json"
REPLICAS = {"properties": {"replicas": {"type": "integer", "minimum": 1}}}
BY_FILE = Validating.model_validate({"checks": {"schema": {"file": "schemas/{service}.json"}}})
BY_CHART = Validating.model_validate(
    {
        "checks": {
            "helm": {"chart": "charts/{service}", "values": ["common.yaml", "environments/{environment}/all.yaml"]}
        }
    }
)


def changed(values: str, schema: object = REPLICAS, **files: str) -> Change:
    known = {SCHEMA: schema if isinstance(schema, str) else json.dumps(schema), **files}
    return change_of({**known, PATH: "old: 1\n"}, {**known, PATH: values}, rules=BY_FILE)


def told(change: Change) -> Told:
    (part,) = VALIDATOR.parts(change)
    return VALIDATOR.check(change, part, BENCH)


def charted(values: str, schema: object, before: dict[str, str] | None = None, /, **files: str) -> Change:
    """Files are named by their first letters: `chart`, `common`, `all`."""
    names = {"chart": "charts/shop/values.yaml", "common": "common.yaml", "all": "environments/prod/all.yaml"}
    known = {OWN: json.dumps(schema), **{names[name]: text for name, text in files.items()}}
    return change_of(
        {PATH: "old: 1\n", **(known if before is None else before)}, {PATH: values, **known}, rules=BY_CHART
    )


@pytest.mark.parametrize(
    ("values", "schema", "expected"),
    [
        ("replicas: 2\n", REPLICAS, []),
        ("", REPLICAS, []),
        ("a: 1\nreplicas: two\n", REPLICAS, [("replicas must be of type integer", 2, "type")]),
        ("replicas: 0\n", REPLICAS, [("replicas must be at least 1", 1, "minimum")]),
        (
            "a:\n  b:\n  - c: 1\n  - c: x\n",
            {"properties": {"a": {"properties": {"b": {"items": {"properties": {"c": {"type": "number"}}}}}}}},
            [("a.b.1.c must be of type number", 4, "type")],
        ),
        (
            "a: 1\nb:\n  c: 1\n  d: 2\n",
            {
                "properties": {
                    "b": {"additionalProperties": False, "properties": {"c": {}}, "patternProperties": {"^e": {}}}
                }
            },
            [("b.d is no key that the schema knows", 4, "additionalProperties")],
        ),
        ("a: 1\n", {"required": ["b"]}, [("the file 'b' is a required property", None, "required")]),
        ("a:\n  b: 1\n", {"properties": {"a": {"required": ["c"]}}}, [("a 'c' is a required property", 1, "required")]),
        ("a: x\n", {"properties": {"a": {"enum": ["y", 7]}}}, [('a must be one of ["y", 7]', 1, "enum")]),
        ("a: x\n", {"properties": {"a": {"pattern": "^y"}}}, [("a must match ^y", 1, "pattern")]),
        ("a: x\n", {"properties": {"a": False}}, [("the file holds what the schema does not allow", None, "None")]),
        (
            "a: x\n",
            {"properties": {"a": {"oneOf": [{"type": "null"}, {"type": "number"}]}}},
            [("a does not satisfy the schema's `oneOf`", 1, "oneOf")],
        ),
        ("a: yes\nb: &x 1\nc: *x\n", {"properties": {"a": {"type": "boolean"}, "c": {"type": "integer"}}}, []),
        (
            "d: &d {replicas: x}\nmain: {<<: *d}\n",
            {"properties": {"main": REPLICAS}},
            [("main.replicas must be of type integer", 2, "type")],
        ),
        ("a: 1\n", {"$schema": "http://json-schema.org/draft-04/schema#", "required": ["a"]}, []),
        (
            "a: [1, x]\n",
            {"properties": {"a": {"items": [{}, {"type": "integer"}]}}},
            [("a.1 must be of type integer", 1, "type")],
        ),
    ],
)
def test_each_fault_is_told_with_its_line(
    values: str, schema: object, expected: list[tuple[str, int | None, str]]
) -> None:
    assert [(one.message, one.line, one.rule) for one in told(changed(values, schema)).findings] == expected


def test_S10_no_value_is_repeated() -> None:
    kinds: list[object] = [
        {"type": "integer"}, {"enum": [1]}, {"const": 1}, {"pattern": "^$"}, {"maxLength": 1}, {"not": {}}, False,
        {"anyOf": [False]}, {"oneOf": [False]}, {"allOf": [False]}, {"if": {}, "then": False}, {"minLength": 99},
    ]  # fmt: skip
    for kind in kinds:
        for schema in ({"properties": {"password": kind}}, {"properties": {"password": {"$ref": "#/d"}}, "d": kind}):
            found = judged(json.dumps(schema), {"password": "hunter2secret"})
            assert found["errors"] and "hunter2" not in repr(found), kind


# --- what is judged, by what -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "values", "expected"),
    [
        ({"chart": "replicas: x\n"}, "a: 1\n", "integer"),
        ({"chart": "replicas: x\n"}, "replicas: 1\n", ""),
        ({"chart": "replicas: 1\n", "common": "replicas: x\n"}, "a: 1\n", "integer"),
        ({"chart": "replicas: 1\n", "common": "replicas: x\n", "all": "replicas: 2\n"}, "a: 1\n", ""),
        ({"all": "replicas: x\n"}, "a: 1\n", "integer"),
        ({"chart": "replicas: x\n"}, "replicas: null\n", ""),
        ({"chart": "replicas: x\n", "common": "replicas: null\n"}, "a: 1\n", ""),
        ({}, "replicas: null\n", "integer"),
    ],
)
def test_the_values_are_merged_as_helm_merges_them(files: dict[str, str], values: str, expected: str) -> None:
    found = told(charted(values, REPLICAS, **files)).findings
    assert [expected in one.message for one in found] == [True] * bool(expected)


def test_a_fault_of_another_file_has_no_line_in_this_one() -> None:
    assert told(charted("a: 1\n", REPLICAS, chart="replicas: x\n")).findings == (
        Finding("replicas must be of type integer", path=PATH, line=None, rule="type"),
    )


def test_S12_the_schema_is_that_of_the_target_branch_where_it_has_one() -> None:
    strict, loose = json.dumps({"required": ["x"]}), dict[str, object]()
    assert told(charted("a: 1\n", loose, {OWN: strict})).findings
    assert told(charted("a: 1\n", {"required": ["x"]}, {})).findings


def test_no_schema_no_part_and_a_schema_that_policy_names_must_be_there() -> None:
    assert list(VALIDATOR.parts(change_of({PATH: "a: 1"}, {PATH: "a: 2"}))) == []
    assert list(VALIDATOR.parts(change_of({PATH: "a: 1"}, {PATH: "a: 2"}, rules=BY_CHART))) == []
    assert list(VALIDATOR.parts(change_of({PATH: "a: 1"}, {}, rules=BY_FILE))) == []
    with pytest.raises(Skipped, match=r"there is no file schemas/shop\.json"):
        told(change_of({PATH: "a: 1"}, {PATH: "a: 2"}, rules=BY_FILE))


def test_the_key_depends_on_all_that_is_judged_and_on_nothing_else() -> None:
    files = {"chart": "a: 1\n", "common": "b: 1\n", "all": "c: 1\n"}

    def key(change: Change) -> str:
        return key_of(jobs(change, (VALIDATOR,), {}))

    same = charted("x: 1\n", REPLICAS, **files)
    others = [charted("x: 1\n", REPLICAS, **{**files, name: "z: 1\n"}) for name in files]
    others += [charted("x: 2\n", REPLICAS, **files), charted("x: 1\n", {}, **files)]
    assert len({key(one) for one in (same, *others)}) == 6
    assert key(same) == key(charted("x: 1\n", REPLICAS, None, **files))


# --- hostile ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ("{", "it cannot be read"),
        ("[" * 100_000, "nested too deep"),
        ("[]", "neither an object"),
        ("7", "neither an object"),
        ({"type": "nothing"}, "at type: "),
        ({"$schema": []}, "its $schema is no text"),
        ({"pattern": "("}, "at pattern: "),
        ({"$ref": "#/d", "d": [7]}, "what is no schema"),
        ({"$ref": "#"}, "into itself"),
    ],
)
def test_what_is_no_schema_is_a_finding_at_the_schema(schema: object, words: str) -> None:
    (found,) = told(changed("a: 1\n", schema)).findings
    assert found.path == SCHEMA and words in found.message


@pytest.mark.parametrize("ref", ["https://evil.example.net/x.json", "file:///etc/passwd", "other.json", "#/nowhere"])
def test_S11_nothing_that_a_schema_refers_to_is_fetched(ref: str) -> None:
    with pytest.raises(Skipped, match=r"refers to .* nothing is fetched"):
        told(changed("a: 1\n", {"$ref": ref}))


FOR_EVER = [
    {"properties": {"a": {"pattern": "^(a+)+$"}}},
    {
        "$ref": "#/d/0",
        "d": {str(at): {"allOf": [{"$ref": f"#/d/{at + 1}"}, {"$ref": f"#/d/{at + 1}"}]} for at in range(40)}
        | {"40": {}},
    },
]


@pytest.mark.parametrize("schema", FOR_EVER)
def test_a_schema_that_has_no_end_is_stopped(schema: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validator, "SECONDS", 1.5)
    change = changed(f"a: {'a' * 60}b\n", schema)
    with pytest.raises(Stopped):
        told(change)
    (job,) = jobs(change, (VALIDATOR,), {})
    assert look(change, job, BENCH).ran is Ran.broken


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed("a: 1\n", " " * (1024 * 1024 + 1)), "larger than 1 MiB"),
        (changed("a: [\n"), "cannot be read: line"),
        (changed("a: &a [*a]\n"), "stands within"),
        (changed("? [1]\n: 1\n"), "a key must be a plain word"),
        (changed(f"a: {'9' * 400}\n"), "too long"),
        (changed("- 1\n"), "no mapping"),
        (charted("a: 1\n", REPLICAS, chart="- 1\n"), "no mapping"),
        (charted("a: 1\n", REPLICAS, all="{"), "environments/prod/all.yaml cannot be read"),
    ],
)
def test_S16_what_cannot_be_judged_is_unknown(change: Change, words: str) -> None:
    with pytest.raises(Broken, match=words):
        told(change)


def test_a_program_that_prints_no_answer_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    too_much = "print('{\"errors\": []}' + ' ' * 2**20)"
    for text in ("raise SystemExit(1)", "print(7)", "print('{')", too_much):
        (tmp_path / "process.py").write_text(text)
        monkeypatch.setattr(validator, "PROCESS", tmp_path / "process.py")
        with pytest.raises(Broken, match="failed"):
            told(changed("a: 1\n"))


def test_many_faults_are_cut_and_counted() -> None:
    values = "".join(f"k{at}: x\n" for at in range(70))
    found = told(changed(values, {"additionalProperties": False})).findings
    assert len(found) == 51 and found[-1].message == "and 20 more"


def test_S8_keys_are_cut_and_the_line_is_then_that_of_what_is_above() -> None:
    key = "k" * 100_000
    (found,) = told(changed(f"a:\n  ? {key}\n  : 1\n", {"properties": {"a": {"additionalProperties": False}}})).findings
    assert (found.message[:300], found.line) == (f"a.{'k' * 199}… is no key that the schema knows", 1)
    answer = judged('{"additionalProperties": {"items": {"type": "string"}}}', {key: [1] * 1000})
    assert len(json.dumps(answer)) < 1000 * 300


def test_S8_an_answer_that_is_too_long_is_not_given() -> None:
    values: object = ["x"] * 1000
    for letter in "abcdefghij":
        values = {letter * 200: values}
    schema: object = {"items": {"type": "integer"}}
    for _ in range(10):
        schema = {"additionalProperties": schema}
    given = json.dumps({"schema": json.dumps(schema), "values": values}).encode()
    ended = subprocess.run([sys.executable, validator.PROCESS], input=given, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_an_unsteady_key_order_gives_the_same_findings() -> None:
    change = changed("replicas: x\n")
    assert told(change) == told(replace(change))


SCHEMAS = st.recursive(
    st.booleans() | st.integers() | st.sampled_from(["string", "#", "#/a", "x", "^a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "$ref", "properties", "a", "anyOf", "items", "enum", "pattern", "$schema", "$id"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@given(SCHEMAS, st.sampled_from([{"a": 1}, {"a": [{"a": "x"}]}, {}]))
@settings(deadline=None, max_examples=60)
def test_every_schema_has_an_answer(schema: object, values: dict[str, object]) -> None:
    answer = judged(json.dumps(schema), values)
    assert len(answer) == 1 and set(answer) <= {"errors", "bad", "unknown"}
    json.dumps(answer)
