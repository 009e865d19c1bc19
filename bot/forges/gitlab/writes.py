"""The writing half of the GitLab adapter; each method is one POST or PUT, never repeated (R5)."""

import re
from collections.abc import Sequence

from gitlab.exceptions import GitlabAuthenticationError, GitlabHttpError

from bot.errors import Conflict, OutsideError, Permanent, Transient
from bot.forges.base import Emoji, Note, Proposal, Status
from bot.forges.failures import Unreadable, one_line
from bot.forges.fields import Json
from bot.forges.gitlab import convert, paths
from bot.forges.gitlab.client import Client
from bot.forges.gitlab.errors import outside, said
from policies.model import CheckState, Mergeable, MergeRequest, MergeRequestState, Thread, User

LONGEST_DESCRIPTION = 140
"""Of a commit status; GitHub's limit, kept for every forge."""

STATES = {
    CheckState.pending: "pending",
    CheckState.success: "success",
    CheckState.failed: "failed",
    CheckState.skipped: "skipped",  # GitLab 17.6 and later; older ones refuse it
}

STANDS = re.compile(r"Cannot transition status via :\w+ from :(?P<state>\w+)")
"""GitLab's 400 when a pending or running status is set to the state that it has; text and link stay as they were."""


class Writes:
    """What the Forge protocol changes."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def open_request(self, repository: str, proposal: Proposal) -> MergeRequest:
        """Open a merge request that keeps its branch. Conflict where one is open for that branch."""
        body = {
            "source_branch": proposal.source_branch,
            "target_branch": proposal.target_branch,
            "title": proposal.title,
            "description": proposal.description,
            "labels": ",".join(proposal.labels),
            "remove_source_branch": False,
        } | ({"reviewer_ids": [user.id for user in proposal.reviewers]} if proposal.reviewers else {})
        with outside("open a merge request for", f"{repository} {proposal.source_branch}"):
            return convert.merge_request(self._client.post(paths.requests(repository), body))

    def add_note(self, repository: str, thread: Thread, body: str, *, internal: bool = False) -> Note:
        """Comment. Permanent where GitLab took the whole text as quick actions and so kept no comment."""
        subject, page = paths.named_thread(repository, thread), paths.note_page(self._client.url, repository, thread)
        wanted = {"body": body} | ({"internal": True} if internal else {})
        with outside("comment on", subject):
            answer = self._client.post(f"{paths.thread(repository, thread)}/notes", wanted)
            if "id" not in answer:
                cause = "GitLab took the text as quick actions: no line of a comment may start with `/`"
                raise Permanent("comment on", subject, cause)
            return convert.note(answer, page)

    def edit_note(self, repository: str, thread: Thread, note: int, body: str) -> None:
        """Replace a comment's text."""
        with outside("edit a comment on", paths.named_thread(repository, thread)):
            self._client.put(f"{paths.thread(repository, thread)}/notes/{note}", {"body": body})

    def delete_note(self, repository: str, thread: Thread, note: int) -> None:
        """Remove a comment."""
        with outside("remove a comment from", paths.named_thread(repository, thread)):
            self._client.delete(f"{paths.thread(repository, thread)}/notes/{note}")

    def react(self, repository: str, thread: Thread, note: int, emoji: Emoji) -> None:
        """Give a comment an emoji; GitLab refuses the one that stands there already, with a 404."""
        name = {value: key for key, value in convert.EMOJI.items()}.get(emoji.value, emoji.value)
        with outside("react to a comment on", paths.named_thread(repository, thread)):
            try:
                self._client.post(f"{paths.thread(repository, thread)}/notes/{note}/award_emoji", {"name": name})
            except GitlabHttpError as refusal:
                if "already been taken" not in said(refusal):
                    raise

    def label(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        """Add labels; GitLab makes those that the project lacks."""
        with outside("label", paths.named(repository, iid)):
            self._client.put(paths.request(repository, iid), {"add_labels": ",".join(labels)})

    def unlabel(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        """Take labels off; GitLab passes over those that it lacks."""
        with outside("take labels off", paths.named(repository, iid)):
            self._client.put(paths.request(repository, iid), {"remove_labels": ",".join(labels)})

    def ask_for_review(self, repository: str, iid: int, reviewers: Sequence[User]) -> None:
        """Ask users for a review, beside those asked already: GitLab replaces the whole list, so it is read first.

        Free tiers keep one reviewer only, and drop the others without a word (GitLab's documentation of reviewers)."""
        with outside("ask for a review of", paths.named(repository, iid)):
            asked = convert.reviewers(self._client.get(paths.request(repository, iid)))
            wanted = list(dict.fromkeys([*asked, *(reviewer.id for reviewer in reviewers)]))
            self._client.put(paths.request(repository, iid), {"reviewer_ids": wanted})

    def set_status(self, repository: str, sha: str, branch: str, status: Status) -> None:
        """Set a commit status; ValueError where its description is longer than 140 characters.

        GitLab refuses to set pending on pending: that counts as done, though the old description stays.
        """
        if len(status.description) > LONGEST_DESCRIPTION:
            raise ValueError(f"a status description has at most {LONGEST_DESCRIPTION} characters")
        body = {
            "state": STATES[status.state],
            "ref": branch,
            "name": status.name,
            "description": status.description,
            "target_url": status.url,
        }
        with outside("set a status on", f"{repository}@{sha[:12]}"):
            try:
                self._client.post(f"{paths.project(repository)}/statuses/{sha}", body)
            except GitlabHttpError as refusal:
                if not _stands(refusal, status.state):
                    raise

    def merge(self, repository: str, iid: int, head: str, message: str) -> str:
        """Merge exactly `head` now, keep its branch; returns the commit on the target branch.

        GitLab answers 401 where the user may not merge into that branch, 409 where the head moved, and 405, 406 or 422
        without a reason where it does not merge: then the merge request is read once more to say why.
        """
        subject = paths.named(repository, iid)
        body = {
            "sha": head,
            "merge_commit_message": message,
            "squash_commit_message": message,
            "should_remove_source_branch": False,
        }
        with outside("merge", subject):
            try:
                answer = self._client.put(f"{paths.request(repository, iid)}/merge", body)
            except GitlabAuthenticationError as refusal:
                cause = f"{said(refusal)}; the bot's user needs a role that is allowed to merge into the target branch"
                raise Permanent("merge", subject, cause) from refusal
            except GitlabHttpError as refusal:
                if refusal.response_code not in (405, 406, 422):
                    raise
                fields = self._client.get(paths.request(repository, iid))
                raise _why_not(subject, head, convert.merge_request(fields), _merge_error(fields)) from refusal
            return _merged_commit(subject, convert.merge_request(answer))

    def close(self, repository: str, iid: int, label: str) -> None:
        """Close unmerged and add the label. Conflict where it is merged meanwhile."""
        subject = paths.named(repository, iid)
        with outside("close", subject):
            body = {"state_event": "close", "add_labels": label}
            found = convert.merge_request(self._client.put(paths.request(repository, iid), body))
        if found.state is not MergeRequestState.closed:
            raise Conflict("close", subject, f"it is {found.state}")


def _merge_error(fields: Json) -> str:
    error = fields.get("merge_error")
    return one_line(error) if isinstance(error, str) else ""


def _stands(refusal: GitlabHttpError, wanted: CheckState) -> bool:
    """Whether GitLab refused because the status says already what was asked for."""
    found = STANDS.search(said(refusal)) if refusal.response_code == 400 else None
    return found is not None and wanted is CheckState.pending and found["state"] in ("pending", "running")


def _merged_commit(subject: str, found: MergeRequest) -> str:
    if found.state is not MergeRequestState.merged:
        raise Transient("merge", subject, f"GitLab took the request but the merge request is still {found.state}")
    if found.merge_commit is None:
        raise Unreadable("merge commit")
    return found.merge_commit


def _why_not(subject: str, head: str, found: MergeRequest, merge_error: str) -> OutsideError:
    """Why GitLab refused to merge, by what the merge request looks like just afterwards."""
    if found.state is not MergeRequestState.opened:
        return Conflict("merge", subject, f"it is {found.state} already")
    if found.head != head:
        return Conflict("merge", subject, f"its head is {found.head[:12]}, not {head[:12]}")
    if found.mergeable is Mergeable.unknown:
        return Transient("merge", subject, f"GitLab has not finished checking it ({found.merge_reason})")
    if found.mergeable is Mergeable.no:
        return Permanent("merge", subject, f"GitLab refuses: {found.merge_reason}")
    if merge_error:
        return Permanent("merge", subject, f"GitLab tried and failed: {merge_error}")
    return Transient("merge", subject, "GitLab refused, but now says that it can be merged")
