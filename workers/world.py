"""The composition root: settings become adapters, shared by web, workers and the command line."""

import hmac
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from bot.errors import Permanent
from bot.forges import FORGES
from bot.forges.base import Forge
from bot.forges.connection import AppKey, Connection
from bot.formats import FORMATS
from bot.git import Identity, Mirror, OpenPgpSigner, Signer, SshSigner
from bot.memory import Memory
from bot.pending import Pending, Work, connect
from bot.registries import Access, Registries, Registry
from bot.settings import ForgeSettings, RegistrySettings, Settings, SigningSettings
from bot.validators import VALIDATORS, Validator, command
from bot.validators.launching import LIMITS, Launcher
from workers.looking import Kit
from workers.observe.context import Context
from workers.observe.validations import Validating

LOOK = 4 * LIMITS.seconds
"""Seconds that a validator of Towpath's own may take: rendering before and after, then a program on each."""
CHECKOUT = 60.0
"""Seconds for what an operator's validator needs beside its program."""


def utc_now() -> datetime:
    """The wall clock; everything below is handed it, nothing reads it by itself."""
    return datetime.now(UTC)


@dataclass
class World:
    """Everything outside that one process speaks to; contexts are made at first use and kept."""

    settings: Settings
    pending: Pending
    memory: Memory
    clock: Callable[[], datetime] = utc_now
    validators: tuple[Validator, ...] = VALIDATORS
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _contexts: dict[tuple[str, str], Context] = field(default_factory=dict, repr=False)
    _forges: dict[str, Forge] = field(default_factory=dict, repr=False)

    @property
    def identity(self) -> Identity:
        """Who commits."""
        return Identity(self.settings.bot_name, self.settings.bot_email)

    def repositories(self) -> tuple[tuple[str, str], ...]:
        """(forge, repository) of every config repository."""
        return tuple((name, path) for name, forge in self.settings.forges.items() for path in forge.repositories)

    def context(self, forge: str, repository: str) -> Context:
        """The context of one config repository; Permanent where settings name none such."""
        if (forge, repository) not in self.repositories():
            raise Permanent("find", f"{forge}:{repository}", "settings name no such config repository")
        with self._lock:
            key = (forge, repository)
            if key not in self._contexts:
                self._contexts[key] = self._make(forge, repository)
            return self._contexts[key]

    def _make(self, name: str, repository: str) -> Context:
        if name not in self._forges:
            self._forges[name] = _forge(name, self.settings.forges[name])
        forge = self._forges[name]
        folder = self.settings.mirrors / name / f"{repository.replace('/', '=2F')}.git"
        return Context(
            forge=forge,
            repository=repository,
            mirror=Mirror(folder, lambda: forge.access(repository)),
            memory=self.memory,
            formats=FORMATS,
            sightings=self.pending.sightings,
            seal_keys=_seal_keys(self.settings, name, repository),
            signer=_signer(self.settings.signing),
            registries=self.registries,
            validating=Validating(self.looking, self._ask),
            command_prefix=self.settings.command_prefix,
            public_url=self.settings.public_url,
        )

    def _ask(self, work: Work) -> None:
        self.pending.mark([work], self.clock().timestamp(), cause="to be validated")

    @cached_property
    def kit(self) -> Kit:
        """What validators look with in this process."""
        launcher = Launcher(None, self.settings.validators_isolation, self.settings.validators_readable)
        return Kit(self.looking, launcher, self.registries, self.memory)

    @cached_property
    def looking(self) -> tuple[Validator, ...]:
        """All validators: Towpath's own, and then the operator's."""
        return (*self.validators, *command.validators(self.settings.validators))

    @property
    def longest_look(self) -> float:
        """Seconds that one validator's look at one part may take."""
        return max([LOOK, *(one.seconds + CHECKOUT for one in self.settings.validators.values())])

    @cached_property
    def registries(self) -> Registries:
        """The registries that are asked about images."""
        return registries_of(self.settings.registries, self.clock)


def _seal_keys(settings: Settings, forge: str, repository: str) -> tuple[bytes, ...]:
    """A key of each repository's own, so that what is sealed in one says nothing in another."""
    names = (repository, *settings.forges[forge].formerly.get(repository, ()))
    places = [f"towpath:{forge}:{name.lower()}".encode() for name in names]
    return tuple(hmac.digest(key, place, "sha256") for place in places for key in settings.seal_keys)


def _forge(name: str, settings: ForgeSettings) -> Forge:
    ca_file = str(settings.ca_file) if settings.ca_file else None
    token_file = str(settings.token_file) if settings.token_file else None
    app = settings.app()
    key = AppKey(*app) if app is not None else None
    connection = Connection(name, settings.address, settings.access_token(), ca_file, token_file, key)
    return FORGES[settings.kind](connection)


def registries_of(settings: Mapping[str, RegistrySettings], clock: Callable[[], datetime] = utc_now) -> Registries:
    """The registries that settings name, each for its images."""
    made = ((one.prefixes, Registry(_access(name, one), clock)) for name, one in settings.items())
    return Registries({images: registry for prefixes, registry in made for images in prefixes})


def _access(name: str, settings: RegistrySettings) -> Access:
    ca_file = str(settings.ca_file) if settings.ca_file else None
    return Access(name, settings.url, settings.credentials, settings.token_host, ca_file)


def _signer(settings: SigningSettings | None) -> Signer | None:
    if settings is None:
        return None
    return SshSigner(settings.key_file) if settings.kind == "ssh" else OpenPgpSigner(settings.key_file)


def make_world(settings: Settings, clock: Callable[[], datetime] = utc_now) -> World:
    """The world that settings describe. Connects to nothing yet."""
    redis = connect(settings.redis_url)
    Path(settings.mirrors).mkdir(parents=True, exist_ok=True)
    return World(settings, Pending(redis, settings.lease_seconds), Memory(redis), clock)
