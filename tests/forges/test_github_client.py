"""The client: whose token it sends and where, what it repeats and remembers, and when it asks again."""

import json
import socket
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
import requests
import responses
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.errors import Conflict, OutsideError, Permanent, RateLimited, Transient
from bot.forges.base import Proposal, Status
from bot.forges.connection import AppKey
from policies.model import CheckState, Thread
from tests.forges.github_answers import API, HEAD, ME, MERGED, REPOSITORY, URL, forge, pull

R = "platform/config"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
APP = AppKey("77", PEM)


def later(hours: float = 1) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")


def sent(web: responses.RequestsMock) -> list[str]:
    return [str(call.request.headers["Authorization"]) for call in web.calls]


def test_importing_the_list_of_forges_does_not_import_PyGithub() -> None:
    code = "import sys, bot.forges; sys.exit('github' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


# --- where -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "api"),
    [
        ("https://github.com", "https://api.github.com:443"),
        ("https://github.com/", "https://api.github.com:443"),
        ("https://github.example.com", "https://github.example.com:443/api/v3"),
        ("http://127.0.0.1:8930", "http://127.0.0.1:8930/api/v3"),
        ("https://acme.ghe.com", "https://api.acme.ghe.com:443"),
    ],
)
def test_github_com_has_its_API_on_another_host(web: responses.RequestsMock, url: str, api: str) -> None:
    web.get(f"{api}/user", json=ME)
    assert forge(url=url).me().id == 42


def test_S10_the_token_goes_along_and_is_never_shown(web: responses.RequestsMock, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("ghp-from-file\n")
    web.get(f"{API}/user", json=ME)
    main = forge(token_file=str(file))
    assert main.me().bot
    assert sent(web) == ["token ghp-from-file"]
    access = main.access(R)
    assert (access.url, access.username) == (f"{URL}/platform/config.git", "x-access-token")
    assert access.password == "ghp-from-file"
    assert "ghp" not in repr(access) + repr(APP)
    assert "PRIVATE" not in repr(APP)


def test_S11_links_to_a_next_page_are_counted_not_followed(web: responses.RequestsMock) -> None:
    evil = {"Link": '<https://evil.example.com/steal?page=2>; rel="next"'}
    row = {"id": 1, "body": "x", "user": ME, "created_at": "2026-03-02T10:00:00Z"}
    first = responses.matchers.query_param_matcher({"per_page": "100"})
    second = responses.matchers.query_param_matcher({"per_page": "100", "page": "2"})
    web.get(f"{REPOSITORY}/issues/7/comments", json=[row], headers=evil, match=[first])
    web.get(f"{REPOSITORY}/issues/7/comments", json=[row | {"id": 2}], match=[second])
    assert [note.id for note in forge().notes(R, Thread(7))] == [1, 2]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("commerce/checkout", "commerce/checkout"),
        ("https://github.example.com/commerce/checkout", "commerce/checkout"),
        ("https://github.example.com/commerce/checkout.git", "commerce/checkout"),
        ("https://GitHub.example.com/commerce/checkout/tree/main/src", "commerce/checkout"),
        ("git@github.example.com:commerce/checkout.git", "commerce/checkout"),
        ("ssh://git@github.example.com/commerce/checkout.git", "commerce/checkout"),
    ],
)
def test_commits_are_compared_where_the_source_is(web: responses.RequestsMock, source: str, path: str) -> None:
    commit = {"sha": HEAD, "commit": {"message": "Fix it\n\nbody", "author": {"name": "Mira"}}}
    older = {"sha": MERGED, "commit": {"message": "Begin", "author": {"name": "Jonas"}}}
    web.get(f"{API}/repos/{path}/compare/{MERGED}...{HEAD}", json={"commits": [older, commit]})
    found = forge().commits_between(source, MERGED, HEAD)
    assert [(one.title, one.author) for one in found] == [("Fix it", "Mira"), ("Begin", "Jonas")]


@pytest.mark.parametrize(
    "source",
    [
        "https://evil.example.com/commerce/checkout",
        "git@evil.example.com:a/b",
        "../../user",
        "a/..",
        "one",
        "",
        "a/b?x=1",
    ],
)
def test_S11_nobody_else_is_asked(source: str) -> None:
    assert forge().commits_between(source, MERGED, HEAD) == ()


@pytest.mark.parametrize("status", [301, 403, 404, 409, 410, 422, 451])
def test_a_source_that_was_renamed_or_is_gone_or_barred_stops_nothing(web: responses.RequestsMock, status: int) -> None:
    where = {"Location": f"{API}/repositories/7/compare/x"} if status == 301 else {}
    path = f"{API}/repos/commerce/checkout/compare/{MERGED}...{HEAD}"
    web.get(path, status=status, json={"message": "No"}, headers=where)
    assert forge().commits_between("commerce/checkout", MERGED, HEAD) == ()


# --- what is remembered ----------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again(web: responses.RequestsMock) -> None:
    main = forge()
    web.get(f"{REPOSITORY}/pulls/7", json=pull(), headers={"ETag": '"one"'})
    assert main.request(R, 7).title == "Promote checkout to prod"
    web.replace("GET", f"{REPOSITORY}/pulls/7", status=304, headers={"ETag": '"one"'})
    assert main.request(R, 7).title == "Promote checkout to prod"
    assert web.calls[1].request.headers["If-None-Match"] == '"one"'
    web.replace("GET", f"{REPOSITORY}/pulls/7", json=pull(title="new"), headers={"ETag": '"two"'})
    assert main.request(R, 7).title == "new"


# --- the App ---------------------------------------------------------------------------------------------------------


def installed(web: responses.RequestsMock, *tokens: tuple[str, str]) -> None:
    web.get(f"{REPOSITORY}/installation", json={"id": 5})
    for token, until in tokens:
        web.post(f"{API}/app/installations/5/access_tokens", json={"token": token, "expires_at": until}, status=201)


def test_an_App_works_by_its_installations_token(web: responses.RequestsMock) -> None:
    installed(web, ("ghs-1", later()))
    web.get(f"{REPOSITORY}/pulls/7", json=pull())
    main = forge(APP)
    main.request(R, 7)
    main.request(R, 7)
    assert main.access(R).password == "ghs-1"
    lookup, made, *reads = sent(web)
    claims = jwt.decode(lookup.split()[1], KEY.public_key(), ["RS256"], issuer="77")
    assert claims["exp"] - claims["iat"] <= 600
    assert made.startswith("Bearer ")
    assert reads == ["token ghs-1", "token ghs-1"]


def test_an_installations_token_is_renewed_before_it_ends(web: responses.RequestsMock) -> None:
    installed(web, ("ghs-1", later(0.05)), ("ghs-2", later()))
    main = forge(APP)
    assert [main.access(R).password for _ in range(3)] == ["ghs-1", "ghs-2", "ghs-2"]


def test_a_refused_installations_token_is_dropped_and_tried_again_later(web: responses.RequestsMock) -> None:
    installed(web, ("ghs-1", later()))
    web.get(f"{REPOSITORY}/pulls/7", json={"message": "Bad credentials"}, status=401)
    main = forge(APP)
    with pytest.raises(Transient, match="new one"):
        main.request(R, 7)
    web.post(f"{API}/app/installations/5/access_tokens", json={"token": "ghs-2", "expires_at": later()}, status=201)
    web.replace("GET", f"{REPOSITORY}/pulls/7", json=pull())
    main.request(R, 7)
    assert sent(web)[-1] == "token ghs-2"


def test_an_App_knows_its_own_user(web: responses.RequestsMock) -> None:
    web.get(f"{API}/app", json={"slug": "towpath"})
    web.get(f"{API}/app/installations", json=[{"id": 5}])
    until = {"token": "ghs-1", "expires_at": later()}
    web.post(f"{API}/app/installations/5/access_tokens", json=until, status=201)
    web.get(f"{API}/users/towpath%5Bbot%5D", json=ME | {"login": "towpath[bot]"})
    main = forge(APP)
    assert main.me().username == "towpath[bot]"
    assert main.me() is main.me()


def test_an_App_that_is_installed_nowhere_says_what_to_do(web: responses.RequestsMock) -> None:
    web.get(f"{API}/app", json={"slug": "towpath"})
    web.get(f"{API}/app/installations", json=[])
    with pytest.raises(Permanent, match="install the App"):
        forge(APP).me()
    web.get(f"{REPOSITORY}/installation", json={"message": "Not Found"}, status=404)
    with pytest.raises(Permanent, match="that the App is installed there"):
        forge(APP).access(R)


def test_a_key_that_is_none_is_named_without_being_shown(web: responses.RequestsMock) -> None:
    with pytest.raises(OutsideError) as caught:
        forge(AppKey("77", "-----BEGIN RSA PRIVATE KEY-----\nsecret\n-----END RSA PRIVATE KEY-----")).access(R)
    assert "secret" not in str(caught.value)
    assert len(web.calls) == 0


# --- refusals --------------------------------------------------------------------------------------------------------


def headers_of_a_limit(seconds: int) -> dict[str, str]:
    """That the quota is used up, and ends so many seconds from now."""
    reset = str(int((datetime.now(UTC) + timedelta(seconds=seconds)).timestamp()))
    return {"X-RateLimit-Remaining": "0", "X-RateLimit-Limit": "5000", "X-RateLimit-Reset": reset}


@pytest.mark.parametrize(
    ("status", "headers", "message", "seconds"),
    [
        (403, 120, "API rate limit exceeded for installation ID 5.", 120),
        (403, {"Retry-After": "45"}, "You have exceeded a secondary rate limit.", 45),
        (403, {}, "You have exceeded a secondary rate limit.", 60),
        (429, {}, "Too many requests", 60),
        (429, {"Retry-After": "30"}, "Too many requests", 30),
        (403, 86_400, "API rate limit exceeded", 3600),
        (403, -500, "API rate limit exceeded", 1),
    ],
)
def test_R6_limits_become_a_time_to_ask_again(
    web: responses.RequestsMock, status: int, headers: dict[str, str] | int, message: str, seconds: int
) -> None:
    headers = headers_of_a_limit(headers) if isinstance(headers, int) else headers
    web.get(f"{REPOSITORY}/pulls/7", json={"message": message}, status=status, headers=headers)
    with pytest.raises(RateLimited) as caught:
        forge().request(R, 7)
    wait = (caught.value.retry_at - datetime.now(UTC)).total_seconds()
    assert seconds - 10 < wait <= seconds + 1
    assert len(web.calls) == 1


@pytest.mark.parametrize(
    ("status", "body", "error", "words"),
    [
        (401, {"message": "Bad credentials"}, Permanent, "token or the App's key"),
        (403, {"message": "Resource not accessible by integration"}, Permanent, "permission"),
        (404, {"message": "Not Found"}, Permanent, "App is installed"),
        (409, {"message": "Conflict"}, Conflict, "409"),
        (
            422,
            {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]},
            Permanent,
            "head: invalid",
        ),
        (422, {"message": "Validation Failed", "errors": ["odd"]}, Permanent, "odd"),
        (500, {"message": "Server Error"}, Transient, "500"),
        (502, "<html>", Transient, "502"),
        (200, "<html>", Permanent, "is a GitHub"),
        (200, [], Permanent, "is a GitHub"),
        (200, '{"number"', Permanent, "cannot be"),
    ],
)
def test_refusals_by_status(
    web: responses.RequestsMock, status: int, body: object, error: type[OutsideError], words: str
) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    web.get(f"{REPOSITORY}/pulls/7", body=text, status=status)
    with pytest.raises(error, match=words):
        forge().request(R, 7)
    assert len(web.calls) == 1


def test_a_redirect_to_another_host_is_permanent(web: responses.RequestsMock) -> None:
    web.get(f"{REPOSITORY}/pulls/7", status=301, headers={"Location": "https://evil.example.com/x"}, body="{}")
    with pytest.raises(Permanent, match="renamed or moved"):
        forge().request(R, 7)


def test_R5_a_write_that_GitHub_answers_with_a_redirect_did_not_happen(web: responses.RequestsMock) -> None:
    moved = {"message": "Moved Permanently", "url": f"{API}/repositories/1/statuses/x"}
    web.post(f"{REPOSITORY}/statuses/{HEAD}", json=moved, status=307)
    with pytest.raises(Permanent):
        forge().set_status(R, HEAD, "b", Status("towpath", CheckState.success, "ok", "https://x"))


# --- connections that break ------------------------------------------------------------------------------------------


@contextmanager
def broken_server() -> Iterator[tuple[str, list[bytes]]]:
    """A server that closes every connection after the request's first line."""
    seen: list[bytes] = []

    class Breaks(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            seen.append(self.rfile.readline())
            self.request.shutdown(socket.SHUT_RDWR)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Breaks) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
        server.shutdown()


def test_R5_a_broken_read_is_repeated_once_and_a_broken_write_never() -> None:
    with broken_server() as (url, seen):
        main = forge(url=url)
        with pytest.raises(Transient):
            main.request(R, 7)
        assert [line.split()[0] for line in seen] == [b"GET", b"GET"]
        seen.clear()
        with pytest.raises(Transient):
            main.add_note(R, Thread(7), "text")
        assert [line.split()[0] for line in seen] == [b"POST"]


def test_a_refused_connection_is_transient_and_not_repeated() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(Transient):
            forge(url=f"http://127.0.0.1:{free.getsockname()[1]}").me()


def test_a_certificate_that_is_not_trusted_names_the_setting(web: responses.RequestsMock) -> None:
    import ssl

    web.get(f"{API}/user", body=requests.exceptions.SSLError(ssl.SSLCertVerificationError("self-signed")))
    with pytest.raises(Permanent, match="CA file"):
        forge().me()


# --- merging ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switches", "method"),
    [
        ({"allow_merge_commit": True, "allow_squash_merge": True}, "merge"),
        ({"allow_merge_commit": False, "allow_squash_merge": True, "allow_rebase_merge": True}, "squash"),
        ({"allow_merge_commit": False, "allow_squash_merge": False, "allow_rebase_merge": True}, "rebase"),
        ({}, "merge"),
    ],
)
def test_a_merge_takes_the_method_that_the_repository_allows(
    web: responses.RequestsMock, switches: dict[str, bool], method: str
) -> None:
    web.get(REPOSITORY, json={"default_branch": "main", **switches})
    web.put(f"{REPOSITORY}/pulls/7/merge", json={"sha": MERGED, "merged": True})
    assert forge().merge(R, 7, HEAD, "Promote\n\nTowpath-Stage: prod\n") == MERGED
    body = json.loads(web.calls[1].request.body or b"")
    assert body == {
        "sha": HEAD,
        "merge_method": method,
        "commit_title": "Promote",
        "commit_message": "Towpath-Stage: prod",
    }


@pytest.mark.parametrize(
    ("now", "words", "error"),
    [
        ({}, "Base branch was modified. Review and try the merge again.", Transient),
        ({"mergeable": None, "mergeable_state": "unknown"}, "Pull Request is not mergeable", Transient),
        ({"mergeable": False, "mergeable_state": "dirty"}, "Pull Request has merge conflicts", Permanent),
        ({}, "Changes must be made through the merge queue", Permanent),
        ({"state": "closed", "merged_at": "2026-03-02T12:00:00Z"}, "Pull Request is not mergeable", Conflict),
        ({"head": {"ref": "a", "sha": MERGED}}, "Pull Request is not mergeable", Conflict),
    ],
)
def test_a_merge_that_GitHub_refuses_with_405_says_why(
    web: responses.RequestsMock, now: dict[str, object], words: str, error: type[OutsideError]
) -> None:
    web.get(REPOSITORY, json={"default_branch": "main"})
    web.put(f"{REPOSITORY}/pulls/7/merge", json={"message": words}, status=405)
    web.get(f"{REPOSITORY}/pulls/7", json=pull(**now))
    with pytest.raises(error):
        forge().merge(R, 7, HEAD, "message")


def test_a_pull_request_that_was_opened_but_not_labelled_is_told_as_a_failure(web: responses.RequestsMock) -> None:
    web.post(f"{REPOSITORY}/pulls", json=pull(), status=201)
    web.post(f"{REPOSITORY}/issues/7/labels", json={"message": "Server Error"}, status=502)
    with pytest.raises(Transient, match="label"):
        forge().open_request(R, Proposal("a", "main", "t", "d", ("towpath",)))


def test_S16_check_runs_that_the_token_may_not_read_are_not_taken_for_none(web: responses.RequestsMock) -> None:
    web.get(f"{API}/user", json=ME)
    web.get(f"{REPOSITORY}/commits/{HEAD}/statuses", json=[])
    hidden = {"message": "Resource not accessible by personal access token"}
    web.get(f"{REPOSITORY}/commits/{HEAD}/check-runs", json=hidden, status=403)
    (found,) = forge().checks(R, HEAD)
    assert found.state is CheckState.pending
    assert "the token may not read them" in found.name
