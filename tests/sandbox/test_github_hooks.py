"""GitHub's dialect: hooks made by the API, the list of what they were sent, and sending it again."""

from collections.abc import Mapping

import pytest

from bot.sandbox.model import Delivery, Hook
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import P, opened
from tests.sandbox.github_client import REPO, GitHub, claim, wait_for_webhooks

HOOKS = f"{REPO}/hooks"
ADDRESS = "http://hooks.example.com/in"


class Receiver:
    """Takes webhooks in the place of HTTP, and answers as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Mapping[str, str]]] = []
        self.answer = 200

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        if self.answer == 0:
            raise ConnectionRefusedError
        self.sent.append((body, headers))
        return self.answer


@pytest.fixture
def receiver(sandbox: Sandbox) -> Receiver:
    made = Receiver()
    sandbox.webhooks.sender = made
    return made


@pytest.fixture
def hook(sandbox: Sandbox, receiver: Receiver) -> Hook:
    return sandbox.add_hook(P, ADDRESS, token="secret", dialect="github", events=frozenset({"issue_comment"}))


def say(sandbox: Sandbox, *words: str) -> list[Delivery]:
    """Comments, and the deliveries that they made."""
    if not sandbox.requests(P):
        opened(sandbox)
    before = len(sandbox.state.sent)
    for word in words:
        sandbox.comment_as("dev", P, 1, word)
    wait_for_webhooks(sandbox)
    return sandbox.state.sent[before:]


def test_pygithub_makes_a_hook(sandbox: Sandbox, hub: GitHub) -> None:
    config = {"url": ADDRESS, "content_type": "json", "secret": "hush"}
    made = hub.pygithub("mira").get_repo(P).create_hook("web", config, ["push", "issue_comment"], active=True)
    assert (made.config["secret"], made.events) == ("********", ["issue_comment", "push"])
    hook = sandbox.project(P).hooks[made.id]
    assert (hook.token, hook.form, hook.dialect) == ("hush", False, "github")
    assert [one["id"] for one in hub("mira").many(HOOKS)] == [made.id]


def test_a_hook_sends_forms_of_pushes_by_default(sandbox: Sandbox, hub: GitHub) -> None:
    made = hub("mira").make("POST", HOOKS, {"config": {"url": ADDRESS}})
    assert (made["config"]["content_type"], made["events"]) == ("form", ["push"])


@pytest.mark.parametrize(
    ("config", "status"), [(None, 422), ({}, 422), ({"url": "ftp://example.com"}, 422), ({"url": "x"}, 422)]
)
def test_a_hook_needs_an_address(sandbox: Sandbox, hub: GitHub, config: object, status: int) -> None:
    assert hub("mira").said("POST", HOOKS, {"config": config})[0] == status
    assert sandbox.project(P).hooks == {}


def test_a_second_hook_for_an_address_is_refused(sandbox: Sandbox, hub: GitHub, hook: Hook) -> None:
    sandbox.add_hook(P, "http://gitlab.example.com/in")
    found = hub("mira")("POST", HOOKS, {"config": {"url": ADDRESS}})
    (fault,) = found.json()["errors"]
    assert (found.status_code, fault["resource"]) == (422, "Hook")
    assert fault["message"] == "Hook already exists on this repository"
    hub("mira").make("POST", HOOKS, {"config": {"url": "http://gitlab.example.com/in"}})


def test_a_hook_is_changed(sandbox: Sandbox, hub: GitHub, hook: Hook) -> None:
    change = {"config": {"url": f"{ADDRESS}/2", "content_type": "json", "secret": "new"}, "events": ["push"]}
    hub("mira").make("PATCH", f"{HOOKS}/{hook.id}", change)
    assert (hook.url, hook.token, hook.events) == (f"{ADDRESS}/2", "new", frozenset({"push"}))


def test_hooks_are_nothing_for_writers(hub: GitHub, hook: Hook) -> None:
    for method, path in (("GET", HOOKS), ("POST", HOOKS), ("GET", f"{HOOKS}/{hook.id}/deliveries")):
        assert hub("dev").said(method, path, {} if method == "POST" else None) == (404, "Not Found")


def test_deliveries_are_listed_newest_first_with_what_came_of_them(
    sandbox: Sandbox, hub: GitHub, hook: Hook, receiver: Receiver
) -> None:
    for answer in (204, 503, 0):
        receiver.answer = answer
        say(sandbox, f"{answer}")
    found = hub("mira").many(f"{HOOKS}/{hook.id}/deliveries")
    assert [(one["status_code"], one["status"]) for one in found] == [
        (0, "failed to connect to host"),
        (503, "Invalid HTTP Response: 503"),
        (204, "OK"),
    ]
    assert {(one["event"], one["action"], one["redelivery"]) for one in found} == {("issue_comment", "created", False)}
    assert len({one["guid"] for one in found}) == 3


def test_nothing_failed_is_sent_again_by_itself(sandbox: Sandbox, hub: GitHub, hook: Hook, receiver: Receiver) -> None:
    receiver.answer = 500
    for number in range(5):
        assert len(say(sandbox, f"{number}")) == 1
    assert len(receiver.sent) == 5


def test_a_redelivery_has_the_same_guid_and_body(sandbox: Sandbox, hub: GitHub, hook: Hook, receiver: Receiver) -> None:
    receiver.answer = 500
    say(sandbox, "lost")
    (before,) = hub("mira").many(f"{HOOKS}/{hook.id}/deliveries")
    receiver.answer = 200
    again = hub("mira")("POST", f"{HOOKS}/{hook.id}/deliveries/{before['id']}/attempts")
    assert (again.status_code, again.json()) == (202, {})
    say(sandbox)
    first, second = receiver.sent
    assert first[0] == second[0]
    for name in ("X-GitHub-Delivery", "X-Hub-Signature-256", "X-GitHub-Event"):
        assert first[1][name] == second[1][name]
    found = hub("mira").many(f"{HOOKS}/{hook.id}/deliveries")
    assert [(one["redelivery"], one["status_code"]) for one in found] == [(True, 200), (False, 500)]
    assert found[0]["guid"] == before["guid"]
    assert found[0]["id"] != before["id"]


def test_another_hooks_delivery_is_not_sent_again(sandbox: Sandbox, hub: GitHub, hook: Hook) -> None:
    other = sandbox.add_hook(P, f"{ADDRESS}/2", dialect="github")
    (delivery, *_) = [one for one in say(sandbox, "x") if one.hook is hook]
    where = f"{HOOKS}/{other.id}/deliveries/{delivery.id}/attempts"
    assert hub("mira").said("POST", where) == (404, "Not Found")
    assert hub("mira").said("POST", f"{HOOKS}/{hook.id}/deliveries/0/attempts") == (404, "Not Found")


def test_deliveries_come_in_pages_by_a_cursor(sandbox: Sandbox, hub: GitHub, hook: Hook) -> None:
    say(sandbox, *(f"{number}" for number in range(5)))
    seen: list[int] = []
    where = f"{HOOKS}/{hook.id}/deliveries?per_page=2"
    for size in (2, 2, 1):
        found = hub("mira")("GET", where)
        assert len(found.json()) == size
        seen += [one["id"] for one in found.json()]
        if size == 2:
            say(sandbox, "another")
            assert list(found.links) == ["next"]
            where = found.links["next"]["url"]
        else:
            assert found.links == {}
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5


def test_an_app_lists_and_repeats_its_own_deliveries(sandbox: Sandbox, hub: GitHub, receiver: Receiver) -> None:
    app, key = sandbox.add_app("towpath")
    sandbox.install_app(app, "platform")
    api = hub.token(claim(app.id, key))
    assert api.many("/app/hook/deliveries") == []
    assert api.said("GET", "/app/hook/config") == (404, "Not Found")
    sandbox.hook_app(app, ADDRESS, events=frozenset({"issue_comment"}))
    api.make("PATCH", "/app/hook/config", {"url": f"{ADDRESS}/2", "content_type": "json", "secret": "hush"})
    assert api.get("/app/hook/config")["url"] == f"{ADDRESS}/2"
    say(sandbox, "x")
    (found,) = api.many("/app/hook/deliveries")
    assert api("POST", f"/app/hook/deliveries/{found['id']}/attempts").status_code == 202
    say(sandbox)
    assert [headers["X-GitHub-Delivery"] for _, headers in receiver.sent] == [found["guid"]] * 2
    assert all("X-Hub-Signature-256" in headers for _, headers in receiver.sent)
    assert hub("mira").said("GET", "/app/hook/deliveries")[0] == 401
