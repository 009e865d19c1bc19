"""Webhooks in: who sent it, is it theirs, and what does it say. One file for each kind of sender."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from bot.hooks import ci, distribution, ghcr, github, gitlab
from bot.hooks.events import Event
from bot.hooks.signatures import Credentials


class Hook(Protocol):
    """One kind of sender, as the functions of a module. `headers` have lower-case names; `body` is raw (S2)."""

    def delivery(self, headers: Mapping[str, str], body: bytes, /) -> str:
        """What names this delivery and its repetitions; at most 128 plain characters. Never raises."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, credentials: Credentials, now: datetime, /) -> None:
        """Unverified unless one of the credentials proves the sender; `now` is an aware time."""
        ...

    def parse(self, headers: Mapping[str, str], body: bytes, registry: str = "", /) -> tuple[Event, ...]:
        """What it says, in order, never empty; Malformed where it cannot be understood.

        `registry` stands before the repository's name in values files; only registries' own senders need it."""
        ...


HOOKS: Mapping[str, Hook] = {"gitlab": gitlab, "github": github, "ci": ci, "distribution": distribution, "ghcr": ghcr}
"""Kind of sender, as settings name it, to what understands it."""
