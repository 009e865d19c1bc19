"""Serving a sandbox from threads of this process: HTTP, the sending of webhooks, and the imitated CI's time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import WSGIRequestHandler, make_server

from bot.sandbox.app import create_app
from bot.sandbox.sandbox import Sandbox

HOST = "127.0.0.1"


class Quiet(WSGIRequestHandler):
    """Logs no requests, and sends an answer's last small packet at once."""

    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the journal knows."""


@contextmanager
def serve(sandbox: Sandbox, port: int = 0, *, host: str = HOST, ticking: bool = True) -> Iterator[str]:
    """Serve until the block ends, on a free port unless one is given; yields the web address.

    With `ticking` the imitated CI's time passes by itself; webhooks are always sent by themselves.
    """
    server = make_server(host, port, create_app(sandbox.parts), threaded=True, request_handler=Quiet)
    sandbox.state.url = f"http://{host}:{server.server_port}"
    stopped = threading.Event()
    work = [lambda: server.serve_forever(poll_interval=0.02), lambda: sandbox.webhooks.run(stopped)]
    if ticking:
        work.append(lambda: sandbox.ci.run(stopped))
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield sandbox.state.url
    finally:
        stopped.set()
        sandbox.webhooks.wake()
        server.shutdown()
        server.server_close()
        for thread in threads:
            thread.join(5)
