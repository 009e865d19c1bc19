"""Which targets a change touches, and which are only rendered from what it touches."""

from collections.abc import Mapping

import pytest

from policies import layout
from policies.config import Policy
from tests import builders as a
from workers.observe.changes import MOST_AFFECTED, affected
from workers.observe.inventory import Inventory

SHOP, LEDGER = (f"environments/prod/eu/{name}/values.yaml" for name in ("shop", "ledger"))
HELM = {"helm": {"chart": "charts/{service}", "values": ["common/{environment}.yaml"]}}


def policy(checks: Mapping[str, object]) -> Policy:
    return a.policy(a.stage("prod")).model_copy(
        update={"validation": Policy.model_validate({**BARE, "validation": {"checks": checks}}).validation}
    )


BARE = {"version": 1, "services": {"path": a.PATH}, "stages": [{"name": "prod", "where": {"environment": "prod"}}]}


def inventory(*paths: str) -> Inventory:
    services = a.policy().services
    assert all(layout.capture(services.path, path) for path in paths)
    return Inventory("c" * 40, services, dict.fromkeys(paths, "b" * 40), {})


@pytest.mark.parametrize(
    ("checks", "paths", "found"),
    [
        (HELM, ("charts/shop/templates/a.yaml",), (SHOP,)),
        (HELM, ("charts/shop-two/Chart.yaml",), ()),
        (HELM, ("common/prod.yaml",), (SHOP, LEDGER)),
        (HELM, ("common/nonprod.yaml", "README.md"), ()),
        (HELM, (SHOP,), ()),
        ({}, ("charts/shop/Chart.yaml",), ()),
        ({"kustomize": {"folder": "environments/{environment}/{cluster}/{service}"}},
         ("environments/prod/eu/ledger/patch.yaml",), (LEDGER,)),
        ({"schema": {"file": "schemas/{service}.json"}}, ("schemas/shop.json",), (SHOP,)),
    ],
)  # fmt: skip
def test_what_is_rendered_from_a_change(
    checks: Mapping[str, object], paths: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert affected(policy(checks), inventory(SHOP, LEDGER), paths) == found


def test_a_chart_of_everybody_has_a_few_of_them_rendered() -> None:
    many = [f"environments/prod/eu/s{number}/values.yaml" for number in range(MOST_AFFECTED + 5)]
    checks = {"helm": {"chart": "charts/all"}}
    assert len(affected(policy(checks), inventory(*many), ("charts/all/Chart.yaml",))) == MOST_AFFECTED
