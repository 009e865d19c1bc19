"""/help: the commands, from their own list."""

from policies import permissions
from policies.commands.arguments import read
from policies.commands.lines import Call
from policies.commands.model import Command, Declined, Done, Situation, Takes, refusing
from policies.faults import nearest
from policies.state import State
from policies.wording.quote import code
from policies.wording.steering import sentence

TAKES = Takes(frozenset(), others=1)
LONG_FORM = (
    "`/towpath NAME` always works too. GitLab takes `/merge` on merge requests and `/promote` on issues for itself: "
    "write `/towpath merge` and `/towpath promote` there."
)


@refusing
def apply(situation: Situation, state: State, call: Call) -> Done:
    """Change nothing; whoever may ask for the status of some stage may ask this."""
    found = read(situation, call, TAKES)
    snapshot, author = situation.snapshot, situation.comment.author
    why = [permissions.refusal(snapshot, author, "status", snapshot.unit, one.name) for one in snapshot.policy.stages]
    if None not in why:
        raise Declined(f"{sentence(str(why[0]))}.")
    return Done(state, _one(found.others[0]) if found.others else f"{table()}\n\n{LONG_FORM}")


def table() -> str:
    """The commands as the handbook shows them."""
    # Here, because the list holds this command too.
    from policies.commands import COMMANDS

    rows = [f"| {_usage(one)} | {one.summary} | {code(one.right or '')} |" for one in COMMANDS]
    return "\n".join(["| command | what it does | right |", "|---|---|---|", *rows])


def _usage(command: Command) -> str:
    """As code in a table, where a bar has to be escaped."""
    return f"`{command.usage}`".replace("|", "\\|")


def _one(word: str) -> str:
    from policies.commands import COMMANDS

    name = word.lower().removeprefix("/")
    command = next((one for one in COMMANDS if one.name == name), None)
    if command is None:
        near = nearest(name, [one.name for one in COMMANDS]) or "; `/help` lists them all."
        raise Declined(f"There is no command {code(word)}{near}")
    return f"{_usage(command)} {command.summary}. It needs the right {code(command.right or '')}."


COMMAND = Command("help", "/help [COMMAND]", "lists the commands, or says what one does", "status", apply, TAKES)
