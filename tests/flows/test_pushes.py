"""What people push to the target branch is validated too, and told on the commit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import POLICY, digest, values
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


BAD = "image: {repository: a/b, tag: v1}\nimage: 1\n"


def merged(town: Town) -> str:
    """Towpath's own merge of v2 into nonprod."""
    town.publish("v2")
    town.settle()
    head = town.sandbox.head(PROJECT)
    assert digest("v2") in town.pins("nonprod")
    return head


def test_S17_a_push_with_the_message_of_a_merge_is_validated(town: Town) -> None:
    git = town.sandbox.project(PROJECT).git
    message = git.commit(merged(town)).message
    commit = town.sandbox.commit_as("maria", PROJECT, "main", {PROD: BAD}, message)
    town.settle()
    ((state, _),) = told(town, commit)
    assert state in {"failed", "failure"}


def test_S17_a_merge_by_hand_with_the_message_of_a_merge_is_validated(town: Town) -> None:
    """Its second parent is the very head that the message speaks of."""
    git, head = town.sandbox.project(PROJECT).git, merged(town)
    town.sandbox.commit_as("maria", PROJECT, "mine", {PROD: BAD}, "mine")
    mine = git.head("mine")
    assert mine is not None
    who = replace(git.commit(head).author, name="Maria", email="maria@example.com")
    parents = (head, git.commit(head).parents[1])
    commit = git.create_commit(git.tree(mine), parents, git.commit(head).message, (who, who))
    town.sandbox.force_as("maria", PROJECT, "main", commit)
    town.settle()
    ((state, _),) = told(town, commit)
    assert state in {"failed", "failure"}


def test_S17_a_push_with_the_message_of_a_promotions_branch_is_validated(town: Town) -> None:
    merged(town)
    git, request = town.sandbox.project(PROJECT).git, town.open_in("prod")
    assert request is not None
    town.sandbox.commit_as("maria", PROJECT, "mine", {PROD: BAD}, "mine")
    mine, main = git.head("mine"), town.sandbox.head(PROJECT)
    assert mine is not None
    who = replace(git.commit(main).author, name="Maria", email="maria@example.com")
    commit = git.create_commit(git.tree(mine), (main, mine), git.commit(request.head).message, (who, who))
    town.sandbox.force_as("maria", PROJECT, "main", commit)
    town.settle()
    ((state, _),) = told(town, commit)
    assert state in {"failed", "failure"}


@pytest.mark.parametrize(
    ("rules", "text", "status"),
    [
        ("{mode: report}", BAD, ("success", "Validators found 2 errors, only reported")),
        (
            "{commands: {lint: {required: true}}}",
            values(tag="v2"),
            ("failed", "lint is required, but settings name no such validator"),
        ),
    ],
)
def test_it_counts_as_on_a_promotion(
    tmp_path: Path, redis_url: str, rules: str, text: str, status: tuple[str, str]
) -> None:
    with towns(tmp_path, redis_url, "gitlab", f"{POLICY}validation: {rules}\n") as town:
        town.sweep()
        assert told(town, push(town, {PROD: text})) == [status]
