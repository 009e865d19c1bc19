"""A process of its own that judges values by a JSON Schema: a schema can be written so that judging has no end.

It gets `{"schema": TEXT, "values": ...}` on its standard input and prints what `judged` gives, both as JSON. It imports
nothing of ours, so it can be started by its path alone. No value is ever repeated (S10)."""

import json
import re
import resource
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias, cast

from jsonschema import Draft7Validator, SchemaError, ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable

Json: TypeAlias = dict[str, Any] | list[Any] | str | float | bool | None
MOST = 1000
MEMORY = 1024 * 1024 * 1024
"""Bytes."""
LONGEST = 200
MOST_TOLD = 1024 * 1024
"""Bytes that are printed; what would be more is a failure."""
_SAID = {
    "type": "must be of type",
    "enum": "must be one of",
    "const": "must be",
    "pattern": "must match",
    "format": "must be a",
    "minimum": "must be at least",
    "maximum": "must be at most",
    "exclusiveMinimum": "must be more than",
    "exclusiveMaximum": "must be less than",
    "multipleOf": "must be a multiple of",
    "minLength": "must be at least this long:",
    "maxLength": "must be at most this long:",
    "minItems": "must have at least this many items:",
    "maxItems": "must have at most this many items:",
    "minProperties": "must have at least this many keys:",
    "maxProperties": "must have at most this many keys:",
}


def judged(text: str, values: Json) -> dict[str, object]:
    """`errors`: a list of path, keyword and what is wrong; or `bad`: why it is no schema; or `unknown`: what it needs.

    The draft is that of `$schema`, else 7, as Helm 3 has it. Nothing that a schema refers to is fetched (S11)."""
    try:
        schema: Any = json.loads(text)
        if not isinstance(schema, dict | bool):
            return {"bad": "it is neither an object nor true or false"}
        if isinstance(schema, dict) and not isinstance(schema.get("$schema", ""), str):
            return {"bad": "its $schema is no text"}
        draft: type[Validator] = validator_for(schema, default=Draft7Validator)
        draft.check_schema(cast("dict[str, Any]", schema))  # it may be true or false too
        # Without a registry of ours it would fetch what it does not know.
        found = draft(schema, registry=Registry()).iter_errors(values)
        return {"errors": list(islice((row for error in found for row in _rows(error)), MOST))}
    except SchemaError as error:
        return {"bad": f"at {'.'.join(map(str, error.absolute_path)) or 'its top'}: {error.message}"[:LONGEST]}
    except Unresolvable as error:
        return {"unknown": str(error.ref)[:LONGEST]}
    except (ValueError, re.error) as error:
        return {"bad": f"it cannot be read: {error}"[:LONGEST]}
    except (AttributeError, KeyError, TypeError):
        return {"bad": "it refers to what is no schema"}  # what a reference leads to is not checked beforehand
    except RecursionError:
        return {"bad": "it leads into itself without an end, or is nested too deep"}


def _rows(error: ValidationError) -> Iterator[tuple[list[str | int], str, str]]:
    path, keyword = [_cut(step) for step in error.absolute_path], str(error.validator)[:LONGEST]
    extras = list(islice(_extras(error), MOST)) if keyword == "additionalProperties" else []
    if extras:
        yield from ((([*path, _cut(name)], keyword, "is no key that the schema knows")) for name in extras)
    else:
        yield path, keyword, _said(error, keyword)


def _cut(step: str | int) -> str | int:
    """A key of values as it is told: each may be as long as the file."""
    return f"{step[: LONGEST - 1]}…" if isinstance(step, str) and len(step) > LONGEST else step


def _extras(error: ValidationError) -> Iterator[str]:
    """The keys of which the schema says nothing."""
    if error.validator_value is False and isinstance(error.schema, dict) and isinstance(error.instance, dict):
        known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
        for name in error.instance:
            if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                yield name


def _said(error: ValidationError, keyword: str) -> str:
    if keyword in {"required", "dependentRequired"}:
        return error.message[:LONGEST]  # it names keys, no value
    if keyword == "None":
        return "holds what the schema does not allow"  # where, the library does not say
    if keyword in _SAID:
        return f"{_SAID[keyword]} {_shown(error.validator_value)}"
    return f"does not satisfy the schema's `{keyword}`"


def _shown(wanted: object) -> str:
    """What a schema says, as JSON; words as they are."""
    one = wanted if isinstance(wanted, str) else json.dumps(wanted)
    return one if len(one) <= LONGEST else f"{one[: LONGEST - 1]}…"


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    given = json.load(sys.stdin)
    told = json.dumps(judged(given["schema"], given["values"]))
    if len(told) > MOST_TOLD:
        sys.exit(1)
    sys.stdout.write(told)
