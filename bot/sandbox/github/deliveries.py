"""How GitHub sends its webhooks: headers and the signature. A failed one is never sent again by itself."""

import hashlib
import hmac
from datetime import datetime

from bot.sandbox.api import Shaped
from bot.sandbox.github.payloads import for_hook, shape
from bot.sandbox.model import Event, Hook
from bot.sandbox.state import State

__all__ = ["after", "for_hook", "headers", "shape", "wants"]


def wants(hook: Hook, event: Event, now: datetime) -> bool:  # noqa: ARG001 as every dialect
    """Whether the hook is told at all; which events it wants is asked of each."""
    return True


def headers(state: State, hook: Hook, shaped: Shaped, body: bytes) -> dict[str, str]:  # noqa: ARG001 as every dialect
    """What comes with a body. The signature covers the body alone; the GUID is the event's, one for all hooks."""
    found = {
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Event": shaped.name,
        "X-GitHub-Delivery": shaped.guid,
        "X-GitHub-Hook-ID": str(hook.id),
    }
    if hook.token:
        found["X-Hub-Signature-256"] = f"sha256={hmac.new(hook.token.encode(), body, hashlib.sha256).hexdigest()}"
    return found


def after(hook: Hook, succeeded: bool, now: datetime) -> None:
    """Nothing: GitHub only shows in its list what failed."""
