"""Objects before and after: what is the same object, what is shown of it, what never is."""

import copy
import json
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators.differences import BEYOND, LONGEST_LINE, MOST_LINES, MOST_LINES_IN_ALL, MOST_OBJECTS, differences
from bot.validators.documents import documents
from bot.validators.lines import lines_of
from bot.validators.objects import objects
from policies.findings import ObjectChange
from tests.validators.secret_samples import drawn
from tests.validators.test_objects import config, plain_values, rendered

TARGET = "environments/prod/eu/shop/values.yaml"


def compare(before: Sequence[object], after: Sequence[object]) -> tuple[ObjectChange, ...]:
    return differences(objects(rendered(*before)), objects(rendered(*after)), TARGET).changes


def deployment(**pod: object) -> dict[str, object]:
    """One that says of its pod's template what is given."""
    metadata = {"name": "api", "labels": {"app": "api"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": pod}}


def containers(**env: str) -> dict[str, object]:
    listed = [{"name": name, "value": value} for name, value in env.items()]
    return {"containers": [{"name": "api", "image": "r/api", "env": listed}]}


def test_a_changed_line_is_shown_with_three_around_it_below_the_keys_that_lead_to_it() -> None:
    before, after = (deployment(spec=containers(A="1", MODE=mode, B="2")) for mode in ("fast", "safe"))
    assert compare([before], [after]) == (
        ObjectChange(
            "Deployment",
            "api",
            "",
            "changed",
            "@@ spec.template.spec.containers.api.env.MODE @@\n"
            "             - name: A\n"
            '               value: "1"\n'
            "             - name: MODE\n"
            "-              value: fast\n"
            "+              value: safe\n"
            "             - name: B\n"
            '               value: "2"',
            TARGET,
        ),
    )


def test_lines_far_apart_stand_in_hunks_of_their_own() -> None:
    filler = {f"k{number:02}": "same" for number in range(20)}
    before, after = (config("a", data={"first": end, **filler, "last": end}) for end in ("1", "2"))
    (change,) = compare([before], [after])
    assert [line for line in change.diff.split("\n") if not line.startswith(" ")] == [
        *("@@ data @@", '-  first: "1"', '+  first: "2"'),
        *("@@ data @@", '-  last: "1"', '+  last: "2"'),
    ]


def test_what_comes_and_goes_is_shown_whole() -> None:
    gone, come = compare([config("b", "x")], [config("a", "x", data={"k": "line 1\nline 2\n"})])[::-1]
    assert (gone.how, gone.name, gone.namespace) == ("removed", "b", "x")
    assert gone.diff == "-apiVersion: v1\n-kind: ConfigMap\n-metadata:\n-  name: b\n-  namespace: x"
    assert (come.how, come.name) == ("added", "a")
    assert come.diff.endswith("+data:\n+  k: |\n+    line 1\n+    line 2")


def test_the_order_of_keys_is_no_difference_and_makes_none_larger() -> None:
    before = {"metadata": {"name": "a"}, "data": {"x": "1", "y": "2"}, "kind": "ConfigMap", "apiVersion": "v1"}
    assert compare([before], [config("a", data={"y": "2", "x": "1"})]) == ()
    (change,) = compare([before], [config("a", data={"y": "2", "x": "3"})])
    assert [line for line in change.diff.split("\n") if line[0] in "+-"] == ['-  x: "1"', '+  x: "3"']


@pytest.mark.parametrize(
    ("old", "new"), [(True, 1), ("1", 1), (None, ""), (1, 1.0), ("true", True), ([], {}), (0, False)]
)
def test_what_only_python_takes_for_the_same_is_a_difference(old: object, new: object) -> None:
    (change,) = compare([config("a", data=old)], [config("a", data=new)])
    assert change.diff.count("\n-") == change.diff.count("\n+") == 1


# Noise.


def test_noise_is_named_and_not_shown() -> None:
    def rolled(version: str) -> object:
        return deployment(
            metadata={"labels": {"helm.sh/chart": f"api-{version}"}, "annotations": {"checksum/c": version}}
        )

    (change,) = compare([rolled("1.0")], [rolled("1.1")])
    assert change.diff == "@@ also differs: checksum/c, helm.sh/chart @@"


def generated(suffix: str, value: str) -> list[object]:
    volumes = [{"configMap": {"name": f"cfg-{suffix}"}}, {"configMap": {"name": "other"}}]
    return [config(f"cfg-{suffix}", data={"k": value}), deployment(spec={"volumes": volumes})]


def test_a_generated_name_with_another_hash_is_the_same_object_changed() -> None:
    first, second = compare(generated("bcdfghkmt2", "old"), generated("2456789bcd", "new"))
    assert (first.kind, first.name, first.how) == ("ConfigMap", "cfg-2456789bcd", "changed")
    assert "-  k: old\n+  k: new" in first.diff
    assert "bcdfghkmt2" not in first.diff
    assert (second.kind, second.diff) == ("Deployment", "@@ also differs: cfg-… @@")


def test_where_it_is_in_doubt_which_generated_object_is_which_they_come_and_go() -> None:
    before = [config("cfg-bcdfghkmt2"), config("cfg-22222bcdfg")]
    assert [one.how for one in compare(before, [config("cfg-2456789bcd")])] == ["removed", "added", "removed"]


def test_a_name_that_only_looks_generated_is_a_name() -> None:
    one = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api-bcdfghkmt2"}}
    other = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api-2456789bcd"}}
    assert sorted(one.how for one in compare([one], [other])) == ["added", "removed"]


# Secrets.


def secret(**texts: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": texts}


def test_S10_that_a_secret_is_another_one_is_shown_and_the_secret_is_not() -> None:
    (change,) = compare([secret(a="first-value", b="same")], [secret(a="second-value", b="same")])
    shown = [line for line in change.diff.split("\n") if line[0] in "+-"]
    assert len(shown) == 2
    assert all("redacted" in line for line in shown)
    assert "first-value" not in change.diff
    assert "second-value" not in change.diff


words = st.text("abcdefghijkmnpqrstuvwxyz23456789", min_size=12, max_size=30)


@given(words, words, st.sampled_from(["added", "removed", "changed"]))
def test_S10_no_difference_holds_a_secret(old: str, new: str, how: str) -> None:
    def both(word: str) -> list[object]:
        env = [{"name": "DB_PASSWORD", "value": word}]
        return [secret(k=word), deployment(spec={"containers": [{"name": "a", "env": env}], "clientSecret": word})]

    found = compare([] if how == "added" else both(old), [] if how == "removed" else both(new))
    text = "\n".join(one.diff for one in found)
    assert old not in text
    assert new not in text
    assert len(found) == (0 if how == "changed" and old == new else 2)


def test_S10_a_token_among_an_objects_names_is_not_shown() -> None:
    token = "gh" + "p_" + drawn("ghp", 36)
    (change,) = compare([], [{**config(token, token), "kind": token}])
    assert (change.kind, change.namespace, change.name) == ("redacted", "redacted", "redacted")
    assert token not in change.diff


def test_S10_a_generated_secret_shows_what_differs_in_it_and_nothing_else() -> None:
    def made(suffix: str, word: str) -> dict[str, object]:
        return {**secret(a=word, b="the-same-word"), "metadata": {"name": f"s-{suffix}"}}

    (change,) = compare([made("bcdfghkmt2", "word-one")], [made("2456789bcd", "word-two")])
    changed = [line.split(":")[0] for line in change.diff.split("\n") if line[0] in "+-"]
    assert changed == ["-  a", "+  a"]


# Bounds.


def test_a_long_difference_ends_with_how_much_is_left() -> None:
    (change,) = compare([], [config("a", data={"k": "line\n" * 1000})])
    lines = change.diff.split("\n")
    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == f"… {1000 + 6 - MOST_LINES} more lines"


def test_a_long_line_is_cut() -> None:
    (change,) = compare([config("a", data={"k": "x" * 100_000})], [config("a", data={"k": "x" * 100_000 + "y"})])
    assert max(map(len, change.diff.split("\n"))) == LONGEST_LINE + 1
    assert change.diff.count("…") == 2


def test_beyond_the_most_objects_the_rest_is_counted() -> None:
    found = differences(objects(None), objects(rendered(*(config(f"c{n}") for n in range(MOST_OBJECTS + 7)))), TARGET)
    assert (len(found.changes), found.more) == (MOST_OBJECTS, 7)


def test_beyond_the_most_lines_of_a_target_objects_are_only_named() -> None:
    many = [config(f"c{n:03}", data={"k": "line\n" * 500}) for n in range(20)]
    found = compare([], many)
    assert sum(one.diff.count("\n") for one in found) <= MOST_LINES_IN_ALL + len(found)
    assert found[-1].diff == BEYOND


def test_S8_what_is_too_large_to_be_looked_through_is_named() -> None:
    (change,) = compare([], [config("a", data={"k": "line\n" * 1_000_000})])
    assert change.diff == "@@ too large to be shown @@"


def test_one_line_in_a_huge_object_is_found() -> None:
    before = [str(number) for number in range(20_000)]
    after = [*before[:10_000], "new", *before[10_000:]]
    (change,) = compare([config("a", data={"k": "\n".join(before)})], [config("a", data={"k": "\n".join(after)})])
    assert [line for line in change.diff.split("\n") if line[0] in "+-"] == ["+    new"]


def test_S8_lines_that_are_slow_to_match_up_are_not_matched_up() -> None:
    rng = random.Random(1)
    before, after = ("\n".join(rng.choices("abcdefgh", k=10_000)) for _ in range(2))
    (change,) = compare([config("a", data={"k": before})], [config("a", data={"k": after})])
    assert change.diff.endswith("more lines")


@pytest.mark.parametrize(("count", "is_matched"), [(1000, True), (2300, False)])
def test_S8_a_line_that_stands_often_is_not_matched_up_again_and_again(count: int, is_matched: bool) -> None:
    before, after = ("s", *["x", "y"] * count, "e"), ("t", *["x"] * 150, "f")
    (change,) = compare([config("a", data={"k": "\n".join(before)})], [config("a", data={"k": "\n".join(after)})])
    assert ("     x" in change.diff.split("\n")) is is_matched


# Any objects.

anything = st.dictionaries(st.sampled_from(["spec", "data", "status"]), plain_values, max_size=3)
many_objects = st.dictionaries(st.sampled_from("abcdef"), anything, max_size=4)


def as_objects(found: dict[str, dict[str, object]]) -> list[object]:
    return [config(name) | fields for name, fields in found.items()]


@given(many_objects)
def test_equal_objects_give_no_change(found: dict[str, dict[str, object]]) -> None:
    assert compare(as_objects(found), as_objects(copy.deepcopy(found))) == ()


@given(many_objects, many_objects, st.randoms())
def test_the_order_of_documents_does_not_matter(
    before: dict[str, dict[str, object]], after: dict[str, dict[str, object]], rng: random.Random
) -> None:
    one, other = as_objects(before), as_objects(after)
    first = compare(one, other)
    rng.shuffle(one)
    rng.shuffle(other)
    assert compare(one, other) == first


@given(many_objects, many_objects)
def test_every_object_that_differs_is_told_once_and_never_without_a_word(
    before: dict[str, dict[str, object]], after: dict[str, dict[str, object]]
) -> None:
    found = compare(as_objects(before), as_objects(after))
    differing = {
        name
        for name in before.keys() | after.keys()
        if json.dumps(before.get(name), sort_keys=True) != json.dumps(after.get(name), sort_keys=True)
    }
    assert [one.name for one in found] == sorted(differing)
    assert all(one.diff for one in found)


# Lines.


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ({"a": "x"}, ["a: x"]),
        ({"a": {}, "b": []}, ["a: {}", "b: []"]),
        (
            {"a": ["x", {"b": 1, "c": [2]}, ["y", "z"]]},
            ["a:", "  - x", "  - b: 1", "    c:", "      - 2", "  - - y", "    - z"],
        ),
        ({"a": "1"}, ['a: "1"']),
        ({"a": "null", "b": "true", "c": "", "d": "- x", "e": "x: y", "f": "x #y", "g": "a:b#c"},
         ['a: "null"', 'b: "true"', 'c: ""', 'd: "- x"', 'e: "x: y"', 'f: "x #y"', "g: a:b#c"]),
        ({"a": "x\ny"}, ["a: |-", "  x", "  y"]),
        ({"a": " x\n\ny\n\n"}, ["a: |2+", "   x", "", "  y", ""]),
        ({"a": "x\r\ny"}, [r'a: "x\r\ny"']),
        ({"a": "\x1b[31mred\u202e"}, [r'a: "\u001b[31mred\u202e"']),
        (["x\ny", 3], ["- |-", "  x", "  y", "- 3"]),
    ],
)  # fmt: skip
def test_a_value_reads_as_yaml_does(value: object, lines: list[str]) -> None:
    assert lines_of(value) == lines


texts = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=30) | st.text(
    " \n\tab:#-'\"|>", max_size=12
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
nested = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=12
)


@given(st.dictionaries(texts, nested, max_size=4) | st.lists(nested, max_size=4))
def test_lines_say_what_the_value_is(value: object) -> None:
    lines = lines_of(value)
    assert not any("\n" in line for line in lines)
    assert [one.value for one in documents("\n".join([*lines, ""]).encode())] == [value]
