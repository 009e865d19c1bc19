"""The page on validation names every validator and everything that can be said of it."""

import re
from pathlib import Path

import pytest

from bot.validators import VALIDATORS
from policies.validating import Check, Checks
from workers.policy_file import load

PAGE = (Path(__file__).parents[2] / "docs" / "validation.md").read_text("utf-8")
ROWS = {found[1]: found[0] for found in re.finditer(r"^\| `([a-z]+)` \|.*$", PAGE, re.MULTILINE)}


@pytest.mark.parametrize("name", Checks.names())
def test_every_validator_and_each_key_of_its_own_is_there(name: str) -> None:
    own = set(type(Checks().of(name)).model_fields) - set(Check.model_fields)
    assert own <= set(re.findall(r"`([a-z_]+)`", ROWS[name]))


def test_every_file_of_a_validator_is_listed() -> None:
    assert {one.name for one in VALIDATORS} == set(Checks.names())


def test_the_example_is_a_policy() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    policy = load(example.encode())
    assert policy.validation.checks.cosign.is_told_whose
