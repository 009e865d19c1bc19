"""The address of a report's full text, and what is kept there."""

from dataclasses import replace
from pathlib import Path

import pytest

from bot.validators.base import Bench, Change, Part, Told, Validator
from policies.findings import VALIDATION, Checked, Finding, Validation
from policies.model import MergeRequest
from tests import builders as a
from tests.flows.world import Scene
from workers.observe import full, validations
from workers.observe.validations import Validating

PUBLIC = "https://towpath.example.com"


def nothing(change: Change, part: Part, bench: Bench) -> Told:
    """It is never asked: what it says is in memory."""
    raise AssertionError


SEES = Validator("sees", "looks", lambda change: [Part(path, (path,)) for path in change.paths], nothing)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    made = Scene(tmp_path)
    made.context = replace(made.context, public_url=PUBLIC, validating=Validating((SEES,)))
    made.memory.set(validations.TOOLS, "{}", 60)
    return made


def validated(scene: Scene) -> Validation:
    """A promotion is opened, and validators have looked at it."""
    scene.publish("v2")
    scene.settle()
    key = next(key for key in scene.memory.texts if key.startswith("validating:")).partition(":")[2]
    found = Validation(key, (Checked("sees", "a.yaml", findings=(Finding("wrong", path="a.yaml"),)),))
    scene.memory.set(validations.result_key(key), VALIDATION.dump_json(found).decode(), 60)
    scene.settle()
    return found


def opened(scene: Scene) -> MergeRequest:
    request = scene.open_in("nonprod")
    assert request is not None
    return request


def test_a_report_leads_to_its_full_text(scene: Scene) -> None:
    found = validated(scene)
    request = opened(scene)
    address = full.address(scene.context, request)
    assert f"[Full report]({address})." in scene.report(request.iid)
    kept = full.found(scene.memory, address.removeprefix(f"{PUBLIC}/reports/"))
    assert kept is not None
    assert (kept.validation, kept.iid, kept.head, kept.url) == (found, request.iid, request.head, request.url)
    assert kept.top.verdict == "⛔ Blocked: `sees` found 1 error."
    assert [gate for gate, _, _ in kept.top.gates] == ["integrity", "validation", "checks"]


def test_without_a_public_address_nothing_is_kept_and_no_report_leads_anywhere(scene: Scene) -> None:
    scene.context = replace(scene.context, public_url="")
    validated(scene)
    assert "Full report" not in scene.report(opened(scene).iid)
    assert [key for key in scene.memory.texts if key.startswith("report-")] == []


def test_the_full_text_is_made_again_when_memory_lost_it(scene: Scene) -> None:
    validated(scene)
    token = full.token(scene.context, opened(scene))
    for key in [key for key in scene.memory.texts if token in key]:
        scene.memory.delete(key)
    assert full.found(scene.memory, token) is None
    scene.settle()
    assert full.found(scene.memory, token) is not None


def test_S10_a_token_is_of_one_head_of_one_merge_request_under_one_key(scene: Scene) -> None:
    one, context = a.request(1), scene.context
    tokens = [
        full.token(context, one),
        full.token(context, a.request(11)),
        full.token(context, replace(one, head="0" * 40)),
        full.token(replace(context, repository="platform/other"), one),
        full.token(replace(context, seal_keys=(b"another key",)), one),
    ]
    assert len(set(tokens)) == 5
    assert {len(token) for token in tokens} == {64}
    assert full.token(replace(context, seal_keys=(*context.seal_keys, b"an old key")), one) == tokens[0]


@pytest.mark.parametrize("given", ["", "main:platform/config:1", "5E" * 32, "5e" * 32 + "\n", "5e" * 31])
def test_S10_what_is_no_token_is_not_looked_for(scene: Scene, given: str) -> None:
    scene.memory.set(f"report:{given}", "{}", 60)
    assert full.found(scene.memory, given) is None
