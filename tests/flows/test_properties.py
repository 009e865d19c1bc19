"""For any policy, repository and order of events: what must always hold once everything has settled."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import naming
from policies.decide import decide
from policies.model import Mergeable, MergeRequestState
from tests.flows.world import HOST, Scene, digest, values
from workers.reconcile import look

CHAIN = ("nonprod", "ring-1", "ring-2")
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("publish"), st.integers(1, 6)),
        st.tuples(st.just("merge"), st.integers(0, 3)),
        st.tuples(st.just("close"), st.integers(0, 3)),
        st.tuples(st.just("revert"), st.integers(0, 3)),
        st.tuples(st.just("push"), st.integers(0, 3)),
        st.tuples(st.just("forget"), st.just(0)),
        st.tuples(st.just("pin"), st.integers(1, 6)),
        st.tuples(st.just("neighbour"), st.integers(0, 2)),
    ),
    max_size=9,
)


def policy(merges: tuple[str, ...], fan_in: bool) -> str:
    after = ["", "[nonprod]", "[nonprod, ring-1]" if fan_in else "[ring-1]"]
    stages = "".join(
        f"  - name: {name}\n    where: {{environment: {name}}}\n    merge: {merge}\n    checks: optional\n"
        + (f"    after: {earlier}\n" if earlier else "")
        for name, merge, earlier in zip(CHAIN, merges, after, strict=True)
    )
    path = "environments/{environment}/{cluster}/{service}/values.yaml"
    return f"version: 1\nservices:\n  path: {path}\n  registries: [{HOST}/]\nstages:\n{stages}"


def files(clusters: int) -> dict[str, str]:
    names = ("one", "two")[:clusters]
    return {f"environments/{stage}/{name}/shop/values.yaml": values(tag="v0") for stage in CHAIN for name in names}


@contextmanager
def scenes(text: str, clusters: int) -> Iterator[Scene]:
    with tempfile.TemporaryDirectory() as folder:
        yield Scene(Path(folder), text, files(clusters))


def happen(scene: Scene, event: tuple[str, int]) -> None:
    kind, number = event
    scene.forge.pass_time()
    opened = scene.forge.opened()
    merged = [one for one in scene.forge.requests.values() if one.state is MergeRequestState.merged]
    match kind:
        case "publish":
            # Announcements come in any order; each build has its own time.
            scene.publish(f"v{number}", created=datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=number))
        case "merge" if opened and opened[number % len(opened)].mergeable is Mergeable.yes:
            scene.forge.merge_as(opened[number % len(opened)].iid)
        case "close" if opened:
            scene.forge.close_as(opened[number % len(opened)].iid)
        case "revert" if merged:
            _revert(scene, merged[number % len(merged)].merge_commit or "")
        case "push" if opened:
            scene.forge.commit_as({f"note-{number}": "by hand"}, opened[number % len(opened)].source_branch)
        case "forget":
            scene.memory.texts.clear()
            scene.fresh_context()
        case "pin":
            # By hand and out of turn; it was announced, so that there is an order to keep.
            scene.publish(f"v{number}", created=datetime(2026, 2, 1, tzinfo=UTC) + timedelta(hours=number))
            scene.forge.commit_as({f"environments/{CHAIN[0]}/one/shop/values.yaml": values(tag=f"v{number}")})
        case "neighbour":
            scene.forge.commit_as({f"environments/{CHAIN[number]}/README.md": str(number)})
        case _:
            pass


def _revert(scene: Scene, commit: str) -> None:
    undone = scene.forge.git[commit]
    assert undone is not None
    try:
        scene.forge.revert_as(commit)
    except AssertionError:
        return  # It conflicts, so a person could not click it either.


def held_everywhere(scene: Scene) -> dict[str, list[set[str]]]:
    """For each stage the digests that its targets pinned, one set a commit, oldest first."""
    found: dict[str, list[set[str]]] = {stage: [] for stage in CHAIN}
    snapshot, _ = look(scene.context, scene.unit, scene.forge.now)
    for moment in reversed(snapshot.moments):
        for stage in CHAIN:
            pins = {pin for (path, _), pin in moment.pins.items() if f"/{stage}/" in path}
            found[stage].append(pins)
    return found


# A whole flow costs a tenth of a second: fewer examples than the profile's for small properties.
@settings(
    max_examples=settings().max_examples * 6 // 10,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    merges=st.tuples(*[st.sampled_from(["auto", "manual"])] * 3),
    fan_in=st.booleans(),
    clusters=st.integers(1, 2),
    events=EVENTS,
)
def test_invariants_hold_after_any_events(
    merges: tuple[str, ...], fan_in: bool, clusters: int, events: list[tuple[str, int]]
) -> None:
    with scenes(policy(merges, fan_in), clusters) as scene:
        scene.settle()
        for event in events:
            happen(scene, event)
            _settled_once(scene)
        _settled_twice(scene)


def _settled_once(scene: Scene) -> None:
    done = scene.settle()
    assert done.plan.actions == ()  # Executing a plan and deciding again yields nothing.
    branches = [one.source_branch for one in scene.forge.opened()]
    assert len({branch.split("/")[2] for branch in branches}) == len(branches)  # At most one open in a stage.
    assert all(len(notes) == 1 for notes in scene.forge.comments.values())


def _settled_twice(scene: Scene) -> None:
    snapshot, plan = look(scene.context, scene.unit, scene.forge.now)
    assert decide(snapshot, scene.forge.now) == plan
    _never_ahead_of_upstream(scene)
    _towpath_never_goes_back(scene)


def _never_ahead_of_upstream(scene: Scene) -> None:
    """A later stage never gets by Towpath a release that the earlier one never had."""
    held = held_everywhere(scene)
    upstream = {"ring-1": ("nonprod",), "ring-2": ("ring-1",)}
    for stage, earlier in upstream.items():
        ever = set().union(*held[stage]) - {digest("v0")}
        for name in earlier:
            assert ever <= set().union(*held[name]), (stage, name)


def _towpath_never_goes_back(scene: Scene) -> None:
    """No merge request of Towpath's brings an older image than the branch had when it was opened."""
    for request in scene.forge.requests.values():
        wanted = int(request.title.split()[2].removeprefix("v"))
        parent = scene.context.mirror.parents(_own(scene, request.head, request.source_branch))[0]
        stage = request.source_branch.split("/")[2]
        for name in ("one", "two"):
            text = scene.context.mirror.read(parent, f"environments/{stage}/{name}/shop/values.yaml")
            if text is not None:
                pinned = int(text.decode().split("tag: v")[1].split()[0])
                assert pinned <= wanted, request.title


def _own(scene: Scene, head: str, branch: str) -> str:
    from workers.observe.own import own_commit

    scene.context.mirror.ensure(head)
    name = naming.parse_branch(branch)
    found = own_commit(scene.context, head, name) if name is not None else None
    assert found is not None
    return found[0]
