"""The three ways in which the outside fails: by type, never by message, each with operation and subject."""

from datetime import datetime


class OutsideError(Exception):
    """An operation on something outside failed; `operation` is a verb phrase, `subject` what it was done to."""

    def __init__(self, operation: str, subject: str, cause: str) -> None:
        super().__init__(f"failed to {operation} {subject}: {cause}")
        self.operation = operation
        self.subject = subject
        self.cause = cause


class Transient(OutsideError):
    """It may work later: a timeout, a refused connection, a 5xx."""


class Permanent(OutsideError):
    """It will not work until somebody changes something: a 401, 403, 404, 422."""


class Conflict(OutsideError):
    """The world moved since it was read: a stale head, a lost lease, a second merge request. Look again."""


class RateLimited(OutsideError):
    """The forge asks to wait; `retry_at` is an aware UTC time."""

    def __init__(self, operation: str, subject: str, retry_at: datetime) -> None:
        super().__init__(operation, subject, f"rate limited until {retry_at.isoformat()}")
        self.retry_at = retry_at
