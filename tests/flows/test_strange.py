"""What anybody can push and no forge's page would make: it is told where it belongs, and stops nothing else (R11)."""

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pygit2
import pytest
import structlog
from pygit2.enums import FileMode, ObjectType
from structlog.testing import capture_logs
from structlog.typing import EventDict

from bot.forges import FORGES
from bot.git import Mirror
from bot.sandbox.requests import Opening
from tests.flows.gated import GATED, approve, gated_town, is_in_prod, look, waiting
from tests.flows.town import PROJECT, Town
from tests.flows.world import Scene, digest, values
from workers.audit import audit
from workers.observe import observe

WHO, WHEN = b"Jonas <j@x>", b"1700000000"


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """A gated prod; v2 is in nonprod and waits for prod."""
    made = Scene(tmp_path, policy=GATED)
    made.forge.commit_as({"CODEOWNERS": "* @olga\n"})
    made.publish("v2")
    made.settle()
    return made


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, request.param) as made:
        yield made


@pytest.mark.parametrize("where", ["main", "promotion"])
@pytest.mark.parametrize(
    ("who", "rest"),
    [
        (WHO + b" " + WHEN, b"encoding no-such\n\nx\n"),
        (WHO + b" " + WHEN, b"encoding utf-16\n\nabc"),
        (WHO + b" 999999999999999", b"\nx\n"),
        (b" <> " + WHEN, b"\nx\n"),
        (b" <> " + WHEN, b""),
        (b"a <> " + WHEN, b""),
        (WHO + b" 999999999999999", b""),
    ],
)
def test_R11_no_commit_stops_a_service(scene: Scene, where: str, who: bytes, rest: bytes) -> None:
    """An empty rest: Towpath's own message, copied to where its commit was."""
    opened = scene.open_in("prod")
    assert opened is not None
    branch = "main" if where == "main" else opened.source_branch
    head = scene.forge.head("r", branch)
    mirror = scene.context.mirror
    if not rest:
        rest, head = b"\n" + mirror.message(head).encode(), mirror.parents(head)[0]
    people = b"author " + who + b" +0000\ncommitter " + who + b" +0000\n"
    git = scene.forge.git
    lines = f"tree {mirror.tree(head)}\nparent {head}\n".encode()
    commit = git.odb.write(ObjectType.COMMIT, lines + people + rest)
    git.references.create(f"refs/heads/{branch}", commit, force=True)
    scene.settle()
    scene.publish("v3")
    scene.settle()
    assert digest("v3") in scene.pins("nonprod")
    assert digest("v1") in scene.pins("prod")
    scene.memory.texts.clear()
    scene.fresh_context()
    scene.settle()


class Deaf(Mirror):
    """A mirror that cannot read one commit's message, as one with a fault of ours."""

    lost = ""

    def message(self, commit: str) -> str:
        if commit == self.lost:
            raise ValueError("nobody can read this")
        return super().message(commit)


def test_R11_a_change_that_cannot_be_looked_at_is_told_and_hides_no_other(scene: Scene) -> None:
    merged = scene.open_in("prod")
    assert merged is not None
    scene.forge.merge_as(merged.iid)
    scene.settle()
    key = f"audited:{scene.context.subject}"
    before = scene.memory.get(key)
    assert before is not None
    lost = scene.forge.commit_as({"environments/prod/one/cart/values.yaml": values(tag="evil")})
    scene.forge.commit_as({"environments/prod/two/shop/values.yaml": values(tag="evil")})
    snapshot = observe(scene.context, "shop")
    mirror = Deaf(scene.context.mirror.folder, lambda: scene.forge.access(""))
    mirror.lost = lost
    context = replace(scene.context, mirror=mirror)

    def told(context: object) -> list[tuple[str, object]]:
        with capture_logs() as logs:
            audit(context, scene.hands, snapshot)  # type: ignore[arg-type]
        return [(one["event"], one.get("unit")) for one in logs if one["log_level"] == "critical"]

    assert told(context) == [("a change cannot be looked at", None), ("pushed around the gates", "shop")]
    assert scene.memory.get(key) == before
    assert told(context) == []
    assert told(scene.context) == [("pushed around the gates", "cart")]
    assert scene.memory.get(key) == snapshot.head


# Names that are not UTF-8.


def pushed(town: Town, files: Mapping[bytes, str], branch: str = "main") -> str:
    """Jonas pushes files by names of any bytes."""
    folder = town.sandbox.project(PROJECT).git.folder  # type: ignore[attr-defined] # it is on a disk
    git, head = pygit2.Repository(str(folder)), town.sandbox.head(PROJECT, branch)
    tree = str(git[head].peel(pygit2.Tree).id)
    for path, text in files.items():
        tree = _with(git, tree, path.split(b"/"), str(git.create_blob(text.encode())))
    who = b"Jonas <jonas@example.com> %d +0000" % int(town.now.timestamp())
    lines = f"tree {tree}\nparent {head}\n".encode()
    commit = str(git.odb.write(ObjectType.COMMIT, lines + b"author " + who + b"\ncommitter " + who + b"\n\nx\n"))
    town.sandbox.force_as("jonas", PROJECT, branch, commit)
    return commit


def _with(git: pygit2.Repository, tree: str, parts: list[bytes], blob: str) -> str:
    found = {str(one.name).encode(errors="surrogateescape"): one for one in git[tree].peel(pygit2.Tree)} if tree else {}
    entries = {name: (one.filemode, str(one.id)) for name, one in found.items()}
    if len(parts) == 1:
        entries[parts[0]] = (FileMode.BLOB, blob)
    else:
        below = entries.get(parts[0], (FileMode.TREE, ""))[1]
        entries[parts[0]] = (FileMode.TREE, _with(git, below, parts[1:], blob))
    ordered = sorted(entries.items(), key=lambda one: one[0] + (b"/" if one[1][0] == FileMode.TREE else b""))
    rows = (b"%o %b\0%b" % (int(mode), name, bytes.fromhex(of)) for name, (mode, of) in ordered)
    return str(git.odb.write(ObjectType.TREE, b"".join(rows)))


def stuck(town: Town) -> list[str]:
    """The works that were given up, those of validators among them."""
    return [one["work"] for one in town.pending.dead_letters() if "work" in one]


def critical(logs: list[EventDict]) -> list[str]:
    return [str(one["event"]) for one in logs if one["log_level"] == "critical"]


def test_R11_a_file_whose_name_is_not_utf_8_blocks_its_own_stage_with_words(town: Town) -> None:
    request = waiting(town)
    with capture_logs() as logs:
        pushed(town, {b"environments/prod/caf\xe9/shop/values.yaml": values()})
        town.settle()
    assert "pushed around the gates" in critical(logs)
    assert "`environments/prod/caf /shop/values.yaml`: its name is not UTF-8: rename it" in town.report(request.iid)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
    town.publish("v3")
    town.settle()
    assert digest("v3") in town.pins("nonprod")
    assert not is_in_prod(town, "v3")
    town.sandbox.commit_as("maria", PROJECT, "main", {"environments/prod/two/shop/values.yaml": values()}, "two")
    assert "not UTF-8" in town.report(request.iid)


def test_R11_a_file_in_the_first_stage_blocks_that_alone(town: Town) -> None:
    request = waiting(town)
    pushed(town, {b"environments/nonprod/caf\xe9/shop/values.yaml": values()})
    town.publish("v3")
    town.settle()
    assert digest("v3") not in town.pins("nonprod")
    assert town.sandbox.request(PROJECT, request.iid).state.value == "opened"


def test_R11_a_service_whose_name_is_not_utf_8_is_left_out_and_stops_no_other(town: Town) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with capture_logs() as logs:
        pushed(town, {b"environments/%b/one/caf\xe9/values.yaml" % stage: values() for stage in (b"nonprod", b"prod")})
        town.publish("v3")
        town.settle()
        town.sweep()
        town.pass_time(4000)
        town.sweep()
        look(town)
    told = [one for one in logs if one["event"].startswith("services left out")]
    assert [one["services"] for one in told] == [["'caf\\udce9'"]]
    assert critical(logs) == ["pushed around the gates"]
    assert stuck(town) == []
    assert digest("v3") in town.pins("nonprod")
    approve(town, "olga", waiting(town).iid)
    assert is_in_prod(town, "v3")


def test_R11_a_persons_request_with_such_a_name_is_looked_at_and_gated(town: Town) -> None:
    town.sandbox.force_as("jonas", PROJECT, "mine", town.sandbox.head(PROJECT))
    pushed(town, {b"environments/prod/one/caf\xe9/values.yaml": values()}, "mine")
    request = town.sandbox.open_as("jonas", PROJECT, Opening("mine", "main", "Mine"))
    town.settle()
    assert stuck(town) == []
    if town.kind == "github":
        assert town.status(request).startswith("failed Changes what Towpath gates in prod")
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    with capture_logs() as logs:
        town.settle()
    assert critical(logs) == ["merged around the gates"]
    assert "merged without the approvals that policy asks for in `prod` of `caf`" in town.report(request.iid)


def test_R11_such_a_name_on_a_promotions_branch_blocks_it_with_words(town: Town) -> None:
    request = waiting(town)
    pushed(town, {b"environments/prod/one/caf\xe9/values.yaml": values()}, request.source_branch)
    town.settle()
    assert stuck(town) == []
    assert "somebody pushed to it" in town.report(request.iid)
    approve(town, "olga", request.iid)
    assert not is_in_prod(town)
