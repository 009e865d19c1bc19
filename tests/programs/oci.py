"""Small OCI images made by hand, and a real registry to push them to (OCI image specification 1.1)."""

import gzip
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

Descriptor = dict[str, object]


def program(name: str) -> str:
    """The path of a program; the test is skipped with a notice where it is not installed (`make tools`)."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: make tools")
    return found


class Layout:
    """An OCI image layout in a folder: blobs, and an index that names its images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def image(self, text: str, architecture: str = "amd64") -> Descriptor:
        """An image of one file that holds this text."""
        tar, layer = _layer(text)
        config = {
            "architecture": architecture,
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(tar).hexdigest()}"]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(json.dumps(config).encode(), CONFIG),
            "layers": [self._blob(layer, LAYER)],
        }
        platform = {"architecture": architecture, "os": "linux"}
        return {**self._blob(json.dumps(manifest).encode(), MANIFEST), "platform": platform}

    def index(self, *images: Descriptor) -> Descriptor:
        """A multi-architecture image."""
        text = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(images)}
        return self._blob(json.dumps(text).encode(), INDEX)

    def name(self, **images: Descriptor) -> None:
        """Name the layout's images."""
        named = [
            {**found, "annotations": {"org.opencontainers.image.ref.name": name}} for name, found in images.items()
        ]
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": named}))

    def _blob(self, raw: bytes, kind: str) -> Descriptor:
        digest = hashlib.sha256(raw).hexdigest()
        (self.folder / "blobs" / "sha256" / digest).write_bytes(raw)
        return {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(raw)}


def _layer(text: str) -> tuple[bytes, bytes]:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = len(text.encode())
        tar.addfile(entry, io.BytesIO(text.encode()))
    return raw.getvalue(), gzip.compress(raw.getvalue(), mtime=0)


class Registry:
    """A real docker-registry that notifies an address of every push."""

    def __init__(self, folder: Path, host: str, notify: str, secret: str) -> None:
        self.host = host
        self._folder = folder
        self._config = folder / "registry.yml"
        self._config.write_text(
            f"""\
version: 0.1
log: {{level: warn}}
storage: {{filesystem: {{rootdirectory: {folder / "images"}}}}}
http: {{addr: {self.host}, secret: only-for-this-test}}
notifications:
  events: {{includereferences: true}}
  endpoints:
    - name: towpath
      url: {notify}
      headers: {{Authorization: [Bearer {secret}]}}
      timeout: 2s
      threshold: 3
      backoff: 1s
"""
        )

    def __enter__(self) -> Self:
        with (self._folder / "registry.log").open("wb") as log:
            command = [program("docker-registry"), "serve", str(self._config)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 15
        while True:
            try:
                urllib.request.urlopen(f"http://{self.host}/v2/", timeout=1).close()
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise RuntimeError((self._folder / "registry.log").read_text()) from None
                time.sleep(0.05)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(10)

    def push(self, layout: Layout, name: str, target: str, *, whole: bool = False) -> None:
        """`skopeo copy` of a named image of the layout; `whole` copies every architecture."""
        to = f"docker://{self.host}/{target}"
        command = [
            program("skopeo"),
            "copy",
            "--insecure-policy",
            "--dest-tls-verify=false",
            *(["--all"] if whole else []),
        ]
        subprocess.run([*command, f"oci:{layout.folder}:{name}", to], check=True, capture_output=True, timeout=60)
