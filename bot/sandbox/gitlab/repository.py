"""The endpoints of the repository: branches, files, trees, commits, comparison."""

import base64
import hashlib
from collections.abc import Mapping

from bot.sandbox import branches, errors
from bot.sandbox.api import Answer, Json
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.jobs import pipeline
from bot.sandbox.gitlab.shapes import branch, commit, diff
from bot.sandbox.gitstore import Signature
from bot.sandbox.model import Project
from bot.sandbox.state import require_code
from bot.sandbox.statuses import pipeline_status


def readable(call: Call) -> Project:
    """The project, for who may read its code."""
    project = call.project()
    require_code(project, call.actor)
    return project


def list_branches(call: Call) -> Answer:
    """`GET .../repository/branches`, by name; `search` takes `^` and `$`."""
    project = readable(call)
    wanted = call.text("search") or ""
    names = [name for name in sorted(project.git.heads()) if _named(name, wanted)]
    return page(call, names, lambda name: branch(call.state, project, name, call.actor))


def read_branch(call: Call) -> Answer:
    """`GET .../repository/branches/:branch`."""
    project = readable(call)
    if project.git.head(call.where["branch"]) is None:
        raise errors.NotFound("Branch")
    return Answer(branch(call.state, project, call.where["branch"], call.actor))


def create_branch(call: Call) -> Answer:
    """`POST .../repository/branches`."""
    project, user = call.project(), call.user()
    name, ref = call.need("branch", "ref")
    branches.create(call.state, project, user, name, ref)
    return Answer(branch(call.state, project, name, user), 201)


def delete_branch(call: Call) -> Answer:
    """`DELETE .../repository/branches/:branch`."""
    branches.delete(call.state, call.project(), call.user(), call.where["branch"])
    return Answer(None, 204)


def read_file(call: Call) -> Answer:
    """`GET .../repository/files/:path`, its content in base64."""
    project = readable(call)
    sha, blob, content = _file(call, project)
    last = project.git.log(sha, path=call.where["path"], limit=1)
    shown: Json = {
        "file_name": call.where["path"].rpartition("/")[2],
        "file_path": call.where["path"],
        "size": len(content),
        "encoding": "base64",
        "content_sha256": hashlib.sha256(content).hexdigest(),
        "ref": call.text("ref") or "HEAD",
        "blob_id": blob,
        "commit_id": sha,
        "last_commit_id": last[0].sha if last else sha,
        "execute_filemode": False,
        "content": base64.b64encode(content).decode(),
    }
    return Answer(shown)


def raw_file(call: Call) -> Answer:
    """`GET .../repository/files/:path/raw`."""
    _, _, content = _file(call, readable(call))
    return Answer(content, headers={"Content-Type": "text/plain; charset=utf-8"})


def write_file(call: Call) -> Answer:
    """`POST` (new) and `PUT` (present) `.../repository/files/:path`."""
    project, user = call.project(), call.user()
    name, message, content = call.need("branch", "commit_message", "content")
    path = call.where["path"]
    head = project.git.head(name)
    present = head is not None and project.git.blob(head, path) is not None
    creating = call.where["method"] == "POST"
    if present and creating:
        raise errors.Invalid("", "A file with this name already exists")
    if not present and not creating:
        raise errors.Invalid("", "A file with this name doesn't exist")
    files = {path: _content(content, call.text("encoding"))}
    branches.commit(call.state, project, user, branches.Change(name, message, files, call.text("start_branch")))
    return Answer({"file_path": path, "branch": name}, 201 if creating else 200)


def list_tree(call: Call) -> Answer:
    """`GET .../repository/tree`."""
    project = readable(call)
    sha = _ref(call, project, "Tree")
    entries = project.git.entries(sha, call.text("path") or "", recursive=call.flag("recursive") or False)
    if entries is None:
        raise errors.NotFound("Tree")
    ordered = sorted(entries, key=lambda one: one.kind != "tree") if not call.flag("recursive") else entries
    return page(
        call,
        ordered,
        lambda one: {"id": one.id, "name": one.name, "type": one.kind, "path": one.path, "mode": one.mode},
    )


def list_commits(call: Call) -> Answer:
    """`GET .../repository/commits`; `ref_name` may be a range `a..b`."""
    project = readable(call)
    if not project.git.heads():
        return page(call, (), lambda _: {})
    without, _, start = (call.text("ref_name") or project.default_branch).rpartition("..")
    sha, hidden = project.git.resolve(start.lstrip(".")), project.git.resolve(without) if without else None
    if sha is None or (without and hidden is None):
        raise errors.NotFound("Commit")
    since, until = call.time("since"), call.time("until")
    found = project.git.log(sha, hidden, call.text("path") or "")
    kept = [one for one in found if not ((since and one.committer.at < since) or (until and one.committer.at > until))]
    return page(call, kept, lambda one: commit(call.state, project, one))


def read_commit(call: Call) -> Answer:
    """`GET .../repository/commits/:sha`, with its numbers and the newest pipeline."""
    project = readable(call)
    sha = _commit(call, project)
    found = project.git.commit(sha)
    changed = project.git.diff(found.parents[0] if found.parents else None, sha)
    added, gone = sum(one.additions for one in changed), sum(one.deletions for one in changed)
    pipes = [one for one in project.pipelines if one.sha == sha]
    extra: Json = {
        "stats": {"additions": added, "deletions": gone, "total": added + gone},
        "status": pipeline_status(pipes[-1]) if pipes else None,
        "project_id": project.id,
        "last_pipeline": pipeline(call.state, project, pipes[-1]) if pipes else None,
    }
    return Answer(commit(call.state, project, found) | extra)


def commit_diff(call: Call) -> Answer:
    """`GET .../repository/commits/:sha/diff`, against the first parent."""
    project = readable(call)
    found = project.git.commit(_commit(call, project))
    return page(call, project.git.diff(found.parents[0] if found.parents else None, found.sha), diff)


def create_commit(call: Call) -> Answer:
    """`POST .../repository/commits`: several files in one commit, on a branch that may be new."""
    project, user = call.project(), call.user()
    name, message = call.need("branch", "commit_message")
    start = call.text("start_sha") or call.text("start_branch")
    actions = call.given.get("actions")
    if not isinstance(actions, list) or not actions:
        raise errors.Missing("actions is missing")
    branches.check_start(project, name, start)
    head = project.git.head(name) or (project.git.resolve(start) if start else None)
    files: dict[str, bytes | None] = {}
    for action in actions:
        if not isinstance(action, Mapping):
            raise errors.Missing("actions is invalid")
        files |= _action(project, head, action)
    who = branches.signature(call.state, user)
    author = Signature(call.text("author_name") or who.name, call.text("author_email") or who.email, who.at)
    made = branches.commit(call.state, project, user, branches.Change(name, message, files, start, author))
    return Answer(commit(call.state, project, project.git.commit(made)), 201)


def compare(call: Call) -> Answer:
    """`GET .../repository/compare`: commits oldest first; from the merge base unless `straight`."""
    project = readable(call)
    old_name, new_name = call.need("from", "to")
    old, new = project.git.resolve(old_name), project.git.resolve(new_name)
    if old is None or new is None:
        raise errors.NotFound("Ref")
    base = old if call.flag("straight") else project.git.merge_base(old, new) or old
    commits = [commit(call.state, project, one) for one in reversed(project.git.log(new, old))]
    shown: Json = {
        "commit": commits[-1] if commits else None,
        "commits": commits,
        "diffs": [diff(one) for one in project.git.diff(base, new)],
        "compare_timeout": False,
        "compare_same_ref": old == new,
        "web_url": f"{call.state.url}/{project.full_path}/-/compare/{old}...{new}",
    }
    return Answer(shown)


def _action(project: Project, head: str | None, action: Mapping[str, object]) -> dict[str, bytes | None]:
    """One action of a commit; Invalid, in GitLab's words, where the file is not as the action supposes."""
    kind, path = str(action.get("action")), str(action.get("file_path") or "")
    if kind not in ("create", "update", "delete", "move"):
        raise errors.Missing("actions[0][action] does not have a valid value")
    before = str(action.get("previous_path") or path) if kind == "move" else path
    present = project.git.blob(head, before) if head else None
    if kind == "create":
        if present:
            raise errors.Invalid("", "A file with this name already exists")
    elif present is None:
        raise errors.Invalid("", "A file with this name doesn't exist")
    last = action.get("last_commit_id")
    if last and head and project.git.log(head, path=before, limit=1)[0].sha != last:
        raise errors.Invalid("", f"The file has changed since you started editing it: {before}")
    if kind == "delete":
        return {path: None}
    encoding, given = action.get("encoding"), action.get("content")
    content = present[1] if given is None and present else _content(str(given or ""), str(encoding or "text"))
    return {before: None, path: content} if kind == "move" else {path: content}


def _content(text: str, encoding: str | None) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if encoding == "base64" else text.encode()
    except ValueError as wrong:
        raise errors.Missing("content is invalid") from wrong


def _file(call: Call, project: Project) -> tuple[str, str, bytes]:
    sha = _ref(call, project, "Commit")
    found = project.git.blob(sha, call.where["path"])
    if found is None:
        raise errors.NotFound("File")
    return sha, *found


def _ref(call: Call, project: Project, what: str) -> str:
    ref = call.text("ref") or project.default_branch
    found = project.git.resolve(project.default_branch if ref == "HEAD" else ref)
    if found is None:
        raise errors.NotFound(what)
    return found


def _commit(call: Call, project: Project) -> str:
    found = project.git.resolve(call.where["sha"])
    if found is None:
        raise errors.NotFound("Commit")
    return found


def _named(name: str, wanted: str) -> bool:
    text = wanted.removeprefix("^").removesuffix("$")
    start, end = wanted.startswith("^"), wanted.endswith("$")
    if start and end:
        return name == text
    return name.startswith(text) if start else name.endswith(text) if end else text.lower() in name.lower()
