"""/quarantine: a release must not run any more, in a stage and those downstream, or everywhere (S19)."""

from policies.commands import releases
from policies.commands.arguments import Arguments, read, reason_of, service_of
from policies.commands.arguments import with_defaults as defaulted
from policies.commands.bad import Bad
from policies.commands.bad import quarantine as quarantined
from policies.commands.entries import allow, downstream, view_of, was_read
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.state import State
from policies.wording.quote import code, listed
from policies.wording.steering import because, rows

TAKES = Takes(frozenset({"service", "stage", "everywhere"}), others=1, text=True)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Record which images are bad, and where."""
    written = read(situation, call, TAKES)
    found = defaulted(situation, written)
    service = service_of(situation, found)
    stage = None if "everywhere" in found.flags else found.stage
    stages = downstream(situation.snapshot.policy, stage) if stage is not None else ()
    for name in stages or (None,):
        allow(situation, "quarantine", service, name)
    reason = reason_of(found)
    bad = _bad(situation, service, stage, found)
    after = quarantined(state, situation, (bad,), stages, reason)
    where = listed(tuple(code(name) for name in stages), 20) or "every stage"
    answer = f"{bad.words} of {code(service)} is quarantined in {where}{because(reason)}."
    return Done(after, answer + _running(situation, bad), (service,))


def _bad(situation: Situation, service: str, stage: str | None, found: Arguments) -> Bad:
    snapshot = situation.snapshot
    was_read(situation, service)
    views = (view_of(situation, service, stage),) if stage is not None else snapshot.stages
    candidates = tuple(dict.fromkeys(one for view in views for one in releases.known(snapshot, view)))
    if not found.others:
        raise Declined("Name a release: its digest, its tag, or its twelve digits.")
    word = found.others[0]
    for release in candidates:
        image = next((one for one in release.images if releases.is_digest(one, word)), None)
        if image is not None and word.lower() != release.name:
            return Bad(release, (image,))
    meant = releases.meant(snapshot, candidates, word)
    return Bad(meant, meant.images)


def _running(situation: Situation, bad: Bad) -> str:
    snapshot = situation.snapshot
    lines = [
        f"{code(view.stage.name)}: {code(f'/rollback {snapshot.unit} {view.stage.name} reason')}"
        for view in snapshot.stages
        if bad.runs_in(snapshot, view)
    ]
    return f" It runs now, and stays until it is taken back:\n{rows(lines)}" if lines else ""


COMMAND = Command(
    "quarantine",
    "/quarantine RELEASE [SERVICE] [STAGE] [everywhere] REASON",
    "forbids a release in a stage and downstream, or everywhere",
    "quarantine",
    apply,
    TAKES,
)
