"""The client: whose token it sends and where, what it repeats, and what it costs to import."""

import json
import re
import socket
import socketserver
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import responses
from urllib3.exceptions import ProtocolError

from bot.errors import Permanent, Transient
from bot.forges import FORGES
from bot.forges.base import GitAccess, Proposal
from bot.forges.connection import Connection
from bot.forges.gitlab.client import Client
from policies.model import Thread
from tests.forges.gitlab_answers import API, HEAD, PROJECT, URL, forge, merge_request

REQUESTS = f"{PROJECT}/merge_requests"
RESET = requests.ConnectionError(ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer")))


def sent_tokens(web: responses.RequestsMock) -> list[str]:
    return [call.request.headers["PRIVATE-TOKEN"] for call in web.calls]


def test_importing_the_list_of_forges_does_not_import_python_gitlab() -> None:
    code = "import sys, bot.forges; sys.exit('gitlab' in sys.modules or 'requests' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


def test_every_folder_of_a_forge_is_listed() -> None:
    folder = Path(sys.modules["bot.forges"].__path__[0])
    assert {path.parent.name for path in folder.glob("*/__init__.py")} == set(FORGES)


def test_a_listed_forge_is_made_from_a_connection_and_asks_nothing(web: responses.RequestsMock) -> None:
    made = FORGES["gitlab"](Connection("main", URL, "glpat-1", ca_file="/etc/ssl/own.pem"))
    assert made.name == "main"
    assert made.access("platform/config") == GitAccess(
        f"{URL}/platform/config.git", "towpath", "glpat-1", "/etc/ssl/own.pem"
    )


def test_S10_no_repr_shows_the_token() -> None:
    connection = Connection("main", URL, "glpat-secret")
    assert "glpat-secret" not in repr(connection) + repr(forge("glpat-secret").access("a/b"))


def test_a_token_that_is_rotated_in_its_file_counts_from_the_next_call(
    web: responses.RequestsMock, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("glpat-old\n")
    main = forge(token="", token_file=str(file))
    web.get(f"{REQUESTS}/7", json=merge_request())
    main.request("platform/config", 7)
    file.write_text("glpat-new")
    main.request("platform/config", 7)
    assert sent_tokens(web) == ["glpat-old", "glpat-new"]
    assert main.access("platform/config").password == "glpat-new"


@pytest.mark.parametrize(
    ("content", "words"), [(None, "FileNotFoundError"), (b" \n", "exactly one token"), (b"\xff", "Unicode")]
)
def test_a_token_file_that_gives_no_token_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Permanent, match=f"read the token file .*{words}"):
        forge(token_file=str(file)).me()


@pytest.mark.parametrize("content", ["glpat-new\nglpat-old\n", "glpat-new glpat-old", "glpat-\u2026", "glpat-\0new"])
def test_S10_a_token_file_of_more_than_one_token_is_refused_without_its_words(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    with pytest.raises(Permanent, match="it does not hold exactly one token") as caught:
        forge(token_file=str(file)).me()
    assert "glpat" not in str(caught.value)


@pytest.mark.parametrize("token", ["glpat-new\nglpat-old", "glpat-\u2026"])
def test_S10_a_token_that_cannot_be_sent_is_not_told(web: responses.RequestsMock, token: str) -> None:
    web.assert_all_requests_are_fired = False
    web.get(f"{API}/user", body=ValueError(f"Invalid header value b'{token}'"))
    with pytest.raises(Permanent, match="check the forge's token") as caught:
        forge(token).me()
    assert "glpat" not in "".join(traceback.format_exception(caught.value))


def test_each_thread_has_its_own_session() -> None:
    client = Client(Connection("main", URL, "glpat-1"))
    found = [client._gitlab()]
    thread = threading.Thread(target=lambda: found.append(client._gitlab()))
    thread.start()
    thread.join()
    assert found[0] is client._gitlab()
    assert found[0].session is not found[1].session


def test_a_read_is_asked_once_more_when_the_connection_was_reset(web: responses.RequestsMock) -> None:
    web.get(f"{REQUESTS}/7", body=RESET)
    web.get(f"{REQUESTS}/7", json=merge_request())
    assert forge().request("platform/config", 7).iid == 7
    assert len(web.calls) == 2


@pytest.mark.parametrize("failure", [requests.ReadTimeout("slow"), requests.ConnectTimeout("far")])
def test_a_read_that_timed_out_is_not_repeated(web: responses.RequestsMock, failure: Exception) -> None:
    web.get(f"{REQUESTS}/7", body=failure)
    with pytest.raises(Transient):
        forge().request("platform/config", 7)
    assert len(web.calls) == 1


@pytest.mark.parametrize("failure", [RESET, requests.ReadTimeout("slow"), 500, 502, 503, 504, 520])
def test_R5_a_write_is_never_repeated(web: responses.RequestsMock, failure: Exception | int) -> None:
    if isinstance(failure, int):
        web.post(REQUESTS, status=failure)
    else:
        web.post(REQUESTS, body=failure)
    with pytest.raises(Transient):
        forge().open_request("platform/config", Proposal("branch", "main", "title", "text", ()))
    assert len(web.calls) == 1


def test_R7_a_list_is_read_to_its_end_by_hundreds(web: responses.RequestsMock) -> None:
    """GitLab's link names its external address; the pages are asked of the configured one."""
    link = '<https://internal.example.com/api/v4/projects/1/merge_requests?page=2&per_page=100>; rel="next"'
    page = [merge_request(iid=iid) for iid in range(100)]
    web.get(REQUESTS, json=page, headers={"Link": link})
    web.get(f"{API}/projects/1/merge_requests", json=[merge_request(iid=100)])
    found = forge().open_requests("platform/config", "towpath")
    assert [request.iid for request in found] == list(range(101))
    assert all("per_page=100" in str(call.request.url) for call in web.calls)


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example.net/page",
        "https://gitlab.example.com.evil.example.net/api/v4/projects",
        "https://gitlab.example.com@evil.example.net/",
        f"{URL}/anything-but-the-api",
    ],
)
def test_S11_the_next_page_elsewhere_is_not_asked(web: responses.RequestsMock, elsewhere: str) -> None:
    web.get(REQUESTS, json=[merge_request()], headers={"Link": f'<{elsewhere}>; rel="next"'})
    with pytest.raises(Permanent, match="an address other than the configured one"):
        forge().open_requests("platform/config", "towpath")
    assert {str(call.request.url).split("/")[2] for call in web.calls} == {"gitlab.example.com"}
    assert len(web.calls) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_S11_R5_no_redirect_is_followed(web: responses.RequestsMock, method: str, status: int) -> None:
    """GitLab redirects where a project moved; an http address often redirects to https."""
    where = f"{API}/projects/9/merge_requests/7"
    web.add(method, re.compile(r".*/projects/platform%2Fconfig/.*"), status=status, headers={"Location": where})
    with pytest.raises(Permanent, match=re.escape(f"redirects to {where}: ")):
        ask(method)
    assert len(web.calls) == 1


def ask(method: str) -> None:
    main = forge()
    if method == "GET":
        main.request("platform/config", 7)
    elif method == "POST":
        main.add_note("platform/config", Thread(7), "text")
    else:
        main.merge("platform/config", 7, HEAD, "message")


def test_a_GitLab_below_a_path_and_with_its_own_CA_is_asked_there(web: responses.RequestsMock) -> None:
    main = FORGES["gitlab"](Connection("main", f"{URL}/forge/", "glpat-1", ca_file="/etc/ssl/own.pem"))
    web.get(f"{URL}/forge/api/v4/user", json={"id": 42, "username": "towpath", "bot": True})
    assert main.me().bot
    assert main.access("a/b").url == f"{URL}/forge/a/b.git"
    assert web.calls[0].request.req_kwargs["verify"] == "/etc/ssl/own.pem"  # type: ignore[attr-defined] # by responses


@pytest.fixture
def hangs_up() -> Iterator[tuple[str, list[str]]]:
    """A server that closes the first connection without an answer, and the request lines that it got."""
    asked: list[str] = []

    class HangsUpOnce(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline().decode().split(" ")[0])
            length = 0
            while (line := self.rfile.readline().strip()) != b"":
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.rfile.read(length)
            if len(asked) > 1:
                body = json.dumps(merge_request()).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                self.wfile.write(head.encode() + body)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), HangsUpOnce) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
        server.shutdown()


def test_over_a_real_connection_a_read_is_repeated_once(hangs_up: tuple[str, list[str]]) -> None:
    url, asked = hangs_up
    assert FORGES["gitlab"](Connection("main", url, "glpat-1")).request("platform/config", 7).iid == 7
    assert asked == ["GET", "GET"]


def test_R5_over_a_real_connection_a_write_is_not_repeated(hangs_up: tuple[str, list[str]]) -> None:
    url, asked = hangs_up
    with pytest.raises(Transient):
        FORGES["gitlab"](Connection("main", url, "glpat-1")).close("platform/config", 7, "superseded")
    assert asked == ["PUT"]


def test_a_forge_that_is_down_is_transient() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(Transient, match="failed to read the bot's own user"):
        FORGES["gitlab"](Connection("main", f"http://127.0.0.1:{port}", "glpat-1")).me()
