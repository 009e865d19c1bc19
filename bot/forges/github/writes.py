"""The writing half of the GitHub adapter; no write is ever repeated (R5)."""

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import quote

import structlog
from github import GithubException

from bot.errors import Conflict, OutsideError, Permanent, Transient
from bot.forges import fields
from bot.forges.base import Emoji, Note, Proposal, Status
from bot.forges.github import convert
from bot.forges.github.errors import outside, said
from bot.forges.github.webhooks import Webhooks
from policies.model import CheckState, Mergeable, MergeRequest, MergeRequestState, Thread, User

log = structlog.get_logger(__name__)

LONGEST_DESCRIPTION = 140
"""Of a commit status (GitHub's limit)."""

STATES = {
    CheckState.pending: "pending",
    CheckState.success: "success",
    CheckState.failed: "failure",
    CheckState.skipped: "success",
}

METHODS = (("merge", "allow_merge_commit"), ("squash", "allow_squash_merge"), ("rebase", "allow_rebase_merge"))
"""In the order of liking, with the repository's switch: a merge commit keeps head and message, a squash the message; a
rebase makes Towpath's own commit anew, whose message says the same."""


class Writes(Webhooks):
    """What the Forge protocol changes, beside what it reads."""

    def open_request(self, repository: str, proposal: Proposal) -> MergeRequest:
        """Open a pull request, then label it. Conflict where one is open for that branch."""
        body = {
            "title": proposal.title,
            "head": proposal.source_branch,
            "base": proposal.target_branch,
            "body": proposal.description,
            "maintainer_can_modify": False,
        }
        with outside("open a pull request for", f"{repository} {proposal.source_branch}"):
            made = convert.merge_request(self._client.post(repository, f"/repos/{repository}/pulls", body))
        if proposal.labels:
            self.label(repository, made.iid, proposal.labels)
        if proposal.reviewers:
            self._ask_if_possible(repository, made.iid, proposal.reviewers)
        return replace(made, labels=proposal.labels)

    def _ask_if_possible(self, repository: str, iid: int, reviewers: Sequence[User]) -> None:
        """GitHub refuses all (422) where one of them is no collaborator: then each is asked alone."""
        try:
            self.ask_for_review(repository, iid, reviewers)
        except Permanent as refusal:
            for reviewer in reviewers if len(reviewers) > 1 else ():
                self._ask_if_possible(repository, iid, [reviewer])
            log.info("not asked for a review", pull=iid, count=len(reviewers), why=refusal.cause)

    def label(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        """Add labels; GitHub makes those that the repository lacks."""
        with outside("label", f"{repository}#{iid}"):
            self._client.add(repository, f"/repos/{repository}/issues/{iid}/labels", {"labels": list(labels)})

    def ask_for_review(self, repository: str, iid: int, reviewers: Sequence[User]) -> None:
        """Ask users for a review. Permanent where GitHub takes one for no collaborator, or for the author."""
        body = {"reviewers": [reviewer.username for reviewer in reviewers]}
        with outside("ask for a review of", f"{repository}#{iid}"):
            answer = self._client.post(repository, f"/repos/{repository}/pulls/{iid}/requested_reviewers", body)
            fields.number(answer, "number")

    def unlabel(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        """Take labels off, one by one; GitHub answers 404 in words of its own where one is not there."""
        with outside("take labels off", f"{repository}#{iid}"):
            for label in labels:
                try:
                    self._client.delete(repository, f"/repos/{repository}/issues/{iid}/labels/{quote(label, safe='')}")
                except GithubException as refusal:
                    if not (refusal.status == 404 and "Label does not exist" in said(refusal)):
                        raise

    def add_note(
        self,
        repository: str,
        thread: Thread,
        body: str,
        *,
        internal: bool = False,  # noqa: ARG002 GitHub has none
    ) -> Note:
        """Comment."""
        path = f"/repos/{repository}/issues/{thread.iid}/comments"
        with outside("comment on", f"{repository}#{thread.iid}"):
            return convert.note(self._client.post(repository, path, {"body": body}))

    def edit_note(self, repository: str, thread: Thread, note: int, body: str) -> None:
        """Replace a comment's text."""
        with outside("edit a comment on", f"{repository}#{thread.iid}"):
            answer = self._client.patch(repository, f"/repos/{repository}/issues/comments/{note}", {"body": body})
            fields.number(answer, "id")

    def delete_note(self, repository: str, thread: Thread, note: int) -> None:
        """Remove a comment."""
        with outside("remove a comment from", f"{repository}#{thread.iid}"):
            self._client.delete(repository, f"/repos/{repository}/issues/comments/{note}")

    def react(self, repository: str, thread: Thread, note: int, emoji: Emoji) -> None:
        """Give a comment a reaction; GitHub answers with the one that stands there already."""
        with outside("react to a comment on", f"{repository}#{thread.iid}"):
            path = f"/repos/{repository}/issues/comments/{note}/reactions"
            fields.number(self._client.post(repository, path, {"content": emoji.value}), "id")

    def set_status(self, repository: str, sha: str, branch: str, status: Status) -> None:  # noqa: ARG002 as the protocol
        """Set a commit status; ValueError where its description is longer than 140 characters."""
        if len(status.description) > LONGEST_DESCRIPTION:
            raise ValueError(f"a status description has at most {LONGEST_DESCRIPTION} characters")
        body = {
            "state": STATES[status.state],
            "context": status.name,
            "description": status.description,
            "target_url": status.url,
        }
        with outside("set a status on", f"{repository}@{sha[:12]}"):
            fields.number(self._client.post(repository, f"/repos/{repository}/statuses/{sha}", body), "id")

    def merge(self, repository: str, iid: int, head: str, message: str) -> str:
        """Merge exactly `head` now, by the first method that the repository allows; keeps its branch.

        GitHub answers 409 where the head moved, 405 where it will not merge (now, or at all) and says why in words: the
        pull request is read once more to tell which.
        """
        subject = f"{repository}#{iid}"
        with outside("merge", subject):
            methods = self._methods(repository)
            for method in methods:
                try:
                    return self._merged(repository, iid, head, (method, message))
                except GithubException as refusal:
                    if refusal.status == 405 and _of_method(said(refusal)) and method != methods[-1]:
                        continue  # nothing was merged: a rule of the branch wants another method
                    if refusal.status != 405:
                        raise
                    found = convert.merge_request(self._client.get(repository, f"/repos/{repository}/pulls/{iid}"))
                    raise _why_not(subject, head, found, said(refusal)) from refusal
        raise Permanent("merge", subject, "the repository allows no method of merging")

    def _merged(self, repository: str, iid: int, head: str, how: tuple[str, str]) -> str:
        method, message = how
        title, _, text = message.partition("\n")
        body = {"sha": head, "merge_method": method, "commit_title": title, "commit_message": text.strip("\n")}
        return fields.required(self._client.put(repository, f"/repos/{repository}/pulls/{iid}/merge", body), "sha")

    def close(self, repository: str, iid: int, label: str) -> None:
        """Close unmerged and add the label, by one read and one write. Conflict where it is merged meanwhile."""
        subject, path = f"{repository}#{iid}", f"/repos/{repository}/issues/{iid}"
        with outside("close", subject):
            labels = [fields.text(one, "name") for one in fields.items(self._client.get(repository, path), "labels")]
            wanted = {"state": "closed", "labels": list(dict.fromkeys([*labels, label]))}
            found = self._client.patch(repository, path, wanted)
        if fields.text(fields.part(found, "pull_request"), "merged_at"):
            raise Conflict("close", subject, "it is merged")
        if found.get("state") != "closed":
            raise Conflict("close", subject, f"it is {found.get('state')}")

    def _methods(self, repository: str) -> tuple[str, ...]:
        """What the repository allows just now. GitHub shows the switches to who may write; unseen ones are tried."""
        known = self._client.get(repository, f"/repos/{repository}")
        return tuple(method for method, switch in METHODS if known.get(switch, True) is True)


def _of_method(words: str) -> bool:
    """Whether GitHub refuses the method of merging and not the merge."""
    return any(sign in words.lower() for sign in ("merge commits", "squash merges", "rebase merges", "merge method"))


def _why_not(subject: str, head: str, found: MergeRequest, words: str) -> OutsideError:
    """Why GitHub refused to merge, by what the pull request looks like just afterwards and by what GitHub said."""
    if found.state is not MergeRequestState.opened:
        return Conflict("merge", subject, f"it is {found.state} already")
    if found.head != head:
        return Conflict("merge", subject, f"its head is {found.head[:12]}, not {head[:12]}")
    if "Base branch was modified" in words or found.mergeable is Mergeable.unknown:
        return Transient("merge", subject, f"GitHub has not finished looking at it ({words})")
    return Permanent("merge", subject, f"GitHub refuses: {words}")
