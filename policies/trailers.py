"""Commit trailers: what a promotion's commit remembers of itself, so that Git alone can tell how it came."""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from policies.model import DIGEST, Image, Release, Sighting

_LINE = re.compile(r"^Towpath-([A-Za-z]+): (.+)$", re.MULTILINE)
_SAFE = ":/@+,.-_~"


@dataclass(frozen=True, slots=True)
class Record:
    """What the trailers of one commit say."""

    unit: str
    stage: str
    release: Release
    sightings: tuple[Sighting, ...]
    supersedes: int | None = None
    cause: str = ""
    requesters: tuple[int, ...] = ()
    """Ids of who asked for it by a command (S15)."""
    approvers: tuple[int, ...] = ()
    """Of a merge: ids of those whose approvals counted."""


def write(record: Record) -> str:
    """The trailer block; every value is percent-encoded, so that nobody's text can forge a line (S9)."""
    lines = [
        f"Towpath-Unit: {quote(record.unit, safe=_SAFE)}",
        f"Towpath-Stage: {record.stage}",
        f"Towpath-Release: {record.release.name}",
        *(_image(image, record.sightings) for image in record.release.images),
    ]
    if record.supersedes is not None:
        lines.append(f"Towpath-Supersedes: {record.supersedes}")
    lines += [f"Towpath-Requester: {requester}" for requester in record.requesters]
    lines += [f"Towpath-Approver: {approver}" for approver in record.approvers]
    if record.cause:
        lines.append(f"Towpath-Cause: {quote(record.cause, safe=_SAFE)}")
    return "\n".join(lines)


def sealed(message: str, key: bytes) -> str:
    """The message with a last trailer that only holders of the key can make: who may push cannot invent a sighting."""
    return f"{message.rstrip()}\nTowpath-Seal: {_seal(message, key)}\n"


def _seal(message: str, key: bytes) -> str:
    # Over the trailers alone, because a forge may change the text above them when it squashes or merges.
    lines = [f"{name}: {value.strip()}" for name, value in _LINE.findall(message) if name != "Seal"]
    return hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()


def unsealed(message: str, keys: Sequence[bytes]) -> Record | None:
    """What a message's trailers say, where one of the keys sealed them; else None: they may be anybody's."""
    seals = [value.strip() for name, value in _LINE.findall(message) if name == "Seal"]
    genuine = len(seals) == 1 and any(
        hmac.compare_digest(seals[0].encode(), _seal(message, key).encode()) for key in keys
    )
    return read(message) if genuine else None


def read(message: str) -> Record | None:
    """What a commit message's trailers say; None where they are not a promotion's, or do not hang together."""
    found: dict[str, list[str]] = {}
    for key, value in _LINE.findall(message):
        found.setdefault(key.lower(), []).append(value.strip())
    sightings = tuple(sighting for line in found.get("image", ()) if (sighting := _sighting(line)) is not None)
    release = Release(tuple(sorted((one.image for one in sightings), key=lambda image: image.repository)))
    if not sightings or found.get("release") != [release.name] or not {"unit", "stage"} <= found.keys():
        return None
    supersedes = found.get("supersedes", [""])[0]
    return Record(
        unquote(found["unit"][0]),
        found["stage"][0],
        release,
        sightings,
        int(supersedes) if supersedes.isdecimal() else None,
        unquote(found.get("cause", [""])[0]),
        _numbers(found.get("requester", ())),
        _numbers(found.get("approver", ())),
    )


def _image(image: Image, sightings: tuple[Sighting, ...]) -> str:
    sighting = next((one for one in sightings if one.image == image), None)
    words: dict[str, str] = {"tag": image.tag or ""}
    if sighting is not None:
        words |= {
            "seen": sighting.seen_at.astimezone(UTC).isoformat(),
            "revision": sighting.revision or "",
            "source": sighting.source or "",
        }
    known = [f"{key}={quote(value, safe=_SAFE)}" for key, value in words.items() if value]
    return " ".join([f"Towpath-Image: {quote(image.repository, safe=_SAFE)}@{image.digest}", *known])


def _sighting(line: str) -> Sighting | None:
    reference, *words = line.split(" ")
    repository, _, digest = reference.rpartition("@")
    if not repository or not DIGEST.match(digest):
        return None
    known: Mapping[str, str] = {key: unquote(value) for key, _, value in (word.partition("=") for word in words)}
    tag = known.get("tag")
    revision = known.get("revision")
    return Sighting(
        image=Image(unquote(repository), digest, tag),
        seen_at=_time(known.get("seen", "")),
        tags=(tag,) if tag else (),
        revision=revision,
        revisions=(revision,) if revision else (),
        source=known.get("source"),
    )


NEVER = datetime.min.replace(tzinfo=UTC)
"""The time of a sighting that nobody wrote down."""


def _time(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return NEVER
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _numbers(lines: Sequence[str]) -> tuple[int, ...]:
    return tuple(int(line) for line in lines if line.isdecimal())
