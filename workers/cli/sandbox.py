"""`towpath sandbox`: the sandbox forge alone, with the demo's config repository."""

import signal
from pathlib import Path

import click


@click.command()
@click.option("--port", default=8930, show_default=True)
@click.option("--folder", type=click.Path(path_type=Path), help="Where its repositories lie; must not hold any yet.")
def command(port: int, folder: Path | None) -> None:
    """Start the sandbox forge alone, and print its users' tokens."""
    import tempfile

    from bot.sandbox.server import serve
    from workers.cli.demo.stage import seeded

    with tempfile.TemporaryDirectory(prefix="towpath-sandbox-") as scratch:
        sandbox = seeded(folder or Path(scratch) / "forge")
        with serve(sandbox, port=port) as url:
            click.echo(f"sandbox forge on {url}")
            for username in ("maria", "jonas", "priya", "towpath"):
                click.echo(f"  {username}: {sandbox.token_for(username)}")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})
