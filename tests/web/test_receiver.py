"""The receiver: the real hooks, the real queue, and every refusal."""

import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse, create_environ, run_wsgi_app

from bot.hooks.ci import sign
from bot.memory import Answer, Memory
from bot.pending import Pending, connect
from bot.settings import Settings, load_settings
from bot.web import Ports, create_app
from bot.web.receive import Told
from tests.redis_server import free_port
from workers.receiving import MOST_LETTERS, make_ports, may_speak_for

REPO = "registry.example.com/shop/api"
DIGEST = f"sha256:{'a' * 64}"
BODY = {"repository": REPO, "digest": DIGEST, "tag": "v1"}
CI_SECRET, OLD_SECRET, HOOK_TOKEN, REGISTRY_SECRET = "ci-secret-now", "ci-secret-old", "hook-token-1", "registry-secret"


def settings(folder: Path) -> Settings:
    return load_settings(
        {
            "TOWPATH_MIRRORS": str(folder),
            "TOWPATH_SEAL": '["0123456789abcdef"]',
            "TOWPATH_BODY_LIMIT": "100000",
            "TOWPATH_FORGES__MAIN__KIND": "gitlab",
            "TOWPATH_FORGES__MAIN__URL": "https://gitlab.example.com",
            "TOWPATH_FORGES__MAIN__TOKEN": "glpat-not-a-real-one",
            "TOWPATH_FORGES__MAIN__WEBHOOK_TOKENS": json.dumps([HOOK_TOKEN]),
            "TOWPATH_FORGES__MAIN__REPOSITORIES": '["platform/config"]',
            "TOWPATH_SOURCES__CI__KIND": "ci",
            "TOWPATH_SOURCES__CI__SECRETS": json.dumps([CI_SECRET, OLD_SECRET]),
            "TOWPATH_SOURCES__CI__IMAGES": '["registry.example.com/shop/"]',
            "TOWPATH_SOURCES__REG__KIND": "distribution",
            "TOWPATH_SOURCES__REG__SECRETS": json.dumps([REGISTRY_SECRET]),
            "TOWPATH_SOURCES__REG__IMAGES": '["registry.example.com/shop/*"]',
            "TOWPATH_SOURCES__REG__REGISTRY": "registry.example.com",
        }
    )


class Receiver:
    """A test client, and what the queue holds afterwards."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        self.pending = Pending(connect(redis_url))
        self.memory = Memory(connect(redis_url))
        set_up = settings(folder)
        app = create_app(make_ports(set_up, self.pending, self.memory, time.time), set_up.body_limit)
        self.client: FlaskClient = app.test_client()

    def ci(self, body: object, secret: str = CI_SECRET, at: datetime | None = None, path: str = "ci") -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(f"/hooks/images/{path}", data=raw, headers=sign(secret, raw, at or datetime.now(UTC)))

    def gitlab(self, body: object, token: str = HOOK_TOKEN) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post("/hooks/gitlab/main", data=raw, headers={"X-Gitlab-Token": token})

    def registry(self, body: object, secret: str = REGISTRY_SECRET) -> TestResponse:
        headers = {"Authorization": f"Bearer {secret}"}
        return self.client.post("/hooks/images/reg", data=json.dumps(body), headers=headers)

    def due(self) -> tuple[tuple[str, ...], ...]:
        return self.pending.hand_out(time.time() + 1, 100, time.time() + 100)


@pytest.fixture
def receiver(redis_url: str, tmp_path: Path) -> Receiver:
    return Receiver(redis_url, tmp_path)


def push(branch: str = "main", project: str = "platform/config") -> dict[str, object]:
    return {
        "object_kind": "push",
        "ref": f"refs/heads/{branch}",
        "after": "a" * 40,
        "project": {"path_with_namespace": project},
    }


def test_R1_an_announced_image_is_stored_then_answered_with_202(receiver: Receiver) -> None:
    answer = receiver.ci(BODY)
    assert (answer.status_code, answer.json) == (202, {"accepted": 1, "duplicate": False, "ignored": []})
    assert receiver.due() == (("image", REPO),)
    assert [one.image.digest for one in receiver.pending.sightings(REPO)] == [DIGEST]


def test_R2_the_same_announcement_again_is_a_duplicate(receiver: Receiver) -> None:
    receiver.ci(BODY)
    receiver.due()
    again = receiver.ci(BODY)
    assert again.status_code == 202 and again.json is not None and again.json["duplicate"] is True


def test_R2_an_earlier_build_that_arrives_later_is_the_earlier_one(receiver: Receiver) -> None:
    receiver.ci({**BODY, "created": "2026-01-02T00:00:00Z"})
    receiver.ci({**BODY, "digest": f"sha256:{'b' * 64}", "created": "2026-01-01T00:00:00Z"})
    assert [one.image.digest[7] for one in receiver.pending.sightings(REPO)] == ["a", "b"]


def test_a_time_in_the_future_is_no_later_than_now(receiver: Receiver) -> None:
    receiver.ci({**BODY, "created": "2099-01-01T00:00:00Z"})
    assert receiver.pending.sightings(REPO)[0].seen_at <= datetime.now(UTC)


@pytest.mark.parametrize("secret", [CI_SECRET, OLD_SECRET])
def test_S3_two_secrets_are_valid_at_once(receiver: Receiver, secret: str) -> None:
    assert receiver.ci(BODY, secret).status_code == 202


REFUSED: dict[str, tuple[Callable[[Receiver], TestResponse], int, str]] = {
    "wrong secret": (lambda r: r.ci(BODY, "another-secret"), 401, "X-Towpath-Signature"),
    "replayed later": (lambda r: r.ci(BODY, at=datetime(2026, 1, 1, tzinfo=UTC)), 401, "X-Towpath-Timestamp"),
    "unsigned": (lambda r: r.client.post("/hooks/images/ci", data=b"{}"), 401, "X-Towpath"),
    "wrong hook token": (lambda r: r.gitlab(push(), "wrong"), 401, "X-Gitlab-Token"),
    "empty hook token": (lambda r: r.gitlab(push(), ""), 401, "X-Gitlab-Token"),
    "wrong registry secret": (lambda r: r.registry({"events": []}, "wrong"), 401, "Authorization"),
    "unknown source": (lambda r: r.ci(BODY, path="nobody"), 404, "source"),
    "unknown forge": (lambda r: r.client.post("/hooks/gitlab/nobody", data=b"{}"), 404, "forge"),
    "not JSON": (lambda r: r.ci(b"{"), 400, ""),
    "not UTF-8": (lambda r: r.ci(b'{"repository": "\xff"}'), 400, ""),
    "form": (lambda r: r.ci(b"payload=%7B%7D"), 400, ""),
    "misspelt field": (lambda r: r.ci({**BODY, "diggest": "x"}), 400, "digest"),
    "missing field": (lambda r: r.ci({"repository": REPO}), 400, "digest"),
    "not a digest": (lambda r: r.ci({**BODY, "digest": "sha256:abc"}), 400, "digest"),
    "a mention as a tag": (lambda r: r.ci({**BODY, "tag": "@all"}), 400, "tag"),
    "somebody else's image": (lambda r: r.ci({**BODY, "repository": "registry.example.com/bank/api"}), 403, "shop/"),
    "too large": (lambda r: r.ci(b"x" * 100_001), 413, "100000"),
    "read instead of sent": (lambda r: r.client.get("/hooks/images/ci"), 405, ""),
    "nowhere": (lambda r: r.client.get("/nowhere"), 404, ""),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_says_why_and_stores_nothing(receiver: Receiver, name: str) -> None:
    send, status, words = REFUSED[name]
    answer = send(receiver)
    assert answer.status_code == status
    assert answer.json is not None and words in answer.json["error"] + answer.json.get("field", "")
    assert receiver.due() == ()


def test_S2_the_body_is_capped_before_the_sender_is_asked(receiver: Receiver) -> None:
    assert receiver.client.post("/hooks/images/ci", data=b"x" * 100_001).status_code == 413


def test_S2_the_body_is_capped_where_no_length_is_announced(receiver: Receiver) -> None:
    environ = create_environ("/hooks/images/ci", method="POST")
    environ |= {"wsgi.input": _Endless(), "wsgi.input_terminated": True}
    environ.pop("CONTENT_LENGTH", None)
    _, status, _ = run_wsgi_app(receiver.client.application, environ)
    assert status.startswith("413")


class _Endless(io.RawIOBase):
    """A body that never ends."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return b"x" * (size if size > 0 else 65536)


def test_S2_a_wrong_sender_with_a_broken_body_hears_401_not_400(receiver: Receiver) -> None:
    assert receiver.ci(b"{", "another-secret").status_code == 401


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"events": [{"action": "push", "target": 3}]}'])
def test_S2_a_registrys_body_that_is_not_understood_gets_202_and_the_dead_letter_list(
    receiver: Receiver, body: bytes
) -> None:
    headers = {"Authorization": f"Bearer {REGISTRY_SECRET}"}
    assert receiver.client.post("/hooks/images/reg", data=body, headers=headers).status_code == 202
    assert len(receiver.pending.dead_letters()) == 1


def test_S2_a_forges_body_that_is_not_understood_gets_202_and_the_dead_letter_list(receiver: Receiver) -> None:
    assert receiver.gitlab(b"{").status_code == 202
    assert [letter["source"] for letter in receiver.pending.dead_letters()] == ["forge main"]


@pytest.mark.parametrize(
    ("body", "works"),
    [
        (push(), (("repository", "main", "platform/config"),)),
        (
            push("towpath/p/prod/shop/0123456789ab-1"),
            (("branch", "main", "platform/config", "towpath/p/prod/shop/0123456789ab-1"),),
        ),
        (push(project="somebody/else"), ()),
        (
            {
                "object_kind": "merge_request",
                "project": {"path_with_namespace": "platform/config"},
                "object_attributes": {"iid": 7, "source_branch": "feature", "target_branch": "main", "action": "open"},
            },
            (("request", "main", "platform/config", "7"),),
        ),
        (
            {
                "object_kind": "note",
                "project": {"path_with_namespace": "platform/config"},
                "object_attributes": {"noteable_type": "MergeRequest"},
                "merge_request": {
                    "iid": 7,
                    "source_branch": "towpath/p/prod/shop/0123456789ab-1",
                    "target_branch": "main",
                },
            },
            (("request", "main", "platform/config", "7"),),
        ),
        (
            {
                "object_kind": "note",
                "project": {"path_with_namespace": "platform/config"},
                "object_attributes": {"noteable_type": "Issue"},
                "issue": {"iid": 3},
            },
            (("issue", "main", "platform/config", "3"),),
        ),
    ],
)
def test_a_forges_event_marks_what_it_may_concern(
    receiver: Receiver, body: dict[str, object], works: tuple[tuple[str, ...], ...]
) -> None:
    assert receiver.gitlab(body).status_code == 202
    assert receiver.due() == works


def test_a_registrys_push_is_stored_and_strangers_are_passed_over(receiver: Receiver) -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    events = [
        {"action": "push", "target": {"mediaType": kind, "repository": name, "digest": DIGEST, "tag": "v1"}}
        for name in ("shop/api", "bank/api")
    ]
    answer = receiver.registry({"events": events})
    assert answer.json is not None and answer.json["accepted"] == 1 and "bank/api" in answer.json["ignored"][0]
    assert receiver.due() == (("image", REPO),)


def test_a_bad_event_of_an_envelope_does_not_take_the_good_ones_with_it(receiver: Receiver) -> None:
    kind = "application/vnd.oci.image.manifest.v1+json"
    good = {"action": "push", "target": {"mediaType": kind, "repository": "shop/api", "digest": DIGEST, "tag": "v1"}}
    unfit = {"action": "push", "target": {"mediaType": kind, "repository": "shop/api", "digest": "no", "tag": "v1"}}
    answer = receiver.registry({"events": [{"target": 3, "note": "x" * 5000}, good, unfit]})
    assert answer.status_code == 202 and answer.json is not None and answer.json["accepted"] == 1
    assert [word in answer.json["ignored"][at] for at, word in enumerate(["events.0.target", "events.2.target.digest"])]
    assert receiver.due() == (("image", REPO),)
    second, first = receiver.pending.dead_letters()
    assert first["source"] == "source reg" and first["error"].startswith("events.0.target: ")
    assert first["event"].startswith('{"target": 3, "note": "xxx') and len(first["event"]) == 2000
    assert second["error"].startswith("events.2.target.digest: is no digest") and json.loads(second["event"]) == unfit


def test_an_envelope_of_bad_events_does_not_push_all_other_letters_out(receiver: Receiver) -> None:
    assert receiver.registry({"events": [{"target": 3}] * 1000}).status_code == 202
    assert len(receiver.pending.dead_letters()) == MOST_LETTERS


def test_the_error_of_a_dead_letter_is_plain_text(receiver: Receiver) -> None:
    receiver.gitlab(b"{")
    assert receiver.pending.dead_letters()[0]["error"].startswith("body: is not JSON")


def test_a_webhook_of_a_repository_that_is_not_configured_hears_why(receiver: Receiver) -> None:
    told = receiver.gitlab(push(project="somebody/else"))
    reason = "somebody/else is no configured repository of this forge"
    assert told.json == {"accepted": 0, "duplicate": False, "ignored": [reason]}


def test_a_forges_path_is_known_under_any_case(receiver: Receiver) -> None:
    told = receiver.gitlab(push(project="Platform/Config"))
    assert told.json is not None and told.json["accepted"] == 1
    assert receiver.due() == (("repository", "main", "platform/config"),)


@pytest.mark.parametrize("header", ["X-Gitlab-Event", "X-GitHub-Event"])
def test_the_cause_is_what_the_forge_calls_its_event(receiver: Receiver, header: str) -> None:
    headers = {"X-Gitlab-Token": HOOK_TOKEN, header: "Push Hook"}
    receiver.client.post("/hooks/gitlab/main", data=json.dumps(push()), headers=headers)
    claim = receiver.pending.claim(receiver.due()[0], time.time() + 1)
    assert claim is not None and claim.cause == "Push Hook"


def test_who_announces_an_image_again_is_not_told_that_nobody_pinned_it_then(receiver: Receiver) -> None:
    for answer in (Answer("refused", "", "", "no service pins it", ""), Answer("opened", "shop", "nonprod", "", "")):
        receiver.memory.note_answer(REPO, DIGEST, answer)
    receiver.ci({**BODY, "id": "0b8f4b6e-0000-4000-8000-000000000000"})
    assert [one.unit for one in receiver.memory.answers(REPO, DIGEST)] == ["shop"]


def test_what_became_of_an_image_is_told_to_who_announced_it(receiver: Receiver) -> None:
    receiver.memory.note_answer(REPO, DIGEST, Answer("opened", "shop", "nonprod", "waits", "https://x.example.com/1"))
    told = receiver.ci(BODY, path="ci/answer")
    assert told.status_code == 200 and told.json is not None
    assert [(one["state"], one["stage"]) for one in told.json["answers"]] == [("opened", "nonprod")]
    assert receiver.ci(BODY, "another-secret", path="ci/answer").status_code == 401
    assert receiver.due() == ()


@pytest.fixture(params=["closed", "silent"])
def dead_redis(request: pytest.FixtureRequest) -> Iterator[str]:
    """A Redis that refuses connections, and one that takes them and never answers."""
    with socket.socket() as listener:
        if request.param == "silent":
            listener.bind(("127.0.0.1", 0))
            listener.listen(16)
        port = listener.getsockname()[1] if request.param == "silent" else free_port()
        yield f"redis://127.0.0.1:{port}/0"


def test_R1_without_redis_the_answer_is_503_and_send_it_again(dead_redis: str, tmp_path: Path) -> None:
    receiver = Receiver(dead_redis, tmp_path)
    for answer in (receiver.ci(BODY), receiver.gitlab(push()), receiver.client.get("/readyz")):
        assert answer.status_code == 503 and answer.headers["Retry-After"] == "5"
        assert answer.json is not None and "Redis" in answer.json["error"]
    assert receiver.client.get("/healthz").status_code == 200


def test_R1_after_a_failure_of_redis_nobody_waits_for_it_for_a_second(tmp_path: Path) -> None:
    now, asked = [100.0], []

    def store(*_: object) -> Told:
        asked.append(now[0])
        if len(asked) == 1:
            raise redis.ConnectionError
        return Told(1)

    def ping() -> None:
        asked.append(now[0])

    client = create_app(Ports(store, store, lambda *_: (), ping), 1000, lambda: now[0]).test_client()
    assert client.post("/hooks/images/ci").status_code == 503
    now[0] = 100.9
    again = client.post("/hooks/gitlab/main")
    assert (again.status_code, again.headers["Retry-After"]) == (503, "5")
    assert client.get("/readyz").status_code == 503
    assert client.get("/healthz").status_code == 200
    assert asked == [100.0]
    now[0] = 101.1
    assert client.post("/hooks/gitlab/main").status_code == 202
    assert client.get("/readyz").status_code == 200


def test_ready_with_redis(receiver: Receiver) -> None:
    assert receiver.client.get("/readyz").status_code == 200


@pytest.mark.parametrize(
    ("images", "repository", "may"),
    [
        (("registry.example.com/shop/",), REPO, True),
        (("registry.example.com/shop/",), "registry.example.com/shopping/api", False),
        (("registry.example.com/shop",), REPO, False),
        (("registry.example.com/*/api",), REPO, True),
        ((REPO,), REPO, True),
        ((), REPO, False),
    ],
)
def test_S4_a_credential_speaks_for_its_images_alone(images: tuple[str, ...], repository: str, may: bool) -> None:
    assert may_speak_for(images, repository) is may
