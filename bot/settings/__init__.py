"""What operators set in the environment: read once, and refused with every fault named when it is wrong (S1)."""

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from redis.connection import parse_url

from bot.settings.forge import ForgeSettings
from bot.settings.registry import RegistrySettings
from bot.settings.secrets import secrets
from bot.settings.signing import SigningSettings
from bot.settings.source import SourceSettings
from bot.settings.validator import Absolute, ValidatorSettings, named

__all__ = [
    "ForgeSettings",
    "LookingSettings",
    "RegistrySettings",
    "Settings",
    "SettingsError",
    "SigningSettings",
    "SourceSettings",
    "ValidatorSettings",
    "load_looking",
    "load_settings",
]

PREFIX = "TOWPATH_"
KUBERNETES = re.compile(
    r"TOWPATH(?:_[A-Z0-9_]+)?_(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)?)"
)
"""What Kubernetes sets in every pod beside a Service that is called `towpath` or `towpath-…`."""
PUBLIC = re.compile(
    r"(?:https://[A-Za-z0-9][A-Za-z0-9.-]*|http://(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?"
)
"""An address that stands in Markdown as it is: no password, no query; without TLS on one's own machine alone."""
REDIS_EXAMPLE = "redis://localhost:6379/0"
JSON_WANTED = {
    "tuple_type": 'a JSON list is wanted, such as ["first", "second"]',
    "dict_type": "a JSON object is wanted; or set its parts, each in a variable of its own (NAME__PART)",
    "model_type": "a JSON object is wanted; or set its parts, each in a variable of its own (NAME__PART)",
}
"""pydantic's types of faults that a value which is no JSON, or another kind of it, ends in."""
PARTS: dict[str, type[BaseModel]] = {
    "forges": ForgeSettings,
    "sources": SourceSettings,
    "registries": RegistrySettings,
    "signing": SigningSettings,
    "validators": ValidatorSettings,
}


class SettingsError(Exception):
    """Settings that cannot be used; one line a fault, each with its variable."""


class _Environment(BaseSettings):
    """What is read of environment variables, and of nothing else."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 pydantic-settings asks by these names
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load_settings` hands over; nothing reads the process's environment by itself."""
        return (init_settings,)


class LookingSettings(_Environment):
    """What validators look with; it needs no forge, so that `towpath validate` can read it alone."""

    registries: dict[str, RegistrySettings] = {}
    validators: Annotated[dict[str, ValidatorSettings], AfterValidator(named)] = {}
    validators_isolation: Literal["namespaces", "process"] = "namespaces"
    validators_readable: tuple[Absolute, ...] = ()


class Settings(LookingSettings):
    """All settings; see docs/operations.md."""

    # Both may hold a password, so neither is shown.
    redis_url: str = Field(default="redis://127.0.0.1:6379/0", repr=False)
    broker_url: str = Field(default="", repr=False)
    mirrors: Path
    seal: tuple[SecretStr, ...] = ()
    seal_keys_file: Path | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    sweep_seconds: float = Field(default=300, gt=0)
    lease_seconds: float = Field(default=120, ge=30)
    body_limit: int = Field(default=3 * 1024 * 1024, gt=0)
    public_url: str = ""
    command_prefix: str = Field(default="towpath", pattern=r"^[A-Za-z][A-Za-z-]{0,39}$")
    bot_name: str = "Towpath"
    bot_email: str = "towpath@localhost"
    forges: dict[str, ForgeSettings] = Field(min_length=1)
    sources: dict[str, SourceSettings] = {}
    signing: SigningSettings | None = None

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: str) -> str:
        try:
            parse_url(url)  # type: ignore[no-untyped-call]  # redis does not type it
        except ValueError:
            # Whose words may repeat a part of the URL, and with it of the password.
            raise ValueError(f"no Redis URL: write it like {REDIS_EXAMPLE}") from None
        return url

    @field_validator("broker_url")
    @classmethod
    def _is_a_url(cls, url: str) -> str:
        if url and not re.match(r"[a-z][a-z0-9+]*://", url):
            raise ValueError(f"no broker URL: write it like {REDIS_EXAMPLE}")
        return url

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, url: str) -> str:
        if url and not PUBLIC.fullmatch(url):
            raise ValueError("no web address that people can use: write it like https://towpath.example.com")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _has_a_seal(self) -> Self:
        if not self.seal_keys:
            raise ValueError("seal or seal_keys_file is needed: with it Towpath knows its own commits again")
        return self

    @property
    def broker(self) -> str:
        """Celery's broker."""
        return self.broker_url or self.redis_url

    @property
    def seal_keys(self) -> tuple[bytes, ...]:
        """The keys of the commit trailers' seal: the first seals, all are believed."""
        return tuple(key.encode() for key in secrets(self.seal, self.seal_keys_file, "seal_keys"))


class _Given(EnvSettingsSource):
    """pydantic-settings' reading of environment variables, from a mapping that is passed in."""

    def __init__(self, settings_cls: type[BaseSettings], environ: Mapping[str, str]) -> None:
        self._environ = {key.lower(): value for key, value in environ.items()}
        super().__init__(settings_cls)

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return self._environ

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:  # noqa: ANN401 theirs
        """The value that JSON writes; else as it is, for the validation to refuse among all other faults."""
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


S = TypeVar("S", bound=LookingSettings)


def load_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that these environment variables give; SettingsError with every fault where they give none."""
    return _loaded(Settings, environ, _unknown(environ))


def load_looking(environ: Mapping[str, str]) -> LookingSettings:
    """As `load_settings`, of what validators look with alone; nothing has to be set."""
    return _loaded(LookingSettings, environ, [])


def _loaded(kind: type[S], environ: Mapping[str, str], faults: list[str]) -> S:
    settings = None
    try:
        settings = kind(**_Given(kind, environ)())
    except ValidationError as error:
        faults += [_fault(dict(detail)) for detail in error.errors(include_url=False, include_input=False)]
    except ValueError as error:
        faults.append(str(error))
    if settings is None or faults:
        raise SettingsError("the settings cannot be used:\n" + "\n".join(f"  {fault}" for fault in faults))
    return settings


def _unknown(environ: Mapping[str, str]) -> list[str]:
    mine = [name for name in environ if name.upper().startswith(PREFIX)]
    known = [f"{PREFIX}{name}".upper() for name in Settings.model_fields]
    publish = f"{PREFIX}PUBLISH_SECRET"  # what `towpath publish` reads, in CI
    faults = []
    for name in mine:
        top = name.upper().partition("__")[0]
        if top not in known and top != publish and not KUBERNETES.fullmatch(name):
            nearest = difflib.get_close_matches(top, known, n=1)
            faults.append(f"{name}: there is no such setting" + (f"; did you mean {nearest[0]}?" if nearest else ""))
    return faults


def _fault(detail: dict[str, Any]) -> str:
    # A number is a place in a list: the variable is the list's.
    name = PREFIX + "__".join(part for part in detail["loc"] if isinstance(part, str)).upper()
    text = JSON_WANTED.get(detail["type"], str(detail["msg"]).removeprefix("Value error, "))
    if detail["type"] == "extra_forbidden":
        part = str(detail["loc"][-1])
        nearest = difflib.get_close_matches(part, list(PARTS[detail["loc"][0]].model_fields), n=1)
        text = "there is no such setting" + (f"; did you mean {nearest[0].upper()}?" if nearest else "")
    return f"{name if len(detail['loc']) else 'settings'}: {text}"
