"""The slash-commands, one file each; `/help`, the README and the handbook are made from this list."""

from policies.commands import (
    explain,
    freeze,
    help,  # noqa: A004 # the command's name
    hold,
    merge,
    override,
    promote,
    quarantine,
    refresh,
    retry,
    rollback,
    skip,
    status,
    unfreeze,
    unhold,
    unquarantine,
)

COMMANDS = (
    promote.COMMAND,
    hold.COMMAND,
    unhold.COMMAND,
    rollback.COMMAND,
    merge.COMMAND,
    refresh.COMMAND,
    retry.COMMAND,
    status.COMMAND,
    explain.COMMAND,
    skip.COMMAND,
    override.COMMAND,
    quarantine.COMMAND,
    unquarantine.COMMAND,
    freeze.COMMAND,
    unfreeze.COMMAND,
    help.COMMAND,
)
