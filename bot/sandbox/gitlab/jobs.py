"""Statuses, pipelines, environments, deployments and hooks in GitLab's shapes."""

from bot.sandbox.api import Json
from bot.sandbox.gitlab.shapes import time, user
from bot.sandbox.model import CommitStatus, Deployment, Environment, Hook, Pipeline, Project
from bot.sandbox.state import State
from bot.sandbox.statuses import FINISHED, pipeline_status

HOOK_EVENTS = (
    "push_events",
    "tag_push_events",
    "merge_requests_events",
    "note_events",
    "confidential_note_events",
    "issues_events",
    "confidential_issues_events",
    "job_events",
    "pipeline_events",
    "wiki_page_events",
    "deployment_events",
    "releases_events",
    "emoji_events",
)


def status(state: State, pipeline: Pipeline, found: CommitStatus) -> Json:
    """A commit status."""
    return {
        "id": found.id,
        "sha": found.sha,
        "ref": found.ref,
        "status": found.status,
        "name": found.name,
        "target_url": found.target_url,
        "description": found.description,
        "created_at": time(found.created_at),
        "started_at": time(found.started_at),
        "finished_at": time(found.finished_at),
        "allow_failure": found.allow_failure,
        "coverage": found.coverage,
        "pipeline_id": pipeline.id,
        "author": user(state, found.author),
    }


def pipeline(state: State, where: Project, found: Pipeline) -> Json:
    """A pipeline, with its composite status."""
    word = pipeline_status(found)
    return {
        "id": found.id,
        "iid": found.iid,
        "project_id": where.id,
        "sha": found.sha,
        "ref": found.ref,
        "status": word,
        "source": found.source,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "web_url": f"{state.url}/{where.full_path}/-/pipelines/{found.id}",
        "name": None,
        "before_sha": "0" * 40,
        "tag": False,
        "yaml_errors": None,
        "user": user(state, found.user),
        "started_at": time(found.created_at),
        "finished_at": time(found.updated_at) if word in FINISHED else None,
        "committed_at": None,
        "duration": None,
        "queued_duration": None,
        "coverage": None,
        "detailed_status": {"text": word, "label": word, "group": word, "tooltip": word, "has_details": True},
    }


def environment(state: State, where: Project, found: Environment) -> Json:
    """An environment with its newest deployment."""
    newest = [one for one in where.deployments.values() if one.environment is found]
    shown: Json = {
        "id": found.id,
        "name": found.name,
        "slug": found.name.lower().replace("/", "-"),
        "description": None,
        "external_url": found.external_url,
        "state": "available",
        "tier": "other",
        "created_at": time(found.created_at),
        "updated_at": time(found.created_at),
        "last_deployment": None,
    }
    return shown | {"last_deployment": deployment(state, where, newest[-1])} if newest else shown


def deployment(state: State, where: Project, found: Deployment) -> Json:
    """A deployment."""
    place = found.environment
    return {
        "id": found.id,
        "iid": found.iid,
        "ref": found.ref,
        "sha": found.sha,
        "status": found.status,
        "created_at": time(found.created_at),
        "updated_at": time(found.updated_at),
        "user": user(state, found.user),
        "environment": {"id": place.id, "name": place.name, "external_url": place.external_url},
        "deployable": None,
        "project_id": where.id,
        "pending_approval_count": 0,
        "approvals": [],
    }


def hook(where: Project, found: Hook, alert: str) -> Json:
    """A webhook; its secrets are never told. `alert` is GitLab's `alert_status`."""
    shown: Json = {
        "id": found.id,
        "url": found.url,
        "name": None,
        "description": None,
        "created_at": time(found.created_at),
        "project_id": where.id,
        "push_events_branch_filter": found.branch_filter or None,
        "branch_filter_strategy": "wildcard",
        "enable_ssl_verification": True,
        "alert_status": alert,
        "disabled_until": time(found.disabled_until),
        "url_variables": [],
        "custom_headers": [],
    }
    return shown | {name: name in found.events for name in HOOK_EVENTS}
