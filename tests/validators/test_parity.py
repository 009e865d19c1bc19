"""What differs from the stage before, beyond what policy allows and the images themselves."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators import Bench, Skipped
from bot.validators.launching import Launcher
from bot.validators.parity import VALIDATOR, covers, upstream
from policies.findings import Finding
from policies.validating import Validating
from tests.validators.test_pinned import ONE, TWO, image
from tests.validators.trees import change_of

BENCH = Bench(Launcher())
PATH = "environments/prod/eu/shop/values.yaml"
BEFORE = "environments/staging/eu/shop/values.yaml"
OTHER = "environments/staging/us/shop/values.yaml"


def told(here: str, there: str, *differ: str) -> list[Finding]:
    rules = Validating.model_validate({"checks": {"parity": {"differ": differ}}})
    change = change_of({BEFORE: there}, {BEFORE: there, PATH: here}, rules=rules, upstream={PATH: (BEFORE,)})
    (part,) = VALIDATOR.parts(change)
    return list(VALIDATOR.check(change, part, BENCH).findings)


def keys(found: list[Finding]) -> list[tuple[str, int | None]]:
    return [(one.message.partition(":")[0], one.line) for one in found]


@pytest.mark.parametrize(
    ("here", "there", "expected"),
    [
        ("a: 1\n", "a: 1\n", []),
        ("a: 1\nb: 2\n", "b: 2\na: 1\n", []),
        ("a: 1\nb: 2\n", "a: 1\nb: 3\n", [("b", 2)]),
        ("a: 1\n", "a: 1\nb: 3\n", [("b", None)]),
        ("a:\n  b: 1\n", "a:\n  b: 1\n  c: 3\n", [("a.c", 1)]),
        ("a:\n  b:\n    c: 1\n", "a:\n  b:\n    c: 2\n", [("a.b.c", 3)]),
        ("a: [1, 2]\n", "a: [1, 3]\n", [("a", 1)]),
        ("a: {}\n", "a: {b: 1}\n", [("a", 1), ("a.b", 1)]),
        ("a: 1\n", "a: '1'\n", [("a", 1)]),
        ("a: 1\n", "a: true\n", [("a", 1)]),
        ("a: &x {b: 1}\nc: *x\n", "a: {b: 1}\nc: {b: 1}\n", []),
        ("", "a: 1\n", [("a", None)]),
        ("a: 1\n", "", [("a", 1)]),
        ("- 1\n", "- 2\n", []),
    ],
)
def test_each_key_that_differs(here: str, there: str, expected: list[tuple[str, int | None]]) -> None:
    assert keys(told(here, there)) == expected


def test_the_images_are_expected_to_differ() -> None:
    assert told(image(tag="v2", digest=ONE), image(tag="v1", digest=TWO)) == []
    assert keys(told(image(digest=ONE) + "  pullPolicy: Always\n", image(digest=TWO))) == [("image.pullPolicy", 4)]
    assert keys(told("backup:\n  tag: a\n", "backup:\n  tag: b\n")) == [("backup.tag", 2)]


def test_the_words_say_both_values_and_where() -> None:
    assert told("a: 1\nhost: eu.example.com\n", "host: x\nb: [1, {c: 2}]\n") == [
        Finding("a: here 1, in staging nothing", path=PATH, line=1, rule="differs"),
        Finding('host: here "eu.example.com", in staging "x"', path=PATH, line=2, rule="differs"),
        Finding('b: here nothing, in staging [1, {"c": 2}]', path=PATH, line=None, rule="differs"),
    ]


def test_the_same_difference_in_two_clusters_is_the_same_finding() -> None:
    """So that the report tells it once, with both places."""
    other = PATH.replace("/eu/", "/us/")
    files = {BEFORE: "a: 1\n", OTHER: "a: 1\n"}
    upstream_of = {PATH: (BEFORE, OTHER), other: (BEFORE, OTHER)}
    change = change_of(files, {**files, PATH: "a: 2\n", other: "a: 2\n"}, upstream=upstream_of)
    found = [one for part in VALIDATOR.parts(change) for one in VALIDATOR.check(change, part, BENCH).findings]
    assert [one.path for one in found] == [PATH, other]
    assert {one.message for one in found} == {"a: here 2, in staging 1"}


def test_where_the_stage_before_has_another_cluster_that_is_named_too() -> None:
    files = {OTHER: "a: 1\n"}
    change = change_of(files, {**files, PATH: "a: 2\n"}, upstream={PATH: (OTHER,)})
    (part,) = VALIDATOR.parts(change)
    assert VALIDATOR.check(change, part, BENCH).findings[0].message == "a: here 2, in staging, us 1"


def test_S10_secrets_are_not_shown() -> None:
    found = told("db:\n  password: hunter2secret!x\n", "db:\n  password: correct-Horse7battery\n")
    assert keys(found) == [("db.password", 2)]
    assert "hunter2" not in found[0].message and "Horse7" not in found[0].message
    assert "redacted" in found[0].message


def test_long_values_and_many_keys_are_cut() -> None:
    (long,) = told(f"a: {'word ' * 100}\n", "a: x\n")
    assert len(long.message) < 200 and "…" in long.message
    found = told("".join(f"k{at}: 1\n" for at in range(33)), "")
    assert len(found) == 21 and found[-1] == Finding("and 13 more keys differ", path=PATH, rule="differs")


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("replicas", ["replicas"], ["a.replicas", "replicas.a"]),
        ("ingress.*", ["ingress.host"], ["ingress", "ingress.a.b"]),
        ("env.**", ["env", "env.a", "env.a.b.c"], ["environment", "x.env"]),
        ("**.replicas", ["replicas", "a.b.replicas"], ["replicas.a"]),
        ("a.*.c", ["a.b.c"], ["a.c", "a.b.b.c"]),
        ("a.**.c", ["a.c", "a.b.b.c"], ["a.b", "c"]),
        ("**", ["a", "a.b"], []),
        ("*", ["a"], ["a.b"]),
        ("rep*", [], ["replicas"]),
    ],
)
def test_what_policy_lets_differ(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    steps = pattern.split(".")
    assert all(covers(steps, tuple(one.split("."))) for one in covered)
    assert not any(covers(steps, tuple(one.split("."))) for one in not_covered)


def test_what_may_differ_is_not_told() -> None:
    here = "replicas: 1\ningress: {host: a, tls: {x: 1}}\nenv: {a: {b: 1}}\n"
    there = "replicas: 2\ningress: {host: b, tls: {x: 2}}\nenv: {a: {b: 2}}\n"
    assert keys(told(here, there, "replicas", "ingress.*", "env.**")) == [("ingress.tls.x", 2)]


STEPS = st.lists(st.sampled_from(["a", "b"]), max_size=6)


@given(STEPS, st.lists(st.sampled_from(["a", "b", "*", "**"]), max_size=6))
def test_a_pattern_covers_what_its_regular_expression_does(place: list[str], pattern: list[str]) -> None:
    parts = ["(?:[ab]/)*" if one == "**" else "[ab]/" if one == "*" else f"{one}/" for one in pattern]
    expected = re.fullmatch("".join(parts), "".join(f"{one}/" for one in place)) is not None
    assert covers(pattern, tuple(place)) is expected


# --- which file it is compared with ----------------------------------------------------------------------------------


def test_of_several_files_upstream_the_one_whose_names_agree_most() -> None:
    files = {BEFORE: "a: 1\n", OTHER: "a: 2\n", PATH: "a: 1\n", "environments/prod/us/shop/values.yaml": "a: 2\n"}
    ahead = dict.fromkeys(files, (OTHER, BEFORE, "environments/staging/gone/shop/values.yaml"))
    change = change_of({}, files, upstream=ahead)
    chosen = {target.path: upstream(change, target) for target in change.targets}
    assert chosen[PATH] == BEFORE and chosen["environments/prod/us/shop/values.yaml"] == OTHER


def test_without_a_stage_before_there_is_nothing_to_compare() -> None:
    assert list(VALIDATOR.parts(change_of({}, {PATH: "a: 1\n"}))) == []
    assert list(VALIDATOR.parts(change_of({}, {PATH: "a: 1\n"}, upstream={PATH: (BEFORE,)}))) == []
    assert list(VALIDATOR.parts(change_of({PATH: "a: 1\n"}, {BEFORE: "a: 1\n"}, upstream={PATH: (BEFORE,)}))) == []


@pytest.mark.parametrize(("here", "there"), [("a: [\n", "a: 1\n"), ("a: 1\n", "a: *b\n"), ("a: 1\n", "? [1]\n: 2\n")])
def test_what_cannot_be_read_is_skipped(here: str, there: str) -> None:
    with pytest.raises(Skipped, match="cannot be read"):
        told(here, there)


def test_the_key_depends_on_both_files_and_not_on_what_the_target_was() -> None:
    def inputs(old: str, here: str, there: str) -> tuple[str, ...]:
        change = change_of({PATH: old}, {PATH: here, BEFORE: there}, upstream={PATH: (BEFORE,)})
        (part,) = VALIDATOR.parts(change)
        return part.inputs

    assert inputs("x: 1", "a: 1", "b: 1") == inputs("y: 1", "a: 1", "b: 1")
    assert len({inputs("x: 1", *both) for both in (("a: 1", "b: 1"), ("a: 2", "b: 1"), ("a: 1", "b: 2"))}) == 3


@given(
    st.text(alphabet="ab:&*<-?[]{}, \n'\"~1", max_size=120).filter(str.strip),
    st.text(alphabet="ab:&*<-?[]{}, \n'\"~1", max_size=120),
)
def test_whatever_the_files_hold_it_is_told_or_skipped(here: str, there: str) -> None:
    with suppress(Skipped):
        found = told(here, there)
        assert len(found) <= 21 and all(len(one.message) <= 500 for one in found)
