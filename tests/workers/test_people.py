"""CODEOWNERS as it is read from the target branch (S12, S16)."""

import time
from pathlib import Path

import pygit2
import pytest

from tests.flows.direct import HEADS, DirectForge
from tests.flows.world import Scene
from workers.observe.people import LONGEST, owners_file


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def read(scene: Scene) -> tuple[str, list[str] | None, list[str]]:
    """Where it was found, whom it names for a file, and what is wrong with it."""
    head = scene.forge.head("r", "main")
    scene.context.mirror.ensure(head)
    found = owners_file(scene.context, head)
    if found.rules is None:
        return found.path, None, []
    owners = [owner for rule in found.rules.rules_for("a.yaml") for owner in rule.owners]
    return found.path, owners, [fault.kind for fault in found.rules.errors]


def stand(forge: DirectForge, path: str, thing: pygit2.Oid, mode: pygit2.enums.FileMode) -> None:
    """Something at the root of the target branch."""
    builder = forge.git.TreeBuilder(forge.git[forge.head("r", "main")].peel(pygit2.Tree))
    builder.insert(path, thing, mode)
    who = pygit2.Signature("Mira", "mira@example.com", 0, 0)
    parents: list[str | pygit2.Oid] = [pygit2.Oid(hex=forge.head("r", "main"))]
    commit = forge.git.create_commit(None, who, who, "link", builder.write(), parents)
    forge.git.references.create(HEADS + "main", commit, force=True)


def test_S16_a_symbolic_link_hides_no_other_file(scene: Scene) -> None:
    """It was skipped, and the next location answered."""
    scene.forge.commit_as({"docs/CODEOWNERS": "* @jonas\n"})
    assert read(scene) == ("docs/CODEOWNERS", ["@jonas"], [])
    there = scene.forge.git.create_blob(b"docs/CODEOWNERS")
    stand(scene.forge, "CODEOWNERS", there, pygit2.enums.FileMode.LINK)
    assert read(scene) == ("CODEOWNERS", [], ["symbolic_link"])


def test_a_folder_of_that_name_is_passed_over(scene: Scene) -> None:
    scene.forge.commit_as({".gitlab/CODEOWNERS": "* @jonas\n"})
    tree = scene.forge.git.TreeBuilder()
    tree.insert("x", scene.forge.git.create_blob(b"* @maria\n"), pygit2.enums.FileMode.BLOB)
    stand(scene.forge, "CODEOWNERS", tree.write(), pygit2.enums.FileMode.TREE)
    assert read(scene)[:2] == (".gitlab/CODEOWNERS", ["@jonas"])


def test_S16_a_byte_order_mark_is_named(scene: Scene) -> None:
    scene.forge.commit_as({"CODEOWNERS": "\ufeff* @jonas\n"})
    assert read(scene) == ("CODEOWNERS", [], ["byte_order_mark"])


@pytest.mark.parametrize(
    ("size", "faults"), [(LONGEST - 1, []), (LONGEST, ["file_too_large"]), (LONGEST * 2, ["file_too_large"])]
)
def test_S16_a_file_that_github_would_not_load_is_named(scene: Scene, size: int, faults: list[str]) -> None:
    rule = "* @jonas\n"
    scene.forge.commit_as({"CODEOWNERS": rule + "#" * (size - len(rule))})
    assert read(scene)[2] == faults


def test_one_long_line_is_read_in_linear_time_and_once(scene: Scene) -> None:
    """3.8 MB of one word took 15 s, at each look."""
    scene.forge.commit_as({"CODEOWNERS": f"* @jonas {'a' * (LONGEST - 1000)}@b\n"})
    start = time.process_time()
    assert read(scene)[1] == ["@jonas", f"{'a' * 100}@b"]
    assert time.process_time() - start < 3
    start = time.process_time()
    for _ in range(100):
        read(scene)
    assert time.process_time() - start < 3


def test_another_content_is_read_anew(scene: Scene) -> None:
    for number in range(6):
        scene.forge.commit_as({"CODEOWNERS": f"* @u{number}\n"})
        assert read(scene)[1] == [f"@u{number}"]
