"""A served sandbox with a small team: bot and mira are Maintainers, dev a Developer, rep a Reporter, out nobody."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gitlab
import pytest

from bot.sandbox.model import MergeRequest, Role
from bot.sandbox.requests import Opening
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from tests.sandbox.github_client import GitHub

P = "platform/config"
FILES = {"README.md": "# Config\n", "same.yaml": "image: 0\n", "apps/a/values.yaml": "a: 1\n"}


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(tmp_path: Path, clock: Clock) -> Sandbox:
    made = Sandbox.create(tmp_path, clock)
    made.add_project(P, FILES)
    people = {"bot": Role.maintainer, "mira": Role.maintainer, "dev": Role.developer, "rep": Role.reporter}
    for name, role in people.items():
        made.add_user(name, name.capitalize(), bot=name == "bot")
        made.add_member(P, name, role)
    made.add_user("out")
    return made


@pytest.fixture
def url(sandbox: Sandbox) -> Iterator[str]:
    with serve(sandbox, ticking=False) as address:
        yield address


Client = Callable[[str], gitlab.Gitlab]


@pytest.fixture
def client(sandbox: Sandbox, url: str) -> Client:
    """python-gitlab as one of the team."""

    def made(user: str) -> gitlab.Gitlab:
        return gitlab.Gitlab(url, private_token=sandbox.token_for(user), retry_transient_errors=False)

    return made


@pytest.fixture
def hub(sandbox: Sandbox, url: str) -> GitHub:
    """GitHub's API as any of the team."""
    return GitHub(sandbox, url)


def opened(sandbox: Sandbox, branch: str = "feature", user: str = "dev", description: str = "") -> MergeRequest:
    """An open, checked merge request with one commit of its own."""
    sandbox.commit_as(user, P, branch, {f"{branch}.yaml": "1\n"}, f"Add {branch}")
    made = sandbox.open_as(user, P, Opening(branch, "main", f"Add {branch}", description))
    sandbox.settle()
    return made
