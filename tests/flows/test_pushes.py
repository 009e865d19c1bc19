"""What people push to the target branch is validated too, and told on the commit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import values
from workers.pushes import STATUS

PROD = "environments/prod/one/shop/values.yaml"


@pytest.fixture(params=["gitlab", "github"])
def town(tmp_path: Path, redis_url: str, request: pytest.FixtureRequest) -> Iterator[Town]:
    with towns(tmp_path, redis_url, str(request.param)) as made:
        made.sweep()
        yield made


def told(town: Town, commit: str) -> list[tuple[str, str | None]]:
    found = town.sandbox.statuses(PROJECT, commit)
    return [(one.status, one.description) for one in found if one.name == STATUS]


def push(town: Town, files: dict[str, str]) -> str:
    commit = town.sandbox.commit_as("maria", PROJECT, "main", files, "by hand")
    town.settle()
    return commit


def test_bad_content_is_told_on_its_commit(town: Town) -> None:
    ((state, text),) = told(town, push(town, {PROD: "image: {repository: a/b, tag: v1}\nimage: 1\n"}))
    assert state in {"failed", "failure"}
    assert text is not None and text.startswith("Validators found 2 errors")


def test_good_content_is_told_too(town: Town) -> None:
    ((state, text),) = told(town, push(town, {PROD: values(tag="v2")}))
    assert (state, text) == ("success", "Validators found no error")


def test_what_concerns_no_target_and_no_rule_is_left_alone(town: Town) -> None:
    assert told(town, push(town, {"README.md": "a\n"})) == []


def test_towpaths_own_merges_were_looked_at_before(town: Town) -> None:
    town.publish("v2")
    town.settle()
    head = town.sandbox.project(PROJECT).git.head("main")
    assert head is not None
    assert values(tag="v2") == town.pins("nonprod")
    assert told(town, head) == []


def test_a_push_is_told_once(town: Town) -> None:
    commit = push(town, {PROD: values(tag="v2")})
    town.sweep()
    town.sweep()
    assert len(told(town, commit)) == 1
