"""GitLab's JSON to the values of `policies.model`; forgives what older GitLab versions leave out.

Field names and states are those of GitLab's REST v4 documentation (merge requests, notes, commits, users).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from bot.forges.base import Emoji, Note, Reaction
from bot.forges.gitlab.errors import Unreadable
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

Json = Mapping[str, object]

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

BOT_USERNAME = re.compile(r"(?:project|group)_\d+_bot(?:\d+|_\w+)?|service_account_\w+")
"""Names that GitLab gives the users of project and group access tokens, and of service accounts by default."""

REFUSING = frozenset(
    {
        "blocked_status",
        "broken_status",
        "cannot_be_merged",
        "ci_must_pass",
        "ci_still_running",
        "commits_status",
        "conflict",
        "discussions_not_resolved",
        "draft_status",
        "external_status_checks",
        "jira_association_missing",
        "locked_lfs_files",
        "locked_paths",
        "merge_request_blocked",
        "merge_time",
        "need_rebase",
        "not_approved",
        "not_open",
        "policies_denied",
        "requested_changes",
        "security_policy_pipeline_check",
        "security_policy_violations",
        "status_checks_must_pass",
        "title_not_matching",
        "title_regex",
    }
)
"""`detailed_merge_status` values (and the older `merge_status` ones) that say no."""

ALLOWING = frozenset({"mergeable", "can_be_merged"})

CHECK_STATES = {
    "success": CheckState.success,
    "failed": CheckState.failed,
    "canceled": CheckState.failed,
    "skipped": CheckState.skipped,
}
"""Any other status is still under way, or unknown, which must not pass either (S16)."""


def user(fields: Json) -> User:
    """A user; `bot` by the field where GitLab sends it (`GET /user`), else by the documented names."""
    username = _text(fields, "username")
    bot = fields.get("bot")
    is_bot = bot if isinstance(bot, bool) else BOT_USERNAME.fullmatch(username) is not None
    return User(_number(fields, "id"), username, _text(fields, "name"), is_bot)


def merge_request(fields: Json) -> MergeRequest:
    """A merge request from a list, alone, or from the answer to a write."""
    state = _state(_text(fields, "state"))
    mergeable, reason = _mergeability(fields)
    head = _text(fields, "sha") or _text(_part(fields, "diff_refs"), "head_sha")
    merged = state is MergeRequestState.merged
    closed = state is MergeRequestState.closed
    return MergeRequest(
        iid=_number(fields, "iid"),
        url=_text(fields, "web_url"),
        title=_text(fields, "title"),
        description=_text(fields, "description"),
        state=state,
        source_branch=_required(fields, "source_branch"),
        target_branch=_required(fields, "target_branch"),
        head=head,
        author=_some_user(fields, "author") or User(0, "", "unknown"),
        same_project=_number(fields, "target_project_id") == fields.get("source_project_id"),
        labels=_labels(fields.get("labels")),
        mergeable=mergeable,
        merge_reason=reason,
        created_at=_needed_time(fields, "created_at"),
        updated_at=_needed_time(fields, "updated_at"),
        merged_at=_time(fields, "merged_at") if merged else None,
        # merge_user is also who set auto-merge, so it means something only once merged
        merged_by=(_some_user(fields, "merge_user") or _some_user(fields, "merged_by")) if merged else None,
        merge_commit=merge_commit(fields) if merged else None,
        closed_at=_time(fields, "closed_at") if closed else None,
        closed_by=_some_user(fields, "closed_by") if closed else None,
    )


def merge_commit(fields: Json) -> str | None:
    """What came onto the target branch: the merge commit, the squash, or the head by fast-forward."""
    return _text(fields, "merge_commit_sha") or _text(fields, "squash_commit_sha") or _text(fields, "sha") or None


def note(fields: Json) -> Note:
    """A comment."""
    author = _some_user(fields, "author") or User(0, "", "unknown")
    return Note(_number(fields, "id"), _text(fields, "body"), author, _needed_time(fields, "created_at"))


def checks(statuses: Iterable[Json], me: int) -> tuple[Check, ...]:
    """The newest status (highest id) of each name, by name; one's own hides nobody else's of that name."""
    newest: dict[tuple[str, bool], Check] = {}
    for status in sorted(statuses, key=lambda fields: _number(fields, "id")):
        check = _check(status)
        newest[check.name, check.author_id == me] = check
    return tuple(newest[key] for key in sorted(newest))


EMOJI = {"thumbsup": Emoji.done.value, "thumbsdown": Emoji.refused.value}
"""GitLab's names that differ from those of `Emoji`."""

PERMISSIONS = ((50, Permission.admin), (40, Permission.maintain), (30, Permission.write), (20, Permission.read))
"""Access levels (GitLab's documentation of roles): Owner, Maintainer, Developer, Reporter; a guest reads no code."""


def reaction(fields: Json) -> Reaction:
    """An emoji on a comment."""
    name = _required(fields, "name")
    return Reaction(EMOJI.get(name, name), _some_user(fields, "user") or User(0, "", "unknown"))


def reviews(fields: Json) -> tuple[Review, ...]:
    """Who approves, oldest first; GitLab before 17.9 tells no time, then it is as old as can be."""
    found = fields.get("approved_by")
    rows = [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
    given = [
        Review(user(_part(row, "user")), ReviewState.approved, None, _time(row, "approved_at") or LONG_AGO)
        for row in rows
    ]
    return tuple(sorted(given, key=lambda review: (review.at, review.user.id)))


def reviewers(fields: Json) -> tuple[int, ...]:
    """The ids of who was asked for a review."""
    found = fields.get("reviewers")
    return tuple(_number(one, "id") for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()


def permission(fields: Json) -> Permission:
    """What a member may do; a blocked one nothing."""
    level = _number(fields, "access_level")
    if fields.get("state") == "blocked":
        return Permission.none
    return next((found for least, found in PERMISSIONS if level >= least), Permission.none)


def source_commit(fields: Json) -> SourceCommit:
    """A commit as the approver sees it."""
    return SourceCommit(_required(fields, "id"), _text(fields, "title"), _text(fields, "author_name"))


def branch_head(fields: Json) -> str:
    """The commit that a branch points to."""
    return _required(_part(fields, "commit"), "id")


def compared(fields: Json) -> tuple[SourceCommit, ...]:
    """The commits of a comparison, newest first; GitLab lists them oldest first."""
    commits = fields.get("commits")
    if not isinstance(commits, list):
        raise Unreadable("field 'commits'")
    return tuple(source_commit(commit) for commit in reversed(commits) if isinstance(commit, Mapping))


def _check(fields: Json) -> Check:
    author = _some_user(fields, "author")
    allow_failure = fields.get("allow_failure") is True
    status = _text(fields, "status")
    state = CHECK_STATES.get(status, CheckState.pending)
    if status == "manual" and allow_failure:  # a job that nobody need start
        state = CheckState.skipped
    return Check(
        name=_text(fields, "name"),
        state=state,
        description=_text(fields, "description"),
        url=_text(fields, "target_url"),
        author_id=author.id if author else None,
        allow_failure=allow_failure,
    )


def _mergeability(fields: Json) -> tuple[Mergeable, str]:
    """R8: what is not known to be yes or no is unknown, also a word that GitLab adds one day."""
    word = _text(fields, "detailed_merge_status") or _text(fields, "merge_status")
    if fields.get("state") == "locked":  # a merge is under way
        return Mergeable.unknown, "locked"
    if word in ALLOWING:
        return Mergeable.yes, word
    return (Mergeable.no if word in REFUSING else Mergeable.unknown), word


def _state(word: str) -> MergeRequestState:
    if word in ("locked", "reopened"):  # while it merges; GitLab before 9.2
        return MergeRequestState.opened
    try:
        return MergeRequestState(word)
    except ValueError:
        raise Unreadable("field 'state'") from None


def _labels(labels: object) -> tuple[str, ...]:
    return tuple(label for label in labels if isinstance(label, str)) if isinstance(labels, list) else ()


def _some_user(fields: Json, name: str) -> User | None:
    part = fields.get(name)
    return user(part) if isinstance(part, Mapping) else None


def _part(fields: Json, name: str) -> Json:
    part = fields.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(fields: Json, name: str) -> str:
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def _required(fields: Json, name: str) -> str:
    value = _text(fields, name)
    if not value:
        raise Unreadable(f"field {name!r}")
    return value


def _number(fields: Json, name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Unreadable(f"field {name!r}")
    return value


def _time(fields: Json, name: str) -> datetime | None:
    value = _text(fields, name)
    if not value:
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise Unreadable(f"time in the field {name!r}") from None
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)


def _needed_time(fields: Json, name: str) -> datetime:
    at = _time(fields, name)
    if at is None:
        raise Unreadable(f"field {name!r}")
    return at
