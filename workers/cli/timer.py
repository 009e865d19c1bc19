"""`towpath timer`: hands due work to the workers, and sweeps; several may run."""

import signal
import threading
import time

import click


@click.command()
def command() -> None:
    """Start the timer."""
    from workers.app import QUEUE, TASK, make_app
    from workers.cli.start import settings_or_exit
    from workers.timer import run_timer
    from workers.world import make_world

    settings = settings_or_exit()
    world = make_world(settings)
    app = make_app(world, settings.broker)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_timer(
        world.pending,
        lambda work: app.send_task(TASK, args=[list(work)], queue=QUEUE, retry=False, ignore_result=True),
        time.time,
        settings.sweep_seconds,
        stop,
    )
