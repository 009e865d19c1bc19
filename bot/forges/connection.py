"""What an adapter needs to know to speak to one forge."""

from dataclasses import dataclass, field
from pathlib import Path

from bot.errors import Permanent


@dataclass(frozen=True, slots=True)
class AppKey:
    """A GitHub App: its number (or client id) and its private key in PEM, which never appears in a repr (S10)."""

    id: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Connection:
    """One forge as the operator named it; the token never appears in its repr (S10).

    `url` is the forge's web address without `/api/v4`, with the path where GitLab runs under one. With `token_file` the
    token is read from there before every call, so a rotated token counts at once; `token` is then only the first one.
    """

    name: str
    url: str
    token: str = field(repr=False)
    ca_file: str | None = None
    token_file: str | None = None
    app: AppKey | None = None
    """Instead of a token, on GitHub."""


def current_token(connection: Connection) -> str:
    """The token that counts now. Permanent where its file cannot be read or does not hold exactly one token."""
    if connection.token_file is None:
        return connection.token
    try:
        token = Path(connection.token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Permanent("read the token file", connection.token_file, type(error).__name__) from error
    # Whatever else is sent as a header is refused far below by an error that repeats it, token and all (S10).
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise Permanent("read the token file", connection.token_file, "it does not hold exactly one token")
    return token
