"""Looking at a change with all validators: in parallel, and never twice at what was seen before."""

import json
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from bot.validators import Change, Job, Validator, jobs, key_of, look
from bot.validators.base import Bench, Lookup
from bot.validators.jobs import TOWPATH, versions_of
from bot.validators.launching import Launcher
from bot.validators.rendering import Renderings
from policies.findings import CHECKED, Checked, Ran, Severity, Validation
from workers.observe import validations
from workers.observe.validations import Texts

AT_ONCE = 4
"""Validators that look at the same time."""


@dataclass(frozen=True)
class Kit:
    """What validators look with."""

    validators: tuple[Validator, ...]
    launcher: Launcher
    registries: Lookup
    memory: Texts

    def versions(self) -> dict[str, str]:
        """Which programs are found here, in which versions, and Towpath's own."""
        return {TOWPATH: version("towpath"), **versions_of(self.validators, self.launcher.version)}


def look_at(kit: Kit, change: Change, still_mine: Callable[[], None]) -> Validation:
    """What validators say of a change; each part that was looked at before is taken from memory."""
    memory, versions = kit.memory, kit.versions()
    memory.set(validations.TOOLS, json.dumps(versions), validations.KEPT)
    wanted = jobs(change, kit.validators, versions)
    key = key_of(wanted)
    validations.begin(memory, key, [job.key for job in wanted])
    with tempfile.TemporaryDirectory(prefix="towpath-") as folder:
        scratch = Path(folder)
        bench = Bench(kit.launcher, kit.registries, scratch, Renderings(kit.launcher, scratch))

        def one(job: Job) -> Checked:
            still_mine()
            return _seen(memory, change, job, bench)

        with ThreadPoolExecutor(AT_ONCE) as pool:
            checked = tuple(pool.map(one, wanted))
    lasts = all(_lasts(change, job.validator, one) for job, one in zip(wanted, checked, strict=True))
    found = Validation(key, checked, lasts)
    validations.keep(memory, found)
    return found


def _seen(memory: Texts, change: Change, job: Job, bench: Bench) -> Checked:
    """What one validator says of one part.

    What came to no end is remembered for a while too: whoever tries again, because a lease ended before all parts were
    looked at, goes on behind it. Else a chart that hangs for many targets would be looked at for ever."""
    place = validations.part_key(job.key)
    raw = memory.get(place)
    if raw is not None:
        return CHECKED.validate_json(raw)
    found = look(change, job, bench)
    if _lasts(change, job.validator, found):
        memory.set(place, CHECKED.dump_json(found).decode(), validations.KEPT)
    elif found.ran is Ran.broken:
        memory.set(place, CHECKED.dump_json(found).decode(), validations.BROKEN_KEPT)
    return found


def _lasts(change: Change, validator: Validator, found: Checked) -> bool:
    """Whether another look would say the same: not where it came to no end, nor where somebody outside said no."""
    if found.ran is Ran.done:
        return not (validator.asks and any(one.severity is Severity.error for one in found.findings))
    return found.ran is Ran.skipped and not change.rules.of(validator.name).required
