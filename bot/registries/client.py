"""One registry: whether it still has an image (OCI distribution specification 1.1, "Checking if content exists")."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.errors import Permanent
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

    def _ask(self, repository: str, digest: str, now: datetime) -> bool:
        subject = one_line(f"{self._access.name}:{repository}@{digest}")
        if not NAME.fullmatch(repository) or not DIGEST.fullmatch(digest):
            raise Permanent(LOOK_UP, subject, "that is no repository and digest that a registry can have")
        url = f"{self._access.url.rstrip('/')}/v2/{repository}/manifests/{digest}"
        with Session(self._access, subject, now) as session:
            answer = session.head(url, ", ".join(MANIFESTS), repository)
        if answer.status_code not in {200, 404}:
            raise refused(subject, "the registry", answer, now)
        return answer.status_code == 200
