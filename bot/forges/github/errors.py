"""The one place where GitHub's refusals and the network's failures become the errors of `bot.errors`."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests
from github import GithubException

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.failures import Unreadable, one_line, retry_at, unfit, unreached
from bot.forges.github.connections import Moved, NotReady

RESET = "x-ratelimit-reset"
"""Seconds since the epoch; counts once `x-ratelimit-remaining` is 0 (GitHub's documentation of rate limits)."""

WHAT_WOULD_CHANGE_IT = {
    401: "the token or the App's key is wrong, expired or revoked",
    403: "the App or token lacks a permission for this: see docs/install-github.md",
    404: "it does not exist or the bot cannot see it: check the path, and that the App is installed there",
}


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def outside(operation: str, subject: str, clock: Callable[[], datetime] = _now) -> Iterator[None]:
    """Let only errors of `bot.errors` out of the block, each with operation and subject."""
    try:
        yield
    except GithubException as refusal:
        raise refused(operation, subject, refusal, clock()) from refusal
    except Moved as moved:
        cause = "it was renamed or moved, or the forge's URL is another one: write its new name into the settings"
        raise Permanent(operation, subject, cause) from moved
    except NotReady as early:
        raise Transient(operation, subject, "GitHub has only begun to make the answer (202)") from early
    except Unreadable as answer:
        cause = f"GitHub's answer has no usable {answer.what}: check that the URL is a GitHub"
        raise Permanent(operation, subject, cause) from answer
    except requests.exceptions.InvalidHeader:
        raise unfit(operation, subject) from None
    except requests.RequestException as failure:
        raise unreached(operation, subject, failure) from failure
    except OSError as failure:  # requests raises this plain for a CA file that is not there
        raise Permanent(operation, subject, one_line(str(failure))) from failure
    except ValueError:  # JSON that ends too soon, or a token that no header can hold
        raise unfit(operation, subject) from None


def refused(operation: str, subject: str, refusal: GithubException, now: datetime) -> OutsideError:
    """What a refusal by GitHub means, by its status and the headers of its limits."""
    status, text = refusal.status, said(refusal)
    if limited(refusal):
        return RateLimited(operation, subject, limit_ends(refusal, now))
    if status == 409 or (status == 422 and "already exists" in text):
        return Conflict(operation, subject, text)
    if status == 408 or status >= 500:
        return Transient(operation, subject, text)
    hint = WHAT_WOULD_CHANGE_IT.get(status)
    return Permanent(operation, subject, f"{text}; {hint}" if hint else text)


def limited(refusal: GithubException) -> bool:
    """Whether GitHub has had enough: 429, or a 403 that says so by its headers or its words."""
    headers = headers_of(refusal)
    used_up = headers.get("x-ratelimit-remaining") == "0" or "Retry-After" in headers
    return refusal.status == 429 or (refusal.status == 403 and (used_up or "rate limit" in said(refusal).lower()))


def limit_ends(refusal: GithubException, now: datetime) -> datetime:
    """When GitHub lets us ask again, by GitHub's own clock: ours may be minutes off."""
    headers = headers_of(refusal)
    exhausted = headers.get("x-ratelimit-remaining") == "0"
    theirs = _date(headers.get("date")) or now
    return now + (retry_at(headers, RESET if exhausted else "", theirs) - theirs)


def _date(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except ValueError:
        return None


def headers_of(refusal: GithubException) -> Mapping[str, str]:
    """The refusal's headers by lower-case name, with `Retry-After` as the specification writes it."""
    found = {name.lower(): str(value) for name, value in (refusal.headers or {}).items()}
    if "retry-after" in found:
        found["Retry-After"] = found["retry-after"]
    return found


def said(refusal: GithubException) -> str:
    """Status and GitHub's own words on one line: `422: Validation Failed; head: invalid`."""
    data = refusal.data if isinstance(refusal.data, Mapping) else {}
    faults = data.get("errors")
    words = [str(data.get("message") or refusal.message or "no reason given")]
    words += [_fault(fault) for fault in (faults if isinstance(faults, list) else ())]
    return one_line(f"{refusal.status}: {'; '.join(words)}")


def _fault(fault: object) -> str:
    if not isinstance(fault, Mapping):
        return str(fault)
    place, why = fault.get("field"), fault.get("message") or fault.get("code")
    return f"{place}: {why}" if place else str(why)
