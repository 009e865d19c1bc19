"""What every adapter says of a broken answer, a limit or a network that does not answer, in the same words."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from bot.errors import OutsideError, Permanent, Transient

DEFAULT_WAIT = timedelta(seconds=60)
"""How long to wait after a refusal for asking too much that does not say: forges count by the minute."""

LONGEST_WAIT = timedelta(hours=1)
"""A longer wait than this is asked again: a header gone wrong must not stop Towpath for a day."""


class Unreadable(Exception):
    """A forge's answer lacks something that its API documents; `what` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


def one_line(text: str) -> str:
    """Others' words, made fit for a log line: no control characters (S9), at most 300 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def retry_at(headers: Mapping[str, str], reset: str, now: datetime) -> datetime:
    """When the forge lets us ask again: never in the past, at most an hour ahead.

    `Retry-After` is seconds or an HTTP date (RFC 9110, 10.2.3); `reset` names the header that holds seconds since the
    epoch."""
    asked = _after(headers.get("Retry-After"), now) or _reset(headers.get(reset)) or now + DEFAULT_WAIT
    return max(now + timedelta(seconds=1), min(asked, now + LONGEST_WAIT))


def unreached(operation: str, subject: str, failure: requests.RequestException) -> OutsideError:
    """What a failure of the network, of TLS or of the address means."""
    if _certificate_refused(failure):
        cause = f"the server's certificate is not trusted: set the forge's CA file ({one_line(str(failure))})"
        return Permanent(operation, subject, cause)
    if isinstance(failure, requests.exceptions.InvalidSchema):  # no adapter is mounted for that address (S11)
        cause = f"the forge points to an address other than the configured one ({one_line(str(failure))})"
        return Permanent(operation, subject, cause)
    if isinstance(failure, (ValueError, requests.TooManyRedirects)):  # requests marks malformed addresses as ValueError
        return Permanent(operation, subject, one_line(str(failure)))
    return Transient(operation, subject, one_line(str(failure)) or type(failure).__name__)


def unfit(operation: str, subject: str) -> Permanent:
    """Something could not be put into a request or taken from an answer.

    Neither its words nor the error itself go along: they may repeat a header, and so the token (S10)."""
    return Permanent(operation, subject, "a value cannot be sent or read: check the forge's token, URL and proxy")


def _after(value: str | None, now: datetime) -> datetime | None:
    if value is None:
        return None
    if value.isascii() and value.isdigit():
        return now + min(timedelta(seconds=int(value[:9])), LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _reset(value: str | None) -> datetime | None:
    if value is None or not (value.isascii() and value.isdigit() and len(value) <= 11):
        return None
    return datetime.fromtimestamp(int(value), UTC)


def _certificate_refused(failure: BaseException | None) -> bool:
    """Whether a certificate check stands at the bottom of the failure; urllib3 wraps it in `reason` and in args."""
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return True
        inner = getattr(failure, "reason", None) or (failure.args[0] if failure.args else None)
        failure = inner if isinstance(inner, BaseException) else None
    return False
