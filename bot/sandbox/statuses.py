"""Commit statuses, the pipelines that they make, environments and deployments."""

from dataclasses import dataclass

from bot.sandbox.branches import may_push, protections
from bot.sandbox.errors import Forbidden, Invalid, NotFound
from bot.sandbox.model import (
    CommitStatus,
    Deployment,
    Environment,
    Pipeline,
    PipelineMoved,
    Project,
    Role,
    StatusSet,
    User,
)
from bot.sandbox.state import State, require

FINISHED = frozenset({"success", "failed", "canceled", "skipped"})

EVENTS = {
    "pending": ("enqueue", frozenset({"created"})),
    "running": ("run", frozenset({"created", "pending"})),
    "success": ("success", frozenset({"created", "pending", "running"})),
    "failed": ("drop", frozenset({"created", "pending", "running"})),
    "canceled": ("cancel", frozenset({"created", "pending", "running"})),
    "skipped": ("skip", frozenset({"created", "pending"})),
}
"""State asked for, to GitLab's name of the transition and the states that it starts from."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A status to be set from outside."""

    state: str
    name: str = "default"
    ref: str | None = None
    description: str | None = None
    target_url: str | None = None
    pipeline_id: int | None = None
    coverage: float | None = None


def pipeline_status(pipeline: Pipeline) -> str:
    """What its statuses come to, by GitLab's rules for composite statuses."""
    newest = [one for one in pipeline.statuses if not one.retried]
    states = {"success" if one.allow_failure and one.status == "failed" else one.status for one in newest}
    if states <= {"skipped"}:
        return "skipped"
    if states <= {"success", "skipped"}:
        return "success"
    if states <= {"created", "skipped"}:
        return "created"
    if states <= {"canceled", "success", "skipped"}:
        return "canceled"
    if states <= {"pending", "created", "skipped"}:
        return "pending"
    return "running" if states & {"running", "pending", "created"} else "failed"


def set_status(state: State, project: Project, actor: User, sha: str, wanted: Setting) -> CommitStatus:
    """Set a status. Invalid for a transition that GitLab refuses; a finished one is followed by a new one."""
    require(project, actor, Role.developer)
    if wanted.state not in EVENTS:
        raise Invalid("state", "state does not have a valid value")
    commit = _commit(project, sha)
    pipeline = _pipeline(state, project, actor, commit, wanted)
    before = pipeline_status(pipeline) if pipeline.statuses else ""
    found = _under_way(pipeline, wanted.name, actor) or _new(state, pipeline, wanted.name, actor)
    _transition(state, found, wanted.state)
    found.description = wanted.description if wanted.description is not None else found.description
    found.target_url = wanted.target_url if wanted.target_url is not None else found.target_url
    found.coverage = wanted.coverage if wanted.coverage is not None else found.coverage
    _keep(pipeline, found)
    pipeline.updated_at = state.clock()
    state.tell(StatusSet(project, found, actor))
    if pipeline_status(pipeline) != before:
        state.tell(PipelineMoved(project, pipeline))
    return found


def report_status(state: State, project: Project, actor: User, sha: str, wanted: Setting) -> CommitStatus:
    """As GitHub keeps statuses: each one is new, any state may follow any, the newest of a name counts."""
    require(project, actor, Role.developer)
    commit = _commit(project, sha)
    pipeline = next((one for one in project.pipelines if (one.sha, one.source) == (commit, "external")), None)
    if pipeline is None:
        ref = next((name for name, head in project.git.heads().items() if head == commit), "")
        pipeline = add_pipeline(state, project, actor, (commit, ref), "external")
    before = pipeline_status(pipeline) if pipeline.statuses else ""
    made = _new(state, pipeline, wanted.name, actor)
    made.status, made.description, made.target_url = wanted.state, wanted.description, wanted.target_url
    _keep(pipeline, made)
    pipeline.updated_at = state.clock()
    state.tell(StatusSet(project, made, actor))
    if pipeline_status(pipeline) != before:
        state.tell(PipelineMoved(project, pipeline))
    return made


def add_pipeline(state: State, project: Project, user: User, at: tuple[str, str], source: str) -> Pipeline:
    """A new pipeline for (commit, branch), without statuses."""
    sha, ref = at
    now, iid = state.clock(), len(project.pipelines) + 1
    made = Pipeline(state.number("pipeline"), iid, sha, ref, source, user, now, now)
    project.pipelines.append(made)
    return made


def of_commit(project: Project, sha: str) -> list[tuple[Pipeline, CommitStatus]]:
    """All statuses of a commit, with their pipelines, oldest first. NotFound for an unknown commit."""
    commit = _commit(project, sha)
    found = [(pipe, status) for pipe in project.pipelines if pipe.sha == commit for status in pipe.statuses]
    return sorted(found, key=lambda pair: pair[1].id)


@dataclass(frozen=True, slots=True)
class Deploying:
    """A deployment to be recorded."""

    environment: str
    sha: str
    ref: str
    status: str


def deploy(state: State, project: Project, actor: User, wanted: Deploying) -> Deployment:
    """Record a deployment; the environment is made where it is missing."""
    require(project, actor, Role.developer)
    if wanted.status not in ("created", "running", "success", "failed", "canceled"):
        raise Invalid("status", "status does not have a valid value")
    sha, now = _commit(project, wanted.sha), state.clock()
    place = environment(state, project, wanted.environment)
    made = Deployment(
        id=state.number("deployment"),
        iid=len(project.deployments) + 1,
        environment=place,
        sha=sha,
        ref=wanted.ref,
        status=wanted.status,
        user=actor,
        created_at=now,
        updated_at=now,
    )
    project.deployments[made.id] = made
    return made


def redeploy(state: State, project: Project, actor: User, number: int, status: str) -> Deployment:
    """Change a deployment's status; a finished one stays."""
    require(project, actor, Role.developer)
    found = project.deployments.get(number)
    if found is None:
        raise NotFound
    if found.status in FINISHED:
        raise Invalid("status", f'cannot transition via "{status}"')
    found.status, found.updated_at = status, state.clock()
    return found


def environment(state: State, project: Project, name: str, url: str | None = None) -> Environment:
    """The environment of that name, made where it is missing."""
    for found in project.environments.values():
        if found.name == name:
            return found
    made = Environment(state.number("environment"), name, url, state.clock())
    project.environments[made.id] = made
    return made


def _commit(project: Project, sha: str) -> str:
    found = project.git.resolve(sha)
    if found is None:
        raise NotFound("Commit")
    return found


def _pipeline(state: State, project: Project, actor: User, sha: str, wanted: Setting) -> Pipeline:
    """The newest of the commit on that branch, as GitLab adds to; else a new one of source `external`."""
    ref = wanted.ref or next((name for name, head in project.git.heads().items() if head == sha), None)
    if ref is None:
        raise NotFound("References for commit")
    if protections(project, ref) and not may_push(project, actor, ref):
        raise Forbidden("protected branch")
    for found in reversed(project.pipelines):
        asked = wanted.pipeline_id in (None, found.id)
        if (found.sha, found.ref) == (sha, ref) and asked:
            return found
    if wanted.pipeline_id is not None:
        raise NotFound("Pipeline")
    return add_pipeline(state, project, actor, (sha, ref), "external")


def _under_way(pipeline: Pipeline, name: str, actor: User) -> CommitStatus | None:
    for found in pipeline.statuses:
        if (found.name, found.author) == (name, actor) and found.status in ("pending", "running") and not found.retried:
            return found
    return None


def _new(state: State, pipeline: Pipeline, name: str, actor: User) -> CommitStatus:
    return CommitStatus(
        id=state.number("status"),
        name=name,
        status="created",
        sha=pipeline.sha,
        ref=pipeline.ref,
        author=actor,
        created_at=state.clock(),
    )


def _transition(state: State, found: CommitStatus, wanted: str) -> None:
    event, starts = EVENTS[wanted]
    if found.status not in starts:
        reason = f'Status cannot transition via "{event}"'
        raise Invalid("", f"Cannot transition status via :{event} from :{found.status} (Reason(s): {reason})")
    found.status = wanted
    if wanted == "running":
        found.started_at = state.clock()
    if wanted in FINISHED:
        found.finished_at = state.clock()


def _keep(pipeline: Pipeline, found: CommitStatus) -> None:
    if found in pipeline.statuses:
        return
    for older in pipeline.statuses:
        older.retried = older.retried or older.name == found.name
    pipeline.statuses.append(found)
