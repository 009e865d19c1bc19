"""A small world for tests: a config repository, a forge in process, sightings and memory in dictionaries."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.formats import FORMATS
from bot.git import Identity, Mirror
from policies.model import Check, CheckState, Image, MergeRequest, Sighting
from policies.sightings import announced, united
from tests.flows.direct import DirectForge
from workers.execute import Hands
from workers.observe.context import Context
from workers.reconcile import Reconciled, reconcile

HOST = "registry.example.com/commerce"
POLICY = f"""\
version: 1
services:
  path: environments/{{environment}}/{{cluster}}/{{service}}/values.yaml
  registries: [{HOST}/]
stages:
  - name: nonprod
    where: {{environment: nonprod}}
    merge: auto
    checks: optional
  - name: prod
    where: {{environment: prod}}
    after: [nonprod]
    merge: manual
    checks: optional
"""


def digest(name: str) -> str:
    """A digest that is the same for the same name."""
    return f"sha256:{hashlib.sha256(name.encode()).hexdigest()}"


def values(image: str = "api", tag: str = "v1", of: str | None = None) -> str:
    """A values file that pins one image."""
    return f"# kept\nimage:\n  repository: {HOST}/{image}\n  tag: {tag}  # kept\n  digest: {digest(of or tag)}\n"


class DictMemory:
    """Memory without Redis."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def get(self, key: str) -> str | None:
        return self.texts.get(key)

    def set(self, key: str, value: str, seconds: int) -> None:
        self.texts[key] = value

    def delete(self, key: str) -> None:
        self.texts.pop(key, None)


@dataclass
class Scene:
    """One config repository with one service; `settle` reconciles until nothing moves."""

    folder: Path
    policy: str = POLICY
    files: Mapping[str, str | None] = field(
        default_factory=lambda: {
            "environments/nonprod/one/shop/values.yaml": values(),
            "environments/prod/one/shop/values.yaml": values(),
        }
    )
    published: list[Sighting] = field(default_factory=list)
    unit: str = "shop"

    def __post_init__(self) -> None:
        self.forge = DirectForge(self.folder / "forge.git")
        self.forge.commit_as({"towpath.yaml": self.policy, **self.files})
        self.memory = DictMemory()
        self.fresh_context()

    def fresh_context(self) -> None:
        """As a new process on a new machine: no mirror, no caches."""
        mirrors = self.folder / f"mirror-{len(list(self.folder.iterdir()))}.git"
        self.context = Context(
            forge=self.forge,
            repository="platform/config",
            mirror=Mirror(mirrors, lambda: self.forge.access("")),
            memory=self.memory,
            formats=FORMATS,
            sightings=self._sightings,
            seal_keys=(b"a key of this test",),
        )

    def _sightings(self, repository: str) -> tuple[Sighting, ...]:
        mine = [one for one in self.published if one.image.repository == repository]
        return tuple(sorted(united(mine).values(), key=lambda one: one.seen_at, reverse=True))

    @property
    def hands(self) -> Hands:
        return Hands(Identity("Towpath", "towpath@example.com"), lambda: self.forge.now, lambda: None)

    def publish(
        self, tag: str, image: str = "api", revision: str | None = None, created: datetime | None = None
    ) -> str:
        """An image is announced now (or was built at `created`); returns its digest."""
        self.forge.pass_time()
        found = Image(f"{HOST}/{image}", digest(tag), tag)
        self.published.append(announced(Sighting(found, self.forge.now, (tag,), revision=revision, created=created)))
        return found.digest

    def reconcile(self) -> Reconciled:
        """One reconciliation of the unit."""
        return reconcile(self.context, self.hands, self.unit)

    def settle(self) -> Reconciled:
        """Reconcile until a pass does nothing."""
        for _ in range(10):
            done = self.reconcile()
            if not done.plan.actions:
                return done
            self.forge.pass_time()
        raise AssertionError("does not settle")

    def open_in(self, stage: str) -> MergeRequest | None:
        """The stage's open promotion; there is at most one."""
        found = [one for one in self.forge.opened() if one.source_branch.startswith(f"towpath/p/{stage}/")]
        assert len(found) <= 1
        return found[0] if found else None

    def pins(self, stage: str, cluster: str = "one", service: str = "shop") -> str:
        """The values file of a cluster on the target branch."""
        return self.forge.read(f"environments/{stage}/{cluster}/{service}/values.yaml")

    def report(self, iid: int) -> str:
        """The one report comment of a merge request."""
        notes = self.forge.comments.get(iid, [])
        assert len(notes) == 1
        return notes[0].body


def green(name: str = "validate") -> Check:
    """A successful check of somebody else's."""
    return Check(name, CheckState.success, author_id=7)


def long_ago() -> datetime:
    """Before anything here."""
    return datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1)
