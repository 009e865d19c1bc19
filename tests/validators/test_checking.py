"""What outside programs are given, and how their words are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from bot.validators.base import Broken, Part
from bot.validators.checking import called, complaint, joined, pieces, plain, ranked, read, rendered_parts
from bot.validators.documents import documents
from bot.validators.launching import Ended
from policies.findings import Finding, Severity
from policies.validating import Validating
from tests.validators.programs import object_of
from tests.validators.trees import change_of

PATH = "environments/prod/eu/shop/values.yaml"
ONE, TWO = object_of("Deployment", "one"), object_of("Service", "two")


@pytest.mark.parametrize(
    "raw",
    [
        ONE + TWO,
        ONE + TWO.replace("---\n", "--- # here\n"),
        ONE + TWO.replace("---\n", "---   \n"),
        ONE + TWO.replace("---\n", "---\r\n"),
        ONE + "...\n" + TWO,
        ONE + "---\n# nothing\n" + TWO + "---\n",
        "# a comment before\n" + ONE + TWO,
        ONE + "text: |\n  --- no seam\n" + TWO,
    ],
)
def test_S16_no_object_hides_behind_a_seam_that_a_program_does_not_see(raw: str) -> None:
    assert [b"one" in piece for piece in pieces(raw.encode())] == [True, False]
    assert joined(pieces(raw.encode())).count(b"\n---\n") == 1


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"a: 1\r---\rb: 2\n", "cannot be taken apart"),
        ("a: 1\u0085---\u0085b: 2\n".encode(), "cannot be taken apart"),
        (b"a: [1\n", "cannot be read"),
        (b"a: *b\n", "cannot be read"),
        (b"\xff\n", "cannot be read"),
    ],
)
def test_what_cannot_be_taken_apart_for_certain_is_given_to_no_program(raw: bytes, why: str) -> None:
    with pytest.raises(Broken, match=why):
        pieces(raw)


@given(st.lists(st.dictionaries(st.sampled_from("abc"), st.integers()), max_size=3))
def test_each_document_that_holds_anything_is_one_piece(values: list[dict[str, int]]) -> None:
    raw = "".join(f"---\n{value}\n".replace("'", "") for value in values).encode()
    told = [next(documents(piece)).value for piece in pieces(raw)]
    assert told == values
    assert [one.value for one in documents(joined(pieces(raw)))] == values


def test_nothing_rendered_is_no_piece() -> None:
    assert pieces(b"") == pieces(b"---\n# nothing\n") == ()


def test_too_many_objects_are_not_looked_at() -> None:
    with pytest.raises(Broken, match="more than 2000 objects"):
        pieces(b"---\na: 1\n" * 2001)


@pytest.mark.parametrize(
    ("ended", "why"),
    [
        (Ended(3, b"[]", b""), "tool ended with 3: []"),
        (Ended(1, b"", b"warning: old\nError: \x1b[31mno\x1b[0m policy"), "tool ended with 1: Error: no policy"),
        (Ended(0, b"", b""), "printed what it should not"),
        (Ended(0, b"<html>", b""), "printed what it should not"),
        (Ended(0, b'["a"]', b""), "printed what it should not"),
        (Ended(0, b"[" * 100_000, b""), "printed what it should not"),
        (Ended(0, b"[\xff]", b""), "printed what it should not"),
        (Ended(1, b"", b""), "it said nothing"),
    ],
)
def test_what_a_program_should_not_print_is_broken(ended: Ended, why: str) -> None:
    with pytest.raises(Broken) as raised:
        read(TypeAdapter(list[int]), "tool", ended, (0, 1))
    assert why in str(raised.value)
    assert len(str(raised.value)) < 500
    assert "\x1b" not in str(raised.value)


def test_a_complaint_is_one_short_printable_line_without_secrets() -> None:
    said = complaint(Ended(1, b"", b"Error: \x1b]0;title\x07 @all\x00 password=hunter2correcthorse " + b"x" * 10_000))
    assert said.startswith("Error: @all")
    assert said.isprintable()
    assert "hunter2" not in said
    assert len(said) <= 400


def test_a_plain_text_holds_no_escape() -> None:
    assert plain("\x1b[1;31mred\x1b[0m\n\n \x07bell\x9b31m") == ["red", "bell 31m"]


def test_findings_are_told_gravest_first_in_one_order() -> None:
    found = [Finding("b", Severity.note), Finding("c"), Finding("a"), Finding("z", Severity.warning)]
    assert [one.message for one in ranked(found)] == ["a", "c", "z", "b"]
    assert ranked(found) == ranked(reversed(found))


@pytest.mark.parametrize(
    ("kind", "namespace", "name", "text"),
    [("Pod", "shop", "api", "Pod shop/api"), ("Pod", None, "api", "Pod api"), (None, None, None, "an object")],
)
def test_an_object_is_called_by_kind_and_name(kind: object, namespace: object, name: object, text: str) -> None:
    assert called(kind, namespace, name) == text


def parts(rules: object, before: dict[str, str], after: dict[str, str]) -> list[Part]:
    checks = Validating.model_validate({"checks": rules})
    return list(rendered_parts(change_of(before, after, rules=checks), "conftest", checks.checks.conftest.policy))


def test_without_renderer_and_rules_there_is_nothing_to_look_at() -> None:
    assert parts({}, {PATH: "a: 1"}, {PATH: "a: 2"}) == []


def test_S16_a_required_check_is_told_where_nothing_renders() -> None:
    assert len(parts({"conftest": {"required": True}}, {PATH: "a: 1"}, {PATH: "a: 2"})) == 1


def test_S12_the_inputs_hold_the_rules_of_the_target_branch_alone() -> None:
    rules = {"helm": {"chart": "chart"}, "conftest": {"policy": "policy"}}
    before = {PATH: "a: 1", "policy/a.rego": "one", "chart/Chart.yaml": "name: a"}
    after = {**before, PATH: "a: 2"}
    assert parts(rules, before, after) == parts(rules, before, {**after, "policy/a.rego": "two"})
    assert parts(rules, before, after) != parts(rules, {**before, "policy/a.rego": "two"}, after)
    assert parts(rules, before, after) != parts(rules, before, {**after, "chart/Chart.yaml": "name: b"})
