"""PyGithub's connections, watched: what it would follow, wait for or take for success is refused at once."""

import requests
from github import Auth
from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester
from urllib3.util import Retry

REPEATED_READS = Retry(
    total=1,
    connect=0,
    read=1,
    redirect=0,
    status=0,
    other=0,
    allowed_methods=frozenset({"GET"}),
    respect_retry_after_header=False,
)
"""A GET once more when the connection broke before the answer: most often one that the server closed idle (R5)."""

SECONDS = 30


class Moved(Exception):
    """GitHub answered with a redirect: the repository has another name now, or lives elsewhere."""


class NotReady(Exception):
    """GitHub answered 202 to a read: it has begun to make the answer."""


def _refuse(response: requests.Response, *_: object, **__: object) -> None:
    """PyGithub follows a 301 without its query, takes a 307 for success, and sleeps on a 202."""
    if response.status_code in (301, 302, 307, 308):
        raise Moved
    if response.status_code == 202 and response.request.method == "GET":
        raise NotReady


class _Http(HTTPRequestsConnectionClass):
    def __init__(self, *args: object, **settings: object) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]  # only passed on
        self.session.hooks["response"].append(_refuse)


class _Https(HTTPSRequestsConnectionClass):
    def __init__(self, *args: object, **settings: object) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]  # only passed on
        self.session.hooks["response"].append(_refuse)


class _Watched(Requester):
    # As Requester.injectConnectionClasses does for all, here for ours alone and without giving up kept connections.
    _Requester__httpConnectionClass = _Http
    _Requester__httpsConnectionClass = _Https


def connect(auth: Auth.Auth, api: str, ca_file: str | None) -> Requester:
    """A requester that repeats broken reads alone, and neither paces, sleeps nor follows."""
    return _Watched(
        auth=auth,
        base_url=api,
        timeout=SECONDS,
        user_agent="towpath",
        per_page=100,
        verify=ca_file or True,
        retry=REPEATED_READS,
        pool_size=None,
        seconds_between_requests=0,  # limits become a later time to look again (R6), never a worker that sleeps
        seconds_between_writes=0,
    )
