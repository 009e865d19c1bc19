"""GitLab's project, group and system hooks. Nothing in them is a fact to act upon: they say where to look again.

The payloads: docs.gitlab.com/user/project/integrations/webhook_events. The kind is read from the body, because no
signature covers the header X-Gitlab-Event.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit

from bot.hooks import fields, signatures
from bot.hooks.events import REPORT, Changed, Event, Ignored, Malformed, Unverified
from bot.hooks.signatures import Credentials
from policies.naming import REPORT_MARK
from policies.wording.quote import one_line

_REQUEST_REF = re.compile(r"refs/merge-requests/([0-9]{1,18})/(?:head|merge|train)")
_NOWHERE = re.compile(r"0{40}|0{64}")
"""The commit of a branch that is not there: `after` of a deletion."""


class _Kind(fields.Payload):
    object_kind: str | None = None
    event_name: str | None = None


class _User(fields.Payload):
    id: fields.Number | None = None


class _Project(fields.Payload):
    path_with_namespace: fields.ProjectPath


class _Repository(fields.Payload):
    git_ssh_url: str | None = None


class _Commit(fields.Payload):
    id: fields.Commit


class _Request(fields.Payload):
    iid: fields.Number
    source_branch: fields.Branch | None = None
    target_branch: fields.Branch | None = None
    last_commit: _Commit | None = None


class _Push(fields.Payload):
    ref: fields.Branch
    after: fields.Commit
    project: _Project
    user_id: fields.Number | None = None


class _Changes(fields.Payload):
    labels: object = None
    """Of no interest but for its being there."""


class _OfRequest(fields.Payload):
    object_attributes: _Request
    changes: _Changes | None = None
    project: _Project
    user: _User | None = None


class _NoteText(fields.Payload):
    noteable_type: str | None = None
    system: bool = False
    note: str | None = None


class _Note(fields.Payload):
    object_attributes: _NoteText


class _Beside(fields.Payload):
    """An event on something else than a merge request has no `merge_request` beside it."""

    merge_request: _Request | None = None
    project: _Project
    user: _User | None = None


class _Issue(fields.Payload):
    iid: fields.Number


class _OnIssue(fields.Payload):
    issue: _Issue
    project: _Project
    user: _User | None = None


class _PipelineRun(fields.Payload):
    ref: fields.Branch
    sha: fields.Commit
    tag: bool = False


class _Pipeline(_Beside):
    object_attributes: _PipelineRun


class _Job(fields.Payload):
    ref: fields.Branch
    sha: fields.Commit
    tag: bool = False
    project: _Project | None = None
    repository: _Repository | None = None
    user: _User | None = None


class _Deployment(fields.Payload):
    ref: fields.Branch
    commit_url: str | None = None
    project: _Project
    user: _User | None = None


def verify(headers: Mapping[str, str], body: bytes, credentials: Credentials, now: datetime) -> None:
    """Unverified unless the sender signed it where a signing secret is configured, else sent the token (S4)."""
    if credentials.signing_secrets:
        signatures.verify_standard(headers, body, credentials.signing_secrets, now)
    elif not signatures.same_secret(signatures.required(headers, "X-Gitlab-Token"), credentials.secrets):
        raise Unverified("X-Gitlab-Token is not any configured token")


def delivery(headers: Mapping[str, str], body: bytes) -> str:
    """The id that stays the same when GitLab tries again: `webhook-id` (signed) or Idempotency-Key, else a hash.

    X-Gitlab-Webhook-UUID names the hook and not the delivery; X-Gitlab-Event-UUID is shared by events that one caused
    in another, so it counts with the body only."""
    key = headers.get("webhook-id") or headers.get("idempotency-key")
    if key:
        return signatures.delivery_id(key)
    cause = headers.get("x-gitlab-event-uuid")
    return signatures.delivery_id(cause, signatures.body_hash(body)) if cause else signatures.body_hash(body)


def parse(_headers: Mapping[str, str], body: bytes, _registry: str = "") -> tuple[Event, ...]:
    """What may have changed, in one event; Malformed where an event that matters lacks what says where."""
    named = fields.read(_Kind, body)
    kind = named.object_kind or named.event_name
    if not kind:
        raise Malformed("object_kind", "is missing; is this the body of a GitLab webhook?")
    understand = EVENTS.get(kind)
    return (understand(body) if understand else Ignored(f"{one_line(kind)[:60]} events change no promotion"),)


def _push(body: bytes) -> Event:
    push = fields.read(_Push, body)
    if not push.ref.startswith("refs/heads/"):
        return Ignored("a push to something that is no branch")
    sha = None if _NOWHERE.fullmatch(push.after) else push.after
    branch = push.ref.removeprefix("refs/heads/")
    return Changed(push.project.path_with_namespace, branch=branch, sha=sha, by=push.user_id)


def _merge_request(body: bytes) -> Event:
    event = fields.read(_OfRequest, body)
    found = _about(event.project, event.object_attributes, event.user)
    return replace(found, talk=event.changes is not None and event.changes.labels is not None)


def _about(project: _Project, request: _Request, user: _User | None, sha: str | None = None) -> Changed:
    head = request.last_commit.id if request.last_commit else None
    return Changed(
        project.path_with_namespace,
        branch=request.target_branch,
        iid=request.iid,
        source_branch=request.source_branch,
        sha=sha or head,
        by=user.id if user else None,
    )


def _note(body: bytes) -> Event:
    """Internal notes too: what they say is read again by API, where their visibility is known."""
    text = fields.read(_Note, body).object_attributes
    if text.system:
        return Ignored("a note of GitLab's own")
    if (text.note or "").startswith(REPORT_MARK):
        return Ignored(REPORT)
    if text.noteable_type == "Issue":
        return _issue_note(body)
    if text.noteable_type != "MergeRequest":
        return Ignored("a note on something that is no merge request and no issue")
    event = fields.read(_Beside, body)
    if event.merge_request is None:
        raise Malformed("merge_request", "is missing")
    return replace(_about(event.project, event.merge_request, event.user), talk=True)


def _issue_note(body: bytes) -> Event:
    event = fields.read(_OnIssue, body)
    by = event.user.id if event.user else None
    return Changed(event.project.path_with_namespace, by=by, issue=event.issue.iid, talk=True)


def _emoji(body: bytes) -> Event:
    event = fields.read(_Beside, body)
    if event.merge_request is None:
        return Ignored("an emoji on something that is no merge request")
    return _about(event.project, event.merge_request, event.user)


def _pipeline(body: bytes) -> Event:
    event = fields.read(_Pipeline, body)
    run = event.object_attributes
    if event.merge_request is not None:
        return _about(event.project, event.merge_request, event.user, run.sha)
    return _built(event.project.path_with_namespace, run, run.sha, event.user)


def _job(body: bytes) -> Event:
    event = fields.read(_Job, body)
    return _built(_where(event), event, event.sha, event.user)


def _where(event: _Job) -> str:
    """The project's path: GitLab before 15 sends no `project` with a job, but where to clone it from.

    By SSH, because that address has no path before the project's even where GitLab runs under one."""
    if event.project is not None:
        return event.project.path_with_namespace
    clone = (event.repository.git_ssh_url if event.repository else None) or ""
    try:
        found = urlsplit(clone).path if "://" in clone else clone.partition(":")[2]
        return fields.path(found.strip("/").removesuffix(".git"))
    except ValueError:
        raise Malformed("project.path_with_namespace", "is missing") from None


def _built(repository: str, what: _PipelineRun | _Job, sha: str, user: _User | None) -> Event:
    if what.tag:
        return Ignored("a pipeline or job of a tag")
    return _at(repository, what.ref, sha, user)


def _at(repository: str, ref: str, sha: str | None, user: _User | None) -> Changed:
    by = user.id if user else None
    request = _REQUEST_REF.fullmatch(ref)
    if request:
        return Changed(repository, iid=int(request[1]), sha=sha, by=by)
    return Changed(repository, branch=ref.removeprefix("refs/heads/"), sha=sha, by=by)


def _deployment(body: bytes) -> Event:
    event = fields.read(_Deployment, body)
    last = (event.commit_url or "").rpartition("/")[2]
    try:
        sha = fields.commit(last)  # `short_sha` is not enough to name a commit by.
    except ValueError:
        sha = None
    return _at(event.project.path_with_namespace, event.ref, sha, event.user)


EVENTS: Mapping[str, Callable[[bytes], Event]] = {
    "push": _push,
    "merge_request": _merge_request,
    "note": _note,
    "pipeline": _pipeline,
    "build": _job,
    "deployment": _deployment,
    "emoji": _emoji,
}
"""`object_kind`, or a system hook's `event_name`, to what reads it; any other is ignored."""
