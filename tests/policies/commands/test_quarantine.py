"""/quarantine and /unquarantine: which images, where, and who may."""

import pytest

from policies.commands.bad import Bad
from policies.model import Image, Release
from policies.state import Quarantine, State
from tests import builders as a
from tests.policies.commands import scenes as s

V1, V2, V3 = (a.release(word) for word in ("v1", "v2", "v3"))
SAID = {"by": s.person(), "at": a.NOW, "where": s.WHERE, "note": "issue 3 345", "reason": "it leaks"}
BAD = Quarantine.model_validate(
    {**SAID, "service": "payments", "release": V3.name, "tag": "v3", "images": {a.API: a.digest("v3")}}
)
PAIRS = ({"nonprod": ("a2", "w2"), "ring-1": ("a1", "w1"), "ring-2": ("a1", "w1")},)


def test_a_release_is_forbidden_everywhere() -> None:
    found = s.done("/quarantine v3 payments it leaks")
    assert (found.state, found.wakes) == (State(quarantine=(BAD,)), ("payments",))
    assert found.answer == (
        f"`v3` (`{V3.name}`) of `payments` is quarantined in every stage: it leaks. It runs now, and stays until it "
        "is taken back:\n\n- `nonprod`: `/rollback payments nonprod reason`"
        "\n- `ring-1`: `/rollback payments ring-1 reason`"
    )


@pytest.mark.parametrize(
    ("words", "stages"),
    [
        ("payments", ()),
        ("payments everywhere", ()),
        ("payments ring-1", ("ring-1", "ring-2")),
        ("payments ring-1 everywhere", ()),
        ("ring-2 payments", ("ring-2",)),
    ],
)
def test_where(words: str, stages: tuple[str, ...]) -> None:
    assert s.done(f"/quarantine v1 {words} it leaks").state.quarantine[0].stages == stages


def test_on_a_promotion_its_stage_and_what_comes_after() -> None:
    found = s.done("/quarantine v4 it leaks", s.on_promotion())
    assert found.state.quarantine[0].stages == ("ring-2",)
    assert found.answer.endswith("is quarantined in `ring-2`: it leaks.")


@pytest.mark.parametrize(
    ("word", "release", "images"),
    [
        ("a2", a.release("a2", "w2"), {a.API: a.digest("a2"), a.WORKER: a.digest("w2")}),
        (a.release("a2", "w2").name, a.release("a2", "w2"), {a.API: a.digest("a2"), a.WORKER: a.digest("w2")}),
        (a.digest("a2"), a.release("a2", "w2"), {a.API: a.digest("a2")}),
        (a.digest("w2")[7:19], a.release("a2", "w2"), {a.WORKER: a.digest("w2")}),
    ],
)
def test_a_digest_forbids_that_image_alone(word: str, release: Release, images: dict[str, str]) -> None:
    where = s.situation(asked=s.snapshot(pins=PAIRS, images=(a.API, a.WORKER), seen=()))
    (found,) = s.done(f"/quarantine {word} payments it leaks", where).state.quarantine
    assert (found.release, found.images) == (release.name, images)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/quarantine v3 payments", "Give a reason: it is written down, and shown to whoever wonders later."),
        ("/quarantine payments", "Give a reason: it is written down, and shown to whoever wonders later."),
        ("/quarantine payments reason=x", "Name a release: its digest, its tag, or its twelve digits."),
        ("/quarantine v3 because", "Name a service: `ledger` and `payments`."),
        ("/quarantine v3 ledger x", "What `ledger` runs was not read; write its name right behind the command."),
        ("/quarantine v33 payments x", "No release `v33` of `payments` is known; did you mean `v3`?"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    assert s.refused(text) == why


def test_a_stage_without_a_target() -> None:
    where = s.situation(asked=s.snapshot(clusters={"ring-2": ()}))
    assert s.refused("/quarantine v3 payments ring-2 x", where) == "`payments` has no target in `ring-2`."


def test_the_right_is_needed_in_each_stage_that_it_reaches() -> None:
    where = s.situation(asked=s.with_permissions(s.snapshot(), quarantine={"ring-2": "@@admins"}))
    assert s.refused("/quarantine v1 payments ring-1 x", where).startswith(
        "You lack the right `quarantine` for `payments` in `ring-2`"
    )


def test_the_same_comment_forbids_once() -> None:
    state = State(quarantine=(BAD,))
    assert s.done("/quarantine v3 payments it leaks", state=state).state == state
    assert len(s.done("/quarantine v1 payments it leaks", state=state).state.quarantine) == 2


@pytest.mark.parametrize("word", ["v3", V3.name, a.digest("v3"), a.digest("v3")[7:19]])
def test_a_release_may_run_again(word: str) -> None:
    other = BAD.model_copy(update={"release": V1.name, "tag": "v1", "images": {a.API: a.digest("v1")}})
    found = s.done(f"/unquarantine {word} payments it was the network", state=State(quarantine=(BAD, other)))
    assert (found.state, found.wakes) == (State(quarantine=(other,)), ("payments",))
    assert found.answer == "`v3` of `payments` may run again: it was the network."


def test_a_release_without_a_tag_is_called_by_its_digits() -> None:
    state = State(quarantine=(BAD.model_copy(update={"tag": ""}),))
    found = s.done(f"/unquarantine {V3.name} x", s.on_promotion(), state)
    assert found.answer == f"`{V3.name}` of `payments` may run again: x."


def test_each_entry_of_the_release_is_lifted_but_none_younger() -> None:
    younger = BAD.model_copy(update={"at": a.NOW.replace(hour=13)})
    once = BAD.model_copy(update={"stages": ("ring-1",)})
    found = s.done("/unquarantine v3 payments x", state=State(quarantine=(BAD, once, younger)))
    assert found.state == State(quarantine=(younger,))


def test_a_tag_of_two_digests_is_refused() -> None:
    twin = BAD.model_copy(update={"release": V1.name, "images": {a.API: a.digest("v1")}})
    why = s.refused("/unquarantine v3 payments x", state=State(quarantine=(BAD, twin)))
    assert why == f"`v3` could be `{V3.name}` and `{V1.name}`: name one of these."


def test_what_is_not_quarantined() -> None:
    assert s.refused("/unquarantine v9 payments x") == "`v9` of `payments` is not quarantined. Nothing of it is."
    assert s.refused("/unquarantine v9 payments x", state=State(quarantine=(BAD,))) == (
        "`v9` of `payments` is not quarantined. What is:\n"
        "\n- `v3` "
        f"(`{V3.name}`) of `payments` is quarantined everywhere by `@mira` on 2026-05-04 12:00 UTC: it leaks "
        f"([comment]({s.WHERE}))"
    )
    assert s.refused("/unquarantine v3 ledger x", state=State(quarantine=(BAD,))).endswith("Nothing of it is.")
    tagless = BAD.model_copy(update={"tag": ""})
    assert s.refused('/unquarantine "" payments x', state=State(quarantine=(tagless,))).startswith("`  ` of")


def test_allowing_needs_a_reason_and_both_rights_in_each_stage() -> None:
    state = State(quarantine=(BAD.model_copy(update={"stages": ("ring-1", "ring-2")}),))
    assert s.refused("/unquarantine v3 payments", state=state).startswith("Give a reason")
    where = s.situation(asked=s.with_permissions(s.snapshot(), quarantine={"ring-2": "@@admins"}))
    assert s.refused("/unquarantine v3 payments x", where, state).startswith(
        "You lack the right `quarantine` for `payments` in `ring-2`"
    )


def test_a_stage_that_pins_only_some_of_the_images_runs_what_is_bad_as_well() -> None:
    """The first ring pins v3 of one image, and has no target of the other."""
    found = s.snapshot()
    both = Bad(V3, (*V3.images, Image(a.WORKER, a.digest("v3"))))
    runs = {view.stage.name: both.runs_in(found, view) for view in found.stages}
    assert runs == {"nonprod": True, "ring-1": True, "ring-2": False}
    assert not Bad(V3, both.images[1:]).runs_in(found, found.view("nonprod"))
