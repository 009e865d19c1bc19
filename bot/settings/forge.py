"""One forge as operators configure it."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator

from bot.hooks.signatures import signing_key
from bot.settings.secrets import Part, secrets

HOME = {"gitlab": "https://gitlab.com", "github": "https://github.com"}

FOREIGN = {
    "gitlab": {
        "app_id": "token",
        "app_key": "token",
        "app_key_file": "token_file",
        "webhook_secrets": "webhook_tokens",
        "webhook_secrets_file": "webhook_tokens_file",
    },
    "github": {
        "webhook_tokens": "webhook_secrets",
        "webhook_tokens_file": "webhook_secrets_file",
        "signing_secrets": "webhook_secrets",
        "signing_secrets_file": "webhook_secrets_file",
    },
}
"""Settings that a kind of forge has not, to what it has instead."""


class ForgeSettings(Part):
    """One forge; its name stands in the webhook's address."""

    kind: Literal["gitlab", "github"]
    url: str = Field(default="", pattern=r"^(https?://[^/\s]+.*)?$")
    """Its web address; gitlab.com or github.com where none is given."""
    token: SecretStr | None = None
    token_file: Path | None = None
    app_id: str | None = None
    app_key: SecretStr | None = None
    app_key_file: Path | None = None
    webhook_tokens: tuple[SecretStr, ...] = ()
    webhook_tokens_file: Path | None = None
    webhook_secrets: tuple[SecretStr, ...] = ()
    webhook_secrets_file: Path | None = None
    signing_secrets: tuple[SecretStr, ...] = ()
    signing_secrets_file: Path | None = None
    ca_file: Path | None = None
    repositories: tuple[str, ...] = Field(min_length=1)
    formerly: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The paths that a repository had before it was renamed: what was sealed under them is still believed."""

    @model_validator(mode="after")
    def _has_its_secrets(self) -> Self:
        for name, instead in FOREIGN[self.kind].items():
            if getattr(self, name):
                raise ValueError(f"{name} is nothing that a forge of kind {self.kind} has: set {instead}")
        if self.app() is None:
            self.access_token()
        elif self.token is not None or self.token_file is not None:
            raise ValueError("either a token or an App (app_id and app_key or app_key_file), not both")
        if not (*self.hook_secrets(), *self.hook_signing_secrets()):
            name = "webhook_tokens or signing_secrets" if self.kind == "gitlab" else "webhook_secrets"
            raise ValueError(f"{name} is needed: a webhook must come from somebody")
        return self

    @property
    def address(self) -> str:
        """The forge's web address."""
        return self.url or HOME[self.kind]

    def access_token(self) -> str:
        """The bot's access token; empty where an App is used instead."""
        if self.app() is not None:
            return ""
        given = (self.token,) if self.token is not None else ()
        found = secrets(given, self.token_file, "token")
        if len(found) != 1:
            other = ", or app_id and app_key_file," if self.kind == "github" else ""
            raise ValueError(f"token or token_file{other} is needed, with one token")
        return found[0]

    def app(self) -> tuple[str, str] | None:
        """A GitHub App's id and private key (PEM), where one is configured."""
        if self.app_id is None and self.app_key is None and self.app_key_file is None:
            return None
        key = self.app_key.get_secret_value() if self.app_key is not None else _read(self.app_key_file)
        if not self.app_id or "PRIVATE KEY-----" not in key:
            raise ValueError("an App needs app_id, and app_key or app_key_file with the PEM file that GitHub gave out")
        return self.app_id, key

    def hook_secrets(self) -> tuple[str, ...]:
        """The webhook's secrets: `X-Gitlab-Token`, or the key of GitHub's signature."""
        tokens = secrets(self.webhook_tokens, self.webhook_tokens_file, "webhook_tokens")
        return tokens + secrets(self.webhook_secrets, self.webhook_secrets_file, "webhook_secrets")

    def hook_signing_secrets(self) -> tuple[str, ...]:
        """The webhook's signing secrets (Standard Webhooks)."""
        found = secrets(self.signing_secrets, self.signing_secrets_file, "signing_secrets")
        for secret in found:
            try:
                signing_key(secret)
            except ValueError as error:
                raise ValueError(f"signing_secrets: one of them {error}") from error
        return found


def _read(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"app_key_file cannot be read: {type(error).__name__}") from error
