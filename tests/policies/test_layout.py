"""Path templates: what they capture, and what they never do."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import layout
from policies.config import PolicyError, parse_policy

TEMPLATE = "environments/{environment}/{cloud}/{service}/values.yaml"


@pytest.mark.parametrize(
    ("text", "fine"), [("", True), ("a/b", True), ("é\n\U0001f600", True), ("caf\udce9", False), ("\ud800", False)]
)
def test_a_name_is_utf_8_or_not(text: str, fine: bool) -> None:
    assert layout.is_utf8(text) is fine


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


HOSTILE = "{service}" + "".join(f"x{{b{number}}}" for number in range(8)) + "Q"


def test_S9_a_path_that_almost_fits_is_refused_at_once() -> None:
    """A regular expression tries every way to divide it: seconds for the first, minutes for half as much again."""
    start = time.process_time()
    assert layout.capture(HOSTILE, "x" * 40 + "Z") is None
    assert time.process_time() - start < 0.3
    assert layout.capture("{a}x{b}x{c}Q", "x" * 100_000 + "Z") is None
    assert layout.capture("{a}x{b}x{c}Q", "x" * 100_000 + "Q") is not None
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            "{service}x{b}x{c}x{d}Q/values.yaml",
            (
                "has 4 names in one path segment, at most 3 can be told apart: "
                "spread them over folders, such as {service}x{b}x{c}/{d}"
            ),
        ),
        ("a/{service}{env}.yaml", "nothing parts {service} from {env}: write {service}-{env} or {service}/{env}"),
        ("{a}-{service}{env}.yaml", "nothing parts {service} from {env}: write {service}-{env} or {service}/{env}"),
        (
            "{service}-{env}/{env}-{service}.yaml",
            (
                "repeats {service}, which must then be the only name of one path segment, "
                "such as {service}/{service}-{env}/{env}-{service}.yaml"
            ),
        ),
    ],
)
def test_what_could_not_be_told_apart_is_no_template(template: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        layout.check(template)


def test_a_policy_with_such_a_template_is_told_where_it_is_wrong() -> None:
    stage = {"name": "prod", "where": {"env": "prod"}}
    with pytest.raises(PolicyError) as refused:
        parse_policy({"version": 1, "services": {"path": "{env}{service}.yaml"}, "stages": [stage]})
    (fault,) = refused.value.faults
    assert (fault.place, fault.message.partition(":")[0]) == ("services.path", "nothing parts {env} from {service}")


@pytest.mark.parametrize("template", [TEMPLATE, "{service}/{env}-{service}.yaml", "{a}.{b}-{service}"])
def test_what_can_be_told_apart_is_a_template(template: str) -> None:
    layout.check(template)


def by_expression(template: str, path: str) -> dict[str, str] | None:
    """What the template's regular expression captures: slow, and simple enough to be right."""
    seen: set[str] = set()
    source = ""
    for index, piece in enumerate(layout.CAPTURE.split(template)):
        if index % 2 == 0:
            source += re.escape(piece)
        else:
            source += f"(?P={piece})" if piece in seen else f"(?P<{piece}>[^/]+)"
            seen.add(piece)
    found = re.fullmatch(source, path)
    bad = found is None or {".", ".."} & set(found.groupdict().values())
    return None if bad or found is None else found.groupdict()


SEGMENTS = st.lists(st.sampled_from(["{a}", "{b}", "{c}", "{d}", "-", "x", "x-", "."]), min_size=1, max_size=6).map(
    "".join
)
TEMPLATES = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


@settings(max_examples=500)
@given(template=TEMPLATES, data=st.data())
def test_it_captures_what_a_regular_expression_would(template: str, data: st.DataObject) -> None:
    try:
        layout.check(template)
    except ValueError:
        return
    words = st.text("x-.y", max_size=5)
    values = {name: data.draw(words) for name in layout.names(template)}
    path = layout.CAPTURE.sub(lambda found: values[found[1]] if data.draw(st.integers(0, 9)) else "y", template)
    assert layout.capture(template, path) == by_expression(template, path)


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
