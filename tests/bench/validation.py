"""How long the built-in validators take over a promotion of twelve targets, beside the five seconds it may take."""

import time
from collections.abc import Callable

from bot.validators import VALIDATORS
from bot.validators.base import NoRegistries
from bot.validators.launching import Launcher
from tests.bench.figures import Row
from tests.flows.world import HOST, DictMemory, digest
from tests.validators.trees import change_of
from workers.looking import Kit, look_at

CLUSTERS = ("azure-1", "aws-1", "aws-2", "gcp-1", "gcp-2", "oci-1")
IMAGES = ("payments-api", "payments-worker")
MOST = 5.0
"""Seconds until the report of the demo's largest service stands, at most."""


def measure(rounds: int) -> list[Row]:
    """The first look, and the second at the same content; the best of some rounds, by the clock."""
    first, second = min((_looks() for _ in range(rounds)), key=lambda found: found[0])
    how = f"{len(CLUSTERS) * len(IMAGES)} targets in {len(CLUSTERS)} files, built-in validators"
    return [
        Row("validators, first look", first, MOST, "s", f"{how}; the report's bound"),
        Row("validators, same content", second, first, "s", "from memory; the first look"),
    ]


def _looks() -> tuple[float, float]:
    before = {f"environments/prod/{cluster}/payments/values.yaml": _values("v1", cluster) for cluster in CLUSTERS}
    after = {f"environments/prod/{cluster}/payments/values.yaml": _values("v2", cluster) for cluster in CLUSTERS}
    change = change_of(before, after, services={"registries": [f"{HOST}/"]})
    built_in = tuple(one for one in VALIDATORS if not one.program)
    kit = Kit(built_in, Launcher(), NoRegistries(), DictMemory())
    return _seconds(lambda: look_at(kit, change, lambda: None)), _seconds(lambda: look_at(kit, change, lambda: None))


def _values(tag: str, cluster: str) -> str:
    blocks = "".join(
        f"{name}:\n  image:\n    repository: {HOST}/{name}\n    tag: {tag}\n    digest: {digest(name + tag)}\n"
        "  resources: {requests: {cpu: 250m, memory: 256Mi}}\n"
        for name in IMAGES
    )
    return f"# {cluster}\nreplicaCount: 4\n{blocks}nodeSelector: {{cloud: {cluster}}}\n"


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
