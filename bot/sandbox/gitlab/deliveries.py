"""How GitLab sends its webhooks: headers, the two ways of proving itself, and switching off hooks that fail."""

import base64
import hashlib
import hmac
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from fnmatch import fnmatchcase

from bot.sandbox.api import Shaped
from bot.sandbox.gitlab.webhook_payloads import kind_of, payload
from bot.sandbox.model import Event, Hook, Pushed
from bot.sandbox.state import State

FAILURES_IN_A_ROW = 4
FAILURES_FOR_GOOD = 40
SHORTEST_OFF = timedelta(minutes=1)
LONGEST_OFF = timedelta(hours=24)
"""GitLab switches a hook off after four failures in a row, each time for longer, and for good after forty."""


def wants(hook: Hook, event: Event, now: datetime) -> bool:
    """Whether the hook is on, and a push is to a branch that it wants; a push of many branches is told to nobody."""
    if isinstance(event, Pushed) and (event.quiet or not fnmatchcase(event.branch, hook.branch_filter or "*")):
        return False
    return not _is_off(hook, now)


def shape(state: State, event: Event) -> Iterator[Shaped]:
    """The one body that an event makes, or none."""
    kind, header = kind_of(event)
    if kind:
        yield Shaped(kind, header, payload(state, event))


def for_hook(state: State, hook: Hook, event: Event, shaped: Shaped) -> Shaped:  # noqa: ARG001 as every dialect
    """The same to all hooks."""
    return shaped


def headers(state: State, hook: Hook, shaped: Shaped, body: bytes) -> dict[str, str]:
    """What comes with a body: the plain token, and a signature by Standard Webhooks."""
    number, at = str(uuid.uuid4()), str(int(state.clock().timestamp()))
    found = {
        "User-Agent": "GitLab/18.0.0-sandbox",
        "X-Gitlab-Event": shaped.name,
        "X-Gitlab-Event-UUID": str(uuid.uuid4()),
        "X-Gitlab-Webhook-UUID": hook.uuid,
        "X-Gitlab-Instance": state.url,
        "Idempotency-Key": number,
    }
    if hook.token:
        found["X-Gitlab-Token"] = hook.token
    if hook.signing_secret:
        signature = sign(hook.signing_secret, number, at, body)
        found |= {"webhook-id": number, "webhook-timestamp": at, "webhook-signature": signature}
    return found


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
