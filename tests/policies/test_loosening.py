"""What counts as asking less (S22)."""

import pytest

from policies.config import Policy
from policies.loosening import loosened
from policies.rights import Permissions
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
        ({"rollback": {"approvals": {"codeowners": "required", "minimum": 3, "from": ["@sre"]}}}, []),
        (
            {"rollback": {"approvals": None}},
            ["in a rollback code owners need not", "in a rollback 0 instead of 2 people", "in a rollback approvals of"],
        ),
        ({"checks": "optional"}, ["`checks` goes from `required` to `optional`"]),
        ({"absent": "pass"}, ["`absent` goes from `block` to `pass`"]),
        ({"merge": "auto"}, []),
        (
            {"merge": "auto", "approvals": None},
            ["code owners need not", "0 instead of 2", "of other people", "from `manual` to `auto`: nobody need look"],
        ),
        (
            {"merge": "signed", "approvals": None},
            [
                "code owners need not",
                "0 instead of 2",
                "of other people",
                "from `manual` to `signed`: nobody need look",
            ],
        ),
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


@pytest.mark.parametrize(
    ("old", "new", "told"), [("signed", "auto", 1), ("signed", "manual", 1), ("auto", "signed", 0)]
)
def test_S22_a_signature_that_is_given_up_is_named(old: str, new: str, told: int) -> None:
    found = loosened(policy(prod(merge=old)), policy(prod(merge=new)))
    assert [f"`prod`: `merge` goes from `{old}` to `{new}`: no signature" in one for one in found] == [True] * told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (("a/", "b/"), ("a/", "b/"), ()),
        (("a/", "b/"), ("a/x/",), ()),
        ((), ("a/",), ()),
        (("a/",), (), ("`services.registries` is gone: images from anywhere are promoted",)),
        (("a/",), ("a/", "b/", "c/"), ("`services.registries` lets `b/` and `c/` in",)),
        (("a/",), ("a",), ("`services.registries` lets `a` in",)),
    ],
)
def test_S22_wider_registries_are_named(old: tuple[str, ...], new: tuple[str, ...], told: tuple[str, ...]) -> None:
    plain = policy()
    first, second = (
        plain.model_copy(update={"services": plain.services.model_copy(update={"registries": one})})
        for one in (old, new)
    )
    assert loosened(first, second) == told


def test_S22_a_rule_for_tags_that_is_gone_is_named() -> None:
    ruled = {"name": "first", "where": {"environment": "dev"}, "source": {"tags": "release-*"}}
    plain = {"name": "first", "where": {"environment": "dev"}}
    assert loosened(policy(ruled), policy(plain)) == ("`first`: `source.tags` lets other images in",)


def test_S22_rights_that_lift_something_and_go_to_others_are_named() -> None:
    plain = policy()
    given = Permissions(promote={"*": ("@@developers",)}, hold={"*": ("@@maintainers",)})
    found = loosened(plain, plain.model_copy(update={"permissions": given}))
    assert found == ("`permissions.promote` belongs to others",)


ASKED: dict[str, object] = {
    "checks": {"trivy": {"severity": "warning"}, "schema": {"required": True}, "parity": {"run": False}},
    "commands": {"lint": {"required": True}},
}


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (ASKED, []),
        ({**ASKED, "mode": "report"}, ["`validation.mode` goes from `enforce` to `report`"]),
        (
            {},
            ["`schema` need not be able to run", "`lint` need not be able to run"],
        ),
        (
            {"checks": {"schema": {"run": False, "required": True}, "secrets": {"severity": "note"}}, "commands": {}},
            [
                "`schema` is not run any more",
                "`secrets` counts as `note` at most, where it was `error`",
                "`lint` need not be able to run",
            ],
        ),
        (
            {**ASKED, "checks": {"schema": {"required": True}, "kubeconform": {"ignore_missing": True}}},
            ["`kubeconform` looks for something else"],
        ),
    ],
)
def test_S22_what_validators_ask_less_for_is_told(new: dict[str, object], words: list[str]) -> None:
    plain = {"version": 1, "services": {"path": a.PATH}, "stages": [prod(after=None)]}
    old, after = (Policy.model_validate({**plain, "validation": one}) for one in (ASKED, new))
    assert list(loosened(old, after)) == words
