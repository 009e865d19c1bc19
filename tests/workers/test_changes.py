"""Which targets a change touches, and which are only rendered from what it touches."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.git import Mirror
from policies import layout
from policies.config import Policy
from tests import builders as a
from tests.flows.direct import DirectForge
from workers.observe.changes import MOST_AFFECTED, Reading, affected, change_of
from workers.observe.inventory import Inventory, first

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


def test_S8_thousands_of_paths_are_not_gone_through_for_each_target() -> None:
    paths = tuple(f"junk/{number}" for number in range(2000))
    many = inventory(*(f"environments/prod/eu/s{number}/values.yaml" for number in range(100)))
    compared = 0

    def seen(_: object, event: str, called: object) -> None:
        nonlocal compared
        compared += event == "c_call" and getattr(called, "__name__", "") == "startswith"

    sys.setprofile(seen)
    try:
        found = affected(policy(HELM), many, paths)
    finally:
        sys.setprofile(None)
    assert found == ()
    assert compared < 1000


EVERYBODY = {f"environments/prod/eu/s{number:02}/values.yaml": "a: 1\n" for number in range(MOST_AFFECTED + 13)}


@pytest.mark.parametrize(
    ("most", "touched", "looked", "unlooked"),
    [
        (MOST_AFFECTED, 0, MOST_AFFECTED, 13),
        (MOST_AFFECTED, 3, MOST_AFFECTED + 3, 10),
        (MOST_AFFECTED + 13, 0, MOST_AFFECTED + 13, 0),
        (None, 0, MOST_AFFECTED + 13, 0),
    ],
)
def test_a_chart_of_everybody_has_a_few_of_them_rendered_and_the_rest_counted(
    tmp_path: Path, most: int | None, touched: int, looked: int, unlooked: int
) -> None:
    forge = DirectForge(tmp_path / "forge.git")
    forge.commit_as({"charts/all/Chart.yaml": "a: 1\n", **EVERYBODY})
    mirror = Mirror(tmp_path / "mirror.git", lambda: forge.access(""))
    before = mirror.fetch()["main"]
    forge.commit_as({"charts/all/Chart.yaml": "a: 2\n", **dict.fromkeys(list(EVERYBODY)[:touched], "a: 2\n")})
    after = mirror.fetch()["main"]
    rules = policy({"helm": {"chart": "charts/all"}})
    reading = Reading(mirror, lambda *_: ())
    found = change_of(reading, rules, (before, after), first(mirror, before, rules.services), most)
    assert (len(found.targets), found.unlooked) == (looked, unlooked)
