"""Rendered YAML as objects of a cluster, each told by its group, kind, namespace and name."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bot.validators import redaction
from bot.validators.base import bounded
from bot.validators.documents import documents
from bot.yaml import Unreadable
from policies.findings import Finding, Severity

LONGEST_NAME = 253
"""Letters of a name; Kubernetes takes no longer one."""

_LOOKED_AT = 4000
"""Letters of a key that are looked through for secrets, before it is cut."""

Value = Mapping[str, object]


class Identity(NamedTuple):
    """What makes two objects the same one in a cluster; the version of the API does not."""

    kind: str
    namespace: str
    name: str
    group: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of one rendering, and what is wrong with it."""

    found: Mapping[Identity, Value]
    findings: tuple[Finding, ...] = ()


NONE = Objects({})


def objects(raw: bytes | None) -> Objects:
    """The objects of a rendering, lists taken apart, empty documents left out; of two with one identity the last.

    What is no object, stands twice or is no YAML is a finding, its line being that of the rendering."""
    found: dict[Identity, Value] = {}
    findings: list[Finding] = []
    for one in _told(raw or b""):
        if isinstance(one, Finding):
            findings.append(one)
            continue
        identity, value = one
        if identity in found:
            message = f"{redaction.line(str(identity))} is rendered twice; the last one counts"
            findings.append(_warning(message, "duplicate-object"))
        found[identity] = value
    return Objects(found, bounded(findings))


def _told(raw: bytes) -> Iterator[Finding | tuple[Identity, Value]]:
    try:
        for document in documents(raw):
            for key, line in document.repeated:
                shown = redaction.line(key[:_LOOKED_AT])[:LONGEST_NAME]
                message = f"the key {shown!r} is rendered twice in one mapping (line {line} of the output)"
                yield _warning(message, "duplicate-key")
            yield from _taken_apart(document.value, document.line)
    except Unreadable as error:
        yield Finding(f"what is rendered cannot be read: {error}", rule="unreadable")


def _taken_apart(value: object, line: int) -> Iterator[Finding | tuple[Identity, Value]]:
    """The object, or those of a list as `kubectl get` gives it; lists within lists are as deep as YAML may be."""
    if value is None:
        return
    if not isinstance(value, dict):
        yield _no_object("is no mapping", line)
    elif str(value.get("kind")).endswith("List") and isinstance(value.get("items"), list):
        for item in value["items"]:
            yield from _taken_apart(item, line)
    else:
        identity = _identity(value)
        yield _no_object(identity, line) if isinstance(identity, str) else (identity, value)


def _identity(value: Value) -> Identity | str:
    """What tells the object, or why nothing does."""
    metadata = value.get("metadata")
    if not _text(value, "apiVersion") or not _text(value, "kind"):
        return "has no apiVersion or no kind"
    if not isinstance(metadata, dict):
        return "has no metadata"
    name = _text(metadata, "name") or _text(metadata, "generateName")
    if not name:
        return "has no name"
    group = _text(value, "apiVersion").rpartition("/")[0]
    return Identity(_text(value, "kind"), _text(metadata, "namespace"), name, group)


def _text(value: Value, key: str) -> str:
    found = value.get(key)
    return found[:LONGEST_NAME] if isinstance(found, str) else ""


def _no_object(why: str, line: int) -> Finding:
    message = f"the document at line {line} of the output {why}, so it is no object of Kubernetes"
    return Finding(message, rule="no-object")


def _warning(message: str, rule: str) -> Finding:
    return Finding(message, Severity.warning, rule=rule)
