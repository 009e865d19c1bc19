"""What `approvals` of a policy may say (S16)."""

import pytest

from policies.config import PolicyError, parse_policy


def policy(approvals: object) -> dict[str, object]:
    stage = {"name": "prod", "where": {"environment": "prod"}, "approvals": approvals}
    return {"version": 1, "services": {"path": "{environment}/{service}.yaml"}, "stages": [stage]}


@pytest.mark.parametrize("asked", [{}, {"codeowners": "ignored"}, {"minimum": 0}])
def test_S16_approvals_of_nobody_are_a_fault_with_the_right_words(asked: object) -> None:
    """It passed with nobody's approval."""
    with pytest.raises(PolicyError) as caught:
        parse_policy(policy(asked))
    (fault,) = caught.value.faults
    assert fault.message.endswith("write `codeowners: required` or `minimum: 1`, or leave `approvals` out")
    assert fault.path == ("stages", 0, "approvals")


@pytest.mark.parametrize("asked", [None, {"codeowners": "required"}, {"minimum": 1}])
def test_approvals_of_somebody_are_taken_and_so_are_none_at_all(asked: object) -> None:
    assert parse_policy(policy(asked)).stages[0].name == "prod"
