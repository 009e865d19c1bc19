"""Where everything is: the targets of a repository by service, kept from one commit to the next."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.formats import Format, Refused
from bot.git import Mirror
from policies import layout
from policies.config import Services
from policies.model import Pin, Target, Trouble

MOST_BLOBS = 500_000
"""Parsed files remembered per process: three pins of each take about 0.5 KB."""

Parsed = tuple[Pin, ...] | Trouble


class Blobs:
    """What the files of one repository pin, remembered by blob id: content never changes under its id."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Parsed] = {}

    def pins(self, mirror: Mirror, format_: Format, name: str, blob: str) -> Parsed:
        """The pins of a blob, or why it cannot be read (the path is left to the caller)."""
        key = (name, blob)
        if key not in self._known:
            if len(self._known) >= MOST_BLOBS:
                self._known.clear()
            self._known[key] = _parse(format_, mirror.blob(blob))
        return self._known[key]


def _parse(format_: Format, text: bytes) -> Parsed:
    try:
        return format_.pins(text)
    except Refused as refused:
        return Trouble("", refused.line, refused.reason)


@dataclass(frozen=True)
class Inventory:
    """The files that fit the path template at one commit: path to blob, and service to its paths."""

    commit: str
    services: Services
    files: Mapping[str, str]
    by_service: Mapping[str, tuple[str, ...]]

    def captured(self, path: str) -> dict[str, str]:
        """What the template captured from one of its paths."""
        return layout.capture(self.services.path, path) or {}

    def wanted(self, repository: str) -> bool:
        """Whether policy speaks of this image at all."""
        return not self.services.registries or repository.startswith(self.services.registries)

    def targets(self, path: str, parsed: tuple[Pin, ...]) -> tuple[Target, ...]:
        """The targets in one file."""
        captured = self.captured(path)
        return tuple(Target(path, pin, captured["service"], captured) for pin in parsed if self.wanted(pin.repository))


def first(mirror: Mirror, commit: str, services: Services) -> Inventory:
    """The inventory of a commit from nothing: one walk over all its files."""
    files = {path: blob for path, blob in mirror.files(commit) if layout.capture(services.path, path) is not None}
    return _of(commit, services, files)


def following(mirror: Mirror, earlier: Inventory, commit: str) -> Inventory:
    """The inventory of a commit from that of another: only what differs is read."""
    changed = [path for path in mirror.changed(earlier.commit, commit) if layout.capture(earlier.services.path, path)]
    if not changed:
        return Inventory(commit, earlier.services, earlier.files, earlier.by_service)
    files = dict(earlier.files)
    for path in changed:
        blob = mirror.blob_id(commit, path)
        if blob is None:
            files.pop(path, None)
        else:
            files[path] = blob
    return _of(commit, earlier.services, files)


def _of(commit: str, services: Services, files: dict[str, str]) -> Inventory:
    by_service: dict[str, list[str]] = {}
    for path in sorted(files):
        captured = layout.capture(services.path, path)
        if captured is not None:
            by_service.setdefault(captured["service"], []).append(path)
    return Inventory(commit, services, files, {name: tuple(paths) for name, paths in by_service.items()})


class Inventories:
    """The newest inventory of one repository, and what its blobs pin."""

    def __init__(self, blobs: Blobs | None = None) -> None:
        self._lock = threading.Lock()
        self._newest: Inventory | None = None
        self.blobs = blobs or Blobs()

    def at(self, mirror: Mirror, commit: str, services: Services) -> Inventory:
        """The inventory of a commit, from the newest known where the template is the same."""
        with self._lock:
            known = self._newest
            if known is None or known.services != services:
                known = first(mirror, commit, services)
            elif known.commit != commit:
                known = following(mirror, known, commit)
            self._newest = known
            return known

    def services_pinning(
        self, mirror: Mirror, inventory: Inventory, format_: Format, repositories: Iterable[str]
    ) -> tuple[str, ...]:
        """The services that pin one of these images anywhere; the first call of a process parses every file."""
        wanted = frozenset(repositories)
        return tuple(
            service
            for service, paths in inventory.by_service.items()
            if wanted & self.images(mirror, inventory, format_, paths)
        )

    def images(self, mirror: Mirror, inventory: Inventory, format_: Format, paths: Iterable[str]) -> frozenset[str]:
        """The image repositories that these files pin, as far as they can be read."""
        name = inventory.services.format
        parsed = (self.blobs.pins(mirror, format_, name, inventory.files[path]) for path in paths)
        return frozenset(
            pin.repository
            for pins in parsed
            if not isinstance(pins, Trouble)
            for pin in pins
            if inventory.wanted(pin.repository)
        )
