"""GitLab's JSON to the values of `policies.model`; forgives what older GitLab versions leave out.

Field names and states are those of GitLab's REST v4 documentation (merge requests, notes, commits, users).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.forges.base import Emoji, Issue, LabelChange, Note, Reaction
from bot.forges.failures import Unreadable
from bot.forges.fields import Json, needed_time, number, part, required, text, time
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
    username = text(fields, "username")
    bot = fields.get("bot")
    is_bot = bot if isinstance(bot, bool) else BOT_USERNAME.fullmatch(username) is not None
    return User(number(fields, "id"), username, text(fields, "name"), is_bot)


def merge_request(fields: Json) -> MergeRequest:
    """A merge request from a list, alone, or from the answer to a write."""
    state = _state(text(fields, "state"))
    mergeable, reason = _mergeability(fields)
    head = text(fields, "sha") or text(part(fields, "diff_refs"), "head_sha")
    merged = state is MergeRequestState.merged
    closed = state is MergeRequestState.closed
    return MergeRequest(
        iid=number(fields, "iid"),
        url=text(fields, "web_url"),
        title=text(fields, "title"),
        description=text(fields, "description"),
        state=state,
        source_branch=required(fields, "source_branch"),
        target_branch=required(fields, "target_branch"),
        head=head,
        author=_some_user(fields, "author") or User(0, "", "unknown"),
        same_project=number(fields, "target_project_id") == fields.get("source_project_id"),
        labels=_labels(fields.get("labels")),
        mergeable=mergeable,
        merge_reason=reason,
        created_at=needed_time(fields, "created_at"),
        updated_at=needed_time(fields, "updated_at"),
        merged_at=time(fields, "merged_at") if merged else None,
        # merge_user is also who set auto-merge, so it means something only once merged
        merged_by=(_some_user(fields, "merge_user") or _some_user(fields, "merged_by")) if merged else None,
        merge_commit=merge_commit(fields) if merged else None,
        closed_at=time(fields, "closed_at") if closed else None,
        closed_by=_some_user(fields, "closed_by") if closed else None,
    )


def merge_commit(fields: Json) -> str | None:
    """What came onto the target branch: the merge commit, the squash, or the head by fast-forward."""
    return text(fields, "merge_commit_sha") or text(fields, "squash_commit_sha") or text(fields, "sha") or None


EDITED_AFTER = timedelta(seconds=1)
"""A comment that was changed later than this after it was made counts as edited."""


def note(fields: Json, page: str) -> Note:
    """A comment; `page` is its web address up to its number.

    GitLab's REST tells no time of an edit, and an emoji too sets `updated_at` (`Note#bump_updated_at`). So a comment
    that got one later than a second after it was made counts as edited, as does one without the field: fails closed."""
    made, changed, identity = needed_time(fields, "created_at"), time(fields, "updated_at"), number(fields, "id")
    return Note(
        id=identity,
        body=text(fields, "body"),
        author=_some_user(fields, "author") or User(0, "", "unknown"),
        created_at=made,
        edited=changed is None or changed > made + EDITED_AFTER,
        internal=fields.get("internal") is True or fields.get("confidential") is True,  # its name before GitLab 15
        url=f"{page}{identity}",
    )


def issue(fields: Json) -> Issue:
    """An issue, from a list or alone."""
    return Issue(
        iid=number(fields, "iid"),
        url=text(fields, "web_url"),
        title=text(fields, "title"),
        open=required(fields, "state") == "opened",
        labels=_labels(fields.get("labels")),
        author=_some_user(fields, "author") or User(0, "", "unknown"),
        updated_at=needed_time(fields, "updated_at"),
        confidential=fields.get("confidential") is True,
    )


def label_changes(found: Iterable[Json]) -> tuple[LabelChange, ...]:
    """The label log, oldest first; of a label that is deleted GitLab tells no name."""
    rows = sorted(found, key=lambda fields: (needed_time(fields, "created_at"), number(fields, "id")))
    return tuple(
        LabelChange(
            required(part(row, "label"), "name"),
            _some_user(row, "user") or User(0, "", "unknown"),
            required(row, "action") == "add",
            needed_time(row, "created_at"),
        )
        for row in rows
        if part(row, "label")
    )


def checks(statuses: Iterable[Json], me: int) -> tuple[Check, ...]:
    """The newest status (highest id) of each name, by name; one's own hides nobody else's of that name."""
    newest: dict[tuple[str, bool], Check] = {}
    for status in sorted(statuses, key=lambda fields: number(fields, "id")):
        check = _check(status)
        newest[check.name, check.author_id == me] = check
    return tuple(newest[key] for key in sorted(newest))


EMOJI = {"tada": Emoji.done.value, "thumbsdown": Emoji.refused.value}
"""GitLab's names that differ from those of `Emoji`."""

PERMISSIONS = ((50, Permission.admin), (40, Permission.maintain), (30, Permission.write), (20, Permission.read))
"""Access levels (GitLab's documentation of roles): Owner, Maintainer, Developer, Reporter; a guest reads no code."""


LEVELS = {"developer": 30, "maintainer": 40, "owner": 50}
"""Roles as CODEOWNERS names them, each for itself (GitLab's documentation of code owners)."""


def reaction(fields: Json) -> Reaction:
    """An emoji on a comment."""
    name = required(fields, "name")
    return Reaction(EMOJI.get(name, name), _some_user(fields, "user") or User(0, "", "unknown"))


def reviews(fields: Json) -> tuple[Review, ...]:
    """Who approves, oldest first; GitLab before 17.9 tells no time, then it is as old as can be."""
    found = fields.get("approved_by")
    rows = [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
    given = [
        Review(user(part(row, "user")), ReviewState.approved, None, time(row, "approved_at") or LONG_AGO)
        for row in rows
    ]
    return tuple(sorted(given, key=lambda review: (review.at, review.user.id)))


def since_version(reviews: Iterable[Review], versions: Iterable[Json]) -> tuple[Review, ...]:
    """The reviews with the newest version's head, but for those given before it was there; they keep none."""
    known = sorted(versions, key=lambda version: number(version, "id"))
    if not known:
        raise Unreadable("list of versions")
    head, since = required(known[-1], "head_commit_sha"), needed_time(known[-1], "created_at")
    return tuple(
        replace(review, sha=head) if review.at >= since or (review.at == LONG_AGO and len(known) == 1) else review
        for review in reviews
    )


def reviewers(fields: Json) -> tuple[int, ...]:
    """The ids of who was asked for a review."""
    found = fields.get("reviewers")
    return tuple(number(one, "id") for one in found if isinstance(one, Mapping)) if isinstance(found, list) else ()


def permission(fields: Json) -> Permission:
    """What a member may do; a blocked one nothing."""
    level = number(fields, "access_level")
    if fields.get("state") == "blocked":
        return Permission.none
    return next((found for least, found in PERMISSIONS if level >= least), Permission.none)


def source_commit(fields: Json) -> SourceCommit:
    """A commit as the approver sees it."""
    return SourceCommit(required(fields, "id"), text(fields, "title"), text(fields, "author_name"))


def branch_head(fields: Json) -> str:
    """The commit that a branch points to."""
    return required(part(fields, "commit"), "id")


def compared(fields: Json) -> tuple[SourceCommit, ...]:
    """The commits of a comparison, newest first; GitLab lists them oldest first."""
    commits = fields.get("commits")
    if not isinstance(commits, list):
        raise Unreadable("field 'commits'")
    return tuple(source_commit(commit) for commit in reversed(commits) if isinstance(commit, Mapping))


def _check(fields: Json) -> Check:
    author = _some_user(fields, "author")
    allow_failure = fields.get("allow_failure") is True
    status = text(fields, "status")
    state = CHECK_STATES.get(status, CheckState.pending)
    if status == "manual" and allow_failure:  # a job that nobody need start
        state = CheckState.skipped
    return Check(
        name=text(fields, "name"),
        state=state,
        description=text(fields, "description"),
        url=text(fields, "target_url"),
        author_id=author.id if author else None,
        allow_failure=allow_failure,
    )


def _mergeability(fields: Json) -> tuple[Mergeable, str]:
    """R8: what is not known to be yes or no is unknown, also a word that GitLab adds one day."""
    word = text(fields, "detailed_merge_status") or text(fields, "merge_status")
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
