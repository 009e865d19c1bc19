"""Who sent this: secrets and signatures over the raw bytes, compared in constant time (S2)."""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.hooks.events import Unverified

FRESHNESS = 300
"""Seconds that a signed message may be older or newer than now; the Standard Webhooks libraries use the same."""

WHSEC = "whsec_"
"""Begins a Standard Webhooks secret; base64 follows."""

_SECONDS = re.compile(r"[0-9]{1,12}")
_SAFE_ID = re.compile(r"[A-Za-z0-9._:+/=-]{1,128}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one sender may prove itself by; any one of several is enough, so that one can be rotated (S3)."""

    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Compared as they are, or the keys of Towpath's own signature."""
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    """`whsec_...` of Standard Webhooks. Where there is one, `secrets` are never a fallback (S4)."""


def same_secret(given: str, secrets: Sequence[str]) -> bool:
    """Whether a header's value is one of the secrets; an empty secret is never right."""
    return any(hmac.compare_digest(_raw(given), secret.encode()) for secret in secrets if secret)


def _raw(header: str) -> bytes:
    # WSGI hands over a header's bytes as Latin-1 (PEP 3333), and compare_digest takes only ASCII as text.
    try:
        return header.encode("latin-1")
    except UnicodeEncodeError:
        return header.encode("utf-8", "surrogatepass")


def fresh(seconds: str, header: str, now: datetime) -> None:
    """Unverified unless `seconds`, the decimal Unix time in that header, is within five minutes of `now`."""
    if not _SECONDS.fullmatch(seconds):
        raise Unverified(f"{header} is not a Unix time in whole seconds")
    age = now.timestamp() - int(seconds)
    if abs(age) > FRESHNESS:
        turn = "ago" if age > 0 else "ahead"
        raise Unverified(f"{header} is {abs(age):.0f} seconds {turn}; at most {FRESHNESS} are allowed")


def required(headers: Mapping[str, str], name: str) -> str:
    """A header's value; Unverified where it is missing or empty. `name` is written as people write it."""
    value = headers.get(name.lower(), "")
    if not value:
        raise Unverified(f"the header {name} is missing")
    return value


def hexmac(secret: str, content: bytes) -> str:
    """The hex HMAC-SHA256 of content."""
    return hmac.digest(secret.encode(), content, "sha256").hex()


def verify_standard(headers: Mapping[str, str], body: bytes, secrets: Sequence[str], now: datetime) -> None:
    """Verify the symmetric scheme of the Standard Webhooks specification 1.0.0, as GitLab signs; Unverified if not.

    The header may hold several signatures, apart by spaces; those of other versions than v1 are passed over."""
    message = required(headers, "webhook-id")
    seconds = required(headers, "webhook-timestamp")
    signatures = required(headers, "webhook-signature").split()
    fresh(seconds, "webhook-timestamp", now)
    content = b".".join((_raw(message), seconds.encode(), body))
    right = [_standard_signature(secret, content) for secret in secrets if secret]
    if not any(hmac.compare_digest(_raw(given), wanted) for given in signatures for wanted in right):
        raise Unverified("webhook-signature is not this body's by any configured signing secret")


def _standard_signature(secret: str, content: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.digest(signing_key(secret), content, "sha256"))


def signing_key(secret: str) -> bytes:
    """The key that `whsec_<base64>` writes; ValueError where it writes none of at least 16 bytes."""
    text = secret.removeprefix(WHSEC)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("is not base64 after whsec_") from error
    if not secret.startswith(WHSEC) or len(key) < 16:
        raise ValueError("is no signing secret: copy the whole whsec_... that the forge shows")
    return key


def body_hash(body: bytes) -> str:
    """What names a delivery that has no id of its own."""
    return hashlib.sha256(body).hexdigest()


def delivery_id(*parts: str) -> str:
    """The sender's own id where it is one short plain word, so that logs can be compared; else a hash."""
    if len(parts) == 1 and _SAFE_ID.fullmatch(parts[0]):
        return parts[0]
    return body_hash("\n".join(parts).encode("utf-8", "surrogatepass"))
