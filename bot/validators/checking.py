"""What programs that look at rendered objects have in common: their parts, what they are given, how they are read."""

import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.validators.base import (
    MOST_FINDINGS,
    Bench,
    Broken,
    Change,
    Part,
    Rendered,
    Skipped,
    Target,
    Tree,
    both,
    bounded,
)
from bot.validators.documents import documents
from bot.validators.export import export
from bot.validators.launching import Ended
from bot.validators.redaction import line
from bot.validators.rendering import inputs
from bot.yaml import Unreadable
from policies.findings import Finding, Severity
from policies.validating import Insides, filled

MOST_PIECES = 2000
"""Objects of one rendering that are written to files of their own."""
LONGEST_LINE = 400
"""Letters of what a program says of itself."""
MOST_TEXT = 4096
"""Letters of a message that are looked at."""

_MARK = re.compile(rb"(?m)^(?:---|\.\.\.)(?=[ \t\r]|$)")
"""Where a YAML document begins or ends: nothing else may begin a line so (YAML 1.2, 9.1.1 and 9.1.2)."""
_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)|[^\x20-\x7e\xa0-\U0010ffff]")
"""ANSI's control sequences, and every other sign that is not printed."""
_SPEAKS = re.compile(r"^(?:Error|error|FATAL|Fatal)\b")

Parsed = TypeVar("Parsed")


class Answer(BaseModel):
    """A part of a program's JSON; keys that nobody here reads are left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def rendered_parts(change: Change, name: str, folders: Insides = ()) -> Iterator[Part]:
    """A part for each rendering that differs: all that it is made from, and the folders of rules to look at it by.

    Where policy names no renderer but folders, or requires the check, each touched target is one, of which is told
    that nobody looked. Folders are those of the target branch: a change brings no rules to be judged by (S12)."""
    checks = change.rules.checks
    renders = checks.helm.chart is not None or checks.kustomize.folder is not None
    if not (renders or folders or checks.of(name).required):
        return
    seen = set()
    for target in change.targets:
        found = inputs(change, target) if renders else (target.path, *both(change, target.path))
        rules = (text for path in placed(folders, target) for text in (path, change.before.id(path) or "-"))
        key = (*found, *rules)
        if found and key not in seen:
            seen.add(key)
            yield Part(target.path, key, target)


def placed(folders: Insides, target: Target) -> tuple[str, ...]:
    """The folders of a target, each `{name}` replaced by what its path captured."""
    return tuple(filled(folder, dict(target.names)) for folder in folders)


def rendering_of(change: Change, part: Part, bench: Bench) -> Rendered:
    """What the cluster gets of the part's target; Skipped where nothing renders it."""
    if part.target is None or bench.rendered is None:
        raise Skipped("policy names no renderer")
    return bench.rendered(change, part.target)


def workplace(bench: Bench) -> Path:
    """A new, empty folder in which one program runs."""
    return Path(tempfile.mkdtemp(dir=bench.scratch))


def checked_out(tree: Tree, paths: tuple[str, ...], folder: Path) -> tuple[Path, ...]:
    """Files and folders of a tree, written below a folder; Skipped where one of them is not there."""
    for path in paths:
        if tree.id(path) is None:
            raise Skipped(f"{path} is not on the target branch")
    export(tree, folder, paths)
    return tuple(folder / path for path in paths)


def pieces(raw: bytes) -> tuple[bytes, ...]:
    """The documents of a rendering, each by itself, its bytes as they are; empty ones are left out.

    Programs find the seams in their own ways: one looks for `---` alone on its line and sees no object after
    `--- # here`. So they are given documents apart, and where the seams are in doubt nothing is: Broken."""
    found = [piece.strip(b"\n") for piece in _MARK.split(raw) if piece.strip()]
    if len(found) > MOST_PIECES:
        raise Broken(f"more than {MOST_PIECES} objects are rendered")
    return tuple(piece for piece in found if _counts(piece))


def _counts(piece: bytes) -> bool:
    count = _count(piece)
    if count > 1:
        raise Broken("what is rendered cannot be taken apart into objects")
    return count == 1


def _count(raw: bytes) -> int:
    """How many documents are not empty."""
    try:
        return sum(document.value is not None for document in documents(raw))
    except Unreadable as error:
        raise Broken(f"what is rendered cannot be read: {error}") from error


def joined(apart: tuple[bytes, ...]) -> bytes:
    """The documents as one text whose seams every program sees."""
    return b"".join(b"---\n" + piece + b"\n" for piece in apart)


def written(apart: tuple[bytes, ...], folder: Path) -> Mapping[str, str]:
    """Write each document to a file of its own; the object in each, by the file's name."""
    folder.mkdir()
    names = {f"{number:04}.yaml": piece for number, piece in enumerate(apart)}
    for name, piece in names.items():
        (folder / name).write_bytes(piece + b"\n")
    return {name: _called(piece) for name, piece in names.items()}


def _called(piece: bytes) -> str:
    value = next((document.value for document in documents(piece) if document.value is not None), None)
    found = value if isinstance(value, dict) else {}
    metadata = found.get("metadata")
    named = metadata if isinstance(metadata, dict) else {}
    return called(found.get("kind"), named.get("namespace"), named.get("name") or named.get("generateName"))


def called(kind: object, namespace: object, name: object) -> str:
    """An object as findings name it: `Deployment shop/api`."""
    place = "/".join(str(one)[:100] for one in (namespace, name) if one)
    return f"{str(kind or 'an object')[:100]} {place}".rstrip()


def read(adapter: TypeAdapter[Parsed], program: str, ended: Ended, codes: tuple[int, ...]) -> Parsed:
    """What a program printed; Broken where it ended otherwise than its documentation says, or prints no such thing."""
    if ended.code not in codes:
        raise failed(program, ended)
    try:
        return adapter.validate_json(ended.out)
    except ValidationError as error:
        if ended.code != 0:
            raise failed(program, ended) from error
        raise Broken(f"{program} printed what it should not: no JSON of its kind") from error


def failed(program: str, ended: Ended) -> Broken:
    """That a program failed, with what it said first of why."""
    return Broken(f"{program} ended with {ended.code}: {complaint(ended)}")


def complaint(ended: Ended) -> str:
    """The first line in which a program says that it failed, else the first of all that it said."""
    texts = [text[: 64 * 1024].decode(errors="replace") for text in (ended.err, ended.out)]
    lines = [one for text in texts for one in _cleaned(text)]
    said = next((one for one in lines if _SPEAKS.match(one)), lines[0] if lines else "it said nothing")
    return line(said[:MOST_TEXT])[:LONGEST_LINE]


def ranked(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """As many findings as are shown, the gravest first: always in one order, which programs do not keep.

    Their texts may be as the program printed them: those that are shown are made plain here."""
    order = list(Severity)
    found = sorted(findings, key=lambda one: (order.index(one.severity), one.message, one.rule))
    shown = (replace(one, message=told(one.message), rule=told(one.rule)) for one in found[:MOST_FINDINGS])
    return bounded([*shown, *found[MOST_FINDINGS:]])


def told(text: str) -> str:
    """What a program says of something, as one line of a finding."""
    return " ".join(plain(text[:MOST_TEXT]))


def plain(text: str) -> list[str]:
    """The lines of a text that hold anything: printable, without secrets (S10), each at most 400 letters."""
    return [one[:LONGEST_LINE] for one in line("\n".join(_cleaned(text))).splitlines()]


def _cleaned(text: str) -> Iterator[str]:
    """The lines of a text that hold anything that is printed."""
    lines = (" ".join(_ESCAPE.sub(" ", one).split()) for one in text.splitlines())
    return (one for one in lines if one)
