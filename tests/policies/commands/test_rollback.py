"""/rollback: which release comes back, and that it is quarantined and held in the same change (S19)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.commands.model import Situation
from policies.model import Release, Target
from policies.state import Asked, Hold, Quarantine, State, asked_in, holds_on, quarantined
from tests import builders as a
from tests.policies.commands import scenes as s
from tests.policies.commands.test_merge import in_mode

V1, V2, V3, V4 = (a.release(word) for word in ("v1", "v2", "v3", "v4"))
SAID = {"by": s.person(), "at": a.NOW, "where": s.WHERE, "note": "issue 3 345", "reason": "500s"}
BAD = {"service": "payments", "release": V3.name, "tag": "v3", "images": {a.API: a.digest("v3")}}


def back(text: str, *more: object, **known: object) -> Release:
    """The release that comes back."""
    (found,) = s.done(text, *more, **known).state.asked
    return found.release


def test_S19_one_change_quarantines_holds_and_asks() -> None:
    found = s.done("/rollback payments ring-1 500s", exists={a.digest("v2"): True})
    images = ({"repository": a.API, "digest": a.digest("v2"), "tag": "v2"},)
    place = {"service": "payments", "stage": "ring-1"}
    assert found.state == State(
        quarantine=(Quarantine.model_validate({**SAID, **BAD, "stages": ("ring-1", "ring-2")}),),
        holds=(Hold.model_validate({**SAID, **place}),),
        asked=(Asked.model_validate({**SAID, **place, "cause": "rollback", "images": images}),),
    )
    assert found.wakes == ("payments",)
    assert found.answer == (
        f"`payments` goes back to `v2` (`{V2.name}`) in `ring-1`. `v3` (`{V3.name}`) is quarantined in `ring-1` and "
        "`ring-2`, and `payments` in `ring-1` is held until `/unhold payments ring-1`: 500s. "
        "The registry still has its images. It runs elsewhere too:\n"
        "\n- `nonprod`: `/rollback payments nonprod reason`"
    )


def test_S19_what_is_bad_cannot_come_back_and_the_stage_is_held() -> None:
    state = s.done("/rollback payments ring-1 500s").state
    assert quarantined(state, "payments", "ring-2", V3) is not None
    assert quarantined(state, "payments", "nonprod", V3) is None
    assert quarantined(state, "payments", "ring-1", V2) is None
    assert len(holds_on(state, "payments", "ring-1", a.NOW)) == 1
    assert holds_on(state, "payments", "ring-2", a.NOW) == ()
    assert s.refused("/promote payments ring-2 v3", state=state).startswith("`v3` (`")


def test_everywhere_reaches_upstream_too() -> None:
    found = s.done("/rollback payments ring-1 everywhere 500s")
    assert found.state.quarantine[0].stages == ()
    assert "is quarantined in every stage" in found.answer


@pytest.mark.parametrize(
    ("words", "release"),
    [("", V2), ("1 back", V2), ("2 back", V1), ("to v1", V1), (f"to {V1.name}", V1), ("to=v1", V1)],
)
def test_which_release_comes_back(words: str, release: Release) -> None:
    assert back(f"/rollback payments ring-1 {words} 500s") == release


def test_S18_what_never_ran_there_is_promoted_and_not_rolled_back_to() -> None:
    for stage, word in (("ring-1", "v4"), ("ring-2", "v3")):
        why = s.refused(f"/rollback payments {stage} to {word} 500s")
        assert f"never ran in `{stage}`" in why and f"`/promote payments {stage} {word}`" in why


@pytest.mark.parametrize("words", ["to v3", "1 back", ""])
def test_S18_what_is_newer_is_promoted_and_not_rolled_back_to(words: str) -> None:
    """It ran there, and somebody took it out by hand."""
    pins = ({"ring-1": "v2"}, {"ring-1": "v3"}, {"ring-1": "v2"})
    where = s.situation(asked=s.snapshot(pins=pins))
    why = s.refused(f"/rollback payments ring-1 {words} 500s", where)
    assert "`/promote payments ring-1 v3`" in why if words == "to v3" else "ran no other release" in why


def test_what_only_some_targets_ran_is_no_release_of_the_stage() -> None:
    pins = ({"ring-1": "v3"}, {"ring-1/eu": "v2", "ring-1/us": "v1"}, {"ring-1": "v1"})
    where = s.situation(asked=s.snapshot(pins=pins, clusters={"ring-1": ("eu", "us")}))
    assert "never ran in `ring-1`" in s.refused("/rollback payments ring-1 to v2 500s", where)


def test_everywhere_asks_the_right_of_quarantine_too() -> None:
    rules = s.with_permissions(s.snapshot(), rollback={"nonprod": "@@developers"})
    where = s.situation(s.comment(s.DEV), rules)
    assert "the right `quarantine`" in s.refused("/rollback payments nonprod everywhere to v2 bad", where)
    assert s.done("/rollback payments nonprod to v2 bad", where).state.quarantine[0].stages == (
        "nonprod",
        "ring-1",
        "ring-2",
    )


def test_on_a_promotion_its_own_service_and_stage_are_meant() -> None:
    found = s.done("/rollback 500s", s.on_promotion())
    (entry,) = found.state.asked
    assert (entry.service, entry.stage, entry.release) == ("payments", "ring-2", V1)
    assert "elsewhere" not in found.answer


def test_what_is_quarantined_is_passed_by() -> None:
    bad = Quarantine.model_validate({**SAID, **BAD, "release": V2.name, "images": {a.API: a.digest("v2")}, "note": ""})
    state = State(quarantine=(bad,))
    assert s.done("/rollback payments ring-1 500s", state=state).state.asked[0].release == V1
    assert s.refused("/rollback payments ring-1 to v2 500s", state=state).startswith(
        f"`v3` (`{V2.name}`) of `payments`"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/rollback payments ring-1", "Give a reason: it is written down, and shown to whoever wonders later."),
        ("/rollback ring-1 500s", "Name a service: `ledger` and `payments`."),
        ("/rollback payments 500s", "Name a stage: `nonprod`, `ring-1` and `ring-2`."),
        ("/rollback ledger ring-1 500s", "What `ledger` runs was not read; write its name right behind the command."),
        (
            "/rollback payments ring-1 3 back 500s",
            "`ring-1` ran 2 other releases that could come back; name one with `to`.",
        ),
        (
            "/rollback payments ring-2 2 back 500s",
            "`ring-2` ran 1 other release that could come back; name one with `to`.",
        ),
        (
            "/rollback payments ring-1 to v3 500s",
            f"`ring-1` runs `v3` (`{V3.name}`) now: there is nothing to go back from.",
        ),
        ("/rollback payments ring-1 to v44 500s", "No release `v44` of `payments` is known; did you mean `v4`?"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    assert s.refused(text) == why


def test_a_stage_that_ran_nothing_else() -> None:
    where = s.situation(asked=s.snapshot(pins=(s.OLDEST,)))
    assert s.refused("/rollback payments ring-1 500s", where) == (
        "`ring-1` ran no other release that could come back; name one with `to`."
    )
    assert s.refused("/rollback payments ring-1 500s", s.situation(asked=in_mode("observe"))) == (
        "Policy says `mode: observe` for `ring-1`: Towpath opens nothing there."
    )


def test_what_the_registry_has_lost_does_not_come_back() -> None:
    why = s.refused("/rollback payments ring-1 500s", exists={a.digest("v2"): False})
    assert why == (
        f"`v2` (`{V2.name}`) cannot run any more: the registry has lost `{a.digest('v2')}` of `{a.API}`; "
        "go further back with `2 back`, or name another one with `to`."
    )
    assert "with `3 back`" in s.refused("/rollback payments ring-1 2 back x", exists={a.digest("v1"): False})


def test_where_no_registry_can_tell_it_says_so() -> None:
    found = s.done("/rollback payments ring-1 500s", exists={})
    assert "Whether the registry still has its images could not be told." in found.answer


# A stage whose targets differ.


def half() -> Situation:
    """The first ring runs v3 in one cluster, and v2 in the other."""
    pins = ({"nonprod": "v3", "ring-1/eu": "v3", "ring-1/us": "v2", "ring-2": "v1"}, s.OLDEST)
    return s.situation(asked=s.snapshot(pins=pins, clusters={"ring-1": ("eu", "us")}))


def test_of_targets_that_differ_one_has_to_be_named() -> None:
    assert s.refused("/rollback payments ring-1 500s", half()) == (
        f"The targets in `ring-1` do not pin one release now. Name one with `to`: `v1` (`{V1.name}`)."
    )
    bare = ({"nonprod": "v3", "ring-1/eu": "v3", "ring-1/us": "v2", "ring-2": "v1"},)
    where = s.situation(asked=s.snapshot(pins=bare, clusters={"ring-1": ("eu", "us")}))
    assert s.refused("/rollback payments ring-1 500s", where).endswith("`to`: no release is known.")


@pytest.mark.parametrize(("words", "bad"), [("to v1", [V3, V2]), ("1 back", [V3, V2])])
def test_of_targets_that_differ_each_bad_image_is_quarantined(words: str, bad: list[Release]) -> None:
    found = s.done(f"/rollback payments ring-1 {words} 500s", half())
    assert [one.release for one in found.state.quarantine] == [one.name for one in bad]
    assert [one.images for one in found.state.quarantine] == [one.digests for one in bad]


def test_of_several_images_only_those_that_differ_are_bad() -> None:
    pins = (
        {"nonprod": ("a1", "w1"), "ring-1": ("a2", "w1"), "ring-2": ("a1", "w1")},
        {"nonprod": ("a1", "w1"), "ring-1": ("a1", "w1"), "ring-2": ("a1", "w1")},
    )
    where = s.situation(asked=s.snapshot(pins=pins, images=(a.API, a.WORKER), seen=()))
    (found,) = s.done("/rollback payments ring-1 500s", where).state.quarantine
    assert (found.images, found.tag) == ({a.API: a.digest("a2")}, f"release {a.release('a2', 'w1').name}")


def test_what_nobody_ever_named_has_no_tag() -> None:
    asked = s.snapshot(seen=())
    bare = replace(
        asked, stages=tuple(replace(one, targets=tuple(untagged(t) for t in one.targets)) for one in asked.stages)
    )
    (found,) = s.done("/rollback payments ring-1 500s", s.situation(asked=bare)).state.quarantine
    assert (found.release, found.tag) == (V3.name, "")


def untagged(target: Target) -> Target:
    return replace(target, pin=replace(target.pin, tag=None))


# The same comment, read again.


def test_the_same_comment_takes_back_once_whatever_became_of_it() -> None:
    state = s.done("/rollback payments ring-1 500s").state
    empty = State()
    for left in (
        state,
        empty.model_copy(update={"asked": state.asked}),
        empty.model_copy(update={"holds": state.holds}),
        empty.model_copy(update={"quarantine": state.quarantine}),
        empty.model_copy(update={"quarantine": (state.quarantine[0].model_copy(update={"stages": ()}),)}),
    ):
        found = s.done("/rollback payments ring-1 500s", state=left)
        assert found.state == left
        assert found.answer == "`payments` goes back in `ring-1` already."


def test_another_line_of_the_same_comment_is_another_rollback() -> None:
    state = s.done("/rollback payments ring-1 500s").state
    found = s.done("/rollback payments nonprod 500s", state=state).state
    assert asked_in(found, "payments", "nonprod") is not None
    assert [one.stages[0] for one in found.quarantine] == ["ring-1", "nonprod"]
    assert len(found.holds) == 2


@pytest.mark.parametrize("words", ["", "everywhere "])
def test_the_lines_that_an_answer_offers_can_be_said_at_once(words: str) -> None:
    state = s.done(f"/rollback payments nonprod {words}500s").state
    found = s.done(f"/rollback payments ring-1 {words}500s", state=state).state
    assert [one.stage for one in found.asked] == [one.stage for one in found.holds] == ["nonprod", "ring-1"]


def test_who_asked_later_is_told_of() -> None:
    later = s.situation(s.comment(at=a.NOW + timedelta(minutes=1), number=999))
    state = s.done("/promote payments ring-1 v1", later).state
    found = s.done("/rollback payments ring-1 500s", state=state)
    assert found.state.asked == state.asked
    assert len(found.state.holds) == len(found.state.quarantine) == 1
    assert "later than this comment: that counts." in found.answer
