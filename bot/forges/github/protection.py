"""Reading what branch protection and rulesets make of a branch.

Every reader is told the rules of rulesets; branch protection rules and bypass lists only those who administer.
"""

from dataclasses import replace
from urllib.parse import quote

from bot.forges import fields
from bot.forges.github import rules
from bot.forges.github.errors import outside
from bot.forges.github.rules import People
from bot.forges.github.standing import Standing, tried
from policies.enforcement import Guard

UNPROTECTED = "Branch not protected"
NOT_OFFERED = "Upgrade to"
"""GitHub's words: to who may see that there is no rule, and of a plan without protection for private repositories."""

OFFERED = "branch protection and rulesets are offered"
NOT_ON_PLAN = "neither branch protection nor rulesets are available on this plan for a private repository"


class Protection(Standing):
    """Reading a branch's protection."""

    def guard(self, repository: str, branch: str) -> Guard:
        """What was read of a branch; what GitHub would not show is in `unread`."""
        with outside("read the protection of", f"{repository} {branch}"):
            rows, _ = tried(lambda: self._client.list(repository, f"/repos/{repository}/collaborators"))
            people = People(rows, self.me().id, self._app_id())
            layers = (self._of_rulesets(repository, branch, people), self._of_rule(repository, branch, people))
            offered = all(layer.offered for layer in layers)
            return replace(
                rules.stronger(*layers),
                tier=OFFERED if offered else NOT_ON_PLAN,
                visibility=fields.text(self.repository(repository), "visibility"),
                is_app=people.app is not None,
                offered=offered,
                hindrances=tuple(dict.fromkeys(one for layer in layers for one in layer.hindrances)),
                lifters=people.having("admin"),
            )

    def _app_id(self) -> int | None:
        app = self._client.app()
        return None if app is None else fields.number(self._client.as_app("GET", "/app", app.claim()), "id")

    def _of_rulesets(self, repository: str, branch: str, people: People) -> Guard:
        path = f"/repos/{repository}/rules/branches/{quote(branch, safe='')}"
        found, why = tried(lambda: self._client.list(repository, path))
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
        ruleset, why = tried(lambda: self._client.get(repository, f"/repos/{repository}/rulesets/{number}"))
        if ruleset is None:
            return (), why
        names = rules.bypassers(ruleset, people)
        return (names, "") if names is not None else ((), "GitHub shows it to who may edit the ruleset alone")

    def _of_rule(self, repository: str, branch: str, people: People) -> Guard:
        place = f"/repos/{repository}/branches/{quote(branch, safe='')}"
        rule, why = tried(lambda: self._client.get(repository, f"{place}/protection"))
        if rule is not None:
            return rules.of_rule(branch, rule, people)
        if UNPROTECTED in why or NOT_OFFERED in why:
            return _open(branch, people, offered=NOT_OFFERED not in why)
        shown, _ = tried(lambda: self._client.get(repository, place))
        if shown is not None and shown.get("protected") is False:  # every reader is told that much
            return _open(branch, people)
        return _hidden(branch, f"the branch protection rule ({why}): it takes *Administration: read*")


def _open(branch: str, people: People, *, offered: bool = True) -> Guard:
    writers = people.having("push")
    return Guard("github", branch, False, pushers=writers, mergers=writers, offered=offered)


def _hidden(branch: str, what: str) -> Guard:
    return Guard("github", branch, None, unread=(what,))
