"""`kustomize`: a folder built by `kustomize build`, before and after, from what the repository holds alone."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from posixpath import join, normpath

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
_REFERRING = ("resources", "bases", "components", "generators", "transformers", "validators")
"""Keys whose entries may be folders; every other key names files below its own folder."""
_NAMING = ("files", "envs", "env", "path", "crds", "configurations", "patchesStrategicMerge")
"""Keys, at any depth, whose entries are files; kustomize would get a URL among them."""
_HELM = ("helmCharts", "helmChartInflationGenerator")
_REMOTE = re.compile(r"://|\?ref=|@[\w.-]+:|^[\w-]+(\.[\w-]+)+/|^\w+::")
"""What kustomize would ask a network for, where no such file is there."""
_URL = re.compile(r"^([^=]*=)?\w+://")
_FETCHED = "is remote: nothing is fetched here, so keep a copy of it in the repository"
_LINE = re.compile(r"\bline (\d+)")


@dataclass(slots=True)
class Sources:
    """What a folder is built from."""

    paths: dict[str, None] = field(default_factory=dict)
    """Folders and files, each once, in the order in which they were found."""
    findings: list[Finding] = field(default_factory=list)
    """Why it cannot be built here."""


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
        # More than that are either too many folders or the same ones again, at which kustomize itself takes offence.
        told = [] if path is None else [*islice(_referred(tree, here, path), MOST_FOLDERS + 1)]
        found.findings += [one for one in told if isinstance(one, Finding)]
        left += [one for one in told if isinstance(one, str)]
    return found


def _file(tree: Tree, folder: str) -> str | None:
    paths = (join(folder, name) for name in FILES)
    return next((path for path in paths if tree.read(path) is not None), None)


def _referred(tree: Tree, here: str, path: str) -> Iterator[str | Finding]:
    """What one kustomization refers to outside of its own folder's files, and why what cannot be had cannot be had."""
    raw = tree.read(path) or b""
    if len(raw) > MOST_BYTES:
        yield Finding(f"it is larger than {MOST_BYTES // 1024} KiB", path=path, rule="unreadable")
        return
    try:
        read = next((one.value for one in documents(raw)), None)
    except Unreadable as error:
        yield Finding(error.reason, path=path, line=error.line, rule="unreadable")
        return
    content: Mapping[str, object] = read if isinstance(read, dict) else {}
    for text, why in _refused(content):
        yield Finding(f"{text[:200]!r} {why}", path=path, line=_line(raw, text), rule="reference")
    for entry in _entries({key: content.get(key) for key in _REFERRING}, _REFERRING):
        place = _place(here, entry)
        if place is None or tree.id(place) is None:
            yield Finding(f"{entry[:200]!r} {_why(entry, place)}", path=path, line=_line(raw, entry), rule="reference")
        elif not place.startswith(f"{here}/") or _file(tree, place) is not None:
            yield place


def _refused(content: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    yield from ((key, "is not rendered by kustomize here: it would fetch the chart") for key in _HELM if key in content)
    yield from ((entry, _FETCHED) for entry in _entries(content, _NAMING) if _URL.search(entry))


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


def _entries(value: object, keys: tuple[str, ...]) -> Iterator[str]:
    """The texts right below these keys, at any depth. One of several lines is the object itself, not where it is."""
    if isinstance(value, list):
        for item in value:
            yield from _entries(item, keys)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key in keys:
                listed = inner if isinstance(inner, list) else [inner]
                yield from (one for one in listed if isinstance(one, str) and one and "\n" not in one)
            yield from _entries(inner, keys)


def _line(raw: bytes, text: str) -> int | None:
    lines = raw.decode(errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if text in line), None)


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
