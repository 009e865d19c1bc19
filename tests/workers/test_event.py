"""`towpath event`, and with it every real payload that is at hand."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from workers.cli import main

PAYLOADS = Path(__file__).parents[2].parent / "shared" / "payloads"
DIGEST = f"sha256:{'a' * 64}"


def run(source: str, body: str, *more: str) -> Result:
    return CliRunner().invoke(main, ["event", "--source", source, *more, "-"], input=body)


def lines(result: Result) -> list[dict[str, object]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_published_image() -> None:
    body = {"repository": "registry.example.com/a/b", "digest": DIGEST, "tag": "v1", "created": "2026-01-01T00:00:00Z"}
    result = run("ci", json.dumps(body))
    assert result.exit_code == 0
    assert lines(result) == [
        {
            "event": "image-published",
            "repository": "registry.example.com/a/b",
            "digest": DIGEST,
            "tag": "v1",
            "created": "2026-01-01T00:00:00+00:00",
        }
    ]
    assert "not verified" in result.stderr


def test_what_cannot_be_understood_names_the_field_and_exits_with_1() -> None:
    result = run("ci", json.dumps({"repository": "registry.example.com/a/b", "diggest": DIGEST}))
    assert result.exit_code == 1
    assert "digest" in result.stderr


def test_a_header_needs_a_name() -> None:
    assert "Name: value" in run("gitlab", "{}", "--header", "nonsense").stderr


EXPECTED = {
    "distribution/push_index_tagged.json": ["image-published"],
    "distribution/push_manifest_tagged.json": ["image-published"],
    "distribution/push_platform_manifest_untagged.json": ["ignored"],
    "distribution/push_helm_chart.json": ["ignored"],
    "distribution/push_blob.json": ["ignored"],
    "distribution/delete_tag_no_digest.json": ["ignored"],
    "gitlab/push.json": ["changed"],
    "gitlab/merge_request.merge.json": ["changed"],
    "gitlab/note.merge_request.json": ["changed"],
    "gitlab/pipeline.json": ["changed"],
    "gitlab/tag_push.json": ["ignored"],
    "gitlab/note.issue.json": ["changed"],
    "gitlab/release.json": ["ignored"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_real_payloads_come_down_to_the_right_events(name: str) -> None:
    payload = PAYLOADS / name
    if not payload.exists():
        pytest.skip("the collected payloads are not here")
    result = run(name.partition("/")[0], payload.read_text())
    assert [line["event"] for line in lines(result)] == EXPECTED[name]


def test_no_real_payload_fails() -> None:
    found = [*PAYLOADS.glob("gitlab/*.json"), *PAYLOADS.glob("distribution/*.json")]
    payloads = [path for path in found if not path.name.endswith(".headers.json")]
    if not payloads:
        pytest.skip("the collected payloads are not here")
    failed = [path.name for path in payloads if run(path.parent.name, path.read_text()).exit_code != 0]
    assert failed == []
