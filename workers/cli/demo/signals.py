"""Signals that end the demo: each takes down all that was started; the exit code names the signal as a shell does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """A signal told the demo to end; like KeyboardInterrupt, it is nothing that an `except Exception` may keep."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.code = 128 + number


@contextmanager
def ending() -> Iterator[None]:
    """Inside, one of these signals raises `Ended`, so that what is open is closed; afterwards all is as before."""
    # What is ignored was so from the start, as by nohup, and stays so.
    before = {number: signal.getsignal(number) for number in ENDS if signal.getsignal(number) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def hold() -> None:
    """From here on they are ignored: a second Ctrl-C would leave half of what is being stopped."""
    for number in ENDS:
        signal.signal(number, signal.SIG_IGN)


def _end(number: int, _frame: FrameType | None) -> None:
    raise Ended(number)
