"""The endpoints of commit statuses, pipelines, environments, deployments and hooks."""

import math
import uuid

from bot.sandbox import errors, statuses
from bot.sandbox.api import Answer
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.deliveries import alert
from bot.sandbox.gitlab.jobs import HOOK_EVENTS, deployment, environment, hook, pipeline, status
from bot.sandbox.gitlab.repository import readable
from bot.sandbox.model import Hook, Pipeline, Project, Role
from bot.sandbox.state import require


def list_statuses(call: Call) -> Answer:
    """`GET .../repository/commits/:sha/statuses`: the newest of each name in each pipeline, unless `all`."""
    project = readable(call)
    found = statuses.of_commit(project, call.where["sha"])
    everything = call.flag("all") or False
    exact = {name: call.text(name) for name in ("ref", "name", "stage")}
    number = call.number("pipeline_id")
    kept = [
        (pipe, one)
        for pipe, one in found
        if (everything or not one.retried)
        and number in (None, pipe.id)
        and all(value in (None, getattr(one, name)) for name, value in exact.items())
    ]
    if call.choice("sort", ("asc", "desc")) == "desc":
        kept.reverse()
    return page(call, kept, lambda pair: status(call.state, *pair))


def set_status(call: Call) -> Answer:
    """`POST /projects/:id/statuses/:sha`."""
    project, user = call.project(), call.user()
    (wanted,) = call.need("state")
    setting = statuses.Setting(
        state=wanted,
        name=call.text("name") or call.text("context") or "default",
        ref=call.text("ref"),
        description=call.text("description"),
        target_url=call.text("target_url"),
        pipeline_id=call.number("pipeline_id"),
        coverage=_coverage(call),
    )
    made = statuses.set_status(call.state, project, user, call.where["sha"], setting)
    pipe = next(one for one in project.pipelines if made in one.statuses)
    return Answer(status(call.state, pipe, made), 201)


def list_pipelines(call: Call) -> Answer:
    """`GET /projects/:id/pipelines`, newest first; by `sha`, `ref`, `status`, `source`."""
    project = readable(call)
    found = [one for one in project.pipelines if _matches(call, one)]
    return page(call, found[::-1], lambda one: pipeline(call.state, project, one))


def read_pipeline(call: Call) -> Answer:
    """`GET /projects/:id/pipelines/:pipeline`."""
    project = readable(call)
    return Answer(pipeline(call.state, project, _pipeline(call, project)))


def list_jobs(call: Call) -> Answer:
    """`GET /projects/:id/pipelines/:pipeline/jobs`: what did not come from outside."""
    project = readable(call)
    pipe = _pipeline(call, project)
    jobs = [one for one in pipe.statuses if one.stage != "external" and not one.retried]
    return page(call, jobs[::-1], lambda one: status(call.state, pipe, one) | {"stage": one.stage})


def list_environments(call: Call) -> Answer:
    """`GET /projects/:id/environments`, by `name`."""
    project = readable(call)
    found = [one for one in project.environments.values() if call.text("name") in (None, one.name)]
    return page(call, found, lambda one: environment(call.state, project, one))


def create_environment(call: Call) -> Answer:
    """`POST /projects/:id/environments`."""
    project = call.project()
    require(project, call.actor, Role.developer)
    (name,) = call.need("name")
    if any(one.name == name for one in project.environments.values()):
        raise errors.Invalid("name", "has already been taken")
    made = statuses.environment(call.state, project, name, call.text("external_url"))
    return Answer(environment(call.state, project, made), 201)


def read_environment(call: Call) -> Answer:
    """`GET /projects/:id/environments/:environment`."""
    project = readable(call)
    for found in project.environments.values():
        if str(found.id) == call.where["environment"]:
            return Answer(environment(call.state, project, found))
    raise errors.NotFound


def list_deployments(call: Call) -> Answer:
    """`GET /projects/:id/deployments`, oldest first by default; by `environment`, `status`, `updated_after`."""
    project = readable(call)
    after = call.time("updated_after")
    found = [
        one
        for one in project.deployments.values()
        if call.text("environment") in (None, one.environment.name)
        and call.text("status") in (None, one.status)
        and not (after and one.updated_at < after)
    ]
    order = call.choice("order_by", ("id", "iid", "created_at", "updated_at", "ref"))
    found.sort(key=lambda one: (one.updated_at if order == "updated_at" else one.created_at, one.id))
    if call.choice("sort", ("asc", "desc")) == "desc":
        found.reverse()
    return page(call, found, lambda one: deployment(call.state, project, one))


def create_deployment(call: Call) -> Answer:
    """`POST /projects/:id/deployments`."""
    project, user = call.project(), call.user()
    name, sha, ref, word = call.need("environment", "sha", "ref", "status")
    made = statuses.deploy(call.state, project, user, statuses.Deploying(name, sha, ref, word))
    return Answer(deployment(call.state, project, made), 201)


def read_deployment(call: Call) -> Answer:
    """`GET /projects/:id/deployments/:deployment`."""
    project = readable(call)
    found = project.deployments.get(_number(call, "deployment"))
    if found is None:
        raise errors.NotFound
    return Answer(deployment(call.state, project, found))


def update_deployment(call: Call) -> Answer:
    """`PUT /projects/:id/deployments/:deployment`."""
    project = call.project()
    (word,) = call.need("status")
    found = statuses.redeploy(call.state, project, call.user(), _number(call, "deployment"), word)
    return Answer(deployment(call.state, project, found))


def list_hooks(call: Call) -> Answer:
    """`GET /projects/:id/hooks`."""
    project = _maintained(call)
    now = call.state.clock()
    return page(call, list(project.hooks.values()), lambda one: hook(project, one, alert(one, now)))


def read_hook(call: Call) -> Answer:
    """`GET /projects/:id/hooks/:hook`."""
    project, found = _hook(call)
    return Answer(hook(project, found, alert(found, call.state.clock())))


def create_hook(call: Call) -> Answer:
    """`POST /projects/:id/hooks`; push events are on by default."""
    project = _maintained(call)
    (url,) = call.need("url")
    if not url.startswith(("http://", "https://")):
        raise errors.Invalid("url", "is blocked: Only allowed schemes are http, https")
    on = {"push_events"} if call.flag("push_events") is not False else set()
    made = Hook(call.state.number("hook"), url, frozenset(on), call.state.clock(), uuid=str(uuid.uuid4()))
    _edit(call, made)
    project.hooks[made.id] = made
    return Answer(hook(project, made, alert(made, call.state.clock())), 201)


def update_hook(call: Call) -> Answer:
    """`PUT /projects/:id/hooks/:hook`; a hook that was switched off is on again."""
    project, found = _hook(call)
    found.url = call.text("url") or found.url
    found.failures, found.disabled_until = 0, None
    _edit(call, found)
    return Answer(hook(project, found, alert(found, call.state.clock())))


def delete_hook(call: Call) -> Answer:
    """`DELETE /projects/:id/hooks/:hook`."""
    project, found = _hook(call)
    del project.hooks[found.id]
    return Answer(None, 204)


def _edit(call: Call, found: Hook) -> None:
    events = set(found.events)
    for name in HOOK_EVENTS:
        given = call.flag(name)
        if given is not None:
            events = events | {name} if given else events - {name}
    found.events = frozenset(events)
    found.token = call.text("token") or found.token
    found.signing_secret = call.text("signing_token") or found.signing_secret
    found.branch_filter = call.text("push_events_branch_filter") or found.branch_filter


def _coverage(call: Call) -> float | None:
    given = call.text("coverage")
    try:
        found = float(given) if given else None
    except ValueError as wrong:
        raise errors.Missing("coverage is invalid") from wrong
    if found is not None and not math.isfinite(found):
        raise errors.Missing("coverage is invalid")
    return found


def _hook(call: Call) -> tuple[Project, Hook]:
    project = _maintained(call)
    found = project.hooks.get(_number(call, "hook"))
    if found is None:
        raise errors.NotFound
    return project, found


def _maintained(call: Call) -> Project:
    project = call.project()
    require(project, call.actor, Role.maintainer)
    return project


def _number(call: Call, name: str) -> int:
    return int(call.where[name]) if call.where[name].isdecimal() else 0


def _pipeline(call: Call, project: Project) -> Pipeline:
    for found in project.pipelines:
        if str(found.id) == call.where["pipeline"]:
            return found
    raise errors.NotFound


def _matches(call: Call, found: Pipeline) -> bool:
    facts = {
        "sha": found.sha,
        "ref": found.ref,
        "status": statuses.pipeline_status(found),
        "source": found.source,
    }
    return all(call.text(name) in (None, value) for name, value in facts.items())
