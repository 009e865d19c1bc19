"""Celery: the engine that spreads work over machines. No fact lives in its messages (see the handbook, section 9)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import structlog
from celery import Celery

from bot.errors import Conflict, OutsideError, RateLimited
from bot.memory import Answer
from bot.pending import GIVE_UP, LONGEST_PAUSE, Claim, Work
from policies.actions import Plan, StagePlan
from policies.model import Image
from policies.snapshot import Snapshot
from policies.verdict import Outcome
from policies.wanted import entry_stages
from policies.wording.promotion import release_name
from workers import routes
from workers.conversation import heed_labels
from workers.execute import Hands
from workers.pushes import validate_push
from workers.reconcile import reconcile
from workers.validation import validate
from workers.watching import due, watch
from workers.world import World

log = structlog.get_logger(__name__)

TASK = "towpath.v1.work"
QUEUE = "towpath.v1"
VALIDATE_QUEUE = "towpath.v1.validate"
VALIDATED = frozenset({"validate", "pushed"})
"""Works for those workers."""
MARGIN = 20.0
"""Seconds before the end of a lease after which nothing is written any more."""
FIRST_PAUSE = 2.0
"""Seconds until a failing work is tried again: doubled each time, up to the longest."""
MOST_DOUBLED = 16
"""Failures after which the pause is the longest in any case; two to the power of thousands is no number."""
OF_ALL = frozenset({"image", "sweep"})
"""Works of all repositories: one of them that fails must not keep what is new from the others."""


def make_app(world: World, broker: str) -> Celery:
    """The Celery application of a world; late acknowledgement and a short visibility timeout: work is idempotent."""
    app = Celery("towpath", broker=broker)
    app.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_transport_options={"visibility_timeout": 300, "socket_timeout": 5, "socket_connect_timeout": 5},
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
    )

    @app.task(name=TASK)  # type: ignore[untyped-decorator]  # Celery is not typed
    def work(item: list[str]) -> None:
        do_work(world, tuple(item))

    return app


def queue_of(work: Work) -> str:
    """Where a work is sent: validating takes long, and must hold no promotion up."""
    return VALIDATE_QUEUE if work[0] in VALIDATED else QUEUE


def do_work(world: World, work: Work) -> None:
    """Claim one work, do it, and say when it is due again; whoever holds it already does it for us."""
    claim = world.pending.claim(work, world.clock().timestamp(), _lease(world, work))
    if claim is None:
        return
    with structlog.contextvars.bound_contextvars(work=list(work), cause=claim.cause):
        try:
            at = _do(world, claim)
        except RateLimited as error:
            _fail(world, claim, error, error.retry_at.timestamp())
        except OutsideError as error:
            _fail(world, claim, error, world.clock().timestamp() + _pause(claim, error))
        except Exception as error:
            # A fault of ours must not kill the worker nor hold the others up (R11): it is told, and tried again later.
            log.exception("fault")
            _fail(world, claim, error, world.clock().timestamp() + _pause(claim, error))
        else:
            world.pending.release(claim, at)


def _lease(world: World, work: Work) -> float:
    """Seconds for which a work is held: a validator that begins at the last moment must end before anybody else begins.

    So nothing is begun later than in any other work, and what runs then has all its time."""
    return world.pending.lease + (world.longest_look if work[0] in VALIDATED else 0)


def _pause(claim: Claim, error: Exception) -> float:
    if isinstance(error, Conflict) and claim.failures == 0:
        return 0.2
    return float(min(FIRST_PAUSE * 2 ** min(claim.failures, MOST_DOUBLED), LONGEST_PAUSE))


def _fail(world: World, claim: Claim, error: Exception, at: float) -> None:
    log.warning("failed", error=type(error).__name__, why=str(error), failures=claim.failures + 1)
    if claim.failures + 1 == GIVE_UP:
        letter = {"work": " ".join(claim.work), "cause": claim.cause, "error": str(error)}
        world.pending.dead_letter(letter)
    world.pending.release(claim, at, failed=True, blocks=claim.work[0] not in OF_ALL)


def _do(world: World, claim: Claim) -> float | None:
    """Do one work; the time at which it is due again, if it is."""
    kind, *rest = claim.work
    match kind, rest:
        case "unit", [forge, repository, unit]:
            return _reconcile(world, claim, forge, repository, unit)
        case "image", [image]:
            routes.route_image(world, image, world.clock())
        case "repository", [forge, repository]:
            routes.route_repository(world, forge, repository, world.clock())
        case "request", [forge, repository, iid]:
            again = routes.route_request(world, _hands(world, claim), forge, repository, int(iid))
            return again.timestamp() if again is not None else None
        case "issue", [forge, repository, iid]:
            routes.route_issue(world, _hands(world, claim), forge, repository, int(iid))
        case "branch", [forge, repository, branch]:
            routes.route_branch(world, forge, repository, branch, world.clock())
        case "sweep", []:
            _sweep(world)
        case "validate" | "pushed", [forge, repository, *what]:
            _validate(world, claim, (forge, repository), what)
        case "doctor", [forge, repository]:
            watch(world, forge, repository)
        case _:
            raise ValueError(f"no such work: {claim.work}")
    return None


def _validate(world: World, claim: Claim, place: tuple[str, str], what: list[str]) -> None:
    """Look at a merge request (its number), or at what was pushed between two commits."""
    if claim.work[0] == "pushed":
        last, head = what
        validate_push(world, _hands(world, claim), place, (last, head))
    else:
        (iid,) = what
        validate(world, _hands(world, claim), place, int(iid))


def _sweep(world: World) -> None:
    """The sweep; the look at the gates is marked as work of its own, so that neither can stop the other."""
    looks = due(world)
    if looks:
        world.pending.mark(looks, world.clock().timestamp(), cause="sweep")
    routes.sweep(world, world.clock())


def _reconcile(world: World, claim: Claim, forge: str, repository: str, unit: str) -> float | None:
    context = world.context(forge, repository)
    hands = _hands(world, claim)

    def heed(snapshot: Snapshot) -> bool:
        return heed_labels(context, hands, snapshot)

    done = reconcile(context, hands, unit, heed)
    if heed(done.snapshot):
        done = reconcile(context, hands, unit, heed)
    tell(world, done.snapshot, done.plan)
    if done.failures:
        raise done.failures[0]
    return done.wake_at.timestamp() if done.wake_at is not None else None


def _hands(world: World, claim: Claim) -> Hands:
    return Hands(world.identity, world.clock, _deadline(world.clock, world.pending.lease, claim.work))


def _deadline(clock: Callable[[], datetime], lease: float, work: Work) -> Callable[[], None]:
    end = clock() + timedelta(seconds=lease - MARGIN)

    def still_mine() -> None:
        if clock() > end:
            raise Conflict("finish", " ".join(work), "its lease is about to end")

    return still_mine


def tell(world: World, snapshot: Snapshot, plan: Plan) -> None:
    """Answer those who wait for what they published (`towpath publish --wait`)."""
    entries = {view.stage.name: view for view in entry_stages(snapshot)}
    for stage in plan.stages:
        if stage.stage not in entries:
            continue
        moving = stage.release.digests if stage.release is not None else {}
        for repository in entries[stage.stage].repositories:
            for sighting in world.pending.sightings(repository)[:3]:
                same = moving.get(repository) == sighting.image.digest
                _tell_one(world, snapshot, stage, sighting.image, same)


def _tell_one(world: World, snapshot: Snapshot, stage: StagePlan, image: Image, moves: bool) -> None:
    state, text = _became(snapshot, stage, image, moves)
    answer = Answer(state, snapshot.unit, stage.stage, text, stage.request if state == "opened" else "")
    world.memory.note_answer(image.repository, image.digest, answer)


def _became(
    snapshot: Snapshot, stage: StagePlan, image: Image, moves: bool
) -> tuple[Literal["waiting", "opened", "done", "refused"], str]:
    pinned = {pin for (_, name), pin in snapshot.moments[0].pins.items() if name == image.repository}
    verdict = stage.verdict
    if image.digest in pinned:
        return "done", f"{stage.stage} runs it"
    if moves and stage.request:
        return "opened", verdict.reason
    pauses = verdict.outcome is Outcome.wait or verdict.gate in ("hold", "state")
    if pauses and (moves or stage.release is None):
        return "waiting", verdict.reason
    if stage.release is not None and not moves:
        return "refused", f"{release_name(stage.release)} goes before it: {verdict.reason}"
    return "refused", f"{verdict.reason}; {verdict.change}" if verdict.change else verdict.reason
