"""`towpath publish` against a receiver over HTTP."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from bot.memory import Answer, Memory
from bot.pending import Pending, connect
from bot.web import create_app
from tests.redis_server import free_port
from tests.web.test_receiver import CI_SECRET, DIGEST, REPO, settings
from workers.cli import main
from workers.receiving import make_ports


class Port:
    """A served receiver."""

    def __init__(self, url: str, pending: Pending, memory: Memory) -> None:
        self.url, self.pending, self.memory = url, pending, memory

    def publish(self, *more: str, image: str = f"{REPO}@{DIGEST}", secret: str = CI_SECRET) -> Result:
        arguments = ["publish", "--url", self.url, "--source", "ci", "--image", image, *more]
        return CliRunner().invoke(main, arguments, env={"TOWPATH_PUBLISH_SECRET": secret})


@pytest.fixture
def port(redis_url: str, tmp_path: Path) -> Iterator[Port]:
    pending, memory, made = Pending(connect(redis_url)), Memory(connect(redis_url)), settings(tmp_path)
    app = create_app(make_ports(made, pending, memory, time.time), made.body_limit)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Port(f"http://127.0.0.1:{server.server_port}", pending, memory)
    server.shutdown()
    thread.join(5)


def test_an_image_is_announced_with_all_that_ci_knows(port: Port) -> None:
    result = port.publish("--tag", "v1", "--revision", "a" * 40, "--link", "pipeline=https://ci.example.com/1")
    assert (result.exit_code, result.output) == (0, f"accepted: {REPO}@{DIGEST}\n")
    sighting = port.pending.sightings(REPO)[0]
    assert (sighting.image.digest, sighting.image.tag, sighting.revisions) == (DIGEST, "v1", ("a" * 40,))
    assert dict(sighting.links) == {"pipeline": "https://ci.example.com/1"}


@pytest.mark.parametrize(
    ("states", "code", "words"),
    [
        (("opened",), 0, "opened: shop nonprod: waits https://x.example.com/1"),
        (("opened", "refused"), 1, "refused"),
        (("waiting",), 2, "nothing stands after"),
    ],
)
def test_wait_returns_when_the_promotion_stands_or_is_refused(
    port: Port, states: tuple[str, ...], code: int, words: str
) -> None:
    for number, state in enumerate(states):
        unit = "shop" if not number else f"shop-{number}"
        answer = Answer(state, unit, "nonprod", "waits", "https://x.example.com/1")  # type: ignore[arg-type]  # a table
        port.memory.note_answer(REPO, DIGEST, answer)
    result = port.publish("--wait", "--timeout", "0")
    assert result.exit_code == code
    assert words in result.output


@pytest.mark.parametrize(
    ("more", "image", "secret", "words"),
    [
        ((), f"{REPO}:v1", CI_SECRET, "REPOSITORY@sha256:DIGEST"),
        (("--link", "nonsense"), f"{REPO}@{DIGEST}", CI_SECRET, "NAME=URL"),
        ((), f"{REPO}@{DIGEST}", "", "no secret"),
        ((), f"{REPO}@{DIGEST}", "another-secret", "401"),
        ((), f"registry.example.com/bank/api@{DIGEST}", CI_SECRET, "403"),
        (("--tag", "@all"), f"{REPO}@{DIGEST}", CI_SECRET, "400"),
    ],
)
def test_what_is_wrong_is_told_to_ci(port: Port, more: tuple[str, ...], image: str, secret: str, words: str) -> None:
    result = port.publish(*more, image=image, secret=secret)
    assert result.exit_code != 0
    assert words in result.output


def test_the_secret_may_come_from_a_file(port: Port, tmp_path: Path) -> None:
    file = tmp_path / "ci-secret"
    file.write_text(f"{CI_SECRET}\n")
    assert port.publish("--secret-file", str(file), secret="").exit_code == 0


def test_S10_the_secret_is_in_no_message(port: Port) -> None:
    told = port.publish(image=f"registry.example.com/bank/api@{DIGEST}").output
    assert CI_SECRET not in told + json.dumps(told)


def test_nobody_there_is_told_after_a_bounded_patience() -> None:
    port = Port(f"http://127.0.0.1:{free_port()}", None, None)  # type: ignore[arg-type]  # nobody there
    result = CliRunner().invoke(
        main,
        ["publish", "--url", port.url, "--source", "ci", "--image", f"{REPO}@{DIGEST}", "--tries", "1"],
        env={"TOWPATH_PUBLISH_SECRET": CI_SECRET},
    )
    assert result.exit_code == 1
    assert "did not take it" in result.output


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "is empty"), (b" \n\n", "is empty"), (b"\xff\xfe\x00\x9c", "is no text")]
)
def test_a_secret_file_without_a_secret_is_told(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "ci-secret"
    file.write_bytes(content)
    port = Port(f"http://127.0.0.1:{free_port()}", None, None)  # type: ignore[arg-type]  # nobody there
    result = port.publish("--secret-file", str(file), "--tries", "1")
    assert result.exit_code == 1
    assert str(file) in result.output and words in result.output


@contextmanager
def somebody_else(said: bytes, asked: list[str]) -> Iterator[str]:
    """A server that answers everything with the same 200."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(5)


@pytest.mark.parametrize("said", [b"<html>Sign in</html>", b"[1]", b"3", b"{}", b'{"ok": true}', b"\xff", b""])
def test_an_answer_that_is_not_towpaths_is_told_at_once(said: bytes) -> None:
    asked: list[str] = []
    with somebody_else(said, asked) as url:
        result = Port(url, None, None).publish()  # type: ignore[arg-type]  # somebody else is there
    assert result.exit_code == 1
    assert "not Towpath's receiver" in result.output
    assert asked == ["/hooks/images/ci"]


@pytest.mark.parametrize(
    "said", [b'{"accepted": 1, "answers": [1]}', b'{"accepted": 1, "answers": [{"state": "done"}]}']
)
def test_answers_that_are_not_towpaths_are_told(said: bytes) -> None:
    with somebody_else(said, []) as url:
        result = Port(url, None, None).publish("--wait")  # type: ignore[arg-type]  # somebody else is there
    assert result.exit_code == 1
    assert "not as Towpath's receiver" in result.output


@pytest.mark.parametrize(
    "url", ["towpath.example.com", "localhost:8080", "ftp://x", "http://", "http://x:port", "http://[::1"]
)
def test_what_is_no_url_is_refused_and_not_tried_again(url: str) -> None:
    result = Port(url, None, None).publish()  # type: ignore[arg-type]  # nobody there
    assert result.exit_code == 2
    assert "https://towpath.example.com" in result.output
