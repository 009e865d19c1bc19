"""Which tags may enter a first stage, and how they order."""

import pytest

from policies import tags


@pytest.mark.parametrize(
    ("rule", "tag", "admitted"),
    [
        (None, "anything", True),
        ("semver >=1.0", "1.0.0", True),
        ("semver >=1.0", "v1.2.3", True),
        ("semver >=1.0", "0.9.9", False),
        ("semver >=1.2 <2", "1.9.0", True),
        ("semver >=1.2 <2", "2.0.0", False),
        ("semver >=1.0", "1.0", False),
        ("semver >=1.0", "latest", False),
        ("semver >=1.0", "1.1.0-rc.1", False),
        ("semver >=1.1.0-rc.1", "1.1.0-rc.2", True),
        ("semver >=1.1.0-rc.1", "1.1.0", True),
        ("semver >=1.0", "1.0.0+build.5", True),
        ("release-*", "release-7", True),
        ("release-*", "Release-7", False),
        ("release-*", "my-release-7", False),
        ("v[0-9]", "v7", True),
    ],
)
def test_which_tags_a_rule_admits(rule: str | None, tag: str, admitted: bool) -> None:
    assert tags.admits(rule, tag) is admitted


@pytest.mark.parametrize(
    ("rule", "names", "admitted"),
    [
        (None, ("b", "a"), "b"),
        (None, (), None),
        ("r-*", ("main", "r-2", "r-9"), "r-2"),
        ("r-*", ("main",), None),
        ("semver >=1", ("latest", "1.2.0", "1.10.0", "0.1.0"), "1.10.0"),
        ("semver >=1", ("latest",), None),
    ],
)
def test_under_which_tag_an_image_enters(rule: str | None, names: tuple[str, ...], admitted: str | None) -> None:
    assert tags.admitted(rule, names) == admitted


@pytest.mark.parametrize("rule", ["semver >=1.0", "semver >=1.2 <2", "semver ^1.2", "release-*", "main", "v?.?"])
def test_a_rule_that_is_one(rule: str) -> None:
    tags.check(rule)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("semver one", "'one' is no range of versions: write 'semver >=1.0' or 'semver >=1.2 <2'"),
        ("semver ", "'' is no range of versions: write 'semver >=1.0' or 'semver >=1.2 <2'"),
        ("release 7", "'release 7' is no tag rule: write 'semver >=1.0' or a pattern such as 'release-*'"),
        ("", "'' is no tag rule: write 'semver >=1.0' or a pattern such as 'release-*'"),
    ],
)
def test_a_rule_that_is_none_says_what_to_write(rule: str, message: str) -> None:
    with pytest.raises(ValueError, match="is no ") as refused:
        tags.check(rule)
    assert str(refused.value) == message


@pytest.mark.parametrize(("tag", "is_one"), [("1.2.3", True), ("v1.2.3", True), ("vv1.2.3", False), ("1.2", False)])
def test_what_is_a_version(tag: str, is_one: bool) -> None:
    assert (tags.version(tag) is not None) is is_one


def test_no_tag_is_no_version() -> None:
    assert tags.version(None) is None


def test_only_a_range_orders_by_version() -> None:
    assert [tags.ordered_by_version(rule) for rule in ("semver >=1", "1.*", None)] == [True, False, False]
