"""GitHub's answers as tests need them, and recorded ones where they are at hand."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from bot.forges.connection import AppKey, Connection
from bot.forges.github import GitHub

URL = "https://github.example.com"
API = f"{URL}:443/api/v3"
"""PyGithub always names the port."""
REPOSITORY = f"{API}/repos/platform/config"
HEAD = "1" * 40
MERGED = "2" * 40
RECORDINGS = Path(__file__).parents[3] / "shared" / "payloads" / "api-recordings" / "github"
ME = {"id": 42, "login": "towpath", "name": "Towpath", "type": "Bot"}


def pull(**changed: object) -> dict[str, object]:
    """An open pull request read alone."""
    fields: dict[str, object] = {
        "number": 7,
        "html_url": f"{URL}/platform/config/pull/7",
        "title": "Promote checkout to prod",
        "body": "text",
        "state": "open",
        "head": {"ref": "towpath/p/prod/checkout/0123456789ab-1", "sha": HEAD, "repo": {"id": 1}},
        "base": {"ref": "main", "sha": "3" * 40, "repo": {"id": 1}},
        "user": ME,
        "labels": [{"name": "towpath"}],
        "mergeable": True,
        "mergeable_state": "clean",
        "created_at": "2026-03-02T10:00:00Z",
        "updated_at": "2026-03-02T11:00:00Z",
        "closed_at": None,
        "merged_at": None,
        "merge_commit_sha": "4" * 40,
    }
    return {**fields, **changed}


def forge(app: AppKey | None = None, **connection: str) -> GitHub:
    """An adapter; nothing is asked before its first method."""
    return GitHub(Connection("main", connection.pop("url", URL), "ghp-first", app=app, **connection))


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """The answers that GitHub gives; every one that is set must be asked for."""
    with responses.RequestsMock() as mock:
        yield mock


def recorded(path_part: str, method: str = "GET") -> list[object]:
    """The bodies of all recorded exchanges answered 2xx whose path holds `path_part`."""
    if not RECORDINGS.is_dir():
        pytest.skip("no recordings")
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDINGS.glob("*.json"))]
    exchanges = [one for content in contents for one in content.get("exchanges", [])]
    fine = [one for one in exchanges if one["status"] < 300 and one["method"] == method]
    return [one["body"] for one in fine if path_part in one["url"]]
