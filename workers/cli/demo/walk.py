"""The walk of one release from its announcement to the last production ring, and what is said on the way."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import click

from bot.sandbox.model import RequestState
from bot.sandbox.statuses import of_commit
from bot.yaml import parse_document
from policies import layout, naming
from policies.config import Policy, parse_policy
from workers.cli.demo import seed
from workers.cli.demo.processes import NotStarted, environment, towpath
from workers.cli.demo.stage import SOURCE, Stage

PATIENCE = 60.0
"""Seconds that each step gets."""
PAGES = {"gitlab": ("-/merge_requests", "-/merge_requests"), "github": ("pull", "pulls")}
"""Where each kind of forge shows one merge request, and all."""
REVISION = "9f1c2b7d" * 5


class Wrong(Exception):
    """The demo saw something else than it should have."""


def walk(stage: Stage) -> None:
    """Publish payments-api's two images and bring them through all stages; Wrong where Git is not exactly right."""
    policy = parse_policy(parse_document(seed.POLICY.encode()).value)
    click.echo("\n1. CI publishes payments-api 1.5.0: two images, built from one revision.")
    wanted = {name: seed.digest(f"{name} 1.5.0") for name in ("payments-api", "payments-worker")}
    for name, digest in wanted.items():
        publish(stage, name, digest, "1.5.0")
    for number, step in enumerate(policy.ordered(), start=2):
        before = _files(stage)
        iid = _wait_for(stage, step.name, lambda name=step.name: _open_in(stage, name))  # type: ignore[misc]
        url = f"{stage.forge_url}/{seed.PROJECT}/{PAGES[stage.kind][0]}/{iid}"
        click.echo(f"\n{number}. promotion opened: {step.name} {url}")
        if step.merge == "auto":
            click.echo("   The forge's pipeline runs; when it has passed, Towpath merges by itself (merge: auto).")
        else:
            _wait_for(stage, "the gates", lambda iid=iid: _is_green(stage, iid))  # type: ignore[misc]
            click.echo("   Every gate passes. Maria, a release manager, reads it and merges.")
            stage.sandbox.merge_as("maria", seed.PROJECT, iid)
        _wait_for(stage, "the merge", lambda iid=iid: _is_merged(stage, iid))  # type: ignore[misc]
        _check(before, _files(stage), policy, step.name, wanted)
        click.echo(f"   merged: Git's content is exactly the two images in {step.name}, and nothing else changed.")


def publish(stage: Stage, name: str, digest: str, tag: str) -> None:
    """Announce an image as CI does: `towpath publish`."""
    import subprocess

    arguments = towpath(
        "publish",
        *("--url", stage.towpath_url, "--source", SOURCE),
        *("--image", f"{seed.HOST}/{name}@{digest}", "--tag", tag, "--revision", REVISION),
    )
    variables = environment({"TOWPATH_PUBLISH_SECRET": stage.ci_secret})
    done = subprocess.run(arguments, env=variables, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Wrong(f"towpath publish: {done.stdout}{done.stderr}")
    click.echo(f"   towpath publish --image {seed.HOST}/{name}@{digest[:19]}… --tag {tag}")


def _open_in(stage: Stage, name: str) -> int | None:
    for request in stage.sandbox.requests(seed.PROJECT, RequestState.opened):
        found = naming.parse_branch(request.source_branch)
        if found is not None and found.stage == name:
            return request.iid
    return None


def _is_green(stage: Stage, iid: int) -> bool:
    head = stage.sandbox.request(seed.PROJECT, iid).head
    found = of_commit(stage.sandbox.project(seed.PROJECT), head)
    return any(status.name == naming.STATUS and status.status == "success" for _, status in found)


def _is_merged(stage: Stage, iid: int) -> bool:
    return stage.sandbox.request(seed.PROJECT, iid).state is RequestState.merged


def _wait_for(stage: Stage, what: str, look: Callable[[], int | bool | None]) -> int:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        stage.processes.check()
        found = look()
        if found:
            return int(found)
        time.sleep(0.1)
    logs = "\n".join(f"--- {name}\n{stage.processes.tail(name)}" for name in stage.processes.running)
    raise NotStarted(f"{what} did not come within {PATIENCE:g} s\n{logs}")


def _files(stage: Stage) -> dict[str, str]:
    found = {path: stage.sandbox.read(seed.PROJECT, path) for path in seed.files()}
    return {path: text.decode() for path, text in found.items() if text is not None}


def _check(
    before: Mapping[str, str], after: Mapping[str, str], policy: Policy, stage: str, wanted: Mapping[str, str]
) -> None:
    """Only this stage's payments-api files changed, and in them only the two digests and tags."""
    where = policy.stage(stage).where
    expected = dict(before)
    for path, text in before.items():
        captured = layout.capture(policy.services.path, path)
        if captured is not None and captured["service"] == "payments-api" and layout.selected(where, captured):
            expected[path] = _edited(text, wanted)
    if dict(after) != expected:
        wrong = sorted(path for path in {*after, *expected} if after.get(path) != expected.get(path))
        raise Wrong(f"after the merge into {stage} these files are not as expected: {', '.join(wrong)}")


def _edited(text: str, wanted: Mapping[str, str]) -> str:
    for name, digest in wanted.items():
        text = text.replace(seed.digest(f"{name} 1.4.1"), digest)
    return text.replace('tag: "1.4.1"', 'tag: "1.5.0"')


def invite(stage: Stage, folder: Path) -> None:
    """Where to click, and what to try."""
    secret = folder / "ci-secret"
    secret.write_text(stage.ci_secret + "\n")
    image = f"{seed.HOST}/checkout-web@{seed.digest('checkout-web v3.3.0')}"
    click.echo(f"""
The forge:    {stage.forge_url}/{seed.PROJECT}/{PAGES[stage.kind][1]}   (act as maria, jonas or priya)
The receiver: {stage.towpath_url}/readyz
The logs:     {folder}/*.log

Try it: publish another image, comment, merge, close or revert in the browser.

  .venv/bin/towpath publish --url {stage.towpath_url} --source {SOURCE} --secret-file {secret} \\
    --image {image} --tag v3.3.0 --wait

Ctrl-C ends it.""")
