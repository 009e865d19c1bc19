"""`towpath web`: the receiver, served by granian, which answers what it accepted when it is told to stop."""

import click

THREADS = 64
"""Requests that one process serves at once. They wait, for Redis or for the rest of a body, so they are many: with few
of them some callers that send nothing, or a Redis that hangs, keep all the others waiting."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8080, show_default=True)
@click.option("--processes", default=1, show_default=True, help="How many processes serve.")
def command(host: str, port: int, processes: int) -> None:
    """Start the receiver of webhooks."""
    from granian.constants import Interfaces
    from granian.server import Server

    from workers.cli.start import settings_or_exit

    settings_or_exit()  # Wrong settings end here, with every fault named, and not in a serving process.
    server = Server(
        "workers.serving:make_web",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=processes,
        blocking_threads=THREADS,
        respawn_failed_workers=True,
        log_access=False,
    )
    server.serve()
