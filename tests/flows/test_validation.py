"""Validation on the way of a promotion: it opens at once, waits for what validators find, and merges or stays."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.sandbox.model import MergeRequest
from bot.validators import Bench, Change, Part, Told, Validator
from bot.validators.base import Broken, target_parts
from policies.findings import Finding
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import HOST, digest

KINDS = ("gitlab", "github")


@dataclass
class Fake:
    """A validator of the test's own: it finds what it is told to, and counts how often it looks."""

    looked: list[str] = field(default_factory=list)
    bad: str = ""
    """The digest that is an error."""
    breaks: bool = False

    def check(self, change: Change, part: Part, bench: Bench) -> Told:
        self.looked.append(part.subject)
        if self.breaks:
            raise Broken("it fell asleep")
        text = change.after.read(part.subject) or b""
        found = Finding("this image is *bad*", path=part.subject, line=3, rule="no-bad")
        return Told((found,) if self.bad and self.bad in text.decode() else ())

    @property
    def validator(self) -> Validator:
        return Validator("pinned", "what the test wants", target_parts, self.check)


@dataclass
class Images(Fake):
    """The same, image by image."""

    def parts(self, change: Change) -> Iterable[Part]:
        pins = {(pin.repository, pin.digest or "") for target in change.targets for pin in target.pins}
        return [Part(f"{repository}@{pinned}", (repository, pinned)) for repository, pinned in sorted(pins)]

    @property
    def validator(self) -> Validator:
        return Validator("image", "what the test wants", self.parts, self.check)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def town(tmp_path: Path, redis_url: str, kind: str, fake: Fake) -> Iterator[Town]:
    with towns(tmp_path, redis_url, kind) as made:
        with_validators(made, fake)
        yield made


def with_validators(town: Town, *fakes: Fake) -> None:
    town.validators = tuple(one.validator for one in fakes)
    town.open(town.url)


def waiting(town: Town, stage: str = "nonprod") -> MergeRequest:
    found = town.open_in(stage)
    assert found is not None
    return found


def test_what_a_validator_finds_blocks_and_the_next_release_goes_on(town: Town, fake: Fake) -> None:
    fake.bad = digest("v2")
    town.publish("v2")
    town.settle()
    report = town.report(waiting(town).iid)
    assert "⛔ Blocked: `pinned` found 1 error" in report.splitlines()[1]
    assert digest("v2") not in town.pins("nonprod")
    assert town.status(waiting(town)).startswith(("failed", "failure", "error"))
    town.publish("v3")
    town.settle()
    assert digest("v3") in town.pins("nonprod")


def test_where_no_validator_answers_nothing_merges_and_it_is_said(town: Town) -> None:
    town.validating = False
    town.publish("v2")
    town.settle(5)
    assert [note.body for note in town.said(waiting(town))] == []
    town.settle(30)
    assert "⏳ Waits: the validators are still looking" in town.report(waiting(town).iid)
    town.pass_time(300)
    town.settle(30)
    assert "no validator has answered so far" in town.report(waiting(town).iid)
    assert digest("v2") not in town.pins("nonprod")
    town.validating = True
    town.pass_time(600)
    town.settle()
    assert digest("v2") in town.pins("nonprod")


def test_the_first_report_has_all_that_was_found_and_nothing_is_posted_twice(town: Town, fake: Fake) -> None:
    fake.bad = digest("v2")
    town.publish("v2")
    town.settle()
    (note,) = town.said(waiting(town))
    assert "pinned" in note.body
    assert not note.edited


def test_R4_after_redis_was_emptied_it_is_looked_at_again(town: Town, fake: Fake) -> None:
    fake.bad = digest("v2")
    town.publish("v2")
    town.settle()
    before = town.report(waiting(town).iid)
    town.flush_redis()
    town.sweep()
    assert town.report(waiting(town).iid) == before
    assert len(fake.looked) == 2
    assert digest("v2") not in town.pins("nonprod")


def test_what_came_to_no_end_waits_and_retry_looks_again(town: Town, fake: Fake) -> None:
    fake.breaks = True
    town.publish("v2")
    town.settle()
    assert "`pinned` came to no end: it fell asleep" in town.report(waiting(town).iid)
    fake.breaks = False
    assert town.ask("maria", waiting(town), "/retry")
    town.settle()
    assert digest("v2") in town.pins("nonprod")


def test_the_same_digest_in_the_next_stage_is_not_paid_twice(town: Town, fake: Fake) -> None:
    images = Images()
    with_validators(town, fake, images)
    town.publish("v2")
    town.settle()
    waiting(town, "prod")
    assert images.looked == [f"{HOST}/api@{digest('v2')}"]
    assert fake.looked == [f"environments/{stage}/one/shop/values.yaml" for stage in ("nonprod", "prod")]


def test_a_neighbours_change_has_nothing_looked_at_again(town: Town, fake: Fake) -> None:
    fake.bad = digest("v2")
    town.publish("v2")
    town.settle()
    town.sandbox.commit_as("maria", PROJECT, "main", {"environments/nonprod/one/other/values.yaml": "a: 1\n"}, "change")
    town.settle()
    assert fake.looked.count("environments/nonprod/one/shop/values.yaml") == 1


def test_S12_a_merge_request_cannot_switch_its_own_validation_off(town: Town, fake: Fake) -> None:
    """The rules are those of the target branch."""
    fake.bad = digest("v2")
    town.publish("v2")
    town.settle()
    request = waiting(town)
    policy = town.sandbox.read(PROJECT, "towpath.yaml")
    assert policy is not None
    loose = policy.decode() + "validation: {mode: 'off'}\n"
    town.sandbox.commit_as("maria", PROJECT, request.source_branch, {"towpath.yaml": loose}, "loose")
    town.settle()
    assert digest("v2") not in town.pins("nonprod")
    assert "`pinned` found 1 error" in town.report(request.iid)
