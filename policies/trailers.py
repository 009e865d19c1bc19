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
class Approver:
    """Whose approval counted when Towpath merged; all but the id is empty where nobody wrote it down."""

    id: int
    username: str = ""
    """As it was then; only the id identifies."""
    at: datetime | None = None
    head: str = ""
    """The commit that was approved."""


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
    approvers: tuple[Approver, ...] = ()
    """Of a merge: those whose approvals counted."""
    request: int | None = None
    """Of a merge: the number of its merge request."""
    head: str = ""
    """Of a merge: the head that was merged."""
    gates: tuple[tuple[str, str], ...] = ()
    """Of a merge: each gate, and `pass` or `overridden`."""
    overrides: tuple[str, ...] = ()
    """Of a merge: each override that was in force, as `<gate> by=<id,id> until=<time>`."""
    validation: str = ""
    """Of a merge: the hash of what the validators found."""


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
    lines += [f"Towpath-Approver: {_approver(approver)}" for approver in record.approvers]
    lines += _merge(record)
    if record.cause:
        lines.append(f"Towpath-Cause: {quote(record.cause, safe=_SAFE)}")
    return "\n".join(lines)


def _merge(record: Record) -> list[str]:
    """The lines that a merge alone has."""
    lines = [f"Towpath-Request: {record.request}"] if record.request is not None else []
    lines += [f"Towpath-Head: {quote(record.head, safe=_SAFE)}"] if record.head else []
    lines += [f"Towpath-Gate: {quote(gate, safe=_SAFE)}={quote(how, safe=_SAFE)}" for gate, how in record.gates]
    lines += [f"Towpath-Override: {_spaced(override)}" for override in record.overrides]
    return lines + ([f"Towpath-Validation: {quote(record.validation, safe=_SAFE)}"] if record.validation else [])


def _spaced(text: str) -> str:
    """Percent-encoded, but for `=` and the spaces between words, so that people can read it."""
    words = text.strip(" ")
    before, after = len(text) - len(text.lstrip(" ")), len(text) - len(text.rstrip(" "))
    return f"{'%20' * before}{quote(words, safe=_SAFE + '= ')}{'%20' * after if words else ''}"


def _approver(one: Approver) -> str:
    at = one.at.astimezone(UTC).isoformat() if one.at is not None else ""
    known = [f"at={at}", f"head={quote(one.head, safe=_SAFE)}"] if at or one.head else []
    return " ".join(filter(None, [str(one.id), quote(one.username, safe=_SAFE), *known]))


def sealed(message: str, key: bytes) -> str:
    """The message with a last trailer that only holders of the key can make: who may push cannot invent a sighting."""
    return f"{message.rstrip()}\nTowpath-Seal: {_seal(message, key)}\n"


def _seal(message: str, key: bytes) -> str:
    # Over the trailers alone, because a forge may change the text above them when it squashes or merges.
    lines = [f"{name}: {value.strip()}" for name, value in _LINE.findall(message) if name != "Seal"]
    return hmac.digest(key, "\n".join(lines).encode(), "sha256").hex()


def seal(message: str) -> str:
    """The seal that a message carries, whether anybody's or Towpath's; empty where it has none."""
    return next((value.strip() for name, value in _LINE.findall(message) if name == "Seal"), "")


def unsealed(message: str, keys: Sequence[bytes]) -> Record | None:
    """What a message's trailers say, where one of the keys sealed them; else None: they may be anybody's."""
    return read(message) if is_genuine(message, keys) else None


def is_genuine(message: str, keys: Sequence[bytes]) -> bool:
    """Whether one of the keys sealed the message's trailers."""
    seals = [value.strip() for name, value in _LINE.findall(message) if name == "Seal"]
    return len(seals) == 1 and any(hmac.compare_digest(seals[0].encode(), _seal(message, key).encode()) for key in keys)


def lines(message: str) -> tuple[tuple[str, str], ...]:
    """Each trailer of Towpath's, by its name without the prefix, in order; the seal is one of them."""
    return tuple((name, value.strip()) for name, value in _LINE.findall(message))


def read(message: str) -> Record | None:
    """What a commit message's trailers say; None where they are not a promotion's, or do not hang together."""
    found: dict[str, list[str]] = {}
    for key, value in _LINE.findall(message):
        found.setdefault(key.lower(), []).append(value.strip())
    sightings = tuple(sighting for line in found.get("image", ()) if (sighting := _sighting(line)) is not None)
    release = Release(tuple(sorted((one.image for one in sightings), key=lambda image: image.repository)))
    if not sightings or found.get("release") != [release.name] or not {"unit", "stage"} <= found.keys():
        return None
    return Record(
        unquote(found["unit"][0]),
        found["stage"][0],
        release,
        sightings,
        _number(found.get("supersedes")),
        unquote(found.get("cause", [""])[0]),
        _numbers(found.get("requester", ())),
        tuple(one for line in found.get("approver", ()) if (one := _read_approver(line)) is not None),
        _number(found.get("request")),
        unquote(found.get("head", [""])[0]),
        tuple(_gate(line) for line in found.get("gate", ())),
        tuple(unquote(line) for line in found.get("override", ())),
        unquote(found.get("validation", [""])[0]),
    )


def _read_approver(line: str) -> Approver | None:
    """None where it names no id; one of an older version has nothing but that."""
    number, *words = line.split(" ")
    if not _is_number(number):
        return None
    known = {key: unquote(value) for key, sign, value in (word.partition("=") for word in words) if sign}
    name = next((unquote(word) for word in words if "=" not in word), "")
    at = _time(known.get("at", ""))
    return Approver(int(number), name, None if at == NEVER else at, known.get("head", ""))


def _gate(line: str) -> tuple[str, str]:
    gate, _, how = line.partition("=")
    return unquote(gate), unquote(how)


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
    return tuple(int(line) for line in lines if _is_number(line))


def _number(lines: Sequence[str] | None) -> int | None:
    return int(lines[0]) if lines and _is_number(lines[0]) else None


def _is_number(text: str) -> bool:
    return text.isdecimal() and text.isascii() and len(text) < 20
