"""A project's webhooks: set up, and found where GitLab switched them off.

GitLab switches a webhook off for a while after four failures in a row and for good after forty; a test request that is
answered 2xx switches it on again (its documentation of webhooks).
"""

from datetime import datetime
from urllib.parse import urlsplit

from bot.forges import fields
from bot.forges.base import Installed, Recovery, Webhook
from bot.forges.failures import one_line
from bot.forges.gitlab import paths
from bot.forges.gitlab.errors import outside
from bot.forges.gitlab.reads import Reads

EVENTS = (
    "confidential_note_events",
    "emoji_events",
    "merge_requests_events",
    "note_events",
    "pipeline_events",
    "push_events",
)
"""What Towpath listens to; `note_events` are comments on issues too, the confidential ones are internal notes."""


class Webhooks(Reads):
    """Setting up and recovering webhooks; both need the role Maintainer."""

    def install_webhook(self, repository: str, webhook: Webhook) -> Installed:
        """Set up the project's webhook, or bring the one of that address up to date."""
        body: dict[str, object] = {"url": webhook.url, "token": webhook.secret, "enable_ssl_verification": True}
        body |= dict.fromkeys(EVENTS, True)
        if webhook.signing_secret:
            body["signing_token"] = webhook.signing_secret
        with outside("set up the webhook of", repository):
            for hook in self._hooks(repository):
                if fields.text(hook, "url") == webhook.url:
                    self._client.put(f"{paths.project(repository)}/hooks/{fields.number(hook, 'id')}", body)
                    return "brought up to date"
            self._client.post(f"{paths.project(repository)}/hooks", body)
            return "made"

    def recover(self, repository: str, path: str, since: datetime) -> Recovery:  # noqa: ARG002 GitLab resends by itself
        """Say which webhooks to that path were switched off, and how to switch them on."""
        with outside("look at the webhooks of", repository):
            hooks = [hook for hook in self._hooks(repository) if urlsplit(fields.text(hook, "url")).path.endswith(path)]
        if not hooks:
            return Recovery(advice=(f"no webhook leads to {path}: set it up with `towpath webhooks install`",))
        return Recovery(advice=tuple(filter(None, map(_advice, hooks))))

    def _hooks(self, repository: str) -> tuple[fields.Json, ...]:
        return self._client.list(f"{paths.project(repository)}/hooks")


def _advice(hook: fields.Json) -> str:
    status, url = fields.text(hook, "alert_status"), one_line(fields.text(hook, "url"))
    cure = "once Towpath answers, send a test event from the project's webhook settings: a 2xx switches it on again"
    if status == "disabled":
        return f"GitLab switched the webhook {url} off for good after 40 failures in a row; {cure}"
    if status == "temporarily_disabled":
        until = fields.text(hook, "disabled_until") or "a while"
        return f"GitLab switched the webhook {url} off until {one_line(until)} after failures in a row; {cure}"
    return ""
