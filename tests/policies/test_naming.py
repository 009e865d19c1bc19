"""Branches and labels: harmless to Git and the forge whatever a unit is called (S9), and read back as written."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policies import naming
from policies.naming import BranchName

RELEASE = "0123456789ab"
HOSTILE = [
    *("..", ".", "a..b", "a.lock", ".lock", ".hidden", "dot.", "-option", "--upload-pack=x", "@", "@{u}", "a@{1}"),
    *("a b", "a\nb", "a\x00b", "a\x7fb", "a\tb", "a~1", "a^2", "a:b", "a?b", "a*b", "a[b", "a\\b", "a=b", "=41", "a%b"),
    *("ünïcode", "名前", "a.lock.lock", "a...b", "`id`", "$(id)", "a|b", "@alice", "#1", "!1", "a" * 200, "HEAD", "🚀"),
]
units = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(min_size=1, max_size=60),
    st.text(alphabet=".-@{}=lock\\ ~^:", min_size=1, max_size=12),
)


def branch(unit: str) -> str:
    """The branch of a unit's first attempt."""
    return naming.branch(BranchName("prod", unit, RELEASE, 1))


def refuses(name: str) -> bool:
    """Whether `git check-ref-format --branch` would refuse it: the rules of git-check-ref-format(1)."""
    parts = name.split("/")
    return (
        any(part.startswith(".") or part.endswith(".lock") or not part for part in parts)
        or ".." in name
        or "@{" in name
        or name.endswith((".", "/"))
        or name in {"@", "HEAD"}
        or name.startswith("-")
        or any(ord(letter) < 0x20 or letter in "\x7f ~^:?*[\\" for letter in name)
    )


@given(units)
@example("a=2E")
@example("=")
def test_S9_every_unit_has_a_branch_that_git_accepts_and_that_tells_it_again(unit: str) -> None:
    found = branch(unit)
    assert not refuses(found)
    assert found.isascii()
    assert naming.parse_branch(found) == BranchName("prod", unit, RELEASE, 1)


@given(units, units)
def test_S9_no_two_units_share_a_branch(one: str, other: str) -> None:
    assert (branch(one) == branch(other)) is (one == other)


def test_S9_git_itself_accepts_the_branches(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, capture_output=True)
    names = [branch(unit) for unit in HOSTILE]
    for name in names:
        found = subprocess.run(
            ["git", "check-ref-format", "--branch", name], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert (found.returncode, found.stdout) == (0, f"{name}\n"), name


def test_a_plain_name_stays_as_it_is() -> None:
    assert branch("payments-api_2.0") == f"towpath/p/prod/payments-api_2.0/{RELEASE}-1"


@pytest.mark.parametrize(
    "text",
    [
        "main",
        f"towpath/p/prod/payments/{RELEASE}",
        f"towpath/p/prod/payments/{RELEASE}-0",
        f"towpath/p/prod/payments/{RELEASE}-01",
        f"towpath/p/prod/payments/{RELEASE[:-1]}-1",
        f"towpath/p/prod/payments/{RELEASE.upper()}-1",
        f"towpath/p/prod/pay/ments/{RELEASE}-1",
        f"towpath/p/Prod/payments/{RELEASE}-1",
        f"towpath/p/prod//{RELEASE}-1",
        f"x/towpath/p/prod/payments/{RELEASE}-1",
        f"towpath/p/prod/payments/{RELEASE}-1\n",
    ],
)
def test_what_is_no_branch_of_a_promotion(text: str) -> None:
    assert naming.parse_branch(text) is None


def test_bytes_that_are_no_text_do_not_break_reading() -> None:
    found = naming.parse_branch(f"towpath/p/prod/=FF=FE/{RELEASE}-12")
    assert found == BranchName("prod", "\ufffd\ufffd", RELEASE, 12)


@given(units)
def test_S9_a_label_is_short_plain_and_always_the_same(unit: str) -> None:
    found = naming.label(unit)
    assert found == naming.label(unit)
    assert found.startswith("towpath:")
    assert len(found) <= naming.LABEL_LIMIT
    assert found.isascii()
    assert found.isprintable()
    assert "," not in found


def test_a_label_names_the_unit_where_it_can() -> None:
    assert naming.label("payments-api") == "towpath:payments-api"
    assert naming.label("a,b") == "towpath:1eb7c54d52831bbf"
    assert naming.label("a" * 43) != naming.label("a" * 44)


@pytest.mark.parametrize("unit", ["superseded", "refreshed", "done"])
def test_a_units_label_is_never_one_that_says_why_towpath_closed(unit: str) -> None:
    assert naming.label(unit) not in {naming.SUPERSEDED, naming.REFRESHED, naming.DONE}
