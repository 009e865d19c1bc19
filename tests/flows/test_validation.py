"""Validation on the way of a promotion: it opens at once, waits for what validators find, and merges or stays."""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
import redis

from bot.sandbox.model import MergeRequest, Role
from bot.sandbox.requests import Opening
from bot.validators import Bench, Change, Part, Told, Validator
from bot.validators.base import Broken, target_parts
from policies.findings import Finding, Severity
from tests.flows.town import PROJECT, Town, towns
from tests.flows.world import HOST, POLICY, digest, values
from workers.observe.validations import BROKEN_KEPT
from workers.timer import tick

KINDS = ("gitlab", "github")


@dataclass
class Fake:
    """A validator of the test's own: it finds what it is told to, and counts how often it looks."""

    looked: list[str] = field(default_factory=list)
    bad: str = ""
    """The digest that is an error."""
    breaks: bool = False
    severity: Severity = Severity.error
    works: Callable[[], None] = lambda: None
    """What happens while it looks."""

    def check(self, change: Change, part: Part, bench: Bench) -> Told:
        self.looked.append(part.subject)
        self.works()
        if self.breaks:
            raise Broken("it fell asleep")
        text = change.after.read(part.subject) or b""
        found = Finding("this image is *bad*", self.severity, part.subject, 3, "no-bad")
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


def test_what_was_found_stays_in_the_report_of_what_merged(town: Town, fake: Fake) -> None:
    fake.bad, fake.severity = digest("v2"), Severity.warning
    town.publish("v2")
    town.settle()
    assert digest("v2") in town.pins("nonprod")
    report = town.report(1)
    assert report.splitlines()[1].startswith("**✅ Merged as ")
    assert "this image is" in report and "`pinned`" in report


# Long looks.


def test_a_chart_that_hangs_for_many_targets_is_looked_at_to_its_end(tmp_path: Path, redis_url: str) -> None:
    """Each try goes on behind what the tries before it found; together they take longer than a lease."""
    files = {f"environments/nonprod/c{number:02}/shop/values.yaml": values() for number in range(20)}
    with towns(tmp_path, redis_url, "gitlab", files=files) as town:
        lock, hanging = threading.Lock(), Fake(breaks=True)

        def hang() -> None:
            with lock:
                town.now += timedelta(seconds=7.5)  # 30 s each, four at a time

        hanging.works = hang
        with_validators(town, hanging)
        town.publish("v2")
        town.settle()
        town.pass_time(300)
        town.settle(5)
        assert sorted(hanging.looked) == sorted(files)
        assert "`pinned` came to no end: it fell asleep, and 19 more" in town.report(waiting(town).iid)


def test_a_validator_with_much_time_is_not_started_again_beside_itself(tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path, redis_url, "gitlab") as town:
        prefix = "TOWPATH_VALIDATORS__SLOW__"
        town.more_settings = {f"{prefix}COMMAND": '["no-such-program"]', f"{prefix}SECONDS": "500"}
        slow = Fake()

        def work() -> None:
            """The timer and another worker go on meanwhile."""
            end = town.now + timedelta(seconds=500)
            while len(slow.looked) == 1 and town.now < end:
                town.now += timedelta(seconds=10)
                tick(town.pending, town._work, town.now.timestamp())

        slow.works = work
        with_validators(town, slow)
        town.publish("v2")
        town.settle()
        assert slow.looked.count("environments/nonprod/one/shop/values.yaml") == 1
        assert digest("v2") in town.pins("nonprod")


# Where policy only has it reported.


@pytest.fixture
def reporting(tmp_path: Path, redis_url: str, kind: str, fake: Fake) -> Iterator[Town]:
    with towns(tmp_path, redis_url, kind, f"{POLICY}validation: {{mode: report}}\n") as made:
        with_validators(made, fake)
        yield made


def test_what_is_only_reported_is_told_before_it_merges_and_after(reporting: Town, fake: Fake) -> None:
    fake.bad = digest("v2")
    reporting.publish("v2")
    reporting.settle()
    assert digest("v2") in reporting.pins("nonprod")
    assert fake.looked
    assert "⛔ `environments/nonprod/one/shop/values.yaml:3`" in reporting.report(1)
    assert "1 validator found 1 error, which is only reported" in reporting.report(waiting(reporting, "prod").iid)


def test_validators_that_only_report_hold_nothing_up_for_long(reporting: Town) -> None:
    reporting.validating = False
    reporting.publish("v2")
    reporting.settle(60)
    assert digest("v2") not in reporting.pins("nonprod")
    reporting.pass_time(180)
    reporting.settle(60)
    assert digest("v2") in reporting.pins("nonprod")


# What settings do not name.


def test_S16_a_required_validator_that_settings_do_not_name_is_waited_for(
    tmp_path: Path, redis_url: str, kind: str
) -> None:
    with towns(tmp_path, redis_url, kind, f"{POLICY}validation: {{commands: {{lint: {{required: true}}}}}}\n") as town:
        town.publish("v2")
        town.settle()
        report = town.report(waiting(town).iid)
        assert "`lint` is required, but settings name no such validator" in report
        assert "install or configure it where validators run" in report
        assert digest("v2") not in town.pins("nonprod")


# On people's merge requests.

PROD = "environments/prod/one/shop/values.yaml"


def proposed(town: Town) -> MergeRequest:
    """Maria's merge request of v3 into prod."""
    town.sweep()
    town.sandbox.commit_as("maria", PROJECT, "topic", {PROD: values(tag="v3")}, "v3")
    request = town.sandbox.open_as("maria", PROJECT, Opening("topic", "main", "v3"))
    town.settle()
    return request


def first_line(town: Town, request: MergeRequest) -> str:
    return town.report(request.iid).splitlines()[1]


def forget_as_redis(town: Town, seconds: int) -> None:
    """Time goes by for Redis too, whose clock is not the test's."""
    client = redis.Redis.from_url(town.settings.redis_url)
    for key in client.scan_iter("*"):
        if 0 < client.ttl(key) <= seconds:
            client.delete(key)
    town.pass_time(seconds)


BROKEN = "**⏳ 1 validator came to no end: see who looked, below.**"
UNDERSTOOD = "**✅ Towpath understands the policy and the values files of this merge request.**"


def test_retry_looks_again_at_a_persons_merge_request(town: Town, fake: Fake) -> None:
    fake.breaks = True
    request = proposed(town)
    assert first_line(town, request) == BROKEN
    fake.breaks = False
    assert "Validators look at this merge request again." in town.ask("maria", request, "/retry")
    town.settle()
    assert first_line(town, request) == UNDERSTOOD
    assert fake.looked == [PROD, PROD]


def test_who_may_not_retry_has_nothing_looked_at_again(town: Town, fake: Fake) -> None:
    fake.breaks = True
    request = proposed(town)
    town.sandbox.add_user("guest")
    town.sandbox.add_member("platform", "guest", Role.reporter)
    assert "may not write" in town.ask("guest", request, "/retry")
    assert fake.looked == [PROD]


def test_what_came_to_no_end_on_a_persons_merge_request_is_looked_at_again_by_itself(town: Town, fake: Fake) -> None:
    fake.breaks = True
    request = proposed(town)
    fake.breaks = False
    forget_as_redis(town, BROKEN_KEPT)
    town.settle()
    assert first_line(town, request) == UNDERSTOOD


def test_a_new_policy_judges_a_persons_merge_request_anew(town: Town, fake: Fake) -> None:
    fake.bad = digest("v3")
    request = proposed(town)
    assert first_line(town, request) == "**⛔ Validators found 1 error.**"
    for rules, line in (
        ("{mode: report}", "**✅ Validators found 1 error, which is only reported.**"),
        ("{checks: {pinned: {severity: warning}}}", UNDERSTOOD),
    ):
        policy = f"{POLICY}validation: {rules}\n"
        town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": policy}, "rules")
        town.settle()
        assert first_line(town, request) == line


def test_S16_a_conflict_turns_no_merge_request_green(town: Town, fake: Fake) -> None:
    fake.bad = digest("v3")
    request = proposed(town)
    assert first_line(town, request) == "**⛔ Validators found 1 error.**"
    town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag="v4")}, "meanwhile")
    town.sandbox.commit_as("maria", PROJECT, "topic", {"README.md": "a\n"}, "more")
    town.settle()
    line = "**⏳ It conflicts with the target branch: validators look once that is mended.**"
    assert first_line(town, request) == line


def test_what_is_required_and_cannot_look_is_said_on_a_persons_merge_request(
    tmp_path: Path, redis_url: str, kind: str
) -> None:
    with towns(tmp_path, redis_url, kind, f"{POLICY}validation: {{checks: {{image: {{required: true}}}}}}\n") as town:
        line = "**⏳ 1 validator that policy requires did not look: see who looked, below.**"
        assert first_line(town, proposed(town)) == line
