"""Values files as Helm reads and merges them."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators.values import coalesced, line_in, over, read, stacked
from bot.yaml import Unreadable


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# x\n", None),
        ("a: 1\n---\nb: 2\n", {"a": 1}),
        ("a: 1\na: 2\n", {"a": 2}),
        ("a: [yes, No, on, OFF, y, n, true]\n", {"a": [True, False, True, False, True, False, True]}),
        ("a: [yesterday, 'yes', \"on\"]\n", {"a": ["yesterday", "yes", "on"]}),
        ("a: [1_000, 1.5, 0x1f, ~, 2026-01-01, -1]\n", {"a": [1000, 1.5, 31, None, "2026-01-01", -1]}),
        ("a: [_1, '1_0']\n", {"a": ["_1", "1_0"]}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x 1\nc: [*x]\n*x : d\n", {"a": 1, "c": [1], "1": "d"}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}\n", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("- &a {b: 1}\n- {e: 9, <<: [*a, {b: 2, d: 2}]}\n", [{"b": 1}, {"b": 1, "d": 2, "e": 9}]),
        ("a: {<<: {b: {c: 1}}, d: 2}\n", {"a": {"b": {"c": 1}, "d": 2}}),
        ("d: {'<<': 1}\n", {"d": {"<<": 1}}),
        ("d: {<<: 1, a: 2}\n", {"d": {"a": 2}}),
        ("a: !!str 1\n", {"a": "1"}),
        ("1: x\ntrue: z\n", {"1": "x", "true": "z"}),
    ],
)  # fmt: skip
def test_a_values_file(text: str, value: object) -> None:
    assert read(text.encode()).value == value


@pytest.mark.parametrize("text", ["a: [", "a: *b\n", "? {a: 1}\n: 1\n", "a: &x [1]\n? *x\n: 1\n"])
def test_what_helm_could_not_read_either(text: str) -> None:
    with pytest.raises(Unreadable):
        read(text.encode())


@pytest.mark.parametrize(
    ("place", "line"),
    [(("b", "c"), 3), (("b", "x", "y"), 2), (("b", "d", 1), 6), (("x",), None), ((), None), (("b", "d", 1, "k"), 6)],
)
def test_the_line_of_a_key_or_of_the_nearest_above(place: tuple[str | int, ...], line: int | None) -> None:
    assert line_in(read(b"a: 1\nb:\n  c: 1\n  d:\n  - 1\n  - {k: 1}\n"), place) == line


@pytest.mark.parametrize(
    ("weaker", "stronger", "given_", "as_chart"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}, None),
        ({"a": {"b": 1, "c": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}, None),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}, None),
        ({"a": {"b": 1}}, {"a": 7}, {"a": 7}, None),
        ({"a": 7}, {"a": {"b": 1}}, {"a": {"b": 1}}, None),
        ({"a": 1}, {"a": None}, {"a": None}, {}),
        ({"a": {"b": 1, "c": 1}}, {"a": {"b": None}}, {"a": {"b": None, "c": 1}}, {"a": {"c": 1}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}, {}),
        ({}, {"a": None}, {"a": None}, {"a": None}),
        ({"a": None}, {}, {"a": None}, {"a": None}),
    ],
)
def test_merging(
    weaker: dict[str, object], stronger: dict[str, object], given_: object, as_chart: object | None
) -> None:
    before = repr((weaker, stronger))
    assert over(weaker, stronger) == given_
    assert coalesced(weaker, stronger) == (given_ if as_chart is None else as_chart)
    assert repr((weaker, stronger)) == before


VALUES = st.recursive(
    st.none() | st.integers(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
)
FILES = st.dictionaries(st.sampled_from("abc"), VALUES)


@given(FILES, FILES, FILES)
def test_files_stack_in_any_grouping(one: dict[str, object], two: dict[str, object], three: dict[str, object]) -> None:
    assert stacked([one, two, three]) == over(stacked([one, two]), three)
    assert stacked([one]) == one and over(one, one) == one


@given(st.binary(max_size=100) | st.text(alphabet="ab:&*<-?[]{}, \n'\"~1_", max_size=150).map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_unreadable(raw: bytes) -> None:
    with suppress(Unreadable):
        read(raw)
