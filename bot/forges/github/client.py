"""PyGithub as Towpath uses it: raw calls, one session per thread and token, nothing slept and no write repeated."""

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlencode, urlsplit

from github import Auth, GithubException
from github.Requester import Requester

from bot.errors import Transient
from bot.forges.connection import Connection
from bot.forges.failures import Unreadable
from bot.forges.fields import items
from bot.forges.github.auth import InstallationTokens, OneToken, Tokens
from bot.forges.github.connections import connect

PER_PAGE = 100
CACHED = 500
"""Answers kept to be asked for by their ETag: GitHub does not count an answer that has not changed (304)."""
ONCE = "/compare/"
"""In paths whose answers are large and never change: they are remembered elsewhere."""

Json = Mapping[str, object]


class Client:
    """GET, POST, PATCH, PUT and DELETE below the API, raising what PyGithub, requests and `failures` raise.

    `repository` says whose token is used; `path` is all of it, such as `/repos/platform/config/pulls`."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.url = connection.url.rstrip("/")
        self.ca_file = connection.ca_file
        self.tokens = self._tokens(connection, clock)
        self._thread = threading.local()
        self._cache: OrderedDict[str, tuple[str, object, str]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def api(self) -> str:
        """Where the REST API is: a host of its own for github.com and *.ghe.com, a path below for Enterprise Server."""
        if self.url == "https://github.com" or self.url.endswith(".ghe.com"):
            return self.url.replace("https://", "https://api.", 1)
        return f"{self.url}/api/v3"

    def get(self, repository: str, path: str, **query: str) -> Json:
        """One object by one GET."""
        return _object(self._read(repository, path, query)[0])

    def list(self, repository: str, path: str, key: str = "", **query: str) -> tuple[Json, ...]:
        """All items of a list, by one GET for each hundred (R7); `key` names them where they come in an object."""
        return tuple(item for page in self.pages(repository, path, key, **query) for item in page)

    def pages(self, repository: str, path: str, key: str = "", **query: str) -> Iterator[tuple[Json, ...]]:
        """The pages of a list, each read when it is asked for. GitHub's links are not followed, only read (S11)."""
        further: dict[str, str] | None = {}
        while further is not None:
            found, link = self._read(repository, path, {"per_page": str(PER_PAGE), **query} | further)
            page = items(_object(found), key) if key else _objects(found)
            yield page
            before, further = further, _further(link) if page else None
            if further == before:
                raise Unreadable("next page: it is the same again")

    def post(self, repository: str, path: str, body: Json) -> Json:
        """One POST, never repeated (R5)."""
        return _object(self._write("POST", repository, path, body))

    def patch(self, repository: str, path: str, body: Json) -> Json:
        """One PATCH, never repeated (R5)."""
        return _object(self._write("PATCH", repository, path, body))

    def put(self, repository: str, path: str, body: Json) -> Json:
        """One PUT, never repeated (R5)."""
        return _object(self._write("PUT", repository, path, body))

    def add(self, repository: str, path: str, body: Json) -> tuple[Json, ...]:
        """One POST that answers with a list."""
        return _objects(self._write("POST", repository, path, body))

    def delete(self, repository: str, path: str) -> None:
        """One DELETE, never repeated (R5)."""
        self._write("DELETE", repository, path, None)

    def as_app(self, method: str, path: str, claim: str, body: Json | None = None) -> Json:
        """A call that only an App may make, by its signed claim; a list comes as `items`."""
        _, found = self._requester(Auth.AppAuthToken(claim)).requestJsonAndCheck(method, path, input=body)
        return {"items": found} if isinstance(found, list) else _object(found)

    def app(self) -> InstallationTokens | None:
        """The App that Towpath is, where it is one."""
        return self.tokens if isinstance(self.tokens, InstallationTokens) else None

    def _tokens(self, connection: Connection, clock: Callable[[], datetime]) -> Tokens:
        if connection.app is None:
            return OneToken(connection)
        return InstallationTokens(Auth.AppAuth(connection.app.id, connection.app.private_key), self.as_app, clock)

    def _read(self, repository: str, path: str, query: Mapping[str, str]) -> tuple[object, str]:
        """The JSON and the Link header, from the cache where GitHub says that nothing changed."""
        where = f"{path}?{urlencode(query)}" if query else path
        known = self._cache.get(where)
        headers = {"If-None-Match": known[0]} if known else None
        answered, found = self._asked("GET", repository, where, headers=headers)
        if known and found is None:
            self._keep(where, known)
            return known[1], known[2]
        link = answered.get("link", "")
        if (tag := answered.get("etag")) and ONCE not in where:
            self._keep(where, (tag, found, link))
        return found, link

    def _keep(self, where: str, answer: tuple[str, object, str]) -> None:
        with self._lock:
            self._cache[where] = answer
            self._cache.move_to_end(where)
            while len(self._cache) > CACHED:
                self._cache.popitem(last=False)

    def _write(self, method: str, repository: str, path: str, body: Json | None) -> object:
        return self._asked(method, repository, path, body=body)[1]

    def _asked(
        self,
        method: str,
        repository: str,
        where: str,
        *,
        headers: dict[str, str] | None = None,
        body: Json | None = None,
    ) -> tuple[Mapping[str, str], object]:
        app = self.app() if where.startswith("/app/") else None
        requester = self._requester(
            Auth.AppAuthToken(app.claim()) if app else Auth.Token(self.tokens.token(repository))
        )
        try:
            return requester.requestJsonAndCheck(method, where, headers=headers, input=body)
        except GithubException as refusal:
            if refusal.status == 401 and self.tokens.forget(repository):
                cause = "the installation's token was refused: the next attempt gets a new one"
                raise Transient("authenticate for", repository or "GitHub", cause) from refusal
            raise

    def _requester(self, auth: Auth.Auth) -> Requester:
        """This thread's requester for an authentication; the newest few are kept, with their connections."""
        held: OrderedDict[str, Requester] | None = getattr(self._thread, "held", None)
        if held is None:
            held = self._thread.held = OrderedDict()
        key = auth.token
        if key not in held:
            held[key] = connect(auth, self.api, self.ca_file)
            while len(held) > 4:
                held.popitem(last=False)[1].close()
        return held[key]


def _further(link: str) -> dict[str, str] | None:
    """The part of a Link header's `next` that asks for the next page: its number or its cursor. None at the end."""
    found = re.search(r"<([^>]*)>\s*;\s*rel=\"next\"", link)
    if not found:
        return None
    query = parse_qs(urlsplit(found[1]).query)
    return {name: query[name][0] for name in ("page", "cursor") if name in query} or None


def _object(answer: object) -> Json:
    if not isinstance(answer, Mapping):
        raise Unreadable("JSON object")
    return answer


def _objects(answer: object) -> tuple[Json, ...]:
    if not isinstance(answer, list):
        raise Unreadable("list")
    return tuple(_object(item) for item in answer)
