"""GitLab's REST v4: which endpoint answers what, who calls, and refusals in GitLab's words."""

from collections.abc import Callable

from bot.sandbox import errors
from bot.sandbox.api import Answer, Asked, match, parameters
from bot.sandbox.faults import Fault
from bot.sandbox.gitlab import ci, discussion, issues, people, repository, requests
from bot.sandbox.gitlab.call import Call, refused
from bot.sandbox.model import Token
from bot.sandbox.state import State

Endpoint = Callable[[Call], Answer]

P = "projects/:id"
R = f"{P}/merge_requests/:iid"
ISSUE = f"{P}/issues/:issue"
G = f"{P}/repository"

TALK: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "resource_label_events", discussion.label_events),
    ("GET", "notes", discussion.list_notes),
    ("POST", "notes", discussion.create_note),
    ("GET", "notes/:note", discussion.read_note),
    ("PUT", "notes/:note", discussion.update_note),
    ("DELETE", "notes/:note", discussion.delete_note),
    ("GET", "award_emoji", discussion.list_awards),
    ("POST", "award_emoji", discussion.create_award),
    ("DELETE", "award_emoji/:award", discussion.delete_award),
    ("GET", "notes/:note/award_emoji", discussion.list_awards),
    ("POST", "notes/:note/award_emoji", discussion.create_award),
    ("DELETE", "notes/:note/award_emoji/:award", discussion.delete_award),
)
"""What merge requests and issues have alike."""

ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "version", people.version),
    ("GET", "metadata", people.version),
    ("GET", "user", people.me),
    ("GET", "personal_access_tokens/self", people.read_token),
    ("GET", "users", people.list_users),
    ("GET", "users/:user", people.read_user),
    ("GET", "groups", people.list_groups),
    ("GET", "groups/:id", people.read_group),
    ("GET", "groups/:id/members", people.list_group_members),
    ("GET", "groups/:id/members/all", people.list_all_group_members),
    ("GET", "projects", people.list_projects),
    ("GET", P, people.read_project),
    ("PUT", P, people.update_project),
    ("GET", f"{P}/members", people.list_members),
    ("POST", f"{P}/members", people.add_member),
    ("GET", f"{P}/members/all", people.list_all_members),
    ("GET", f"{P}/members/all/:user", people.read_any_member),
    ("GET", f"{P}/members/:user", people.read_member),
    ("DELETE", f"{P}/members/:user", people.remove_member),
    ("GET", f"{P}/labels", people.list_labels),
    ("POST", f"{P}/labels", people.create_label),
    ("GET", f"{P}/approval_rules", people.list_approval_rules),
    ("GET", f"{P}/protected_branches", people.list_protections),
    ("POST", f"{P}/protected_branches", people.protect),
    ("GET", f"{P}/protected_branches/:name", people.read_protection),
    ("DELETE", f"{P}/protected_branches/:name", people.unprotect),
    ("GET", f"{G}/branches", repository.list_branches),
    ("POST", f"{G}/branches", repository.create_branch),
    ("GET", f"{G}/branches/:branch", repository.read_branch),
    ("DELETE", f"{G}/branches/:branch", repository.delete_branch),
    ("GET", f"{G}/files/:path", repository.read_file),
    ("POST", f"{G}/files/:path", repository.write_file),
    ("PUT", f"{G}/files/:path", repository.write_file),
    ("GET", f"{G}/files/:path/raw", repository.raw_file),
    ("GET", f"{G}/tree", repository.list_tree),
    ("GET", f"{G}/compare", repository.compare),
    ("GET", f"{G}/commits", repository.list_commits),
    ("POST", f"{G}/commits", repository.create_commit),
    ("GET", f"{G}/commits/:sha", repository.read_commit),
    ("GET", f"{G}/commits/:sha/diff", repository.commit_diff),
    ("GET", f"{G}/commits/:sha/statuses", ci.list_statuses),
    ("GET", f"{G}/commits/:sha/merge_requests", requests.of_commit),
    ("POST", f"{P}/statuses/:sha", ci.set_status),
    ("GET", f"{P}/pipelines", ci.list_pipelines),
    ("GET", f"{P}/pipelines/:pipeline", ci.read_pipeline),
    ("GET", f"{P}/pipelines/:pipeline/jobs", ci.list_jobs),
    ("GET", "merge_requests", requests.list_all),
    ("GET", f"{P}/merge_requests", requests.list_requests),
    ("POST", f"{P}/merge_requests", requests.create),
    ("GET", R, requests.read),
    ("PUT", R, requests.update),
    ("PUT", f"{R}/merge", requests.merge),
    ("GET", f"{R}/versions", requests.versions),
    ("GET", f"{R}/versions/:number", requests.one_version),
    ("GET", f"{R}/diffs", requests.diffs),
    ("GET", f"{R}/changes", requests.changes),
    ("GET", f"{R}/commits", requests.commits),
    ("GET", f"{R}/pipelines", requests.pipelines),
    ("GET", f"{R}/approvals", discussion.read_approvals),
    ("GET", f"{R}/approval_state", discussion.approval_state),
    ("POST", f"{R}/approve", discussion.approve),
    ("POST", f"{R}/unapprove", discussion.unapprove),
    ("GET", f"{P}/issues", issues.list_issues),
    ("POST", f"{P}/issues", issues.create),
    ("GET", ISSUE, issues.read),
    ("PUT", ISSUE, issues.update),
    ("GET", f"{P}/environments", ci.list_environments),
    ("POST", f"{P}/environments", ci.create_environment),
    ("GET", f"{P}/environments/:environment", ci.read_environment),
    ("GET", f"{P}/deployments", ci.list_deployments),
    ("POST", f"{P}/deployments", ci.create_deployment),
    ("GET", f"{P}/deployments/:deployment", ci.read_deployment),
    ("PUT", f"{P}/deployments/:deployment", ci.update_deployment),
    ("GET", f"{P}/hooks", ci.list_hooks),
    ("POST", f"{P}/hooks", ci.create_hook),
    ("GET", f"{P}/hooks/:hook", ci.read_hook),
    ("PUT", f"{P}/hooks/:hook", ci.update_hook),
    ("DELETE", f"{P}/hooks/:hook", ci.delete_hook),
    *((method, f"{thread}/{path}", endpoint) for thread in (R, ISSUE) for method, path, endpoint in TALK),
)
"""Method, path below `/api/v4/`, endpoint. The first match counts, so fixed words stand before parameters."""


def answer(state: State, asked: Asked) -> Answer:
    """What GitLab would say, under the forge's lock."""
    with state.lock:
        try:
            token = _token(state, asked)
            if token and token.read_only and asked.method not in ("GET", "HEAD"):
                return _insufficient()
            endpoint, where = match(ENDPOINTS, asked.method, asked.path)
            actor = token.user if token else None
            call = Call(state, asked.path, actor, where, parameters(asked), asked.query, token)
            return endpoint(call)
        except errors.Refused as refusal:
            return refused(refusal)


def trouble(state: State, fault: Fault) -> Answer:
    """What GitLab answers when it is out of order, or has had enough."""
    if fault.kind == "limited":
        headers = {"Retry-After": str(fault.retry_after), "RateLimit-Remaining": "0"}
        return Answer({"message": {"error": "Too many requests. Please try again later."}}, 429, headers)
    if fault.kind == "exhausted":
        reset = str(int(state.clock().timestamp()) + fault.retry_after)
        return Answer({"message": "429 Too Many Requests"}, 429, {"RateLimit-Remaining": "0", "RateLimit-Reset": reset})
    return Answer({"message": "500 Internal Server Error"}, fault.status)


def caller(state: State, asked: Asked) -> str:
    """The user name behind the request's token, or an empty text."""
    with state.lock:
        try:
            token = _token(state, asked)
        except errors.Unauthenticated:
            return ""
    return token.user.username if token else ""


def _token(state: State, asked: Asked) -> Token | None:
    """PRIVATE-TOKEN, or a bearer. An unknown token is refused even where nobody would be let in."""
    value = asked.headers.get("private-token")
    scheme, _, bearer = asked.headers.get("authorization", "").partition(" ")
    if value is None and scheme.lower() == "bearer":
        value = bearer.strip()
    return None if value is None else state.token(value)


def _insufficient() -> Answer:
    words = "The request requires higher privileges than provided by the access token."
    return Answer({"error": "insufficient_scope", "error_description": words, "scope": "api"}, 403)
