"""The forges that the contract is tried on, by name: one line each."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from tests.contract.bench import Bench
from tests.sandbox.bench import SandboxBench

BENCHES: Mapping[str, Callable[[Sandbox, str], Bench]] = {
    "gitlab": partial(SandboxBench, "gitlab"),
    "github": partial(SandboxBench, "github"),
}


@pytest.fixture(params=BENCHES)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A fresh forge, served over HTTP."""
    sandbox = Sandbox.create(tmp_path)
    with serve(sandbox, ticking=False) as url:
        yield BENCHES[request.param](sandbox, url)
