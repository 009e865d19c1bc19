"""/promote: a person wants a release in a stage, past the order and past refusals, never past a gate."""

from dataclasses import replace

from policies.commands import releases
from policies.commands.arguments import Arguments, own_unit, read, service_of, stage_of, with_defaults
from policies.commands.entries import acting, allow, asked, healthy, overtaken, pinned, said, view_of
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.model import Release
from policies.snapshot import StageView
from policies.state import Asked, State, freezes_on, holds_on
from policies.verdict import Verdict
from policies.wanted import wanted
from policies.wording.quote import code
from policies.wording.steering import freeze_line, hold_line, named, rows

TAKES = Takes(frozenset({"service", "stage", "to"}), others=1)
NEWEST = "newest"


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Record what is wanted, resolved to digests once and for all."""
    found = with_defaults(situation, read(situation, call, TAKES))
    service, stage = service_of(situation, found), stage_of(situation, found)
    allow(situation, "promote", service, stage)
    acting(situation, stage)
    view = view_of(situation, service, stage)
    release = _release(situation, state, view, found)
    healthy(state, service, stage, release)
    if releases.runs(situation.snapshot, view, release):
        return Done(state, f"{code(stage)} runs {named(release)} of {code(service)} already.")
    entry = Asked(service=service, stage=stage, cause="promote", images=pinned(release), **said(situation))
    after = asked(state, situation, entry)
    answer = f"{named(release)} of {code(service)} is wanted in {code(stage)}, past the order and past earlier refusals"
    more = overtaken(state, situation, service, stage) + _closed(situation, state, view, release)
    return Done(after, f"{answer}; every gate still counts.{more}", (service,))


def _release(situation: Situation, state: State, view: StageView, found: Arguments) -> Release:
    if found.others and found.release is not None:
        raise Declined(f"Two releases are named: {code(found.release)} and {code(found.others[0])}.")
    word = found.release or next(iter(found.others), None)
    if word is None:
        return _of_thread(situation, view)
    if word.lower() == NEWEST:
        return _newest(situation, state, view)
    return releases.meant(situation.snapshot, releases.known(situation.snapshot, view), word)


def _of_thread(situation: Situation, view: StageView) -> Release:
    mine = situation.release if own_unit(situation) == situation.snapshot.unit else None
    release = releases.within(mine, view) if mine is not None else None
    if release is None:
        raise Declined("Name a release: its digest, its tag, or `newest`.")
    return release


def _newest(situation: Situation, state: State, view: StageView) -> Release:
    found = wanted(replace(situation.snapshot, state=state), view)
    if isinstance(found, Verdict):
        raise Declined(f"There is no newest release for {code(view.stage.name)}: {found.reason}.")
    return found.release


def _closed(situation: Situation, state: State, view: StageView, release: Release) -> str:
    service, stage = situation.snapshot.unit, view.stage.name
    lines = [hold_line(one) for one in holds_on(state, service, stage, situation.now, release=release.name)]
    lines += [freeze_line(one) for one in freezes_on(state, stage, situation.now)]
    return f" It waits while this lasts:\n{rows(lines)}" if lines else ""


COMMAND = Command(
    "promote",
    "/promote [SERVICE] [to STAGE] [DIGEST|TAG|newest]",
    "wants that release in that stage, past the order and past earlier refusals, never past a gate",
    "promote",
    apply,
    TAKES,
)
