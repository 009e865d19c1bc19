"""What the forges tell of Towpath's token and webhooks; the JSON and headers are those of their documentation."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import pytest
import responses

from bot.errors import OutsideError, RateLimited
from bot.forges.base import Forge
from bot.forges.connection import Connection
from bot.forges.github import GitHub
from bot.forges.github.standing import failing
from bot.forges.gitlab import GitLab

R = "platform/config"
GITLAB, GITHUB = "https://gitlab.example.com", "https://github.example.com"
SELF = f"{GITLAB}/api/v4/personal_access_tokens/self"
API = f"{GITHUB}:443/api/v3"


@pytest.fixture
def answers() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mocked:
        yield mocked


@pytest.fixture
def gitlab() -> Forge:
    return GitLab(Connection("main", GITLAB, "a-token-of-tests"))


@pytest.fixture
def github() -> Forge:
    return GitHub(Connection("main", GITHUB, "a-token-of-tests"))


@pytest.mark.parametrize(
    ("scopes", "lacks"),
    [(["api"], False), (["read_api", "write_repository"], True), (["granular"], False), ([], True)],
)
def test_a_token_of_GitLab(answers: responses.RequestsMock, gitlab: Forge, scopes: list[str], lacks: bool) -> None:
    answers.get(SELF, json={"id": 4, "name": "towpath\nbot", "scopes": scopes, "expires_at": "2026-12-31"})
    found = gitlab.credential(R)
    assert (found.kind, found.scopes, bool(found.lacking)) == ("token towpath bot", tuple(scopes), lacks)
    assert found.expires_at == datetime(2026, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_token_that_GitLab_does_not_describe(answers: responses.RequestsMock, gitlab: Forge, status: int) -> None:
    answers.get(SELF, json={"message": "no"}, status=status)
    assert gitlab.credential(R).scopes is None


@pytest.mark.parametrize("status", [401, 500])
def test_a_failure_is_no_answer(answers: responses.RequestsMock, gitlab: Forge, status: int) -> None:
    answers.get(SELF, json={"message": "no"}, status=status)
    with pytest.raises(OutsideError):
        gitlab.credential(R)


def test_a_webhook_that_GitLab_switched_off_for_a_while(answers: responses.RequestsMock, gitlab: Forge) -> None:
    rows = [
        {"id": 1, "url": "https://towpath.example.com/hooks/gitlab/main", "alert_status": "executable"},
        {
            "id": 2,
            "url": "https://old.example.com/hooks/gitlab/main",
            "alert_status": "temporarily_disabled",
            "disabled_until": "2026-03-01T00:00:00Z",
        },
        {"id": 3, "url": "https://chat.example.com/", "alert_status": "disabled"},
    ]
    answers.get(f"{GITLAB}/api/v4/projects/platform%2Fconfig/hooks", json=rows)
    works, off = gitlab.hooks(R, "/hooks/gitlab/main")
    assert (works.trouble, works.change) == ("", "")
    assert off.trouble.endswith("for a while after failures in a row, until 2026-03-01T00:00:00Z")


def told(answers: responses.RequestsMock, headers: Mapping[str, str], visibility: str = "private") -> None:
    answers.get(f"{API}/user", json={"login": "towpath", "id": 9}, headers=dict(headers))
    if "X-OAuth-Scopes" in headers:
        answers.get(f"{API}/repos/{R}", json={"id": 1, "visibility": visibility})


@pytest.mark.parametrize(
    ("scopes", "visibility", "lacks"),
    [
        ("repo, read:org", "private", False),
        ("public_repo", "public", False),
        ("public_repo", "private", True),
        ("", "private", True),
    ],
)
def test_a_classic_token_of_GitHub(
    answers: responses.RequestsMock, github: Forge, scopes: str, visibility: str, lacks: bool
) -> None:
    told(answers, {"X-OAuth-Scopes": scopes}, visibility)
    found = github.credential(R)
    assert found.scopes == tuple(filter(None, scopes.split(", ")))
    assert (found.kind, bool(found.lacking), found.expires_at) == ("classic token", lacks, None)


@pytest.mark.parametrize(
    ("header", "end"),
    [
        ("2026-12-31 08:00:00 UTC", datetime(2026, 12, 31, 8, tzinfo=UTC)),
        ("2026-12-31 08:00:00 +0900", datetime(2026, 12, 30, 23, tzinfo=UTC)),
        ("soon", None),
    ],
)
def test_when_a_fine_grained_token_ends(
    answers: responses.RequestsMock, github: Forge, header: str, end: datetime | None
) -> None:
    told(answers, {"GitHub-Authentication-Token-Expiration": header})
    found = github.credential(R)
    assert (found.kind, found.scopes, found.expires_at) == ("fine-grained token", None, end)


def test_a_webhook_of_GitHub_that_is_not_active(answers: responses.RequestsMock, github: Forge) -> None:
    config = {"url": "https://towpath.example.com/hooks/github/main"}
    answers.get(f"{API}/repos/{R}/hooks", json=[{"id": 1, "active": False, "config": config}])
    (hook,) = github.hooks(R, "/hooks/github/main")
    assert (hook.trouble, hook.change) == ("it is switched off", "make it *Active* in *Settings*, *Webhooks*")


def test_a_limit_is_no_refusal(answers: responses.RequestsMock, github: Forge) -> None:
    """GitHub says 403 to both."""
    refusal = {"message": "You have exceeded a secondary rate limit."}
    answers.get(f"{API}/repos/{R}/collaborators", json=refusal, status=403, headers={"Retry-After": "60"})
    with pytest.raises(RateLimited):
        github.guard(R, "main")


@pytest.mark.parametrize(
    ("codes", "words"),
    [
        ((), ""),
        ((202, 500, 500), ""),
        ((503, 202, 500), "its last delivery failed (Invalid HTTP Response: 503)"),
        ((0, 503, 200), "its last 2 deliveries failed (failed to connect to host)"),
    ],
)
def test_the_newest_deliveries_count(codes: tuple[int, ...], words: str) -> None:
    rows = [
        {"status_code": code, "status": f"Invalid HTTP Response: {code}" if code else "failed to connect to host"}
        for code in codes
    ]
    assert failing(rows) == words
