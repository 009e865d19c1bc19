"""python-gitlab as Towpath uses it: raw calls, one session per thread, lists to the end, nothing slept and no write
repeated."""

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import gitlab
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ProtocolError

from bot.forges.connection import Connection, current_token
from bot.forges.failures import Unreadable, one_line, retry_at
from bot.forges.gitlab.errors import Redirected, TooManyRequests

RESET = "RateLimit-Reset"
"""Seconds since the epoch (GitLab's documentation of rate limits)."""
READ_SECONDS = 10.0
WRITE_SECONDS = 30.0
"""GitLab merges while we wait, and waits up to 10 s itself for the lock of a commit status."""

Json = Mapping[str, object]


class Client:
    """GET, POST and PUT below `/api/v4`, raising what python-gitlab, requests and `errors` raise."""

    def __init__(self, connection: Connection, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.url = connection.url.rstrip("/")
        self.ca_file = connection.ca_file
        self._connection = connection
        self._clock = clock
        self._thread = threading.local()

    def token(self) -> str:
        """The token that counts now. Permanent where its file gives none."""
        return current_token(self._connection)

    def get(self, path: str, **query: str) -> Json:
        """One object by one GET."""
        return _object(self._gitlab().http_get(path, query_data=query, timeout=READ_SECONDS))

    def list(self, path: str, **query: str) -> tuple[Json, ...]:
        """All items of a list, by one GET for each hundred (R7)."""
        pages = self._gitlab().http_list(path, query_data=query, iterator=True, per_page=100, timeout=READ_SECONDS)
        try:
            return tuple(_object(item) for item in pages)
        except (KeyError, TypeError) as error:  # GitlabList indexes whatever JSON came
            raise Unreadable("list") from error

    def post(self, path: str, body: Mapping[str, object]) -> Json:
        """One POST, never repeated (R5)."""
        return _object(self._gitlab().http_post(path, post_data=dict(body), timeout=WRITE_SECONDS))

    def put(self, path: str, body: Mapping[str, object]) -> Json:
        """One PUT, never repeated (R5)."""
        return _object(self._gitlab().http_put(path, post_data=dict(body), timeout=WRITE_SECONDS))

    def delete(self, path: str) -> None:
        """One DELETE, never repeated (R5)."""
        self._gitlab().http_delete(path, timeout=WRITE_SECONDS)

    def _gitlab(self) -> gitlab.Gitlab:
        """This thread's client, made anew when the token has changed."""
        token = self.token()
        held: gitlab.Gitlab | None = getattr(self._thread, "gitlab", None)
        if held is None or held.private_token != token:
            held = self._thread.gitlab = self._connect(token)
        return held

    def _connect(self, token: str) -> gitlab.Gitlab:
        return gitlab.Gitlab(
            self.url,
            private_token=token,
            ssl_verify=self.ca_file or True,
            user_agent="towpath",
            retry_transient_errors=False,
            keep_base_url=True,  # GitLab's links to the next page carry its own idea of its address
            session=self._session(),
        )

    def _session(self) -> requests.Session:
        """A session that reaches the configured API only, so no link to a next page takes the token elsewhere (S11)."""
        session = requests.Session()
        session.adapters.clear()
        session.mount(f"{self.url}/api/v4/", RepeatedReads())
        session.hooks["response"].append(self._refuse)
        return session

    def _refuse(self, response: requests.Response, *_: object, **__: object) -> None:
        """Raise at a 429, before python-gitlab sleeps (R6) and while the headers, which its errors lack, are at hand.

        And at any redirect: requests would repeat some writes there (R5).
        """
        if response.status_code == 429:
            response.close()
            raise TooManyRequests(retry_at(response.headers, RESET, self._clock()))
        if response.is_redirect:
            response.close()
            raise Redirected(one_line(response.headers["Location"]))


class RepeatedReads(HTTPAdapter):
    """Repeats a GET once when the connection broke before the answer: most often one that the server closed idle."""

    def send(
        self,
        request: requests.PreparedRequest,
        *args: Any,  # noqa: ANN401 - only passed on
        **kwargs: Any,  # noqa: ANN401 - only passed on
    ) -> requests.Response:
        """As HTTPAdapter, at most twice."""
        try:
            return super().send(request, *args, **kwargs)
        except requests.ConnectionError as error:
            if request.method != "GET" or not (error.args and isinstance(error.args[0], ProtocolError)):
                raise
            return super().send(request, *args, **kwargs)


def _object(answer: object) -> Json:
    if not isinstance(answer, dict):  # python-gitlab hands back the response itself where it is not JSON
        raise Unreadable("JSON object")
    return answer
