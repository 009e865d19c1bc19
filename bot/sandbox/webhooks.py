"""Webhooks: events become deliveries, deliveries are sent one after the other, failing hooks are switched off."""

import base64
import hashlib
import hmac
import json
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from bot.sandbox.faults import Faults
from bot.sandbox.model import Event, Hook, Pushed
from bot.sandbox.state import State
from bot.sandbox.webhook_payloads import kind_of, payload

Sender = Callable[[str, bytes, Mapping[str, str]], int]
"""Posts a body with headers to an address and returns the status; raises OSError where nobody answers in time."""

FAILURES_IN_A_ROW = 4
FAILURES_FOR_GOOD = 40
SHORTEST_OFF = timedelta(minutes=1)
LONGEST_OFF = timedelta(hours=24)
"""GitLab switches a hook off after four failures in a row, each time for longer, and for good after forty."""


@dataclass(slots=True)
class Delivery:
    """One webhook to be sent, and what came of it: a status, or 0 where nobody answered."""

    hook: Hook
    kind: str
    body: bytes
    headers: Mapping[str, str]
    queued_at: datetime
    status: int | None = None


@dataclass(slots=True)
class Webhooks:
    """The queue of deliveries and the log of those sent."""

    state: State
    faults: Faults
    sender: Sender
    queue: deque[Delivery] = field(default_factory=deque)
    log: list[Delivery] = field(default_factory=list)
    _wake: threading.Event = field(default_factory=threading.Event)
    _held: Delivery | None = None
    _busy: int = 0

    def on_event(self, event: Event) -> None:
        """Queue a delivery for each hook that wants it; called under the forge's lock."""
        kind, header = kind_of(event)
        if not kind or (isinstance(event, Pushed) and event.quiet):
            return
        for hook in event.project.hooks.values():
            if kind in hook.events and _branch_wanted(hook, event) and not _is_off(hook, self.state.clock()):
                self._queue(hook, header, payload(self.state, event))

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

    def _queue(self, hook: Hook, header: str, body: Mapping[str, object]) -> None:
        content = json.dumps(body).encode()
        delivery = Delivery(hook, header, content, self._headers(hook, header, content), self.state.clock())
        fault = self.faults.webhook()
        if fault == "lose":
            return
        if fault == "reorder" and self._held is None:
            self._held = delivery
            return
        self.queue.append(delivery)
        if fault == "repeat":
            self.queue.append(delivery)
        if self._held is not None:
            self.queue.append(self._held)
            self._held = None
        self._wake.set()

    def _headers(self, hook: Hook, header: str, body: bytes) -> dict[str, str]:
        number, at = str(uuid.uuid4()), str(int(self.state.clock().timestamp()))
        found = {
            "Content-Type": "application/json",
            "User-Agent": "GitLab/18.0.0-sandbox",
            "X-Gitlab-Event": header,
            "X-Gitlab-Event-UUID": str(uuid.uuid4()),
            "X-Gitlab-Webhook-UUID": hook.uuid,
            "X-Gitlab-Instance": self.state.url,
            "Idempotency-Key": number,
        }
        if hook.token:
            found["X-Gitlab-Token"] = hook.token
        if hook.signing_secret:
            signature = sign(hook.signing_secret, number, at, body)
            found |= {"webhook-id": number, "webhook-timestamp": at, "webhook-signature": signature}
        return found

    def _send(self, delivery: Delivery) -> None:
        try:
            delivery.status = self.sender(delivery.hook.url, delivery.body, delivery.headers)
        except OSError:
            delivery.status = 0
        with self.state.lock:
            self.log.append(delivery)
            count(delivery.hook, 200 <= (delivery.status or 0) < 300, self.state.clock())


def sign(secret: str, number: str, at: str, body: bytes) -> str:
    """A signature by Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of id, time and body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([number.encode(), at.encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def count(hook: Hook, succeeded: bool, now: datetime) -> None:
    """Count a failure, or forget them; the fourth in a row switches the hook off for a while."""
    if succeeded:
        hook.failures, hook.disabled_until = 0, None
        return
    hook.failures += 1
    beyond = hook.failures - FAILURES_IN_A_ROW
    if beyond >= 0:
        hook.disabled_until = now + min(LONGEST_OFF, SHORTEST_OFF * 2 ** min(beyond, 11))


def alert(hook: Hook, now: datetime) -> str:
    """GitLab's `alert_status`."""
    if hook.failures >= FAILURES_FOR_GOOD:
        return "disabled"
    return "temporarily_disabled" if _is_off(hook, now) else "executable"


def _is_off(hook: Hook, now: datetime) -> bool:
    if hook.failures >= FAILURES_FOR_GOOD:
        return True
    return hook.disabled_until is not None and now < hook.disabled_until


def _branch_wanted(hook: Hook, event: Event) -> bool:
    return not isinstance(event, Pushed) or not hook.branch_filter or fnmatchcase(event.branch, hook.branch_filter)
