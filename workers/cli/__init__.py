"""The command line: one file per command, each imported only when it is called."""

import importlib
from collections.abc import Mapping

import click

COMMANDS: Mapping[str, str] = {
    "audit": "show what ran where and when, how it came and who approved it",
    "check": "validate a config repository offline",
    "demo": "show the main job on an embedded forge",
    "doctor": "say whether the gates are enforced, advisory or bypassable",
    "event": "print what Towpath understands of a webhook's payload",
    "owners": "print who owns paths by a CODEOWNERS file",
    "publish": "announce an image (what CI runs)",
    "recover": "have webhooks that nobody took sent again",
    "sandbox": "start the sandbox forge alone",
    "schema": "print the JSON Schema of towpath.yaml",
    "state": "show what commands decided, or begin it anew",
    "timer": "start the timer, which hands due work to the workers",
    "validate": "say what validators find in a working tree",
    "web": "start the receiver of webhooks",
    "webhooks": "set up the webhooks of the config repositories",
    "worker": "start a worker",
}
"""Every command and what it does; a file of the same name beside this one holds it as `command`."""


class Lazy(click.Group):
    """A group that imports a command's file when it is asked for, so that `towpath check` starts at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 click's own shape
        """The names in the visible list."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a name, or None."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(f"workers.cli.{cmd_name}").command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list with one line each, without importing any of them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="towpath")
def main() -> None:
    """Towpath walks each release from the first environment to production, one merge request at a time."""
