"""`towpath owners`: who owns paths by a CODEOWNERS file, as GitHub or GitLab reads it; offline."""

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from policies.codeowners import Dialect
    from policies.codeowners.model import CodeOwners, Rule

DIALECTS = ("github", "gitlab")


@click.command()
@click.option("--dialect", type=click.Choice(DIALECTS), help="Whose rules.")
@click.option("--codeowners", "file", type=click.Path(path_type=Path), help="The file; else where the forge looks.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@click.option("--batch", is_flag=True, help="Answer JSON lines {dialect, codeowners, path} from standard input.")
@click.argument("paths", nargs=-1)
def command(dialect: "Dialect | None", file: Path | None, as_json: bool, batch: bool, paths: tuple[str, ...]) -> None:
    """Print who owns PATHS, section by section.

    Exits with 1 where the file has errors or cannot be read."""
    if batch:
        if dialect or file or as_json or paths:
            raise click.UsageError("--batch takes everything from standard input")
        with click.open_file("-", "rb") as lines:
            for answer in _batch(lines):
                click.echo(answer)
        return
    if dialect is None or not paths:
        raise click.UsageError("--dialect and at least one PATH are needed")
    file = file or _found(dialect)
    owners = _parsed(dialect, _text(file))
    for error in owners.errors:
        click.echo(f"{_printable(str(file))}:{error.line}: {error.kind}", err=True)
    for path in paths:
        for line in [_as_json(path, owners)] if as_json else _lines(path, owners.rules_for(path)):
            click.echo(line)
    if owners.errors:
        raise click.exceptions.Exit(1)


def _found(dialect: "Dialect") -> Path:
    """The first file here that the forge would take."""
    from policies.codeowners import LOCATIONS

    for name in LOCATIONS[dialect]:
        if Path(name).is_file():
            return Path(name)
    raise click.ClickException(f"there is none of {', '.join(LOCATIONS[dialect])} here; name the file by --codeowners")


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise click.ClickException(f"{_printable(str(file))}: {reason}") from error


@lru_cache(maxsize=16)
def _parsed(dialect: "Dialect", text: str) -> "CodeOwners":
    from policies.codeowners import parse

    return parse(dialect, text)


def _lines(path: str, rules: "tuple[Rule, ...]") -> Iterator[str]:
    """The path and below it a line per section; whatever a terminal would obey is shown as an escape (S9)."""
    yield _printable(path) + ("" if rules else ": nobody")
    for rule in rules:
        marks = ["optional"] * rule.optional + [f"approvals: {rule.approvals}"] * (rule.approvals > 0)
        asked = f" ({', '.join(marks)})" if marks else ""
        who = " ".join(rule.owners) or "no owners"
        yield _printable(f"  [{rule.section}]{asked} {who}  <- line {rule.line}: {rule.pattern}")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _as_json(path: str, owners: "CodeOwners") -> str:
    return json.dumps({"path": path, **_answer(path, owners)})


def _batch(lines: Iterable[bytes]) -> Iterator[str]:
    """An answer per line; a line that is no question ends it, but one that is no text is answered as that."""
    for number, raw in enumerate(lines, 1):
        try:
            line = raw.decode()
        except UnicodeDecodeError:
            yield json.dumps({"owners": None, "sections": [], "errors": [[number, "not_utf_8"]]})
            continue
        if line.strip():
            dialect, text, path = _question(line, number)
            yield json.dumps(_answer(path, _parsed(dialect, text)))


def _question(line: str, number: int) -> "tuple[Dialect, str, str]":
    try:
        asked = json.loads(line)
        dialect, text, path = asked["dialect"], asked["codeowners"], asked["path"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise click.ClickException(f"line {number}: write {{dialect, codeowners, path}} as JSON") from error
    if dialect not in DIALECTS or not isinstance(text, str) or not isinstance(path, str):
        raise click.ClickException(f"line {number}: dialect is github or gitlab, codeowners and path are text")
    return dialect, text, path


def _answer(path: str, owners: "CodeOwners") -> dict[str, object]:
    rules = owners.rules_for(path)
    union = list(dict.fromkeys(owner for rule in rules for owner in rule.owners))
    return {
        "owners": union if rules else None,
        "sections": [
            {
                "name": rule.section,
                "pattern": rule.pattern,
                "line": rule.line,
                "owners": list(rule.owners),
                "optional": rule.optional,
                "approvals": rule.approvals,
            }
            for rule in rules
        ],
        "errors": [[error.line, error.kind] for error in owners.errors],
    }
