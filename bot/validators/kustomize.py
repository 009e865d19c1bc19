"""`kustomize`: a folder built by `kustomize build`, before and after, from what the repository holds alone."""

import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from posixpath import join, normpath

from bot.validators import redaction
from bot.validators.base import MOST_FINDINGS, Change, Part, Target, Tree, Validator
from bot.validators.documents import documents
from bot.validators.rendered import CHECKOUT, Side, Unrenderable, compared, differing, left_out, said
from bot.yaml import Unreadable
from policies.findings import Finding
from policies.validating import Kustomize, filled

FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
"""The names that kustomize knows (sigs.k8s.io/kustomize/api/konfig)."""
MOST_FOLDERS = 200
MOST_BYTES = 256 * 1024
"""Of one kustomization: it is read where promotions are decided, which nobody shall hold up."""
MOST_BYTES_IN_ALL = 1024 * 1024
SMALLEST = 2
"""Bytes of a value as it is written (`a,`): what aliases repeat counts as if it were."""
SLOWLY = 16 * 1024
"""Bytes of a kustomization that the parser in Python may read, where libyaml refuses it."""
SLOWLY_IN_ALL = 64 * 1024
_REFERRING = {"resources", "bases", "components", "generators", "transformers", "validators"}
"""Keys whose entries may be folders; every other key names files below its own folder."""
_NAMING = {"files", "envs", "env", "path", "crds", "configurations", "patchesstrategicmerge"}
"""Keys, at any depth, whose entries are files; kustomize would get a URL among them."""
_HELM = {"helmcharts", "helmchartinflationgenerator"}
_REMOTE = re.compile(r"://|\?ref=|@[\w.-]+:|^[\w-]+(\.[\w-]+)+/|^\w+::")
"""What kustomize would ask a network for, where no such file is there."""
_URL = re.compile(r"^([^=]*=)?\w+://")
_FETCHED = "is remote: nothing is fetched here, so keep a copy of it in the repository"
_LOOKED_AT = 4000
"""Letters of an entry that are looked through for secrets, before it is cut."""
_LINE = re.compile(r"\bline (\d+)")


@dataclass(slots=True)
class Sources:
    """What a folder is built from."""

    paths: dict[str, None] = field(default_factory=dict)
    """Folders and files, each once, in the order in which they were found."""
    findings: list[Finding] = field(default_factory=list)
    """Why it cannot be built here."""
    size: int = 0
    """Of the kustomizations."""
    slowly: int = SLOWLY_IN_ALL
    """Bytes that the parser in Python may still read."""


@dataclass(frozen=True, slots=True)
class _Said:
    """What one kustomization says; no more of it is kept than is looked at."""

    size: int = 0
    faults: tuple[tuple[str, int | None, str], ...] = ()
    """What is wrong, the line, the rule."""
    entries: tuple[tuple[str, int | None], ...] = ()
    """What it refers to, each with its line."""
    is_refused: bool = False
    """Whether libyaml takes it for no YAML, so that the parser in Python may know better."""


def sources(tree: Tree, folder: str) -> Sources:
    """The folder, and all that its kustomization and theirs refer to outside of it."""
    found, left = Sources(), [folder]
    while left and len(found.findings) < MOST_FINDINGS:
        here = left.pop()
        path = _file(tree, here) if here not in found.paths else None
        found.paths[here] = None
        if len(found.paths) > MOST_FOLDERS:
            found.findings.append(Finding(f"it is built from more than {MOST_FOLDERS} folders", path=folder))
            break
        if path is None:
            continue
        said = _said_by(tree.read(path) or b"", found)
        if found.size > MOST_BYTES_IN_ALL:
            message = f"it is built from more than {MOST_BYTES_IN_ALL // 1024 // 1024} MiB of kustomizations"
            found.findings.append(Finding(message, path=folder))
            break
        told = [*_referred(tree, here, path, said)]
        found.findings += [one for one in told if isinstance(one, Finding)]
        left += [one for one in told if isinstance(one, str)]
    return found


def _said_by(raw: bytes, found: Sources) -> _Said:
    """What a kustomization says; it is counted among those that were found."""
    if len(raw) > MOST_BYTES:
        return _Said(faults=((f"it is larger than {MOST_BYTES // 1024} KiB", None, "unreadable"),))
    said = _read(raw, 0)
    if said.is_refused and len(raw) <= min(SLOWLY, found.slowly):
        found.slowly -= len(raw)
        said = _read(raw, len(raw))
    found.size += said.size
    return said


def _file(tree: Tree, folder: str) -> str | None:
    paths = (join(folder, name) for name in FILES)
    return next((path for path in paths if tree.read(path) is not None), None)


def _referred(tree: Tree, here: str, path: str, said: _Said) -> Iterator[str | Finding]:
    """What one kustomization refers to outside of its own folder's files, and why what cannot be had cannot be had."""
    for message, line, rule in said.faults:
        yield Finding(message, path=path, line=line, rule=rule)
    for entry, line in said.entries:
        place = _place(here, entry)
        if place is None or tree.id(place) is None:
            yield Finding(f"{_shown(entry)} {_why(entry, place)}", path=path, line=line, rule="reference")
        elif not place.startswith(f"{here}/") or _file(tree, place) is not None:
            yield place


@lru_cache(maxsize=256)
def _read(raw: bytes, slowly: int) -> _Said:
    """What a kustomization's bytes say: read once, for every look at a promotion asks again."""
    try:
        first = next(documents(raw, slowly), None)
    except Unreadable as error:
        return _Said(len(raw), ((error.reason, error.line, "unreadable"),), is_refused=True)
    size = len(raw) if first is None else max(len(raw), SMALLEST * first.nodes)
    if size > MOST_BYTES:
        return _Said(size, ((f"its aliases make it larger than {MOST_BYTES // 1024} KiB", None, "unreadable"),))
    content: Mapping[str, object] = first.value if first is not None and isinstance(first.value, dict) else {}
    text, named = raw.decode(errors="replace"), {key: content[key] for key in content if key.casefold() in _REFERRING}
    # More than that are either too many folders or the same ones again, at which kustomize itself takes offence.
    refused, entries = islice(_refused(content), MOST_FINDINGS), islice(_entries(named, _REFERRING), MOST_FOLDERS + 1)
    faults = tuple((f"{_shown(one)} {why}", _line(text, one), "reference") for one, why in refused)
    return _Said(size, faults, tuple((entry, _line(text, entry)) for entry in entries))


def _refused(content: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    charts = (key for key in content if key.casefold() in _HELM)
    yield from ((key, "is not rendered by kustomize here: it would fetch the chart") for key in charts)
    yield from ((entry, _FETCHED) for entry in _entries(content, _NAMING) if _URL.search(entry))


def _shown(entry: str) -> str:
    """An entry as findings quote it: a URL may hold a password (S10)."""
    return repr(redaction.line(entry[:_LOOKED_AT])[:200])


def _place(here: str, entry: str) -> str | None:
    """The path that an entry leads to from a folder; None where that is not in the repository."""
    place = normpath(join(here, entry))
    if place.startswith("/") or place.split("/")[0] == "..":
        return None
    return "" if place == "." else place


def _why(entry: str, place: str | None) -> str:
    if _REMOTE.search(entry):
        return _FETCHED
    return "leads out of the repository" if place is None else "is not there"


def _entries(value: object, keys: Container[str]) -> Iterator[str]:
    """The texts right below these keys, at any depth. One of several lines is the object itself, not where it is.

    Go takes a key whatever the case of its letters, by Unicode's folding (encoding/json, `Unmarshal`)."""
    if isinstance(value, list):
        for item in value:
            yield from _entries(item, keys)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key.casefold() in keys:
                listed = inner if isinstance(inner, list) else [inner]
                yield from (one for one in listed if isinstance(one, str) and one and "\n" not in one)
            yield from _entries(inner, keys)


def _line(text: str, entry: str) -> int | None:
    at = text.find(entry)
    return None if at < 0 else text.count("\n", 0, at) + 1


def render(side: Side, target: Target, rules: Kustomize) -> bytes | None:
    """What kustomize makes of a target's folder; None where there is none. Unrenderable where it cannot be built."""
    folder = folder_of(rules, target)
    if side.tree.id(folder) is None:
        return None
    if _file(side.tree, folder) is None:
        raise Unrenderable(Finding(f"the folder has no {FILES[0]}", path=folder, rule="kustomization"))
    found = sources(side.tree, folder)
    if found.findings:
        raise Unrenderable(*found.findings)
    ended = side.run(["kustomize", "build", "--", f"./{CHECKOUT}/{folder}"], found.paths)
    if ended.code != 0:
        raise Unrenderable(_fault(side.tree, tuple(found.paths), said(ended.err, {})))
    return ended.out


def folder_of(rules: Kustomize, target: Target) -> str:
    """The folder that is built for a target; `rules.folder` must be set."""
    return filled(rules.folder or "", dict(target.names))


def _fault(tree: Tree, used: tuple[str, ...], text: str) -> Finding:
    """What kustomize says, at the last file that it names: the innermost. It names some by their path in a folder."""
    words = [word.strip("'\",:;()") for word in text.split()]
    places = (join(folder, word) for word in reversed(words) if "." in word for folder in ("", *reversed(used)))
    named = next((place for place in places if tree.read(place) is not None), None)
    at = _LINE.search(text)
    path, line = (named, int(at[1]) if at else None) if named else (_file(tree, used[0]) or used[0], None)
    return Finding(text + left_out(tree, used[0]), path=path, line=line, rule="build")


def inputs(change: Change, target: Target) -> tuple[str, ...]:
    """All that a target is built from, before and after; empty where it is the same, or policy names no folder."""
    rules = change.rules.checks.kustomize
    if rules.folder is None:
        return ()
    folder = folder_of(rules, target)
    used = {**sources(change.before, folder).paths, **sources(change.after, folder).paths}
    return differing(change, sorted(used), folder)


def _parts(change: Change) -> Iterator[Part]:
    """A part for each folder of which anything differs that it is built from; several targets may share one."""
    folders = {folder_of(change.rules.checks.kustomize, target): target for target in reversed(change.targets)}
    for folder, target in sorted(folders.items()):
        found = inputs(change, target)
        if found:
            yield Part(folder, found, target)


VALIDATOR = Validator("kustomize", "what the folder builds, before and after", _parts, compared, program="kustomize")
