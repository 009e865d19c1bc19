"""`towpath recover`: have webhooks that nobody took sent again, and say what a person must switch on."""

import re
from datetime import timedelta

import click

UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def _age(_: click.Context, __: click.Parameter, text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", text)
    if found is None:
        raise click.BadParameter("write a number and m, h or d, such as 90m, 3h or 2d")
    age = timedelta(**{UNITS[found[2]]: int(found[1])})
    if age > timedelta(days=3):
        raise click.BadParameter("forges keep deliveries for three days at most: 3d or less")
    return age


@click.command()
@click.option("--since", default="3h", show_default=True, callback=_age, help="How far to look back: 90m, 3h, 2d.")
def command(since: timedelta) -> None:
    """Ask the forges for webhooks that failed. Exits with 1 where a person has to act."""
    from workers.cli.start import settings_or_exit
    from workers.recovery import recover
    from workers.world import make_world

    world = make_world(settings_or_exit())
    needs_a_person = False
    for one in recover(world, world.clock() - since):
        place = f"{one.forge} {one.repository}"
        if one.failure is not None:
            click.echo(f"{place}: {one.failure}", err=True)
        else:
            click.echo(f"{place}: {one.recovery.sent_again} deliveries sent again")
        for advice in one.recovery.advice:
            click.echo(f"{place}: {advice}", err=True)
        needs_a_person = needs_a_person or one.failure is not None or bool(one.recovery.advice)
    raise SystemExit(1 if needs_a_person else 0)
