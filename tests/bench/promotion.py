"""From an announced image to the open merge request, beside the bare push and calls that this cannot do without."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import gitlab

from bot.forges.base import GitAccess
from bot.git import Identity, Mirror
from bot.sandbox.faults import Fault
from bot.sandbox.model import RequestChanged
from policies import naming
from tests.bench.figures import Row, quantile
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest, values
from tests.redis_server import RedisServer

LATENCY = 0.030
"""Seconds that the forge takes for each API request."""


def measure(rounds: int) -> list[Row]:
    """Four samples a round, ours and the bare calls in turn; p50 and p95."""
    names = [f"svc-{number}" for number in range(rounds * 4)]
    files = {f"environments/nonprod/one/{name}/values.yaml": values(name) for name in names}
    with tempfile.TemporaryDirectory() as folder, RedisServer(Path(folder)) as server:
        policy = POLICY.replace("merge: auto", "merge: manual")
        with towns(Path(folder) / "town", server.url, "gitlab", policy, files) as town:
            return _rows(town, names, Path(folder))


def _rows(town: Town, names: list[str], folder: Path) -> list[Row]:
    town.sweep()
    town.sandbox.faults.add(Fault("slow", path="projects/.*", count=1_000_000, seconds=LATENCY))
    mirror = _mirror(town, folder)
    ours, bare = [], []
    for name in names:
        ours.append(_towpath(town, name))
        bare.append(_bare(town, mirror, name))
    how = f"{len(names)} samples in turn, {LATENCY * 1000:g} ms a call; yardstick: head, list, look, commit, push, open"
    return [
        Row("event -> merge request open, p50", quantile(ours, 0.5) * 1000, quantile(bare, 0.5) * 1000, "ms", how),
        Row("event -> merge request open, p95", quantile(ours, 0.95) * 1000, quantile(bare, 0.95) * 1000, "ms", how),
    ]


def _towpath(town: Town, name: str) -> float:
    opened: list[float] = []

    def listen(event: object) -> None:
        if isinstance(event, RequestChanged) and event.action == "open":
            opened.append(time.perf_counter())

    town.sandbox.state.listeners.append(listen)
    town.step()  # What the sample before left to do is not this one's.
    began = time.perf_counter()
    town.publish("v2", image=name)
    town.step()
    town.sandbox.state.listeners.pop()
    if not opened:
        raise RuntimeError(f"no merge request was opened for {name}")
    return opened[0] - began


def _mirror(town: Town, folder: Path) -> Mirror:
    token = town.sandbox.token_for("towpath")
    mirror = Mirror(folder / "bare.git", lambda: GitAccess(f"{town.url}/{PROJECT}.git", "towpath", token))
    mirror.fetch()
    return mirror


def _bare(town: Town, mirror: Mirror, name: str) -> float:
    """The same outcome by hand: what any bot that pushes and opens a merge request must do."""
    client = gitlab.Gitlab(town.url, private_token=town.sandbox.token_for("towpath"))
    project = client.projects.get(PROJECT, lazy=True)
    branch = f"by-hand/{name}"
    began = time.perf_counter()
    head = project.branches.get("main").commit["id"]
    project.mergerequests.list(state="opened", labels=[naming.label(name)], get_all=True)
    project.mergerequests.list(state="all", source_branch=branch, get_all=True)
    path = f"environments/nonprod/one/{name}/values.yaml"
    tree = mirror.with_files(head, {path: values(name, of="v9").encode()})
    commit = mirror.commit(head, tree, f"{digest(name)}\n", Identity("Bench", "bench@example.com"), datetime.now(UTC))
    mirror.push(branch, commit, None)
    opening = {"source_branch": branch, "target_branch": "main", "title": name, "labels": ["bench"]}
    project.mergerequests.create(opening)
    return time.perf_counter() - began
