"""The key that merges of stages with `merge: signed` are signed with, as operators configure it."""

from pathlib import Path
from typing import Literal, Self

from pydantic import model_validator

from bot.settings.secrets import Part

MARKS = {"ssh": (b"PRIVATE KEY-----",), "openpgp": (b"BEGIN PGP PRIVATE KEY BLOCK", b"\x94", b"\x95", b"\xc5")}
"""How a private key's file looks: by its armor, or by the first byte of OpenPGP's packet (RFC 9580, 4.2)."""
LONGEST_FIRST_LINES = 4096


class SigningSettings(Part):
    """Towpath's own signing key; one for all config repositories."""

    kind: Literal["ssh", "openpgp"]
    key_file: Path
    """A private key without a passphrase; it is read again for each signature."""

    @model_validator(mode="after")
    def _is_a_key(self) -> Self:
        try:
            with self.key_file.open("rb") as file:
                begin = file.read(LONGEST_FIRST_LINES)
        except OSError as error:
            raise ValueError(f"key_file cannot be read: {error.strerror}") from error
        armor, *packets = MARKS[self.kind]
        if armor not in begin and not begin.startswith(tuple(packets)):
            raise ValueError(f"key_file holds no private key of kind {self.kind}")
        return self
