"""A town whose prod merges by itself once its owners have approved, for the tests of approvals and of ways around."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.sandbox.model import MergeRequest, Role
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest, values

GATED = POLICY.replace(
    "merge: manual\n    checks: optional\n",
    "merge: auto\n    checks: optional\n    approvals: {codeowners: required}\n",
)
"""Prod merges by itself once its owners have approved."""
OWNERS = "/environments/prod/ @platform/owners\n"
PROD = "environments/prod/one/shop/values.yaml"


@contextmanager
def gated_town(folder: Path, redis_url: str, kind: str) -> Iterator[Town]:
    """A gated prod, owned by Olga and Omar; v2 is in nonprod and waits for prod."""
    files = {f"environments/{stage}/one/shop/values.yaml": values() for stage in ("nonprod", "prod")}
    with towns(folder, redis_url, kind, GATED, files | {"CODEOWNERS": OWNERS}) as made:
        for name in ("olga", "omar"):
            made.sandbox.add_user(name)
            made.sandbox.add_member("platform/owners", name, Role.developer)
            made.sandbox.add_member(PROJECT, name, Role.developer)
        made.publish("v2")
        made.settle()
        yield made


def waiting(town: Town) -> MergeRequest:
    """The open promotion to prod."""
    found = town.open_in("prod")
    assert found is not None
    return found


def look(town: Town) -> None:
    """A wake-up, as a webhook gives."""
    town.pending.mark([("unit", "main", PROJECT, "shop")], town.now.timestamp())
    town.settle()


def approve(town: Town, name: str, iid: int) -> None:
    """Somebody approves, and Towpath looks."""
    town.pass_time(1)
    town.sandbox.approve_as(name, PROJECT, iid)
    look(town)


def is_in_prod(town: Town, tag: str = "v2") -> bool:
    """Whether prod pins that image."""
    return digest(tag) in town.pins("prod")
