"""The JSON Schema of towpath.yaml: current, and of one mind with the parser about what may be written."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.formats import FORMATS
from bot.yaml import parse_document
from policies.config import PolicyError, parse_policy
from workers.cli import schema

DOCS = Path(__file__).parent.parent.parent / "docs"
YAML_BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "policy.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
POLICIES = [block for block in YAML_BLOCKS if re.search(r"^version:", block, re.MULTILINE)]
VALUES = [block for block in YAML_BLOCKS if block not in POLICIES]

Schema = dict[str, object]


def fits(value: object, rule: Schema) -> bool:
    """Whether a value fits a JSON Schema, for the keywords that ours uses; a keyword that it does not know is an error."""
    return all(CHECKS[keyword](value, rule) for keyword in rule if keyword not in SAYING)


SAYING = {"$schema", "$defs", "title", "description", "default"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
CHECKS = {
    "$ref": lambda value, rule: fits(value, schema.schema()["$defs"][rule["$ref"].removeprefix("#/$defs/")]),
    "type": lambda value, rule: isinstance(value, TYPES[rule["type"]]) and not isinstance(value, bool),
    "const": lambda value, rule: value == rule["const"],
    "enum": lambda value, rule: value in rule["enum"],
    "pattern": lambda value, rule: re.search(rule["pattern"], value) is not None,
    "anyOf": lambda value, rule: any(fits(value, one) for one in rule["anyOf"]),
    "items": lambda value, rule: all(fits(item, rule["items"]) for item in value),
    "minItems": lambda value, rule: len(value) >= rule["minItems"],
    "minProperties": lambda value, rule: len(value) >= rule["minProperties"],
    "required": lambda value, rule: value.keys() >= set(rule["required"]),
    "properties": lambda value, rule: all(
        fits(value[key], one) for key, one in rule["properties"].items() if key in value
    ),
    "additionalProperties": lambda value, rule: all(
        rule["additionalProperties"] and fits(value[key], rule["additionalProperties"])
        for key in value.keys() - rule.get("properties", {}).keys()
    ),
}


def test_the_committed_copy_is_current() -> None:
    """After a change of the policy: towpath schema > docs/towpath.schema.json"""
    assert (DOCS / "towpath.schema.json").read_text("utf-8") == schema.text()


def test_the_command_prints_it() -> None:
    result = CliRunner().invoke(schema.command)
    assert (result.exit_code, result.stdout) == (0, schema.text())
    assert json.loads(result.stdout)["title"] == "towpath.yaml"


def test_every_key_says_what_it_does() -> None:
    found = schema.schema()
    silent = [
        f"{name}.{key}"
        for name, definition in found["$defs"].items()
        for key, described in definition["properties"].items()
        if not described.get("description")
    ]
    assert silent == []


def test_it_names_no_address_of_its_own() -> None:
    assert "$id" not in schema.schema()


POLICY = {
    "version": 1,
    "services": {"path": "{environment}/{service}.yaml"},
    "stages": [{"name": "test", "where": {"environment": "test"}}],
}


def with_stage(**more: object) -> dict[str, object]:
    return {**POLICY, "stages": [{**POLICY["stages"][0], **more}]}


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (POLICY, True),
        (with_stage(where={"environment": ["test", "load"]}), True),
        ({**POLICY, "stages": [*POLICY["stages"], {"name": "prod", "where": {"service": "a"}, "after": "test"}]}, True),
        ({**POLICY, "stages": [*POLICY["stages"], {"name": "prod", "where": {"service": "a"}, "after": ["test"]}]}, True),
        (with_stage(source={"tags": "semver >=1.0"}), True),
        (with_stage(merge="auto", mode="propose", checks="optional", absent="pass"), True),
        ({**POLICY, "version": 2}, False),
        ({**POLICY, "stage": []}, False),
        ({**POLICY, "stages": []}, False),
        ({**POLICY, "services": {}}, False),
        ({**POLICY, "services": {**POLICY["services"], "format": "helm"}}, False),
        ({**POLICY, "services": {**POLICY["services"], "registries": "registry.example.com/"}}, False),
        (with_stage(merge="atuo"), False),
        (with_stage(soak="2h"), False),
        (with_stage(where={}), False),
        (with_stage(where={"environment": 1}), False),
        (with_stage(name="Test"), False),
        (with_stage(source={"tag": "v*"}), False),
    ],
)
def test_schema_and_parser_agree(value: dict[str, object], valid: bool) -> None:
    try:
        parse_policy(value)
        parsed = True
    except PolicyError:
        parsed = False
    assert (parsed, fits(value, schema.schema())) == (valid, valid)


def test_the_handbook_has_examples() -> None:
    assert len(POLICIES) >= 4
    assert len(VALUES) == 1


@pytest.mark.parametrize("block", POLICIES)
def test_every_policy_in_the_handbook_parses(block: str) -> None:
    value = parse_document(block.encode()).value
    assert parse_policy(value).stages
    assert fits(value, schema.schema())


@pytest.mark.parametrize("block", VALUES)
def test_every_values_file_in_the_handbook_pins_images(block: str) -> None:
    assert [pin.repository for pin in FORMATS["helm-values"].pins(block.encode())] == [
        "registry.example.com/commerce/payments-api",
        "registry.example.com/commerce/payments-worker",
    ]


def test_the_handbook_lists_every_key() -> None:
    found = schema.schema()
    keys = {
        *(f"services.{key}" for key in found["$defs"]["Services"]["properties"]),
        *(f"stages[].{key}" for key in found["$defs"]["Stage"]["properties"] if key != "source"),
        *(f"stages[].source.{key}" for key in found["$defs"]["Source"]["properties"]),
        "version",
    }
    listed = set(re.findall(r"^\| `([a-z\[\].]+)` \|", (DOCS / "policy.md").read_text("utf-8").split("### ")[0], re.MULTILINE))
    assert listed == keys
