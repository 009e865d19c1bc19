"""Images that GitHub announces: what they are called where they are pulled, and which announcements are none."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from bot.hooks import ghcr, github
from bot.hooks.events import Event, Ignored, ImagePublished, Malformed

DIGEST = f"sha256:{'a' * 64}"
OTHER = f"sha256:{'b' * 64}"
CONFIG = "application/vnd.oci.image.config.v1+json"
Part = dict[str, object]


def container(tag: object = "v1.2.3", digest: object = DIGEST, config: object = CONFIG) -> Part:
    return {
        "tag": {"name": tag, "digest": digest},
        "manifest": {"digest": digest, "config": {"media_type": config}},
    }


def version(metadata: object, **more: object) -> Part:
    return {"version": DIGEST, "created_at": "2026-03-01T10:00:00Z", "container_metadata": metadata, **more}


def package(metadata: object, **more: object) -> Part:
    """As an organization's: capitals in its names, small letters where it is pulled."""
    return {
        "name": "API",
        "namespace": "Acme",
        "package_type": "CONTAINER",
        "owner": {"login": "Somebody"},
        "package_version": version(metadata),
        **more,
    }


def parsed(of: object, action: str = "published", event: str = "package", registry: str = "", **more: object) -> Event:
    body = json.dumps({"action": action, event: of, **more}).encode()
    (only,) = ghcr.parse({"x-github-event": event}, body, registry)
    return only


def image(of: object, registry: str = "", repository: object = None) -> ImagePublished:
    event = parsed(of, registry=registry, repository=repository)
    assert isinstance(event, ImagePublished), event
    return event


def reason(of: object, action: str = "published") -> str:
    event = parsed(of, action)
    assert isinstance(event, Ignored), event
    return event.reason


@pytest.mark.parametrize("event", ["package", "registry_package"])
@pytest.mark.parametrize("action", ["published", "updated", "create"])
@pytest.mark.parametrize("kind", ["CONTAINER", "container", "docker", "Docker"])
def test_a_published_image(event: str, action: str, kind: str) -> None:
    of = package(container(), package_type=kind)
    repository = {"html_url": "https://github.com/Acme/api"}
    assert parsed(of, action, event, repository=repository) == ImagePublished(
        "ghcr.io/acme/api",
        DIGEST,
        "v1.2.3",
        source="https://github.com/Acme/api",
        created=datetime(2026, 3, 1, 10, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("more", "registry", "expected"),
    [
        ({}, "containers.github.example.com", "containers.github.example.com/acme/api"),
        ({"namespace": None}, "", "ghcr.io/somebody/api"),
        ({"namespace": "", "name": "Web/Front"}, "", "ghcr.io/somebody/web/front"),
    ],
)
def test_the_repository_is_written_as_it_is_pulled(more: Part, registry: str, expected: str) -> None:
    assert image(package(container(), **more), registry).repository == expected


@pytest.mark.parametrize(
    ("of", "field"),
    [
        (package(container(), name=None), "package.name"),
        (package(container(), namespace=None, owner=None), "package.namespace"),
        (package(container(), name="a b"), "package.name"),
        (package(container(tag="no tag")), "package.package_version.container_metadata.tag.name"),
        (package(container(tag=5)), "package.package_version.container_metadata.tag.name"),
        (None, "package"),
    ],
)
def test_malformed_says_which_field_is_wrong(of: object, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        parsed(of)
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("manifest", "named", "expected"),
    [
        (OTHER, DIGEST, OTHER),
        (None, DIGEST, DIGEST),
        ("", DIGEST, DIGEST),
        (f"sha256:{'c' * 40}", DIGEST, DIGEST),
        (OTHER, "1.2.3", OTHER),
    ],
)
def test_the_digest_is_the_manifests_else_the_versions(manifest: object, named: str, expected: str) -> None:
    of = package(None, package_version=version(container(digest=manifest), version=named))
    assert image(of).digest == expected


@pytest.mark.parametrize("wrong", [None, "", "1.2.3", "a" * 64, DIGEST.upper(), f"sha256:{'a' * 40}", f"{DIGEST}\n"])
def test_without_a_valid_digest_it_is_ignored(wrong: object) -> None:
    of = package(None, package_version=version(container(digest=wrong), version=wrong))
    assert "no digest" in reason(of)


@pytest.mark.parametrize(
    ("of", "says"),
    [
        (package(container(tag="")), "untagged"),
        (package(container(tag=None)), "untagged"),
        (package(None), "untagged"),
        (package({"tag": None}), "untagged"),
        (package({}, package_version=None), "untagged"),
        (package(container(tag=f"sha256-{'a' * 64}.sig")), "signature"),
        (package(container(tag=f"sha256-{'a' * 64}.att")), "signature"),
        (package(container(tag=f"sha256-{'a' * 64}.sbom")), "signature"),
        (package(container(tag=f"sha256-{'a' * 64}")), "signature"),
        (package(container(config="application/vnd.cncf.helm.config.v1+json")), "Helm"),
        (package(container(), package_type="npm"), "type npm"),
        (package(container(), package_type=None), "type unnamed"),
    ],
)
def test_what_is_no_image_is_ignored_with_the_reason(of: Part, says: str) -> None:
    assert says in reason(of)


@pytest.mark.parametrize("action", ["deleted", "", "PUBLISHED"])
def test_only_what_publishes_counts(action: str) -> None:
    assert "publishes no image" in reason(package(container()), action)


@pytest.mark.parametrize("config", ["", None])
def test_an_index_has_no_configuration(config: object) -> None:
    assert image(package(container(config=config))).tag == "v1.2.3"


def test_gos_zero_time_says_nothing() -> None:
    of = package(None, package_version=version(container(), created_at="0001-01-01T00:00:00Z"))
    assert image(of).created is None


@pytest.mark.parametrize("repository", [None, {}, {"html_url": None}, {"html_url": "javascript:alert(1)"}, "acme/api"])
def test_S11_an_image_without_a_link_that_is_safe_to_show_has_none(repository: object) -> None:
    assert image(package(container()), repository=repository).source is None


@pytest.mark.parametrize(("event", "says"), [("ping", "reaches Towpath"), ("push", "push events announce no image")])
def test_other_events_announce_no_image(event: str, says: str) -> None:
    (ignored,) = ghcr.parse({"x-github-event": event}, b"{}")
    assert isinstance(ignored, Ignored) and says in ignored.reason


def test_a_form_is_read_as_githubs_other_hooks_are() -> None:
    headers: Mapping[str, str] = {
        "x-github-event": "package",
        "content-type": "application/x-www-form-urlencoded",
    }
    body = b"payload=" + json.dumps({"action": "deleted", "package": {}}).encode().replace(b" ", b"+")
    (ignored,) = ghcr.parse(headers, body)
    assert isinstance(ignored, Ignored)


def test_it_is_verified_and_known_again_as_githubs_other_hooks_are() -> None:
    assert ghcr.verify is github.verify
    assert ghcr.delivery({"x-github-delivery": "one"}, b"{}") == github.delivery({}, b"{}")
