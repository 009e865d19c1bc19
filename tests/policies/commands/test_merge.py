"""/merge, /refresh and /retry: about one open merge request, and never past what forbids it."""

from dataclasses import replace

import pytest

from policies.actions import Plan
from policies.commands.model import Situation
from policies.model import MergeRequestState, Thread
from policies.snapshot import Snapshot
from policies.state import Asked, Order, Pinned, Quarantine, State
from policies.verdict import block, passed
from tests import builders as a
from tests.policies.commands import scenes as s

ORDER = Order(by=s.person(), at=a.NOW, where=s.WHERE, note="request 12 345", request=12, head=a.HEAD)
BAD = Quarantine(
    by=s.person(s.DEV),
    at=s.BEFORE,
    where="",
    service="payments",
    release=a.release("v3").name,
    tag="v3",
    images={a.API: a.digest("v3")},
)
FRESH = Asked(
    by=s.person(),
    at=a.NOW,
    where=s.WHERE,
    note="request 12 345",
    service="payments",
    stage="ring-2",
    cause="refresh",
    images=(Pinned(repository=a.API, digest=a.digest("v3"), tag="v3"),),
    replaces=12,
)
BANNED = (
    f"`v3` (`{a.release('v3').name}`) of `payments` is quarantined everywhere by `@dev` on 2026-05-04 11:00 UTC. "
    f"To allow it again: `/unquarantine {a.release('v3').name} reason`."
)


def in_mode(mode: str) -> Snapshot:
    asked = s.snapshot(promotions=(s.promotion(),))
    stages = tuple(one.model_copy(update={"mode": mode}) for one in asked.policy.stages)
    return replace(asked, policy=asked.policy.model_copy(update={"stages": stages}))


def test_the_very_head_is_ordered_and_what_it_waits_for_is_told() -> None:
    found = s.done("/merge", s.on_promotion())
    assert (found.state, found.wakes) == (State(merges=(ORDER,)), ("payments",))
    assert found.answer == (
        "!12 merges at exactly `4eadc0de4ead` when its gates pass. It still waits: `ci` not finished. "
        "What would change it: nothing: Towpath looks again when it is."
    )


def test_what_waits_without_a_way_on_says_no_more() -> None:
    found = s.done("/merge", s.gated(s.on_promotion(), block("x", "why", "")))
    assert found.answer.endswith("It still waits: why.")


@pytest.mark.parametrize(
    "where", [s.gated(s.on_promotion(), passed("x", "y")), replace(s.on_promotion(), plan=Plan(()))]
)
def test_nothing_is_left_to_wait_for(where: Situation) -> None:
    assert s.done("/merge", where).answer.endswith("Nothing is left to wait for.")


def test_an_order_for_another_head_is_replaced_and_one_for_this_head_kept() -> None:
    old = ORDER.model_copy(update={"head": "0" * 40, "note": "request 12 1"})
    others = ORDER.model_copy(update={"request": 13})
    assert s.done("/merge", s.on_promotion(), State(merges=(old, others))).state.merges == (others, ORDER)
    mine = ORDER.model_copy(update={"note": "request 12 1"})
    assert s.done("/merge", s.on_promotion(), State(merges=(mine,))).state.merges == (mine,)


@pytest.mark.parametrize("mode", ["propose", "observe"])
def test_where_policy_never_merges_nothing_is_ordered(mode: str) -> None:
    why = s.refused("/merge", s.on_promotion(asked=in_mode(mode)))
    assert why == f"Policy says `mode: {mode}` for `ring-2`: Towpath merges nothing there."


@pytest.mark.parametrize("text", ["/merge", "/refresh"])
def test_S19_a_quarantined_release_is_not_merged_and_not_made_anew(text: str) -> None:
    assert s.refused(text, s.on_promotion(), State(quarantine=(BAD,))) == BANNED


def test_a_release_that_nobody_can_tell_is_still_only_ordered() -> None:
    where = replace(s.on_promotion(), release=None)
    assert s.done("/merge", where, State(quarantine=(BAD,))).state.merges == (ORDER,)
    assert s.refused("/refresh", where) == (
        "Its branch holds no commit of Towpath's any more: close it, and ask for the release anew."
    )


@pytest.mark.parametrize("text", ["/merge", "/refresh", "/skip soak x", "/override checks x"])
def test_elsewhere_they_are_refused(text: str) -> None:
    no = "This works on a promotion's merge request that Towpath opened, and this thread is none."
    assert s.refused(text) == no
    assert s.refused(text, s.situation(on=a.request(source_branch="feature", same_project=False))) == no
    for state in (MergeRequestState.closed, MergeRequestState.merged):
        over = s.on_promotion(on=s.request(state=state))
        assert s.refused(text, over) == f"!12 is {state.value}. To have this release there after all: `/promote`."


@pytest.mark.parametrize("text", ["/merge now", "/refresh it"])
def test_they_take_no_words(text: str) -> None:
    assert s.refused(text, s.on_promotion()).endswith(
        "is no service or stage here; and nothing else is expected there."
    )


def test_it_is_made_anew() -> None:
    found = s.done("/refresh", s.on_promotion())
    assert (found.state, found.wakes) == (State(asked=(FRESH,)), ("payments",))
    assert found.answer == "!12 is replaced by a new merge request of the same release; approvals start anew."
    assert s.done("/refresh", s.on_promotion(), found.state).state == found.state


def test_somebody_who_asked_later_counts() -> None:
    later = FRESH.model_copy(update={"at": a.NOW.replace(hour=13), "note": "request 12 999"})
    found = s.done("/refresh", s.on_promotion(), State(asked=(later,)))
    assert found.state == State(asked=(later,))
    assert found.answer.endswith(
        " Somebody asked for another one on 2026-05-04 13:00 UTC, later than this comment: that counts."
    )


@pytest.mark.parametrize("cause", ["promote", "rollback"])
def test_S19_what_somebody_asked_for_stays_asked_for(cause: str) -> None:
    """Whoever may refresh need not have the right to take it back."""
    wish = FRESH.model_copy(update={"cause": cause, "at": s.BEFORE, "note": "issue 3 1", "replaces": None})
    found = s.done("/refresh", s.on_promotion(s.comment(s.DEV)), State(asked=(wish,)))
    assert found.state == State(asked=(wish.model_copy(update={"replaces": 12}),))
    assert found.answer == "!12 is replaced by a new merge request of the same release; approvals start anew."
    assert s.done("/refresh", s.on_promotion(), found.state).state == found.state


def test_S19_what_somebody_asked_for_instead_is_not_taken_back_by_a_refresh() -> None:
    images = (Pinned(repository=a.API, digest=a.digest("v1"), tag="v1"),)
    wish = FRESH.model_copy(update={"cause": "rollback", "at": s.BEFORE, "images": images, "replaces": None})
    assert s.refused("/refresh", s.on_promotion(s.comment(s.DEV)), State(asked=(wish,))) == (
        f"`@mira` asked for `v1` (`{a.release('v1').name}`) in `ring-2` on 2026-05-04 11:00 UTC: that comes instead."
    )
    other = wish.model_copy(update={"stage": "ring-1"})
    assert s.done("/refresh", s.on_promotion(), State(asked=(other,))).state == State(asked=(other, FRESH))


def test_where_nothing_is_opened_nothing_is_made_anew() -> None:
    why = "Policy says `mode: observe` for `ring-2`: Towpath opens nothing there."
    assert s.refused("/refresh", s.on_promotion(asked=in_mode("observe"))) == why


@pytest.mark.parametrize(
    ("text", "where"),
    [("/retry payments", s.situation()), ("/retry", s.on_promotion()), ("/retry ring-2", s.on_promotion())],
)
def test_a_retry_changes_nothing_and_wakes_the_unit(text: str, where: Situation) -> None:
    found = s.done(text, where, State(merges=(ORDER,)))
    assert (found.state, found.wakes) == (State(merges=(ORDER,)), ("payments",))
    assert found.answer == "`payments` is looked at again, and what was refused is tried again."


def test_a_retry_of_nothing() -> None:
    assert s.refused("/retry") == "Name a service: `ledger` and `payments`."
    assert s.refused("/retry", replace(s.situation(), services=())) == "Name a service: there is none."


def test_the_thread_is_the_comments_own() -> None:
    assert s.on_promotion().comment.thread == Thread(12)
