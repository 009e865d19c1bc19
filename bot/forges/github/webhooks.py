"""Webhooks of repositories and of the App: set up, and sent again where nobody took them.

GitHub never sends a failed delivery again by itself, and keeps the list for three days (its documentation of webhooks).
"""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from bot.forges import fields
from bot.forges.base import Installed, Recovery, Webhook
from bot.forges.github.errors import outside
from bot.forges.github.reads import Reads

EVENTS = ("check_suite", "issue_comment", "pull_request", "pull_request_review", "push", "status")
"""What Towpath listens to; an App's are chosen in its settings."""


class Webhooks(Reads):
    """Setting up and recovering webhooks."""

    def install_webhook(self, repository: str, webhook: Webhook) -> Installed:
        """Set up a repository's webhook, or the App's."""
        config = {"url": webhook.url, "content_type": "json", "secret": webhook.secret, "insecure_ssl": "0"}
        with outside("set up the webhook of", repository):
            if self._client.app() is not None:
                self._client.patch(repository, "/app/hook/config", config)
                return "brought up to date"
            for hook in self._hooks(repository):
                if fields.text(fields.part(hook, "config"), "url") == webhook.url:
                    body = {"config": config, "events": list(EVENTS), "active": True}
                    path = f"/repos/{repository}/hooks/{fields.number(hook, 'id')}"
                    fields.number(self._client.patch(repository, path, body), "id")
                    return "brought up to date"
            made = {"name": "web", "config": config, "events": list(EVENTS), "active": True}
            fields.number(self._client.post(repository, f"/repos/{repository}/hooks", made), "id")
            return "made"

    def recover(self, repository: str, path: str, since: datetime) -> Recovery:
        """Have failed deliveries sent again: of the App, else of the repository's webhooks to that path."""
        with outside("recover the webhooks of", repository):
            if self._client.app() is not None:
                return Recovery(self._again(repository, "/app/hook/deliveries", since))
            hooks = [hook for hook in self._hooks(repository) if _leads_to(hook, path)]
            places = [f"/repos/{repository}/hooks/{fields.number(hook, 'id')}/deliveries" for hook in hooks]
            advice = [
                f"webhook {_url(hook)} is switched off: make it active" for hook in hooks if not hook.get("active")
            ]
            if not hooks:
                advice.append(f"no webhook leads to {path}: set it up with `towpath webhooks install`")
            return Recovery(sum(self._again(repository, place, since) for place in places), tuple(advice))

    def _hooks(self, repository: str) -> tuple[fields.Json, ...]:
        return self._client.list(repository, f"/repos/{repository}/hooks")

    def _again(self, repository: str, place: str, since: datetime) -> int:
        rows: list[fields.Json] = []
        for page in self._client.pages(repository, place):
            rows += [row for row in page if fields.needed_time(row, "delivered_at") >= since]
            if len(page) == 0 or fields.needed_time(page[-1], "delivered_at") < since:
                break
        wanted = failed(rows)
        for number in wanted:
            self._client.post(repository, f"{place}/{number}/attempts", {})
        return len(wanted)


def failed(rows: Iterable[fields.Json]) -> tuple[int, ...]:
    """The first attempt of each delivery that nobody took, oldest first, unless it was sent again already.

    Once is enough: it mends an outage. What fails again would fail a third time, and the sweep looks by itself."""
    attempts: dict[str, list[fields.Json]] = {}
    for row in sorted(rows, key=lambda one: fields.number(one, "id")):
        attempts.setdefault(fields.required(row, "guid"), []).append(row)
    return tuple(
        fields.number(tried[-1], "id")
        for tried in attempts.values()
        if not any(row.get("redelivery") is True or 200 <= fields.number(row, "status_code") < 300 for row in tried)
    )


def _leads_to(hook: fields.Json, path: str) -> bool:
    return urlsplit(_url(hook)).path.endswith(path)


def _url(hook: fields.Json) -> str:
    return fields.text(fields.part(hook, "config"), "url")
