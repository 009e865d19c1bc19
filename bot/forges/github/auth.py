"""Whose word counts with GitHub: one token, or an App's key and the tokens of its installations."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

import jwt
from github import Auth, GithubException

from bot.errors import Permanent
from bot.forges import fields
from bot.forges.connection import Connection, current_token
from bot.forges.failures import Unreadable

CLAIMED = timedelta(minutes=4)
EARLY = timedelta(minutes=5)
"""An installation's token lives for an hour; it is renewed this long before its end, so that a push ends in time."""

Json = Mapping[str, object]
Ask = Callable[[str, str, str], Json]
"""(method, path, JSON web token) to GitHub's answer, as the App itself."""


class Tokens(Protocol):
    """Which token to use."""

    def token(self, repository: str) -> str:
        """The token that counts now for a repository; `""` stands for any repository that the bot can reach."""
        ...

    def forget(self, repository: str) -> bool:
        """Drop a token that GitHub refused; whether the next one may be better."""
        ...


class OneToken:
    """A fine-grained (or classic) token of the bot's own user."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def token(self, repository: str) -> str:  # noqa: ARG002 the same for all
        """The token as its file says now."""
        return current_token(self._connection)

    def forget(self, repository: str) -> bool:  # noqa: ARG002 the same for all
        """There is no other."""
        return False


@dataclass
class _Held:
    token: str = field(repr=False)
    until: datetime


class InstallationTokens:
    """An App's tokens: one for each installation, found by the repository's owner, renewed in time, kept in memory."""

    def __init__(self, app: Auth.AppAuth, ask: Ask, clock: Callable[[], datetime]) -> None:
        self._app, self._ask, self._clock = app, ask, clock
        self._lock = threading.Lock()
        self._installations: dict[str, int] = {}
        self._held: dict[int, _Held] = {}
        self._claim: _Held | None = None

    def token(self, repository: str) -> str:
        """The token of the installation that the repository belongs to."""
        with self._lock:
            installation = self._installation(repository)
            held = self._held.get(installation)
            if held is None or held.until - EARLY <= self._clock():
                installation, held = self._fresh(repository)
                self._held[installation] = held
            return held.token

    def forget(self, repository: str) -> bool:
        """Drop the token and the installation: the App may have been installed anew."""
        with self._lock:
            installation = self._installations.pop(_owner(repository), None)
            return installation is not None and self._held.pop(installation, None) is not None

    def claim(self) -> str:
        """A JSON web token: the App's own word, good for five minutes and signed anew after four."""
        now = self._clock()
        if self._claim is not None and now < self._claim.until:
            return self._claim.token
        try:
            self._claim = _Held(str(self._app.create_jwt()), now + CLAIMED)
            return self._claim.token
        except jwt.PyJWTError:
            cause = "its private key cannot be used: it must be the whole PEM file that GitHub gave out"
            raise Permanent("sign as", "the App", cause) from None  # the key's own words stay out of logs (S10)

    def _installation(self, repository: str) -> int:
        owner = _owner(repository)
        if owner not in self._installations:
            self._installations[owner] = self._find(repository)
        return self._installations[owner]

    def _find(self, repository: str) -> int:
        if repository:
            return fields.number(self._ask("GET", f"/repos/{repository}/installation", self.claim()), "id")
        if self._installations:
            return next(iter(self._installations.values()))
        found = self._ask("GET", "/app/installations?per_page=1", self.claim())
        installations = fields.items(found, "items")
        if not installations:
            raise Permanent("find an installation of", "the App", "install the App in the organisation first")
        return fields.number(installations[0], "id")

    def _fresh(self, repository: str) -> tuple[int, _Held]:
        """A new token; of another installation where the App was installed anew since the last one."""
        installation = self._installation(repository)
        try:
            return installation, self._renewed(installation)
        except GithubException as refusal:
            if refusal.status != 404:
                raise
            del self._installations[_owner(repository)]
            installation = self._installation(repository)
            return installation, self._renewed(installation)

    def _renewed(self, installation: int) -> _Held:
        answer = self._ask("POST", f"/app/installations/{installation}/access_tokens", self.claim())
        until = fields.time(answer, "expires_at")
        if until is None:
            raise Unreadable("field 'expires_at'")
        return _Held(fields.required(answer, "token"), until)


def _owner(repository: str) -> str:
    return repository.partition("/")[0].lower()
