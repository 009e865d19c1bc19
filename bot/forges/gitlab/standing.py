"""What GitLab tells of the bot's token and of the project's webhooks; changes nothing."""

from collections.abc import Callable, Container
from typing import TypeVar
from urllib.parse import urlsplit

from gitlab.exceptions import GitlabHttpError

from bot.forges import fields
from bot.forges.failures import one_line
from bot.forges.gitlab import paths
from bot.forges.gitlab.errors import outside, said
from bot.forges.gitlab.reads import Reads
from policies.standing import Credential, Hook

T = TypeVar("T")

REFUSALS = frozenset({403, 404})
UNTOLD = REFUSALS | {400}
"""What GitLab answers to tokens of other kinds that ask about themselves."""

NEEDED = "api"
GRANULAR = "granular"
"""The scope of GitLab's fine-grained tokens, whose permissions it tells nobody here."""

SWITCHED_OFF = {
    "disabled": "GitLab switched it off for good after 40 failures in a row",
    "temporarily_disabled": "GitLab switched it off for a while after failures in a row",
}
CURE = "once Towpath answers, *Settings*, *Webhooks*, *Test*: a 2xx switches it on again"


class Standing(Reads):
    """Reading how Towpath itself stands."""

    def credential(self, repository: str) -> Credential:  # noqa: ARG002 a token is the same for all
        """The bot's access token; GitLab describes personal, project and group tokens, and no others."""
        with outside("read the scopes of", "the bot's token"):
            found, _ = tried(lambda: self._client.get("/personal_access_tokens/self"), UNTOLD)
        if found is None:
            return Credential("token", None)
        listed = found.get("scopes")
        scopes = tuple(one_line(str(one)) for one in listed) if isinstance(listed, list) else None
        lacks = scopes is not None and not {NEEDED, GRANULAR} & set(scopes)
        return Credential(
            f"token {one_line(fields.text(found, 'name'))}".strip(),
            scopes,
            (f"the scope `{NEEDED}`",) if lacks else (),
            fields.time(found, "expires_at"),
            "make a new one with it, in the settings that this one was made in, *Access tokens*",
        )

    def hooks(self, repository: str, path: str) -> tuple[Hook, ...]:
        """The project's webhooks to that path; needs the role Maintainer."""
        with outside("look at the webhooks of", repository):
            found = self._client.list(f"{paths.project(repository)}/hooks")
        return tuple(_hook(one) for one in found if urlsplit(fields.text(one, "url")).path.endswith(path))


def tried(read: Callable[[], T], refusals: Container[int | None] = REFUSALS) -> tuple[T | None, str]:
    """What was read, or None and why not: what GitLab says to who may not, and on a tier that has no such thing."""
    try:
        return read(), ""
    except GitlabHttpError as refusal:
        if refusal.response_code not in refusals:
            raise
        return None, said(refusal)


def _hook(found: fields.Json) -> Hook:
    trouble = SWITCHED_OFF.get(fields.text(found, "alert_status"), "")
    until = one_line(fields.text(found, "disabled_until"))
    ended = f", until {until}" if trouble and until else ""
    return Hook(one_line(fields.text(found, "url")), f"{trouble}{ended}", CURE if trouble else "")
