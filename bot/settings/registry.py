"""One image registry that is asked whether an image is still there, as operators configure it."""

import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from bot.settings.secrets import Part, secrets

HOST = r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
IMAGES = re.compile(rf"(?=localhost/|[^/]*[.:])(?:{HOST})(?:/[\w.-]+)*(?:/|/[\w.-]+)")
"""A name or a prefix of names with the host in front, which a dot or a port tells from a folder."""


class RegistrySettings(Part):
    """One registry; without a user name it is asked anonymously."""

    url: str = Field(pattern=rf"^https?://{HOST}/?$")
    username: str = Field(default="", pattern=r"^[^:]*$")
    password: SecretStr | None = None
    password_file: Path | None = None
    token_host: str = Field(default="", pattern=rf"^(?:{HOST})?$")
    ca_file: Path | None = None
    images: tuple[str, ...] = ()

    @field_validator("images")
    @classmethod
    def _begin_with_a_host(cls, images: tuple[str, ...]) -> tuple[str, ...]:
        for one in images:
            if not IMAGES.fullmatch(one):
                raise ValueError(
                    "the names that values files write are wanted, with the host: registry.example.com/team/api, "
                    "or a prefix that ends in /: registry.example.com/team/"
                )
        return images

    @model_validator(mode="after")
    def _has_both_or_neither(self) -> Self:
        self.credentials()
        return self

    @property
    def prefixes(self) -> tuple[str, ...]:
        """The images that it answers for: a prefix ends in `/`."""
        return self.images or (f"{urlsplit(self.url).netloc}/",)

    def credentials(self) -> tuple[str, str] | None:
        """User name and password, read again from its file at each call; ValueError where one is there alone."""
        given = (self.password,) if self.password is not None else ()
        found = secrets(given, self.password_file, "password")
        if not found and not self.username and self.password_file is None:
            return None
        if len(found) != 1 or not self.username:
            raise ValueError("username, and password or password_file with one password, are needed together")
        return self.username, found[0]
