"""One sender of image events as operators configure it."""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.settings.secrets import Part, secrets

REGISTRY = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[\w.-]+)*")
"""What values files write before a repository: a host, perhaps its port, perhaps a path."""


class SourceSettings(Part):
    """One sender of image events; its name stands in the address, and its credential speaks for `images` alone (S4)."""

    kind: Literal["ci", "distribution", "ghcr"]
    secrets: tuple[SecretStr, ...] = ()
    secrets_file: Path | None = None
    images: tuple[str, ...] = Field(min_length=1)
    registry: str = ""

    @field_validator("registry")
    @classmethod
    def _is_what_values_files_write(cls, registry: str) -> str:
        if registry and not REGISTRY.fullmatch(registry):
            raise ValueError(
                "a bare host is wanted, no URL: registry.example.com, or with port and path, host:5000/team"
            )
        return registry

    @model_validator(mode="after")
    def _has_its_secrets(self) -> Self:
        if not self.credentials():
            raise ValueError("secrets or secrets_file is needed")
        if self.kind == "distribution" and not self.registry:
            raise ValueError("registry is needed: the host that values files write before the repository")
        return self

    def credentials(self) -> tuple[str, ...]:
        """The secrets that the sender may use."""
        return secrets(self.secrets, self.secrets_file, "secrets")
