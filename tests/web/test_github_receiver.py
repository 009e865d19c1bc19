"""GitHub's deliveries at the receiver: the documented answer for each (docs/events.md)."""

import hashlib
import hmac
import json
import time
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.memory import Memory
from bot.pending import Pending, connect
from bot.settings import load_settings
from bot.web import create_app
from workers.receiving import make_ports

NEW, OLD, IMAGES = "the-new-webhook-secret", "the-old-webhook-secret", "the-secret-for-images"
SENDER = {"id": 9, "login": "maria"}
PULL = {
    "action": "opened",
    "pull_request": {
        "number": 7,
        "head": {"ref": "towpath/p/prod/shop/0123456789ab-1", "sha": "1" * 40},
        "base": {"ref": "main", "sha": "2" * 40},
    },
    "repository": {"id": 1, "full_name": "Platform/Config"},
    "sender": SENDER,
}
PUSH = {"ref": "refs/heads/main", "after": "1" * 40, "repository": {"id": 1, "full_name": "platform/config"}}


class Receiver:
    """A test client with one GitHub and one GHCR source, and what the queue holds afterwards."""

    def __init__(self, redis_url: str, folder: Path) -> None:
        redis = connect(redis_url)
        self.pending = Pending(redis)
        settings = load_settings(
            {
                "TOWPATH_MIRRORS": str(folder),
                "TOWPATH_SEAL": '["0123456789abcdef"]',
                "TOWPATH_FORGES__HUB__KIND": "github",
                "TOWPATH_FORGES__HUB__TOKEN": "github_pat_not-a-real-one",
                "TOWPATH_FORGES__HUB__WEBHOOK_SECRETS": json.dumps([OLD, NEW]),
                "TOWPATH_FORGES__HUB__REPOSITORIES": '["platform/config"]',
                "TOWPATH_SOURCES__GHCR__KIND": "ghcr",
                "TOWPATH_SOURCES__GHCR__SECRETS": json.dumps([IMAGES]),
                "TOWPATH_SOURCES__GHCR__IMAGES": '["ghcr.io/shop/"]',
            }
        )
        app = create_app(make_ports(settings, self.pending, Memory(redis), time.time), settings.body_limit)
        self.client: FlaskClient = app.test_client()

    def post(self, body: object, secret: str = NEW, event: str = "pull_request", **headers: str) -> TestResponse:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        given = {"X-GitHub-Event": event, "X-GitHub-Delivery": "a-guid", "X-Hub-Signature-256": f"sha256={signature}"}
        given |= {"Content-Type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post("/hooks/github/hub", data=raw, headers=given)

    def due(self) -> tuple[tuple[str, ...], ...]:
        return self.pending.hand_out(time.time() + 1, 100, time.time() + 100)


@pytest.fixture
def receiver(redis_url: str, tmp_path: Path) -> Receiver:
    return Receiver(redis_url, tmp_path)


@pytest.mark.parametrize(
    ("event", "body", "work"),
    [
        ("pull_request", PULL, ("branch", "hub", "platform/config", "towpath/p/prod/shop/0123456789ab-1")),
        ("push", PUSH, ("repository", "hub", "platform/config")),
        (
            "issue_comment",
            {"issue": {"number": 7, "pull_request": {}}, "repository": PUSH["repository"], "sender": SENDER},
            ("request", "hub", "platform/config", "7"),
        ),
        (
            "issue_comment",
            {"issue": {"number": 3}, "repository": PUSH["repository"], "sender": SENDER},
            ("issue", "hub", "platform/config", "3"),
        ),
    ],
)
def test_a_delivery_marks_what_it_may_concern(
    receiver: Receiver, event: str, body: object, work: tuple[str, ...]
) -> None:
    answer = receiver.post(body, event=event)
    assert (answer.status_code, answer.json) == (202, {"accepted": 1, "duplicate": False, "ignored": []})
    assert receiver.due() == (work,)


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_S3_both_secrets_are_valid_while_one_replaces_the_other(receiver: Receiver, secret: str) -> None:
    assert receiver.post(PULL, secret).status_code == 202


@pytest.mark.parametrize(
    ("secret", "headers", "words"),
    [
        ("another-webhook-secret", {}, "X-Hub-Signature-256"),
        (NEW, {"X_Hub_Signature_256": ""}, "X-Hub-Signature-256"),
        (NEW, {"X_Hub_Signature_256": "sha256=" + "0" * 64}, "X-Hub-Signature-256"),
        (NEW, {"X_Hub_Signature_256": "sha1=" + "0" * 40}, "X-Hub-Signature-256"),
        (NEW, {"X_Hub_Signature_256": "sha256=\u00ff"}, "X-Hub-Signature-256"),
    ],
)
def test_S2_a_wrong_signature_is_401_and_stores_nothing(
    receiver: Receiver, secret: str, headers: dict[str, str], words: str
) -> None:
    answer = receiver.post(PULL, secret, **headers)
    assert answer.status_code == 401
    assert words in answer.text
    assert not any(known in answer.text for known in (NEW, OLD))
    assert receiver.due() == ()


def test_S3_a_replayed_delivery_is_known_under_any_guid(receiver: Receiver) -> None:
    receiver.post(PULL)
    again = receiver.post(PULL, X_GitHub_Delivery="another-guid")
    assert (again.status_code, again.json) == (202, {"accepted": 0, "duplicate": True, "ignored": []})


def test_S2_a_body_over_the_limit_is_413(receiver: Receiver) -> None:
    answer = receiver.post(b"{" + b" " * (3 * 1024 * 1024) + b"}")
    assert answer.status_code == 413
    assert receiver.due() == ()


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b"{", b"[]", b'"text"', b"", json.dumps({"number": 7}).encode()])
def test_S2_a_signed_body_that_is_not_understood_is_202_and_on_the_dead_letter_list(
    receiver: Receiver, body: bytes
) -> None:
    answer = receiver.post(body)
    assert answer.status_code == 202
    assert answer.json is not None
    assert "not understood" in answer.json["ignored"][0]
    (letter,) = receiver.pending.dead_letters()
    assert letter["source"] == "forge hub"


def test_a_form_is_signed_and_understood_as_it_came(receiver: Receiver) -> None:
    raw = urlencode({"payload": json.dumps(PULL)}).encode()
    answer = receiver.post(raw, Content_Type="application/x-www-form-urlencoded")
    assert answer.json == {"accepted": 1, "duplicate": False, "ignored": []}


@pytest.mark.parametrize(
    ("event", "body", "reason"),
    [
        ("ping", {"zen": "Keep it logically awesome."}, "ping"),
        ("star", {"action": "created"}, "star"),
        ("push", {**PUSH, "ref": "refs/tags/v1"}, "no branch"),
        (
            "push",
            {**PUSH, "repository": {"id": 2, "full_name": "evil/config"}},
            "evil/config is no configured repository",
        ),
        ("package", {"action": "published"}, "ghcr"),
    ],
)
def test_what_is_of_no_interest_is_202_with_the_reason(
    receiver: Receiver, event: str, body: object, reason: str
) -> None:
    answer = receiver.post(body, event=event)
    assert answer.status_code == 202
    assert answer.json is not None
    assert reason in answer.json["ignored"][0]
    assert receiver.due() == ()


def test_the_address_must_be_that_of_the_forges_kind(receiver: Receiver) -> None:
    answer = receiver.client.post("/hooks/gitlab/hub", data=b"{}")
    assert (answer.status_code, "/hooks/github/hub" in answer.text) == (404, True)
    assert receiver.client.post("/hooks/github/other", data=b"{}").status_code == 404
    assert receiver.client.post("/hooks/gitea/hub", data=b"{}").status_code == 404


def test_an_image_pushed_to_ghcr_is_announced(receiver: Receiver) -> None:
    body = {
        "action": "published",
        "package": {
            "name": "api",
            "namespace": "Shop",
            "package_type": "CONTAINER",
            "package_version": {
                "version": f"sha256:{'a' * 64}",
                "container_metadata": {"tag": {"name": "v2"}, "manifest": {"digest": f"sha256:{'a' * 64}"}},
            },
        },
        "repository": {"id": 1, "full_name": "shop/api", "html_url": "https://github.com/shop/api"},
        "sender": SENDER,
    }
    raw = json.dumps(body).encode()
    signature = hmac.new(IMAGES.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "package", "X-Hub-Signature-256": f"sha256={signature}"}
    answer = receiver.client.post("/hooks/images/ghcr", data=raw, headers=headers)
    assert answer.json == {"accepted": 1, "duplicate": False, "ignored": []}
    assert receiver.due() == (("image", "ghcr.io/shop/api"),)
