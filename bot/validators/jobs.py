"""What is to be looked at, under which key its result is kept, and the look itself: nothing of it raises."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import structlog

from bot.errors import OutsideError
from bot.validators.base import Bench, Broken, Change, Part, Skipped, Told, Validator
from bot.validators.launching import Absent, Stopped
from policies.findings import Checked, Ran, Severity, at_most
from policies.validating import RENDERERS

log = structlog.get_logger(__name__)

TOWPATH = "towpath"
"""The name under which `versions` tells Towpath's own version, on which every result depends."""

Versions = Mapping[str, str]
"""Program to version, as the machine has them on which validators run; absent programs are left out."""


@dataclass(frozen=True, slots=True)
class Job:
    """One validator's look at one part of a change."""

    validator: Validator
    part: Part
    key: str
    """The same wherever nothing differs that the result depends on."""


def jobs(change: Change, validators: Iterable[Validator], versions: Versions) -> tuple[Job, ...]:
    """Everything that is to be looked at in a change, in the order of the validators."""
    if change.rules.mode == "off":
        return ()
    every = tuple(validators)
    running = [one for one in (*every, *_missing(change, every)) if change.rules.of(one.name).run]
    return tuple(Job(one, part, _key(change, one, part, versions)) for one in running for part in one.parts(change))


def _missing(change: Change, validators: Iterable[Validator]) -> Iterator[Validator]:
    """One that cannot look, for each that policy requires and settings do not name: else it would pass unseen (S16)."""
    known = {one.name for one in validators}
    for name, rules in change.rules.commands.items():
        if rules.required and name not in known:
            yield Validator(name, "", _all_of_it, _nobody)


def _all_of_it(change: Change) -> Iterable[Part]:
    return [Part("", ())] if change.paths else []


def _nobody(change: Change, part: Part, bench: Bench) -> Told:  # noqa: ARG001 # as all are called
    raise Skipped("settings name no such validator")


def _key(change: Change, validator: Validator, part: Part, versions: Versions) -> str:
    programs = {TOWPATH, validator.program, *(RENDERERS if validator.renders else ())}
    rules = [change.rules.of(name).model_dump_json() for name in (validator.name, *RENDERERS[: 2 * validator.renders])]
    tools = sorted((name, version) for name, version in versions.items() if name in programs)
    text = json.dumps([validator.name, part.subject, part.inputs, tools, rules])
    return hashlib.sha256(text.encode()).hexdigest()


def key_of(found: Iterable[Job]) -> str:
    """One key for all of them together."""
    return hashlib.sha256("\n".join(job.key for job in found).encode()).hexdigest()


def look(change: Change, job: Job, bench: Bench) -> Checked:
    """What the validator says. A fault of ours is told in the log and is a result like any other: nothing is known."""
    try:
        told = job.validator.check(change, job.part, bench)
    except (Skipped, Absent) as absent:
        return _unable(job, Ran.skipped, absent)
    except (Broken, Stopped, OutsideError) as broken:
        return _unable(job, Ran.broken, broken)
    except Exception as fault:
        log.exception("fault", validator=job.validator.name, part=job.part.subject)
        return _unable(job, Ran.broken, Broken(f"a fault of Towpath's own ({type(fault).__name__}): see its log"))
    findings = tuple(replace(one, message=_text(one.message), path=_text(one.path)) for one in told.findings)
    changes = tuple(replace(one, target=_text(one.target)) for one in told.changes)
    found = Checked(job.validator.name, _text(job.part.subject), Ran.done, findings, "", told.version, changes)
    return at_most(found, Severity(change.rules.of(job.validator.name).severity))


def _unable(job: Job, how: Ran, why: Exception) -> Checked:
    return Checked(job.validator.name, _text(job.part.subject), how, why=_text(str(why)))


def _text(text: str) -> str:
    """What can be kept as UTF-8: in Git a name may be any bytes."""
    return text.encode(errors="replace").decode()


def versions_of(validators: Iterable[Validator], version: Callable[[str], str | None]) -> dict[str, str]:
    """The versions of the programs that are installed here."""
    names = {one.program for one in validators if one.program}
    found = {name: version(name) for name in sorted(names)}
    return {name: text for name, text in found.items() if text is not None}
