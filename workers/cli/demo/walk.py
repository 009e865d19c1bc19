"""The walk of one release from its announcement to the last production ring, and what is said on the way."""

from pathlib import Path

import click

from bot.yaml import parse_document
from policies.config import Policy, parse_policy
from policies.config import Stage as Step
from workers.cli.demo import seed
from workers.cli.demo.rollback import roll_back
from workers.cli.demo.stage import SOURCE, Stage
from workers.cli.demo.steps import (
    PAGES,
    address,
    check,
    files,
    merge_when_green,
    moved,
    own_files,
    publish,
    seconds_to_report,
    wait_for_merged,
    wait_for_open,
)

FIRST, GOOD = "1.4.1", "1.5.0"
"""What runs everywhere at the start, and what is brought everywhere."""


def walk(stage: Stage) -> None:
    """Bring payments-api's two images through all stages, then a bad release back; Wrong where Git is not right."""
    policy = parse_policy(parse_document(seed.POLICY.encode()).value)
    click.echo(f"\n1. CI publishes payments-api {GOOD}: two images, built from one revision.")
    publish(stage, GOOD)
    steps = policy.ordered()
    for number, step in enumerate(steps, start=2):
        _promote(stage, policy, step, number)
    roll_back(stage, policy, GOOD, number=len(steps) + 2)


def _promote(stage: Stage, policy: Policy, step: Step, number: int) -> None:
    before = files(stage)
    iid = wait_for_open(stage, step.name)
    click.echo(f"\n{number}. promotion opened: {step.name} {address(stage, iid)}")
    targets = len(own_files(before, policy, step.name)) * len(seed.images(GOOD))
    after = seconds_to_report(stage, iid)
    click.echo(f"   {targets} targets were validated, and Towpath's report stood {after:.1f} s after it opened.")
    if step.merge == "auto":
        click.echo("   The forge's pipeline runs; when it has passed, Towpath merges by itself (merge: auto).")
    else:
        merge_when_green(stage, iid)
        click.echo("   Every gate passes. Maria, a release manager, reads it and merges.")
    wait_for_merged(stage, iid)
    check(moved(before, policy, step.name, (FIRST, GOOD)), files(stage), f"after the merge into {step.name}")
    click.echo(f"   merged: Git's content is exactly the two images in {step.name}, and nothing else changed.")


def invite(stage: Stage, folder: Path) -> None:
    """Where to click, and what to try."""
    secret = folder / "ci-secret"
    secret.write_text(stage.ci_secret + "\n")
    image = f"{seed.HOST}/checkout-web@{seed.digest('checkout-web v3.3.0')}"
    click.echo(f"""
The forge:    {stage.forge_url}/{seed.PROJECT}/{PAGES[stage.kind][1]}   (act as maria, jonas or priya)
The commands: {stage.forge_url}/{seed.PROJECT}/-/issues/{stage.control}   (write /help or /status payments-api)
The receiver: {stage.towpath_url}/readyz
The logs:     {folder}/*.log

Try it: publish another image, comment, merge, close or revert in the browser.

  .venv/bin/towpath publish --url {stage.towpath_url} --source {SOURCE} --secret-file {secret} \\
    --image {image} --tag v3.3.0 --wait

Ctrl-C ends it.""")
