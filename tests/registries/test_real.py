"""The truth: a real registry, an image that is pushed to it and deleted again."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from bot.errors import Permanent, Transient
from bot.registries import Access, Registries, Registry
from tests.programs.oci import Layout, program
from tests.programs.oci import Registry as Running
from tests.redis_server import free_port

pytestmark = pytest.mark.programs

LOGIN = ("robot", "correct-horse-battery")
HTPASSWD = "robot:$2b$05$abcdefghijklmnopqrstuuSnF5tLPqPFqc0z9CY0HcSLFbSRlL67u\n"
"""bcrypt, the only kind that docker-registry reads."""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    program("skopeo")
    monkeypatch.setenv("REGISTRY_STORAGE_DELETE_ENABLED", "true")
    with Running(tmp_path, f"127.0.0.1:{free_port()}", "http://127.0.0.1:9/", "nobody-listens") as started:
        yield started


def registry(host: str, login: tuple[str, str] | None = None) -> Registry:
    return Registry(Access("real", f"http://{host}", lambda: login), lambda: datetime.now(UTC))


def pushed(running: Running, folder: Path) -> dict[str, str]:
    """One image and one of two architectures, to their digests."""
    layout = Layout(folder / "layout")
    made = {
        "one": layout.image("one"),
        "both": layout.index(layout.image("amd", "amd64"), layout.image("arm", "arm64")),
    }
    layout.name(**made)
    running.push(layout, "one", "team/app:v1")
    running.push(layout, "both", "team/app:v2", whole=True)
    return {name: str(descriptor["digest"]) for name, descriptor in made.items()}


def test_what_was_pushed_is_there_and_what_was_deleted_is_not(running: Running, tmp_path: Path) -> None:
    digests = pushed(running, tmp_path)
    of = Registries({f"{running.host}/": registry(running.host)})
    image = f"{running.host}/team/app"
    assert [of.exists(image, digest) for digest in digests.values()] == [True, True]
    assert of.exists(image, "sha256:" + "0" * 64) is False
    assert of.exists(f"{running.host}/team/none", digests["one"]) is False
    gone = requests.delete(f"http://{running.host}/v2/team/app/manifests/{digests['one']}", timeout=5)
    assert gone.status_code == 202
    fresh = registry(running.host)
    assert [fresh.exists("team/app", digests[name]) for name in ("one", "both")] == [False, True]


def test_a_registry_that_wants_a_password(running: Running, tmp_path: Path) -> None:
    digest = pushed(running, tmp_path)["one"]
    with locked(tmp_path) as host:
        assert registry(host, LOGIN).exists("team/app", digest) is True
        assert registry(host, LOGIN).exists("team/none", digest) is False
        with pytest.raises(Permanent, match="answers 401"):
            registry(host, ("robot", "another-horse")).exists("team/app", digest)
        with pytest.raises(Permanent, match="none are set for it"):
            registry(host).exists("team/app", digest)
    with pytest.raises(Transient):
        registry(host, LOGIN).exists("team/app", digest)


@contextmanager
def locked(folder: Path) -> Iterator[str]:
    """A second registry over the same images that asks for LOGIN."""
    host = f"127.0.0.1:{free_port()}"
    (folder / "htpasswd").write_text(HTPASSWD)
    config = folder / "locked.yml"
    config.write_text(
        f"""\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder / "images"}}}}}
http: {{addr: {host}, secret: only-for-this-test}}
auth: {{htpasswd: {{realm: tests, path: {folder / "htpasswd"}}}}}
"""
    )
    with (folder / "locked.log").open("wb") as log:
        process = subprocess.Popen([program("docker-registry"), "serve", str(config)], stdout=log, stderr=log)
    try:
        _wait_for(host, process)
        yield host
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(host: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 15
    while True:
        try:
            urllib.request.urlopen(f"http://{host}/v2/", timeout=1).close()
        except urllib.error.HTTPError as answer:
            answer.close()
            return
        except OSError:
            assert time.monotonic() < end and process.poll() is None, "the registry did not start"
            time.sleep(0.05)
