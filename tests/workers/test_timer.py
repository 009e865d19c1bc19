"""The timer on a real Redis."""

import threading

import pytest
from celery import Celery

from bot.pending import Pending, Work, connect
from tests.redis_server import RedisServer, free_port
from workers.cli.timer import sender
from workers.timer import run_timer, tick

U: Work = ("unit", "main", "platform/config", "shop")


@pytest.fixture
def pending(redis_url: str) -> Pending:
    return Pending(connect(redis_url, 5), lease=60)


def test_due_work_is_sent_and_sent_again_while_nobody_claims_it(pending: Pending) -> None:
    sent: list[Work] = []
    pending.mark([U], 10)
    assert tick(pending, sent.append, 10) == 1
    assert tick(pending, sent.append, 20) == 0
    assert tick(pending, sent.append, 41) == 1
    assert sent == [U, U]


def test_R3_work_of_a_worker_that_died_is_sent_again(pending: Pending) -> None:
    sent: list[Work] = []
    pending.mark([U], 10)
    assert pending.claim(U, 10) is not None
    assert tick(pending, sent.append, 50) == 0
    assert tick(pending, sent.append, 71) == 1


def test_it_sweeps_at_once_and_stops_when_told(pending: Pending) -> None:
    stop = threading.Event()
    sent: list[Work] = []

    def send(work: Work) -> None:
        sent.append(work)
        stop.set()

    run_timer(pending, send, lambda: 1000.0, 300, stop)
    assert sent == [("sweep",)]


def test_a_redis_that_comes_back_is_found_again(redis_server: RedisServer, redis_url: str) -> None:
    dead = Pending(connect(f"redis://127.0.0.1:{free_port()}/0"))
    alive = Pending(connect(redis_url, 5))
    stop = threading.Event()
    tries = iter([dead, dead, alive])
    current = [next(tries)]

    class Both:
        """The queue that is there just now."""

        def __getattr__(self, name: str) -> object:
            current[0] = next(tries, alive)
            return getattr(current[0], name)

    sent: list[Work] = []

    def send(work: Work) -> None:
        sent.append(work)
        stop.set()

    run_timer(Both(), send, lambda: 1000.0, 300, stop)  # type: ignore[arg-type]  # stands in for a queue
    assert sent == [("sweep",)]


def test_a_broker_that_does_not_answer_does_not_end_the_timer(pending: Pending) -> None:
    celery = sender(Celery("towpath", broker=f"redis://127.0.0.1:{free_port()}/0"))
    stop = threading.Event()
    errors: list[str] = []

    def send(work: Work) -> None:
        stop.set()
        try:
            celery(work)
        except OSError as error:
            errors.append(str(error))
            raise

    run_timer(pending, send, lambda: 1000.0, 300, stop)
    assert [error.partition(":")[0] for error in errors] == ["the broker"]
