"""What counts as asking less (S22)."""

import pytest

from policies.config import Policy
from policies.loosening import loosened
from tests import builders as a

GATED: dict[str, object] = {"approvals": {"codeowners": "required", "minimum": 2, "from": ["@sre"]}}


def policy(*stages: object, path: str = a.PATH) -> Policy:
    first = {"name": "nonprod", "where": {"environment": "nonprod"}}
    return Policy.model_validate({"version": 1, "services": {"path": path}, "stages": [first, *stages]})


def prod(**changed: object) -> dict[str, object]:
    plain: dict[str, object] = {"name": "prod", "where": {"environment": "prod"}, "after": ["nonprod"], **GATED}
    return {key: value for key, value in {**plain, **changed}.items() if value is not None}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, []),
        ({"approvals": None}, ["code owners need not", "0 instead of 2 people", "approvals of other people count"]),
        ({"approvals": {"minimum": 2, "from": ["@sre"]}}, ["code owners need not approve any more"]),
        (
            {"approvals": {"codeowners": "required", "minimum": 1, "from": ["@sre"]}},
            ["1 instead of 2 people must approve"],
        ),
        (
            {"approvals": {"codeowners": "required", "minimum": 2, "from": ["@everybody"]}},
            ["approvals of other people count"],
        ),
        ({"approvals": {"codeowners": "required", "minimum": 3, "from": ["@sre"]}}, []),
        ({"checks": "optional"}, ["`checks` goes from `required` to `optional`"]),
        ({"absent": "pass"}, ["`absent` goes from `block` to `pass`"]),
        ({"merge": "auto"}, ["`merge` goes from `manual` to `auto`"]),
        ({"mode": "observe"}, []),
        ({"after": []}, ["it no longer comes after `nonprod`"]),
        ({"where": {"environment": "staging"}}, ["`where` selects other targets"]),
    ],
)
def test_S22_what_asks_less_is_named(changed: dict[str, object], words: list[str]) -> None:
    found = loosened(policy(prod()), policy(prod(**changed)))
    assert len(found) == len(words)
    assert all(wanted in said and said.startswith("`prod`: ") for wanted, said in zip(words, found, strict=True))


def test_S22_a_gated_stage_that_is_gone_is_named_and_another_is_not() -> None:
    assert loosened(policy(prod()), policy()) == ("`prod`, which asked for approvals, is gone",)
    assert loosened(policy(prod(approvals=None)), policy()) == ()
    assert loosened(policy(), policy(prod())) == ()


def test_S22_other_files_and_other_images() -> None:
    assert loosened(policy(), policy(path="other/{environment}/{cluster}/{service}.yaml")) == (
        "`services.path` names other files",
    )
    first = {"name": "first", "where": {"environment": "dev"}, "source": {"tags": "release-*"}}
    looser = {**first, "source": {"tags": "*"}}
    assert loosened(policy(first), policy(looser)) == ("`first`: `source.tags` lets other images in",)
    assert loosened(policy(looser), policy({**first, "mode": "observe"})) != ()
