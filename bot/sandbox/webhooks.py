"""Webhooks: events become deliveries, which are sent one after the other, in the dialect that each hook was made in."""

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from bot.sandbox.api import Shaped
from bot.sandbox.dialects import DIALECTS
from bot.sandbox.faults import Faults
from bot.sandbox.model import Delivery, Event, Hook
from bot.sandbox.state import State

Sender = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to an address and returns the status; raises OSError where nobody answers in time."""


@dataclass(slots=True)
class Webhooks:
    """Fills and empties the forge's outbox."""

    state: State
    faults: Faults
    sender: Sender
    _wake: threading.Event = field(default_factory=threading.Event)
    _held: Delivery | None = None
    _busy: int = 0

    @property
    def queue(self) -> deque[Delivery]:
        """What is still to be sent."""
        return self.state.outbox

    @property
    def log(self) -> list[Delivery]:
        """What was sent."""
        return self.state.sent

    def on_event(self, event: Event) -> None:
        """Queue a delivery for each hook that wants it; called under the forge's lock."""
        hooks = [*event.project.hooks.values()]
        hooks += [one.app.hook for one in self.state.installations_on(event.project) if one.app.hook]
        shaped: dict[str, tuple[Shaped, ...]] = {}
        for hook in hooks:
            dialect = DIALECTS[hook.dialect]
            if dialect.wants(hook, event, self.state.clock()):
                if hook.dialect not in shaped:
                    shaped[hook.dialect] = tuple(dialect.shape(self.state, event))
                for one in shaped[hook.dialect]:
                    if one.kind in hook.events:
                        self._queue(hook, dialect.for_hook(self.state, hook, event, one))

    def deliver(self) -> int:
        """Send what is queued, in order; returns how many were sent. The forge's lock is not held while sending."""
        sent = 0
        while True:
            with self.state.lock:
                if not self.queue:
                    self._wake.clear()
                    return sent
                delivery = self.queue.popleft()
                self._busy += 1
            try:
                self._send(delivery)
            finally:
                with self.state.lock:
                    self._busy -= 1
            sent += 1

    def run(self, stopped: threading.Event) -> None:
        """Send as events come, until stopped."""
        while not stopped.is_set():
            self._wake.wait(0.5)
            if not stopped.is_set():
                self.deliver()

    def wake(self) -> None:
        """Let `run` look at once."""
        self._wake.set()

    def idle(self) -> bool:
        """Whether nothing is queued or on its way."""
        with self.state.lock:
            return not self.queue and self._busy == 0

    def _queue(self, hook: Hook, shaped: Shaped) -> None:
        delivery = self._delivery(hook, shaped)
        fault = self.faults.webhook()
        if fault == "lose":
            return
        if fault == "reorder" and self._held is None:
            self._held = delivery
            return
        self.queue.append(delivery)
        if fault == "repeat":
            self.queue.append(replace(delivery))
        if self._held is not None:
            self.queue.append(self._held)
            self._held = None
        self._wake.set()

    def _delivery(self, hook: Hook, shaped: Shaped) -> Delivery:
        content, kind = json.dumps(shaped.body).encode(), "application/json"
        if hook.form:
            content, kind = urlencode({"payload": content}).encode(), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind} | dict(DIALECTS[hook.dialect].headers(self.state, hook, shaped, content))
        action = shaped.body.get("action")
        return Delivery(
            id=self.state.number("delivery"),
            hook=hook,
            name=shaped.name,
            action=action if isinstance(action, str) else None,
            body=content,
            headers=headers,
            queued_at=self.state.clock(),
        )

    def _send(self, delivery: Delivery) -> None:
        try:
            delivery.status = self.sender(delivery.hook.url, delivery.body, delivery.headers)
        except OSError:
            delivery.status = 0
        with self.state.lock:
            self.log.append(delivery)
            succeeded = 200 <= (delivery.status or 0) < 300
            DIALECTS[delivery.hook.dialect].after(delivery.hook, succeeded, self.state.clock())
