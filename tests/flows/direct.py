"""A forge in one process, for property tests: the protocol over a bare repository and a dictionary, no HTTP.

It is as strict as the sandbox where the properties look: one open merge request a branch, exact heads, real merges."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pygit2

from bot.errors import Conflict, Permanent
from bot.forges.base import (
    Emoji,
    GitAccess,
    Installed,
    Issue,
    LabelChange,
    Note,
    Proposal,
    Reaction,
    Recovery,
    Status,
    Webhook,
)
from policies.enforcement import Guard
from policies.model import (
    Check,
    Mergeable,
    MergeRequest,
    MergeRequestState,
    Permission,
    Review,
    SourceCommit,
    Thread,
    User,
)
from policies.standing import Credential, Hook

BOT = User(1, "towpath", "Towpath", bot=True)
PERSON = User(2, "mira", "Mira")
HEADS = "refs/heads/"


@dataclass
class DirectForge:
    """State is plain attributes; tests act as people through `close_as`, `merge_as` and `commit_as`."""

    folder: Path
    name: str = "direct"
    now: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)
    requests: dict[int, MergeRequest] = field(default_factory=dict)
    statuses: dict[str, dict[str, Check]] = field(default_factory=dict)
    comments: dict[int, list[Note]] = field(default_factory=dict)
    """Those of each merge request."""
    issue_comments: dict[int, list[Note]] = field(default_factory=dict)
    all_issues: dict[int, Issue] = field(default_factory=dict)
    emoji: dict[int, list[Reaction]] = field(default_factory=dict)
    """The reactions to each comment."""
    label_log: dict[int, list[LabelChange]] = field(default_factory=dict)
    """Who changed the labels of each merge request."""
    user: User = BOT
    kind: Literal["gitlab", "github"] = "gitlab"
    people: dict[str, Sequence[User]] = field(default_factory=dict)
    """What names of CODEOWNERS stand for."""
    rights: dict[int, Permission] = field(default_factory=dict)
    given: dict[int, list[Review]] = field(default_factory=dict)
    """The reviews of each merge request."""
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100))

    def __post_init__(self) -> None:
        self.git = pygit2.init_repository(str(self.folder), bare=True, initial_head="main")

    # What people and time do.

    def pass_time(self, step: timedelta = timedelta(minutes=1)) -> None:
        self.now += step

    def commit_as(
        self, files: dict[str, str | None], branch: str = "main", message: str = "change", base: str = ""
    ) -> str:
        """A commit by a person straight onto a branch."""
        reference = self.git.references.get(HEADS + branch)
        parent = str(reference.target) if reference is not None else base
        index = pygit2.Index()
        if parent:
            index.read_tree(self.git[parent].peel(pygit2.Tree))
        for path, text in files.items():
            if text is None:
                index.remove(path)
            else:
                blob = self.git.create_blob(text.encode())
                index.add(pygit2.IndexEntry(path, blob, pygit2.enums.FileMode.BLOB))
        return self._commit(str(index.write_tree(self.git)), [parent] if parent else [], message, branch)

    def _commit(self, tree: str, parents: list[str], message: str, branch: str) -> str:
        who = pygit2.Signature("Mira", "mira@example.com", int(self.now.timestamp()), 0)
        ids = [pygit2.Oid(hex=parent) for parent in parents]
        commit = str(self.git.create_commit(None, who, who, message, pygit2.Oid(hex=tree), ids))
        self.git.references.create(HEADS + branch, commit, force=True)
        self.pass_time(timedelta(seconds=1))
        return commit

    def read(self, path: str) -> str:
        """A file on the target branch."""
        tree = self.git[self.head("r", "main")].peel(pygit2.Tree)
        blob = tree[path]
        assert isinstance(blob, pygit2.Blob)
        return blob.data.decode()

    def close_as(self, iid: int, user: User = PERSON) -> None:
        self._update(iid, state=MergeRequestState.closed, closed_by=user, closed_at=self.now)

    def reopen_as(self, iid: int) -> None:
        self._update(iid, state=MergeRequestState.opened, closed_by=None, closed_at=None)

    def merge_as(self, iid: int, user: User = PERSON) -> str:
        """Merge by a person, with the forge's own message."""
        return self._merge(self._fresh(iid), f"Merge !{iid}", user)

    def check_as(self, iid: int, check: Check) -> None:
        self.statuses.setdefault(self._fresh(iid).head, {})[check.name] = check

    def revert_as(self, commit: str) -> str:
        """Undo a commit of the target branch against its first parent."""
        undone = self.git[commit].peel(pygit2.Commit)
        head = self.head("r", "main")
        index = self.git.merge_trees(undone.tree, self.git[head].peel(pygit2.Tree), undone.parents[0].tree)
        assert index.conflicts is None
        return self._commit(str(index.write_tree(self.git)), [head], "Revert", "main")

    def comment_as(self, thread: Thread, body: str, user: User = PERSON) -> Note:
        """A person comments."""
        place = "issues" if thread.issue else "requests"
        number = next(self.numbers)
        url = f"https://forge.example.com/r/{place}/{thread.iid}#note_{number}"
        self._talk(thread).append(Note(number, body, user, self.now, edited=False, internal=False, url=url))
        return self._talk(thread)[-1]

    def issue_as(self, iid: int, title: str, *labels: str, user: User = PERSON) -> Issue:
        """A person opens an issue."""
        self.all_issues[iid] = Issue(iid, f"https://forge.example.com/i/{iid}", title, True, labels, user, self.now)
        return self.all_issues[iid]

    def label_as(self, iid: int, labels: Sequence[str], user: User = PERSON, *, added: bool = True) -> None:
        """A person adds labels to a merge request, or takes them off."""
        before = self.requests[iid].labels
        changed = [label for label in dict.fromkeys(labels) if (label in before) != added]
        kept = tuple(label for label in before if label not in changed)
        self._update(iid, labels=(*before, *changed) if added else kept)
        self.label_log.setdefault(iid, []).extend(LabelChange(one, user, added, self.now) for one in changed)

    def opened(self) -> list[MergeRequest]:
        """The open merge requests."""
        return [self._fresh(iid) for iid, one in self.requests.items() if one.state is MergeRequestState.opened]

    # The protocol.

    def me(self) -> User:
        return self.user

    def access(self, repository: str) -> GitAccess:
        return GitAccess(str(self.folder), "", "")

    def default_branch(self, repository: str) -> str:
        return "main"

    def head(self, repository: str, branch: str) -> str:
        reference = self.git.references.get(HEADS + branch)
        if reference is None:
            raise Permanent("read", branch, "there is none")
        return str(reference.target)

    def open_requests(self, repository: str, label: str) -> Sequence[MergeRequest]:
        return [one for one in self.opened() if label in one.labels]

    def requests_from(self, repository: str, source_branch: str) -> Sequence[MergeRequest]:
        found = [self._fresh(iid) for iid, one in self.requests.items() if one.source_branch == source_branch]
        return found[::-1]

    def request(self, repository: str, iid: int) -> MergeRequest:
        return self._fresh(iid)

    def updated_requests(self, repository: str, since: datetime) -> Sequence[MergeRequest]:
        return [one for one in self.requests.values() if one.updated_at >= since]

    def checks(self, repository: str, sha: str) -> Sequence[Check]:
        return tuple(self.statuses.get(sha, {}).values())

    def issues(self, repository: str, label: str, since: datetime | None) -> Sequence[Issue]:
        found = [one for one in self.all_issues.values() if one.open and label in one.labels]
        return [one for one in found if since is None or one.updated_at >= since]

    def issue(self, repository: str, iid: int) -> Issue:
        if iid not in self.all_issues:
            raise Permanent("read issue", f"#{iid}", "there is none")
        return self.all_issues[iid]

    def label_changes(self, repository: str, thread: Thread) -> Sequence[LabelChange]:
        return () if thread.issue else tuple(self.label_log.get(thread.iid, ()))

    def notes(self, repository: str, thread: Thread) -> Sequence[Note]:
        return tuple(self._talk(thread))

    def reactions(self, repository: str, thread: Thread, note: int) -> Sequence[Reaction]:
        return tuple(self.emoji.get(note, ()))

    def reviews(self, repository: str, iid: int) -> Sequence[Review]:
        return tuple(self.given.get(iid, ()))

    def members(self, repository: str, group: str) -> Sequence[User]:
        return ()

    def named(self, repository: str, name: str) -> Sequence[User] | None:
        return self.people.get(name)

    def permission(self, repository: str, who: User) -> Permission:
        return self.rights.get(who.id, Permission.none)

    def commits_between(self, source: str, old: str, new: str) -> Sequence[SourceCommit]:
        return ()

    def open_request(self, repository: str, proposal: Proposal) -> MergeRequest:
        if any(one.source_branch == proposal.source_branch and one.same_project for one in self.opened()):
            raise Conflict("open", proposal.source_branch, "another open merge request exists")
        iid = len(self.requests) + 1
        self.requests[iid] = MergeRequest(
            iid,
            f"https://forge.example.com/r/{iid}",
            proposal.title,
            proposal.description,
            MergeRequestState.opened,
            proposal.source_branch,
            proposal.target_branch,
            self.head("r", proposal.source_branch),
            self.user,
            True,
            proposal.labels,
            Mergeable.unknown,
            "checking",
            self.now,
            self.now,
        )
        return self.requests[iid]

    def add_note(self, repository: str, thread: Thread, body: str, *, internal: bool = False) -> Note:
        made = replace(self.comment_as(thread, body, self.user), internal=internal)
        self._talk(thread)[-1] = made
        return made

    def edit_note(self, repository: str, thread: Thread, note: int, body: str) -> None:
        notes = self._talk(thread)
        notes[:] = [replace(one, body=body, edited=True) if one.id == note else one for one in notes]

    def delete_note(self, repository: str, thread: Thread, note: int) -> None:
        self._talk(thread)[:] = [one for one in self._talk(thread) if one.id != note]

    def react(self, repository: str, thread: Thread, note: int, emoji: Emoji) -> None:
        given, mine = self.emoji.setdefault(note, []), Reaction(emoji.value, self.user)
        given += [] if mine in given else [mine]

    def label(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        self.label_as(iid, labels, self.user)

    def unlabel(self, repository: str, iid: int, labels: Sequence[str]) -> None:
        self.label_as(iid, labels, self.user, added=False)

    def ask_for_review(self, repository: str, iid: int, reviewers: Sequence[User]) -> None:
        raise NotImplementedError

    def set_status(self, repository: str, sha: str, branch: str, status: Status) -> None:
        check = Check(status.name, status.state, status.description, status.url, self.user.id)
        self.statuses.setdefault(sha, {})[status.name] = check

    def merge(self, repository: str, iid: int, head: str, message: str) -> str:
        request = self._fresh(iid)
        if request.head != head:
            raise Conflict("merge", f"!{iid}", "the head moved")
        if request.mergeable is not Mergeable.yes:
            raise Permanent("merge", f"!{iid}", request.merge_reason)
        return self._merge(request, message, self.user)

    def install_webhook(self, repository: str, webhook: Webhook) -> Installed:
        raise NotImplementedError

    def recover(self, repository: str, path: str, since: datetime) -> Recovery:
        return Recovery()

    def guard(self, repository: str, branch: str) -> Guard:
        raise NotImplementedError

    def credential(self, repository: str) -> Credential:
        raise NotImplementedError

    def hooks(self, repository: str, path: str) -> Sequence[Hook]:
        raise NotImplementedError

    def close(self, repository: str, iid: int, label: str) -> None:
        self._update(iid, labels=(*self.requests[iid].labels, label))
        self.close_as(iid, self.user)

    # Inside.

    def _talk(self, thread: Thread) -> list[Note]:
        kept = self.issue_comments if thread.issue else self.comments
        return kept.setdefault(thread.iid, [])

    def _fresh(self, iid: int) -> MergeRequest:
        request = self.requests[iid]
        if request.state is not MergeRequestState.opened:
            return request
        head = self.head("r", request.source_branch)
        index = self.git.merge_commits(self.head("r", "main"), head)
        yes = index.conflicts is None
        return replace(
            request,
            head=head,
            mergeable=Mergeable.yes if yes else Mergeable.no,
            merge_reason="mergeable" if yes else "conflict",
        )

    def _merge(self, request: MergeRequest, message: str, user: User) -> str:
        main = self.head("r", "main")
        index = self.git.merge_commits(main, request.head)
        assert index.conflicts is None
        commit = self._commit(str(index.write_tree(self.git)), [main, request.head], message, "main")
        self._update(
            request.iid,
            state=MergeRequestState.merged,
            head=request.head,
            merged_by=user,
            merged_at=self.now,
            merge_commit=commit,
        )
        return commit

    def _update(self, iid: int, **changes: object) -> None:
        self.requests[iid] = replace(self.requests[iid], updated_at=self.now, **changes)  # type: ignore[arg-type] # any field
