"""SARIF 2.1.0 (OASIS), the JSON of static analysis tools."""

from collections.abc import Iterator
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bot.validators.reports.places import Place
from bot.validators.reports.unreadable import MOST_READ, Unreadable, small
from policies.findings import Finding, Severity

Level: TypeAlias = Literal["none", "note", "warning", "error"]
SEVERITIES = {"error": Severity.error, "warning": Severity.warning, "note": Severity.note, "none": Severity.note}
MOST_BYTES = 2 * 1024 * 1024
"""Of a report: built of models, three of its bytes may take a kilobyte."""
MOST_PLACES = 100
"""Locations of one result, and of what else there are usually a few."""
TOLD = {"fail", "open", "review"}
"""Kinds of results that say that something is, or may be, wrong (3.27.9)."""


class _Node(BaseModel):
    """A part of the file; keys that nobody here reads are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class _Message(_Node):
    text: str = ""
    id: str = ""


class _Artifact(_Node):
    uri: str = ""


class _Region(_Node):
    start_line: int | None = Field(default=None, ge=1, alias="startLine")


class _Physical(_Node):
    artifact_location: _Artifact = Field(default=_Artifact(), alias="artifactLocation")
    region: _Region = _Region()


class _Location(_Node):
    physical_location: _Physical = Field(default=_Physical(), alias="physicalLocation")


class _Configuration(_Node):
    level: Level = "warning"


class _Rule(_Node):
    id: str
    default_configuration: _Configuration = Field(default=_Configuration(), alias="defaultConfiguration")
    message_strings: dict[str, _Message] = Field(default={}, alias="messageStrings", max_length=MOST_PLACES)


class _Named(_Node):
    id: str = ""


class _Suppression(_Node):
    status: str = "accepted"


class _Result(_Node):
    rule_id: str = Field(default="", alias="ruleId")
    rule_index: int = Field(default=-1, alias="ruleIndex")
    rule: _Named = _Named()
    kind: str = "fail"
    level: Level | None = None
    message: _Message
    locations: tuple[_Location, ...] = Field(default=(), max_length=MOST_PLACES)
    suppressions: tuple[_Suppression, ...] = Field(default=(), max_length=MOST_PLACES)
    baseline_state: str = Field(default="", alias="baselineState")


class _Driver(_Node):
    rules: tuple[_Rule, ...] = Field(default=(), max_length=MOST_READ)


class _Tool(_Node):
    driver: _Driver


class _Run(_Node):
    tool: _Tool
    results: Annotated[tuple[_Result, ...], Field(max_length=MOST_READ)] | None = None


class _Log(_Node):
    version: Literal["2.1.0"]
    runs: tuple[_Run, ...] = Field(max_length=MOST_PLACES)


_LOG = TypeAdapter(_Log)


def read(raw: bytes, place: Place) -> Iterator[Finding]:
    """A finding for each result that is neither passed nor suppressed."""
    try:
        log = _LOG.validate_json(small(raw, MOST_BYTES))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(one) for one in first["loc"][:8])
        raise Unreadable(f"is no SARIF 2.1.0 ({where or 'the whole'}: {first['type']})") from error
    for run in log.runs:
        rules = {rule.id: rule for rule in run.tool.driver.rules}
        for result in run.results or ():
            if _counts(result):
                yield _finding(result, _rule_of(result, run.tool.driver.rules, rules), place)


def _counts(result: _Result) -> bool:
    suppressed = any(one.status == "accepted" for one in result.suppressions)
    return result.kind in TOLD and not suppressed and result.baseline_state != "absent"


def _rule_of(result: _Result, listed: tuple[_Rule, ...], rules: dict[str, _Rule]) -> _Rule:
    """The rule by its place in the list, or by its name; `a/b` is a part of the rule `a` (3.27.5)."""
    if 0 <= result.rule_index < len(listed):
        return listed[result.rule_index]
    name = result.rule_id or result.rule.id
    return rules.get(name) or rules.get(name.rpartition("/")[0]) or _Rule(id=name)


def _finding(result: _Result, rule: _Rule, place: Place) -> Finding:
    where = result.locations[0].physical_location if result.locations else _Physical()
    level = result.level or (rule.default_configuration.level if result.kind == "fail" else "note")
    text = result.message.text or rule.message_strings.get(result.message.id, _Message()).text
    path = place(where.artifact_location.uri)
    name = result.rule_id or rule.id
    line = where.region.start_line if path else None
    return Finding(text or name or "a result without a message", SEVERITIES[level], path, line, name)
