"""The part `validation` of a policy: what can be written, and what is refused with its place."""

from collections.abc import Mapping

import pytest

from policies.config import PolicyError, parse_policy
from policies.validating import BUILT_IN, Check, Validating, filled
from tests import builders as a

PLAIN = {
    "version": 1,
    "services": {"path": a.PATH},
    "stages": [{"name": "prod", "where": {"environment": "prod"}}],
}


def parsed(**validation: object) -> Validating:
    return parse_policy({**PLAIN, "validation": validation}).validation


def refused(checks: Mapping[str, object]) -> str:
    with pytest.raises(PolicyError) as error:
        parsed(checks=checks)
    (fault,) = error.value.faults
    return f"{fault.place}: {fault.message}"


def test_without_a_word_all_run_and_errors_block() -> None:
    found = parse_policy(PLAIN).validation
    assert found.mode == "enforce"
    assert all(found.of(name).run for name in BUILT_IN)
    assert found.of("parity").severity == "note"
    assert found.of("schema").severity == "error"
    assert found.of("somebodys-own") == Check()


def test_one_word_is_a_list_of_one() -> None:
    found = parsed(checks={"conftest": {"policy": "policy/"}, "image": {"platforms": "linux/amd64"}}).checks
    assert found.conftest.policy == ("policy",)
    assert found.image.platforms == ("linux/amd64",)


def test_the_operators_own_are_named() -> None:
    found = parsed(commands={"lint": {"required": True}})
    assert found.of("lint").required


@pytest.mark.parametrize("path", ["/etc", "../x", "a/../b", ".", "a//b", "-rf", "a/.git/b", ""])
def test_S9_no_path_leads_out_of_the_repository(path: str) -> None:
    assert "must be relative to the repository's root" in refused({"kustomize": {"folder": path}})


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        ({"helm": {"chart": "charts/{service"}}, "holds a '{' that is no {name}"),
        ({"helm": {"chart": "charts/{servise}"}}, "services.path has no {servise}; did you mean service?"),
        ({"helm": {"chart": "c", "values": ["{region}.yaml"]}}, "services.path has no {region}"),
        ({"helm": {"chart": "c", "release": "{region}"}}, "services.path has no {region}"),
        ({"helm": {"chart": "c", "release": "--x"}}, "must be printable and not begin with '-'"),
        ({"helm": {"chart": "c"}, "kustomize": {"folder": "f"}}, "not both: a target is rendered one way"),
        ({"cosign": {"identity": "me"}}, "`identity` and `issuer` go together"),
        ({"cosign": {"key": "k", "identity": "me", "issuer": "i"}}, "a `key` or an `identity`, not both"),
        ({"secret": {}}, "did you mean secrets?"),
    ],
)
def test_what_is_refused_says_why(checks: Mapping[str, object], says: str) -> None:
    assert says in refused(checks)


@pytest.mark.parametrize(
    ("cosign", "whose"),
    [({}, False), ({"key": "k"}, True), ({"identity": "me", "issuer": "i"}, True), ({"provenance": True}, False)],
)
def test_whose_signature_counts_has_to_be_said(cosign: Mapping[str, object], whose: bool) -> None:
    assert parsed(checks={"cosign": cosign}).checks.cosign.is_told_whose is whose


def test_a_template_is_filled_with_what_is_known() -> None:
    assert filled("charts/{service}/{cloud}", {"service": "shop"}) == "charts/shop/{cloud}"
