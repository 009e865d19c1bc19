"""`towpath state`: show what commands decided, and begin it anew where it was lost."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workers.observe.context import Context
    from workers.world import World

REPOSITORY = click.argument("repositories", metavar="[FORGE:PATH]...", nargs=-1)


@click.group()
def command() -> None:
    """What commands decided for each config repository: the branch towpath/state."""


@command.command()
@REPOSITORY
def show(repositories: tuple[str, ...]) -> None:
    """Print state.yaml of each repository. Exits with 1 where it cannot be told."""
    from policies.state import Unknown
    from workers import observe
    from workers.state import written

    def told(context: "Context") -> bool:
        found = observe.base(context).state
        if isinstance(found, Unknown):
            click.echo(f"{context.subject}: unknown: {found.reason}; {found.change}", err=True)
            return False
        click.echo(f"# {context.subject}\n{written(found).decode()}", nl=False)
        return True

    _each(repositories, lambda _, context: told(context))


@command.command()
@click.option(
    "--replace", is_flag=True, help="Begin anew also where the branch stands: look at it before you say this."
)
@REPOSITORY
def init(replace: bool, repositories: tuple[str, ...]) -> None:
    """Make the branch with an empty state where it is missing. Nothing that was held is held any more.

    Exits with 1 where the branch stands and --replace is not given."""
    from workers.hands import Hands
    from workers.state import start_anew

    def made(world: "World", context: "Context") -> bool:
        hands = Hands(world.identity, world.clock, lambda: None)
        click.echo(f"{context.subject}: {start_anew(context, hands, replace)}")
        return True

    _each(repositories, made)


def _each(repositories: tuple[str, ...], do: "Callable[[World, Context], bool]") -> None:
    """Every repository of the settings, or those that are named; one that fails stops no other (R11)."""
    from bot.errors import OutsideError
    from workers.cli.start import settings_or_exit
    from workers.world import make_world

    world, good = make_world(settings_or_exit()), True
    for forge, path in _chosen(world, repositories):
        try:
            good = do(world, world.context(forge, path)) and good
        except OutsideError as error:
            click.echo(f"{forge}:{path}: {error}", err=True)
            good = False
    raise SystemExit(0 if good else 1)


def _chosen(world: "World", repositories: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if not repositories:
        yield from world.repositories()
    for name in repositories:
        forge, _, path = name.partition(":")
        yield forge, path
