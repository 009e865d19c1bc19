"""A sweep at once: the demo's timer sweeps each half minute, and nobody wants to watch that three times."""

import time

import redis

from bot.pending import PREFIX, Pending, connect
from workers.cli.demo.stage import Stage
from workers.cli.demo.steps import wait_for


def sweep(stage: Stage) -> None:
    """Have Towpath look at everything as if no webhook had ever come, until it has nothing left to do."""
    client = connect(stage.redis_url)
    try:
        Pending(client).mark([("sweep",)], time.time(), cause="demo")
        wait_for(stage, "the sweep's end", lambda: is_quiet(client))
    finally:
        client.close()


def is_quiet(client: "redis.Redis") -> bool:
    """Whether no work is due, handed out, or in flight."""
    with client.pipeline() as together:
        together.zcount(f"{PREFIX}due", "-inf", time.time())
        together.hlen(f"{PREFIX}handed")
        together.hlen(f"{PREFIX}flight")
        return not any(together.execute())
