"""Rule 1: which release a stage should have."""

from dataclasses import replace

import pytest

from policies.model import Sighting, Trouble
from policies.snapshot import Between, Snapshot
from policies.trailers import NEVER
from policies.verdict import Outcome, Verdict
from policies.wanted import Wanted, entry_stages, wanted
from tests import builders as a

NONPROD = a.stage()
TEST = a.stage("test")
BOTH = (a.API, a.WORKER)
EU_US = ("eu", "us")
APART: dict[str, object] = {"images": "apart"}


def found(asked: Snapshot, name: str = "nonprod") -> Wanted:
    """The wanted release, where there is one."""
    answer = wanted(asked, asked.view(name))
    assert isinstance(answer, Wanted), answer
    return answer


def refused(asked: Snapshot, name: str = "nonprod") -> Verdict:
    """Why there is none."""
    answer = wanted(asked, asked.view(name))
    assert isinstance(answer, Verdict), answer
    assert answer.change
    return answer


# A first stage, one image.


def test_the_newest_first_sighting_wins_whatever_order_they_came_in() -> None:
    seen = [a.sighting("v3", 3), a.sighting("v2", 2), a.sighting("v1", 1)]
    assert found(a.snapshot(NONPROD, seen=seen)).release == a.release("v3")


def test_of_two_first_sightings_at_one_time_the_digest_decides() -> None:
    pair = [a.sighting("v2", 1), a.sighting("v3", 1)]
    one, other = (found(a.snapshot(NONPROD, pins=[{"nonprod": "tag:1"}], seen=seen)) for seen in (pair, pair[::-1]))
    assert one == other
    assert one.release.images[0].digest == max(a.digest("v2"), a.digest("v3"))


def test_with_a_range_of_versions_the_highest_version_wins() -> None:
    stage = a.stage(source={"tags": "semver >=1.0"})
    seen = [a.sighting("1.10.0", 1), a.sighting("1.9.0", 2), a.sighting("0.9.0", 3), a.sighting("latest", 4)]
    assert found(a.snapshot(stage, pins=[{"nonprod": "1.8.0"}], seen=seen)).release == a.release("1.10.0")


def test_with_a_pattern_the_newest_tag_that_fits_wins_and_names_the_image() -> None:
    stage = a.stage(source={"tags": "release-*"})
    seen = [a.sighting("release-9", 1), a.sighting("release-1", 2, tags=("x", "release-1")), a.sighting("main", 3)]
    (image,) = found(a.snapshot(stage, pins=[{"nonprod": "v0"}], seen=seen)).release.images
    assert (image.digest, image.tag) == (a.digest("release-1"), "release-1")


def test_nothing_admissible_waits_and_says_what_would_be() -> None:
    assert refused(a.snapshot(NONPROD)).change == "publish one"
    strict = a.snapshot(a.stage(source={"tags": "semver >=2"}), seen=["1.0.0"])
    assert refused(strict).change == "publish one with a tag that fits `semver >=2`"


def test_an_older_image_leaves_the_pinned_one() -> None:
    seen = ("v1", "v2")
    asked = a.snapshot(a.stage(source={"tags": "v1"}), pins=[{"nonprod": "v2"}], seen=seen)
    assert found(asked).release == a.release("v2")


def test_where_targets_differ_and_nothing_newer_came_the_stage_waits() -> None:
    asked = a.snapshot(
        a.stage(source={"tags": "v2"}),
        pins=[{"nonprod/eu": "v1", "nonprod/us": "v3"}],
        seen=("v1", "v2", "v3"),
        clusters={"nonprod": EU_US},
    )
    assert refused(asked).reason == "nothing newer than what is pinned has been published"


def test_what_cannot_be_told_is_asked() -> None:
    diverged = [a.built("v1", 0, "r1"), a.built("v2", 1, "r2")]
    answers = {Between(a.SOURCE, "r1", "r2"): a.commits(1, 2), Between(a.SOURCE, "r2", "r1"): a.commits(0, 1)}
    answer = refused(a.snapshot(NONPROD, seen=diverged, answers=answers))
    assert (answer.outcome, answer.change) == (Outcome.block, "publish an image built from a later revision")
    assert answer.reason.startswith(f"whether `v2` of `{a.API}` is newer than what is pinned cannot be told")


def test_an_image_without_a_tag_is_asked_after_by_its_digest() -> None:
    nameless = replace(a.built("v2", 1, "r2"), image=replace(a.image("v2"), tag=None), tags=())
    answers = {Between(a.SOURCE, "r1", "r2"): a.commits(1, 2), Between(a.SOURCE, "r2", "r1"): a.commits(0, 1)}
    answer = refused(a.snapshot(NONPROD, seen=[a.built("v1", 0, "r1"), nameless], answers=answers))
    assert f"`{a.digest('v2')[:19]}`" in answer.reason


# A first stage, several images.


def together(*seen: Sighting, services: dict[str, object] | None = None) -> Snapshot:
    """A service of two images that pins v0 of both."""
    return a.snapshot(NONPROD, pins=[{"nonprod": "v0"}], images=BOTH, seen=seen, services=services)


def test_together_waits_until_all_images_carry_one_revision() -> None:
    answer = refused(together(a.built("v1", 1, "r1")))
    assert answer.reason == f"revision `r1` waits for `{a.WORKER}`"
    assert answer.change == "publish the missing image, or set `images: apart`"


def test_together_moves_all_images_of_one_revision() -> None:
    seen = (a.built("v1", 1, "r1"), a.built("v1", 2, "r1", a.WORKER))
    answer = found(together(*seen))
    assert (answer.release, answer.remark) == (a.release("v1", "v1"), "")


def test_together_takes_the_newest_whole_revision_and_says_what_the_next_waits_for() -> None:
    seen = (
        a.built("v1", 1, "r1"),
        a.built("v1", 2, "r1", a.WORKER),
        a.built("v2", 3, "r2"),
        a.built("v2", 4, "r2", a.WORKER),
        a.built("v3", 5, "r3"),
    )
    answer = found(together(*seen))
    assert (answer.release, answer.remark) == (a.release("v2", "v2"), f"revision `r3` waits for `{a.WORKER}`")


def test_together_shows_what_the_next_revision_waits_for_when_the_rest_is_done() -> None:
    seen = (a.built("v0", 1, "r1"), a.built("v0", 2, "r1", a.WORKER), a.built("v3", 5, "r3"))
    verdict = a.stage_of(together(*seen)).verdict
    assert (verdict.outcome, verdict.reason) == (Outcome.wait, f"revision `r3` waits for `{a.WORKER}`")


def test_together_an_unchanged_image_counts_for_the_later_revision_too() -> None:
    same = replace(a.built("v1", 1, "r1", a.WORKER), revisions=("r1", "r2"))
    answer = found(together(a.built("v1", 1, "r1"), a.built("v2", 3, "r2"), same))
    assert answer.release == a.release("v2", "v1")


def test_together_rebuilt_images_of_one_revision_give_the_last_build() -> None:
    seen = (a.built("v1b", 3, "r1"), a.built("v1", 1, "r1"), a.built("v1", 2, "r1", a.WORKER))
    assert found(together(*seen)).release == a.release("v1b", "v1")


def test_together_moves_nothing_where_a_part_is_ahead_already() -> None:
    """To move the rest alone would mix two revisions."""
    seen = (
        *(a.sighting("v0", 0), a.built("v1", 1, "r1"), a.built("v1", 2, "r1", a.WORKER)),
        a.sighting("v9", 9, a.WORKER),
    )
    answer = found(a.snapshot(NONPROD, pins=[{"nonprod": ("v0", "v9")}], images=BOTH, seen=seen))
    assert answer.release == a.release("v0", "v9")


def test_together_needs_source_revisions() -> None:
    answer = refused(together(a.sighting("v1", 1)))
    assert answer.reason == f"`{a.API}` was published without a source revision, so its fellow images cannot be told"


def test_together_of_one_image_needs_no_revision() -> None:
    assert found(a.snapshot(NONPROD, seen=["v1", "v2"])).release == a.release("v2")


def test_apart_moves_each_image_by_itself_and_keeps_the_rest() -> None:
    answer = found(together(a.sighting("v0", 0), a.sighting("v0", 0, a.WORKER), a.sighting("v2", 2), services=APART))
    assert answer.release == a.release("v2", "v0")


def test_apart_an_image_that_is_ahead_stays() -> None:
    seen = [a.sighting("v1", 1), a.sighting("v3", 3), a.sighting("v1", 1, a.WORKER), a.sighting("v0", 0, a.WORKER)]
    stage, pins = a.stage(source={"tags": "v1"}), [{"nonprod": ("v3", "v0")}]
    assert found(a.snapshot(stage, pins=pins, images=BOTH, seen=seen, services=APART)).release == a.release("v3", "v1")


def test_apart_an_image_that_only_has_a_bare_tag_is_left_out() -> None:
    asked = a.snapshot(NONPROD, pins=[{"nonprod": ("v1", "tag:1.0")}], images=BOTH, seen=["v1", "v2"], services=APART)
    assert found(asked).release == a.release("v2")


# The stages into which images enter.


def test_a_stage_whose_upstream_stages_have_no_target_is_one_where_images_enter_if_policy_looks_past_them() -> None:
    later = a.stage("prod", after="nonprod", absent="pass")
    asked = a.snapshot(NONPROD, later, pins=[{"prod": "v1"}], seen=["v1", "v2"])
    assert [view.stage.name for view in entry_stages(asked)] == ["prod"]
    assert found(asked, "prod") == Wanted(a.release("v2"), None)


def test_images_enter_the_stages_that_come_after_none() -> None:
    asked = a.snapshot(NONPROD, TEST, a.stage("prod", after="nonprod"), pins=[{"nonprod": "v1", "prod": "v1"}])
    assert [view.stage.name for view in entry_stages(asked)] == ["nonprod"]


# Later stages.


def test_absent_block_says_what_is_missing_where() -> None:
    answer = refused(a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=[{"prod": "v1"}]), "prod")
    assert answer.outcome is Outcome.block
    assert answer.reason == "nonprod has no target of `payments`"
    assert answer.change == "add `payments` to nonprod, or set `absent: pass` in prod"


def test_absent_pass_looks_past_a_stage_to_the_ones_before_it() -> None:
    stages = (NONPROD, a.stage("test", after="nonprod"), a.stage("prod", after="test", absent="pass"))
    asked = a.snapshot(*stages, pins=[{"nonprod": "v2", "prod": "v1"}], seen=["v1", "v2"])
    assert found(asked, "prod") == Wanted(a.release("v2"), "nonprod")


def test_absent_pass_names_an_earlier_stage_once() -> None:
    stages = (
        NONPROD,
        a.stage("eu", after="nonprod"),
        a.stage("us", after="nonprod"),
        a.stage("prod", after=("eu", "us"), absent="pass"),
    )
    asked = a.snapshot(*stages, pins=[{"nonprod": "v2", "prod": "v1"}, {"nonprod": "v1", "prod": "v1"}])
    assert found(asked, "prod").release == a.release("v2")


def test_the_newest_release_that_upstream_runs_has_the_tag_that_its_file_writes() -> None:
    asked = a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=[{"nonprod": "v2", "prod": "v1"}])
    assert found(asked, "prod").release.images[0].tag == "v2"


def test_a_release_of_upstream_history_has_the_tag_that_was_announced() -> None:
    pins = [{"nonprod/eu": "v3", "nonprod/us": "v2", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}]
    later = a.stage("prod", after="nonprod")
    asked = a.snapshot(NONPROD, later, pins=pins, clusters={"nonprod": EU_US}, seen=[a.sighting("v2", 1)])
    untold = replace(asked, sightings={})
    assert found(asked, "prod").release.images[0].tag == "v2"
    assert found(untold, "prod").release == a.release("v2")


def test_only_what_all_upstream_targets_pin_together_is_wanted() -> None:
    """One cluster of two is ahead: the release before is what all of them ran."""
    pins = [{"nonprod/eu": "v3", "nonprod/us": "v2", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}]
    asked = a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins, clusters={"nonprod": EU_US})
    assert found(asked, "prod").release == a.release("v2")


def test_what_upstream_ran_while_busy_with_newer_ones_stays_wanted() -> None:
    pins = [{"nonprod": "tag:4", "prod": "v1"}, {"nonprod": "v2", "prod": "v1"}]
    asked = a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins)
    assert found(asked, "prod").release == a.release("v2")


def test_upstream_reverted_a_release_so_it_is_not_wanted() -> None:
    pins = [{"nonprod": "v1", "prod": "v0"}, {"nonprod": "v2", "prod": "v0"}, {"nonprod": "v1", "prod": "v0"}]
    assert found(a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins), "prod").release == a.release("v1")


def test_upstream_reverted_one_target_of_two_so_it_is_not_wanted() -> None:
    pins: list[a.Pins] = [
        {"nonprod/eu": "v2", "nonprod/us": "v1", "prod": "v0"},
        {"nonprod": "v2", "prod": "v0"},
        {"nonprod": "v1", "prod": "v0"},
    ]
    asked = a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins, clusters={"nonprod": EU_US})
    assert found(asked, "prod").release == a.release("v1")


def test_upstream_took_a_reverted_release_up_again_so_it_is_wanted() -> None:
    words = ("v2", "v1", "v2", "v1")
    pins = [{"nonprod": word, "prod": "v1"} for word in words]
    assert found(a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins), "prod").release == a.release("v2")


def test_several_images_move_on_as_upstream_pinned_them_together() -> None:
    pins: list[a.Pins] = [{"nonprod": ("v3", "v2"), "prod": "v1"}, {"nonprod": ("v2", "v2"), "prod": "v1"}]
    asked = a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins, images=BOTH)
    assert found(asked, "prod").release == a.release("v3", "v2")


def test_a_stage_is_only_concerned_with_the_images_that_it_pins() -> None:
    pins: list[a.Pins] = [{"nonprod": ("v2", "v9"), "prod": ("v1", None)}]
    asked = a.snapshot(NONPROD, a.stage("prod", after="nonprod"), pins=pins, images=BOTH)
    assert found(asked, "prod").release == a.release("v2")


# Fan-in.

AFTER_BOTH = a.stage("prod", after=("nonprod", "test"))


def test_after_two_stages_the_newest_release_that_both_ran_is_wanted() -> None:
    pins = [
        {"nonprod": "v3", "test": "v2", "prod": "v1"},
        {"nonprod": "v2", "test": "v2", "prod": "v1"},
        {"nonprod": "v2", "test": "v1", "prod": "v1"},
    ]
    answer = found(a.snapshot(NONPROD, TEST, AFTER_BOTH, pins=pins), "prod")
    assert (answer.release, answer.upstream) == (a.release("v2"), "nonprod")


def test_after_two_stages_without_a_common_release_the_stage_waits() -> None:
    pins = [{"nonprod": "v3", "test": "v2", "prod": "v1"}]
    answer = refused(a.snapshot(NONPROD, TEST, AFTER_BOTH, pins=pins), "prod")
    assert (answer.outcome, answer.reason) == (Outcome.wait, "nonprod and test have not had one release in common")


def test_after_two_stages_of_which_one_reverted_the_release_it_is_not_wanted() -> None:
    pins = [
        {"nonprod": "v2", "test": "v1", "prod": "v1"},
        {"nonprod": "v2", "test": "v2", "prod": "v1"},
        {"nonprod": "v1", "test": "v1", "prod": "v1"},
    ]
    assert found(a.snapshot(NONPROD, TEST, AFTER_BOTH, pins=pins), "prod").release == a.release("v1")


# Nothing to be had upstream.


@pytest.mark.parametrize(
    ("now", "outcome", "reason"),
    [
        ({"nonprod": (None, "v1"), "prod": "v1"}, Outcome.block, f"nonprod does not pin `{a.API}`"),
        ({"nonprod": ("tag:1", "v1"), "prod": "v1"}, Outcome.wait, f"nonprod pins `{a.API}` by tag only"),
        ({"nonprod/eu": "v1", "nonprod/us": "v2", "prod": "v1"}, Outcome.wait, "the targets of nonprod do not pin one"),
    ],
)
def test_why_upstream_has_no_release(now: a.Pins, outcome: Outcome, reason: str) -> None:
    later = a.stage("prod", after="nonprod")
    asked = a.snapshot(NONPROD, later, pins=[now], images=BOTH, clusters={"nonprod": EU_US})
    answer = refused(asked, "prod")
    assert answer.outcome is outcome
    assert answer.reason.startswith(reason)


def test_the_second_of_several_images_may_be_the_one_that_upstream_lacks() -> None:
    asked = a.snapshot(
        NONPROD, a.stage("prod", after="nonprod"), pins=[{"nonprod": ("v1", None), "prod": "v1"}], images=BOTH
    )
    assert refused(asked, "prod").reason == f"nonprod does not pin `{a.WORKER}`"


def test_R11_upstream_files_that_are_all_broken_hold_the_stage_back() -> None:
    broken = {"nonprod": (Trouble(a.path_of("nonprod"), 3, "it is no YAML"),)}
    later = a.stage("prod", after="nonprod", absent="pass")
    asked = a.snapshot(NONPROD, later, pins=[{"prod": "v1"}], seen=["v1", "v2"], troubles=broken)
    assert refused(asked, "prod").outcome is Outcome.block


def test_what_was_only_ever_pinned_by_hand_enters_nowhere() -> None:
    """The trailers of a promotion that found it in an earlier stage name it, but nobody ever announced it."""
    seen = [a.sighting("v2", 2), a.sighting("v9", seen_at=NEVER)]
    assert found(a.snapshot(NONPROD, seen=seen)).release == a.release("v2")
    assert "no admissible image" in refused(a.snapshot(NONPROD, seen=seen[1:])).reason
