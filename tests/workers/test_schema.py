"""The JSON Schema of towpath.yaml: current, and of one mind with the parser about what may be written."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

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

Rule = dict[str, Any]
"""A JSON Schema, or a part of one."""

SAYING = {"$schema", "$defs", "title", "description", "default"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}


def fits(value: object, rule: Rule) -> bool:
    """Whether a value fits a JSON Schema, for the keywords that ours uses; KeyError for any other keyword."""
    asked = sorted(rule.keys() - SAYING, key=lambda keyword: keyword != "type")
    return all(CHECKS[keyword](value, rule) for keyword in asked)


def defined(rule: Rule) -> Rule:
    found: Rule = schema.schema()["$defs"][rule["$ref"].removeprefix("#/$defs/")]
    return found


def keys_fit(value: dict[str, Any], rule: Rule) -> bool:
    return all(fits(value[key], one) for key, one in rule["properties"].items() if key in value)


def more_keys_fit(value: dict[str, Any], rule: Rule) -> bool:
    more = rule["additionalProperties"]
    return all(more and fits(value[key], more) for key in value.keys() - rule.get("properties", {}).keys())


CHECKS: dict[str, Callable[[Any, Rule], bool]] = {
    "$ref": lambda value, rule: fits(value, defined(rule)),
    "type": lambda value, rule: isinstance(value, TYPES[rule["type"]]) and not isinstance(value, bool),
    "const": lambda value, rule: value == rule["const"],
    "enum": lambda value, rule: value in rule["enum"],
    "pattern": lambda value, rule: re.search(rule["pattern"], value) is not None,
    "anyOf": lambda value, rule: any(fits(value, one) for one in rule["anyOf"]),
    "items": lambda value, rule: all(fits(item, rule["items"]) for item in value),
    "maxLength": lambda value, rule: len(value) <= rule["maxLength"],
    "maxItems": lambda value, rule: len(value) <= rule["maxItems"],
    "minItems": lambda value, rule: len(value) >= rule["minItems"],
    "minProperties": lambda value, rule: len(value) >= rule["minProperties"],
    "required": lambda value, rule: value.keys() >= set(rule["required"]),
    "properties": keys_fit,
    "additionalProperties": more_keys_fit,
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


TEST: Rule = {"name": "test", "where": {"environment": "test"}}
SERVICES: Rule = {"path": "{environment}/{service}.yaml"}


def with_services(**more: object) -> Rule:
    return {"version": 1, "services": {**SERVICES, **more}, "stages": [TEST]}


def with_stages(*stages: Rule) -> Rule:
    return {"version": 1, "services": SERVICES, "stages": list(stages)}


def prod(**more: object) -> Rule:
    return with_stages(TEST, {"name": "prod", "where": {"environment": "prod"}, **more})


@pytest.mark.parametrize(
    ("value", "valid"),
    [
        (with_stages(TEST), True),
        (with_services(format="helm-values", registries=["registry.example.com/"], images="apart"), True),
        (prod(where={"environment": ["prod", "dr"]}), True),
        (prod(after="test"), True),
        (prod(after=["test"]), True),
        (prod(source={"tags": "semver >=1.0"}), True),
        (prod(merge="auto", mode="propose", checks="optional", absent="pass"), True),
        ({**with_stages(TEST), "version": 2}, False),
        ({**with_stages(TEST), "freezes": []}, False),
        ({"version": 1, "services": SERVICES}, False),
        (with_stages(), False),
        (with_services(format="helm"), False),
        (with_services(registries="registry.example.com/"), False),
        (prod(merge="atuo"), False),
        (prod(soak="2h"), False),
        (prod(where={}), False),
        (prod(where={"environment": 1}), False),
        (prod(name="Prod"), False),
        (prod(source={"tag": "v*"}), False),
        (prod(source={"tags": "v" * 200}), True),
        (prod(source={"tags": "v" * 201}), False),
        (prod(after=["test"] * 200), True),
        (prod(after=["test"] * 201), False),
        (with_stages(*({**TEST, "name": f"s{number}"} for number in range(200))), True),
        (with_stages(*({**TEST, "name": f"s{number}"} for number in range(201))), False),
        (
            {
                "version": 1,
                "services": {"path": "{service}" + "a" * 991},
                "stages": [{**TEST, "where": {"service": "a"}}],
            },
            True,
        ),
        (
            {
                "version": 1,
                "services": {"path": "{service}" + "a" * 992},
                "stages": [{**TEST, "where": {"service": "a"}}],
            },
            False,
        ),
    ],
)
def test_schema_and_parser_agree(value: Rule, valid: bool) -> None:
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
        *(f"stages[].approvals.{key}" for key in found["$defs"]["Approvals"]["properties"]),
        *(f"stages[].rollback.{key}" for key in found["$defs"]["Rollback"]["properties"]),
        "validation.mode",
        "version",
    }
    table = (DOCS / "policy.md").read_text("utf-8").partition("### ")[0]
    assert set(re.findall(r"^\| `([a-z\[\].]+)` \|", table, re.MULTILINE)) == keys
