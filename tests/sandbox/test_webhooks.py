"""Webhooks: shapes, headers, signatures, failures, and those that go astray."""

import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.sandbox.branches import Move, settle
from bot.sandbox.ci import Job
from bot.sandbox.faults import WebhookKind
from bot.sandbox.gitlab.deliveries import alert
from bot.sandbox.model import RequestState
from bot.sandbox.requests import Edit, Opening
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.server import serve
from tests.sandbox.conftest import Client, Clock, P, opened

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PAYLOADS = Path(__file__).parents[3] / "shared" / "payloads" / "gitlab"
Sent = list[tuple[str, dict[str, Any], Mapping[str, str], bytes]]


class Receiver:
    """Takes webhooks in the place of HTTP, and answers as it is told."""

    def __init__(self) -> None:
        self.sent: Sent = []
        self.answer = 200

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self.answer == 0:
            raise ConnectionRefusedError
        self.sent.append((url, json.loads(body), headers, body))
        return self.answer

    def bodies(self) -> list[dict[str, Any]]:
        return [body for _, body, _, _ in self.sent]


@pytest.fixture
def receiver(sandbox: Sandbox) -> Receiver:
    made = Receiver()
    sandbox.webhooks.sender = made
    sandbox.add_hook(P, "http://hooks.example.com/in", token="plain", signing_secret=SECRET)
    return made


def test_the_life_of_a_request_is_told_in_gitlabs_actions(sandbox: Sandbox, receiver: Receiver) -> None:
    opened(sandbox)
    sandbox.approve_as("mira", P, 1)
    sandbox.unapprove_as("mira", P, 1)
    sandbox.edit_as("dev", P, 1, Edit(add_labels=("red",)))
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.close_as("dev", P, 1)
    sandbox.reopen_as("dev", P, 1)
    sandbox.merge_as("mira", P, 1)
    sandbox.deliver()
    told = [one["object_attributes"] for one in receiver.bodies() if one["object_kind"] == "merge_request"]
    assert [one["action"] for one in told] == [
        "open",
        "approved",
        "unapproved",
        "update",
        "update",
        "close",
        "reopen",
        "merge",
    ]
    assert [one.get("oldrev") is not None for one in told] == [False] * 4 + [True] + [False] * 3
    assert told[-1]["merge_commit_sha"] == sandbox.head(P)
    assert told[-1]["last_commit"]["id"] == sandbox.request(P, 1).head
    labels = receiver.bodies()[4]["changes"]["labels"]
    assert [[one["title"] for one in labels[side]] for side in ("previous", "current")] == [[], ["red"]]


@pytest.mark.parametrize(
    ("needed", "actions"),
    [
        (0, ["approved", "approved", "unapproval", "unapproved"]),
        (2, ["approval", "approved", "unapproved", "unapproval"]),
    ],
)
def test_only_the_approval_that_suffices_is_called_approved(
    sandbox: Sandbox, receiver: Receiver, needed: int, actions: list[str]
) -> None:
    sandbox.configure(P, approvals_before_merge=needed)
    opened(sandbox)
    sandbox.deliver()
    receiver.sent.clear()
    for act in (sandbox.approve_as, sandbox.unapprove_as):
        for user in ("mira", "dev"):
            act(user, P, 1)
    sandbox.deliver()
    assert [one["object_attributes"]["action"] for one in receiver.bodies()] == actions


def test_a_push_tells_before_after_and_its_commits(sandbox: Sandbox, receiver: Receiver) -> None:
    before = sandbox.head(P)
    after = sandbox.commit_as("mira", P, "main", {"README.md": "2", "new": "1", "same.yaml": None}, "Change")
    sandbox.deliver()
    (push,) = receiver.bodies()
    assert (push["before"], push["after"], push["ref"], push["user_id"]) == (
        before,
        after,
        "refs/heads/main",
        sandbox.user("mira").id,
    )
    (commit,) = push["commits"]
    assert (commit["added"], commit["modified"], commit["removed"]) == (["new"], ["README.md"], ["same.yaml"])
    assert receiver.sent[0][2]["X-Gitlab-Event"] == "Push Hook"


def test_comments_emoji_and_pipelines_are_told(sandbox: Sandbox, receiver: Receiver, clock: Clock) -> None:
    sandbox.add_ci(P, Job("validate"), author="root", branches="feature")
    opened(sandbox)
    sandbox.comment_as("dev", P, 1, "/hold")
    clock.later(9)
    sandbox.tick()
    sandbox.deliver()
    kinds = [(headers["X-Gitlab-Event"], body) for _, body, headers, _ in receiver.sent]
    notes = [body for kind, body in kinds if kind == "Note Hook"]
    assert (notes[0]["object_attributes"]["note"], notes[0]["merge_request"]["iid"]) == ("/hold", 1)
    words = [body["object_attributes"]["status"] for kind, body in kinds if kind == "Pipeline Hook"]
    assert words == ["pending", "success"]


def test_both_ways_of_authentication_hold(sandbox: Sandbox, receiver: Receiver, clock: Clock) -> None:
    clock.now = datetime.now(UTC)
    opened(sandbox)
    sandbox.deliver()
    _, _, headers, body = receiver.sent[0]
    assert headers["X-Gitlab-Token"] == "plain"
    assert headers["Idempotency-Key"] == headers["webhook-id"]
    assert Webhook(SECRET).verify(body, dict(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + b" ", dict(headers))


def test_a_hook_hears_only_what_it_asked_for(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.project(P).hooks.clear()
    sandbox.add_hook(P, "http://x", events=frozenset({"note_events"}))
    opened(sandbox)
    sandbox.comment_as("dev", P, 1, "hello")
    sandbox.deliver()
    assert [one["object_kind"] for one in receiver.bodies()] == ["note"]
    assert not [name for name in receiver.sent[0][2] if name.lower() in ("x-gitlab-token", "webhook-signature")]


@pytest.mark.parametrize("answer", [500, 404, 302, 0])
def test_four_failures_in_a_row_switch_a_hook_off_for_a_while(
    sandbox: Sandbox, receiver: Receiver, clock: Clock, answer: int
) -> None:
    (hook,) = sandbox.project(P).hooks.values()
    receiver.answer = answer

    def push() -> None:
        sandbox.commit_as("mira", P, "main", {"x": str(clock.later(1))}, "x")
        sandbox.deliver()

    for _ in range(4):
        assert alert(hook, clock()) == "executable"
        push()
    assert alert(hook, clock()) == "temporarily_disabled"
    sent = len(sandbox.webhooks.log)
    push()
    assert len(sandbox.webhooks.log) == sent
    clock.later(61)
    receiver.answer = 200
    push()
    assert (alert(hook, clock()), hook.failures, sandbox.webhooks.log[-1].status) == ("executable", 0, 200)


@pytest.mark.parametrize(
    ("kind", "order"), [(None, "123"), ("lose", "23"), ("repeat", "1123"), ("reorder", "213")], ids=str
)
def test_webhooks_go_astray_as_they_are_told(
    sandbox: Sandbox, receiver: Receiver, kind: WebhookKind | None, order: str
) -> None:
    opened(sandbox)
    sandbox.deliver()
    receiver.sent.clear()
    if kind:
        sandbox.faults.add_webhook(kind)
    for text in "123":
        sandbox.comment_as("dev", P, 1, text)
    sandbox.deliver()
    assert "".join(one["object_attributes"]["note"] for one in receiver.bodies()) == order
    keys = {headers["Idempotency-Key"] for _, _, headers, _ in receiver.sent}
    assert len(keys) == len(set(order))


def test_a_push_of_more_than_three_branches_sends_no_hook(sandbox: Sandbox, receiver: Receiver) -> None:
    head = sandbox.head(P)
    for count, expected in ((3, 3), (4, 0)):
        moves = [Move(f"b{count}-{number}", None, head) for number in range(count)]
        for move in moves:
            sandbox.project(P).git.set_branch(move.branch, None, head)
        receiver.sent.clear()
        settle(sandbox.state, sandbox.project(P), sandbox.user("dev"), moves)
        sandbox.deliver()
        assert len(receiver.sent) == expected


def test_hooks_are_made_through_the_api_and_tell_no_secret(sandbox: Sandbox, client: Client) -> None:
    project = client("mira").projects.get(P)
    made = project.hooks.create({"url": "http://hooks.example.com/x", "token": "secret", "note_events": True})
    assert (made.note_events, made.push_events, made.alert_status) == (True, True, "executable")
    assert "secret" not in str(project.hooks.get(made.id).attributes)
    made.push_events = False
    made.save()
    assert project.hooks.get(made.id).push_events is False
    made.delete()
    assert project.hooks.list(get_all=True) == []


def test_a_served_sandbox_sends_by_itself(sandbox: Sandbox, receiver: Receiver) -> None:
    arrived = threading.Event()

    def arrives(url: str, body: bytes, headers: Mapping[str, str]) -> int:
        arrived.set()
        return receiver(url, body, headers)

    sandbox.webhooks.sender = arrives
    with serve(sandbox):
        sandbox.commit_as("mira", P, "main", {"x": "1"}, "x")
        assert arrived.wait(10)


def keys(value: object, below: str = "") -> set[str]:
    """The paths of all fields of an object, without lists' insides."""
    if not isinstance(value, dict):
        return set()
    return {f"{below}{name}" for name in value} | {
        one for name in value for one in keys(value[name], f"{below}{name}.")
    }


def approved(sandbox: Sandbox) -> None:
    sandbox.approve_as("mira", P, opened(sandbox).iid)


MAKERS: dict[str, Callable[[Sandbox], object]] = {
    "push.json": lambda sandbox: sandbox.commit_as("mira", P, "main", {"x": "1"}, "x"),
    "merge_request.merge.json": lambda sandbox: (opened(sandbox), sandbox.merge_as("mira", P, 1)),
    "merge_request.approved.json": approved,
    "note.issue.json": lambda sandbox: (
        sandbox.issue_as("rep", P, "Control"),
        sandbox.comment_as("dev", P, 1, "x", issue=True),
    ),
    "note.merge_request.json": lambda sandbox: (opened(sandbox), sandbox.comment_as("dev", P, 1, "x")),
}
NOT_IMITATED = {
    "human_time_change",
    "human_time_estimate",
    "human_total_time_spent",
    "time_change",
    "attachment",
    "st_diff",
}


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="no recorded payloads here")
@pytest.mark.parametrize("name", MAKERS)
def test_payloads_have_the_fields_of_real_ones(sandbox: Sandbox, receiver: Receiver, name: str) -> None:
    MAKERS[name](sandbox)
    sandbox.deliver()
    real = json.loads((PAYLOADS / name).read_text())
    kind = real["object_kind"]
    action = real.get("object_attributes", {}).get("action")
    ours = [
        one
        for one in receiver.bodies()
        if one["object_kind"] == kind and (kind == "push" or one["object_attributes"]["action"] == action)
    ]
    missing = {one for one in keys(real) - keys(ours[-1]) if one.rpartition(".")[2] not in NOT_IMITATED}
    assert not {one for one in missing if "assignee" not in one and not one.startswith(("merge_request.", "issue."))}


def test_comments_on_issues_are_told_internal_ones_apart(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.issue_as("rep", P, "Control", "red")
    sandbox.comment_as("dev", P, 1, "x", issue=True)
    sandbox.comment_as("dev", P, 1, "y", issue=True, internal=True)
    sandbox.deliver()
    told = [
        (one["event_type"], one["object_attributes"]["noteable_type"], one["issue"]["iid"]) for one in receiver.bodies()
    ]
    assert told == [("note", "Issue", 1), ("confidential_note", "Issue", 1)]
    assert receiver.bodies()[0]["object_attributes"]["url"].endswith(
        f"/{P}/-/issues/1#note_{sandbox.issue(P, 1).notes[0].id}"
    )


def test_opening_says_who_and_what(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    made = sandbox.open_as("dev", P, Opening("feature", "main", "Title", labels=("red",)))
    sandbox.deliver()
    body = receiver.bodies()[-1]
    assert made.state is RequestState.opened
    assert (body["user"]["username"], body["object_attributes"]["target"]["path_with_namespace"]) == ("dev", P)
    assert [one["title"] for one in body["labels"]] == ["red"]
