"""What an image is built for, as its manifest or configuration says (OCI image specification 1.1)."""

import json
import re
from dataclasses import dataclass

ATTESTATION = "vnd.docker.reference.type"
"""The annotation of manifests that BuildKit puts beside the images of an index: they say of an image, and are none."""
_UNKNOWN = "unknown/unknown"
_WORD = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")
_CONFIGS = {"application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"}


@dataclass(frozen=True, slots=True)
class Config:
    """Where the configuration of an image for one platform stands: the digest of a blob, as the manifest writes it."""

    digest: str


def of_manifest(raw: bytes) -> tuple[str, ...] | Config | None:
    """The platforms of an index, sorted; of a manifest where to ask further; None where it does not tell.

    ValueError where it is no manifest, or both kinds at once (CVE-2021-41190: whoever reads it would choose)."""
    found = _object(raw)
    if "manifests" in found and ("config" in found or "layers" in found):
        raise ValueError("its manifest is an index and an image at once")
    if "manifests" in found:
        return _of_index(found["manifests"])
    config = found.get("config")
    if not isinstance(config, dict) or config.get("mediaType") not in _CONFIGS:
        return None
    digest = config.get("digest")
    return Config(digest) if isinstance(digest, str) else None


def of_config(raw: bytes) -> tuple[str, ...] | None:
    """The one platform that an image's configuration names; ValueError where it is none."""
    found = platform(_object(raw))
    return None if found is None else (found,)


def platform(described: object) -> str | None:
    """`os/architecture[/variant]`, as containerd writes it: the variant v8 of arm64 is every arm64's; None: no such.

    The rule is `platforms.Normalize` of github.com/containerd/platforms."""
    if not isinstance(described, dict):
        return None
    words = [described.get("os"), described.get("architecture"), described.get("variant") or None]
    if words[1:] == ["arm64", "v8"]:
        words.pop()
    given = words if words[-1] is not None else words[:2]
    texts = [word for word in given if isinstance(word, str) and _WORD.fullmatch(word)]
    return "/".join(texts) if len(texts) == len(given) else None


def _of_index(manifests: object) -> tuple[str, ...] | None:
    """What the images of an index are for; one that does not say so could be for anything."""
    if not isinstance(manifests, list) or not all(isinstance(entry, dict) for entry in manifests):
        raise ValueError("its index holds no list of descriptors")
    found = [platform(entry.get("platform")) for entry in manifests if not _attests(entry)]
    told = {name for name in found if name is not None}
    return None if None in found else tuple(sorted(told))


def _attests(entry: dict[str, object]) -> bool:
    notes = entry.get("annotations")
    marked = isinstance(notes, dict) and ATTESTATION in notes
    return marked or platform(entry.get("platform")) == _UNKNOWN


def _object(raw: bytes) -> dict[str, object]:
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 # a fault of the text, not of an argument
    return found
