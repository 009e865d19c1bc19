"""What all parts of the settings share: secrets by value or by file, and none that is a placeholder (S1)."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr

PLACEHOLDERS = frozenset(
    {"changeme", "change-me", "secret", "password", "example", "token", "xxx", "todo", "test", "none"}
)
SHORTEST_SECRET = 8


class Part(BaseModel):
    """A part of the settings; nothing unknown is passed over, and no value is repeated in a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def secrets(values: tuple[SecretStr, ...], file: Path | None, name: str) -> tuple[str, ...]:
    """The secrets given by value and by file (one a line), at most two of them; ValueError for what is no secret."""
    found = [value.get_secret_value() for value in values]
    if file is not None:
        try:
            found += [line.strip() for line in file.read_text().splitlines() if line.strip()]
        except OSError as error:
            raise ValueError(f"{name}_file cannot be read: {error.strerror}") from error
    for secret in found:
        _refuse_placeholder(secret, name)
    if len(found) > 2:
        raise ValueError(f"{name}: at most two are valid at once, while one replaces the other")
    return tuple(found)


def _refuse_placeholder(secret: str, name: str) -> None:
    plain = secret.strip().lower()
    if not plain or plain in PLACEHOLDERS or len(set(plain)) == 1 or plain.startswith("<"):
        raise ValueError(f"{name} is empty or a placeholder: make one with `openssl rand -hex 32`")
    if len(plain) < SHORTEST_SECRET:
        raise ValueError(f"{name} is shorter than {SHORTEST_SECRET} characters")
