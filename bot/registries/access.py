"""What is needed to speak to one registry, and the only addresses that are ever spoken to for it (S11)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

Credentials = tuple[str, str]
"""A user name and its password."""

PORTS = {"http": 80, "https": 443}


def anonymous() -> Credentials | None:
    """No credentials."""
    return None


@dataclass(frozen=True, slots=True)
class Access:
    """One registry as the operator named it; `url` has no path, for the API has none before `/v2/`."""

    name: str
    url: str
    credentials: Callable[[], Credentials | None] = field(default=anonymous, repr=False)
    """Asked at each use, so that a rotated password counts at once; ValueError where they cannot be had."""
    token_host: str = ""
    """The host, perhaps with a port, that gives out tokens, where that is not the registry itself."""
    ca_file: str | None = None

    def origins(self) -> tuple[str, ...]:
        """Where requests may go: to the registry and the token host, unencrypted only where the registry is so too."""
        own = urlsplit(self.url)
        schemes = dict.fromkeys(("https", own.scheme))
        hosts = [host for host in (own.netloc, self.token_host) if host]
        return tuple(form for scheme in schemes for host in hosts for form in _forms(scheme, host))


def _forms(scheme: str, host: str) -> tuple[str, ...]:
    plain = f"{scheme}://{host}"
    return (plain,) if urlsplit(plain).port else (plain, f"{plain}:{PORTS[scheme]}")
