"""What a Git that failed says of why, as one of the errors of `bot.errors`.

Only Git's own lines count: whoever can write a hook or a commit can have the forge print any words as `remote: ...`."""

import re
from datetime import UTC, datetime, timedelta

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import GitAccess

WAIT = timedelta(minutes=1)
"""How long to wait after a 429: Git does not tell what the forge asked for."""

_STATUS = re.compile(r"(?:returned error:|RPC failed; HTTP) (\d{3})")
_MAY_PASS = {408, 425}

_MOVED = re.compile(
    r"reference already exists|is at [0-9a-f]+ but expected|reference is missing but expected|incorrect old value"
)
"""Somebody else's push came between the forge's look at the branch and its own writing."""
_BUSY = re.compile(r"Unable to create|failed to lock|failed to update ref|unpacker error|internal (?:server )?error")

_REDIRECT = "the forge redirects: the repository moved, or the forge's URL is another one"
_HINTS = {
    401: "the token is wrong, expired or revoked",
    403: "the token or its user may not do this",
    404: "it does not exist or the token's user cannot see it: check the path and that the bot is a member",
}

_PERMANENT = (
    (re.compile(r"update url base from redirection"), _REDIRECT),
    (re.compile(r"certificate", re.IGNORECASE), "the server's certificate is not trusted: set the forge's CA file"),
    (re.compile(r"Authentication failed|could not read (?:Username|Password)"), _HINTS[401]),
    (re.compile(r"^fatal: repository .* not found|does not appear to be a git repository", re.MULTILINE), _HINTS[404]),
    (re.compile(r"not our ref|couldn't find remote ref|no such remote ref", re.IGNORECASE), ""),
    (re.compile(r"fsck error"), "Git's check refuses an object of the repository: its history has to be mended"),
    (re.compile(r"^fatal: (?:transport .* not allowed|unable to find remote helper)", re.MULTILINE), ""),
)


class LeaseLost(Conflict):
    """The remote branch is not what the push expected."""


def of(operation: str, access: GitAccess, printed: str, complained: str) -> OutsideError:
    """The error for what a Git that failed has printed, and complained of on its other channel."""
    told = _told(f"{printed}\n{complained}", access.password)
    refused = [line.split("\t")[-1] for line in printed.split("\n") if line.startswith("!\t")]
    if refused:
        return _refused(operation, access, refused[0], told)
    # By line feeds alone: the forge's words may hold other ends of lines, and would go on as if they were Git's.
    own = "\n".join(line for line in complained.split("\n") if not line.startswith("remote:"))
    own = own.replace(access.url, "<url>")  # whose words say nothing of the failure
    status = _STATUS.search(own)
    if status is not None:
        return _by_status(operation, access, int(status[1]), told)
    for pattern, hint in _PERMANENT:
        if pattern.search(own):
            return Permanent(operation, access.url, f"{told}; {hint}" if hint else told)
    return Transient(operation, access.url, told)


def _refused(operation: str, access: GitAccess, summary: str, told: str) -> OutsideError:
    """By the line on which `git push --porcelain` says what became of the one branch that was pushed."""
    if summary.startswith("[rejected]") or _MOVED.search(summary):
        return LeaseLost(operation, access.url, told)
    if not summary.startswith("[remote rejected]") or _BUSY.search(summary):
        return Transient(operation, access.url, told)
    return Permanent(operation, access.url, told)


def _by_status(operation: str, access: GitAccess, status: int, told: str) -> OutsideError:
    if status == 429:
        return RateLimited(operation, access.url, datetime.now(UTC) + WAIT)
    if status in _MAY_PASS or status >= 500:
        return Transient(operation, access.url, told)
    hint = _REDIRECT if status < 400 else _HINTS.get(status)
    return Permanent(operation, access.url, f"{told}; {hint}" if hint else told)


def _told(output: str, secret: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith(("To ", "Done"))]
    text = "; ".join(lines[-6:])
    return text.replace(secret, "***") if secret else text
