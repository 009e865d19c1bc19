"""The one place where GitLab's refusals and the network's failures become the errors of `bot.errors`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime

import requests
from gitlab.exceptions import GitlabError, GitlabParsingError

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.failures import Unreadable, one_line, unfit, unreached

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


def said(refusal: GitlabError) -> str:
    """Status and GitLab's own words on one line: `409: SHA does not match HEAD of source branch`."""
    words = one_line(_flat(refusal.error_message))
    return words if refusal.response_code is None else f"{refusal.response_code}: {words}"


def _flat(message: object) -> str:
    """GitLab says why as text, as a list, or as lists by field."""
    if isinstance(message, Mapping):
        return "; ".join(f"{key}: {_flat(value)}" for key, value in message.items())
    if isinstance(message, (list, tuple)):
        return ", ".join(_flat(part) for part in message)
    return message.decode(errors="replace") if isinstance(message, bytes) else str(message)
