"""Every way in which GitLab or the network fails becomes one of the three kinds, with operation and subject."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
import requests
import responses
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as URLLib3SSLError

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.failures import DEFAULT_WAIT, LONGEST_WAIT, one_line, retry_at
from policies.model import Thread
from tests.forges.gitlab_answers import PROJECT, forge, merge_request

UNTRUSTED = MaxRetryError(HTTPConnectionPool("x"), "/", URLLib3SSLError(ssl.SSLCertVerificationError("self-signed")))

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REQUEST = f"{PROJECT}/merge_requests/7"


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, Permanent, "400: branch is missing"),
        (401, Permanent, "the token is wrong, expired or revoked"),
        (403, Permanent, "scope `api`"),
        (404, Permanent, "does not exist or the bot's user cannot see it"),
        (405, Permanent, "405: branch is missing"),
        (408, Transient, "408"),
        (409, Conflict, "409: branch is missing"),
        (422, Permanent, "422: branch is missing"),
        (500, Transient, "500"),
        (502, Transient, "502"),
        (503, Transient, "503"),
        (520, Transient, "520"),
    ],
)
def test_the_status_decides_what_a_refusal_means(
    web: responses.RequestsMock, status: int, kind: type[OutsideError], words: str
) -> None:
    web.get(REQUEST, status=status, json={"message": "branch is missing"})
    with pytest.raises(OutsideError) as caught:
        forge().request("platform/config", 7)
    assert type(caught.value) is kind
    assert words in caught.value.cause
    assert str(caught.value).startswith("failed to read merge request platform/config!7: ")


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (requests.ConnectionError("refused"), Transient, "refused"),
        (requests.ReadTimeout("no answer in 10 s"), Transient, "no answer"),
        (requests.ConnectTimeout(), Transient, "ConnectTimeout"),
        (requests.exceptions.ChunkedEncodingError("cut off"), Transient, "cut off"),
        (requests.exceptions.ProxyError("proxy is down"), Transient, "proxy"),
        (requests.exceptions.SSLError(UNTRUSTED), Permanent, "certificate is not trusted: set the forge's CA file"),
        (requests.exceptions.SSLError("EOF occurred in violation of protocol"), Transient, "EOF"),
        (requests.exceptions.InvalidURL("no host"), Permanent, "no host"),
        (requests.TooManyRedirects("30 of them"), Permanent, "30"),
        (OSError("Could not find a suitable TLS CA certificate bundle"), Permanent, "CA certificate"),
    ],
)
def test_the_networks_failures(
    web: responses.RequestsMock, failure: Exception, kind: type[OutsideError], words: str
) -> None:
    web.get(REQUEST, body=failure)
    with pytest.raises(OutsideError, match=words) as caught:
        forge().request("platform/config", 7)
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            {"message": {"base": ["is bad", "is worse"], "title": ["is long"]}},
            "400: base: is bad, is worse; title: is long",
        ),
        ({"message": ["one", "two"]}, "400: one, two"),
        ({"error": "sha is missing"}, "400: sha is missing"),
    ],
)
def test_GitLabs_words_are_kept_in_whatever_shape_they_come(
    web: responses.RequestsMock, message: object, said: str
) -> None:
    web.get(REQUEST, status=400, json=message)
    with pytest.raises(Permanent) as caught:
        forge().request("platform/config", 7)
    assert caught.value.cause == said


def test_a_page_instead_of_JSON_names_what_to_check(web: responses.RequestsMock) -> None:
    web.get(REQUEST, body="<html>Sign in</html>", content_type="text/html")
    with pytest.raises(Permanent, match="check that the URL is a GitLab"):
        forge().request("platform/config", 7)


def test_broken_JSON_is_named(web: responses.RequestsMock) -> None:
    web.get(REQUEST, body="{", content_type="application/json")
    with pytest.raises(Permanent, match="not JSON"):
        forge().request("platform/config", 7)


def test_an_object_instead_of_a_list_is_named(web: responses.RequestsMock) -> None:
    web.get(f"{PROJECT}/merge_requests", json={"message": "odd"})
    with pytest.raises(Permanent, match="no usable list"):
        forge().open_requests("platform/config", "towpath")


def test_a_missing_field_is_named(web: responses.RequestsMock) -> None:
    web.get(REQUEST, json=merge_request(iid=None))
    with pytest.raises(Permanent, match="no usable field 'iid'"):
        forge().request("platform/config", 7)


@pytest.mark.parametrize("operation", ["request", "add_note"])
def test_R6_a_429_says_when_to_ask_again_and_nothing_sleeps(web: responses.RequestsMock, operation: str) -> None:
    soon = datetime.now(UTC)
    web.get(REQUEST, status=429, headers={"Retry-After": "120"})
    web.post(f"{REQUEST}/notes", status=429, headers={"Retry-After": "120"})
    web.assert_all_requests_are_fired = False
    with pytest.raises(RateLimited) as caught:
        _ask(operation)
    assert timedelta(seconds=119) < caught.value.retry_at - soon < timedelta(seconds=180)
    assert len(web.calls) == 1


def _ask(operation: str) -> None:
    if operation == "request":
        forge().request("platform/config", 7)
    else:
        forge().add_note("platform/config", Thread(7), "text")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "120"}, NOW + timedelta(seconds=120)),
        ({"Retry-After": "Mon, 02 Mar 2026 12:05:00 GMT"}, NOW + timedelta(minutes=5)),
        ({"RateLimit-Reset": str(int(NOW.timestamp()) + 30)}, NOW + timedelta(seconds=30)),
        ({"Retry-After": "5", "RateLimit-Reset": str(int(NOW.timestamp()) + 30)}, NOW + timedelta(seconds=5)),
        ({"Retry-After": "soon", "RateLimit-Reset": str(int(NOW.timestamp()) + 30)}, NOW + timedelta(seconds=30)),
        ({}, NOW + DEFAULT_WAIT),
        ({"RateLimit-Reset": "later"}, NOW + DEFAULT_WAIT),
        ({"RateLimit-Reset": "9" * 400}, NOW + DEFAULT_WAIT),
        ({"Retry-After": "0"}, NOW + timedelta(seconds=1)),
        ({"Retry-After": "9" * 400}, NOW + LONGEST_WAIT),
        ({"RateLimit-Reset": str(int(NOW.timestamp()) - 30)}, NOW + timedelta(seconds=1)),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, NOW + LONGEST_WAIT),
        ({"Retry-After": "Fri, 01 Jan 2100 00:00:00 -0000"}, NOW + LONGEST_WAIT),
    ],
)
def test_R6_when_to_ask_again(headers: dict[str, str], expected: datetime) -> None:
    assert retry_at(headers, "RateLimit-Reset", NOW) == expected


def test_S9_no_control_character_and_no_flood_reaches_a_message() -> None:
    assert one_line("a\x1b[31mred\x00\r\nb\u202e") == "a [31mred b"
    assert len(one_line("word " * 1000)) == 300


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_S10_no_message_carries_the_token(web: responses.RequestsMock, status: int) -> None:
    web.get(REQUEST, status=status, json={"message": "no"})
    with pytest.raises(OutsideError) as caught:
        forge(token="glpat-secret").request("platform/config", 7)
    assert "glpat-secret" not in repr(caught.value) + str(caught.value.__cause__)
