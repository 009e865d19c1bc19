"""YAML below all others: limits, positions, plain values with their lines."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml.events import ScalarEvent

from bot.yaml import (
    DEEPEST,
    MOST_BYTES,
    MOST_EVENTS,
    PARSER,
    Document,
    Parser,
    Shape,
    Unreadable,
    decode,
    parse_document,
    parse_in_c,
    parse_in_python,
    same,
    stream,
)

PARSERS: dict[str, Parser] = {"C": parse_in_c, "Python": parse_in_python}


@pytest.fixture(params=PARSERS)
def parser(request: pytest.FixtureRequest) -> Parser:
    return PARSERS[request.param]


def shapes_of(text: str, parser: Parser) -> list[Shape]:
    shapes: list[Shape] = []
    assert sum(1 for _ in stream(text, shapes, parser)) == len(shapes)
    return shapes


def test_the_parser_in_c_is_installed_and_used() -> None:
    assert PARSER is parse_in_c


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_byte_order_mark_is_taken_off_and_put_on_again(mark: str) -> None:
    decoded = decode((mark + "a: ü\r\n").encode())
    assert decoded == ("a: ü\r\n", mark)
    assert decoded.encoded("b\n") == (mark + "b\n").encode()


@pytest.mark.parametrize(
    ("raw", "reason", "line"),
    [
        (b"a" * (MOST_BYTES + 1), "the file is larger than 4 MiB", None),
        (b"a: b\nc: \xff\n", "the file is not UTF-8", 2),
        (b"a: b\n\nc: \x00\n", "the file holds a control character", 3),
        (b"a: \x07\n", "the file holds a control character", 1),
        (b"a: \x7f\n", "the file holds a control character", 1),
    ],
)
def test_bytes_that_are_no_text_are_unreadable(raw: bytes, reason: str, line: int | None) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(raw)
    assert (caught.value.reason, caught.value.line) == (reason, line)


def test_the_largest_file_is_read() -> None:
    assert len(decode(b"#" * MOST_BYTES).text) == MOST_BYTES


def test_tabs_and_line_ends_are_no_control_characters() -> None:
    assert decode(b"\t\r\n").text == "\t\r\n"


@pytest.mark.parametrize("deep", ["[", "{a: ", "- ", "? "])
def test_depth_is_limited_while_streaming(deep: str, parser: Parser) -> None:
    with pytest.raises(Unreadable, match=f"nested more than {DEEPEST} levels"):
        shapes_of(deep * 20_000, parser)


def test_the_deepest_is_read(parser: Parser) -> None:
    assert len(shapes_of("[" * DEEPEST + "]" * DEEPEST, parser)) == 2 * DEEPEST + 4


def test_events_are_counted_while_streaming() -> None:
    shapes: list[Shape] = []
    with pytest.raises(Unreadable, match="more than 250,000 YAML events") as caught:
        for _ in stream("- a\n" * (MOST_EVENTS + 100), shapes):
            pass
    assert len(shapes) == MOST_EVENTS
    assert caught.value.line == MOST_EVENTS - 2


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: [1\nb: 2\n", 2),
        ("a: 'x\n\n", 3),
        ("a: b: c\n", 1),
        ("\n\n\tx: 1\n", 3),
        ("a: &x\n  *x b\n", 2),
        ("%YAML 9.9\na\n", None),
    ],
)
def test_what_is_no_yaml_is_unreadable_with_its_line(text: str, line: int | None, parser: Parser) -> None:
    with pytest.raises(Unreadable, match="no YAML") as caught:
        shapes_of(text, parser)
    assert line is None or caught.value.line == line


def test_marks_count_characters_of_the_text(parser: Parser) -> None:
    text = "# 🚀 ü\na: 日本 # x\nb: 'c'\n"
    places = [
        (text[event.start_mark.index : event.end_mark.index], event.start_mark.line, event.start_mark.column)
        for event in stream(text, [], parser)
        if isinstance(event, ScalarEvent)
    ]
    assert places == [("a", 1, 0), ("日本", 1, 3), ("b", 2, 0), ("'c'", 2, 3)]


DIFFERENT = [
    *(
        "a: b\n",
        "a: c\n",
        "a: 'b'\n",
        'a: "b"\n',
        "a: |-\n  b\n",
        "a: >-\n  b\n",
        "a: &x b\n",
        "a: &y b\n",
        "a: !!str b\n",
    ),
    *("a: !x b\n", "{a: b}\n", "[a, b]\n", "- a\n- b\n", "a: {b: }\n", "a: [b]\n", "a: [b, b]\n", "a: &x [b]\n"),
    *(
        "a: !x [b]\n",
        "--- \na: b\n",
        "a: b\n...\n",
        "a: b\n---\n",
        "x: &x b\na: *x\n",
        "x: &y b\na: *y\n",
        "",
        "a: b\nc: d\n",
    ),
    *("%YAML 1.1\n---\na: b\n", "%YAML 1.2\n---\na: b\n", "? {a: b}\n", "? [a, b]\n", "a:\n", "a: ''\n", "a: ~\n"),
]


@pytest.mark.parametrize("text", DIFFERENT)
def test_a_text_has_its_own_events_and_no_others(text: str, parser: Parser) -> None:
    shapes = shapes_of(text, parser)
    assert [one for one in DIFFERENT if same(one, shapes, parser)] == [text]
    assert same(f"# comment\n{text}" if "%" not in text else text, shapes, parser)


@pytest.mark.parametrize("cut", [1, 3])
def test_events_that_are_missing_or_left_over_are_not_the_same(cut: int, parser: Parser) -> None:
    shapes = shapes_of("a: b\n", parser)
    assert not same("a: b\n", shapes[:-cut], parser)
    assert not same("a: b\n", [*shapes, *["x"] * cut], parser)


def test_what_cannot_be_read_is_not_the_same(parser: Parser) -> None:
    assert not same("[", shapes_of("[]", parser), parser)


# Plain values.

VALUES: dict[str, object] = {
    "text": "text",
    "''": "",
    '"1"': "1",
    "'true'": "true",
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "nUll": "nUll",
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "yes": "yes",
    "off": "off",
    "y": "y",
    "0": 0,
    "-12": -12,
    "+5": 5,
    "007": 7,
    "0o17": 15,
    "0xfF": 255,
    "0b1": "0b1",
    "1_000": "1_000",
    "1.5": 1.5,
    "-.5": -0.5,
    "1.": 1.0,
    "1e3": 1000.0,
    "1.2.3": "1.2.3",
    ".inf": math.inf,
    "-.INF": -math.inf,
    "2026-12-20": "2026-12-20",
    "2026-12-20T10:00:00Z": "2026-12-20T10:00:00Z",
    "09:00-16:00": "09:00-16:00",
    "12:30:45": "12:30:45",
    "24h": "24h",
    "<<": "<<",
    "!!str 1": "1",
    "! 1": "1",
    "[]": [],
    "{}": {},
    "[1, [x], {a: ~}]": [1, ["x"], {"a": None}],
    "|\n  a\n  b\n": "a\nb\n",
    ">-\n  a\n  b\n": "a b",
    "&x 1": 1,
}


@pytest.mark.parametrize("written", VALUES)
def test_values_are_those_of_yaml_1_2(written: str, parser: Parser) -> None:
    value = parse_document(f"key: {written}\n".encode(), parser).value
    assert isinstance(value, dict)
    assert (value, type(value["key"])) == ({"key": VALUES[written]}, type(VALUES[written]))


def test_nan_is_no_number_of_its_own() -> None:
    value = parse_document(b".nan\n").value
    assert isinstance(value, float) and math.isnan(value)


@pytest.mark.parametrize("whole", ["text", "[a, b]", "1", "~"])
def test_a_document_may_be_of_any_kind(whole: str) -> None:
    assert parse_document(whole.encode()).value in ("text", ["a", "b"], 1, None)


def test_keys_are_text_as_written() -> None:
    assert parse_document(b"1: a\ntrue: b\n~: c\n'': d\n2026-01-01: e\n").value == {
        "1": "a",
        "true": "b",
        "~": "c",
        "": "d",
        "2026-01-01": "e",
    }


POLICY = b"""\
# towpath.yaml
version: 1

services:
  path: x
stages:
  - name: a   # first

  -
    name: b
    where: {environment: prod,
            cloud: [aws, gcp]}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 2),
        (("version",), 2),
        (("services",), 4),
        (("services", "path"), 5),
        (("services", "format"), 4),
        (("stages", 0), 7),
        (("stages", 0, "name"), 7),
        (("stages", 1), 10),
        (("stages", 1, "name"), 10),
        (("stages", 1, "where", "environment"), 11),
        (("stages", 1, "where", "cloud"), 12),
        (("stages", 1, "where", "cloud", 1), 12),
        (("stages", 1, "after", 3, "x"), 10),
        (("stages", 9, "name"), 6),
        (("nothing", "at", "all"), 2),
    ],
)
def test_every_place_knows_its_line_or_that_of_the_place_above(
    path: tuple[str | int, ...], line: int, parser: Parser
) -> None:
    assert parse_document(POLICY, parser).line_of(path) == line


def test_an_empty_document_knows_no_line() -> None:
    assert Document(None, {}).line_of(("a",)) is None


@pytest.mark.parametrize(
    ("raw", "reason", "line"),
    [
        (b"", "the file is empty", None),
        (b"# nothing\n", "the file is empty", None),
        (b"a: 1\n---\nb: 2\n", "the file holds several documents", 3),
        (b"a: 1\nb: 2\na: 3\n", "the key a is written twice", 3),
        (b"x:\n  - {a: 1, 'a': 2}\n", "the key a is written twice", 2),
        (b"a: &x 1\nb: *x\n", "the alias *x: aliases are not used here", 2),
        (b"a: &x {}\nb: {<<: *x}\n", "the alias *x: aliases are not used here", 2),
        (b"a: 1\n? [b]\n: 2\n", "a key must be a plain word", 2),
        (b"a: 1\n? {b: c}\n: 2\n", "a key must be a plain word", 2),
        (b"a: !!int '1'\n", "the YAML tag tag:yaml.org,2002:int is not used here", 1),
        (b"a: 1\nb: !x {}\n", "the YAML tag !x is not used here", 2),
        (
            b"a: !!python/object:os.system [x]\n",
            "the YAML tag tag:yaml.org,2002:python/object:os.system is not used here",
            1,
        ),
        (b"a: " + b"9" * 5_000 + b"\n", "the number is too long; quote it where it is text", 1),
        (b"a: \x00\n", "the file holds a control character", 1),
    ],
)
def test_what_a_policy_has_no_use_for_is_unreadable_with_its_line(
    raw: bytes, reason: str, line: int | None, parser: Parser
) -> None:
    with pytest.raises(Unreadable) as caught:
        parse_document(raw, parser)
    assert (caught.value.reason, caught.value.line) == (reason, line)


def test_deep_and_large_policies_are_unreadable() -> None:
    for raw in (b"[" * 100_000, b"a: " * 100_000, b"- " * 100_000, b"#" * (MOST_BYTES + 1)):
        with pytest.raises(Unreadable):
            parse_document(raw)


WORDS = st.text(
    st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")) | st.sampled_from("\n\t\0\x1b"), max_size=8
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_json_is_read_as_json_reads_it(value: object) -> None:
    for indent in (None, 2):
        assert parse_document(json.dumps(value, indent=indent, ensure_ascii=False).encode()).value == value


@given(st.binary(max_size=120) | st.text("ab:-?[]{},&*!|>'\"%@# \n\t.~<", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_unreadable(raw: bytes) -> None:
    for parser in PARSERS.values():
        try:
            parse_document(raw, parser)
        except Unreadable:
            continue
