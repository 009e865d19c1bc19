"""How GitHub sends its webhooks: headers and the signature. A failed one is never sent again by itself."""

import hashlib
import hmac
import uuid
from datetime import datetime

from bot.sandbox.github.payloads import shape
from bot.sandbox.model import Event, Hook
from bot.sandbox.state import State

__all__ = ["after", "headers", "shape", "wants"]


def wants(hook: Hook, event: Event, now: datetime) -> bool:  # noqa: ARG001 as every dialect
    """Whether the hook is told at all; which events it wants is asked of each."""
    return True


def headers(state: State, hook: Hook, name: str, body: bytes) -> dict[str, str]:  # noqa: ARG001 as every dialect
    """What comes with a body; the signature covers the body alone."""
    found = {
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Event": name,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-GitHub-Hook-ID": str(hook.id),
    }
    if hook.token:
        found["X-Hub-Signature-256"] = f"sha256={hmac.new(hook.token.encode(), body, hashlib.sha256).hexdigest()}"
    return found


def after(hook: Hook, succeeded: bool, now: datetime) -> None:
    """Nothing: GitHub only shows in its list what failed."""
