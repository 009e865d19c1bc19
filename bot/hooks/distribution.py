"""Notifications of a registry built on CNCF Distribution (also GitLab's own registry, self-managed).

The envelope and its fields: distribution.github.io/distribution/about/notifications. A push by tag is an event for each
blob, for each platform's manifest (untagged), and for the index or manifest that the tag names: only the last counts.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError

from bot.hooks import fields, signatures
from bot.hooks.events import Event, Ignored, ImagePublished, Malformed, Unverified
from bot.hooks.signatures import Credentials
from policies.wording.quote import one_line

MANIFEST = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    }
)
INDEX = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
IMAGE_CONFIG = frozenset(
    {
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.docker.container.image.v1+json",
    }
)
"""What tells an image from a chart or another artifact, where the registry sends references at all."""

ATTACHED = re.compile(r"sha256-[0-9a-f]{64}(\.(sig|att|sbom))?")
"""Tags of cosign, and of the referrers that an older registry cannot list (OCI distribution specification 1.1)."""
_OTHER_DIGEST = re.compile(r"(?!sha256:)[a-z0-9]+([+._-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,}")
_MOST = 1000
_RAW_KEPT = 2000


class _Reference(fields.Payload):
    media_type: str | None = Field(default=None, alias="mediaType")


class _Target(fields.Payload):
    media_type: str | None = Field(default=None, alias="mediaType")
    repository: str = ""
    digest: str = ""
    tag: str | None = None
    references: tuple[_Reference, ...] | None = None


class _Notification(fields.Payload):
    id: str | None = None
    action: str = ""
    timestamp: AwareDatetime | None = None
    target: _Target


class _Envelope(fields.Payload):
    events: Annotated[tuple[object, ...], Field(max_length=_MOST)] | None
    """Each is understood on its own: one that is not must not take the others with it."""


@dataclass(frozen=True, slots=True)
class Bad:
    """An event that cannot be understood, and its JSON, cut."""

    malformed: Malformed
    raw: str


class PartlyMalformed(Malformed):
    """Some events of an envelope cannot be understood, `bad`; the others are in `understood`, which may be empty."""

    def __init__(self, understood: tuple[Event, ...], bad: tuple[Bad, ...]) -> None:
        super().__init__(bad[0].malformed.field, bad[0].malformed.message)
        self.understood = understood
        self.bad = bad


class _Named(fields.Payload):
    id: str


class _Names(fields.Payload):
    events: tuple[_Named, ...]


def verify(headers: Mapping[str, str], _body: bytes, credentials: Credentials, _now: datetime) -> None:
    """Unverified unless `Authorization` is `Bearer <secret>`, or the secret alone: the registry signs nothing."""
    given = signatures.required(headers, "Authorization")
    right = tuple(text for secret in credentials.secrets if secret for text in (f"Bearer {secret}", secret))
    if not signatures.same_secret(given, right):
        raise Unverified("Authorization is not any configured secret")


def delivery(_headers: Mapping[str, str], body: bytes) -> str:
    """The ids of the envelope's events, which stay the same when the registry tries again; else the body's hash."""
    try:
        ids = tuple(event.id for event in _Names.model_validate_json(body).events)
    except ValidationError:
        return signatures.body_hash(body)
    return signatures.delivery_id(*ids) if ids and all(ids) else signatures.body_hash(body)


def parse(_headers: Mapping[str, str], body: bytes, registry: str = "") -> tuple[Event, ...]:
    """One event for each notification; `registry` is the host that stands before the repository in values files.

    PartlyMalformed where some of them cannot be understood: it carries the others."""
    envelope = fields.read(_Envelope, body)
    if not envelope.events:
        return (Ignored("an envelope without events"),)
    understood: list[Event] = []
    bad: list[Bad] = []
    for place, raw in enumerate(envelope.events):
        try:
            understood.append(_understood(_read(raw, f"events.{place}"), registry, f"events.{place}"))
        except Malformed as malformed:
            bad.append(Bad(malformed, json.dumps(raw)[:_RAW_KEPT]))
    if bad:
        raise PartlyMalformed(tuple(understood), tuple(bad))
    return tuple(understood)


def _read(raw: object, place: str) -> _Notification:
    try:
        return _Notification.model_validate(raw)
    except ValidationError as error:
        # Without its cause, which repeats the whole input.
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join((place, *(str(part) for part in first["loc"])))
        raise Malformed(one_line(where)[:80], fields.told(first)) from None


def _understood(event: _Notification, registry: str, place: str) -> Event:
    uninteresting = _uninteresting(event)
    if uninteresting:
        return Ignored(uninteresting)
    target = event.target
    name = f"{registry}/{target.repository}" if registry else target.repository
    return ImagePublished(
        repository=checked(fields.repository, name, f"{place}.target.repository"),
        digest=checked(fields.digest, target.digest, f"{place}.target.digest"),
        tag=checked(fields.tag, target.tag or "", f"{place}.target.tag"),
        created=pushed(event.timestamp),
    )


def _uninteresting(event: _Notification) -> str | None:
    target = event.target
    if event.action != "push":
        return f"action {one_line(event.action)[:40] or 'unnamed'}: only a push publishes an image"
    if target.media_type not in MANIFEST | INDEX:
        return f"a push of {one_line(target.media_type or 'something unnamed')[:80]}, which is no manifest or index"
    if not target.tag:
        return "untagged: a platform's manifest of an index, or a push by digest"
    if ATTACHED.fullmatch(target.tag):
        return "a signature, attestation or other attachment of an image"
    if target.media_type in MANIFEST and not _image(target.references or ()):
        return "not an image: its configuration is of another media type, such as a Helm chart's"
    if _OTHER_DIGEST.fullmatch(target.digest):
        return "its digest is not sha256, the only algorithm that Towpath moves"
    return None


def _image(references: tuple[_Reference, ...]) -> bool:
    return not references or any(reference.media_type in IMAGE_CONFIG for reference in references)


def pushed(time: datetime | None) -> datetime | None:
    """The time in UTC; None where it is no time of this age."""
    try:
        return fields.moment(time) if time is not None else None
    except ValueError:
        return None  # Go's zero time: the registry did not say when.


def checked(check: Callable[[str], str], text: str, place: str) -> str:
    """The text that passed the check; Malformed names the place where it is missing or does not."""
    if not text:
        raise Malformed(place, "is missing")
    try:
        return check(text)
    except ValueError as error:
        raise Malformed(place, str(error)) from None
