"""History: when a change happened as far as Git tells, how it came, and what a spreadsheet or terminal is given."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.history import GONE, Change, Entry, How, Known, Pinned, Step, pinned, reckoned, told
from policies.model import MergeRequest, MergeRequestState, Pin, Review, ReviewState
from policies.trailers import Approver, Record
from policies.wording.audit import as_csv, as_json, as_table
from tests import builders as a

T0 = datetime(2026, 5, 3, tzinfo=UTC)
RECORD = Record("payments", "prod", a.release("v2"), (), None, request=7, head=a.HEAD, gates=(("signing", "pass"),))
CHANGE = Change(
    "payments", (a.stage("prod"),), "prod/values.yaml", a.API, Pinned("", "v1"), Pinned(a.digest("v2"), "v2")
)
COMMIT, OTHER = "c" * 40, "d" * 40
STEP = Step(COMMIT, ("p" * 40, a.HEAD), T0, merge=replace(RECORD, approvers=(Approver(42, "alex", T0, a.HEAD),)))


def request(**changes: object) -> MergeRequest:
    found = a.request(7, state=MergeRequestState.merged, merged_at=T0 + timedelta(seconds=1), merge_commit=COMMIT)
    return replace(found, head=a.HEAD, **changes)  # type: ignore[arg-type] # any field


def at(*hours: float, sealed: tuple[int, ...] = ()) -> list[Step]:
    """Steps whose commits say these hours, oldest first; some by Towpath."""
    return [
        Step(str(number), (), T0 + timedelta(hours=hour), merge=RECORD if number in sealed else None)
        for number, hour in enumerate(hours)
    ]


def hours(*steps: Step, now: float = 100) -> list[float]:
    return [(found - T0) / timedelta(hours=1) for found in reckoned(steps, T0 + timedelta(hours=now))]


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (at(1, 2, 3), [1, 2, 3]),
        (at(5, 1, 6), [5, 5, 6]),
        (at(1, 900, 3, 4, sealed=(2,)), [1, 3, 3, 4]),
        (at(1, 900, 3), [1, 100, 100]),
        (at(1, 4, 2, 3, sealed=(1, 2)), [1, 2, 2, 3]),
        ([], []),
    ],
)
def test_history_never_goes_backwards_and_towpaths_own_merges_bound_it(
    steps: list[Step], expected: list[float]
) -> None:
    assert hours(*steps) == expected


@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=12))
def test_any_history_is_in_order_and_not_after_now(said: list[tuple[int, bool]]) -> None:
    steps = at(*(hour for hour, _ in said), sealed=tuple(number for number, (_, own) in enumerate(said) if own))
    found = hours(*steps)
    assert found == sorted(found)
    assert all(
        hour <= (max(100, step_hour) if own else 100) for hour, (step_hour, own) in zip(found, said, strict=True)
    )


def test_signed_is_told_by_the_gate_and_the_evidence_is_shown() -> None:
    entry = told(STEP, CHANGE, Known(request()))
    assert (entry.how, entry.verified, entry.stage, entry.number) == (How.signed, "yes", "prod", 7)
    assert (entry.at, entry.at_by_forge) == (T0 + timedelta(seconds=1), True)
    unsigned = replace(STEP, merge=replace(RECORD, gates=()))
    assert told(unsigned, CHANGE, Known(request())).how is How.towpath
    assert told(STEP, CHANGE, Known(gone=True)).verified == GONE


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"state": MergeRequestState.closed}, "the forge has !7 as closed"),
        ({"merge_commit": OTHER}, f"the forge has !7 merged as {OTHER[:12]}"),
        ({"head": OTHER}, f"the forge has the head {OTHER[:12]}, the evidence {a.HEAD[:12]}"),
    ],
)
def test_each_difference_is_named(changes: dict[str, object], says: str) -> None:
    entry = told(STEP, CHANGE, Known(replace(request(), **changes)))  # type: ignore[arg-type] # any field
    assert entry.verified == f"DISAGREES: {says}"
    assert entry.is_odd


def test_an_approval_of_another_head_is_a_difference_and_one_that_is_gone_is_not() -> None:
    review = Review(a.ALEX, ReviewState.approved, OTHER, T0)
    assert "the approval of user 42 at dddddddddddd" in told(STEP, CHANGE, Known(request(), (review,))).verified
    for agrees in ((), (replace(review, sha=None),), (replace(review, sha=a.HEAD),)):
        assert told(STEP, CHANGE, Known(request(), agrees)).verified == "yes"


def test_what_gitlab_names_where_a_push_brought_the_merge_in_agrees() -> None:
    assert told(STEP, CHANGE, Known(request(merge_commit=a.HEAD))).verified == "yes"
    assert told(STEP, CHANGE, Known(request(merge_commit=None))).verified == "yes"


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "other"},
        {"stages": (a.stage("test"),)},
        {"image": a.WORKER},
        {"new": Pinned(a.digest("v3"), "v3")},
        {"new": None},
    ],
)
def test_evidence_counts_for_nothing_but_its_own_change(changes: dict[str, object]) -> None:
    change = replace(CHANGE, **changes)  # type: ignore[arg-type] # any field
    entry = told(STEP, change, Known(request()))
    assert (entry.how, entry.gates) == (How.around, ())
    assert entry.verified.startswith("DISAGREES: the sealed evidence is of payments in prod")
    proposed = replace(STEP, merge=None, proposal=RECORD)
    assert told(proposed, change, Known(request(), by_towpath=True)).how is How.around


def test_a_merge_whose_message_was_lost_is_towpaths_by_the_forges_word() -> None:
    step = replace(STEP, merge=None, proposal=RECORD)
    assert told(step, CHANGE, Known(request(), by_towpath=True)).how is How.towpath


def test_several_pins_of_one_image_are_shown_together() -> None:
    pins = [Pin(a.API, a.digest(tag), tag, 1) for tag in ("v2", "v1", "v2")]
    assert pinned(pins) == Pinned(" ".join(a.digest(tag) for tag in ("v2", "v1", "v2")), "v2 v1 v2")
    assert pinned(pins[:1] * 2) == Pinned(a.digest("v2"), "v2")
    assert pinned(pins[:2]) != pinned(pins[1:])
    assert pinned([]) is None


# --- as it is written -------------------------------------------------------------------------------------------------

WORDS = st.text(max_size=20) | st.sampled_from(
    ["=1+1", "+x", "-x", "@SUM(A1)", "\t=x", "\u202e=x", 'a,b\n"c"', "\x1b[31m", "\r=x", " =x", "\uff1dx"]
)


def entry(text: str) -> Entry:
    """A change in which others wrote this text wherever they can."""
    change = replace(CHANGE, service=text, path=text, image=text, old=None, new=Pinned(text, text))
    approver = Approver(1, text, None, text)
    found = told(STEP, change, Known(request(url=text)))
    return replace(found, approvers=(approver,), requesters=(text,), overrides=(text,), validation=text)


@given(WORDS)
def test_S9_one_line_each_whatever_others_wrote(text: str) -> None:
    row = ("main", "platform/config", entry(text))
    assert len(as_table([row, row]).splitlines()) == 3
    assert len(as_json(row).splitlines()) == 1
    assert json.loads(as_json(row))["service"] == text
    assert as_json(row).isprintable()
    assert not {"\x1b", "\u202e", "\t", "\r"} & set(as_table([row]) + as_csv([row]))


@given(WORDS)
def test_S9_no_cell_is_a_formula(text: str) -> None:
    (line,) = csv.DictReader(io.StringIO(as_csv([("=main", "-x", entry(text))])))
    assert not any(str(cell).lstrip().startswith(("=", "+", "-", "@", "\uff1d")) for cell in line.values())
    assert line["mr"] == "7"


def test_a_long_word_is_not_cut() -> None:
    row = ("main", "platform/config", entry("long" * 200))
    assert "long" * 200 in as_csv([row]) and "long" * 200 in as_table([row])


def test_an_image_that_stands_nowhere_or_cannot_be_read_is_said_so() -> None:
    row = (
        "main",
        "platform/config",
        replace(entry("x"), change=replace(CHANGE, old=Pinned(unreadable=True), new=None)),
    )
    (line,) = as_table([row]).splitlines()[1:]
    assert "cannot be read  -" in line
    assert json.loads(as_json(row))["to_digest"] is None
