"""What is no YAML or JSON, what is written twice, what would grow beyond all bounds, and what leads out."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators import Bench, Change, Told, jobs, look
from bot.validators.launching import Launcher
from bot.validators.wellformed import VALIDATOR, json_problems, problems
from bot.yaml import MOST_BYTES
from policies.findings import Finding, Ran, Severity
from tests.validators.trees import DictTree, change_of

BENCH = Bench(Launcher())
PATH = "environments/prod/eu/shop/values.yaml"


def yaml(text: str | bytes) -> list[tuple[str, int | None]]:
    raw = text if isinstance(text, bytes) else text.encode()
    return [(one.rule, one.line) for one in problems(raw)]


def told(change: Change) -> list[Finding]:
    return [finding for part in VALIDATOR.parts(change) for finding in VALIDATOR.check(change, part, BENCH).findings]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "a: 1\nb: 2\n",
        "a: 1\n---\na: 1\n...\n---\na: 1\n",
        "- a: 1\n- a: 1\n",
        "a: {b: 1}\nb: {b: 1}\n",
        "a: b\nb: a\n",
        "a: &x {b: 1}\nc: {<<: *x, b: 2}\n",
        "a: &x {b: 1}\nc: {<<: [*x, *x]}\n",
        "? [1]\n: 1\n? [2]\n: 2\n",
        "a: &a [1]\nb: &b [2]\nc: {? *a : 1, ? *b : 2}\n",
        "a: &a 1\nb: *a\n---\nb: &a [x]\nc: *a\n",
        "a: !!str 1\nA: 1\n",
        "\ufeffa: 1\n",
    ],
)
def test_nothing_is_wrong_with(text: str) -> None:
    assert yaml(text) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 3),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4),
        ("a: {b: 1, b: 2}\n", 1),
        ("a: {b: 1,\n  c: {d: 1},\n  b: 2}\n", 3),
        ("- x\n- a: 1\n  a: 2\n", 3),
        ("- [{a: 1,\n a: 2}]\n", 2),
        ("a: 1\n---\nb: 1\nb: 2\n", 4),
        ("'a': 1\na: 2\n", 2),
        ('1: x\n"1": y\n', 2),
        ("? a\n: 1\n? a\n: 2\n", 3),
        ("a: &k x\nx: 1\n*k : 2\n", 3),
        ("? {a: 1}\n: 1\n? {a: 1}\n: 2\n", 3),
        ("? {a: 1, a: 2}\n: 1\n", 1),
        # YAML 1.2.2, 3.2.1.1: the merge key is a key, and keys are unique; several are merged by a list.
        ("a: &x {b: 1}\nc:\n  <<: *x\n  <<: *x\n", 4),
        ("? a\n? a\n", 2),
        ("~: 1\n~: 2\n", 2),
    ],
)
def test_a_key_twice_in_one_mapping(text: str, line: int) -> None:
    assert yaml(text) == [("duplicate-key", line)]


def test_every_key_that_stands_twice_is_told_with_where_it_stood_first() -> None:
    assert [one.message for one in problems(b"a: 1\nb: 1\na: 2\nb: 2\na: 3\n")] == [
        "the key a is written twice, first in line 1",
        "the key b is written twice, first in line 2",
        "the key a is written twice, first in line 1",
    ]


def bomb(levels: int) -> str:
    rows = [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, levels)]
    return "\n".join(["a0: &a0 [x, x, x, x, x, x, x, x, x, x]", *rows, ""])


def chain(levels: int) -> str:
    return "\n".join(["a0: &a0 [x]", *(f"a{at}: &a{at} [*a{at - 1}]" for at in range(1, levels)), ""])


@pytest.mark.parametrize(
    ("text", "rule", "line"),
    [
        ("a: b: c\n", "no-yaml", 1),
        ("a: [1\nb: 2\n", "no-yaml", 2),
        ("a: 1\n\tb: 2\n", "no-yaml", 2),
        ("a: %x\n", "no-yaml", 1),
        (b"a: \xff\n", "no-yaml", 1),
        (b"a: 1\nb: \x00\n", "no-yaml", 2),
        (b"a" * (MOST_BYTES + 1), "no-yaml", None),
        ("[" * 101, "no-yaml", 1),
        ("[" * 100_000, "no-yaml", 1),
        ("[" + "1," * 260_000 + "]", "no-yaml", 1),
        ("a: *b\n", "alias", 1),
        ("a: &b 1\n---\nc: *b\n", "alias", 3),
        ("a: &a [*a]\n", "alias", 1),
        ("a: &a\n  b: [{c: *a}]\n", "alias", 2),
        ("a: &a 1\nb: &a [*a]\n", "alias", 2),
        (bomb(12), "bomb", 6),
        (bomb(5) + "z: {<<: *a4, y: [*a4, *a4, *a4]}\n", "bomb", 6),
        (chain(200), "bomb", 100),
    ],
)
def test_hostile_yaml_is_one_problem(text: str | bytes, rule: str, line: int | None) -> None:
    assert yaml(text) == [(rule, line)]


def test_aliases_within_bounds_are_none() -> None:
    assert yaml(bomb(5)) == [] and yaml(chain(90)) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": [1, 2.5e3, null, true, "x"]}', []),
        (b"7", []),
        (b"9" * 10_000, []),
        (b"", [("no-json", 1)]),
        (b'{"a": 1,\n}', [("no-json", 2)]),
        (b"[1]\n[2]", [("no-json", 2)]),
        (b"NaN", [("no-json", None)]),
        (b"\xff", [("no-json", None)]),
        (b'{"a": 1, "a": 2, "a": 3, "b": {"c": 1, "c": 2}}', [("duplicate-key", None)] * 2),
        (b"[" * 200_000, [("too-deep", None)]),
        (b" " * (MOST_BYTES + 1), [("too-large", None)]),
    ],
)
def test_json(text: bytes, expected: list[tuple[str, int | None]]) -> None:
    assert [(one.rule, one.line) for one in json_problems(text)] == expected


@given(st.binary(max_size=200) | st.text(alphabet="ab:&*<-?[]{}, \n'\"|>!%#1", max_size=200).map(str.encode))
def test_whatever_a_file_holds_it_is_told_not_raised(raw: bytes) -> None:
    for one in (*problems(raw), *json_problems(raw)):
        assert one.message and (one.line is None or one.line >= 1)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_what_json_writes_is_well_formed(value: object) -> None:
    assert list(json_problems(json.dumps(value).encode())) == []


# --- which files, and where they lead ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "is_looked_at"),
    [
        (PATH, True),
        ("towpath.yaml", True),
        ("a/b.yml", True),
        ("a/b.json", True),
        ("README.md", False),
        ("charts/shop/templates/deployment.yaml", False),
        ("charts/shop/templates/tests/test.yaml", False),
        ("charts/shop/values.yaml", True),
        ("other/templates/deployment.yaml", True),
        ("templates.yaml", True),
    ],
)
def test_yaml_and_json_are_looked_at_but_for_a_charts_templates(path: str, is_looked_at: bool) -> None:
    change = change_of({"charts/shop/Chart.yaml": "a: 1"}, {"charts/shop/Chart.yaml": "a: 1", path: "{"})
    assert bool(told(change)) is is_looked_at


def test_a_removed_file_is_nobodys() -> None:
    assert list(VALIDATOR.parts(change_of({PATH: "a: 1"}, {}))) == []


def test_a_finding_names_the_file_and_the_line() -> None:
    assert told(change_of({}, {PATH: "a: 1\na: 2\n"})) == [
        Finding("the key a is written twice, first in line 1", Severity.error, PATH, 2, "duplicate-key")
    ]


def linked(path: str, leads: str | None) -> Change:
    after = DictTree({}, (path,), {} if leads is None else {path: leads})
    return replace(change_of({}, {}), after=after, paths=(path,))


@pytest.mark.parametrize("path", ["a/b/link", "a/b/link.yaml"])
@pytest.mark.parametrize(
    ("leads", "rule"),
    [
        (None, "submodule"),
        ("/etc/passwd", "link"),
        ("../../../x", "link"),
        ("../../../../x", "link"),
        ("c/../../../../a", "link"),
        ("x\0y", "link"),
        ("../../x", ""),
        ("./c//d", ""),
        ("../b/../../x", ""),
    ],
)
def test_S9_nothing_that_changes_leads_out(path: str, leads: str | None, rule: str) -> None:
    assert [(one.rule, one.path) for one in told(linked(path, leads))] == ([(rule, path)] if rule else [])


@pytest.mark.parametrize("name", ["a\udcff.yaml", "a\udcff.txt"])
def test_S9_a_name_that_is_no_utf8_is_an_error(name: str) -> None:
    change = change_of({}, {name: "a: 1\n"})
    (part,) = VALIDATOR.parts(change)
    assert VALIDATOR.check(change, part, BENCH).findings == (Finding("its name is no UTF-8", path=name, rule="name"),)


def test_many_findings_are_cut_and_counted() -> None:
    found = told(change_of({}, {PATH: "".join(f"k{at}: 1\n" * 2 for at in range(60)) + "x" * 900 + ": 1\n"}))
    assert len(found) == 51 and found[-1] == Finding("and 10 more")
    long = told(change_of({}, {PATH: ("x" * 900 + ": 1\n") * 2}))
    assert len(long[0].message) == 500


def test_through_the_look_it_is_a_result() -> None:
    change = change_of({}, {PATH: bomb(12)})
    (job,) = jobs(change, (VALIDATOR,), {})
    found = look(change, job, BENCH)
    assert found.ran is Ran.done and [one.rule for one in found.findings] == ["bomb"]
    assert isinstance(VALIDATOR.check(change, job.part, BENCH), Told)


def test_where_not_all_targets_are_looked_at_that_is_said() -> None:
    path = "environments/prod/eu/shop/values.yaml"
    change = replace(change_of({path: "a: 1\n"}, {path: "a: 2\n"}), unlooked=13)
    said = "looked at 1 of 14 targets that this changes: `towpath validate` looks at all"
    assert told(change) == [Finding(said, Severity.warning, rule="some")]
    assert told(replace(change, unlooked=0)) == []
