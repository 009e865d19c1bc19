"""What the walk does and waits for, one step each: publishing, looking at the forge, merging, commenting."""

import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import sha1

import click
from requests import Session

from bot.sandbox.model import RequestState
from bot.sandbox.page import COOKIE
from bot.sandbox.statuses import of_commit
from policies import layout, naming
from policies.config import Policy
from workers.cli.demo import seed
from workers.cli.demo.processes import NotStarted, environment, towpath
from workers.cli.demo.stage import SOURCE, Stage

PATIENCE = 60.0
"""Seconds that each step gets."""
PAGES = {"gitlab": ("-/merge_requests", "-/merge_requests"), "github": ("pull", "pulls")}
"""Where each kind of forge shows one merge request, and all."""
SERVICE = "payments-api"


class Wrong(Exception):
    """The demo saw something else than it should have."""


def publish(stage: Stage, tag: str) -> None:
    """Announce both images of a version as CI does: `towpath publish`."""
    for name, digest in seed.images(tag).items():
        arguments = towpath(
            "publish",
            *("--url", stage.towpath_url, "--source", SOURCE),
            *("--image", f"{seed.HOST}/{name}@{digest}", "--tag", tag, "--revision", _revision(tag)),
        )
        variables = environment({"TOWPATH_PUBLISH_SECRET": stage.ci_secret})
        done = subprocess.run(arguments, env=variables, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Wrong(f"towpath publish: {done.stdout}{done.stderr}")
        click.echo(f"   towpath publish --image {seed.HOST}/{name}@{digest[:19]}… --tag {tag}")


def _revision(tag: str) -> str:
    return sha1(tag.encode(), usedforsecurity=False).hexdigest()


def wait_for(stage: Stage, what: str, look: Callable[[], int | bool | None]) -> int:
    """What a look finds, as soon as it finds something; NotStarted when a process ends or the patience does."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        stage.processes.check()
        found = look()
        if found:
            return int(found)
        time.sleep(0.1)
    logs = "\n".join(f"--- {name}\n{stage.processes.tail(name)}" for name in stage.processes.running)
    raise NotStarted(f"{what} did not come within {PATIENCE:g} s\n{logs}")


def wait_for_open(stage: Stage, name: str) -> int:
    """The open promotion of a stage, when there is one."""
    return wait_for(stage, f"a merge request for {name}", lambda: _open_in(stage, name))


def wait_for_merged(stage: Stage, iid: int) -> None:
    """Until it is merged, whoever does it."""
    wait_for(stage, "the merge", lambda: stage.sandbox.request(seed.PROJECT, iid).state is RequestState.merged)


def merge_when_green(stage: Stage, iid: int) -> None:
    """Maria merges, once Towpath's status says that every gate passes."""
    wait_for(stage, "the gates", lambda: _is_green(stage, iid))
    stage.sandbox.merge_as("maria", seed.PROJECT, iid)


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


def seconds_to_report(stage: Stage, iid: int) -> float:
    """How long after a merge request opened Towpath's first report on it stood, all validators having looked."""
    opened = stage.sandbox.request(seed.PROJECT, iid).created_at
    wait_for(stage, "the report", lambda: bool(_reported(stage, iid)))
    return min((at - opened).total_seconds() for at in _reported(stage, iid))


def _reported(stage: Stage, iid: int) -> list[datetime]:
    notes = stage.sandbox.request(seed.PROJECT, iid).notes
    return [note.created_at for note in notes if note.body.startswith(naming.REPORT_MARK)]


def comment(stage: Stage, iid: int, text: str) -> None:
    """Maria writes on a merge request, by the form of its page."""
    url = f"{stage.forge_url}/{seed.PROJECT}/-/merge_requests/{iid}/comment"
    # As for the sandbox's webhooks: a proxy that the environment names cannot reach the loopback interface.
    with Session() as session:
        session.trust_env = False
        session.post(url, {"body": text}, cookies={COOKIE: "maria"}, timeout=PATIENCE).raise_for_status()


def address(stage: Stage, iid: int) -> str:
    """Where a person looks at a merge request."""
    return f"{stage.forge_url}/{seed.PROJECT}/{PAGES[stage.kind][0]}/{iid}"


def files(stage: Stage, ref: str = "main") -> dict[str, str]:
    """The whole repository at a branch or commit."""
    found = {path: stage.sandbox.read(seed.PROJECT, path, ref) for path in seed.files()}
    return {path: text.decode() for path, text in found.items() if text is not None}


def check(before: Mapping[str, str], after: Mapping[str, str], what: str) -> None:
    """Wrong where the files are not these; `what` says when."""
    if after != before:
        wrong = sorted(path for path in {*after, *before} if after.get(path) != before.get(path))
        raise Wrong(f"{what} these files are not as expected: {', '.join(wrong)}")


def own_files(found: Mapping[str, str], policy: Policy, stage: str) -> dict[str, str]:
    """Those of the files that are the service's in one stage."""
    where = policy.stage(stage).where
    captured = {path: layout.capture(policy.services.path, path) or {} for path in found}
    return {
        path: found[path]
        for path, names in captured.items()
        if names.get("service") == SERVICE and layout.selected(where, names)
    }


def moved(before: Mapping[str, str], policy: Policy, stage: str, tags: tuple[str, str]) -> dict[str, str]:
    """These files with the service of one stage moved from one tag to another, and nothing else."""
    own = own_files(before, policy, stage)
    return {**before, **{path: _edited(text, *tags) for path, text in own.items()}}


def _edited(text: str, old: str, new: str) -> str:
    wanted = seed.images(new)
    for name, digest in seed.images(old).items():
        text = text.replace(digest, wanted[name])
    return text.replace(f'tag: "{old}"', f'tag: "{new}"')
