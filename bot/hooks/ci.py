"""What CI sends after it pushed an image: Towpath's own JSON, signed over its time and body (docs/events.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from bot.hooks import fields, signatures
from bot.hooks.events import Event, ImagePublished, Unverified
from bot.hooks.signatures import Credentials

SIGNATURE = "X-Towpath-Signature"
TIMESTAMP = "X-Towpath-Timestamp"
SCHEME = "sha256="


def _name(text: str) -> str:
    if not text.isprintable():
        raise ValueError("has a character that cannot be shown")
    return text


LinkName = Annotated[str, StringConstraints(min_length=1, max_length=60), AfterValidator(_name)]


class Published(BaseModel):
    """One image, as CI announces it. An unknown field is refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    repository: fields.Repository
    digest: fields.Digest
    tag: fields.Tag | None = None
    revision: fields.Commit | None = None
    source: fields.Address | None = None
    created: fields.Moment | None = None
    links: Annotated[dict[LinkName, fields.Address], Field(max_length=20)] = Field(default_factory=dict)
    id: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"\A[\x21-\x7e]+\z")] | None = None
    """Names this announcement; the same one again, for the same image, does nothing (R2)."""


class _Name(fields.Payload):
    id: str | None = None
    repository: str = ""
    digest: str = ""
    tag: str | None = None


def sign(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The two headers that prove who sent this body, and when."""
    seconds = str(int(now.timestamp()))
    return {TIMESTAMP: seconds, SIGNATURE: SCHEME + signatures.hexmac(secret, _signed(seconds, body))}


def _signed(seconds: str, body: bytes) -> bytes:
    # The time is signed with the body, so that a message that was overheard is worth nothing five minutes later.
    return seconds.encode() + b"." + body


def verify(headers: Mapping[str, str], body: bytes, credentials: Credentials, now: datetime) -> None:
    """Unverified unless one of the secrets signed this time and body, and the time is now (S2, S3, S4)."""
    given = signatures.required(headers, SIGNATURE)
    seconds = signatures.required(headers, TIMESTAMP)
    if not given.startswith(SCHEME):
        raise Unverified(f"{SIGNATURE} does not begin with {SCHEME}")
    signatures.fresh(seconds, TIMESTAMP, now)
    content = _signed(seconds, body)
    right = tuple(SCHEME + signatures.hexmac(secret, content) for secret in credentials.secrets if secret)
    if not signatures.same_secret(given, right):
        raise Unverified(f"{SIGNATURE} is not this body's at this time by any configured secret")


def delivery(headers: Mapping[str, str], body: bytes) -> str:
    """The announcement's own id, else its Idempotency-Key, with the image; else the body's hash.

    With the image, because a pipeline that publishes three may well name all three by its own number."""
    try:
        name = _Name.model_validate_json(body)
    except ValidationError:
        return signatures.body_hash(body)
    key = name.id or headers.get("idempotency-key")
    if not key:
        return signatures.body_hash(body)
    return signatures.delivery_id(key, name.repository, name.digest, name.tag or "")


def parse(_headers: Mapping[str, str], body: bytes, _registry: str = "") -> tuple[Event, ...]:
    """The one image that was announced; Malformed names the field and the nearest right one."""
    said = fields.read(Published, body)
    image = ImagePublished(
        said.repository, said.digest, said.tag, said.revision, said.source, said.created, dict(said.links)
    )
    return (image,)
