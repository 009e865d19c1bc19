"""`towpath demo`: the main job on an embedded forge, every part the real one."""

import signal

import click


@click.command()
@click.option("--forge", type=click.Choice(["gitlab", "github"]), default="gitlab", show_default=True)
@click.option("--once", is_flag=True, help="Walk it without a person, check Git's content, and stop.")
def command(forge: str, once: bool) -> None:
    """Show the main job; stays up until Ctrl-C."""
    from workers.cli.demo.processes import NotStarted
    from workers.cli.demo.signals import ENDS, Ended, ending
    from workers.cli.demo.stage import stage
    from workers.cli.demo.steps import Wrong
    from workers.cli.demo.walk import invite, walk
    from workers.redis_binary import NoRedis

    click.echo(f"Starting a sandbox forge that speaks {forge}'s API, Redis, and Towpath's web, worker and timer …")
    try:
        with ending(), stage(forge) as running:
            walk(running)
            if once:
                click.echo(
                    "\nDone: one release went to the last production ring; a bad one was taken back and stays away."
                )
                return
            invite(running, running.folder)
            number = signal.sigwait(ENDS)
            if number != signal.SIGINT:
                raise Ended(number)
            click.echo("stopped")
    except (NotStarted, NoRedis, Wrong) as error:
        raise click.ClickException(str(error)) from error
    except Ended as ended:
        # Without a word: after SIGHUP nobody may be there to read it.
        raise SystemExit(ended.code) from ended
