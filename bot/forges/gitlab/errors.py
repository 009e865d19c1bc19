"""The one place where GitLab's refusals and the network's failures become the errors of `bot.errors`."""

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests
from gitlab.exceptions import GitlabError, GitlabParsingError

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient

DEFAULT_WAIT = timedelta(seconds=60)
"""How long to wait after a 429 that does not say: GitLab counts its limits by the minute."""

LONGEST_WAIT = timedelta(hours=1)
"""A longer wait than this is asked again: a header gone wrong must not stop Towpath for a day."""

WHAT_WOULD_CHANGE_IT = {
    401: "the token is wrong, expired or revoked",
    403: "the token needs the scope `api`, and its user the role Developer or, for protected branches, Maintainer",
    404: "it does not exist or the bot's user cannot see it: check the path and that the bot is a member",
}


class TooManyRequests(Exception):
    """GitLab answered 429; `retry_at` is an aware UTC time."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__(retry_at)
        self.retry_at = retry_at


class Redirected(Exception):
    """GitLab answered with a redirect; `where` is what it points to."""

    def __init__(self, where: str) -> None:
        super().__init__(where)
        self.where = where


class Unreadable(Exception):
    """GitLab's answer lacks something that the API documents; `what` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@contextmanager
def outside(operation: str, subject: str) -> Iterator[None]:
    """Let only errors of `bot.errors` out of the block, each with operation and subject."""
    try:
        yield
    except TooManyRequests as limit:
        raise RateLimited(operation, subject, limit.retry_at) from limit
    except Redirected as redirect:
        cause = f"GitLab redirects to {redirect.where}: the repository moved, or the forge's URL is another one"
        raise Permanent(operation, subject, cause) from redirect
    except Unreadable as answer:
        cause = f"GitLab's answer has no usable {answer.what}: check that the URL is a GitLab with API v4"
        raise Permanent(operation, subject, cause) from answer
    except GitlabError as refusal:
        raise refused(operation, subject, refusal) from refusal
    except requests.exceptions.InvalidHeader:
        raise unfit(operation, subject) from None
    except requests.RequestException as failure:
        raise unreached(operation, subject, failure) from failure
    except OSError as failure:  # requests raises this plain for a CA file that is not there
        raise Permanent(operation, subject, one_line(str(failure))) from failure
    except ValueError:
        raise unfit(operation, subject) from None


def unfit(operation: str, subject: str) -> Permanent:
    """Something could not be put into a request or taken from an answer.

    Neither its words nor the error itself go along: they may repeat a header, and so the token (S10)."""
    return Permanent(operation, subject, "a value cannot be sent or read: check the forge's token, URL and proxy")


def refused(operation: str, subject: str, refusal: GitlabError) -> OutsideError:
    """What a refusal by GitLab means, by its status alone."""
    status, text = refusal.response_code, said(refusal)
    if isinstance(refusal, GitlabParsingError):
        return Permanent(operation, subject, "the answer is not JSON: check that the URL is a GitLab")
    if status is None:
        return Permanent(operation, subject, text)
    if status == 409:
        return Conflict(operation, subject, text)
    if status == 408 or status >= 500:
        return Transient(operation, subject, text)
    hint = WHAT_WOULD_CHANGE_IT.get(status)
    return Permanent(operation, subject, f"{text}; {hint}" if hint else text)


def unreached(operation: str, subject: str, failure: requests.RequestException) -> OutsideError:
    """What a failure of the network, of TLS or of the address means."""
    if _certificate_refused(failure):
        cause = f"the server's certificate is not trusted: set the forge's CA file ({one_line(str(failure))})"
        return Permanent(operation, subject, cause)
    if isinstance(failure, requests.exceptions.InvalidSchema):  # no adapter is mounted for that address (S11)
        cause = f"GitLab points to an address other than the configured one ({one_line(str(failure))})"
        return Permanent(operation, subject, cause)
    if isinstance(failure, (ValueError, requests.TooManyRedirects)):  # requests marks malformed addresses as ValueError
        return Permanent(operation, subject, one_line(str(failure)))
    return Transient(operation, subject, one_line(str(failure)) or type(failure).__name__)


def said(refusal: GitlabError) -> str:
    """Status and GitLab's own words on one line: `409: SHA does not match HEAD of source branch`."""
    words = one_line(_flat(refusal.error_message))
    return words if refusal.response_code is None else f"{refusal.response_code}: {words}"


def one_line(text: str) -> str:
    """Others' words, made fit for a log line: no control characters (S9), at most 300 characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:300]


def retry_at(headers: Mapping[str, str], now: datetime) -> datetime:
    """When GitLab lets us ask again.

    `Retry-After` is seconds or an HTTP date (RFC 9110, 10.2.3), `RateLimit-Reset` seconds since the epoch (GitLab's
    documentation of rate limits). Never in the past, at most an hour ahead.
    """
    asked = _after(headers.get("Retry-After"), now) or _reset(headers.get("RateLimit-Reset")) or now + DEFAULT_WAIT
    return max(now + timedelta(seconds=1), min(asked, now + LONGEST_WAIT))


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


def _flat(message: object) -> str:
    """GitLab says why as text, as a list, or as lists by field."""
    if isinstance(message, Mapping):
        return "; ".join(f"{key}: {_flat(value)}" for key, value in message.items())
    if isinstance(message, (list, tuple)):
        return ", ".join(_flat(part) for part in message)
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)


def _certificate_refused(failure: BaseException | None) -> bool:
    """Whether a certificate check stands at the bottom of the failure; urllib3 wraps it in `reason` and in args."""
    while failure is not None:
        if isinstance(failure, ssl.SSLCertVerificationError):
            return True
        inner = getattr(failure, "reason", None) or (failure.args[0] if failure.args else None)
        failure = inner if isinstance(inner, BaseException) else None
    return False
