"""GitLab's answers as the tests in this folder build them, and an adapter that asks a GitLab that is not there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import responses

from bot.forges.connection import Connection
from bot.forges.gitlab import GitLab

URL = "https://gitlab.example.com"
API = f"{URL}/api/v4"
PROJECT = f"{API}/projects/platform%2Fconfig"
HEAD = "5dd0a9a1f5b9d3bf820e8849c4be7aafcbe9a8c7"
MERGED = "c9b336f1c71d3e64810b8cfa2abcfab232d6bff6"

RECORDINGS = Path(__file__).parents[2].parent / "shared" / "payloads" / "api-recordings" / "gitlab"


def merge_request(**changed: object) -> dict[str, object]:
    """A merge request as GitLab 17 answers it, with some fields changed."""
    fields: dict[str, object] = {
        "iid": 7,
        "web_url": f"{URL}/platform/config/-/merge_requests/7",
        "title": "Promote checkout to prod",
        "description": "text",
        "state": "opened",
        "source_branch": "towpath/p/prod/checkout/0123456789ab-1",
        "target_branch": "main",
        "sha": HEAD,
        "author": {"id": 42, "username": "towpath", "name": "Towpath"},
        "source_project_id": 1,
        "target_project_id": 1,
        "labels": ["towpath"],
        "detailed_merge_status": "mergeable",
        "created_at": "2026-03-02T10:00:00.123Z",
        "updated_at": "2026-03-02T12:00:00.000+02:00",
    }
    return {**fields, **changed}


def forge(token: str = "glpat-first", token_file: str | None = None) -> GitLab:
    """An adapter; nothing is asked before its first method."""
    return GitLab(Connection("main", URL, token, token_file=token_file))


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    """The answers that GitLab gives; every one that is set must be asked for."""
    with responses.RequestsMock() as mock:
        yield mock


def recording(name: str) -> object:
    """A recorded answer, or a recorded exchange's list of answers; skips where the recordings are absent."""
    path = RECORDINGS / f"{name}.json"
    if not path.exists():
        pytest.skip(f"no recording {name}")
    return json.loads(path.read_text(encoding="utf-8"))


def recorded(path_part: str) -> list[object]:
    """The bodies of all recorded exchanges answered 2xx whose address ends with `path_part` (query left out)."""
    if not RECORDINGS.is_dir():
        pytest.skip("no recordings")
    contents = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(RECORDINGS.glob("*.json"))]
    exchanges = [one for content in contents if isinstance(content, dict) for one in content.get("exchanges", [])]
    fine = [one for one in exchanges if one["status"] < 300]
    return [one["body"] for one in fine if one["url"].split("?")[0].endswith(path_part)]
