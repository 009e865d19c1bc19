"""`towpath worker`: Celery with a threads pool, since promotion work waits on the forge."""

import click


@click.command()
@click.option("--concurrency", default=16, show_default=True, help="How many units are reconciled at once.")
@click.option("--queue", type=click.Choice(["work", "validate"]), default="work", show_default=True)
def command(concurrency: int, queue: str) -> None:
    """Start a worker, which reconciles units; start as many as you like."""
    from workers.app import QUEUE, VALIDATE_QUEUE, make_app
    from workers.cli.start import settings_or_exit
    from workers.world import make_world

    settings = settings_or_exit()
    app = make_app(make_world(settings), settings.broker)
    name = {"work": QUEUE, "validate": VALIDATE_QUEUE}[queue]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    level = f"--loglevel={settings.log_level.upper()}"
    app.worker_main(["worker", "--pool=threads", f"--concurrency={concurrency}", f"--queues={name}", level, *quiet])
