"""`towpath schema`: the JSON Schema of `towpath.yaml`, which editors complete and check by."""

import json

import click
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from policies.config import Policy

DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Schema(GenerateJsonSchema):
    """Pydantic's schema of what is written rather than of what is parsed: a list of strings may be one string."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        """The only values that are changed before they are validated are those of `policies.config.Several`."""
        several = super().function_before_schema(schema)
        return {"anyOf": [{"type": "string"}, several]} if several.get("type") == "array" else several


def schema() -> JsonSchemaValue:
    """The schema as a value."""
    found = Policy.model_json_schema(schema_generator=_Schema)
    for definition in (found, *found["$defs"].values()):
        definition.pop("title")
        for described in definition["properties"].values():
            described.pop("title", None)  # `Merge` as the title of `merge` says nothing.
    return {"$schema": DIALECT, **found, "title": "towpath.yaml"}


def text() -> str:
    """The schema as it is printed and committed."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


@click.command()
def command() -> None:
    """Print the JSON Schema of towpath.yaml."""
    click.echo(text(), nl=False)
