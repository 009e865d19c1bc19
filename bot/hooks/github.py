"""GitHub's repository, organization and App hooks. Nothing in them is a fact to act upon: they say where to look again.

The payloads: docs.github.com/webhooks/webhook-events-and-payloads. What kind of event it is stands only in the header
X-GitHub-Event, which no signature covers: a wrong name leads to a wrong hint or to Malformed, and to nothing worse.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote_to_bytes

from bot.hooks import fields, signatures
from bot.hooks.events import REPORT, Changed, Event, Ignored, Malformed, Unverified
from bot.hooks.signatures import Credentials
from policies.naming import REPORT_MARK
from policies.wording.quote import one_line

SIGNATURE = "X-Hub-Signature-256"
SCHEME = "sha256="
EVENT = "X-GitHub-Event"

_FORM = "application/x-www-form-urlencoded"
_HEADS = "refs/heads/"
_LABELLING = frozenset({"labeled", "unlabeled"})
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,}")


class _User(fields.Payload):
    id: fields.Number | None = None


class _Repository(fields.Payload):
    id: fields.Number | None = None
    full_name: fields.ProjectPath


class _Event(fields.Payload):
    repository: _Repository
    sender: _User | None = None


class _Head(fields.Payload):
    ref: fields.Branch
    sha: fields.Commit


class _Base(fields.Payload):
    ref: fields.Branch


class _Request(fields.Payload):
    number: fields.Number
    head: _Head
    base: _Base


class _OfRequest(_Event):
    action: str = ""
    pull_request: _Request


class _Issue(fields.Payload):
    number: fields.Number
    pull_request: fields.Payload | None = None
    """Of no interest but for its being there: a pull request is an issue that has one."""


class _Comment(fields.Payload):
    body: str | None = None


class _OfIssue(_Event):
    issue: _Issue
    comment: _Comment | None = None


class _Push(_Event):
    ref: fields.Branch
    after: fields.Commit
    deleted: bool = False


class _Branch(fields.Payload):
    name: fields.Branch


class _Status(_Event):
    sha: fields.Commit
    branches: tuple[_Branch, ...] = ()


class _Id(fields.Payload):
    id: fields.Number | None = None


class _NearBase(_Base):
    repo: _Id | None = None


class _Near(_Request):
    base: _NearBase


class _Suite(fields.Payload):
    head_branch: fields.Branch | None = None


class _Check(_Suite):
    head_sha: fields.Commit
    check_suite: _Suite | None = None
    pull_requests: tuple[_Near, ...] = ()


class _OfSuite(_Event):
    check_suite: _Check


class _OfRun(_Event):
    check_run: _Check


class _Group(fields.Payload):
    base_ref: fields.Branch
    head_sha: fields.Commit


class _OfGroup(_Event):
    merge_group: _Group


class _Deployment(fields.Payload):
    ref: fields.Branch
    sha: fields.Commit


class _OfDeployment(_Event):
    deployment: _Deployment


class _Installation(fields.Payload):
    repositories: tuple[_Repository, ...] | None = None
    repositories_added: tuple[_Repository, ...] | None = None
    repositories_removed: tuple[_Repository, ...] | None = None
    sender: _User | None = None


def verify(headers: Mapping[str, str], body: bytes, credentials: Credentials, _now: datetime) -> None:
    """Unverified unless one of the secrets signed the raw body with SHA-256; the SHA-1 beside it proves nothing (S4).

    GitHub signs no time, so an old message stays right: `delivery` is what knows it again."""
    given = headers.get(SIGNATURE.lower(), "")
    if not given:
        raise Unverified(f"the header {SIGNATURE} is missing; enter the secret at the webhook or App on GitHub")
    if not given.startswith(SCHEME):
        raise Unverified(f"{SIGNATURE} does not begin with {SCHEME}, the only scheme that is accepted")
    right = tuple(SCHEME + signatures.hexmac(secret, body) for secret in credentials.secrets if secret)
    if not signatures.same_secret(given, right):
        raise Unverified(
            f"{SIGNATURE} is not this body's by any configured secret; the secret on GitHub must be the same, "
            "and no proxy may change the body"
        )


def delivery(_headers: Mapping[str, str], body: bytes) -> str:
    """The hash of the body alone, which is the same when GitHub delivers again.

    X-GitHub-Delivery is not covered by the signature: whoever overheard a message could send it again under a GUID of
    his own, and it must still be known."""
    return signatures.body_hash(body)


def parse(headers: Mapping[str, str], body: bytes, _registry: str = "") -> tuple[Event, ...]:
    """What may have changed; Malformed where an event that matters lacks what says where."""
    kind, content = opened(headers, body)
    understand = EVENTS.get(kind)
    return understand(content) if understand else (Ignored(f"{one_line(kind)[:60]} events change no promotion"),)


def opened(headers: Mapping[str, str], body: bytes) -> tuple[str, bytes]:
    """The event's name, and its JSON taken out of the form where GitHub was told to send one; Malformed if not."""
    kind = headers.get(EVENT.lower(), "")
    if not kind:
        raise Malformed(EVENT, "is missing; is this from a GitHub webhook?")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    content = _from_form(body) if media_type == _FORM else body
    fields.read(fields.Payload, content)  # So that what is no JSON is told even of events that nobody reads.
    return kind, content


def _from_form(body: bytes) -> bytes:
    # Not parse_qs, which decodes as it goes: whether it is UTF-8 is for the reader of the JSON to say.
    for field in body.split(b"&"):
        name, _, value = field.partition(b"=")
        if name == b"payload":
            return unquote_to_bytes(value.replace(b"+", b" "))
    raise Malformed("payload", "is missing in the form; choose the content type application/json on GitHub")


def _pull_request(body: bytes) -> tuple[Event, ...]:
    """Of any action: even a label may be what a promotion waits for."""
    event = fields.read(_OfRequest, body)
    found = _about(event, event.pull_request, event.pull_request.head.sha)
    return (replace(found, talk=event.action in _LABELLING),)


def _review(body: bytes) -> tuple[Event, ...]:
    event = fields.read(_OfRequest, body)
    return (_about(event, event.pull_request, event.pull_request.head.sha),)


def _about(event: _Event, request: _Request, sha: str) -> Changed:
    return Changed(
        event.repository.full_name,
        branch=request.base.ref,
        iid=request.number,
        source_branch=request.head.ref,
        sha=sha,
        by=_by(event.sender),
    )


def _by(sender: _User | None) -> int | None:
    return sender.id if sender else None


def _at(event: _Event, branch: str | None, sha: str | None) -> Changed:
    return Changed(event.repository.full_name, branch=branch, sha=sha, by=_by(event.sender))


def _issue_comment(body: bytes) -> tuple[Event, ...]:
    event = fields.read(_OfIssue, body)
    if event.comment is not None and (event.comment.body or "").startswith(REPORT_MARK):
        return (Ignored(REPORT),)
    found = Changed(event.repository.full_name, by=_by(event.sender), talk=True)
    if event.issue.pull_request is None:
        return (replace(found, issue=event.issue.number),)
    return (replace(found, iid=event.issue.number),)


def _push(body: bytes) -> tuple[Event, ...]:
    push = fields.read(_Push, body)
    if not push.ref.startswith(_HEADS):
        return (Ignored("a push to something that is no branch"),)
    gone = push.deleted or not push.after.strip("0")
    return (_at(push, push.ref.removeprefix(_HEADS), None if gone else push.after),)


def _status(body: bytes) -> tuple[Event, ...]:
    """GitHub names the branches that hold the commit, and none where only a fork's pull request does."""
    status = fields.read(_Status, body)
    told = tuple(_at(status, branch.name, status.sha) for branch in status.branches)
    return told or (_at(status, None, status.sha),)


def _check_suite(body: bytes) -> tuple[Event, ...]:
    event = fields.read(_OfSuite, body)
    return (_checked(event, event.check_suite),)


def _check_run(body: bytes) -> tuple[Event, ...]:
    event = fields.read(_OfRun, body)
    return (_checked(event, event.check_run),)


def _checked(event: _Event, check: _Check) -> Changed:
    """About the pull request where there is exactly one, else about the branch that was built."""
    requests = [request for request in check.pull_requests if _in(event.repository, request)]
    if len(requests) == 1:
        return _about(event, requests[0], check.head_sha)
    suite = check.check_suite or check
    return _at(event, suite.head_branch, check.head_sha)


def _in(repository: _Repository, request: _Near) -> bool:
    # A fork's checks list the pull requests that it made to where it was forked from, with numbers from there.
    where = request.base.repo.id if request.base.repo else None
    return where is None or repository.id is None or where == repository.id


def _merge_group(body: bytes) -> tuple[Event, ...]:
    event = fields.read(_OfGroup, body)
    return (_at(event, event.merge_group.base_ref.removeprefix(_HEADS), event.merge_group.head_sha),)


def _deployment(body: bytes) -> tuple[Event, ...]:
    event = fields.read(_OfDeployment, body)
    return (_at(event, _deployed_branch(event.deployment), event.deployment.sha),)


def _deployed_branch(deployment: _Deployment) -> str | None:
    """A deployment is of a branch, a tag or a commit, and a tag's bare name cannot be told from a branch's."""
    branch = deployment.ref.removeprefix(_HEADS)
    commit = _SHORT_COMMIT.fullmatch(branch) and deployment.sha.startswith(branch)
    return None if commit or branch.startswith("refs/") else branch


def _installation(body: bytes) -> tuple[Event, ...]:
    """Which repositories the App may see, whatever happened to it: each is asked again."""
    event = fields.read(_Installation, body)
    lists = (event.repositories, event.repositories_added, event.repositories_removed)
    paths = dict.fromkeys(repository.full_name for each in lists for repository in each or ())
    if not paths:
        return (Ignored("an installation that names no repository"),)
    return tuple(Changed(path, by=_by(event.sender)) for path in paths)


def _ping(_body: bytes) -> tuple[Event, ...]:
    return (Ignored("a ping: GitHub reaches Towpath, and nothing has changed"),)


def _package(_body: bytes) -> tuple[Event, ...]:
    return (Ignored("images are announced to a source of kind ghcr, at /hooks/images/<source>"),)


EVENTS: Mapping[str, Callable[[bytes], tuple[Event, ...]]] = {
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "pull_request_review_comment": _review,
    "pull_request_review_thread": _review,
    "issue_comment": _issue_comment,
    "push": _push,
    "status": _status,
    "check_suite": _check_suite,
    "check_run": _check_run,
    "merge_group": _merge_group,
    "deployment": _deployment,
    "deployment_status": _deployment,
    "installation": _installation,
    "installation_repositories": _installation,
    "ping": _ping,
    "package": _package,
    "registry_package": _package,
}
"""X-GitHub-Event to what reads it; any other is ignored."""
