"""What the forge tells of Towpath's own token or App and of its webhooks, and what a person should do about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from policies.wording.quote import listed

NOT_SHOWN = "not shown to this token"
SOON = timedelta(days=14)
"""A token that ends within this is warned about."""


@dataclass(frozen=True, slots=True)
class Credential:
    """Towpath's token or App."""

    kind: str
    """What it is, such as `classic token`."""
    scopes: tuple[str, ...] | None
    """Scopes or permissions; None where the forge does not show them."""
    lacking: tuple[str, ...] = ()
    """What Towpath needs and this has not."""
    expires_at: datetime | None = None
    setting: str = ""
    """Where more is given."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook that leads to Towpath; without `trouble` it works."""

    url: str
    trouble: str = ""
    change: str = ""


def described(credential: Credential | None) -> str:
    """The token or App on one line."""
    if credential is None:
        return NOT_SHOWN
    scopes = NOT_SHOWN if credential.scopes is None else ", ".join(credential.scopes) or "none"
    ends = f"; expires on {credential.expires_at:%Y-%m-%d}" if credential.expires_at else ""
    return f"{credential.kind}, scopes {scopes}{ends}"


def credential_advice(credential: Credential, now: datetime) -> tuple[str, ...]:
    """What a person should do about the token or App."""
    lacking = f"the {credential.kind} lacks {listed(credential.lacking)}: {credential.setting}"
    return tuple(filter(None, (lacking if credential.lacking else "", expiring(credential, now))))


def expiring(credential: Credential, now: datetime) -> str:
    """What to say of a token that ends soon; nothing of another."""
    end = credential.expires_at
    if end is None or end - now >= SOON:
        return ""
    cure = "make a new one and put it into the token's file; nothing has to be restarted"
    return f"the {credential.kind} expires on {end:%Y-%m-%d}, in {max((end - now).days, 0)} days: {cure}"


def hooks_advice(hooks: tuple[Hook, ...], path: str) -> tuple[str, ...]:
    """What a person should do about the webhooks to a path."""
    if not hooks:
        return (f"no webhook leads to {path}: set it up with `towpath webhooks install`",)
    return tuple(f"webhook {hook.url}: {hook.trouble}; {hook.change}" for hook in hooks if hook.trouble)
