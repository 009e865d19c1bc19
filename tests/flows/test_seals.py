"""What Towpath's seal is bound to: this repository, this attempt, this very commit (S13, S15)."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.forges import FORGES
from policies import naming
from tests.flows.gated import approve, gated_town, is_in_prod, waiting
from tests.flows.town import PROJECT, Town
from workers.observe.own import own_commit
from workers.world import World


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


def test_S15_who_pushes_the_same_content_again_made_another_commit(town: Town) -> None:
    """Same tree, same parent, same message and seal, but by Olga, whose approval alone would then count."""
    request = waiting(town)
    git = town.sandbox.project(PROJECT).git
    standing = git.commit(request.head)
    olga = replace(standing.committer, name="Olga", email="olga@example.com")
    again = git.create_commit(git.tree(request.head), standing.parents, standing.message, (standing.author, olga))
    town.sandbox.force_as("olga", PROJECT, request.source_branch, again)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    assert waiting(town).iid != request.iid, "a new attempt, to which no approval travelled"


def test_S13_a_second_parent_makes_it_another_commit(town: Town) -> None:
    """Else somebody else's branch counts as merged with it, unapproved."""
    request = waiting(town)
    git = town.sandbox.project(PROJECT).git
    standing = git.commit(request.head)
    main = town.sandbox.head(PROJECT)
    foreign = git.create_commit(git.tree(main), (main,), "Not asked for", (standing.author, standing.author))
    who = (standing.author, standing.committer)
    again = git.create_commit(git.tree(request.head), (*standing.parents, foreign), standing.message, who)
    town.sandbox.force_as("olga", PROJECT, request.source_branch, again)
    approve(town, "omar", request.iid)
    assert not is_in_prod(town)


def test_S15_the_commit_of_another_attempt_is_not_this_ones(town: Town) -> None:
    """Else the requester in the trailers of one attempt is stripped by pushing the other's commit."""
    request = waiting(town)
    context = town.world.context("main", PROJECT)
    name = naming.parse_branch(request.source_branch)
    assert name is not None
    assert own_commit(context, request.head, name) is not None
    assert own_commit(context, request.head, replace(name, attempt=2)) is None


def test_a_seal_of_one_repository_says_nothing_in_another(town: Town) -> None:
    assert keys(town, "platform/config") != keys(town, "platform/other")


def test_a_renamed_repository_still_believes_what_it_sealed_before(town: Town) -> None:
    before = keys(town, "platform/config")
    assert before == keys(town, "Platform/Config")
    renamed = keys(town, "infra/config", formerly={"infra/config": ("platform/config",)})
    assert renamed[0] != before[0] and set(before) < set(renamed)


def keys(town: Town, repository: str, formerly: dict[str, tuple[str, ...]] | None = None) -> tuple[bytes, ...]:
    """The seal keys of a repository of that name."""
    forge = town.settings.forges["main"]
    changed = forge.model_copy(update={"repositories": (repository,), "formerly": formerly or {}})
    settings = town.settings.model_copy(update={"forges": {"main": changed}})
    world = World(settings, town.pending, town.world.memory)
    return world.context("main", repository).seal_keys
