"""What the forge will not do, or does without saying so: the rest goes on, and people hear of it (R9, R11, S17)."""

from datetime import timedelta
from pathlib import Path

import pygit2
import pytest

from bot.errors import Conflict, OutsideError, Transient
from bot.forges.failures import unfit
from policies.model import MergeRequestState
from tests.flows.direct import HEADS, DirectForge
from tests.flows.world import POLICY, Scene, digest, green

CHECKED = POLICY.replace("merge: auto\n    checks: optional", "merge: auto")
"""Nonprod waits for a check."""


class Unclosable(DirectForge):
    """The first merge request cannot be closed, as on GitLab while it says `locked`."""

    def close(self, repository: str, iid: int, label: str) -> None:
        if iid == 1:
            raise Conflict("close", "platform/config!1", "it is opened")
        super().close(repository, iid, label)


class Unready(DirectForge):
    """No merge is ever taken, and each time it is said to pass by itself."""

    def merge(self, repository: str, iid: int, head: str, message: str) -> str:
        raise Transient("merge", f"{repository}!{iid}", "not ready to say")


class Tampering(DirectForge):
    """Merges another file along, and what it answers cannot be understood."""

    failure: OutsideError

    def merge(self, repository: str, iid: int, head: str, message: str) -> str:
        made = self.git[super().merge(repository, iid, head, message)].peel(pygit2.Commit)
        index = pygit2.Index()
        index.read_tree(made.tree)
        index.add(pygit2.IndexEntry("EVIL", self.git.create_blob(b"x"), pygit2.enums.FileMode.BLOB))
        parents = [str(parent) for parent in made.parent_ids]
        self.git.references.create(HEADS + "main", parents[0], force=True)
        merged = self._commit(str(index.write_tree(self.git)), parents, made.message, "main")
        self._update(iid, merge_commit=merged)
        raise self.failure


def scene_on(kind: type[DirectForge], folder: Path, policy: str = POLICY) -> Scene:
    """A scene whose forge behaves so."""
    scene = Scene(folder, policy=policy)
    scene.forge.__class__ = kind
    return scene


def wake(scene: Scene, times: int = 6) -> None:
    """Wake-ups some minutes apart, with every open promotion's check green."""
    for _ in range(times):
        try:
            scene.reconcile()
        except OutsideError:
            continue
        finally:
            scene.forge.pass_time(timedelta(minutes=10))
            for request in scene.forge.opened():
                scene.forge.check_as(request.iid, green())


def test_R11_a_merge_request_that_cannot_be_closed_stops_nothing_else(tmp_path: Path) -> None:
    scene = scene_on(Unclosable, tmp_path, CHECKED)
    scene.publish("v2")
    scene.settle()
    scene.publish("v3")
    wake(scene)
    assert digest("v3") in scene.pins("nonprod")
    assert [request.iid for request in scene.forge.opened() if "/nonprod/" in request.source_branch] == [1]
    assert "Merged as" in scene.report(2)


@pytest.mark.parametrize("failure", [unfit("merge", "r!1"), Transient("merge", "r!1", "lost")], ids=["unfit", "lost"])
def test_S17_a_merge_whose_answer_cannot_be_understood_is_proved_all_the_same(
    tmp_path: Path, failure: OutsideError
) -> None:
    scene = scene_on(Tampering, tmp_path)
    Tampering.failure = failure
    scene.publish("v2")
    wake(scene)
    assert scene.forge.requests[1].state is MergeRequestState.merged
    assert "Alarm" in scene.report(1) and "EVIL" in scene.report(1)


def test_a_merge_that_never_gets_ready_is_told(tmp_path: Path) -> None:
    scene = scene_on(Unready, tmp_path)
    scene.publish("v2")
    wake(scene, 2)
    assert "Towpath merges this" in scene.report(1)
    wake(scene, 4)
    assert "not ready to say" in scene.report(1)
