"""GitHub's REST v3: which endpoint answers what, who calls, and refusals in GitHub's words."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import jwt
from jwt.types import Options

from bot.sandbox import errors
from bot.sandbox.api import Answer, Asked, match, parameters
from bot.sandbox.faults import Fault
from bot.sandbox.github import checks, hooks, issues, people, pulls, repositories, rulesets
from bot.sandbox.github.call import Call, refused, said
from bot.sandbox.model import App, Token
from bot.sandbox.state import State

Endpoint = Callable[[Call], Answer]

R = "repos/:owner/:repo"
PULL = f"{R}/pulls/:number"
ISSUE = f"{R}/issues/:number"
COMMENT = f"{R}/issues/comments/:comment"
HOOK = f"{R}/hooks/:hook"

ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("GET", "user", people.me),
    ("GET", "users/:username", people.read_user),
    ("GET", "orgs/:org/teams/:slug/members", people.list_team),
    ("GET", "app", people.app),
    ("GET", "app/installations", people.list_installations),
    ("POST", "app/installations/:id/access_tokens", people.create_token),
    ("GET", "app/hook/config", hooks.read_app_config),
    ("PATCH", "app/hook/config", hooks.update_app_config),
    ("GET", "app/hook/deliveries", hooks.list_app_deliveries),
    ("POST", "app/hook/deliveries/:delivery/attempts", hooks.redeliver_for_app),
    ("GET", R, repositories.read),
    ("PATCH", R, repositories.update),
    ("GET", f"{R}/installation", people.installation_of),
    ("GET", f"{R}/collaborators", people.list_collaborators),
    ("GET", f"{R}/collaborators/:username/permission", people.permission),
    ("GET", f"{R}/branches", repositories.list_branches),
    ("GET", f"{R}/branches/:branch", repositories.read_branch),
    ("GET", f"{R}/branches/:branch/protection", repositories.read_protection),
    ("PUT", f"{R}/branches/:branch/protection", repositories.protect),
    ("GET", f"{R}/rules/branches/:branch", rulesets.list_rules),
    ("GET", f"{R}/rulesets/:ruleset", rulesets.read),
    ("GET", f"{R}/git/ref/*ref", repositories.read_ref),
    ("DELETE", f"{R}/git/refs/*ref", repositories.delete_ref),
    ("GET", f"{R}/commits", repositories.list_commits),
    ("GET", f"{R}/commits/:ref", repositories.read_commit),
    ("GET", f"{R}/commits/:ref/statuses", checks.list_statuses),
    ("GET", f"{R}/commits/:ref/status", checks.combined),
    ("GET", f"{R}/commits/:ref/check-runs", checks.list_runs),
    ("GET", f"{R}/statuses/:ref", checks.list_statuses),
    ("POST", f"{R}/statuses/:sha", checks.create_status),
    ("GET", f"{R}/compare/:basehead", repositories.compare),
    ("GET", f"{R}/contents/*path", repositories.read_content),
    ("GET", f"{R}/pulls", pulls.list_pulls),
    ("POST", f"{R}/pulls", pulls.create),
    ("GET", PULL, pulls.read),
    ("PATCH", PULL, pulls.update),
    ("PUT", f"{PULL}/merge", pulls.merge),
    ("GET", f"{PULL}/commits", pulls.commits),
    ("GET", f"{PULL}/files", pulls.files),
    ("GET", f"{PULL}/reviews", pulls.list_reviews),
    ("POST", f"{PULL}/reviews", pulls.create_review),
    ("PUT", f"{PULL}/reviews/:review/dismissals", pulls.dismiss_review),
    ("POST", f"{PULL}/requested_reviewers", pulls.ask_reviewers),
    ("GET", f"{R}/issues", issues.list_issues),
    ("POST", f"{R}/issues", issues.create),
    ("GET", COMMENT, issues.read_comment),
    ("PATCH", COMMENT, issues.update_comment),
    ("DELETE", COMMENT, issues.delete_comment),
    ("GET", f"{COMMENT}/reactions", issues.list_reactions),
    ("POST", f"{COMMENT}/reactions", issues.create_reaction),
    ("GET", ISSUE, issues.read),
    ("PATCH", ISSUE, issues.update),
    ("GET", f"{ISSUE}/events", issues.list_events),
    ("GET", f"{ISSUE}/labels", issues.list_labels),
    ("POST", f"{ISSUE}/labels", issues.add_labels),
    ("DELETE", f"{ISSUE}/labels/:name", issues.remove_label),
    ("GET", f"{ISSUE}/comments", issues.list_comments),
    ("POST", f"{ISSUE}/comments", issues.create_comment),
    ("GET", f"{R}/hooks", hooks.list_hooks),
    ("POST", f"{R}/hooks", hooks.create_hook),
    ("PATCH", HOOK, hooks.update_hook),
    ("GET", f"{HOOK}/deliveries", hooks.list_deliveries),
    ("POST", f"{HOOK}/deliveries/:delivery/attempts", hooks.redeliver),
)
"""Method, path below `/api/v3/`, endpoint. The first match counts, so fixed words stand before parameters."""

FINE_GRAINED = "github_pat_"
"""How the tokens begin whose permissions GitHub shows nobody."""
CLAIMS: Options = {"require": ["exp", "iat", "iss"]}


def answer(state: State, asked: Asked) -> Answer:
    """What GitHub would say, under the forge's lock; 304 where the asker has it already."""
    token: Token | None = None
    with state.lock:
        if not asked.headers.get("user-agent"):
            return said(403, "Request forbidden by administrative rules. A request needs a User-Agent.")
        try:
            app, token = _who(state, asked)
            if token and token.read_only and asked.method not in ("GET", "HEAD"):
                return said(403, "Resource not accessible by personal access token")
            endpoint, where = match(ENDPOINTS, asked.method, asked.path)
            actor = token.user if token else None
            given = parameters(asked, "labels")
            call = Call(state, asked.path, actor, where, given, asked.query, app, token.installation if token else None)
            found = _tagged(asked, endpoint(call))
        except errors.Refused as refusal:
            found = refused(refusal, asked.path)
        return replace(found, headers=_quota(state) | _of_token(token) | dict(found.headers))


def trouble(state: State, fault: Fault) -> Answer:
    """What GitHub answers when it is out of order, or has had enough."""
    if fault.kind == "limited":
        words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
        return replace(said(403, words), headers=_quota(state) | {"Retry-After": str(fault.retry_after)})
    if fault.kind == "exhausted":
        used_up = _quota(state, 5000, fault.retry_after)
        return replace(said(403, "API rate limit exceeded for installation ID 1."), headers=used_up)
    return said(fault.status, "Server Error")


def caller(state: State, asked: Asked) -> str:
    """The user name behind the request's token, or an empty text."""
    with state.lock:
        try:
            app, token = _who(state, asked)
        except errors.Unauthenticated:
            return ""
    return token.user.username if token else app.user.username if app else ""


def _who(state: State, asked: Asked) -> tuple[App | None, Token | None]:
    """An App by its signed claim, else a user by a token; `token` and `bearer` mean the same."""
    scheme, _, value = asked.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("token", "bearer"):
        return None, None
    if value.count(".") == 2:
        return _app(state, value), None
    return None, state.token(value.strip())


def _app(state: State, claim: str) -> App:
    """The App that signed; by the wall clock, which is what client libraries write into their claims."""
    for app in state.apps.values():
        try:
            claims = jwt.decode(
                claim, app.public_key, ["RS256"], {"require": ["exp", "iat", "iss"]}, issuer=str(app.id)
            )
        except jwt.InvalidTokenError:
            continue
        if claims["exp"] - claims["iat"] <= 660:
            return app
    raise errors.Unauthenticated("A JSON web token could not be decoded")


def _quota(state: State, used: int = 1, seconds: int = 3600) -> dict[str, str]:
    """What GitHub tells of the quota with every answer; it is never used up by itself."""
    return {
        "X-RateLimit-Limit": "5000",
        "X-RateLimit-Remaining": str(5000 - used),
        "X-RateLimit-Used": str(used),
        "X-RateLimit-Reset": str(int(state.clock().timestamp()) + seconds),
        "X-RateLimit-Resource": "core",
    }


def _of_token(token: Token | None) -> dict[str, str]:
    """What GitHub tells a person's token of itself: when it ends, and the scopes of a classic one."""
    if token is None or token.installation is not None:
        return {}
    is_classic = not token.read_only and not token.value.startswith(FINE_GRAINED)
    told = {"X-OAuth-Scopes": ", ".join(token.scopes or ("repo",))} if is_classic else {}
    if token.expires_at is not None:
        told["GitHub-Authentication-Token-Expiration"] = f"{token.expires_at:%Y-%m-%d %H:%M:%S} UTC"
    return told


def _tagged(asked: Asked, found: Answer) -> Answer:
    """With a validator of its content; without content where the asker named that one."""
    if asked.method not in ("GET", "HEAD") or found.status != 200:
        return found
    tag = f'W/"{hashlib.sha256(found.content()).hexdigest()}"'
    headers = {**found.headers, "ETag": tag}
    if asked.headers.get("if-none-match") == tag:
        return Answer(None, 304, headers)
    return replace(found, headers=headers)
