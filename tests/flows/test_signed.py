"""`merge: signed` over real HTTP on both forges: what went through the gate is signed, and nothing else is (S23)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from bot.errors import Conflict, Transient
from bot.forges import FORGES
from bot.git import Signer, SigningFailed
from bot.sandbox.gitdisk import DiskRepository
from bot.sandbox.model import Protection, RequestState, Role
from bot.sandbox.server import serve
from policies import trailers
from policies.actions import Merge
from policies.model import Mergeable, MergeRequest, MergeRequestState
from tests.builders import release
from tests.flows.town import FILES, FORGE, PROJECT, Town
from tests.flows.world import POLICY, Scene, values
from tests.git import keys
from tests.git.keys import Key
from workers.execute import execute
from workers.reconcile import reconcile

SIGNED = POLICY.replace("merge: auto", "merge: signed")
NO_PUSHING = Protection(1, "main", Role.none, Role.maintainer)
SSH = keys.KINDS[:1]


@contextmanager
def towns(folder: Path, redis_url: str, kind: str, settings: Mapping[str, str]) -> Iterator[Town]:
    town = Town(folder, redis_url, kind, {"towpath.yaml": SIGNED, **FILES}, settings)
    with serve(town.sandbox, ticking=False) as url:
        town.open(url)
        yield town


def settings_of(key: Key) -> dict[str, str]:
    return {"TOWPATH_SIGNING__KIND": key.kind, "TOWPATH_SIGNING__KEY_FILE": str(key.file)}


@pytest.fixture(params=SSH)
def key(request: pytest.FixtureRequest, tmp_path: Path) -> Key:
    return keys.make(request.param, tmp_path / "key")


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str, key: Key) -> Iterator[Town]:
    with towns(tmp_path / "town", redis_url, request.param, settings_of(key)) as made:
        yield made


def bare(town: Town) -> Path:
    git = town.sandbox.project(PROJECT).git
    assert isinstance(git, DiskRepository)
    return git.folder


def head(town: Town) -> str:
    return town.sandbox.head(PROJECT)


def parents(town: Town, commit: str) -> tuple[str, ...]:
    return town.sandbox.project(PROJECT).git.commit(commit).parents


def merges_by_api(town: Town) -> list[str]:
    return [one.path for one in town.sandbox.journal.entries("towpath") if one.path.endswith("/merge")]


@dataclass
class Meanwhile:
    """Signs, and lets something else happen once while it does."""

    signer: Signer
    happens: Callable[[], object] | None

    def sign(self, content: bytes) -> str:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens()
        return self.signer.sign(content)


def meanwhile(town: Town, key: Key, happens: Callable[[], object]) -> None:
    context = replace(town.world.context(FORGE, PROJECT), signer=Meanwhile(key.signer, happens))
    town.world._contexts[FORGE, PROJECT] = context


@pytest.mark.parametrize("kind", FORGES)
@pytest.mark.parametrize("key", keys.KINDS, indirect=True)
def test_S23_the_gates_merge_is_signed_and_the_proposal_is_not(
    kind: str, key: Key, tmp_path: Path, redis_url: str
) -> None:
    with towns(tmp_path / "town", redis_url, kind, settings_of(key)) as town:
        before = head(town)
        town.publish("v2")
        town.settle()
        assert town.pins("nonprod") == values(tag="v2")
        merged, verified = head(town), key.verify(bare(town), head(town))
        assert verified[0], verified[1]
        request = town.sandbox.request(PROJECT, 1)
        assert parents(town, merged) == (before, request.head)
        assert not key.verify(bare(town), request.head)[0]
        assert merges_by_api(town) == []


def test_the_forge_shows_it_as_merged_and_the_report_names_the_commit(town: Town) -> None:
    town.publish("v2")
    town.settle()
    request = town.sandbox.request(PROJECT, 1)
    assert (request.state, request.merge_commit) == (RequestState.merged, head(town))
    assert request.merged_by == town.sandbox.user("towpath")
    assert f"✅ Merged as `{head(town)[:12]}`" in town.report(1)
    commit = town.sandbox.project(PROJECT).git.commit(head(town))
    assert trailers.unsealed(commit.message, town.world.context("main", PROJECT).seal_keys) is not None
    assert {(one.name, one.email) for one in (commit.author, commit.committer)} == {("Towpath", keys.MAIL)}
    assert town.open_in("prod") is not None


def test_what_goes_around_the_gate_carries_no_signature(town: Town, key: Key) -> None:
    town.publish("v2")
    town.settle()
    assert key.verify(bare(town), head(town))[0]
    request = town.open_in("prod")
    assert request is not None
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    assert not key.verify(bare(town), head(town))[0]
    town.sandbox.commit_as("maria", PROJECT, "main", {"x": "y"}, "around")
    assert not key.verify(bare(town), head(town))[0]


@pytest.mark.parametrize("kind", FORGES)
def test_without_a_key_it_waits_and_says_which_setting_is_missing(kind: str, tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path / "town", redis_url, kind, {}) as town:
        town.publish("v2")
        town.settle()
        assert town.sandbox.request(PROJECT, 1).state is RequestState.opened
        report = town.report(1)
        assert "⏳ Waits: policy says `merge: signed`, and Towpath has no key to sign with" in report
        assert "`TOWPATH_SIGNING__KIND` and `TOWPATH_SIGNING__KEY_FILE`" in report
        assert merges_by_api(town) == []
        states = {one.name: one.status for one in town.sandbox.statuses(PROJECT, town.sandbox.request(PROJECT, 1).head)}
        assert states["towpath"] == "pending"


def test_S17_a_branch_that_moved_meanwhile_is_looked_at_again(town: Town, key: Key) -> None:
    """A change of the very same file by hand: the tree that was proved is not the one that would come about."""
    path = "environments/nonprod/one/shop/values.yaml"
    mended = values().replace("# kept\n", "# mended\n", 1)
    moved: list[str] = []

    def by_hand() -> None:
        moved.append(town.sandbox.commit_as("maria", PROJECT, "main", {path: mended}, "mend"))

    meanwhile(town, key, by_hand)
    town.publish("v2")
    town.settle()
    assert town.pins("nonprod") == values(tag="v2").replace("# kept\n", "# mended\n", 1)
    assert parents(town, head(town))[0] == moved[0]
    assert key.verify(bare(town), head(town))[0]
    assert "✅ Merged" in town.report(1)


def test_a_refused_push_is_told_and_tried_again_when_the_right_is_given(town: Town) -> None:
    project = town.sandbox.project(PROJECT)
    rules = dict(project.protections)
    project.protections.clear()
    project.protections["main"] = NO_PUSHING
    town.publish("v2")
    town.settle()
    assert town.pins("nonprod") == values()
    assert "the forge refused the merge" in town.report(1)
    assert "not allowed to push code to protected branches" in town.report(1)
    assert merges_by_api(town) == []
    project.protections.clear()
    project.protections.update(rules)
    town.pass_time(700)
    town.settle()
    assert town.pins("nonprod") == values(tag="v2")


def test_a_key_that_no_longer_signs_is_told_and_not_laid_at_the_forges_door(town: Town, key: Key) -> None:
    good = key.file.read_text()
    key.file.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    town.publish("v2")
    town.settle()
    assert town.pins("nonprod") == values()
    assert "the merge could not be signed: `ssh-keygen refused it" in town.report(1)
    assert str(key.file) not in town.report(1)
    assert merges_by_api(town) == []
    key.file.write_text(good)
    town.pass_time(700)
    town.settle()
    assert key.verify(bare(town), head(town))[0]


def test_a_push_whose_answer_is_lost_is_proved_and_told_later(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = town.world.context(FORGE, PROJECT).mirror
    push = mirror.push

    def lost(branch: str, commit: str, expect: str | None) -> None:
        push(branch, commit, expect)
        if branch == "main":
            raise Transient("push", branch, "no answer")

    monkeypatch.setattr(mirror, "push", lost)
    town.publish("v2")
    town.settle()
    merged = town.sandbox.request(PROJECT, 1)
    assert (merged.state, merged.merge_commit) == (RequestState.merged, head(town))
    assert f"✅ Merged as `{head(town)[:12]}`" in town.report(1)


# In process: what no forge over HTTP can be brought to at the right moment.


@pytest.fixture
def scene(tmp_path: Path, key: Key) -> Scene:
    made = Scene(tmp_path / "scene", SIGNED)
    made.context = replace(made.context, signer=key.signer)
    return made


def test_a_forge_that_has_not_seen_the_merge_yet_is_left_alone(scene: Scene) -> None:
    """GitLab looks at pushes in the background: closed before that, the merge request would stay closed."""
    scene.publish("v2")
    for _ in range(3):
        scene.reconcile()
    done = scene.reconcile()
    assert scene.pins("nonprod") == values(tag="v2")
    assert scene.forge.requests[1].state is MergeRequestState.opened
    assert done.plan.stages[0].look_again is not None


def test_a_branch_that_was_put_back_to_the_target_branch_has_not_landed(scene: Scene) -> None:
    """Its head is in the target branch, but nothing of Towpath's is in its head: it is replaced."""
    scene.forge.commit_as({"towpath.yaml": POLICY.replace("merge: auto", "merge: manual")})
    scene.publish("v2")
    scene.settle()
    request = scene.open_in("nonprod")
    assert request is not None
    scene.forge.git.references.create(f"refs/heads/{request.source_branch}", scene.forge.head("r", "main"), force=True)
    scene.settle()
    new = scene.open_in("nonprod")
    assert new is not None and new.iid != request.iid
    assert scene.forge.requests[request.iid].state is MergeRequestState.closed


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"state": MergeRequestState.closed}, "it is closed"),
        ({"head": "f" * 40}, "its head moved"),
        ({"mergeable": Mergeable.no, "merge_reason": "draft_status"}, "draft_status"),
    ],
)
def test_S17_what_the_forge_would_refuse_is_refused_before_anything_is_signed(
    scene: Scene, change: dict[str, object], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = scene.forge.request

    def changed(repository: str, iid: int) -> MergeRequest:
        return replace(request(repository, iid), **change)  # type: ignore[arg-type] # a test names any field

    monkeypatch.setattr(scene.forge, "request", changed)
    scene.publish("v2")
    with pytest.raises(Conflict, match=words):
        scene.settle()
    assert scene.pins("nonprod") == values()


@dataclass
class Noting:
    """Keeps what it signs."""

    signer: Signer
    signed: list[bytes]

    def sign(self, content: bytes) -> str:
        self.signed.append(content)
        return self.signer.sign(content)


def test_the_lease_of_the_work_is_looked_at_between_signing_and_pushing(scene: Scene, key: Key) -> None:
    signed: list[bytes] = []

    def late() -> None:
        if signed:
            raise Conflict("finish", "unit", "its lease is about to end")

    scene.publish("v2")
    scene.context = replace(scene.context, signer=Noting(key.signer, signed))
    with pytest.raises(Conflict, match="lease"):
        reconcile(scene.context, replace(scene.hands, still_mine=late), scene.unit)
    assert signed and scene.pins("nonprod") == values()


def test_S23_the_gates_merges_alone_are_signed(scene: Scene, key: Key) -> None:
    signed: list[bytes] = []
    scene.context = replace(scene.context, signer=Noting(key.signer, signed))
    scene.publish("v2")
    for _ in range(3):
        scene.reconcile()
    assert scene.open_in("prod") is not None
    assert len(signed) == 1 and signed[0].count(b"\nparent ") == 2


def test_there_is_no_way_from_a_signed_merge_to_the_forges_own(scene: Scene) -> None:
    """Even where a plan asks for it and the key is gone since."""
    scene.publish("v2")
    scene.context = replace(scene.context, signer=None)
    scene.settle()
    request = scene.forge.request("r", 1)
    base, message = scene.forge.head("r", "main"), "Promote"
    action = Merge(1, "nonprod", release("v2"), request.head, "", message, base, signed=True)
    with pytest.raises(SigningFailed, match="TOWPATH_SIGNING__KEY_FILE is not set"):
        execute(scene.context, scene.hands, scene.reconcile().snapshot, (action,))
    assert scene.forge.head("r", "main") == base
