"""Requests to one registry: to no other host, with bounded waits, answering its challenge (RFC 9110, 11; RFC 6750)."""

import base64
import json
import re
from datetime import datetime
from types import TracebackType
from typing import Self

import requests
from requests.adapters import HTTPAdapter
from requests.utils import parse_dict_header

from bot.errors import Permanent
from bot.registries.access import Access, Credentials
from bot.registries.failures import LOOK_UP, refused, unreached
from policies.wording.quote import one_line

TIMEOUT = (5, 15)
"""Seconds to connect, and between two pieces of an answer."""
MIB = 1024 * 1024
LARGEST = MIB
"""Bytes of a token endpoint's answer that are read."""
TOKEN = re.compile(r"[\x21-\x7e]+")
"""Whatever else is sent as a header is refused by an error that repeats it (S10)."""


class Session:
    """A few requests about one image; `subject` is how errors name it."""

    def __init__(self, access: Access, subject: str, now: datetime) -> None:
        self._access = access
        self._subject = subject
        self._now = now
        self._requests = requests.Session()
        self._requests.adapters.clear()
        for origin in access.origins():
            self._requests.mount(f"{origin}/", HTTPAdapter())
        self._requests.auth = _as_it_is
        self._told: dict[str, str] = {}
        """The header that says who we are, once the registry has asked for it."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._requests.close()

    def head(self, url: str, accept: str, repository: str) -> requests.Response:
        """The answer to HEAD, of whatever status; where the registry asks who we are, the one after telling it."""
        return self._asked("HEAD", url, accept, repository)

    def get(self, url: str, accept: str, repository: str) -> requests.Response:
        """The same for GET; its body is to be read by `body`."""
        return self._asked("GET", url, accept, repository)

    def body(self, answer: requests.Response, what: str, most: int) -> bytes:
        """The body of an answer; Permanent where it has more bytes than `most`, a number of MiB."""
        body = bytearray()
        try:
            for piece in answer.iter_content(65_536):
                body += piece
                if len(body) > most:
                    raise self._permanent(f"{what} is longer than {most // MIB} MiB")
        except OSError as failure:
            raise unreached(self._subject, failure) from None
        return bytes(body)

    def _asked(self, method: str, url: str, accept: str, repository: str) -> requests.Response:
        answer = self._send(method, url, {"Accept": accept, **self._told})
        if answer.status_code != 401 or self._told:
            return answer
        challenge = answer.headers.get("WWW-Authenticate", "")
        self._told = {"Authorization": self._authorization(challenge, repository)}
        return self._send(method, url, {"Accept": accept, **self._told})

    def _authorization(self, challenge: str, repository: str) -> str:
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "bearer":
            given = _parameters(rest)
            return f"Bearer {self._token(given.get('realm', ''), given.get('service', ''), repository)}"
        if scheme.lower() != "basic":
            raise self._permanent(f"the registry asks for an authentication that is not known: {one_line(scheme)}")
        credentials = self._credentials()
        if credentials is None:
            raise self._permanent("the registry asks for a user name and a password: none are set for it")
        return _basic(credentials)

    def _token(self, realm: str, service: str, repository: str) -> str:
        """A token to read this repository, from where the registry says (distribution, "Token authentication").

        The scope is ours, not the challenge's: Towpath never asks for more than reading."""
        credentials = self._credentials()
        headers = {"Authorization": _basic(credentials)} if credentials is not None else {}
        asked = {"scope": f"repository:{repository}:pull", **({"service": service} if service else {})}
        answer = self._send("GET", realm, headers, asked)
        if answer.status_code != 200:
            raise refused(self._subject, "the token endpoint", answer, self._now)
        return self._read_token(answer)

    def _read_token(self, answer: requests.Response) -> str:
        try:
            given = json.loads(self.body(answer, "the token endpoint's answer", LARGEST))
        except (ValueError, RecursionError):
            given = None
        token = (given.get("token") or given.get("access_token")) if isinstance(given, dict) else None
        if not isinstance(token, str) or not TOKEN.fullmatch(token):
            raise self._permanent("the token endpoint's answer holds no token")
        return token

    def _send(
        self, method: str, url: str, headers: dict[str, str], params: dict[str, str] | None = None
    ) -> requests.Response:
        verify = self._access.ca_file or True  # given with each request, or REQUESTS_CA_BUNDLE would win over it
        try:
            return self._requests.request(
                method,
                url,
                params=params,
                headers={"User-Agent": "towpath", **headers},
                timeout=TIMEOUT,
                verify=verify,
                allow_redirects=False,
                stream=True,
            )
        except (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
            where = f"the registry gives out tokens at {one_line(url)!r}"
            raise self._permanent(f"{where}: set its TOKEN_HOST where that is right") from None
        except OSError as failure:
            raise unreached(self._subject, failure) from None

    def _credentials(self) -> Credentials | None:
        try:
            return self._access.credentials()
        except ValueError as error:
            raise self._permanent(str(error)) from None

    def _permanent(self, cause: str) -> Permanent:
        return Permanent(LOOK_UP, self._subject, cause)


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """No authentication of requests' own: without any, it would send what ~/.netrc holds."""
    return request


def _parameters(challenge: str) -> dict[str, str]:
    parsed = parse_dict_header(challenge)  # type: ignore[no-untyped-call]  # requests does not type it
    return {name.lower(): value or "" for name, value in parsed.items()}


def _basic(credentials: Credentials) -> str:
    """RFC 7617."""
    return "Basic " + base64.b64encode(":".join(credentials).encode()).decode()
