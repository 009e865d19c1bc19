"""What is wrong with a config repository, told from its files alone: the policy, the files and how they fit."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations

from bot.formats import Format
from bot.yaml import Document
from policies import layout
from policies.config import Fault, PolicyError
from policies.wording.quote import listed
from workers.policy_file import FILE, read
from workers.survey import Reach, Survey, cannot_be_read, survey

MOST_COMPARED = 500
"""Paths that are looked through for the one nearest to a template that fits none."""
SHOWN = 3
"""Names that one finding lists."""


class Severity(StrEnum):
    """Whether Towpath cannot work with it, or can, though perhaps not as it was meant."""

    fault = "fault"
    warning = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, and where."""

    path: str
    line: int | None
    message: str
    key: str = ""
    """The place in the policy, as people write it: `stages[1].merge`."""
    severity: Severity = Severity.fault


@dataclass(frozen=True, slots=True)
class Counts:
    """What was checked: services and targets that some stage selects."""

    services: int
    stages: int
    targets: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Everything that was found; no counts where the policy cannot be used, so that no other file was read."""

    findings: tuple[Finding, ...]
    counts: Counts | None = None

    def count(self, severity: Severity) -> int:
        """How many findings are so severe."""
        return sum(finding.severity is severity for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule looks at."""

    survey: Survey
    document: Document

    def at(self, *key: str | int, say: str, severity: Severity = Severity.fault) -> Finding:
        """A finding at a key of the policy."""
        return Finding(FILE, self.document.line_of(key), say, Fault(key, "").place, severity)


def check(files: Mapping[str, bytes], formats: Mapping[str, Format], unread: Iterable[Finding] = ()) -> Checked:
    """Check a config repository given as relative path to bytes, which may raise OSError for what cannot be read.

    `unread` says why `files` leaves some paths out, folders with a `/` at their end; each is told where the policy has
    to do with it."""
    skipped = tuple(unread)
    try:
        stated = read(files[FILE])
    except KeyError:
        return Checked((_no_policy(files), *(one for one in skipped if one.path in {FILE, "./"})))
    except OSError as error:
        return Checked((Finding(FILE, None, cannot_be_read(error)),))
    except PolicyError as error:
        return Checked(tuple(Finding(FILE, fault.line, fault.message, fault.place) for fault in error.faults))
    policy = stated.policy
    case = Case(survey(policy, files, formats[policy.services.format]), stated.document)
    found = [finding for rule in RULES for finding in rule(case)]
    found += [one for one in skipped if _concerns(policy.services.path, one.path)]
    return Checked(tuple(sorted(found, key=_order)), _counts(case.survey))


def _no_policy(files: Mapping[str, bytes]) -> Finding:
    found = [path for path in files if path.rpartition("/")[2] in {FILE, "towpath.yml", ".towpath.yaml"}]
    nearest = min(found, key=lambda path: (path.count("/"), path), default=None)
    hint = f"; did you mean {nearest}? It has to be {FILE} at the root" if nearest else ""
    return Finding(FILE, None, f"there is no such file{hint}")


def _order(finding: Finding) -> tuple[bool, str, int]:
    """The policy first, then the files by path and line."""
    return (finding.path != FILE, finding.path, finding.line or 0)


def _counts(found: Survey) -> Counts:
    services = {name for reach in found.reaches for name in reach.services}
    targets = sum(len(looked.pins) for looked in found.looked.values())
    return Counts(len(services), len(found.reaches), targets)


def _concerns(template: str, path: str) -> bool:
    """Whether a file at this path fits the template; of a folder, which ends in `/`, whether one below it could."""
    if not path.endswith("/"):
        return layout.capture(template, path) is not None
    depth = path.count("/")
    start = "/".join(template.split("/")[:depth])
    return path == "./" or (depth <= template.count("/") and layout.capture(start, path[:-1]) is not None)


# The rules, each on its own; none concludes that something is absent where a file that may hold it cannot be read.


def _template_fits(case: Case) -> Iterator[Finding]:
    if case.survey.fits:
        return
    template = case.survey.policy.services.path
    name = template.rpartition("/")[2]
    alike = sorted(path for path in case.survey.paths if path.rpartition("/")[2] == name)[:MOST_COMPARED]
    nearest = difflib.get_close_matches(template, alike, n=1, cutoff=0)
    hint = f"; the nearest is {nearest[0]}" if nearest else ""
    yield case.at("services", "path", say=f"fits none of the {_many(len(case.survey.paths), 'file')} here{hint}")


def _stages_select(case: Case) -> Iterator[Finding]:
    for reach in case.survey.reaches if case.survey.fits else ():
        strangers = tuple(_strangers(case, reach))
        yield from strangers
        where = ("stages", reach.index, "where")
        if not reach.files and not strangers:
            yield case.at(*where, say="selects no file: no path has all of these together")
        elif reach.files and not reach.services and _any_admitted(case):
            yield case.at(*where, say=_pinless(case, reach))


def _any_admitted(case: Case) -> bool:
    """Whether `services.registries` lets any image through; where not, the fault is there and not in each stage."""
    return not case.survey.policy.services.registries or any(one.pins for one in case.survey.looked.values())


def _strangers(case: Case, reach: Reach) -> Iterator[Finding]:
    """The wanted values that no path has: a fault where the stage has no other, so that it selects nothing."""
    severity, what = (Severity.warning, "") if reach.files else (Severity.fault, "selects no file: ")
    for key, values in reach.stage.where.items():
        known = sorted({names[key] for names in case.survey.fits.values()})
        for index, value in enumerate(values):
            if value not in known:
                where = ("stages", reach.index, "where", key, *((index,) if len(values) > 1 else ()))
                say = f"{what}no path has the {key} {value}{_nearest(value, known)}"
                yield case.at(*where, say=say, severity=severity)


def _pinless(case: Case, reach: Reach) -> str:
    wanted = case.survey.policy.services.registries
    what = f"an image of {listed(wanted, SHOWN)}" if wanted else "an image"
    return f"selects no target: of its {_many(len(reach.files), 'file')} none pins {what}"


def _selected_once(case: Case) -> Iterator[Finding]:
    for first, second in combinations(case.survey.reaches, 2):
        both = tuple(path for path in second.files if path in first.files)
        if both:
            said = f"selects {_many(len(both), 'file')} that {first.stage.name} selects too: {listed(both, SHOWN)}"
            yield case.at("stages", second.index, "where", say=f"{said}; a place belongs to one stage")


def _all_selected(case: Case) -> Iterator[Finding]:
    keys = tuple(dict.fromkeys(key for stage in case.survey.policy.stages for key in stage.where))
    alike: dict[tuple[str, ...], list[str]] = {}
    for path, names in case.survey.fits.items():
        if path not in case.survey.looked:
            alike.setdefault(tuple(names[key] for key in keys), []).append(path)
    for values, paths in alike.items():
        what = ", ".join(f"{key} {value}" for key, value in zip(keys, values, strict=True))
        more = f" ({_many(len(paths) - 1, 'more file')} alike)" if len(paths) > 1 else ""
        yield Finding(paths[0], None, f"is in no stage: none selects {what}{more}", severity=Severity.warning)


def _registries_pinned(case: Case) -> Iterator[Finding]:
    pinned = tuple(dict.fromkeys(name for looked in case.survey.looked.values() for name in looked.repositories))
    if not case.survey.looked or any(reach.unreadable for reach in case.survey.reaches):
        return
    starts = sorted(
        {"/".join(name.split("/")[:depth]) + "/" for name in pinned for depth in range(1, name.count("/") + 1)}
    )
    for index, start in enumerate(case.survey.policy.services.registries):
        if not any(name.startswith(start) for name in pinned):
            hint = _nearest(start, (*starts, *pinned), likeness=0.8) or (
                f"; one that is pinned is {pinned[0]}" if pinned else ""
            )
            yield case.at("services", "registries", index, say=f"no file pins an image of {start}{hint}")


def _editable(case: Case) -> Iterator[Finding]:
    for looked in case.survey.looked.values():
        for trouble in looked.troubles:
            yield Finding(trouble.path, trouble.line, trouble.reason)


def _chains_hold(case: Case) -> Iterator[Finding]:
    """A service that the next stage has and the one before has not never gets there."""
    reaches = {reach.stage.name: reach for reach in case.survey.reaches}
    for reach in case.survey.reaches:
        for name in reach.stage.after:
            yield from _missing_services(case, reach, reaches[name])
            yield from _missing_images(case, reach, reaches[name])


def _missing_services(case: Case, reach: Reach, earlier: Reach) -> Iterator[Finding]:
    missing = tuple(sorted(reach.services.keys() - earlier.services.keys()))
    if missing and reach.stage.absent == "block":
        who = f"{earlier.stage.name} has no target of {listed(missing, SHOWN)}"
        change = f"add {_pronoun(missing)} there, or set absent: pass here"
        say = f"{who}, so {reach.stage.name} never gets a release of {_pronoun(missing)}; {change}"
        yield case.at("stages", reach.index, "after", say=say, severity=Severity.warning)


def _missing_images(case: Case, reach: Reach, earlier: Reach) -> Iterator[Finding]:
    for service in sorted((reach.services.keys() & earlier.services.keys()) - earlier.unreadable):
        missing = tuple(sorted(reach.services[service] - earlier.services[service]))
        if missing:
            said = f"{earlier.stage.name} does not pin {listed(missing, SHOWN)} of {service}"
            say = f"{said}, so {reach.stage.name} never gets a release of {service}; pin {_pronoun(missing)} there too"
            yield case.at("stages", reach.index, "after", say=say, severity=Severity.warning)


def _pronoun(names: tuple[str, ...]) -> str:
    return "it" if len(names) == 1 else "them"


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}" + ("" if count == 1 else "s")


def _nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str:
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)
    return f"; did you mean {found[0]}?" if found else ""


RULES: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    _template_fits,
    _registries_pinned,
    _stages_select,
    _selected_once,
    _chains_hold,
    _all_selected,
    _editable,
)
"""Every rule, in the order of the policy's keys."""
