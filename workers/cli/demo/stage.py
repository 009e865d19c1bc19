"""The demo's stage: a sandbox forge with a seeded config repository, Redis, and Towpath's own processes around it."""

import json
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bot.sandbox.ci import Job
from bot.sandbox.model import Role
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from policies.naming import CONTROL
from workers.cli.demo import seed
from workers.cli.demo.processes import Processes, environment, free_port, towpath, wait_for
from workers.cli.demo.signals import hold
from workers.redis_binary import redis_server_binary
from workers.world import utc_now

FORGE = "sandbox"
SOURCE = "ci"
HOOK_SECRETS = {"gitlab": "WEBHOOK_TOKENS", "github": "WEBHOOK_SECRETS"}


@dataclass(frozen=True)
class Stage:
    """Everything that runs, and how to reach it."""

    kind: str
    sandbox: Sandbox
    forge_url: str
    towpath_url: str
    redis_url: str
    control: int
    """The number of the control issue, where commands are heard."""
    ci_secret: str
    processes: Processes
    folder: Path


@contextmanager
def stage(kind: str) -> Iterator[Stage]:
    """Set it up with a forge of that kind, and take it down again whatever happens."""
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="towpath-demo-")))
        processes = Processes(folder)
        opened.callback(processes.stop)
        opened.callback(hold)
        sandbox = seeded(folder / "forge")
        sandbox.state.one_row = kind == "github"
        forge_url = opened.enter_context(serve(sandbox, port=free_port(8930)))
        web_port, redis_port = free_port(8080), free_port(6399)
        towpath_url = f"http://127.0.0.1:{web_port}"
        secret = secrets.token_hex(32)
        hook_token = secrets.token_hex(16)
        sandbox.add_hook(seed.PROJECT, f"{towpath_url}/hooks/{kind}/{FORGE}", token=hook_token, dialect=kind)
        variables = _variables(sandbox, folder, secret)
        redis_url = f"redis://127.0.0.1:{redis_port}/0"
        variables |= {
            "TOWPATH_REDIS_URL": redis_url,
            "TOWPATH_PUBLIC_URL": towpath_url,
            f"TOWPATH_FORGES__{FORGE.upper()}__KIND": kind,
            f"TOWPATH_FORGES__{FORGE.upper()}__URL": forge_url,
            f"TOWPATH_FORGES__{FORGE.upper()}__{HOOK_SECRETS[kind]}": json.dumps([hook_token]),
        }
        _start(processes, redis_port, web_port, environment(variables))
        wait_for(processes, f"{towpath_url}/readyz")
        control = sandbox.issue_as("maria", seed.PROJECT, "Steering releases", CONTROL, description=seed.CONTROL)
        yield Stage(kind, sandbox, forge_url, towpath_url, redis_url, control.iid, secret, processes, folder)


def seeded(folder: Path) -> Sandbox:
    """A forge with three people, the bot, and the config repository whose CI takes two seconds."""
    sandbox = Sandbox.create(folder, utc_now)
    for username, name in (("maria", "Maria Lind"), ("jonas", "Jonas Weber"), ("priya", "Priya Nair")):
        sandbox.add_user(username, name)
    sandbox.add_user("towpath", "Towpath", bot=True)
    sandbox.add_member("platform", "maria", Role.maintainer)
    sandbox.add_member("platform", "jonas", Role.developer)
    sandbox.add_project(seed.PROJECT, seed.files())
    sandbox.add_member(seed.PROJECT, "priya", Role.developer)
    sandbox.add_member(seed.PROJECT, "towpath", Role.maintainer)
    job = Job("validate", waits=timedelta(seconds=0.5), runs=timedelta(seconds=1.5))
    sandbox.add_ci(seed.PROJECT, job, author="jonas", branches="towpath/*")
    return sandbox


def _variables(sandbox: Sandbox, folder: Path, ci_secret: str) -> dict[str, str]:
    forge, source = f"TOWPATH_FORGES__{FORGE.upper()}__", f"TOWPATH_SOURCES__{SOURCE.upper()}__"
    return {
        "TOWPATH_MIRRORS": str(folder / "mirrors"),
        "TOWPATH_SEAL": json.dumps([secrets.token_hex(32)]),
        "TOWPATH_SWEEP_SECONDS": "30",
        f"{forge}TOKEN": sandbox.token_for("towpath"),
        f"{forge}REPOSITORIES": json.dumps([seed.PROJECT]),
        f"{source}KIND": "ci",
        f"{source}SECRETS": json.dumps([ci_secret]),
        f"{source}IMAGES": json.dumps([f"{seed.HOST}/"]),
    }


def _start(processes: Processes, redis_port: int, web_port: int, variables: dict[str, str]) -> None:
    redis = [
        redis_server_binary(),
        "--port",
        str(redis_port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(processes.folder),
    ]
    processes.start("redis", redis, variables)
    processes.start("web", towpath("web", "--port", str(web_port)), variables)
    processes.start("worker", towpath("worker"), variables)
    processes.start("validator", towpath("worker", "--queue", "validate", "--concurrency", "2"), variables)
    processes.start("timer", towpath("timer"), variables)
