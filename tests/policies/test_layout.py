"""Path templates: what they capture, and what they never do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import layout

TEMPLATE = "environments/{environment}/{cloud}/{service}/values.yaml"


@pytest.mark.parametrize(
    ("template", "path", "captured"),
    [
        (
            TEMPLATE,
            "environments/prod/aws/payments/values.yaml",
            {"environment": "prod", "cloud": "aws", "service": "payments"},
        ),
        ("{service}/values-{environment}.yaml", "api/values-prod.yaml", {"service": "api", "environment": "prod"}),
        ("{service}/{environment}/{service}.yaml", "api/prod/api.yaml", {"service": "api", "environment": "prod"}),
        ("{service}/{environment}/{service}.yaml", "api/prod/web.yaml", None),
        (TEMPLATE, "environments/prod/payments/values.yaml", None),
        (TEMPLATE, "environments/prod/aws/payments/values.yml", None),
        (TEMPLATE, "x/environments/prod/aws/payments/values.yaml", None),
        (TEMPLATE, "environments/prod/aws/payments/values.yaml/x", None),
        (TEMPLATE, "environments/prod//payments/values.yaml", None),
        ("a.b/{service}.yaml", "aXb/api.yaml", None),
        ("{service}+(x).yaml", "api+(x).yaml", {"service": "api"}),
    ],
)
def test_what_a_template_captures(template: str, path: str, captured: dict[str, str] | None) -> None:
    assert layout.capture(template, path) == captured


@pytest.mark.parametrize("service", [".", ".."])
def test_S9_no_segment_leads_elsewhere(service: str) -> None:
    assert layout.capture(TEMPLATE, f"environments/prod/aws/{service}/values.yaml") is None


def test_the_names_of_a_template_in_order() -> None:
    assert layout.names("{service}/{Not}/{env_2}/{service}") == ("service", "env_2", "service")


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({"environment": ("prod",)}, True),
        ({"environment": ("prod", "test"), "cloud": ("aws", "gcp")}, True),
        ({"environment": ("test",)}, False),
        ({"environment": ("prod",), "cloud": ("gcp",)}, False),
        ({"region": ("eu",)}, False),
        ({}, True),
    ],
)
def test_which_targets_a_stage_selects(where: dict[str, tuple[str, ...]], fits: bool) -> None:
    assert layout.selected(where, {"environment": "prod", "cloud": "aws"}) is fits


@given(st.dictionaries(st.sampled_from(["environment", "cloud", "service"]), st.text(min_size=1), min_size=3))
def test_a_filled_template_gives_back_what_filled_it(values: dict[str, str]) -> None:
    plain = all("/" not in value and value not in {".", ".."} for value in values.values())
    found = layout.capture(TEMPLATE, TEMPLATE.format(**values))
    assert found == (values if plain else found)
    assert found is None or all("/" not in value and value not in {".", ".."} for value in found.values())
