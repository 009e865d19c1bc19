"""/skip and /override: two people, one head, one gate, and not for long."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.actions import Plan
from policies.commands.glass import NEVER
from policies.commands.model import Situation
from policies.gates import checks
from policies.gates.override import OVERRIDABLE
from policies.model import User
from policies.state import Override, State, overridden
from policies.verdict import block, passed, wait
from tests import builders as a
from tests.policies.commands import scenes as s

NO_GATE = "is no gate that this command passes over"
MINUTE = timedelta(minutes=1)
GATES = (passed("integrity", "fine"), wait("soak", "2 h left"), wait("checks", "`ci` not finished"))


def where(by: User = s.MAINTAINER, number: int = 345, at: timedelta = timedelta(0), head: str = a.HEAD) -> Situation:
    """A comment on the promotion, so long after noon."""
    found = s.on_promotion(s.comment(by, number=number, at=a.NOW + at), on=s.request(head=head))
    return replace(s.gated(found, *GATES), now=a.NOW + at)


FIRST = Override(
    by=s.person(),
    at=a.NOW,
    where=s.WHERE,
    note="request 12 345",
    request=12,
    head=a.HEAD,
    gate="soak",
    reason="a fix",
    until=a.NOW + 30 * MINUTE,
)
SECOND = where(s.SECOND, 346, MINUTE)


def test_a_first_word_changes_nothing_and_waits_for_a_second() -> None:
    found = s.done("/skip soak a fix", where())
    assert found.state == State(overrides=(FIRST,))
    assert found.seen_only
    assert overridden(found.state, 12, a.HEAD, a.NOW) == ()
    assert found.answer == (
        "`soak` of !12 at `4eadc0de4ead` is to be passed over: a fix. It waits for a second person with the right "
        "`skip`, who writes the same here by 2026-05-04 12:30 UTC: `/skip soak a fix`."
    )


def test_a_second_persons_word_confirms_it_for_an_hour() -> None:
    found = s.done("/skip soak a fix", SECOND, State(overrides=(FIRST,)))
    (entry,) = found.state.overrides
    assert entry == FIRST.model_copy(
        update={"confirmed": s.person(s.SECOND), "until": a.NOW + timedelta(hours=1, minutes=1)}
    )
    assert not found.seen_only and found.wakes == ("payments",)
    assert overridden(found.state, 12, a.HEAD, a.NOW) == (entry,)
    assert found.answer == (
        "`soak` of !12 at `4eadc0de4ead` is passed over until 2026-05-04 13:01 UTC, by `@mira` and `@sam`: a fix."
    )


def asked_by(*people: int, by: User = s.SECOND) -> Situation:
    """The promotion was asked for by these."""
    found = where(by, 346, MINUTE)
    (one,) = found.snapshot.promotions
    return replace(found, snapshot=replace(found.snapshot, promotions=(replace(one, requesters=people),)))


def test_S15_who_asked_for_it_is_neither_the_first_nor_the_second() -> None:
    why = "so somebody else has to pass over its gates (S15)"
    assert why in s.refused("/skip soak a fix", asked_by(s.SECOND.id))
    assert why in s.refused("/skip soak a fix", asked_by(s.SECOND.id), State(overrides=(FIRST,)))
    found = s.done("/skip soak a fix", asked_by(s.MAINTAINER.id), State(overrides=(FIRST,)))
    assert found.seen_only and found.state.overrides[0].by == s.person(s.SECOND)


def test_S15_who_opened_it_is_neither() -> None:
    found = replace(asked_by(), request=s.request(author=s.SECOND))
    assert "(S15)" in s.refused("/skip soak a fix", found)


def test_S15_where_nobody_can_tell_who_asked_nobody_passes_it_over() -> None:
    found = asked_by()
    unread = replace(found, snapshot=replace(found.snapshot, promotions=()))
    assert "could not be told" in s.refused("/skip soak a fix", unread)


def test_S6_the_first_word_counts_while_its_writer_has_the_right() -> None:
    first = FIRST.model_copy(update={"by": s.person(s.DEV)})
    found = s.done("/skip soak a fix", SECOND, State(overrides=(first,)))
    assert found.seen_only and [one.by for one in found.state.overrides] == [s.person(s.SECOND)]


@pytest.mark.parametrize("text", ["/skip soak a fix for 3h", "/skip soak for 3h a fix"])
def test_the_second_person_says_for_how_long(text: str) -> None:
    (entry,) = s.done(text, SECOND, State(overrides=(FIRST,))).state.overrides
    assert entry.until == a.NOW + timedelta(hours=3, minutes=1)


@pytest.mark.parametrize("text", ["/skip soak a fix for 25h", "/skip soak for 2d a fix"])
def test_at_most_a_day(text: str) -> None:
    why = "At most 24 hours: after that two people decide again."
    assert s.refused(text, SECOND, State(overrides=(FIRST,))) == why
    assert s.refused(text, where()) == why
    assert s.done("/skip soak a fix for 24h", where()).seen_only


def test_nobody_confirms_their_own_word() -> None:
    again = where(replace(s.MAINTAINER, username="renamed"), 347, MINUTE)
    found = s.done("/skip soak a fix", again, State(overrides=(FIRST,)))
    assert found.state == State(overrides=(FIRST,))
    assert found.seen_only and "by 2026-05-04 12:30 UTC" in found.answer


def test_a_first_word_alone_expires() -> None:
    late = where(s.SECOND, 346, 30 * MINUTE)
    found = s.done("/skip soak a fix", late, State(overrides=(FIRST,)))
    assert found.seen_only
    assert [(one.by.id, one.confirmed) for one in found.state.overrides] == [(s.SECOND.id, None)]


@pytest.mark.parametrize(("gate", "head"), [("checks", a.HEAD), ("soak", "0" * 40)])
def test_a_word_is_for_one_gate_of_one_head(gate: str, head: str) -> None:
    first = FIRST.model_copy(update={"gate": gate, "head": head})
    found = s.done("/skip soak a fix", SECOND, State(overrides=(first,)))
    assert found.seen_only and len(found.state.overrides) == 2


def test_what_is_in_force_is_told() -> None:
    state = s.done("/skip soak a fix", SECOND, State(overrides=(FIRST,))).state
    found = s.done("/skip soak a fix", where(s.ADMIN, 348, 2 * MINUTE), state)
    assert found.state == state and not found.seen_only
    assert found.answer == "`soak` is passed over already, by `@mira`, confirmed by `@sam`, until 2026-05-04 13:01 UTC."


def test_a_comment_that_is_read_late_does_nothing() -> None:
    late = replace(where(), now=a.NOW + 30 * MINUTE)
    assert s.refused("/skip soak a fix", late) == (
        "This was written more than half an hour ago: write it again if it is still meant."
    )
    first = FIRST.model_copy(update={"until": a.NOW + 60 * MINUTE})
    second = replace(where(s.SECOND, 346), now=a.NOW + 20 * MINUTE)
    assert s.refused("/skip soak a fix for 10m", second, State(overrides=(first,))) == (
        "That would have ended on 2026-05-04 12:10 UTC already."
    )


@pytest.mark.parametrize("gate", NEVER)
@pytest.mark.parametrize("name", ["skip", "override"])
def test_S13_S16_to_S19_can_never_be_overridden(gate: str, name: str) -> None:
    assert gate not in OVERRIDABLE
    assert s.refused(f"/{name} {gate.upper()} because", where()) == f"`{gate}` is never passed over: {NEVER[gate]}."


def test_S16_what_is_absent_is_never_passed_over() -> None:
    absent = s.gated(where(), wait("checks", checks.ABSENT, "run one"), block("approvals", "no owner", ""))
    assert s.refused("/override checks because", absent) == (
        f"This is never passed over, for absent is not satisfied (S16): {checks.ABSENT}. What would change it: run one."
    )
    assert s.refused("/override approvals because", absent) == (
        "This is never passed over, for absent is not satisfied (S16): no owner."
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("/skip", "Name a gate: `health`, `soak` and `window`."),
        (
            "/skip checks x",
            "`checks` is no gate that this command passes over; these are: `health`, `soak` and `window`.",
        ),
        ("/override approval x", f"`approval` {NO_GATE}; did you mean approvals?"),
        ("/skip soak", "Give a reason: it is written down, and shown to whoever wonders later."),
        ("/skip window x", "`ring-2` has no gate `window` now; it has `integrity`, `soak` and `checks`."),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    assert s.refused(text, where()) == why


def test_what_passes_needs_nobody() -> None:
    found = s.gated(where(), passed("checks", "`ci` succeeded"))
    assert s.refused("/override checks x", found) == "`checks` passes: there is nothing to pass over."


def test_where_the_gates_are_not_known_the_word_counts() -> None:
    unplanned = replace(where(), plan=Plan(()))
    assert s.done("/override checks x", unplanned).seen_only


def test_a_reason_may_be_long_in_the_second_word_the_first_ones_counts() -> None:
    (entry,) = s.done("/skip soak another reason", SECOND, State(overrides=(FIRST,))).state.overrides
    assert entry.reason == "a fix"
