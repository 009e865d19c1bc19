"""What an adapter needs to know to speak to one forge."""

from dataclasses import dataclass, field


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
