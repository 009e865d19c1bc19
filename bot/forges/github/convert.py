"""GitHub's JSON to the values of `policies.model`.

Field names and states are those of GitHub's REST documentation (pulls, issues, reviews, statuses, check runs).
"""

from collections.abc import Iterable, Mapping

from bot.forges.base import Issue, LabelChange, Note, Reaction
from bot.forges.failures import Unreadable
from bot.forges.fields import Json, items, needed_time, number, part, required, text, time
from policies.model import (
    Check,
    CheckState,
    Mergeable,
    MergeRequest,
    MergeRequestState,
    Permission,
    Review,
    ReviewState,
    SourceCommit,
    User,
)

ALLOWING = frozenset({"clean", "has_hooks", "unstable"})
"""`mergeable_state` values with which a merge is taken; `unstable` fails only checks that nobody requires."""

REFUSING = frozenset({"behind", "blocked", "dirty", "draft"})

STATUS_STATES = {
    "success": CheckState.success,
    "failure": CheckState.failed,
    "error": CheckState.failed,
}

CONCLUSIONS = {
    "success": CheckState.success,
    "neutral": CheckState.skipped,
    "skipped": CheckState.skipped,
    "failure": CheckState.failed,
    "cancelled": CheckState.failed,
    "timed_out": CheckState.failed,
    "action_required": CheckState.failed,
    "startup_failure": CheckState.failed,
    "stale": CheckState.failed,
}
"""Any other conclusion is unknown, which must not pass either (S16)."""

HIDDEN_RUNS = Check("check runs (the token may not read them: use a GitHub App with Checks: read)", CheckState.pending)
"""Stands for check runs that the token may not read."""

VERDICTS = {"APPROVED": ReviewState.approved, "CHANGES_REQUESTED": ReviewState.changes_requested, "DISMISSED": None}
"""A comment says neither yes nor no, and leaves the user's earlier word standing; so does a review not yet sent."""

PERMISSIONS = {
    "admin": Permission.admin,
    "maintain": Permission.maintain,
    "write": Permission.write,
    "triage": Permission.read,
    "read": Permission.read,
}


def user(fields: Json) -> User:
    """A user; Apps act as users of type Bot."""
    return User(number(fields, "id"), text(fields, "login"), text(fields, "name"), fields.get("type") == "Bot")


def some_user(fields: Json, name: str) -> User | None:
    """A user, or None where the account is gone."""
    found = fields.get(name)
    return user(found) if isinstance(found, Mapping) else None


def merge_request(fields: Json, closed_by: User | None = None) -> MergeRequest:
    """A pull request; one from a list tells neither whether it merges nor who merged it."""
    state = _state(fields)
    mergeable, reason = _mergeability(fields)
    head, base = part(fields, "head"), part(fields, "base")
    merged, closed = state is MergeRequestState.merged, state is MergeRequestState.closed
    return MergeRequest(
        iid=number(fields, "number"),
        url=text(fields, "html_url"),
        title=text(fields, "title"),
        description=text(fields, "body"),
        state=state,
        source_branch=required(head, "ref"),
        target_branch=required(base, "ref"),
        head=required(head, "sha"),
        author=some_user(fields, "user") or User(0, "", "unknown"),
        same_project=part(head, "repo").get("id") == part(base, "repo").get("id"),
        labels=tuple(text(label, "name") for label in items(fields, "labels")),
        mergeable=mergeable if state is MergeRequestState.opened else Mergeable.no,
        merge_reason=reason if state is MergeRequestState.opened else state.value,
        created_at=needed_time(fields, "created_at"),
        updated_at=needed_time(fields, "updated_at"),
        merged_at=time(fields, "merged_at"),
        merged_by=some_user(fields, "merged_by") if merged else None,
        # before the merge this is a trial commit of GitHub's own
        merge_commit=text(fields, "merge_commit_sha") or None if merged else None,
        closed_at=time(fields, "closed_at") if closed else None,
        closed_by=closed_by if closed else None,
    )


def note(fields: Json) -> Note:
    """A comment; an edit sets `updated_at`, a reaction does not. One without the field counts as edited."""
    made, changed = needed_time(fields, "created_at"), time(fields, "updated_at")
    return Note(
        id=number(fields, "id"),
        body=text(fields, "body"),
        author=some_user(fields, "user") or User(0, "", "unknown"),
        created_at=made,
        edited=changed is None or changed > made,
        internal=False,
        url=text(fields, "html_url"),
    )


def issue(fields: Json) -> Issue:
    """An issue, from a list or alone; a pull request is one that has a `pull_request`."""
    return Issue(
        iid=number(fields, "number"),
        url=text(fields, "html_url"),
        title=text(fields, "title"),
        open=required(fields, "state") == "open",
        labels=tuple(text(label, "name") for label in items(fields, "labels")),
        author=some_user(fields, "user") or User(0, "", "unknown"),
        updated_at=needed_time(fields, "updated_at"),
    )


def label_changes(found: Iterable[Json]) -> tuple[LabelChange, ...]:
    """Of an issue's events those about labels, oldest first."""
    rows = [row for row in found if row.get("event") in ("labeled", "unlabeled") and part(row, "label")]
    rows.sort(key=lambda row: (needed_time(row, "created_at"), number(row, "id")))
    return tuple(
        LabelChange(
            required(part(row, "label"), "name"),
            some_user(row, "actor") or User(0, "", "unknown"),
            row.get("event") == "labeled",
            needed_time(row, "created_at"),
        )
        for row in rows
    )


def reaction(fields: Json) -> Reaction:
    """A reaction; `content` is GitHub's word for it."""
    return Reaction(required(fields, "content"), some_user(fields, "user") or User(0, "", "unknown"))


def checks(statuses: Iterable[Json], runs: Iterable[Json], me: int) -> tuple[Check, ...]:
    """The newest status of each context, one's own apart, and the newest run of each name in each suite.

    Two workflows may have a job of one name: each has a suite of its own, and so hides nothing of the other (S16)."""
    newest: dict[tuple[str, ...], Check] = {}
    for fields in sorted(statuses, key=lambda one: number(one, "id")):
        check = _status(fields)
        newest["status", check.name, str(check.author_id == me)] = check
    for fields in sorted(runs, key=lambda one: number(one, "id")):
        newest["run", text(fields, "name"), str(part(fields, "check_suite").get("id"))] = _run(fields)
    return tuple(sorted(newest.values(), key=lambda check: (check.name, check.author_id or 0)))


def reviews(found: Iterable[Json]) -> tuple[Review, ...]:
    """Each user's standing word: the newest that says yes or no, unless it was dismissed (by user id, oldest first)."""
    standing: dict[int, Review] = {}
    for fields in sorted(found, key=lambda one: number(one, "id")):
        author, state = some_user(fields, "user"), text(fields, "state")
        if author is None or state not in VERDICTS:
            continue
        verdict = VERDICTS[state]
        standing.pop(author.id, None)
        if verdict is not None:
            at = needed_time(fields, "submitted_at")
            standing[author.id] = Review(author, verdict, text(fields, "commit_id") or None, at)
    return tuple(sorted(standing.values(), key=lambda review: (review.at, review.user.id)))


def permission(fields: Json) -> Permission:
    """What a collaborator may do; a role of the organisation's own counts as the plain permission beside it."""
    role = PERMISSIONS.get(text(fields, "role_name"))
    return role or PERMISSIONS.get(text(fields, "permission"), Permission.none)


def compared(fields: Iterable[Json]) -> tuple[SourceCommit, ...]:
    """The commits of a comparison, newest first; GitHub lists them oldest first."""
    return tuple(source_commit(commit) for commit in fields)[::-1]


def source_commit(fields: Json) -> SourceCommit:
    """A commit as the approver sees it."""
    commit = part(fields, "commit")
    title = text(commit, "message").strip().partition("\n")[0]
    return SourceCommit(required(fields, "sha"), title, text(part(commit, "author"), "name"))


def _status(fields: Json) -> Check:
    author = some_user(fields, "creator")
    return Check(
        name=text(fields, "context"),
        state=STATUS_STATES.get(text(fields, "state"), CheckState.pending),
        description=text(fields, "description"),
        url=text(fields, "target_url"),
        author_id=author.id if author else None,
    )


def _run(fields: Json) -> Check:
    return Check(
        name=text(fields, "name"),
        state=CONCLUSIONS.get(text(fields, "conclusion"), CheckState.pending),
        description=text(part(fields, "output"), "title"),
        url=text(fields, "html_url"),
    )


def _state(fields: Json) -> MergeRequestState:
    word = text(fields, "state")
    if word == "open":
        return MergeRequestState.opened
    if word != "closed":
        raise Unreadable("field 'state'")
    return MergeRequestState.merged if text(fields, "merged_at") else MergeRequestState.closed


def _mergeability(fields: Json) -> tuple[Mergeable, str]:
    """R8: null, and what is not known to be yes or no, is unknown, also a word that GitHub adds one day."""
    word, mergeable = text(fields, "mergeable_state") or "unknown", fields.get("mergeable")
    if mergeable is False:
        return Mergeable.no, word
    if mergeable is True and word in ALLOWING:
        return Mergeable.yes, word
    return (Mergeable.no if word in REFUSING else Mergeable.unknown), word
