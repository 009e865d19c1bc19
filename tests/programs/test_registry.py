"""A real registry and a real `skopeo copy`: from the push to the open merge request."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from bot.memory import Memory
from bot.pending import Pending, connect
from bot.settings import load_settings
from bot.web import create_app
from policies.model import MergeRequest, Sighting
from tests.flows.world import POLICY, Scene
from tests.programs.oci import Layout, Registry, program
from tests.redis_server import free_port
from workers.receiving import make_ports

SECRET = "a-registry-secret-of-tests"
pytestmark = pytest.mark.programs


@dataclass
class Port:
    """A receiver that a real registry notifies, and a config repository that pins its images."""

    registry: Registry
    layout: Layout
    pending: Pending
    scene: Scene

    def until(self, seen: Callable[[], object]) -> None:
        """Wait for what the registry tells; it sends from a thread of its own."""
        end = time.monotonic() + 15
        while not seen():
            assert time.monotonic() < end, "the registry told nothing"
            time.sleep(0.05)

    def sightings(self) -> tuple[Sighting, ...]:
        return self.pending.sightings(f"{self.registry.host}/team/app")

    def settle(self) -> MergeRequest | None:
        """Let Towpath see what was announced; returns the open promotion."""
        self.scene.published = list(self.sightings())
        self.scene.settle()
        return self.scene.open_in("nonprod")


@pytest.fixture
def port(tmp_path: Path, redis_url: str) -> Iterator[Port]:
    program("docker-registry")
    program("skopeo")
    pending = Pending(connect(redis_url, 5))
    host = f"127.0.0.1:{free_port()}"
    with ExitStack() as opened:
        address = opened.enter_context(_receiver(tmp_path, redis_url, pending, host))
        registry = opened.enter_context(Registry(tmp_path, host, f"{address}/hooks/images/reg", SECRET))
        pinned = f"image:\n  repository: {registry.host}/team/app\n  tag: v0\n"
        policy = POLICY.replace("registry.example.com/commerce/", f"{registry.host}/")
        policy = policy.replace("merge: auto", "merge: manual")
        (tmp_path / "town").mkdir()
        scene = Scene(tmp_path / "town", policy, {"environments/nonprod/one/shop/values.yaml": pinned})
        yield Port(registry, Layout(tmp_path / "layout"), pending, scene)


@contextmanager
def _receiver(folder: Path, redis_url: str, pending: Pending, host: str) -> Iterator[str]:
    settings = load_settings(
        {
            "TOWPATH_MIRRORS": str(folder),
            "TOWPATH_SEAL": '["a-seal-key-of-tests"]',
            "TOWPATH_FORGES__MAIN__KIND": "gitlab",
            "TOWPATH_FORGES__MAIN__URL": "https://gitlab.example.com",
            "TOWPATH_FORGES__MAIN__TOKEN": "glpat-not-a-real-one",
            "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": '["a-hook-token-of-tests"]',
            "TOWPATH_FORGES__MAIN__REPOSITORIES": '["platform/config"]',
            "TOWPATH_SOURCES__REG__KIND": "distribution",
            "TOWPATH_SOURCES__REG__SECRETS": f'["{SECRET}"]',
            "TOWPATH_SOURCES__REG__IMAGES": '["127.0.0.1:*"]',
            "TOWPATH_SOURCES__REG__REGISTRY": host,
        }
    )
    memory = Memory(connect(redis_url))
    app = create_app(make_ports(settings, pending, memory, time.time), settings.body_limit)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(5)


def pinned(port: Port, request: MergeRequest) -> str:
    port.scene.context.mirror.ensure(request.head)
    text = port.scene.context.mirror.read(request.head, "environments/nonprod/one/shop/values.yaml")
    assert text is not None
    return text.decode()


def test_a_pushed_image_ends_in_an_open_merge_request_with_its_digest(port: Port) -> None:
    image = port.layout.image("one")
    port.layout.name(one=image)
    port.registry.push(port.layout, "one", "team/app:v1.2.3")
    port.until(port.sightings)
    request = port.settle()
    assert request is not None
    assert f"tag: v1.2.3\n  digest: {image['digest']}\n" in pinned(port, request)


def test_a_multi_arch_push_promotes_the_index_once(port: Port) -> None:
    index = port.layout.index(port.layout.image("amd", "amd64"), port.layout.image("arm", "arm64"))
    port.layout.name(both=index)
    port.registry.push(port.layout, "both", "team/app:v2.0.0", whole=True)
    port.until(port.sightings)
    _quiet(port)
    assert [one.image.digest for one in port.sightings()] == [index["digest"]]
    request = port.settle()
    assert request is not None and str(index["digest"]) in pinned(port, request)
    assert len(port.scene.forge.requests) == 1


def test_signatures_and_untagged_pushes_promote_nothing(port: Port) -> None:
    image = port.layout.image("signed")
    port.layout.name(one=image, two=port.layout.image("untagged"))
    signature = f"team/app:{str(image['digest']).replace(':', '-')}.sig"
    port.registry.push(port.layout, "one", signature)
    port.registry.push(port.layout, "two", f"team/app@{_digest(port, 'two')}")
    _quiet(port)
    assert port.sightings() == ()
    assert port.settle() is None


def test_pushing_the_same_image_again_promotes_nothing_new(port: Port) -> None:
    port.layout.name(one=port.layout.image("one"))
    for tag in ("v1", "v1", "latest"):
        port.registry.push(port.layout, "one", f"team/app:{tag}")
        port.until(port.sightings)
        port.settle()
    _quiet(port)
    port.settle()
    assert len(port.scene.forge.requests) == 1


def _digest(port: Port, name: str) -> str:
    named = json.loads((port.layout.folder / "index.json").read_text())["manifests"]
    return next(str(one["digest"]) for one in named if one["annotations"]["org.opencontainers.image.ref.name"] == name)


def _quiet(port: Port) -> None:
    """A last push of another repository: when it has been told, all before it were, for the registry keeps order."""
    port.layout.name(last=port.layout.image("last"))
    port.registry.push(port.layout, "last", "team/last:done")
    port.until(lambda: port.pending.sightings(f"{port.registry.host}/team/last"))
