"""GitHub's container registry, ghcr.io: it tells GitHub's hooks of its images, repositories' as `package` events, an
App's as `registry_package`. Signed and named as in bot/hooks/github.py.

Images built for several platforms come as an event for each platform (untagged) and one for the index: that one counts.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AliasPath, AwareDatetime, Field

from bot.hooks import distribution, fields, github
from bot.hooks.events import Event, Ignored, ImagePublished, Malformed
from policies.model import DIGEST
from policies.wording.quote import one_line

REGISTRY = "ghcr.io"
ACTIONS = frozenset({"published", "updated", "create"})
TYPES = frozenset({"container", "docker"})
"""`package_type`, in small letters; GitHub writes it in either."""


_VERSION = "package_version"
_CONTAINER = (_VERSION, "container_metadata")

Owner = Annotated[str | None, Field(validation_alias=AliasPath("owner", "login"))]
Version = Annotated[str | None, Field(validation_alias=AliasPath(_VERSION, "version"))]
Created = Annotated[AwareDatetime | None, Field(validation_alias=AliasPath(_VERSION, "created_at"))]
Tag = Annotated[str | None, Field(validation_alias=AliasPath(*_CONTAINER, "tag", "name"))]
Digest = Annotated[str | None, Field(validation_alias=AliasPath(*_CONTAINER, "manifest", "digest"))]
Config = Annotated[str | None, Field(validation_alias=AliasPath(*_CONTAINER, "manifest", "config", "media_type"))]
Source = Annotated[str | None, Field(validation_alias=AliasPath("repository", "html_url"))]


class _Package(fields.Payload):
    """Flat, because any part on the way to a field may be null, in what GitHub sends too."""

    name: str | None = None
    namespace: str | None = None
    owner: Owner = None
    package_type: str | None = None
    version: Version = None
    created: Created = None
    tag: Tag = None
    digest: Digest = None
    config: Config = None
    """The media type of the configuration; empty for an index, which has none."""


class _Event(fields.Payload):
    action: str | None = None
    package: _Package | None = None
    registry_package: _Package | None = None
    source: Source = None


verify = github.verify
delivery = github.delivery
"""As of any of GitHub's hooks."""


def parse(headers: Mapping[str, str], body: bytes, registry: str = "") -> tuple[Event, ...]:
    """The one image that was published; `registry` is the host where it is not ghcr.io, as with GitHub Enterprise."""
    kind, content = github.opened(headers, body)
    if kind == "ping":
        return (Ignored("a ping: GitHub reaches Towpath, and no image was published"),)
    if kind not in {"package", "registry_package"}:
        return (Ignored(f"{one_line(kind)[:60]} events announce no image"),)
    event = fields.read(_Event, content)
    package = event.package or event.registry_package
    if package is None:
        raise Malformed(kind, "is missing")
    return (_understood(event, package, kind, registry or REGISTRY),)


def _understood(event: _Event, package: _Package, kind: str, registry: str) -> Event:
    uninteresting = _uninteresting(event.action or "", package)
    if uninteresting:
        return Ignored(uninteresting)
    digest = _digest(package)
    if digest is None:
        return Ignored("no digest: neither its manifest nor its version is sha256: and 64 hex digits")
    return ImagePublished(
        repository=_repository(package, kind, registry),
        digest=digest,
        tag=distribution.checked(fields.tag, package.tag or "", f"{kind}.package_version.container_metadata.tag.name"),
        source=_shown(event.source),
        created=distribution.pushed(package.created),
    )


def _uninteresting(action: str, package: _Package) -> str | None:
    if action not in ACTIONS:
        return f"action {one_line(action)[:40] or 'unnamed'} publishes no image"
    if (package.package_type or "").lower() not in TYPES:
        return (
            f"a package of type {one_line(package.package_type or '')[:40] or 'unnamed'}, which is no container image"
        )
    if not package.tag:
        return "untagged: a platform's manifest of an index, or a push by digest"
    if distribution.ATTACHED.fullmatch(package.tag):
        return "a signature, attestation or other attachment of an image"
    if package.config and package.config not in distribution.IMAGE_CONFIG:
        return "not an image: its configuration is of another media type, such as a Helm chart's"
    return None


def _digest(package: _Package) -> str | None:
    """The manifest's; a version is named by the same digest, except in what came from the registry before ghcr.io."""
    return next((text for text in (package.digest, package.version) if text and DIGEST.match(text)), None)


def _repository(package: _Package, kind: str, registry: str) -> str:
    """In small letters, as images are pulled: GitHub's own names keep their capitals."""
    namespace = package.namespace or package.owner
    if not namespace:
        raise Malformed(f"{kind}.namespace", "is missing")
    if not package.name:
        raise Malformed(f"{kind}.name", "is missing")
    name = f"{registry}/{namespace.lower()}/{package.name.lower()}"
    return distribution.checked(fields.repository, name, f"{kind}.name")


def _shown(address: str | None) -> str | None:
    try:
        return fields.address(address) if address else None
    except ValueError:
        return None  # An image is worth more than a link to where it came from.
