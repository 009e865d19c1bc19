"""Checking a tree out: hostile paths lead nowhere."""

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.validators.base import Broken
from bot.validators.export import Most, export
from bot.yaml import MOST_BYTES
from tests.validators.trees import DictTree, tree

FILES = {"a.yaml": "a", "apps/web/b.yaml": "b", "apps/webs/c.yaml": "c"}


def written(folder: Path) -> dict[str, str]:
    return {str(one.relative_to(folder)): one.read_text() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.parametrize(
    ("below", "paths"),
    [
        ([""], {"a.yaml", "apps/web/b.yaml", "apps/webs/c.yaml"}),
        (["apps/web"], {"apps/web/b.yaml"}),
        (["apps", "apps/web"], {"apps/web/b.yaml", "apps/webs/c.yaml"}),
        (["a.yaml"], {"a.yaml"}),
        (["nothing"], set()),
        ([], set()),
    ],
)
def test_what_is_asked_for_is_written_where_it_belongs(tmp_path: Path, below: list[str], paths: set[str]) -> None:
    assert export(tree(FILES, "link"), tmp_path / "new", below) == paths
    assert written(tmp_path / "new") == {path: FILES[path] for path in paths}


@pytest.mark.parametrize(
    "path",
    [
        "../../x",
        "/etc/x",
        "a/../../x",
        "./x",
        "a//x",
        "x/",
        ".git/hooks/post-checkout",
        "a/.GIT/config",
        "a\0b",
        "d/" * 500 + "x",
        "x" * 300,
        "\ud800",
    ],
)
def test_S9_a_hostile_path_is_refused_and_nothing_is_written_elsewhere(tmp_path: Path, path: str) -> None:
    inside = tmp_path / "one/two/three"
    with pytest.raises(Broken):
        export(DictTree({path: b"x"}), inside, [""])
    assert written(tmp_path) == {}


def test_S9_a_folder_is_asked_for_by_a_plain_path_alone(tmp_path: Path) -> None:
    with pytest.raises(Broken):
        export(tree(FILES), tmp_path, ["../x"])


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_S9_a_file_that_stands_where_a_folder_does_is_refused(tmp_path: Path, paths: tuple[str, str]) -> None:
    with pytest.raises(Broken, match="cannot be checked out"):
        export(DictTree(dict.fromkeys(paths, b"x")), tmp_path, [""])


def test_S9_nothing_is_written_through_what_stands_there(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.yaml").symlink_to(tmp_path / "secret")
    with pytest.raises(Broken, match="File exists"):
        export(tree(FILES), tmp_path / "in", [""])
    assert (tmp_path / "secret").read_text() == "mine"


def test_S8_a_checkout_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(Broken, match="more than 2 files"):
        export(tree(FILES), tmp_path / "1", [""], Most(files=2))
    with pytest.raises(Broken, match="larger than 1 MiB together"):
        export(DictTree({"a": b"x" * 600_000, "b": b"x" * 600_000}), tmp_path / "2", [""], Most(size=1024 * 1024))
    with pytest.raises(Broken, match="'a' is larger than 4 MiB"):
        export(DictTree({"a": b"x" * (MOST_BYTES + 1)}), tmp_path / "3", [""])


PARTS = st.sampled_from(["a", "b", "..", ".", "", ".git", "x\0", "é", "-rf"])


@given(st.lists(st.lists(PARTS, min_size=1, max_size=4).map("/".join), max_size=4))
def test_S9_whatever_a_tree_names_stays_inside(tmp_path_factory: pytest.TempPathFactory, paths: list[str]) -> None:
    outside = tmp_path_factory.mktemp("outside")
    with suppress(Broken):
        export(DictTree(dict.fromkeys(paths, b"x")), outside / "one/two/three", [""])
    assert all(path.startswith("one/two/three/") for path in written(outside))
