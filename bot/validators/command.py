"""The operator's own validators: a program that settings name, run once a change in a checkout of what would be merged.

Nothing from a repository names a program (S8); what the program prints is read by `bot.validators.reports`."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import chain
from typing import Protocol

from bot.validators.base import Bench, Broken, Change, Part, Told, Validator
from bot.validators.checking import plain, ranked, told, workplace
from bot.validators.export import export
from bot.validators.launching import Ended, Limits
from bot.validators.reports import FORMATS, MOST_READ, Place, Unreadable, place_in
from policies.findings import Finding, Severity

PATHS = "{paths}"
"""A word of the command that stands for the changed files."""
TAIL = 16 * 1024
LAST_LINES = 6
LONGEST = 1000
"""Letters that are read of a message; fewer are told."""
LONGEST_RULE = 100
LONGEST_TAIL = 400


class Command(Protocol):
    """One validator as settings give it."""

    @property
    def command(self) -> tuple[str, ...]:
        """The program and its arguments."""
        ...

    @property
    def format(self) -> str:
        """Which of `reports.FORMATS` it prints."""
        ...

    @property
    def network(self) -> bool:
        """Whether it may use the network."""
        ...

    @property
    def seconds(self) -> float:
        """How long it may run."""
        ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The patterns of changed paths for which it runs."""
        ...

    @property
    def folders(self) -> tuple[str, ...]:
        """What is checked out."""
        ...


def validators(commands: Mapping[str, Command]) -> tuple[Validator, ...]:
    """A validator for each command, by its name."""
    return tuple(_validator(name, command) for name, command in sorted(commands.items()))


def _validator(name: str, command: Command) -> Validator:
    says = f"what `{command.command[0]}` says"
    return Validator(name, says, partial(_parts, command), partial(_check, name, command), program=command.command[0])


def _parts(command: Command, change: Change) -> Iterator[Part]:
    paths = _matching(command, change.paths)
    if paths:
        folders = (text for one in command.folders for text in (one, change.after.id(one) or "-"))
        settings = [command.command, command.format, command.network, command.seconds]
        yield Part("", (json.dumps(settings), _digest(paths), *folders))


def _matching(command: Command, paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(path for path in paths if any(fnmatchcase(path, pattern) for pattern in command.paths))


def _digest(paths: tuple[str, ...]) -> str:
    return hashlib.sha256("\0".join(paths).encode(errors="surrogatepass")).hexdigest()


def _check(name: str, command: Command, change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001
    """Run it, and tell what it found; a program that fails without saying why is one error."""
    folder = workplace(bench)
    written = export(change.after, folder, command.folders)
    paths = tuple(path for path in _matching(command, change.paths) if path in written)
    version = bench.launcher.version(command.command[0]) or ""
    ended = bench.launcher.run(
        _words(command, paths),
        folder,
        limits=Limits(seconds=command.seconds),
        network=command.network,
        given=b"".join(path.encode(errors="surrogateescape") + b"\0" for path in paths),
    )
    found = _read(name, command, ended, place_in(folder, written))
    return Told(ranked((*found, *_failed(name, ended, found))), version=version)


def _words(command: Command, paths: tuple[str, ...]) -> list[str]:
    """The command with the changed files in place of `{paths}`; `./` keeps a name from being an option."""
    return list(
        chain.from_iterable([f"./{path}" for path in paths] if word == PATHS else [word] for word in command.command)
    )


def _read(name: str, command: Command, ended: Ended, place: Place) -> tuple[Finding, ...]:
    """What it printed, in its format; Broken where it says that all is well in a way that nobody understands (S16)."""
    printed = ended.out + b"\n" + ended.err if command.format == "lines" else ended.out
    found: list[Finding] = []
    try:
        for one, _ in zip(FORMATS[command.format](printed, place), range(MOST_READ), strict=False):
            found.append(_clean(one, command, ended))
    except Unreadable as error:
        if ended.code == 0:
            raise Broken(f"what {name} printed {error}") from error
    return tuple(found)


def _clean(found: Finding, command: Command, ended: Ended) -> Finding:
    """The finding without control characters and secrets; a line of a program that passed is no error."""
    passed = command.format == "lines" and ended.code == 0 and found.severity is Severity.error
    severity = Severity.warning if passed else found.severity
    message = told(found.message[:LONGEST]) or "something without words"
    return replace(found, message=message, severity=severity, rule=told(found.rule)[:LONGEST_RULE])


def _failed(name: str, ended: Ended, found: Iterable[Finding]) -> Iterator[Finding]:
    """That it failed, where no error that it told says so."""
    if ended.code != 0 and all(one.severity is not Severity.error for one in found):
        lines = [one for text in (ended.out, ended.err) for one in plain(text[-TAIL:].decode(errors="replace"))]
        said = " / ".join(lines[-LAST_LINES:])[-LONGEST_TAIL:] or "it said nothing"
        yield Finding(f"{name} ended with {ended.code}: {said}")
