"""The endpoints of repositories: branches and their protection, commits, comparison, files."""

import base64
from collections.abc import Iterator, Mapping

from bot.sandbox import branches, errors
from bot.sandbox.api import Answer, Json
from bot.sandbox.github import shapes
from bot.sandbox.github.call import Call, page, said, span
from bot.sandbox.github.rulesets import NOT_ON_PLAN, unavailable
from bot.sandbox.model import Project, Protection, RequiredCheck, Role
from bot.sandbox.state import require

MOST_COMPARED = 250
"""Commits that a comparison lists where no page is asked for."""

MUST_BE_SAID = ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions")
"""What a protection must name, were it only with null."""
ANY_APP = -1


def read(call: Call) -> Answer:
    """`GET /repos/:owner/:repo`."""
    return Answer(shapes.repository(call.state, call.project(), call.actor))


def update(call: Call) -> Answer:
    """`PATCH /repos/:owner/:repo`: the merge switches."""
    project = call.project()
    require(project, call.user(), Role.maintainer)
    for name in ("allow_merge_commit", "allow_squash_merge", "allow_rebase_merge"):
        wanted = call.flag(name)
        if wanted is not None:
            setattr(project.settings, name, wanted)
    return read(call)


def list_branches(call: Call) -> Answer:
    """`GET .../branches`, by name."""
    project = call.project()
    return page(call, sorted(project.git.heads()), lambda name: _branch(call, project, name))


def read_branch(call: Call) -> Answer:
    """`GET .../branches/:branch`."""
    project = call.project()
    if project.git.head(call.where["branch"]) is None:
        return said(404, "Branch not found")
    return Answer(_branch(call, project, call.where["branch"]))


def read_ref(call: Call) -> Answer:
    """`GET .../git/ref/heads/...`."""
    project, kind, name = call.project(), *call.where["ref"].partition("/")[::2]
    sha = project.git.head(name) if kind == "heads" else None
    if sha is None:
        raise errors.NotFound
    return Answer({"ref": f"refs/{call.where['ref']}", "object": {"type": "commit", "sha": sha}})


def delete_ref(call: Call) -> Answer:
    """`DELETE .../git/refs/heads/...`."""
    kind, _, name = call.where["ref"].partition("/")
    try:
        branches.delete(call.state, call.project(), call.user(), name if kind == "heads" else "")
    except errors.NotFound as refusal:
        if refusal.reason:
            raise errors.Contradiction("Reference does not exist") from refusal
        raise
    return Answer(None, 204)


def read_protection(call: Call) -> Answer:
    """`GET .../branches/:branch/protection`."""
    project = call.project()
    require(project, call.user(), Role.maintainer)
    if unavailable(project):
        return said(403, NOT_ON_PLAN)
    rules = branches.protections(project, call.where["branch"])
    return Answer(_protection(rules[0])) if rules else said(404, "Branch not protected")


def protect(call: Call) -> Answer:
    """`PUT .../branches/:branch/protection`."""
    project, name = call.project(), call.where["branch"]
    require(project, call.user(), Role.maintainer)
    for asked in MUST_BE_SAID:
        if asked not in call.given:
            raise errors.Missing(f'"{asked}" wasn\'t supplied.')
    checks, reviews = call.given["required_status_checks"], call.given["required_pull_request_reviews"]
    wanted = checks if isinstance(checks, dict) else {}
    count = reviews.get("required_approving_review_count", 1) if isinstance(reviews, dict) else 0
    push = Role.maintainer if isinstance(call.given.get("restrictions"), dict) else Role.developer
    made = Protection(
        id=call.state.number("protection"),
        name=name,
        push=push,
        merge=push,
        checks=tuple(_checks(wanted)),
        strict=wanted.get("strict") is True,
        reviews=count if isinstance(count, int) else 0,
    )
    project.protections[name] = made
    return Answer(_protection(made))


def list_commits(call: Call) -> Answer:
    """`GET .../commits`, newest first."""
    project = call.project()
    sha = project.git.resolve(call.text("sha") or project.default_branch)
    if sha is None:
        raise errors.NotFound
    found = project.git.log(sha, path=call.text("path") or "")
    return page(call, found, lambda one: shapes.commit(call.state, project, one))


def read_commit(call: Call) -> Answer:
    """`GET .../commits/:ref`, with its files."""
    project = call.project()
    sha = commit_of(project, call.where["ref"])
    found = project.git.commit(sha)
    changed = project.git.diff(found.parents[0] if found.parents else None, sha)
    return Answer(shapes.commit(call.state, project, found) | {"files": [shapes.file(one) for one in changed]})


def compare(call: Call) -> Answer:
    """`GET .../compare/:base...:head`: commits oldest first, 250 of them or by pages."""
    project = call.project()
    old_name, _, new_name = call.where["basehead"].partition("...")
    old, new = project.git.resolve(old_name), project.git.resolve(new_name)
    if old is None or new is None:
        raise errors.NotFound
    commits = project.git.log(new, old)[::-1]
    start, end, headers = span(call, len(commits), MOST_COMPARED) if call.number("page") else (0, MOST_COMPARED, {})
    base = project.git.merge_base(old, new) or old
    ahead, behind = len(commits), len(project.git.log(old, new))
    shown: Json = {
        "status": "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical",
        "ahead_by": ahead,
        "behind_by": behind,
        "total_commits": ahead,
        "base_commit": shapes.commit(call.state, project, project.git.commit(old)),
        "merge_base_commit": shapes.commit(call.state, project, project.git.commit(base)),
        "commits": [shapes.commit(call.state, project, one) for one in commits[start:end]],
        "files": [shapes.file(one) for one in project.git.diff(base, new)],
    }
    return Answer(shown, headers=headers)


def read_content(call: Call) -> Answer:
    """`GET .../contents/*path`: a file in base64."""
    project = call.project()
    sha = project.git.resolve(call.text("ref") or project.default_branch)
    found = project.git.blob(sha, call.where["path"]) if sha else None
    if found is None:
        raise errors.NotFound
    blob, content = found
    shown: Json = {
        "type": "file",
        "encoding": "base64",
        "size": len(content),
        "name": call.where["path"].rpartition("/")[2],
        "path": call.where["path"],
        "sha": blob,
        "content": base64.encodebytes(content).decode(),
    }
    return Answer(shown)


def commit_of(project: Project, ref: str) -> str:
    """The commit that a ref names; Contradiction, as GitHub's 422, where there is none."""
    found = project.git.resolve(ref)
    if found is None:
        raise errors.Contradiction(f"No commit found for SHA: {ref}")
    return found


def _branch(call: Call, project: Project, name: str) -> Json:
    return shapes.branch(call.state, project, name, bool(branches.protections(project, name)))


def _checks(wanted: Mapping[str, object]) -> Iterator[RequiredCheck]:
    checks, contexts = wanted.get("checks") or [], wanted.get("contexts") or []
    if not isinstance(checks, list) or not isinstance(contexts, list):
        raise errors.Missing("checks and contexts are lists.")
    for one in checks:
        if not isinstance(one, dict) or "context" not in one:
            raise errors.Missing('"context" wasn\'t supplied.')
        app = one.get("app_id")
        yield RequiredCheck(str(one["context"]), None if app == ANY_APP else app)
    for context in contexts:
        yield RequiredCheck(str(context))


def _protection(rule: Protection) -> Json:
    """As GitHub tells it: what is not asked for is left out."""
    checks = [{"context": one.context, "app_id": one.app_id} for one in rule.checks]
    shown: Json = {
        "enforce_admins": {"enabled": True},
        "required_signatures": {"enabled": False},
        "allow_force_pushes": {"enabled": rule.allow_force_push},
        "lock_branch": {"enabled": False},
    }
    if checks or rule.strict:
        contexts = [one.context for one in rule.checks]
        shown |= {"required_status_checks": {"strict": rule.strict, "contexts": contexts, "checks": checks}}
    if rule.reviews:
        nobody: Json = {"users": [], "teams": [], "apps": []}
        asked = {
            "required_approving_review_count": rule.reviews,
            "require_code_owner_reviews": False,
            "bypass_pull_request_allowances": nobody,
        }
        shown |= {"required_pull_request_reviews": asked}
    if rule.push > Role.developer:
        shown |= {"restrictions": {"users": [], "teams": [], "apps": []}}
    return shown
