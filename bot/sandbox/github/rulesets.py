"""The endpoints of rulesets: the rules that hold on a branch, and a ruleset with its bypass list."""

from collections.abc import Iterator

from bot.sandbox import errors
from bot.sandbox.api import Answer, Json
from bot.sandbox.github.call import Call, page, said
from bot.sandbox.model import Project, Role, Ruleset
from bot.sandbox.rulesets import matching
from bot.sandbox.state import role

NOT_ON_PLAN = "Upgrade to GitHub Pro or make this repository public to enable this feature."


def list_rules(call: Call) -> Answer:
    """`GET .../rules/branches/:branch`: of all rulesets; branch protection rules are not told here."""
    project = call.project()
    if unavailable(project):
        return said(403, NOT_ON_PLAN)
    found = [rule for one in matching(project, call.where["branch"]) for rule in _rules(project, one)]
    return page(call, found, lambda one: one)


def read(call: Call) -> Answer:
    """`GET .../rulesets/:ruleset`; its bypass list is shown to who may edit it alone."""
    project = call.project()
    found = next((one for one in project.rulesets if str(one.id) == call.where["ruleset"]), None)
    if found is None:
        raise errors.NotFound
    shown: Json = {
        "id": found.id,
        "name": f"ruleset {found.id}",
        "target": "branch",
        "source_type": "Repository",
        "source": project.full_path,
        "enforcement": "active",
        "conditions": {"ref_name": {"include": [f"refs/heads/{found.branch}"], "exclude": []}},
        "rules": [{"type": rule["type"], "parameters": rule["parameters"]} for rule in _rules(project, found)],
    }
    if role(project, call.actor) >= Role.maintainer:
        actors = [{"actor_type": by.kind, "actor_id": by.number, "bypass_mode": by.mode} for by in found.bypass]
        shown["bypass_actors"] = actors
    return Answer(shown)


def unavailable(project: Project) -> bool:
    """Whether the plan protects no such repository."""
    return project.tier == "none" and project.settings.visibility != "public"


def _rules(project: Project, found: Ruleset) -> Iterator[Json]:
    place: Json = {"ruleset_source_type": "Repository", "ruleset_source": project.full_path, "ruleset_id": found.id}
    if found.checks:
        checks = [
            {"context": one.context} | ({"integration_id": one.app_id} if one.app_id is not None else {})
            for one in found.checks
        ]
        asked = {"required_status_checks": checks, "strict_required_status_checks_policy": False}
        yield {"type": "required_status_checks", "parameters": asked, **place}
    if found.pull_request:
        asked = {"required_approving_review_count": 0, "require_code_owner_review": False}
        more = dict.fromkeys(("dismiss_stale_reviews_on_push", "require_last_push_approval"), False)
        yield {
            "type": "pull_request",
            "parameters": {**asked, **more, "required_review_thread_resolution": False},
            **place,
        }
    if found.update:
        yield {"type": "update", "parameters": {"update_allows_fetch_and_merge": False}, **place}
    if found.no_force:
        yield {"type": "non_fast_forward", "parameters": {}, **place}
