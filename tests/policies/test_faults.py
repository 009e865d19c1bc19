"""Faults of a policy, where the model has shapes that today's policy has not."""

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from policies.faults import LONGEST_WORD, MOST_KNOWN, Fault, fault, nearest


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    colour: str = ""


class Root(BaseModel):
    model_config = ConfigDict(extra="forbid")
    direct: Inner = Inner()
    perhaps: Inner | None = None
    by_name: dict[str, Inner] = {}
    deep: dict[str, dict[str, Inner]] = {}


@pytest.mark.parametrize(
    ("value", "place", "message"),
    [
        ({"dirct": {}}, "dirct", "unknown key; did you mean direct?"),
        ({"direct": {"color": ""}}, "direct.color", "unknown key; did you mean colour?"),
        ({"perhaps": {"color": ""}}, "perhaps.color", "unknown key; did you mean colour?"),
        ({"by_name": {"x": {"color": ""}}}, "by_name.x.color", "unknown key; did you mean colour?"),
        # Deeper than it looks: no proposal is better than a wrong one.
        ({"deep": {"x": {"y": {"direkt": ""}}}}, "deep.x.y.direkt", "unknown key"),
    ],
)
def test_an_unknown_key_is_told_with_the_nearest_of_its_own_part(
    value: dict[str, object], place: str, message: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        Root.model_validate(value)
    (found,) = (fault(dict(detail), Root) for detail in refused.value.errors())
    assert (found.place, found.message) == (place, message)


def test_a_kind_of_fault_without_words_of_ours_is_told_in_pydantics() -> None:
    detail = {"loc": ("x",), "type": "greater_than", "msg": "Input should be greater than 0"}
    assert fault(detail, Root) == Fault(("x",), "input should be greater than 0")


def test_S8_the_nearest_word_is_sought_among_some_and_by_its_beginning() -> None:
    known = [*(f"word{number}" for number in range(MOST_KNOWN - 1)), "last", "beyond"]
    assert (nearest("lasst", known), nearest("beyondd", known)) == ("; did you mean last?", "")
    assert nearest("a" * LONGEST_WORD + "b" * 100_000, ["a" * LONGEST_WORD]) == f"; did you mean {'a' * LONGEST_WORD}?"
