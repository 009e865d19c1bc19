"""`towpath check`: a config repository as it lies in a folder, validated without Git and without a network."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

import click

from bot.formats import FORMATS
from bot.yaml import MOST_BYTES
from workers.checking import Checked, Finding, Severity, check
from workers.survey import cannot_be_read


class Folder(Mapping[str, bytes]):
    """The regular files below a folder, by relative path; no symbolic link is followed, as Git would not."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._paths: dict[str, None] = {}
        self.unread: list[Finding] = []
        """What is left out and why: links, special files, folders that cannot be listed."""
        waiting = [""]
        while waiting:
            waiting.extend(self._list(waiting.pop()))

    def __getitem__(self, path: str) -> bytes:
        """The bytes of a file, as many as tell that it is too large; OSError where it cannot be read."""
        if path not in self._paths:
            raise KeyError(path)
        with (self._root / path).open("rb") as file:
            return file.read(MOST_BYTES + 1)

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)

    def _list(self, prefix: str) -> Iterator[str]:
        """Note a folder's files; its folders are given back."""
        try:
            with os.scandir(self._root / prefix) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.unread.append(Finding(prefix or "./", None, cannot_be_read(error)))
            return
        if prefix and any(entry.name == ".git" for entry in entries):
            return  # A submodule, or a repository of its own: none of its files is in this one.
        for entry in entries:
            path = f"{prefix}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git":
                    yield f"{path}/"
            elif entry.is_file(follow_symlinks=False):
                self._paths[path] = None
            else:
                self._leave_out(path, entry)

    def _leave_out(self, path: str, entry: os.DirEntry[str]) -> None:
        reason = "is a symbolic link" if entry.is_symlink() else "is no regular file"
        place = f"{path}/" if entry.is_dir() else path
        self.unread.append(Finding(place, None, f"{reason}, which Towpath does not read", severity=Severity.warning))


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines: the findings, then the summary.")
@click.pass_context
def command(context: click.Context, path: Path, strict: bool, as_json: bool) -> None:
    """Validate the config repository in PATH (default: here), offline.

    Exits with 1 where something is wrong; warnings alone exit with 0 unless --strict."""
    folder = Folder(path)
    checked = check(folder, FORMATS, folder.unread)
    for line in _json_lines(checked) if as_json else _lines(checked):
        click.echo(line)
    failing = len(checked.findings) if strict else checked.count(Severity.fault)
    context.exit(1 if failing else 0)


def _lines(checked: Checked) -> Iterator[str]:
    for finding in checked.findings:
        yield line_of(finding)
    yield summary(checked)


def line_of(finding: Finding) -> str:
    """`PATH:LINE: key: message`, with whatever a terminal would obey shown as an escape (S9)."""
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    severity = "warning" if finding.severity is Severity.warning else ""
    return _printable(": ".join(filter(None, (place, severity, finding.key, finding.message))))


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def summary(checked: Checked) -> str:
    """What was checked and how much was found, on one line."""
    faults, warnings = (checked.count(severity) for severity in (Severity.fault, Severity.warning))
    found = _many(faults, "fault") + (f", {_many(warnings, 'warning')}" if warnings else "")
    if checked.counts is None:
        return f"the policy cannot be used, so no other file was read; {found}"
    read = (_many(count, name.removesuffix("s")) for name, count in asdict(checked.counts).items())
    return f"{', '.join(read)}; {found}"


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def _json_lines(checked: Checked) -> Iterator[str]:
    for finding in checked.findings:
        yield json.dumps({"kind": finding.severity, **_without(asdict(finding), "severity")})
    counts = asdict(checked.counts) if checked.counts else {}
    found = {"faults": checked.count(Severity.fault), "warnings": checked.count(Severity.warning)}
    yield json.dumps({"kind": "summary", **counts, **found})


def _without(fields: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in fields.items() if key != name}
