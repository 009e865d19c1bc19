"""`towpath.yaml`: what can be written, and that every fault names its place and the nearest right word."""

import copy
import sys
from collections.abc import Callable
from types import FrameType

import pytest
from pydantic import ValidationError

from policies.config import Fault, Policy, PolicyError, parse_policy
from policies.faults import MOST
from tests import builders as a

GOOD: dict[str, object] = {
    "version": 1,
    "services": {"path": "environments/{environment}/{cloud}/{service}/values.yaml"},
    "stages": [
        {"name": "nonprod", "where": {"environment": "nonprod"}, "source": {"tags": "semver >=1.0"}, "merge": "auto"},
        {"name": "prod", "where": {"environment": "prod", "cloud": ["aws", "gcp"]}, "after": "nonprod"},
    ],
}


def changed(*path: str | int, to: object) -> dict[str, object]:
    """The good policy with one value changed or added."""
    value = copy.deepcopy(GOOD)
    at: object = value
    for part in path[:-1]:
        at = at[part]  # type: ignore[index] # a path into what GOOD is
    at[path[-1]] = to  # type: ignore[index] # likewise
    return value


def faults(value: object) -> list[tuple[str, str]]:
    """Place and message of each fault."""
    with pytest.raises(PolicyError) as refused:
        parse_policy(value)
    return [(fault.place, fault.message) for fault in refused.value.faults]


@pytest.mark.parametrize(
    ("merge", "mode", "merges", "signs"),
    [
        ("manual", "enforce", False, False),
        ("auto", "enforce", True, False),
        ("signed", "enforce", True, True),
        ("auto", "propose", False, False),
        ("signed", "propose", False, False),
        ("signed", "observe", False, False),
    ],
)
def test_who_merges(merge: str, mode: str, merges: bool, signs: bool) -> None:
    stage = a.stage(merge=merge, mode=mode)
    assert (stage.merges_itself, stage.signs) == (merges, signs)


def test_a_good_policy_is_understood_with_its_defaults() -> None:
    found = parse_policy(GOOD)
    assert (found.services.format, found.services.images, found.services.registries) == ("helm-values", "together", ())
    nonprod, prod = found.stages
    assert (nonprod.after, nonprod.merge, nonprod.source.tags) == ((), "auto", "semver >=1.0")
    assert (prod.after, prod.where["cloud"], prod.where["environment"]) == (("nonprod",), ("aws", "gcp"), ("prod",))
    assert (prod.merge, prod.mode, prod.checks, prod.absent, prod.source.tags) == (
        "manual",
        "enforce",
        "required",
        "block",
        None,
    )


@pytest.mark.parametrize(
    ("path", "to", "place", "message"),
    [
        (("stage",), [], "stage", "unknown key; did you mean stages?"),
        (("services", "fromat"), "x", "services.fromat", "unknown key; did you mean format?"),
        (("stages", 1, "aftr"), "x", "stages[1].aftr", "unknown key; did you mean after?"),
        (("stages", 0, "source", "tag"), "x", "stages[0].source.tag", "unknown key; did you mean tags?"),
        (("stages", 0, "zzz"), "x", "stages[0].zzz", "unknown key"),
        (
            ("stages", 0, "merge"),
            "atuo",
            "stages[0].merge",
            "is 'atuo': write 'auto', 'manual' or 'signed'; did you mean auto?",
        ),
        (
            ("stages", 1, "mode"),
            "enforced",
            "stages[1].mode",
            "is 'enforced': write 'observe', 'propose' or 'enforce'; did you mean enforce?",
        ),
        (("stages", 1, "checks"), True, "stages[1].checks", "is True: write 'required', 'optional' or 'ignored'"),
        (("version",), 2, "version", "is 2: write 1"),
        (("stages", 1, "after"), "nonprd", "stages[1].after", "there is no stage nonprd; did you mean nonprod?"),
        (("stages", 1, "after"), ["zzz"], "stages[1].after", "there is no stage zzz"),
        (
            ("stages", 1, "name"),
            "Prod_1",
            "stages[1].name",
            "is 'Prod_1': use lower case letters, digits and dashes, at most 40",
        ),
        (
            ("stages", 1, "where"),
            {"enviroment": "prod"},
            "stages[1].where.enviroment",
            "services.path has no {enviroment}; did you mean environment?",
        ),
        (
            ("stages", 1, "where"),
            {},
            "stages[1].where",
            "must not be empty",
        ),
        (
            ("stages", 1, "source"),
            {"tags": "x"},
            "stages[1].source",
            "only a first stage (one without `after`) has a source",
        ),
        (
            ("stages", 0, "source"),
            {"tags": "semver x"},
            "stages[0].source.tags",
            "'x' is no range of versions: write 'semver >=1.0' or 'semver >=1.2 <2'",
        ),
        (
            ("services", "path"),
            "environments/{environment}/values.yaml",
            "services.path",
            "must contain {service}, such as environments/{environment}/{service}/values.yaml",
        ),
        (
            ("services", "path"),
            "/{environment}/{cloud}/{service}",
            "services.path",
            "must be relative to the repository's root, without '..'",
        ),
        (
            ("services", "path"),
            "x/../{environment}/{cloud}/{service}",
            "services.path",
            "must be relative to the repository's root, without '..'",
        ),
        (
            ("stages", 1, "approvals"),
            {"minimum": 1, "from": ["@sre", "sre"]},
            "stages[1].approvals.from",
            "'sre' is no user or group: write @name or @group/subgroup",
        ),
        (
            ("stages", 1, "approvals"),
            {"from": "@sre"},
            "stages[1].approvals",
            "`from` counts towards `minimum`: say how many of them must approve",
        ),
        (("stages", 1, "approvals"), {"form": []}, "stages[1].approvals.form", "unknown key; did you mean from?"),
        (("services",), {}, "services.path", "is missing"),
        (("stages",), [], "stages", "must not be empty"),
        (("stages", 1, "after"), [7], "stages[1].after[0]", "must be a text"),
    ],
)
def test_a_fault_names_its_place_and_the_nearest_right_word(
    path: tuple[str | int, ...], to: object, place: str, message: str
) -> None:
    assert faults(changed(*path, to=to)) == [(place, message)]


def test_two_stages_of_one_name() -> None:
    value = changed("stages", 1, "name", to="nonprod")
    value["stages"][1]["after"] = []  # type: ignore[index] # a path into what GOOD is
    assert faults(value) == [("stages[1].name", "a second stage is named nonprod")]


def test_a_rule_for_tags_may_be_left_empty() -> None:
    assert parse_policy(changed("stages", 0, "source", to={"tags": None})).stages[0].source.tags is None


def test_all_faults_are_told_at_once() -> None:
    value = changed("stages", 0, "merge", to="x")
    value["services"] = {}
    assert [place for place, _ in faults(value)] == ["services.path", "stages[0].merge"]


@pytest.mark.parametrize("value", [None, [], "version: 1"])
def test_what_is_no_policy_at_all(value: object) -> None:
    ((place, message),) = faults(value)
    assert (place, message) == ("the file", "must be a mapping of keys to values")


def test_the_error_says_every_fault_in_one_line() -> None:
    with pytest.raises(PolicyError, match=r"^version: is 2: write 1$"):
        parse_policy(changed("version", to=2))


def test_of_many_faults_the_first_are_told_whatever_they_are() -> None:
    typos = {f"version{number}": 1 for number in range(1000)}
    stages = [{"name": f"s{number}", "where": {"nowhere": "x"}} for number in range(200)]
    for value in ({**GOOD, **typos}, {**GOOD, "stages": stages}):
        found = faults(value)
        assert len(found) == MOST + 1
        assert found[-1] == ("the file", "has more than 50 faults")
    assert len(faults({**GOOD, "stages": stages[:MOST]})) == MOST


def test_S8_of_unknown_stages_no_more_are_compared_than_are_told() -> None:
    stages = [
        {"name": f"s{number}", "where": {"environment": "x"}, "after": [f"x{other}" for other in range(200)]}
        for number in range(200)
    ]
    assert tracing(lambda: faults({**GOOD, "stages": stages}), "get_close_matches") <= MOST + 1


def tracing(call: Callable[[], object], name: str) -> int:
    """How often a function of that name is called."""
    count = 0

    def seen(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_name == name

    sys.setprofile(seen)
    try:
        call()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("path", "to", "says"),
    [
        (("stages",), [GOOD["stages"][0]] * 201, ("stages", "must have at most 200 entries")),  # type: ignore[index]
        (("stages", 1, "after"), ["nonprod"] * 201, ("stages[1].after", "must have at most 200 entries")),
        (("services", "path"), "{service}/" + "a" * 1000,
         ("services.path", "string should have at most 1000 characters")),
        (("stages", 0, "source", "tags"), "semver " + ">=1 " * 100,
         ("stages[0].source.tags", "string should have at most 200 characters")),
    ],
)  # fmt: skip
def test_S8_what_is_too_much_is_a_fault(path: tuple[str | int, ...], to: object, says: tuple[str, str]) -> None:
    assert faults(changed(*path, to=to)) == [says]


def test_a_fault_of_the_whole_file_says_so() -> None:
    assert Fault((), "is empty").place == "the file"


def circle(**after: str | list[str]) -> list[tuple[str, str]]:
    """The faults of a policy with these stages."""
    stages = [{"name": name, "where": {"environment": name}, "after": earlier} for name, earlier in after.items()]
    return faults({**GOOD, "stages": stages})


def test_stages_that_come_after_each_other() -> None:
    assert circle(a="b", b="a") == [
        ("stages[0].after", "a comes after itself, through a, b"),
        ("stages[1].after", "b comes after itself, through a, b"),
    ]


def test_a_stage_that_comes_after_itself() -> None:
    assert circle(a="a") == [("stages[0].after", "a comes after itself, through a")]


def test_only_the_stages_of_the_circle_are_at_fault() -> None:
    assert [place for place, _ in circle(first=[], a=["b", "first"], b="a", c="b", d="c")] == [
        "stages[1].after",
        "stages[2].after",
    ]


def test_stages_are_ordered_each_after_all_that_it_comes_after() -> None:
    last, middle, first = a.stage("c", after=("a", "b")), a.stage("b", after="a"), a.stage("a")
    assert [stage.name for stage in a.policy(last, middle, first).ordered()] == ["a", "b", "c"]


def test_stages_that_do_not_depend_on_each_other_keep_their_order() -> None:
    assert [stage.name for stage in a.policy(a.stage("z"), a.stage("a")).ordered()] == ["z", "a"]


def test_a_stage_is_found_by_its_name() -> None:
    assert parse_policy(GOOD).stage("prod").after == ("nonprod",)
    with pytest.raises(KeyError):
        parse_policy(GOOD).stage("test")


@pytest.mark.parametrize("name", ["a", "prod-ring-1", "0", "a" * 40])
def test_a_name_of_a_stage(name: str) -> None:
    assert a.stage(name).name == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a/b", "a" * 41, "a\n", "ä", ".."])
def test_S9_what_is_no_name_of_a_stage(name: str) -> None:
    with pytest.raises(ValidationError):
        a.stage(name)


def test_a_policy_does_not_change() -> None:
    found: Policy = parse_policy(GOOD)
    with pytest.raises(ValidationError):
        found.version = 1  # type: ignore[misc] # that it cannot be set is the point
