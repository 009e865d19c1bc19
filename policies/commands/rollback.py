"""/rollback: a stage goes back; what is bad is quarantined and the stage held before anything opens (S19)."""

from policies.commands import releases
from policies.commands.arguments import Arguments, read, reason_of, service_of, stage_of, with_defaults
from policies.commands.bad import Bad, bad_of, quarantine
from policies.commands.entries import acting, allow, asked, downstream, healthy, note, overtaken, pinned, said, view_of
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, always_with_room
from policies.model import Release
from policies.snapshot import StageView
from policies.state import Asked, Hold, State, quarantined, without_stale
from policies.wording.quote import code, listed
from policies.wording.steering import because, named, rows

TAKES = Takes(frozenset({"service", "stage", "to", "back", "everywhere"}), text=True)


@always_with_room
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Quarantine, hold and ask for the earlier release in one change of the state."""
    found = with_defaults(situation, read(situation, call, TAKES))
    service, stage = service_of(situation, found), stage_of(situation, found)
    allow(situation, "rollback", service, stage)
    if "everywhere" in found.flags:
        allow(situation, "quarantine", service, None)
    reason = reason_of(found)
    acting(situation, stage)
    view = view_of(situation, service, stage)
    if _is_there(state, note(situation.comment), service, stage):
        return Done(state, f"{code(service)} goes back in {code(stage)} already.")
    release = _earlier(situation, state, view, found)
    there = _existing(situation, release, found)
    bad = bad_of(situation.snapshot, view, release)
    stages = () if "everywhere" in found.flags else downstream(situation.snapshot.policy, stage)
    standing = {(service, one.stage, one.name) for one in situation.snapshot.promotions}
    after = without_stale(state, (service, stage, release.name), standing)
    after = quarantine(after, situation, bad, stages, reason)
    hold = Hold(service=service, stage=stage, reason=reason, **said(situation))
    after = after.model_copy(update={"holds": (*after.holds, hold)})
    images = pinned(release)
    back = Asked(service=service, stage=stage, cause="rollback", images=images, reason=reason, **said(situation))
    after = asked(after, situation, back)
    answer = _answer(view, service, release, bad, stages) + because(reason) + f". {there}"
    answer += overtaken(state, situation, service, stage) + _elsewhere(situation, view, bad)
    return Done(after, answer, (service,))


def _is_there(state: State, key: str, service: str, stage: str) -> bool:
    """Whether this comment took the stage back already: whatever became of it, one of the three entries tells.

    A quarantine everywhere does not say from which stage: from this one, where no line of the comment named another."""
    places = [(one.service, one.stage) for one in state.holds if one.note == key and one.request is None]
    places += [(one.service, one.stage) for one in state.asked if one.note == key]
    bad = [one.stages for one in state.quarantine if (one.note, one.service) == (key, service)]
    return (service, stage) in places or any(stages[:1] == (stage,) or not (stages or places) for stages in bad)


def _earlier(situation: Situation, state: State, view: StageView, found: Arguments) -> Release:
    """The release to go back to; Declined where there is none, or where it must not run."""
    snapshot, stage = situation.snapshot, view.stage.name
    earlier = (one for one in releases.history(snapshot, view) if not releases.runs(snapshot, view, one))
    ran = [one for one in earlier if not releases.is_newer(snapshot, view, one)]
    if found.release is not None:
        return _named(situation, state, view, found.release)
    if found.back is None and releases.running(snapshot, view) is None:
        which = listed(tuple(named(one) for one in ran)) or "no release is known"
        raise Declined(f"The targets in {code(stage)} do not pin one release now. Name one with `to`: {which}.")
    sound = [one for one in ran if quarantined(state, snapshot.unit, stage, one) is None]
    back = found.back or 1
    if len(sound) < back:
        count = {0: "no other release", 1: "1 other release"}.get(len(sound), f"{len(sound)} other releases")
        raise Declined(f"{code(stage)} ran {count} that could come back; name one with `to`.")
    return sound[back - 1]


def _named(situation: Situation, state: State, view: StageView, word: str) -> Release:
    snapshot, stage = situation.snapshot, view.stage.name
    # Nothing else than what ran there: a tag that was moved since means what it meant there.
    ran = releases.matching(snapshot, releases.history(snapshot, view), word)
    meant = releases.meant(snapshot, ran or releases.known(snapshot, view), word)
    healthy(state, snapshot.unit, stage, meant)
    if releases.runs(snapshot, view, meant):
        raise Declined(f"{code(stage)} runs {named(meant)} now: there is nothing to go back from.")
    forward = f"no rollback brings it, {code(f'/promote {snapshot.unit} {stage} {word}')} does, past every gate"
    if not ran:
        raise Declined(f"{named(meant)} never ran in {code(stage)}: {forward}.")
    if releases.is_newer(snapshot, view, meant):
        raise Declined(f"{named(meant)} is newer than what {code(stage)} runs: {forward}.")
    return meant


def _existing(situation: Situation, release: Release, found: Arguments) -> str:
    """What the registry says of the digests; Declined where one is gone."""
    told = {one: situation.snapshot.exists(one.repository, one.digest) for one in release.images}
    gone = tuple(f"{code(one.digest)} of {code(one.repository)}" for one, answer in told.items() if answer is False)
    if gone:
        further = (found.back or 1) + 1
        way_out = f"go further back with {code(f'{further} back')}, or name another one with `to`"
        raise Declined(f"{named(release)} cannot run any more: the registry has lost {listed(gone)}; {way_out}.")
    if None in told.values():
        return "Whether the registry still has its images could not be told."
    return "The registry still has its images."


def _answer(view: StageView, service: str, release: Release, bad: tuple[Bad, ...], stages: tuple[str, ...]) -> str:
    names = listed(tuple(dict.fromkeys(one.words for one in bad)))
    where = listed(tuple(code(stage) for stage in stages), 20) or "every stage"
    stage = code(view.stage.name)
    return (
        f"{code(service)} goes back to {named(release)} in {stage}. {names} is quarantined in {where}, and "
        f"{code(service)} in {stage} is held until {code(f'/unhold {service} {view.stage.name}')}"
    )


def _elsewhere(situation: Situation, view: StageView, bad: tuple[Bad, ...]) -> str:
    """The other stages that run what is bad, each with the line that takes it back there."""
    snapshot = situation.snapshot
    lines = [
        f"{code(other.stage.name)}: {code(f'/rollback {snapshot.unit} {other.stage.name} reason')}"
        for other in snapshot.stages
        if other.stage.name != view.stage.name and any(one.runs_in(snapshot, other) for one in bad)
    ]
    return f" It runs elsewhere too:\n{rows(lines)}" if lines else ""


COMMAND = Command(
    "rollback",
    "/rollback [SERVICE] STAGE [to DIGEST|TAG|N back] [everywhere] REASON",
    "takes a stage back to the release before, quarantines the bad one there and downstream, and holds the stage",
    "rollback",
    apply,
    TAKES,
)
