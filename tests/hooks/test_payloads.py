"""Real payloads, where they are collected beside the repository; and whatever else may come in their place."""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.hooks import HOOKS, github, gitlab
from bot.hooks.events import Changed, Event, Ignored, ImagePublished, Malformed, Unverified
from bot.hooks.signatures import Credentials

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "payloads"
COLLECTED = sorted(
    path
    for kind in ("github", "ghcr", "gitlab")
    for path in (PAYLOADS / kind).glob("*.json")
    if not path.name.endswith(".headers.json")
)
NAMES = [f"{path.parent.name}/{path.name}" for path in COLLECTED]
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FORM = "application/x-www-form-urlencoded"


def understood(path: Path) -> tuple[Event, ...]:
    """What it says, by the header that its file is named after; GitLab's name stands in the body."""
    return HOOKS[path.parent.name].parse({"x-github-event": path.name.partition(".")[0]}, path.read_bytes())


@pytest.mark.skipif(not COLLECTED, reason="the collected payloads are not here")
def test_payloads_of_each_kind_are_collected() -> None:
    assert {name.partition("/")[0] for name in NAMES} == {"github", "ghcr", "gitlab"}


@pytest.mark.parametrize("path", COLLECTED, ids=NAMES)
def test_every_real_payload_is_understood(path: Path) -> None:
    events = understood(path)
    assert events
    assert all(isinstance(event, Changed | ImagePublished | Ignored) for event in events)


@pytest.mark.parametrize("path", [path for path in COLLECTED if path.parent.name != "gitlab"])
def test_every_real_payload_says_the_same_in_a_form(path: Path) -> None:
    headers = {"x-github-event": path.name.partition(".")[0], "content-type": FORM}
    form = b"payload=" + quote_plus(path.read_bytes()).encode()
    assert HOOKS[path.parent.name].parse(headers, form) == understood(path)


HELLO = "Codertocat/Hello-World"
CHANGES = "ec26c3e57ca3a959ca5aad62de7213c562f8c821"
MASTER = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
SECOND = Changed(HELLO, branch="master", iid=2, source_branch="changes", sha=CHANGES, by=21031067)
WOODPECKER = Changed(
    "anbraten/woodpecker-test", "main", 4, "patch-1", "3e4db3586b65dd401de8c77b3ac343fd24cbf89b", by=2251488
)
EXPECTED: dict[str, tuple[Changed, ...]] = {
    "github/pull_request.opened.json": (SECOND,),
    "github/pull_request.synchronize.json": (SECOND,),
    "github/pull_request.labeled.json": (replace(SECOND, talk=True),),
    "github/pull_request.closed.unmerged.json": (SECOND,),
    "github/pull_request.closed.merged.json": (
        Changed("geetanshjuneja/test-bors", "main", 5, "test", "4964158cdea899629716b4f0c0e2f5ab72e3cb4a", 72911296),
    ),
    "github/pull_request_review.submitted.commented.json": (SECOND,),
    # A review of a commit that is no longer the head: the hint is of the head.
    "github/pull_request_review.submitted.changes_requested.json": (
        Changed(
            *("kubernetes/kubernetes", "master", 66534, "kubeadm_sentinel"),
            sha="1343611cc8455e6c9a345be6108cb5b051c41143",
            by=169553,
        ),
    ),
    "github/pull_request_review.dismissed.json": (SECOND,),
    "github/pull_request_review_comment.created.json": (SECOND,),
    "github/pull_request_review_thread.resolved.json": (SECOND,),
    "github/issue_comment.created.on-pr.json": (Changed("Kobzol/bors-kindergarten", iid=5, by=4539057, talk=True),),
    "github/issue_comment.created.json": (Changed(HELLO, issue=1, by=21031067, talk=True),),
    "github/push.new-branch.json": (Changed(HELLO, "master", sha=MASTER, by=21031067),),
    "github/push.branch-deleted.json": (Changed("bradrydzewski/drone-test-go", "feature-branch", by=817538),),
    "github/status.json": tuple(
        Changed(HELLO, branch, sha=MASTER, by=21031067) for branch in ("master", "changes", "gh-pages")
    ),
    "github/check_suite.completed.json": (SECOND,),
    "github/check_run.completed.json": (SECOND,),
    "github/check_run.rerequested.json": (
        Changed("github/hello-world", "master", sha="d6fde92930d4715a2b49857d24b940956b26d2d3", by=5346),
    ),
    "github/merge_group.checks_requested.json": (
        Changed("octo-org/octo-repo", "main", sha="2ffea6db159f6b6c47a24e778fb9ef40cf6b1c7d", by=21031067),
    ),
    "github/deployment_status.json": (
        Changed(HELLO, "master", sha="f95f852bd8fca8fcc58a9a2d6c842781e32a215e", by=21031067),
    ),
    "github/installation.created.json": (Changed(HELLO, by=21031067),),
    "github/installation_repositories.added.json": (Changed("Codertocat/Space", by=21031067),),
    "github/installation_repositories.removed.json": (Changed("octocat/Hello-World", by=1),),
    "gitlab/merge_request.merge.json": (WOODPECKER,),
    "gitlab/merge_request.close.json": (WOODPECKER,),
    "gitlab/note.confidential.json": (Changed("gitlab-org/gitlab-test", issue=17, by=1, talk=True),),
    "gitlab/push.json": (Changed("test/woodpecker", "main", sha="16862e368d8ab812e48833b741dad720d6e2cb7f", by=2),),
    "gitlab/push.branch-delete.json": (Changed("gitlab-org/hello-world", "feature", by=51764),),
    "gitlab/pipeline.merge-request.json": (
        Changed(
            *("redhat/centos-stream/rpms/luksmeta", "c9s", 4, "9-c9s-src-5"),
            sha="ee58e259da263ecb4c1f0129be7aef8cfd4dedd6",
            by=2952463,
        ),
    ),
    "gitlab/system.push.json": (
        Changed("mike/diaspora", "master", sha="da1560886d4f094c3e6c9ef40349f7d38b5d27d7", by=4),
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_important_payloads_come_down_to(name: str) -> None:
    if not COLLECTED:
        pytest.skip("the collected payloads are not here")
    assert understood(PAYLOADS / name) == EXPECTED[name]


IGNORED = {
    "github/push.tag.json": "no branch",
    "github/push.json": "no branch",  # A tag that was deleted.
    "github/installation.suspend.json": "no repository",
    "github/ping.app.json": "ping",
    "github/release.published.json": "release events",
    "github/workflow_run.completed.json": "workflow_run events",
    "ghcr/package.published.docker.json": "type npm",
    "ghcr/registry_package.published.container.json": "untagged",
    "gitlab/tag_push.json": "tag_push events",
}


@pytest.mark.parametrize("name", IGNORED)
def test_what_is_of_no_interest_and_why(name: str) -> None:
    if not COLLECTED:
        pytest.skip("the collected payloads are not here")
    (event,) = understood(PAYLOADS / name)
    assert isinstance(event, Ignored)
    assert IGNORED[name] in event.reason


# --- anything at all ---------------------------------------------------------------------------------------------

EVENT_NAMES = sorted({*github.EVENTS, *gitlab.EVENTS, "release", "ghost"})
FIELD_NAMES = sorted(
    {
        *("object_kind", "event_name", "project", "object_attributes", "merge_request", "path_with_namespace", "iid"),
        *("repository", "full_name", "sender", "id", "pull_request", "number", "head", "base", "ref", "sha", "after"),
        *("issue", "branches", "name", "check_suite", "check_run", "pull_requests", "head_sha", "head_branch", "repo"),
        *("merge_group", "base_ref", "deployment", "repositories", "repositories_added", "package", "namespace"),
        *("registry_package", "package_type", "package_version", "container_metadata", "tag", "manifest", "digest"),
        *("action", "version", "created_at", "config", "media_type", "owner", "login", "html_url", "events", "target"),
        *("mediaType", "timestamp", "references", "links", "created", "source", "revision", "deleted"),
    }
)
LIKELY = [
    *("main", "refs/heads/main", "refs/tags/v1", "a" * 40, "0" * 40, "acme/config", f"sha256:{'a' * 64}", "published"),
    *("container", "v1", "2026-03-01T10:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "push"),
    *(
        "MergeRequest",
        "Issue",
        "https://example.com/a",
        "https://[",
        "ssh://[/a",
        "\ud800",
        "\x00",
        "../x",
        *EVENT_NAMES,
    ),
]
# Mostly names and texts that mean something: others would hardly ever get past the first field.
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(LIKELY), st.text(max_size=8))
KEYS = st.one_of(st.sampled_from(FIELD_NAMES), st.text(max_size=4))
ANY_JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=8)),
    max_leaves=40,
)
HEADERS = st.fixed_dictionaries(
    {"x-github-event": st.one_of(st.sampled_from(EVENT_NAMES), st.text(max_size=8))},
    optional={
        "content-type": st.one_of(st.sampled_from([FORM, "application/json", f"{FORM}; charset=utf-8"]), st.text()),
        "webhook-id": st.text(max_size=8),
        "idempotency-key": st.text(max_size=8),
        "x-gitlab-event-uuid": st.text(max_size=8),
    },
)
kinds = pytest.mark.parametrize("kind", sorted(HOOKS))


def outcome(kind: str, headers: dict[str, str], body: bytes) -> tuple[Event, ...] | Malformed:
    try:
        return HOOKS[kind].parse(headers, body, "registry.example.com")
    except Malformed as malformed:
        return malformed


def understood_or_malformed(kind: str, headers: dict[str, str], body: bytes) -> None:
    assert 0 < len(HOOKS[kind].delivery(headers, body)) <= 128
    found = outcome(kind, headers, body)
    if isinstance(found, Malformed):
        assert found.field and found.message
    else:
        assert found and all(isinstance(event, Changed | ImagePublished | Ignored) for event in found)


@kinds
@given(headers=HEADERS, value=ANY_JSON)
def test_any_json_under_any_name_is_understood_or_malformed(kind: str, headers: dict[str, str], value: object) -> None:
    understood_or_malformed(kind, headers, json.dumps(value).encode())


@kinds
@given(headers=HEADERS, body=st.one_of(st.binary(), st.binary().map(lambda raw: b"payload=" + raw)))
def test_any_bytes_are_understood_or_malformed(kind: str, headers: dict[str, str], body: bytes) -> None:
    understood_or_malformed(kind, headers, body)


def with_one_part_changed(data: st.DataObject, payload: dict[str, object]) -> bytes:
    """The JSON, but for one value somewhere in it; mostly a leaf, because that is where checks are."""
    part: Any = payload
    while True:
        key = data.draw(st.sampled_from(sorted(part) if isinstance(part, dict) else range(len(part))))
        if not isinstance(part[key], dict | list) or not part[key] or data.draw(st.integers(0, 9)) == 0:
            break
        part = part[key]
    part[key] = data.draw(st.one_of(SCALARS, ANY_JSON))
    return json.dumps(payload).encode()


WHOLE: dict[tuple[str, str], dict[str, object]] = {
    ("ci", ""): {"repository": "example.com/a/b", "digest": f"sha256:{'a' * 64}", "created": "2026-03-01T10:00:00Z"},
    ("distribution", ""): {
        "events": [
            {
                "action": "push",
                "timestamp": "2026-03-01T10:00:00Z",
                "target": {
                    "mediaType": "application/vnd.oci.image.index.v1+json",
                    "repository": "a/b",
                    "digest": f"sha256:{'a' * 64}",
                    "tag": "v1",
                },
            }
        ]
    },
    ("ghcr", "package"): {
        "action": "published",
        "package": {
            "name": "b",
            "namespace": "a",
            "package_type": "container",
            "package_version": {
                "version": f"sha256:{'a' * 64}",
                "created_at": "2026-03-01T10:00:00Z",
                "container_metadata": {"tag": {"name": "v1"}},
            },
        },
        "repository": {"html_url": "https://github.example.com/a/b"},
    },
    ("github", "deployment"): {
        "repository": {"full_name": "a/b"},
        "deployment": {"ref": "main", "sha": "a" * 40},
        "sender": {"id": 1},
    },
    # As GitLab before 15 sends it: the project's path is taken from an address.
    ("gitlab", ""): {
        "object_kind": "build",
        "ref": "main",
        "sha": "a" * 40,
        "repository": {"git_ssh_url": "git@gitlab.example.com:a/b.git"},
    },
}


@pytest.mark.parametrize(("kind", "event"), WHOLE)
@given(data=st.data())
def test_what_was_right_with_one_part_changed_is_understood_or_malformed(
    kind: str, event: str, data: st.DataObject
) -> None:
    whole = WHOLE[kind, event]
    assert not isinstance(outcome(kind, {"x-github-event": event}, json.dumps(whole).encode()), Malformed)
    understood_or_malformed(kind, {"x-github-event": event}, with_one_part_changed(data, deepcopy(whole)))


@pytest.mark.skipif(not COLLECTED, reason="the collected payloads are not here")
@given(data=st.data())
def test_a_real_payload_with_one_part_changed_is_understood_or_malformed(data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(COLLECTED))
    body = with_one_part_changed(data, json.loads(path.read_bytes()))
    name = data.draw(st.one_of(st.just(path.name.partition(".")[0]), st.sampled_from(EVENT_NAMES)))
    understood_or_malformed(path.parent.name, {"x-github-event": name}, body)


@kinds
@given(headers=st.dictionaries(st.text(max_size=8), st.text()), body=st.binary(), proof=st.text())
def test_S3_nothing_but_a_proof_is_one(kind: str, headers: dict[str, str], body: bytes, proof: str) -> None:
    proofs = ("x-hub-signature-256", "x-gitlab-token", "x-towpath-signature", "x-towpath-timestamp", "authorization")
    given_headers = {**headers, **dict.fromkeys(proofs, proof)}
    with pytest.raises(Unverified):
        HOOKS[kind].verify(given_headers, body, Credentials(("a secret that nobody guesses",)), NOW)
