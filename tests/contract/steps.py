"""What the tests of the contract begin with, and what a request costs on each kind of forge."""

from datetime import UTC, datetime

from bot.forges.base import Proposal, Status
from policies.model import (
    CheckState,
    MergeRequest,
)
from tests.contract.bench import Bench

R = "platform/config"
LABEL = "towpath"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

COSTS = {
    "gitlab": {"open": 1, "list 21": 1, "requests from 2": 1, "close": 1, "checks": 1},
    # labels take a write of their own; lists tell no mergeability, and who closed one is told by the issue that it is
    "github": {"open": 2, "list 21": 22, "requests from 2": 4, "close": 2, "checks": 2},
}
"""API requests for each kind of forge, where they differ."""


def writes(bench: Bench) -> int:
    """How many writes the forge received since it was last asked."""
    return sum(call.method != "GET" for call in bench.calls())


def proposal(branch: str, title: str = "Promote checkout") -> Proposal:
    return Proposal(branch, "main", title, "what moves", (LABEL,))


def opened(bench: Bench, branch: str = "towpath/p/prod/checkout/1") -> MergeRequest:
    """A merge request with one commit of its own, checked and mergeable."""
    bench.push(branch, {f"{branch}.yaml": "image: 2\n"})
    request = bench.forge.open_request(R, proposal(branch))
    bench.settle()
    return bench.forge.request(R, request.iid)


def status(state: CheckState = CheckState.pending, text: str = "waits", name: str = "towpath/prod") -> Status:
    return Status(name, state, text, "https://towpath.example.com/1")
