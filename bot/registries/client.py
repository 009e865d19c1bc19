"""One registry: whether it still has an image, and what that is built for (OCI distribution specification 1.1)."""

import hashlib
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.errors import Permanent
from bot.registries import platforms
from bot.registries.access import Access
from bot.registries.failures import LOOK_UP, refused
from bot.registries.session import Session
from policies.wording.quote import one_line

REMEMBERED = timedelta(seconds=60)

NAME = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*)*")
"""A repository's name (specification, "Pulling manifests"): nothing of it leads out of `/v2/`."""

DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
"""The digests that the image specification registers; so a tag is never taken for one."""

MANIFESTS = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
    "application/vnd.docker.distribution.manifest.v1+json",
)
"""All that a manifest may be: a registry may deny one whose type is not accepted."""

LARGEST = 4 * 1024 * 1024
"""Bytes of a manifest or configuration (specification, "Pushing manifests": registries take at least so many)."""


class Registry:
    """One registry. That an image is there is remembered for a minute; that it is not, never."""

    def __init__(self, access: Access, clock: Callable[[], datetime]) -> None:
        self._access = access
        self._clock = clock
        # Replaced, never changed, so that threads need no lock.
        self._found: dict[tuple[str, str], datetime] = {}

    def exists(self, repository: str, digest: str) -> bool:
        """Whether it has a manifest of this digest; `repository` is without the host.

        Transient, RateLimited or Permanent where it does not say so by 200 or 404."""
        now, key = self._clock(), (repository, digest)
        recent = {known: at for known, at in self._found.items() if timedelta() <= now - at < REMEMBERED}
        if key in recent:
            return True
        found = self._ask(repository, digest, now)
        if found:
            self._found = {**recent, key: now}
        return found

    def platforms(self, repository: str, digest: str) -> tuple[str, ...] | None:
        """What the image is built for, such as `linux/amd64`, sorted; `repository` is without the host.

        None where that cannot be told: it is not there, is no container image, or the registry keeps its configuration
        at another host, for no redirection is followed (S11). Raises what `exists` does, and Permanent for content that
        is not what its digest names."""
        now, subject = self._clock(), self._subject(repository, digest)
        try:
            with Session(self._access, subject, now) as session:
                raw = self._fetch(session, ("manifests", repository, digest))
                told = None if raw is None else platforms.of_manifest(raw)
                if not isinstance(told, platforms.Config):
                    return told
                self._subject(repository, told.digest)
                raw = self._fetch(session, ("blobs", repository, told.digest))
                return None if raw is None else platforms.of_config(raw)
        except ValueError as error:
            raise Permanent(LOOK_UP, subject, f"what the registry sends cannot be read: {error}") from None

    def _fetch(self, session: Session, place: tuple[str, str, str]) -> bytes | None:
        """The content of a digest, proved by it; None where it is not to be had here."""
        kind, repository, digest = place
        accept = ", ".join(MANIFESTS) if kind == "manifests" else "*/*"
        answer = session.get(self._url(*place), accept, repository)
        status = answer.status_code
        if status == 404 or (kind == "blobs" and 300 <= status < 400):
            return None
        if status != 200:
            raise refused(self._subject(repository, digest), "the registry", answer, self._clock())
        raw = session.body(answer, "the registry's answer", LARGEST)
        algorithm, _, wanted = digest.partition(":")
        if hashlib.new(algorithm, raw).hexdigest() != wanted:
            raise ValueError("its digest is another")
        return raw

    def _ask(self, repository: str, digest: str, now: datetime) -> bool:
        subject = self._subject(repository, digest)
        with Session(self._access, subject, now) as session:
            answer = session.head(self._url("manifests", repository, digest), ", ".join(MANIFESTS), repository)
        if answer.status_code not in {200, 404}:
            raise refused(subject, "the registry", answer, now)
        return answer.status_code == 200

    def _subject(self, repository: str, digest: str) -> str:
        """How errors name the image; Permanent for what would lead elsewhere in the registry."""
        subject = one_line(f"{self._access.name}:{repository}@{digest}")
        if not NAME.fullmatch(repository) or not DIGEST.fullmatch(digest):
            raise Permanent(LOOK_UP, subject, "that is no repository and digest that a registry can have")
        return subject

    def _url(self, kind: str, repository: str, digest: str) -> str:
        return f"{self._access.url.rstrip('/')}/v2/{repository}/{kind}/{digest}"
