"""Every answer a registry may give to the question whether it has an image."""

import base64
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
import responses
from responses import matchers
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError
from urllib3.exceptions import SSLError as URLLib3SSLError

from bot.errors import OutsideError, Permanent, RateLimited, Transient
from bot.registries import Access, Registry
from bot.registries.access import Credentials

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
DIGEST = "sha256:" + "a1" * 32
HOST = "https://registry.example.com"
MANIFEST = f"{HOST}/v2/commerce/api/manifests/{DIGEST}"
TOKENS = f"{HOST}/token"
BEARER = {
    "WWW-Authenticate": f'Bearer realm="{TOKENS}",service="the registry",scope="repository:commerce/api:pull,push"'
}
BASIC = {"WWW-Authenticate": 'Basic realm="Registry"'}
PASSWORD = "correct-horse-battery"
SECRET = "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode()).decode()
UNTRUSTED = MaxRetryError(HTTPConnectionPool("x"), "/", URLLib3SSLError(ssl.SSLCertVerificationError("self-signed")))


def known() -> Credentials:
    return "robot", PASSWORD


def access(token_host: str = "", *, login: bool = False, url: str = HOST) -> Access:
    named = Access("main", url, token_host=token_host)
    return Access("main", url, known, token_host) if login else named


def exists(of: Access) -> bool:
    return Registry(of, lambda: NOW).exists("commerce/api", DIGEST)


def failure(of: Access) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        exists(of)
    assert PASSWORD not in str(caught.value) and SECRET.split()[1] not in str(caught.value)
    return caught.value


def sent(web: responses.RequestsMock) -> list[tuple[str | None, str | None, str | None]]:
    """Method, address and authorization of every request."""
    asked = [call.request for call in web.calls]
    return [(one.method, (one.url or "").partition("?")[0], one.headers.get("Authorization")) for one in asked]


def test_200_is_there_and_404_is_not(web: responses.RequestsMock) -> None:
    web.head(MANIFEST, status=404)
    assert exists(access()) is False
    web.replace(responses.HEAD, MANIFEST, status=200)
    assert exists(access()) is True


def test_every_kind_of_manifest_is_accepted(web: responses.RequestsMock) -> None:
    web.head(MANIFEST, status=401, headers=BASIC)
    web.head(MANIFEST)
    exists(access(login=True))
    assert len({call.request.headers["Accept"] for call in web.calls}) == 1
    accepted = (web.calls[0].request.headers["Accept"] or "").split(", ")
    oci = [f"application/vnd.oci.image.{kind}.v1+json" for kind in ("index", "manifest")]
    docker = [f"application/vnd.docker.distribution.manifest.{kind}" for kind in ("v2+json", "list.v2+json")]
    assert set(oci + docker) <= set(accepted)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (301, Permanent, "redirection"),
        (307, Permanent, "redirection"),
        (400, Permanent, "the registry answers 400"),
        (403, Permanent, "check the registry's user name and password"),
        (405, Permanent, "405"),
        (408, Transient, "408"),
        (206, Permanent, "206"),
        (500, Transient, "500"),
        (503, Transient, "503"),
    ],
)
def test_any_other_answer_is_none(
    web: responses.RequestsMock, status: int, kind: type[OutsideError], words: str
) -> None:
    web.head(MANIFEST, status=status, headers={"Location": f"{HOST}/elsewhere"})
    told = failure(access())
    assert type(told) is kind and words in told.cause
    assert str(told).startswith(f"failed to look up image main:commerce/api@{DIGEST}: ")
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 1),
        ("99999999999999999999", 3600),
        ("Mon, 02 Mar 2026 12:02:00 GMT", 120),
        ("Mon, 02 Mar 2026 12:02:00 -0000", 120),
        ("Mon, 02 Mar 2026 11:00:00 GMT", 1),
        ("soon", 60),
        ("", 60),
    ],
)
def test_429_says_when_to_ask_again(web: responses.RequestsMock, header: str, seconds: int) -> None:
    web.head(MANIFEST, status=429, headers={"Retry-After": header})
    told = failure(access())
    assert isinstance(told, RateLimited)
    assert told.retry_at == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (requests.ConnectionError("refused"), Transient, "refused"),
        (requests.ReadTimeout(), Transient, "ReadTimeout"),
        (requests.exceptions.SSLError("cut off"), Transient, "cut off"),
        (requests.exceptions.SSLError(UNTRUSTED), Permanent, "set the registry's CA file"),
        (requests.exceptions.InvalidURL("no host"), Permanent, "no host"),
        (OSError("Could not find a suitable TLS CA certificate bundle"), Permanent, "CA file cannot be used"),
    ],
)
def test_a_network_that_fails(
    web: responses.RequestsMock, error: Exception, kind: type[OutsideError], words: str
) -> None:
    web.head(MANIFEST, body=error)
    told = failure(access())
    assert type(told) is kind and words in told.cause


@pytest.mark.parametrize(
    ("repository", "digest"),
    [
        ("../../admin", DIGEST),
        ("commerce/../api", DIGEST),
        ("commerce//api", DIGEST),
        ("commerce/api?x=", DIGEST),
        ("Commerce/api", DIGEST),
        ("commerce/api\n", DIGEST),
        ("", DIGEST),
        ("commerce/api", "latest"),
        ("commerce/api", "tag:v1.2.3"),
        ("commerce/api", "sha256:abc"),
        ("commerce/api", DIGEST + "/../x"),
        ("commerce/api", DIGEST + "\n"),
    ],
)
def test_S11_what_is_no_name_or_digest_is_not_asked_for(
    web: responses.RequestsMock, repository: str, digest: str
) -> None:
    with pytest.raises(Permanent, match="no repository and digest"):
        Registry(access(), lambda: NOW).exists(repository, digest)
    assert len(web.calls) == 0


# --- authentication -----------------------------------------------------------------------------------------------


def test_basic(web: responses.RequestsMock) -> None:
    web.head(MANIFEST, status=401, headers=BASIC)
    web.head(MANIFEST, status=200)
    assert exists(access(login=True)) is True
    assert sent(web) == [("HEAD", MANIFEST, None), ("HEAD", MANIFEST, SECRET)]


@pytest.mark.parametrize("field", ["token", "access_token"])
@pytest.mark.parametrize("login", [True, False])
def test_a_token_is_fetched_for_reading_alone(web: responses.RequestsMock, field: str, login: bool) -> None:
    web.head(MANIFEST, status=401, headers=BEARER)
    asked = {"service": "the registry", "scope": "repository:commerce/api:pull"}
    web.get(TOKENS, json={field: "a.b-c"}, match=[matchers.query_param_matcher(asked)])
    web.head(MANIFEST, status=404)
    assert exists(access(login=login)) is False
    basic = SECRET if login else None
    assert sent(web) == [("HEAD", MANIFEST, None), ("GET", TOKENS, basic), ("HEAD", MANIFEST, "Bearer a.b-c")]


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_after_authentication_is_permanent(web: responses.RequestsMock, status: int) -> None:
    web.head(MANIFEST, status=401, headers=BASIC)
    web.head(MANIFEST, status=status, headers=BASIC)
    told = failure(access(login=True))
    assert isinstance(told, Permanent) and "user name and password" in told.cause
    assert len(web.calls) == 2


@pytest.mark.parametrize(
    ("challenge", "words"),
    [
        ('Basic realm="x"', "none are set for it"),
        ("", "not known"),
        ("Negotiate abc", "not known: Negotiate"),
        ("Bearer", "TOKEN_HOST"),
        ('Bearer realm=""', "TOKEN_HOST"),
        ('Bearer realm="/token"', "TOKEN_HOST"),
        ("Bearer realm", "TOKEN_HOST"),
    ],
)
def test_a_challenge_that_cannot_be_met(web: responses.RequestsMock, challenge: str, words: str) -> None:
    web.head(MANIFEST, status=401, headers={"WWW-Authenticate": challenge})
    told = failure(access())
    assert isinstance(told, Permanent) and words in told.cause


@pytest.mark.parametrize(
    "realm",
    [
        "https://evil.example.net/token",
        "http://registry.example.com/token",
        "https://registry.example.com:8443/token",
        "https://registry.example.com.evil.example.net/token",
        "https://registry.example.com@evil.example.net/token",
        "https://evil.example.net\\\\@registry.example.com/token",
        "https://tokens.example.com.evil.example.net/token",
        "file:///etc/passwd",
        "http://169.254.169.254/latest/meta-data",
    ],
)
def test_S11_a_token_is_asked_for_at_no_other_host(web: responses.RequestsMock, realm: str) -> None:
    web.head(MANIFEST, status=401, headers={"WWW-Authenticate": f'Bearer realm="{realm}",service="x"'})
    told = failure(access("tokens.example.com", login=True))
    assert isinstance(told, Permanent) and "gives out tokens at" in told.cause
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("realm", "host"),
    [
        ("https://tokens.example.com/jwt/auth", "tokens.example.com"),
        ("https://tokens.example.com:443/jwt/auth", "tokens.example.com"),
        ("https://TOKENS.example.com/jwt/auth", "tokens.example.com"),
        ("https://tokens.example.com:8443/jwt/auth", "tokens.example.com:8443"),
        ("https://registry.example.com:443/token", ""),
    ],
)
def test_a_token_host_that_is_configured(web: responses.RequestsMock, realm: str, host: str) -> None:
    web.head(MANIFEST, status=401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})
    web.get(realm, json={"token": "t"})
    web.head(MANIFEST, status=200)
    assert exists(access(host, login=True)) is True


def test_S11_an_unencrypted_token_host_only_beside_an_unencrypted_registry() -> None:
    assert not [one for one in access("tokens.example.com").origins() if one.startswith("http://")]
    assert "http://tokens.example.com" in access("tokens.example.com", url="http://localhost:5000").origins()


@pytest.mark.parametrize("at", [MANIFEST, TOKENS])
def test_S11_no_redirection_is_followed(web: responses.RequestsMock, at: str) -> None:
    away = {"Location": "https://evil.example.net/"}
    web.head(MANIFEST, status=401, headers=BEARER if at == TOKENS else BASIC)
    web.add(responses.GET if at == TOKENS else responses.HEAD, at, status=307, headers=away)
    told = failure(access(login=True))
    assert isinstance(told, Permanent) and "redirection" in told.cause
    assert len(web.calls) == 2


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "holds no token"),
        (b"[]", "holds no token"),
        (b"{}", "holds no token"),
        (b'{"token": 7}', "holds no token"),
        (b'{"token": "a\\nb"}', "holds no token"),
        (b'{"token": "\\u00e9"}', "holds no token"),
        (b"\xff", "holds no token"),
        (b"[" * 200_000, "holds no token"),
        (b'{"token": "' + b"a" * 1024 * 1024 + b'"}', "longer than 1 MiB"),
    ],
)
def test_an_answer_without_a_token(web: responses.RequestsMock, body: bytes, words: str) -> None:
    web.head(MANIFEST, status=401, headers=BEARER)
    web.get(TOKENS, body=body)
    told = failure(access(login=True))
    assert isinstance(told, Permanent) and words in told.cause


@pytest.mark.parametrize(("status", "kind"), [(404, Permanent), (401, Permanent), (429, RateLimited), (502, Transient)])
def test_a_token_endpoint_that_refuses_is_no_missing_image(
    web: responses.RequestsMock, status: int, kind: type[OutsideError]
) -> None:
    web.head(MANIFEST, status=401, headers=BEARER)
    web.get(TOKENS, status=status)
    assert type(failure(access(login=True))) is kind


def test_a_password_that_cannot_be_read_any_more(web: responses.RequestsMock) -> None:
    def gone() -> Credentials:
        raise ValueError("password_file cannot be read: No such file or directory")

    web.head(MANIFEST, status=401, headers=BASIC)
    assert "password_file cannot be read" in failure(Access("main", HOST, gone)).cause


def test_S10_the_password_is_in_no_repr() -> None:
    shown = repr(access(login=True))
    assert PASSWORD not in shown and "credentials" not in shown


def test_S11_nothing_of_netrc_is_sent(
    web: responses.RequestsMock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine registry.example.com login jo password of-netrc-and-secret\n")
    monkeypatch.setenv("NETRC", os.fspath(tmp_path / "netrc"))
    web.head(MANIFEST, status=401, headers=BEARER)
    web.get(TOKENS, json={"token": "t"})
    web.head(MANIFEST, status=200)
    exists(access())
    assert [told for _, _, told in sent(web)] == [None, None, "Bearer t"]


def _verified_by(file: str) -> Callable[[requests.PreparedRequest], tuple[bool, str]]:
    return lambda request: (request.req_kwargs["verify"] == file, f"not by {file}")  # type: ignore[attr-defined]


def test_the_configured_certificates_count_whatever_the_environment_says(
    web: responses.RequestsMock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/other.pem")
    own = [_verified_by("/etc/own.pem")]
    web.head(MANIFEST, status=401, headers=BEARER, match=own)
    web.get(TOKENS, json={"token": "t"}, match=own)
    web.head(MANIFEST, status=200, match=own)
    assert exists(Access("main", HOST, ca_file="/etc/own.pem")) is True


# --- what is remembered -------------------------------------------------------------------------------------------


def test_that_it_is_there_is_remembered_for_a_minute(web: responses.RequestsMock) -> None:
    now = [NOW]
    registry = Registry(access(), lambda: now[0])
    web.head(MANIFEST, status=200)
    asked = []
    for seconds in (0, 59, 60, 119, 30):
        now[0] = NOW + timedelta(seconds=seconds)
        assert registry.exists("commerce/api", DIGEST) is True
        asked.append(len(web.calls))
    assert asked == [1, 1, 2, 2, 3]
    assert len(registry._found) == 1


def test_that_it_is_not_there_is_never_remembered(web: responses.RequestsMock) -> None:
    registry = Registry(access(), lambda: NOW)
    web.head(MANIFEST, status=404)
    assert registry.exists("commerce/api", DIGEST) is False
    web.replace(responses.HEAD, MANIFEST, status=200)
    assert registry.exists("commerce/api", DIGEST) is True
