"""The reading half of the GitHub adapter; lists cost one GET for each hundred."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from github import GithubException

from bot.errors import Permanent
from bot.forges import fields
from bot.forges.addresses import COMMIT, path_at
from bot.forges.base import GitAccess, Issue, LabelChange, Note, Reaction
from bot.forges.github import convert
from bot.forges.github.client import Client
from bot.forges.github.connections import Moved
from bot.forges.github.errors import limited, outside
from policies.model import Check, MergeRequest, MergeRequestState, Permission, Review, SourceCommit, Thread, User

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/(?!\.{1,2}$)[\w.-]+")
"""`owner/name` as GitHub lets them be named."""

UNTOLD = (403, 404, 409, 410, 422, 451)
"""Answers to a comparison that no later look will change: not shown, gone, empty, or barred by law."""


class Reads:
    """What the Forge protocol asks without changing anything."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._me: User | None = None
        self._repositories: dict[str, fields.Json] = {}

    def me(self) -> User:
        """The bot's own user, read once: the token's, or the App's `slug[bot]`."""
        if self._me is None:
            with outside("read", f"the bot's own user on {self._client.url}"):
                self._me = self._read_me()
        return self._me

    def access(self, repository: str) -> GitAccess:
        """Git over HTTP with the token as password."""
        url = f"{self._client.url}/{repository}.git"
        with outside("authenticate for", repository):
            return GitAccess(url, "x-access-token", self._client.tokens.token(repository), self._client.ca_file)

    def default_branch(self, repository: str) -> str:
        """The default branch, read once. Permanent for an empty repository, which has no commit on it."""
        found = fields.text(self.repository(repository), "default_branch")
        if not found:
            raise Permanent("read the default branch of", repository, "the repository is empty: push a first commit")
        return found

    def repository(self, repository: str) -> fields.Json:
        """What GitHub says of a repository; read once."""
        if repository not in self._repositories:
            with outside("read the default branch of", repository):
                self._repositories[repository] = self._client.get(repository, f"/repos/{repository}")
        return self._repositories[repository]

    def head(self, repository: str, branch: str) -> str:
        """The commit that a branch points to."""
        with outside("read the head of", f"{repository} {branch}"):
            found = self._client.get(repository, f"/repos/{repository}/branches/{quote(branch, safe='')}")
            return fields.required(fields.part(found, "commit"), "sha")

    def open_requests(self, repository: str, label: str) -> tuple[MergeRequest, ...]:
        """The open pull requests with that label, newest first, each read alone: lists tell no mergeability."""
        with outside("list the open pull requests of", repository):
            found = self._client.list(repository, f"/repos/{repository}/issues", state="open", labels=label)
            numbers = [fields.number(issue, "number") for issue in found if "pull_request" in issue]
            requests = [self._one(repository, iid) for iid in dict.fromkeys(numbers)]
            return tuple(one for one in requests if one.state is MergeRequestState.opened)

    def requests_from(self, repository: str, source_branch: str) -> tuple[MergeRequest, ...]:
        """The pull requests from that branch of this repository, newest first; those not merged are read alone."""
        owner = repository.partition("/")[0]
        with outside("list the pull requests of", f"{repository} {source_branch}"):
            found = self._client.list(
                repository, f"/repos/{repository}/pulls", state="all", head=f"{owner}:{source_branch}"
            )
            rows = {row.iid: row for row in map(convert.merge_request, found) if row.source_branch == source_branch}
            return tuple(
                row if row.state is MergeRequestState.merged else self._one(repository, row.iid)
                for row in rows.values()
            )

    def request(self, repository: str, iid: int) -> MergeRequest:
        """One pull request; GitHub looks anew whether it merges whenever one is read alone."""
        with outside("read pull request", f"{repository}#{iid}"):
            return self._one(repository, iid)

    def updated_requests(self, repository: str, since: datetime) -> tuple[MergeRequest, ...]:
        """The pull requests updated at or after `since`, last updated first, without mergeability."""
        found: dict[int, MergeRequest] = {}
        with outside("list the updated pull requests of", repository):
            for page in self._client.pages(
                repository, f"/repos/{repository}/pulls", state="all", sort="updated", direction="desc"
            ):
                requests = [convert.merge_request(row) for row in page]
                found |= {one.iid: one for one in requests if one.updated_at >= since}
                if any(one.updated_at < since for one in requests):
                    break
        return tuple(found.values())

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        """The newest status of each context and the newest check run of each name, by two lists."""
        me = self.me().id
        with outside("list the checks of", f"{repository}@{sha[:12]}"):
            statuses = self._client.list(repository, f"/repos/{repository}/commits/{sha}/statuses")
            try:
                runs = self._client.list(repository, f"/repos/{repository}/commits/{sha}/check-runs", "check_runs")
            except GithubException as refusal:
                if refusal.status != 403 or limited(refusal):
                    raise
                # Not every kind of token can be given this right: then what runs there is unknown (S16).
                return (*convert.checks(statuses, (), me), convert.HIDDEN_RUNS)
            return convert.checks(statuses, runs, me)

    def issues(self, repository: str, label: str, since: datetime | None) -> tuple[Issue, ...]:
        """The open issues with that label, last updated first, each once; GitHub lists pull requests among them."""
        query = {"state": "open", "labels": label, "sort": "updated", "direction": "desc"}
        least = since.astimezone(UTC).replace(microsecond=0) if since else None  # GitHub tells whole seconds
        query |= {"since": f"{least - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"} if least else {}
        with outside("list the issues of", repository):
            rows = self._client.list(repository, f"/repos/{repository}/issues", **query)
            found = (convert.issue(row) for row in rows if "pull_request" not in row)
            return tuple({one.iid: one for one in found if least is None or one.updated_at >= least}.values())

    def issue(self, repository: str, iid: int) -> Issue:
        """One issue."""
        with outside("read issue", f"{repository}#{iid}"):
            found = self._client.get(repository, f"/repos/{repository}/issues/{iid}")
            if "pull_request" in found:
                raise Permanent("read issue", f"{repository}#{iid}", "it is a pull request")
            return convert.issue(found)

    def label_changes(self, repository: str, thread: Thread) -> tuple[LabelChange, ...]:
        """The labels given and taken, by the events of the pull request or issue."""
        events = f"/repos/{repository}/issues/{thread.iid}/events"
        with outside("read the label log of", f"{repository}#{thread.iid}"):
            return convert.label_changes(self._client.list(repository, events))

    def notes(self, repository: str, thread: Thread) -> tuple[Note, ...]:
        """The comments, oldest first."""
        with outside("list the comments of", f"{repository}#{thread.iid}"):
            found = self._client.list(repository, f"/repos/{repository}/issues/{thread.iid}/comments")
            return tuple(convert.note(one) for one in found)

    def reactions(self, repository: str, thread: Thread, note: int) -> tuple[Reaction, ...]:  # noqa: ARG002 as the protocol
        """The reactions to a comment."""
        with outside("list the reactions to", f"comment {note} of {repository}"):
            found = self._client.list(repository, f"/repos/{repository}/issues/comments/{note}/reactions")
            return tuple(convert.reaction(one) for one in found)

    def reviews(self, repository: str, iid: int) -> tuple[Review, ...]:
        """Each user's standing review."""
        with outside("list the reviews of", f"{repository}#{iid}"):
            return convert.reviews(self._client.list(repository, f"/repos/{repository}/pulls/{iid}/reviews"))

    def members(self, repository: str, group: str) -> tuple[User, ...]:
        """The members of the team `organisation/team`, those of child teams too."""
        with outside("list the members of", f"team {group}"):
            return self._team(repository, group)

    def named(self, repository: str, name: str) -> tuple[User, ...] | None:
        """A team's members or a user; None for an e-mail address, which GitHub tells nobody the owner of."""
        if not name.startswith("@"):
            return None
        plain = name.removeprefix("@")
        with outside("look for", name):
            try:
                if "/" in plain:
                    return self._team(repository, plain)
                return (convert.user(self._client.get(repository, f"/users/{quote(plain, safe='')}")),)
            except GithubException as refusal:
                if refusal.status in (403, 404) and not limited(refusal):
                    return None
                raise

    def permission(self, repository: str, who: User) -> Permission:
        """What a user may do in the repository; nothing for a user that GitHub does not know any more."""
        with outside("read the permission of", f"{who.username} in {repository}"):
            try:
                found = self._client.get(
                    repository, f"/repos/{repository}/collaborators/{quote(who.username, safe='')}/permission"
                )
            except GithubException as refusal:
                if refusal.status == 404:
                    return Permission.none
                raise
            # a name can be given to somebody else: the number must be the asked one's (S7)
            same = fields.part(found, "user").get("id") == who.id
            return convert.permission(found) if same else Permission.none

    def commits_between(self, source: str, old: str, new: str) -> tuple[SourceCommit, ...]:
        """The commits after `old` up to `new`, newest first.

        Empty where the address is not on this GitHub (S11: nobody else is asked), and where GitHub does not know the
        repository or the commits, or does not show them to the bot: nothing depends on these links.
        """
        path = path_at(self._client.url, source) or ""
        found = "/".join(path.strip("/").split("/")[:2]).removesuffix(".git")
        if not (REPOSITORY.fullmatch(found) and COMMIT.fullmatch(old) and COMMIT.fullmatch(new)):
            return ()
        with outside("compare", f"{found} {old[:12]}..{new[:12]}"):
            try:
                return convert.compared(self._client.list(found, f"/repos/{found}/compare/{old}...{new}", "commits"))
            except Moved:
                return ()
            except GithubException as refusal:
                if refusal.status in UNTOLD and not limited(refusal):
                    return ()
                raise

    def _team(self, repository: str, group: str) -> tuple[User, ...]:
        organisation, _, team = group.partition("/")
        path = f"/orgs/{quote(organisation, safe='')}/teams/{quote(team, safe='')}/members"
        return tuple(convert.user(one) for one in self._client.list(repository, path))

    def _one(self, repository: str, iid: int) -> MergeRequest:
        """A pull request read alone; who closed it is told by the issue that it also is."""
        found = self._client.get(repository, f"/repos/{repository}/pulls/{iid}")
        request = convert.merge_request(found)
        if request.state is not MergeRequestState.closed:
            return request
        issue = self._client.get(repository, f"/repos/{repository}/issues/{iid}")
        return convert.merge_request(found, convert.some_user(issue, "closed_by"))

    def _read_me(self) -> User:
        app = self._client.app()
        if app is None:
            return convert.user(self._client.get("", "/user"))
        slug = fields.required(self._client.as_app("GET", "/app", app.claim()), "slug")
        return convert.user(self._client.get("", f"/users/{quote(f'{slug}[bot]', safe='')}"))
