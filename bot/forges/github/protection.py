"""Reading what branch protection and rulesets make of a branch.

Every reader is told the rules of rulesets; branch protection rules and bypass lists only those who administer.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from github import GithubException

from bot.forges import fields
from bot.forges.github import rules
from bot.forges.github.errors import limited, outside, said
from bot.forges.github.reads import Reads
from bot.forges.github.rules import People
from policies.enforcement import Guard

T = TypeVar("T")

UNPROTECTED = "Branch not protected"
NOT_OFFERED = "Upgrade to"
"""GitHub's words: to who may see that there is no rule, and of a plan without protection for private repositories."""


class Protection(Reads):
    """Reading a branch's protection."""

    def guard(self, repository: str, branch: str) -> Guard:
        """What was read of a branch; what GitHub would not show is in `unread`."""
        with outside("read the protection of", f"{repository} {branch}"):
            rows, _ = _tried(lambda: self._client.list(repository, f"/repos/{repository}/collaborators"))
            people = People(rows, self.me().id, self._app_id())
            layers = (self._of_rulesets(repository, branch, people), self._of_rule(repository, branch, people))
            return replace(
                rules.stronger(*layers),
                visibility=fields.text(self.repository(repository), "visibility"),
                is_app=people.app is not None,
                offered=all(layer.offered for layer in layers),
                hindrances=tuple(dict.fromkeys(one for layer in layers for one in layer.hindrances)),
                lifters=people.having("admin"),
            )

    def _app_id(self) -> int | None:
        app = self._client.app()
        return None if app is None else fields.number(self._client.as_app("GET", "/app", app.claim()), "id")

    def _of_rulesets(self, repository: str, branch: str, people: People) -> Guard:
        path = f"/repos/{repository}/rules/branches/{quote(branch, safe='')}"
        found, why = _tried(lambda: self._client.list(repository, path))
        if found is None:
            if NOT_OFFERED in why:
                return _open(branch, people, offered=False)
            return _hidden(branch, f"the rulesets ({why})")
        guard = rules.of_rulesets(branch, found, people)
        passing: list[str] = []
        unread: list[str] = []
        for number in rules.holding(found, people):
            names, reason = self._bypassers(repository, number, people)
            passing += names
            unread += [f"the bypass list of ruleset {number} ({reason})"] if reason else []
        return replace(guard, bypassers=tuple(dict.fromkeys(passing)), unread=tuple(unread))

    def _bypassers(self, repository: str, number: int, people: People) -> tuple[tuple[str, ...], str]:
        """Whom a ruleset lets through, or why that is not known."""
        ruleset, why = _tried(lambda: self._client.get(repository, f"/repos/{repository}/rulesets/{number}"))
        if ruleset is None:
            return (), why
        names = rules.bypassers(ruleset, people)
        return (names, "") if names is not None else ((), "GitHub shows it to who may edit the ruleset alone")

    def _of_rule(self, repository: str, branch: str, people: People) -> Guard:
        place = f"/repos/{repository}/branches/{quote(branch, safe='')}"
        rule, why = _tried(lambda: self._client.get(repository, f"{place}/protection"))
        if rule is not None:
            return rules.of_rule(branch, rule, people)
        if UNPROTECTED in why or NOT_OFFERED in why:
            return _open(branch, people, offered=NOT_OFFERED not in why)
        shown, _ = _tried(lambda: self._client.get(repository, place))
        if shown is not None and shown.get("protected") is False:  # every reader is told that much
            return _open(branch, people)
        return _hidden(branch, f"the branch protection rule ({why}): it takes *Administration: read*")


def _tried(read: Callable[[], T]) -> tuple[T | None, str]:
    """What was read, or None and why not: GitHub says 403 or 404 to who may not."""
    try:
        return read(), ""
    except GithubException as refusal:
        if refusal.status not in (403, 404) or limited(refusal):
            raise
        return None, said(refusal)


def _open(branch: str, people: People, *, offered: bool = True) -> Guard:
    writers = people.having("push")
    return Guard("github", branch, False, pushers=writers, mergers=writers, offered=offered)


def _hidden(branch: str, what: str) -> Guard:
    return Guard("github", branch, None, unread=(what,))
