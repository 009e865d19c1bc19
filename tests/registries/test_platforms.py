"""What an image is built for: every shape of a manifest, and whatever else a registry may send for one."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pytest
import responses
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import OutsideError, Permanent, RateLimited, Transient
from bot.registries import Access, Registries, Registry
from bot.registries.platforms import ATTESTATION, Config, of_config, of_manifest, platform
from tests.registries.test_client import BASIC, BEARER, HOST, NOW, SECRET, TOKENS, access, sent

INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
AMD: dict[str, object] = {"os": "linux", "architecture": "amd64"}
ARM: dict[str, object] = {"os": "linux", "architecture": "arm64", "variant": "v8"}


def entry(described: object, **more: object) -> dict[str, object]:
    return {"mediaType": "application/vnd.oci.image.manifest.v1+json", "platform": described, **more}


def index(*entries: object) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()


def manifest(digest: object, kind: str = CONFIG) -> bytes:
    return json.dumps({"schemaVersion": 2, "config": {"mediaType": kind, "digest": digest}, "layers": []}).encode()


def named(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def serve(web: responses.RequestsMock, raw: bytes, kind: str = "manifests", **more: object) -> str:
    """Put content under its digest."""
    web.get(f"{HOST}/v2/commerce/api/{kind}/{named(raw)}", body=raw, **more)
    return named(raw)


def asked(digest: str, of: Access | None = None) -> tuple[str, ...] | None:
    return Registry(of or access(), lambda: NOW).platforms("commerce/api", digest)


def failure(digest: str) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        asked(digest)
    return caught.value


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        (AMD, "linux/amd64"),
        (ARM, "linux/arm64"),
        ({**ARM, "variant": "v9"}, "linux/arm64/v9"),
        ({"os": "linux", "architecture": "arm", "variant": "v7"}, "linux/arm/v7"),
        ({**AMD, "variant": ""}, "linux/amd64"),
        ({**AMD, "variant": None}, "linux/amd64"),
        ({**AMD, "variant": 7}, None),
        ({"os": "linux"}, None),
        ({"os": "linux", "architecture": ["amd64"]}, None),
        ({"os": "linux\n", "architecture": "amd64"}, None),
        ({"os": "<b>", "architecture": "amd64"}, None),
        ({"os": "l" * 41, "architecture": "amd64"}, None),
        (None, None),
        ([], None),
    ],
)
def test_a_platform_is_named_as_containerd_names_it(described: object, expected: str | None) -> None:
    assert platform(described) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (index(entry(ARM), entry(AMD), entry(AMD)), ("linux/amd64", "linux/arm64")),
        (index(), ()),
        (index(entry(AMD), entry({"os": "unknown", "architecture": "unknown"})), ("linux/amd64",)),
        (index(entry(AMD), entry(None, annotations={ATTESTATION: "attestation-manifest"})), ("linux/amd64",)),
        (index(entry(AMD), entry(ARM, annotations={ATTESTATION: "x"})), ("linux/amd64",)),
        (index(entry(AMD), entry(None)), None),
        (index(entry(AMD), entry({"os": 1, "architecture": {}})), None),
        (index(entry(AMD, annotations=7)), ("linux/amd64",)),
        (manifest("sha256:x"), Config("sha256:x")),
        (manifest("sha256:x", "application/vnd.docker.container.image.v1+json"), Config("sha256:x")),
        (manifest("sha256:x", "application/vnd.cncf.helm.config.v1+json"), None),
        (manifest(7), None),
        (b"{}", None),
        (b'{"config": []}', None),
        (b'{"schemaVersion": 1, "architecture": "amd64"}', None),
    ],
)
def test_a_manifest_tells(raw: bytes, expected: object) -> None:
    assert of_manifest(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff",
        b"[]",
        b"7",
        b"[" * 200_000,
        b'{"manifests": {}}',
        b'{"manifests": [7]}',
        b'{"manifests": [], "config": {}}',
        b'{"manifests": [], "layers": []}',
    ],
)
def test_what_is_no_manifest_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"no JSON object|descriptors|at once"):
        of_manifest(raw)


KEYS = st.sampled_from(["manifests", "config", "layers", "mediaType", "digest", "platform", "os", "architecture"])
HOSTILE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just(CONFIG),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(HOSTILE)
def test_whatever_a_registry_sends_is_read_or_refused(value: object) -> None:
    raw = json.dumps(value).encode()
    for read in (of_manifest, of_config):
        with suppress(ValueError):
            read(raw)


def test_an_index_is_asked_for_once(web: responses.RequestsMock) -> None:
    digest = serve(web, index(entry(AMD), entry(ARM)))
    assert asked(digest) == ("linux/amd64", "linux/arm64")
    assert INDEX in (web.calls[0].request.headers["Accept"] or "")


def test_an_image_for_one_platform_says_so_in_its_configuration(web: responses.RequestsMock) -> None:
    config = serve(web, json.dumps({**ARM, "config": {}, "rootfs": {}}).encode(), "blobs")
    assert asked(serve(web, manifest(config))) == ("linux/arm64",)


def test_a_registry_asks_once_who_we_are(web: responses.RequestsMock) -> None:
    """A rate limit counts each 401."""
    config = json.dumps(AMD).encode()
    raw = manifest(named(config))
    web.get(f"{HOST}/v2/commerce/api/manifests/{named(raw)}", status=401, headers=BEARER)
    serve(web, raw)
    serve(web, config, "blobs")
    web.get(TOKENS, json={"token": "t"})
    assert asked(named(raw)) == ("linux/amd64",)
    assert [told for _, _, told in sent(web)] == [None, None, "Bearer t", "Bearer t"]


def test_a_password_goes_with_both_requests(web: responses.RequestsMock) -> None:
    config = serve(web, json.dumps(AMD).encode(), "blobs")
    raw = manifest(config)
    web.get(f"{HOST}/v2/commerce/api/manifests/{named(raw)}", status=401, headers=BASIC)
    serve(web, raw)
    assert asked(named(raw), access(login=True)) == ("linux/amd64",)
    assert [told for _, _, told in sent(web)] == [None, SECRET, SECRET]


@pytest.mark.parametrize("status", [301, 302, 307, 308, 404])
def test_S11_a_configuration_kept_elsewhere_is_not_followed_and_no_error(
    web: responses.RequestsMock, status: int
) -> None:
    config = b"{}"
    url = f"{HOST}/v2/commerce/api/blobs/{named(config)}"
    web.get(url, status=status, headers={"Location": "https://storage.example.net/blob"})
    assert asked(serve(web, manifest(named(config)))) is None
    assert len(web.calls) == 2


def test_a_manifest_that_is_not_there_tells_nothing(web: responses.RequestsMock) -> None:
    web.get(f"{HOST}/v2/commerce/api/manifests/{named(b'')}", status=404)
    assert asked(named(b"")) is None


@pytest.mark.parametrize(
    ("status", "kind"), [(307, Permanent), (401, Permanent), (403, Permanent), (429, RateLimited), (503, Transient)]
)
@pytest.mark.parametrize("at", ["manifests", "blobs"])
def test_a_registry_that_fails(web: responses.RequestsMock, at: str, status: int, kind: type[OutsideError]) -> None:
    if at == "blobs" and status == 307:
        pytest.skip("a blob may stand elsewhere")
    raw = manifest(named(b"{}")) if at == "blobs" else b"{}"
    if at == "blobs":
        serve(web, raw)
    headers = {"Location": "https://evil.example.net/", "WWW-Authenticate": "Negotiate x"}
    web.get(f"{HOST}/v2/commerce/api/{at}/{named(b'{}')}", status=status, headers=headers)
    assert type(failure(named(raw))) is kind


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_content_is_believed_only_where_its_digest_is_the_one_asked_for(
    web: responses.RequestsMock, algorithm: str
) -> None:
    raw = index(entry(AMD))
    right = f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"
    web.get(f"{HOST}/v2/commerce/api/manifests/{right}", body=raw)
    assert asked(right) == ("linux/amd64",)
    other = named(b"other")
    web.get(f"{HOST}/v2/commerce/api/manifests/{other}", body=raw)
    told = failure(other)
    assert isinstance(told, Permanent) and "its digest is another" in told.cause


def test_a_configuration_is_believed_only_by_its_digest_too(web: responses.RequestsMock) -> None:
    web.get(f"{HOST}/v2/commerce/api/blobs/{named(b'{}')}", body=json.dumps(AMD))
    assert "its digest is another" in failure(serve(web, manifest(named(b"{}")))).cause


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"[" * 100_000, "no JSON object"),
        (b'{"manifests": [], "config": {}}', "at once"),
        (b" " * (4 * 1024 * 1024 + 1), "longer than 4 MiB"),
        (manifest("../../../v2/_catalog"), "no repository and digest"),
        (manifest("latest"), "no repository and digest"),
    ],
)
def test_S11_a_hostile_manifest_ends_in_an_error(web: responses.RequestsMock, raw: bytes, words: str) -> None:
    told = failure(serve(web, raw))
    assert isinstance(told, Permanent) and words in told.cause
    assert len(web.calls) == 1


@pytest.mark.parametrize(("repository", "digest"), [("../admin", named(b"")), ("commerce/api", "latest")])
def test_S11_what_is_no_name_or_digest_is_not_asked_for(
    web: responses.RequestsMock, repository: str, digest: str
) -> None:
    with pytest.raises(Permanent, match="no repository and digest"):
        Registry(access(), lambda: NOW).platforms(repository, digest)
    assert len(web.calls) == 0


def test_the_registry_of_an_image_is_asked_by_the_name_without_the_host(web: responses.RequestsMock) -> None:
    by_images: Mapping[str, Registry] = {
        "registry.example.com/": Registry(Access("main", HOST), lambda: datetime(2026, 3, 2, tzinfo=UTC))
    }
    digest = serve(web, index(entry(AMD)))
    assert Registries(by_images).platforms("registry.example.com/commerce/api", digest) == ("linux/amd64",)
    assert Registries(by_images).platforms("nginx", digest) is None
