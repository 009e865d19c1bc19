"""`towpath timer`: hands due work to the workers, and sweeps; several may run."""

import signal
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from bot.pending import Work

if TYPE_CHECKING:
    from celery import Celery


@click.command()
def command() -> None:
    """Start the timer."""
    from workers.app import make_app
    from workers.cli.start import settings_or_exit
    from workers.timer import run_timer
    from workers.world import make_world

    settings = settings_or_exit()
    world = make_world(settings)
    app = make_app(world, settings.broker)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    run_timer(world.pending, sender(app), time.time, settings.sweep_seconds, stop)


def sender(app: "Celery") -> Callable[[Work], None]:
    """What hands a work to the workers; ConnectionError where the broker does not answer."""
    from kombu.exceptions import OperationalError

    from workers.app import TASK, queue_of

    def send(work: Work) -> None:
        try:
            app.send_task(TASK, args=[list(work)], queue=queue_of(work), retry=False, ignore_result=True)
        except OperationalError as error:
            # Celery's own kind of error is no OSError, and the timer need not know Celery.
            raise ConnectionError(f"the broker: {error}") from error

    return send
