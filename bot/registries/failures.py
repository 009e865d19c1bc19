"""What a registry's refusal or a network that does not answer means."""

import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from bot.errors import OutsideError, Permanent, RateLimited, Transient
from policies.wording.quote import one_line

LOOK_UP = "look up image"
DEFAULT_WAIT = timedelta(seconds=60)
LONGEST_WAIT = timedelta(hours=1)


def refused(subject: str, who: str, answer: requests.Response, now: datetime) -> OutsideError:
    """What an answer means that is none; `who` gave it."""
    status = answer.status_code
    if status == 429:
        return RateLimited(LOOK_UP, subject, retry_at(answer.headers, now))
    if status == 408 or status >= 500:
        return Transient(LOOK_UP, subject, f"{who} answers {status}")
    if status in {401, 403}:
        return Permanent(LOOK_UP, subject, f"{who} answers {status}: check the registry's user name and password")
    if 300 <= status < 400:
        return Permanent(LOOK_UP, subject, f"{who} answers {status}, a redirection, which is never followed")
    return Permanent(LOOK_UP, subject, f"{who} answers {status}")


def unreached(subject: str, failure: OSError) -> OutsideError:
    """What a failure of the network, of TLS or of the address means; requests' errors are OSErrors."""
    if _untrusted(failure):
        return Permanent(LOOK_UP, subject, "the server's certificate is not trusted: set the registry's CA file")
    if not isinstance(failure, requests.RequestException):
        return Permanent(LOOK_UP, subject, f"the registry's CA file cannot be used ({one_line(str(failure))})")
    if isinstance(failure, ValueError):  # requests marks malformed addresses so
        return Permanent(LOOK_UP, subject, one_line(str(failure)))
    return Transient(LOOK_UP, subject, one_line(str(failure)) or type(failure).__name__)


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When to ask again: in a minute where `Retry-After` (RFC 9110, 10.2.3) does not say, within an hour."""
    value = headers.get("Retry-After", "")
    wait = DEFAULT_WAIT
    if value.isascii() and value.isdigit():
        wait = timedelta(seconds=int(value[:9]))
    elif value:
        wait = _until(value, now)
    return now + max(timedelta(seconds=1), min(wait, LONGEST_WAIT))


def _until(date: str, now: datetime) -> timedelta:
    try:
        at = parsedate_to_datetime(date)
    except ValueError:
        return DEFAULT_WAIT
    return (at if at.tzinfo else at.replace(tzinfo=UTC)) - now


def _untrusted(failure: BaseException | None) -> bool:
    """Whether a certificate check stands at the bottom of it; urllib3 wraps that in `reason` and in args."""
    while failure is not None and not isinstance(failure, ssl.SSLCertVerificationError):
        inner = getattr(failure, "reason", None) or (failure.args[0] if failure.args else None)
        failure = inner if isinstance(inner, BaseException) else None
    return failure is not None
