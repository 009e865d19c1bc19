"""Trouble at will: limits, failures before or after the effect, latency, cut connections, webhooks gone astray."""

import re
import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["limited", "exhausted", "broken", "broken-after", "slow", "cut", "cut-after"]
"""Asked too fast; the quota used up; 500 without effect; 500 after the effect; late; the connection closed without an
answer, before or after."""

WebhookKind = Literal["lose", "repeat", "reorder"]
"""Never sent; sent twice with the same headers; sent after the next one."""


@dataclass(slots=True)
class Fault:
    """Trouble for the next `count` requests whose method and path match (regular expressions, whole)."""

    kind: Kind
    method: str = ".*"
    path: str = ".*"
    count: int = 1
    status: int = 500
    retry_after: int = 30
    seconds: float = 0.0


@dataclass(slots=True)
class Faults:
    """The faults that are switched on; paths are as counted: `projects/platform%2Fconfig/merge_requests`."""

    requests: list[Fault] = field(default_factory=list)
    webhooks: list[WebhookKind] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, fault: Fault) -> None:
        """Switch one on."""
        with self._lock:
            self.requests.append(fault)

    def add_webhook(self, kind: WebhookKind, count: int = 1) -> None:
        """For the next webhooks."""
        with self._lock:
            self.webhooks.extend([kind] * count)

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self.requests.clear()
            self.webhooks.clear()

    def request(self, method: str, path: str) -> Fault | None:
        """The fault that this request meets, counted as used."""
        with self._lock:
            for fault in self.requests:
                if re.fullmatch(fault.method, method) and re.fullmatch(fault.path, path):
                    fault.count -= 1
                    if fault.count <= 0:
                        self.requests.remove(fault)
                    return fault
        return None

    def webhook(self) -> WebhookKind | None:
        """The fault that the next webhook meets, used up."""
        with self._lock:
            return self.webhooks.pop(0) if self.webhooks else None
