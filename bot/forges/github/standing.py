"""What GitHub tells of Towpath's token or App and of its webhooks; changes nothing."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlsplit

from github import GithubException

from bot.forges import fields
from bot.forges.failures import one_line
from bot.forges.github.auth import InstallationTokens
from bot.forges.github.errors import limited, outside, said
from bot.forges.github.reads import Reads
from policies.standing import Credential, Hook

T = TypeVar("T")

NEEDED = {
    "contents": ("Contents", "write"),
    "pull_requests": ("Pull requests", "write"),
    "issues": ("Issues", "write"),
    "statuses": ("Commit statuses", "write"),
    "checks": ("Checks", "read"),
}
"""Permissions of an App: GitHub's name in the API, the name in its settings, the least access."""
LEVELS = ("", "read", "write", "admin")

OF_APP = "the App's settings, *Permissions & events*; then an owner accepts them for the installation"
OF_CLASSIC = "make a new one with it: *Settings*, *Developer settings*, *Personal access tokens*"
EXPIRES = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) (UTC|[+-]\d{4})")
"""GitHub's header `GitHub-Authentication-Token-Expiration`."""
CURE = "see that its address reaches Towpath (`/readyz`), then `towpath recover`"


class Standing(Reads):
    """Reading how Towpath itself stands."""

    def credential(self, repository: str) -> Credential:
        """The App's permissions in the repository, or the token's scopes, which GitHub shows of classic ones alone."""
        with outside("read the rights of", "Towpath's token or App"):
            app = self._client.app()
            return self._of_token(repository) if app is None else self._of_app(repository, app)

    def hooks(self, repository: str, path: str) -> tuple[Hook, ...]:
        """The App's webhook, else the repository's, where they lead to that path."""
        with outside("look at the webhooks of", repository):
            if self._client.app() is not None:
                config, _ = tried(lambda: self._client.get(repository, "/app/hook/config"))
                url = fields.text(config or {}, "url")
                return (self._hook(repository, url, "/app/hook/deliveries"),) if _leads(url, path) else ()
            found = self._client.list(repository, f"/repos/{repository}/hooks")
            return tuple(self._of_repository(repository, one) for one in found if _leads(_url(one), path))

    def _of_token(self, repository: str) -> Credential:
        # Scopes are told in headers alone, which the client gives out nowhere else.
        headers, _ = self._client._asked("GET", repository, "/user")  # noqa: SLF001
        end = _end(headers.get("github-authentication-token-expiration", ""))
        told = headers.get("x-oauth-scopes")
        if told is None:
            return Credential("fine-grained token", None, expires_at=end)
        scopes = tuple(filter(None, (one_line(one) for one in told.split(","))))
        enough = {"repo"}
        if fields.text(self.repository(repository), "visibility") == "public":
            enough.add("public_repo")
        return Credential(
            "classic token", scopes, () if enough & set(scopes) else ("the scope `repo`",), end, OF_CLASSIC
        )

    def _of_app(self, repository: str, app: InstallationTokens) -> Credential:
        found = self._client.as_app("GET", f"/repos/{repository}/installation", app.claim())
        held = {name: str(level) for name, level in fields.part(found, "permissions").items()}
        lacking = tuple(
            f"*{words}: {least}*" for name, (words, least) in NEEDED.items() if _level(held, name) < LEVELS.index(least)
        )
        return Credential(
            "App", tuple(f"{one_line(name)}: {held[name]}" for name in sorted(held)), lacking, None, OF_APP
        )

    def _of_repository(self, repository: str, hook: fields.Json) -> Hook:
        if not hook.get("active"):
            change = "make it *Active* in *Settings*, *Webhooks*"
            return Hook(one_line(_url(hook)), "it is switched off", change)
        place = f"/repos/{repository}/hooks/{fields.number(hook, 'id')}/deliveries"
        return self._hook(repository, _url(hook), place)

    def _hook(self, repository: str, url: str, place: str) -> Hook:
        newest = next(self._client.pages(repository, place), ())
        trouble = failing(newest)
        return Hook(one_line(url), trouble, CURE if trouble else "")


def failing(rows: Iterable[fields.Json]) -> str:
    """How many of the newest deliveries failed in a row, and with what; `rows` are newest first."""
    failed: list[str] = []
    for row in rows:
        if 200 <= fields.number(row, "status_code") < 300:
            break
        failed.append(one_line(fields.text(row, "status")))
    if not failed:
        return ""
    return (
        f"its last delivery failed ({failed[0]})"
        if len(failed) == 1
        else f"its last {len(failed)} deliveries failed ({failed[0]})"
    )


def tried(read: Callable[[], T]) -> tuple[T | None, str]:
    """What was read, or None and why not: GitHub says 403 or 404 to who may not."""
    try:
        return read(), ""
    except GithubException as refusal:
        if refusal.status not in (403, 404) or limited(refusal):
            raise
        return None, said(refusal)


def _end(header: str) -> datetime | None:
    found = EXPIRES.fullmatch(header.strip())
    if found is None:
        return None
    return datetime.fromisoformat(f"{found[1]}{found[2].replace('UTC', '+0000')}").astimezone(UTC)


def _level(held: Mapping[str, str], name: str) -> int:
    level = held.get(name, "")
    return LEVELS.index(level) if level in LEVELS else 0


def _leads(url: str, path: str) -> bool:
    return urlsplit(url).path.endswith(path)


def _url(hook: fields.Json) -> str:
    return fields.text(fields.part(hook, "config"), "url")
