"""GitHub's dialect: the webhooks sent, their headers, signatures, encodings and bodies."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import pytest

from bot.sandbox.branches import Move, settle
from bot.sandbox.ci import Job
from bot.sandbox.requests import Edit
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.statuses import Setting
from tests.sandbox.conftest import Clock, P, opened
from tests.sandbox.github_client import REPO, GitHub, wait_for_webhooks

ADDRESS = "http://hooks.example.com/"


class Receiver:
    """Keeps what is sent to each address."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, Mapping[str, str]]] = []

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        self.sent.append((url.removeprefix(ADDRESS), body, headers))
        return 200

    def told(self, event: str) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body, headers in self.sent if headers["X-GitHub-Event"] == event]

    def actions(self) -> list[tuple[str, str | None]]:
        return [(headers["X-GitHub-Event"], json.loads(body).get("action")) for _, body, headers in self.sent]


@pytest.fixture
def receiver(sandbox: Sandbox) -> Receiver:
    made = Receiver()
    sandbox.webhooks.sender = made
    sandbox.add_hook(P, f"{ADDRESS}in", token="hush", dialect="github")
    return made


def test_the_signature_covers_the_body_as_sent(sandbox: Sandbox, receiver: Receiver) -> None:
    opened(sandbox)
    sandbox.deliver()
    assert receiver.sent
    for _, body, headers in receiver.sent:
        signed = hmac.new(b"hush", body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={signed}"
        assert headers["Content-Type"] == "application/json"
        assert headers["User-Agent"].startswith("GitHub-Hookshot/")
    assert len({headers["X-GitHub-Delivery"] for _, _, headers in receiver.sent}) == len(receiver.sent)


def test_without_a_secret_nothing_is_signed(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.add_hook(P, f"{ADDRESS}plain", dialect="github")
    opened(sandbox)
    sandbox.deliver()
    signed = {where: "X-Hub-Signature-256" in headers for where, _, headers in receiver.sent}
    assert signed == {"in": True, "plain": False}


def test_a_form_carries_the_json_and_is_signed_whole(sandbox: Sandbox, receiver: Receiver) -> None:
    hook = sandbox.add_hook(P, f"{ADDRESS}form", token="other", dialect="github", events=frozenset({"push"}))
    hook.form = True
    made = sandbox.commit_as("dev", P, "feature", {"x": "ü&=+"}, "ü&=+ x")
    sandbox.deliver()
    ((_, body, headers),) = [one for one in receiver.sent if one[0] == "form"]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["X-Hub-Signature-256"] == f"sha256={hmac.new(b'other', body, hashlib.sha256).hexdigest()}"
    (payload,) = parse_qs(body.decode())["payload"]
    told = json.loads(payload)
    assert (told["after"], told["head_commit"]["message"].strip()) == (made, "ü&=+ x")


def test_all_hooks_are_told_of_an_event_under_one_guid(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.add_hook(P, f"{ADDRESS}second", dialect="github", events=frozenset({"push"}))
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.commit_as("dev", P, "feature", {"x": "2"}, "x")
    sandbox.deliver()
    seen: dict[str, set[str]] = {}
    for where, _, headers in receiver.sent:
        if headers["X-GitHub-Event"] == "push":
            seen.setdefault(headers["X-GitHub-Delivery"], set()).add(where)
    assert list(seen.values()) == [{"in", "second"}] * 2


def test_the_life_of_a_pull_request_is_told_in_githubs_actions(sandbox: Sandbox, receiver: Receiver) -> None:
    opened(sandbox)
    sandbox.edit_as("dev", P, 1, Edit(add_labels=("red", "blue")))
    sandbox.edit_as("dev", P, 1, Edit(remove_labels=("red",)))
    sandbox.edit_as("dev", P, 1, Edit(title="Other"))
    before = sandbox.request(P, 1).head
    after = sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.close_as("dev", P, 1)
    sandbox.reopen_as("dev", P, 1)
    sandbox.merge_as("mira", P, 1)
    sandbox.deliver()
    told = receiver.told("pull_request")
    assert [(one["action"], one.get("label", {}).get("name")) for one in told] == [
        ("opened", None),
        ("labeled", "red"),
        ("labeled", "blue"),
        ("unlabeled", "red"),
        ("edited", None),
        ("synchronize", None),
        ("closed", None),
        ("reopened", None),
        ("closed", None),
    ]
    moved = told[5]
    assert (moved["before"], moved["after"], moved["pull_request"]["head"]["sha"]) == (before, after, after)
    assert [one["pull_request"]["merged"] for one in told if one["action"] == "closed"] == [False, True]
    assert told[-1]["pull_request"]["merge_commit_sha"] == sandbox.head(P)
    assert (told[-1]["sender"]["login"], told[-1]["repository"]["full_name"]) == ("mira", P)


def test_reviews_are_told_with_their_words(sandbox: Sandbox, hub: GitHub, receiver: Receiver) -> None:
    head = opened(sandbox).head
    sandbox.review_as("mira", P, 1, "APPROVE", "fine by me")
    sandbox.review_as("rep", P, 1, "COMMENT", "hm")
    number = sandbox.request(P, 1).reviews[0].id
    hub("mira").make("PUT", f"{REPO}/pulls/1/reviews/{number}/dismissals", {"message": "stale"})
    wait_for_webhooks(sandbox)
    told = receiver.told("pull_request_review")
    assert [(one["action"], one["review"]["state"], one["review"]["body"]) for one in told] == [
        ("submitted", "approved", "fine by me"),
        ("submitted", "commented", "hm"),
        ("dismissed", "dismissed", "fine by me"),
    ]
    assert told[0]["review"]["commit_id"] == head


def test_comments_are_told_written_and_edited_and_reactions_to_nobody(
    sandbox: Sandbox, hub: GitHub, receiver: Receiver
) -> None:
    opened(sandbox)
    made = hub().make("POST", f"{REPO}/issues/1/comments", {"body": "one"})
    where = f"{REPO}/issues/comments/{made['id']}"
    hub().make("PATCH", where, {"body": "two"})
    hub().make("POST", f"{where}/reactions", {"content": "eyes"})
    wait_for_webhooks(sandbox)
    told = receiver.told("issue_comment")
    assert [(one["action"], one["comment"]["body"]) for one in told] == [("created", "one"), ("edited", "two")]
    assert told[0]["issue"]["pull_request"]["url"].endswith("/pulls/1")


def test_a_comment_on_an_issue_has_no_pull_request(sandbox: Sandbox, hub: GitHub, receiver: Receiver) -> None:
    number = sandbox.issue_as("rep", P, "Control", "red").iid
    hub("rep").make("POST", f"{REPO}/issues/{number}/comments", {"body": "one"})
    wait_for_webhooks(sandbox)
    (told,) = receiver.told("issue_comment")
    assert (told["issue"]["number"], "pull_request" in told["issue"], told["comment"]["body"]) == (number, False, "one")


def test_pushes_are_told_each_by_itself(sandbox: Sandbox, receiver: Receiver) -> None:
    first = sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    second = sandbox.commit_as("dev", P, "feature", {"x": "2"}, "x")
    project = sandbox.project(P)
    for new in (first, None):
        old = project.git.head("feature")
        project.git.set_branch("feature", old, new)
        settle(sandbox.state, project, sandbox.user("dev"), [Move("feature", old, new)])
    sandbox.deliver()
    told = receiver.told("push")
    assert [(one["created"], one["forced"], one["deleted"]) for one in told] == [
        (True, False, False),
        (False, False, False),
        (False, True, False),
        (False, False, True),
    ]
    assert {one["ref"] for one in told} == {"refs/heads/feature"}
    assert ([one["id"] for one in told[1]["commits"]], told[0]["before"]) == ([second], "0" * 40)


def test_statuses_and_check_suites_are_told(sandbox: Sandbox, receiver: Receiver, clock: Clock) -> None:
    sandbox.add_ci(P, Job("ci"), author="root", branches="feature")
    head = opened(sandbox).head
    sandbox.status_as("bot", P, head, Setting("success", "other", "feature"))
    clock.later(10)
    sandbox.tick()
    sandbox.deliver()
    (status,) = receiver.told("status")
    assert (status["sha"], status["state"], status["context"]) == (head, "success", "other")
    assert [one["name"] for one in status["branches"]] == ["feature"]
    done = [one["check_suite"] for one in receiver.told("check_suite") if one["action"] == "completed"]
    assert [(one["head_sha"], one["conclusion"], one["pull_requests"][0]["number"]) for one in done] == [
        (head, "success", 1)
    ]


def test_only_an_apps_own_hook_is_told_its_installation(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.add_project("elsewhere/other", {"a": "1"})
    installed = {}
    for slug in ("one", "two"):
        app = sandbox.state.add_app(slug, "no key")
        sandbox.hook_app(app, f"{ADDRESS}{slug}", events=frozenset({"push"}))
        installed[slug] = sandbox.install_app(app, "platform").id
    stranger = sandbox.state.add_app("three", "no key")
    sandbox.hook_app(stranger, f"{ADDRESS}three")
    sandbox.install_app(stranger, "elsewhere")
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.deliver()
    told = {where: json.loads(body).get("installation", {}).get("id") for where, body, _ in receiver.sent}
    assert told == {"in": None, **installed}


def test_both_dialects_are_told_side_by_side(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.add_hook(P, f"{ADDRESS}gitlab", token="plain")
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.deliver()
    events = {where: headers.get("X-GitHub-Event") or headers["X-Gitlab-Event"] for where, _, headers in receiver.sent}
    assert events == {"in": "push", "gitlab": "Push Hook"}
