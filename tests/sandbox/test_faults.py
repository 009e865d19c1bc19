"""Trouble at will, and the journal that counts what was asked."""

from dataclasses import replace

import pytest
import requests as http

from bot.sandbox.app import create_app
from bot.sandbox.faults import Fault
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import P, opened

NOTES = "projects/platform%2Fconfig/merge_requests/1/notes"


class Api:
    """Bare HTTP as one user."""

    def __init__(self, sandbox: Sandbox, url: str, user: str) -> None:
        self._url = f"{url}/api/v4/"
        self._headers = {"PRIVATE-TOKEN": sandbox.token_for(user)}

    def __call__(self, method: str, path: str, **body: str) -> http.Response:
        return http.request(method, self._url + path, json=body or None, headers=self._headers, timeout=10)


@pytest.fixture
def api(sandbox: Sandbox, url: str) -> Api:
    opened(sandbox)
    return Api(sandbox, url, "dev")


def test_a_limit_says_when_to_come_again(sandbox: Sandbox, api: Api) -> None:
    sandbox.faults.add(Fault("limited", count=2, retry_after=7))
    answers = [api("GET", "user") for _ in range(3)]
    assert [one.status_code for one in answers] == [429, 429, 200]
    assert answers[0].headers["Retry-After"] == "7"


@pytest.mark.parametrize(("kind", "status", "notes"), [("broken", 500, 0), ("broken-after", 500, 1)])
def test_an_error_comes_before_or_after_the_effect(
    sandbox: Sandbox, api: Api, kind: str, status: int, notes: int
) -> None:
    sandbox.faults.add(Fault(kind, "POST", ".*/notes"))  # type: ignore[arg-type]  # parametrized
    assert api("GET", NOTES).status_code == 200
    assert api("POST", NOTES, body="x").status_code == status
    assert len(api("GET", NOTES).json()) == notes
    assert api("POST", NOTES, body="x").status_code == 201


@pytest.mark.parametrize(("kind", "notes"), [("cut", 0), ("cut-after", 1)])
def test_a_connection_is_cut_without_an_answer(sandbox: Sandbox, api: Api, kind: str, notes: int) -> None:
    sandbox.faults.add(Fault(kind, "POST"))  # type: ignore[arg-type]  # parametrized
    with pytest.raises(http.ConnectionError):
        api("POST", NOTES, body="x")
    assert len(api("GET", NOTES).json()) == notes


def test_a_slow_answer_is_slept_over_outside_the_lock(sandbox: Sandbox) -> None:
    slept: list[tuple[float, bool]] = []

    def sleep(seconds: float) -> None:
        slept.append((seconds, sandbox.state.lock._is_owned()))  # type: ignore[attr-defined]  # RLock has it

    sandbox.faults.add(Fault("slow", seconds=3.5))
    app = create_app(replace(sandbox.parts, sleep=sleep))
    answer = app.test_client().get("/api/v4/user", headers={"PRIVATE-TOKEN": sandbox.token_for("dev")})
    assert (answer.status_code, slept) == (200, [(3.5, False)])


def test_the_journal_counts_by_user(sandbox: Sandbox, url: str) -> None:
    opened(sandbox)
    for user in ("dev", "bot"):
        api = Api(sandbox, url, user)
        api("GET", "user")
        api("POST", NOTES, body="x")
    Api(sandbox, url, "bot")("GET", "projects/platform%2Fconfig")
    journal = sandbox.journal
    assert [(journal.reads(user), journal.writes(user)) for user in ("dev", "bot", "mira", None)] == [
        (1, 1),
        (2, 1),
        (0, 0),
        (3, 2),
    ]
    last = journal.clear()[-1]
    assert (last.method, last.path, last.user, last.status) == ("GET", "projects/platform%2Fconfig", "bot", 200)
    assert journal.entries() == ()


def test_a_path_is_told_from_an_encoded_slash(sandbox: Sandbox, api: Api) -> None:
    assert api("GET", "projects/platform%2Fconfig").json()["path_with_namespace"] == P
    assert api("GET", "projects/platform/config").status_code == 404
    assert (
        api("GET", "projects/platform%2fconfig/repository/files/apps%2Fa%2Fvalues.yaml/raw?ref=main").text == "a: 1\n"
    )


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"[]", 400), (b'"x"', 400), (b'{"body": "x"}', 201)])
def test_a_body_that_is_no_object_is_refused(sandbox: Sandbox, url: str, body: bytes, status: int) -> None:
    opened(sandbox)
    headers = {"PRIVATE-TOKEN": sandbox.token_for("dev"), "Content-Type": "application/json"}
    assert http.post(f"{url}/api/v4/{NOTES}", data=body, headers=headers, timeout=5).status_code == status


def test_a_form_is_taken_as_well(sandbox: Sandbox, url: str) -> None:
    opened(sandbox)
    headers = {"PRIVATE-TOKEN": sandbox.token_for("dev")}
    answer = http.post(f"{url}/api/v4/{NOTES}", data={"body": "from a form"}, headers=headers, timeout=5)
    assert answer.json()["body"] == "from a form"
