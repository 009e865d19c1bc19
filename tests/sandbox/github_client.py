"""GitHub's side of the served sandbox for tests: plain HTTP as any of its users, PyGithub, and an App's claims."""

import time
from dataclasses import dataclass
from typing import Any

import github
import jwt
import requests as http

from bot.sandbox.sandbox import Sandbox

REPO = "/repos/platform/config"
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """The API by plain HTTP, with one token; an empty one asks as nobody."""

    url: str
    token: str

    def __call__(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> http.Response:
        own = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        where = path if path.startswith("http") else f"{self.url}/api/v3{path}"
        return http.request(method, where, json=body, headers=own | (headers or {}), timeout=10)

    def get(self, path: str) -> Json:
        """What must be there."""
        found = self("GET", path)
        assert found.status_code == 200, found.text
        told: Json = found.json()
        return told

    def many(self, path: str) -> list[Json]:
        """A list that must be there."""
        found = self("GET", path)
        assert found.status_code == 200, found.text
        told: list[Json] = found.json()
        return told

    def make(self, method: str, path: str, body: object = None) -> Json:
        """What must have been made, or changed."""
        found = self(method, path, body)
        assert found.status_code in (200, 201), found.text
        told: Json = found.json()
        return told

    def said(self, method: str, path: str, body: object = None) -> tuple[int, str | None]:
        """Status, and GitHub's message; the message of the first error where it gives one."""
        found = self(method, path, body)
        told = found.json() if found.content else {}
        if not isinstance(told, dict):
            return found.status_code, None
        faults = told.get("errors") or [{}]
        return found.status_code, faults[0].get("message") or told.get("message")


class GitHub:
    """Clients of the served sandbox."""

    def __init__(self, sandbox: Sandbox, url: str) -> None:
        self.sandbox = sandbox
        self.url = url

    def __call__(self, user: str = "dev") -> Api:
        return Api(self.url, self.sandbox.token_for(user) if user else "")

    def token(self, value: str) -> Api:
        return Api(self.url, value)

    def post(self, path: str, body: bytes, token: str) -> http.Response:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return http.post(f"{self.url}/api/v3{path}", data=body, headers=headers, timeout=10)

    def pygithub(self, user: str = "dev") -> github.Github:
        auth = github.Auth.Token(self.sandbox.token_for(user))
        return github.Github(base_url=f"{self.url}/api/v3", auth=auth, retry=None)


def wait_for_webhooks(sandbox: Sandbox) -> None:
    """Until the served sandbox has sent what is queued; a second sender beside it would mix the order."""
    until = time.monotonic() + 10
    while not sandbox.webhooks.idle() and time.monotonic() < until:
        time.sleep(0.01)
    assert sandbox.webhooks.idle()


def claim(app_id: int, key: str, *, lives: int = 540, issued: int = -60) -> str:
    """An App's claim, signed by its key; by the real clock, as client libraries make it."""
    now = int(time.time())
    claims = {"iat": now + issued, "exp": now + issued + lives, "iss": str(app_id)}
    return jwt.encode(claims, key, "RS256")
