"""The dialects that the sandbox speaks, all at once and over the same state."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.api import Answer, Asked, Shaped
from bot.sandbox.faults import Fault
from bot.sandbox.github import deliveries as github_deliveries
from bot.sandbox.github import endpoints as github
from bot.sandbox.gitlab import deliveries as gitlab_deliveries
from bot.sandbox.gitlab import endpoints as gitlab
from bot.sandbox.model import Event, Hook
from bot.sandbox.state import State


@dataclass(frozen=True, slots=True)
class Dialect:
    """One forge's API and webhooks."""

    prefix: str
    """Where its API begins."""
    answer: Callable[[State, Asked], Answer]
    caller: Callable[[State, Asked], str]
    """The user name behind a request's token, or an empty text."""
    trouble: Callable[[State, Fault], Answer]
    """What is answered to a request that meets a fault."""
    wants: Callable[[Hook, Event, datetime], bool]
    shape: Callable[[State, Event], Iterable[Shaped]]
    for_hook: Callable[[State, Hook, Event, Shaped], Shaped]
    """A body as one hook is told it."""
    headers: Callable[[State, Hook, Shaped, bytes], Mapping[str, str]]
    after: Callable[[Hook, bool, datetime], None]
    """What a sent webhook's success or failure does to its hook."""


DIALECTS: Mapping[str, Dialect] = {
    "gitlab": Dialect(
        "/api/v4/",
        gitlab.answer,
        gitlab.caller,
        gitlab.trouble,
        gitlab_deliveries.wants,
        gitlab_deliveries.shape,
        gitlab_deliveries.for_hook,
        gitlab_deliveries.headers,
        gitlab_deliveries.count,
    ),
    "github": Dialect(
        "/api/v3/",
        github.answer,
        github.caller,
        github.trouble,
        github_deliveries.wants,
        github_deliveries.shape,
        github_deliveries.for_hook,
        github_deliveries.headers,
        github_deliveries.after,
    ),
}
