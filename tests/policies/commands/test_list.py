"""Every command's file is listed, and every list of commands that people read is made from that one."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

from policies import commands
from policies.commands import COMMANDS
from policies.commands.help import table
from policies.commands.model import Command
from policies.rights import RIGHTS

ROOT = Path(__file__).parents[3]
MADE = re.compile(r"<!-- commands: made by `policies/commands` -->\n(.*?)\n<!-- /commands -->", re.DOTALL)


def test_every_file_with_a_command_is_listed() -> None:
    modules = [
        importlib.import_module(f"policies.commands.{one.name}") for one in pkgutil.iter_modules(commands.__path__)
    ]
    found = {module.COMMAND.name: module.__name__ for module in modules if hasattr(module, "COMMAND")}
    assert {one.name for one in COMMANDS} == set(found)
    assert all(module == f"policies.commands.{name}" for name, module in found.items())
    assert len(COMMANDS) == len(found) == 16


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
def test_a_command_says_how_it_is_called_and_what_it_asks_for(one: Command) -> None:
    assert one.usage.split(" ")[0] == f"/{one.name}"
    assert one.right in RIGHTS
    assert one.summary and not one.summary.endswith(".")


@pytest.mark.parametrize("path", ["README.md", "docs/commands.md"])
def test_the_handbook_shows_the_list_as_it_is(path: str) -> None:
    found = MADE.search((ROOT / path).read_text("utf-8"))
    assert found is not None, f"{path} has no markers"
    assert found[1] == table()
