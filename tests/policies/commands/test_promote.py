"""/promote: which release is meant, and what it passes over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.commands import releases
from policies.commands.model import Situation
from policies.model import MergeRequestState, Release
from policies.snapshot import Promotion
from policies.state import Asked, Freeze, Hold, Quarantine, State
from tests import builders as a
from tests.policies.commands import scenes as s
from tests.policies.commands.test_merge import BAD, in_mode

V1, V2, V3, V4 = (a.release(word) for word in ("v1", "v2", "v3", "v4"))


def wanted(text: str, *more: object, **known: object) -> Asked:
    """The one release that is asked for."""
    (found,) = s.done(text, *more, **known).state.asked
    return found


def test_a_release_is_wanted_there() -> None:
    found = s.done("/promote payments to ring-2 v4")
    (entry,) = found.state.asked
    assert (entry.service, entry.stage, entry.cause, entry.release) == ("payments", "ring-2", "promote", V4)
    assert (entry.by, entry.at, entry.where, entry.note) == (s.person(), a.NOW, s.WHERE, "issue 3 345")
    assert (entry.images[0].tag, entry.replaces, found.wakes) == ("v4", None, ("payments",))
    assert found.answer == (
        f"`v4` (`{V4.name}`) of `payments` is wanted in `ring-2`, past the order and past earlier refusals; "
        "every gate still counts."
    )


@pytest.mark.parametrize(
    ("word", "release"),
    [
        ("v1", V1),
        ("v4", V4),
        (V1.name, V1),
        (V4.name.upper(), V4),
        (a.digest("v4"), V4),
        (a.digest("v4").removeprefix("sha256:")[:12], V4),
        (a.digest("v4")[:19], V4),
        ("newest", V3),
        ("NEWEST", V3),
    ],
)
def test_what_a_word_means(word: str, release: Release) -> None:
    assert wanted(f"/promote payments ring-2 {word}").release == release
    assert wanted(f"/promote {word} payments to ring-2").release == release


def test_behind_to_may_stand_the_release() -> None:
    assert wanted("/promote payments ring-2 to v4").release == V4
    assert s.refused("/promote payments ring-2 to v4 v3") == "Two releases are named: `v4` and `v3`."


def test_on_a_promotion_it_is_its_own_release_and_stage() -> None:
    found = wanted("/promote", s.on_promotion())
    assert (found.service, found.stage, found.release, found.note) == ("payments", "ring-2", V3, "request 12 345")
    closed = s.on_promotion(on=s.request(state=MergeRequestState.closed))
    assert wanted("/promote", closed).release == V3


@pytest.mark.parametrize("text", ["/promote payments ring-2", "/promote ring-2 payments"])
def test_without_a_thread_a_release_has_to_be_named(text: str) -> None:
    assert s.refused(text) == "Name a release: its digest, its tag, or `newest`."


def test_anothers_thread_lends_no_release() -> None:
    where = s.on_promotion(on=s.request(unit="ledger"))
    assert s.refused("/promote payments ring-2", where) == "Name a release: its digest, its tag, or `newest`."
    assert s.refused("/promote v4", where) == (
        "What `ledger` runs was not read; write its name right behind the command."
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/promote ring-2 v4", "Name a service: `ledger` and `payments`."),
        ("/promote payments v4", "Name a stage: `nonprod`, `ring-1` and `ring-2`."),
        ("/promote ledger ring-2 v4", "What `ledger` runs was not read; write its name right behind the command."),
        ("/promote payments ring-2 v44", "No release `v44` of `payments` is known; did you mean `v4`?"),
        (
            "/promote payments ring-2 nothing",
            "No release `nothing` of `payments` is known: it was neither announced, nor ever pinned here.",
        ),
        (
            "/promote payments ring-2 deadbeef",
            "No release `deadbeef` of `payments` is known: it was neither announced, nor ever pinned here.",
        ),
    ],
)
def test_what_cannot_be_told(text: str, why: str) -> None:
    assert s.refused(text) == why


def test_a_tag_of_two_digests_is_refused_with_both() -> None:
    again = a.sighting("v4", 9)
    moved = replace(again, image=replace(again.image, digest=a.digest("v4 again")))
    where = s.situation(asked=s.snapshot(seen=("v3", "v4", moved)))
    why = s.refused("/promote payments ring-2 v4", where)
    assert why.startswith("`v4` could be `v4` (`") and why.endswith(": name the digest.")
    assert a.digest("v4") in why and a.digest("v4 again") in why
    assert wanted(f"/promote payments ring-2 {a.digest('v4')}", where).release == V4


def test_what_runs_there_is_not_asked_for() -> None:
    found = s.done("/promote payments ring-2 v2")
    assert (found.state, found.wakes) == (State(), ())
    assert found.answer == f"`ring-2` runs `v2` (`{V2.name}`) of `payments` already."


def test_S19_a_quarantined_release_is_refused() -> None:
    assert s.refused("/promote payments ring-2 v3", state=State(quarantine=(BAD,))).startswith("`v3` (`")
    elsewhere = BAD.model_copy(update={"stages": ("nonprod",)})
    assert wanted("/promote payments ring-2 v3", state=State(quarantine=(elsewhere,))).release == V3


def test_the_newest_is_told_by_what_was_decided_in_this_very_comment() -> None:
    found = s.done("/promote payments ring-2 newest", state=State(quarantine=(BAD,)))
    assert found.answer == f"`ring-2` runs `v2` (`{V2.name}`) of `payments` already."


def test_where_there_is_no_newest_it_says_why() -> None:
    where = s.situation(asked=s.snapshot(seen=()))
    assert s.refused("/promote payments nonprod newest", where) == (
        "There is no newest release for `nonprod`: no admissible image has been published."
    )


def test_where_nothing_is_opened_nothing_is_wanted() -> None:
    where = s.situation(asked=in_mode("observe"))
    assert s.refused("/promote payments ring-2 v3", where) == (
        "Policy says `mode: observe` for `ring-2`: Towpath opens nothing there."
    )


def test_where_there_is_no_target_nothing_is_wanted() -> None:
    asked = s.snapshot(clusters={"ring-2": ()})
    assert s.refused("/promote payments ring-2 v3", s.situation(asked=asked)) == (
        "`payments` has no target in `ring-2`."
    )
    gone = replace(asked, stages=asked.stages[:-1])
    assert s.refused("/promote payments ring-2 v3", s.situation(asked=gone)) == (
        "`payments` has no target in `ring-2`."
    )


def test_a_hold_and_a_freeze_that_keep_it_waiting_are_told() -> None:
    hold = Hold(by=s.person(s.DEV), at=s.BEFORE, where="", service="payments", reason="x")
    freeze = Freeze(by=s.person(s.DEV), at=s.BEFORE, where="", stage="ring-2", until=a.NOW + timedelta(hours=1))
    found = s.done("/promote payments ring-2 v3", state=State(holds=(hold,), freezes=(freeze,)))
    assert found.answer.endswith(
        " It waits while this lasts:\n"
        "\n- `payments` in every stage is held by `@dev` on 2026-05-04 11:00 UTC: x"
        "\n- `ring-2` is frozen by `@dev` on 2026-05-04 11:00 UTC until 2026-05-04 13:00 UTC"
    )


def test_the_last_word_counts_once_and_other_stages_keep_theirs() -> None:
    first = s.done("/promote payments ring-2 v3", s.situation(s.comment(at=s.BEFORE, number=1))).state
    other = s.done("/promote payments ring-1 v1", s.situation(s.comment(number=2)), first).state
    found = s.done("/promote payments ring-2 v4", state=other).state
    assert [(one.stage, one.release) for one in found.asked] == [("ring-1", V1), ("ring-2", V4)]
    assert s.done("/promote payments ring-2 v4", state=found).state == found
    assert s.done("/promote payments ring-1 v1", s.situation(s.comment(number=2)), found).state == found
    again = s.done("/promote payments ring-2 v3", s.situation(s.comment(at=s.BEFORE, number=1)), found)
    assert again.state == found
    assert "later than this comment: that counts" in again.answer


# Services of several images.

TWO = (a.API, a.WORKER)
BOTH = ({"nonprod": ("a2", "w2"), "ring-1": ("a1", "w1"), "ring-2": ("a1", "w1")},)
MIXED = ({"nonprod": ("a2", "w2"), "ring-1": ("a1", "w1"), "ring-2": ("a1", "tag:w1")},)


def several(**more: object) -> Situation:
    known: dict[str, object] = {"pins": BOTH, "images": TWO, "seen": (), **more}
    return s.situation(asked=s.snapshot(**known))


def test_several_images_move_as_they_were_pinned_together() -> None:
    assert wanted("/promote payments ring-2 a2", several()).release == a.release("a2", "w2")


@pytest.mark.parametrize(("images", "worker"), [("apart", "w1"), ("together", None)])
def test_one_new_image_alone_moves_only_where_they_walk_apart(images: str, worker: str | None) -> None:
    where = several(seen=(a.sighting("a3"),), services={"images": images})
    if worker is None:
        assert s.refused("/promote payments ring-2 a3", where).startswith("No release `a3` of `payments` is known")
    else:
        assert wanted("/promote payments ring-2 a3", where).release == a.release("a3", worker)


def test_images_of_one_revision_move_together() -> None:
    seen = (a.built("a3", 0, "r3"), a.built("w3", 1, "r3", a.WORKER), a.built("w4", 2, "r4", a.WORKER))
    assert wanted("/promote payments ring-2 a3", several(seen=seen)).release == a.release("a3", "w3")
    twice = (*seen, a.built("w5", 3, "r3", a.WORKER))
    why = s.refused("/promote payments ring-2 a3", several(seen=twice))
    assert why.startswith("`a3` could be ")


def test_a_bare_tag_is_no_part_of_a_release() -> None:
    assert wanted("/promote payments ring-2 a2", several(pins=MIXED)).release == a.release("a2")


def test_the_part_of_a_release_that_a_stage_has() -> None:
    view = s.snapshot().view("ring-2")
    assert releases.within(a.release("a2", "w2"), view) == a.release("a2")
    assert releases.within(a.release("w2", images=(a.WORKER,)), view) is None


def test_an_open_promotion_is_known_and_one_without_a_release_is_none() -> None:
    fresh: tuple[Promotion, ...] = (s.promotion(word="v9", iid=9), replace(s.promotion(iid=8), release=None))
    where = s.situation(asked=s.snapshot(promotions=fresh))
    assert wanted("/promote payments ring-2 v9", where).release == a.release("v9")


def test_an_image_of_somebody_else_is_no_release_of_this_service() -> None:
    where = s.situation(asked=s.snapshot(seen=(a.sighting("w9", repository=a.WORKER),)))
    assert s.refused("/promote payments ring-2 w9", where).startswith("No release `w9` of `payments` is known")


def test_a_pin_without_a_sighting_is_called_by_the_tag_beside_it() -> None:
    where = s.situation(asked=s.snapshot(seen=()))
    assert wanted("/promote payments ring-2 v3", where).images[0].tag == "v3"


def test_a_quarantine_speaks_of_its_own_service_alone() -> None:
    other: Quarantine = BAD.model_copy(update={"service": "ledger"})
    assert wanted("/promote payments ring-2 v3", state=State(quarantine=(other,))).release == V3
