"""`towpath audit`: what ran where, since when, how it came and who approved it, from Git and the forge alone."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from workers.trail import Asked, Found

FORMATS = ("table", "json", "csv")
_AGO = re.compile(r"([1-9][0-9]{0,4})([dhw])")
_UNITS = {"w": "weeks", "d": "days", "h": "hours"}


@click.command()
@click.option("--service", help="Only this service.")
@click.option("--stage", help="Only this stage.")
@click.option("--since", help="Only changes since then: 2026-05-03, 2026-05-03T14:00+02:00, 7d, 12h.")
@click.option("--at", "moment", help="What each target pinned at that moment, and how it came: 2026-05-03T14:00.")
@click.option(
    "--format", "how", type=click.Choice(FORMATS), default="table", show_default=True, help="json: JSON lines."
)
def command(service: str | None, stage: str | None, since: str | None, moment: str | None, how: str) -> None:
    """Show every change of every target: when, what, by which merge request, who approved, and what the forge says.

    Writes nothing to the forge. Exits with 0; with 1 where a change went around Towpath or the forge disagrees; with 2
    where something could not be read. Times without a zone are UTC."""
    from workers.cli.start import settings_or_exit
    from workers.trail import Asked, trails
    from workers.world import make_world

    if since is not None and moment is not None:
        raise click.UsageError("--since asks for changes, --at for one moment: give one of them")
    world = make_world(settings_or_exit())
    now = world.clock()
    asked = Asked(service, stage, _time(since, "--since", now), _time(moment, "--at", now))
    found = trails(world, asked)
    _check_names(asked, found)
    printed(found, how)
    raise SystemExit(exit_code(found))


def printed(found: "Sequence[Found]", how: str) -> None:
    """Write the answer, and what could not be read to standard error."""
    from policies.wording import audit as words
    from policies.wording.quote import one_line

    rows = sorted(
        ((one.forge, one.repository, entry) for one in found for entry in one.entries),
        key=lambda row: row[2].at,
        reverse=True,
    )
    for one in found:
        for reason in one.unread:
            click.echo(f"not read: {one.forge} {one.repository}: {one_line(reason)}", err=True)
    shown: dict[str, Callable[[], str]] = {
        "table": lambda: words.as_table(rows),
        "json": lambda: "\n".join(words.as_json(row) for row in rows),
        "csv": lambda: words.as_csv(rows),
    }
    if rows or how == "csv":
        click.echo(shown[how]())
    elif how == "table":
        click.echo("no change was found")


def exit_code(found: "Sequence[Found]") -> int:
    """2 where something could not be read, 1 where a person should look at a change, else 0."""
    if any(one.unread for one in found):
        return 2
    return 1 if any(entry.is_odd for one in found for entry in one.entries) else 0


def _check_names(asked: "Asked", found: "Sequence[Found]") -> None:
    """A name that no repository knows, where all of them could be read."""
    from policies.faults import nearest

    if any(one.unread for one in found):
        return
    known = {
        "service": (asked.service, sorted({name for one in found for name in one.services})),
        "stage": (asked.stage, sorted({name for one in found for name in one.stages})),
    }
    for kind, (name, names) in known.items():
        if name is not None and name not in names:
            raise click.BadParameter(f"there is no {kind} {name!r}{nearest(name, names)}", param_hint=f"--{kind}")


def _time(text: str | None, option: str, now: datetime) -> datetime | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago is not None and option == "--since":
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        forms = "2026-05-03, 2026-05-03T14:00 or 2026-05-03T14:00+02:00"
        more = "; or how long ago: 7d, 12h" if option == "--since" else ""
        raise click.BadParameter(f"{text!r} is no time: write {forms}{more}", param_hint=option) from error
