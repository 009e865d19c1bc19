"""Whatever stands behind a command, wherever it is said: it is granted or refused in words, never an error."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.commands.lines import Call, parse_line
from policies.commands.model import Done, Situation
from policies.snapshot import Snapshot
from policies.state import State
from tests import builders as a
from tests.policies.commands import scenes as s

TEXT = (
    "payments ledger ring-1 ring-2 nonprod prod all everywhere to 1 0 2 99999 back v1 v2 v3 v4 newest until for 2h "
    "2026-12-24 09:00 9999-12-31T23:59+99:99 @dev @sid approvals soak checks integrity service=payments stage=ring-1 "
    'to=v1 until=2h for=1d reason=x "" "a_b" «x» ² = a= @ @@owners / \\ É İ reason="" service="" 0h -1 promote'
)
WORDS = [*TEXT.split(), a.release("v3").name, a.digest("v2"), "x" * 400]


def removed() -> Situation:
    """On an open promotion into a stage that policy no longer has."""
    gone = s.promotion("prod", "v3")
    where = s.on_promotion(asked=s.snapshot(promotions=(gone,)), on=gone.request)
    return replace(where, stage="prod")


def bare() -> Situation:
    """The first ring pins the worker by a bare tag, and a release of both is open for it."""
    pins = ({"nonprod": ("a2", "w2"), "ring-1": ("a1", "w1")}, {"nonprod": ("a1", "w1"), "ring-1": ("a2", "w1")})
    both = replace(s.promotion("ring-1", "v3"), release=a.release("a1", "w2"))
    found = s.snapshot(pins=pins, images=(a.API, a.WORKER), seen=(), promotions=(both,))
    return replace(s.on_promotion(asked=_tagged(found), on=both.request), stage="ring-1", release=both.release)


def _tagged(found: Snapshot) -> Snapshot:
    moments = (
        replace(one, pins={k: "tag:1.0" if k[1] == a.WORKER and "ring-1" in k[0] else v for k, v in one.pins.items()})
        for one in found.moments
    )
    return replace(found, moments=tuple(moments))


PLACES = (s.situation(), s.on_promotion(), removed(), bare(), s.situation(asked=s.snapshot(pins=({},))))
TEXTS = st.builds(
    lambda name, words: f"/{name} {' '.join(words)}",
    st.sampled_from(s.NAMES),
    st.lists(st.sampled_from(WORDS), max_size=6),
)


@given(TEXTS, st.sampled_from(PLACES), st.lists(TEXTS, max_size=3))
def test_no_command_raises(text: str, where: Situation, before: list[str]) -> None:
    state = State()
    for each in (*before, text):
        if not isinstance(parse_line(each, s.NAMES), Call):
            continue
        found = s.say(each, where, state)
        assert found.answer
        state = found.state if isinstance(found, Done) else state


@pytest.mark.parametrize(
    "text",
    ["/promote", "/rollback bad", "/merge", "/refresh", "/freeze for 2h x", "/quarantine v3 x", "/explain @mira"],
)
def test_a_stage_that_policy_no_longer_has_is_refused_in_words(text: str) -> None:
    people = {"@mira": (s.MAINTAINER,)}
    assert "`prod`" in s.refused(text, removed(), people=people)


def test_where_only_a_bare_tag_differs_there_is_nothing_to_go_back_from() -> None:
    name = a.release("a1", "w2").name
    assert "`/promote" in s.refused(f"/rollback payments ring-1 to {name} 500s", bare())
