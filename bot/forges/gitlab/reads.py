"""The reading half of the GitLab adapter; each method costs one GET, or one a page of a hundred."""

from datetime import UTC, datetime
from urllib.parse import quote

from gitlab.exceptions import GitlabHttpError

from bot.errors import Permanent
from bot.forges.addresses import COMMIT
from bot.forges.base import GitAccess, Issue, LabelChange, Note, Reaction
from bot.forges.gitlab import convert, paths
from bot.forges.gitlab.client import Client
from bot.forges.gitlab.errors import Redirected, outside
from policies.model import Check, MergeRequest, Permission, Review, SourceCommit, Thread, User

UNTOLD = (403, 404, 409, 410, 422, 451)
"""Answers to a comparison that no later look will change: not shown, gone, empty, or barred by law."""


class Reads:
    """What the Forge protocol asks without changing anything."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._me: User | None = None
        self._default_branches: dict[str, str] = {}
        self._bots: dict[int, bool] = {}

    def me(self) -> User:
        """The bot's own user, with GitLab's word on whether it is a bot; read once."""
        if self._me is None:
            with outside("read", f"the bot's own user on {self._client.url}"):
                self._me = convert.user(self._client.get("/user"))
        return self._me

    def access(self, repository: str) -> GitAccess:
        """Git over HTTP with the token as password; GitLab takes any user name that is not empty."""
        url = f"{self._client.url}/{repository}.git"
        return GitAccess(url, "towpath", self._client.token(), self._client.ca_file)

    def default_branch(self, repository: str) -> str:
        """The default branch, read once. Permanent for an empty repository, which has none."""
        if repository not in self._default_branches:
            with outside("read the default branch of", repository):
                found = self._client.get(paths.project(repository)).get("default_branch")
            if not isinstance(found, str) or not found:
                raise Permanent(
                    "read the default branch of", repository, "the repository is empty: push a first commit"
                )
            self._default_branches[repository] = found
        return self._default_branches[repository]

    def head(self, repository: str, branch: str) -> str:
        """The commit that a branch points to."""
        with outside("read the head of", f"{repository} {branch}"):
            return convert.branch_head(self._client.get(paths.branch(repository, branch)))

    def open_requests(self, repository: str, label: str) -> tuple[MergeRequest, ...]:
        """The open merge requests with that label, newest first; asks GitLab to check anew whether they merge."""
        with outside("list the open merge requests of", repository):
            return self._requests(repository, state="opened", labels=label, with_merge_status_recheck="true")

    def requests_from(self, repository: str, source_branch: str) -> tuple[MergeRequest, ...]:
        """The merge requests from that branch in any state, newest first; forks' branches of that name too."""
        with outside("list the merge requests of", f"{repository} {source_branch}"):
            return self._requests(repository, state="all", source_branch=source_branch)

    def request(self, repository: str, iid: int) -> MergeRequest:
        """One merge request; GitLab checks anew whether it merges whenever one is read alone."""
        with outside("read merge request", paths.named(repository, iid)):
            return convert.merge_request(self._client.get(paths.request(repository, iid)))

    def updated_requests(self, repository: str, since: datetime) -> tuple[MergeRequest, ...]:
        """The merge requests updated at or after `since`, last updated first.

        In that order, one that is updated while the pages are read shifts others to a later page, never past one.
        """
        after = _zulu(since)
        with outside("list the updated merge requests of", repository):
            return self._requests(repository, state="all", updated_after=after, order_by="updated_at")

    def checks(self, repository: str, sha: str) -> tuple[Check, ...]:
        """The newest status of each name on a commit: jobs of pipelines and statuses set from outside."""
        me = self.me().id
        with outside("list the statuses of", f"{repository}@{sha[:12]}"):
            found = self._client.list(f"{paths.project(repository)}/repository/commits/{sha}/statuses")
            return convert.checks(found, me)

    def issues(self, repository: str, label: str, since: datetime | None) -> tuple[Issue, ...]:
        """The open issues with that label, last updated first, each once."""
        query = {"scope": "all", "state": "opened", "labels": label, "order_by": "updated_at", "sort": "desc"}
        query |= {"updated_after": _zulu(since)} if since else {}
        with outside("list the issues of", repository):
            found = map(convert.issue, self._client.list(paths.issues(repository), **query))
            return tuple({issue.iid: issue for issue in found}.values())

    def issue(self, repository: str, iid: int) -> Issue:
        """One issue."""
        place = Thread(iid, issue=True)
        with outside("read issue", paths.named_thread(repository, place)):
            return convert.issue(self._client.get(paths.thread(repository, place)))

    def label_changes(self, repository: str, thread: Thread) -> tuple[LabelChange, ...]:
        """The log of a thread's labels, oldest first."""
        with outside("read the label log of", paths.named_thread(repository, thread)):
            found = self._client.list(f"{paths.thread(repository, thread)}/resource_label_events")
            return convert.label_changes(found)

    def notes(self, repository: str, thread: Thread) -> tuple[Note, ...]:
        """The comments, oldest first; what GitLab notes by itself is left out."""
        page = paths.note_page(self._client.url, repository, thread)
        with outside("list the comments of", paths.named_thread(repository, thread)):
            found = self._client.list(f"{paths.thread(repository, thread)}/notes", sort="asc", order_by="created_at")
            return tuple(convert.note(fields, page) for fields in found if fields.get("system") is not True)

    def reactions(self, repository: str, thread: Thread, note: int) -> tuple[Reaction, ...]:
        """The emoji on a comment; `tada` and `thumbsdown` by the names of `Emoji`."""
        with outside("list the emoji on", f"comment {note} of {paths.named_thread(repository, thread)}"):
            found = self._client.list(f"{paths.thread(repository, thread)}/notes/{note}/award_emoji")
            return tuple(convert.reaction(fields) for fields in found)

    def reviews(self, repository: str, iid: int) -> tuple[Review, ...]:
        """The approvals that stand, oldest first, each with the head if it was given since the newest version.

        GitLab tells of no commit that was approved. A version is made by every push and by a changed target branch."""
        with outside("list the approvals of", paths.named(repository, iid)):
            found = convert.reviews(self._client.get(f"{paths.request(repository, iid)}/approvals"))
            if not found:
                return ()
            return convert.since_version(found, self._client.list(f"{paths.request(repository, iid)}/versions"))

    def members(self, repository: str, group: str) -> tuple[User, ...]:  # noqa: ARG002 one token for all
        """The direct members of the group, as GitLab's CODEOWNERS counts them."""
        with outside("list the members of", f"group {group}"):
            found = self._client.list(f"/groups/{quote(group, safe='')}/members")
            return tuple(convert.user(fields) for fields in found)

    def named(self, repository: str, name: str) -> tuple[User, ...] | None:
        """A group's direct members, a user, or the project's direct members of a role; None for an e-mail address.

        GitLab shows e-mail addresses of others to administrators alone."""
        if name.startswith("@@"):
            return self._of_role(repository, name.removeprefix("@@").lower().removesuffix("s"))
        if not name.startswith("@"):
            return None
        try:
            return self.members(repository, name.removeprefix("@"))
        except Permanent:
            with outside("look for", name):
                found = self._client.list("/users", username=name.removeprefix("@"))
                return tuple(convert.user(fields) for fields in found) or None

    def _of_role(self, repository: str, role: str) -> tuple[User, ...] | None:
        level = convert.LEVELS.get(role)
        if level is None:
            return None
        with outside("list the members of", repository):
            found = self._client.list(f"{paths.project(repository)}/members")
            return tuple(convert.user(fields) for fields in found if fields.get("access_level") == level)

    def permission(self, repository: str, who: User) -> Permission:
        """What a user may do in the project, by the role there or in any group above it; nothing for a bot.

        Where GitLab names a user it does not say whether that is a bot; only the user's own page does."""
        with outside("read the role of", f"{who.username} in {repository}"):
            try:
                found = self._client.get(f"{paths.project(repository)}/members/all/{who.id}")
            except GitlabHttpError as refusal:
                if refusal.response_code == 404:
                    return Permission.none
                raise
            return Permission.none if self._is_bot(who) else convert.permission(found)

    def _is_bot(self, who: User) -> bool:
        """Read once of each user: nobody becomes a bot later. Towpath's own rights are told as they are."""
        if who.id == self.me().id:
            return False
        if who.id not in self._bots:
            self._bots[who.id] = convert.user(self._client.get(f"/users/{who.id}")).bot
        return self._bots[who.id]

    def commits_between(self, source: str, old: str, new: str) -> tuple[SourceCommit, ...]:
        """The commits after `old` up to `new`, newest first.

        Empty where the address is not on this GitLab (S11: nobody else is asked), and where GitLab does not know the
        project or the commits, or does not show them to the bot.
        """
        found = paths.project_at(self._client.url, source)
        if found is None or not (COMMIT.fullmatch(old) and COMMIT.fullmatch(new)):
            return ()
        path = f"{paths.project(found)}/repository/compare"
        with outside("compare", f"{found} {old[:12]}..{new[:12]}"):
            try:
                return convert.compared(self._client.get(path, **{"from": old, "to": new}))
            except Redirected:
                return ()
            except GitlabHttpError as refusal:
                if refusal.response_code in UNTOLD:
                    return ()
                raise

    def _requests(self, repository: str, **query: str) -> tuple[MergeRequest, ...]:
        query = {"order_by": "created_at", "sort": "desc", **query}
        found = (convert.merge_request(fields) for fields in self._client.list(paths.requests(repository), **query))
        return tuple({request.iid: request for request in found}.values())  # a shifted page repeats an item


def _zulu(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
