"""The walk goes on: a bad release comes into production, one comment takes it back, and it stays away."""

import textwrap
import time
from collections.abc import Mapping
from dataclasses import dataclass

import click

from bot.sandbox.model import MergeRequest, RequestState
from policies.config import Policy
from policies.wording.answers import answered
from workers.cli.demo import seed
from workers.cli.demo.stage import Stage
from workers.cli.demo.steps import (
    SERVICE,
    Wrong,
    address,
    check,
    comment,
    files,
    merge_when_green,
    moved,
    own_files,
    publish,
    wait_for,
    wait_for_merged,
    wait_for_open,
)
from workers.cli.demo.sweeps import sweep

BAD = "1.6.0"
SWEEPS = 3
RING, NEXT_RING = "prod-ring-1", "prod-ring-2"
SAID = f"/rollback {RING} errors after deploy"


@dataclass(frozen=True)
class Harm:
    """What the bad release left: the files before it came into the ring, its merge request there, and the next one."""

    before: Mapping[str, str]
    merged: int
    further: int


def roll_back(stage: Stage, policy: Policy, good: str, number: int) -> None:
    """Bring a bad release into the first ring and take it back; Wrong where any of it comes again."""
    harm = _bad_release(stage, policy, good, number)
    back = _say(stage, harm, number + 1)
    wait_for(stage, f"the end of !{harm.further}", lambda: _is_closed(stage, harm.further))
    click.echo(f"   {NEXT_RING}'s merge request of {BAD} is closed: the release is quarantined there too.")
    merge_when_green(stage, back)
    wait_for_merged(stage, back)
    check(harm.before, files(stage), "after the rollback")
    click.echo(f"\n{number + 2}. Every gate passes. Maria merges: {RING} holds exactly what it held before {BAD}.")
    for _ in range(SWEEPS):
        sweep(stage)
        check(harm.before, files(stage), "after a sweep past the rollback")
        _stays(stage, policy, good)
    click.echo(f"   Three sweeps later {RING} and {NEXT_RING} hold {good}, and no open merge request holds {BAD}.")
    click.echo(f"   {SERVICE} in {RING} is held until somebody writes: /unhold {SERVICE} {RING}")


def _bad_release(stage: Stage, policy: Policy, good: str, number: int) -> Harm:
    click.echo(f"\n{number}. CI publishes {SERVICE} {BAD}. It has a fault that no check finds.")
    publish(stage, BAD)
    wait_for_merged(stage, wait_for_open(stage, "nonprod"))
    merged, before = wait_for_open(stage, RING), files(stage)
    merge_when_green(stage, merged)
    wait_for_merged(stage, merged)
    check(moved(before, policy, RING, (good, BAD)), files(stage), f"after the merge of {BAD} into {RING}")
    further = wait_for_open(stage, NEXT_RING)
    click.echo("   Towpath merges it in nonprod, and Maria in prod-ring-1. The next one is open:")
    click.echo(f"   {NEXT_RING} {address(stage, further)}")
    return Harm(before, merged, further)


def _say(stage: Stage, harm: Harm, number: int) -> int:
    """Maria's comment and what comes of it: the rollback's merge request."""
    click.echo(f"\n{number}. {RING} shows errors. On the merged {address(stage, harm.merged)}")
    click.echo(f"   Maria comments: {SAID}")
    begin = time.monotonic()
    comment(stage, harm.merged, SAID)
    back = wait_for_open(stage, RING)
    seconds = time.monotonic() - begin
    click.echo(f"   rollback opened {seconds:.1f} s after the comment: {address(stage, back)}")
    wait_for(stage, "Towpath's answer", lambda: bool(_answer(stage, harm.merged)))
    click.echo("   Towpath answers:")
    for line in _answer(stage, harm.merged):
        click.echo(textwrap.fill(line, 110, initial_indent="   | ", subsequent_indent="   | "))
    return back


def _answer(stage: Stage, iid: int) -> list[str]:
    """What Towpath answered, below the line that repeats the command; nothing while there is no answer."""
    notes = stage.sandbox.request(seed.PROJECT, iid).notes
    text = next((note.body for note in notes if answered(note.body) is not None), "")
    return [line for line in text.partition(SAID)[2].splitlines()[1:] if line]


def _is_closed(stage: Stage, iid: int) -> bool:
    return stage.sandbox.request(seed.PROJECT, iid).state is RequestState.closed


def _stays(stage: Stage, policy: Policy, good: str) -> None:
    """Both rings pin the good release, and no open merge request brings the bad one."""
    now = files(stage)
    for ring in (RING, NEXT_RING):
        for path, text in own_files(now, policy, ring).items():
            if not all(digest in text for digest in seed.images(good).values()):
                raise Wrong(f"{path} does not pin {good}")
    for request in stage.sandbox.requests(seed.PROJECT, RequestState.opened):
        if _brings(stage, request, now):
            raise Wrong(f"!{request.iid} holds {BAD}, which is quarantined")


def _brings(stage: Stage, request: MergeRequest, now: Mapping[str, str]) -> bool:
    """Whether a merge request puts an image of the bad release where the target branch has none."""
    proposed, bad = files(stage, request.head), seed.images(BAD).values()
    return any(digest in text and digest not in now[path] for path, text in proposed.items() for digest in bad)
