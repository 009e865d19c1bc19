"""Real git against the served sandbox: clone, fetch, push, leases, and pushes that are refused."""

import gzip
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import requests as http

from bot.sandbox.model import RequestState, Role
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import P, opened

WHO = ("AUTHOR_NAME", "AUTHOR_EMAIL", "COMMITTER_NAME", "COMMITTER_EMAIL")


class Clone:
    """A clone of the project by one user."""

    def __init__(self, folder: Path, url: str, token: str) -> None:
        self.folder = folder
        self.remote = url.replace("://", f"://any:{token}@") + f"/{P}.git"
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", self.remote)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        who = {f"GIT_{one}": "dev@example.com" for one in WHO}
        environment = {"PATH": os.environ["PATH"], "GIT_TERMINAL_PROMPT": "0", "HOME": str(self.folder), **who}
        return subprocess.run(
            ["git", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def git(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        for path, text in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def clone(tmp_path: Path, sandbox: Sandbox, url: str) -> Clone:
    made = Clone(tmp_path / "clone", url, sandbox.token_for("dev"))
    made.git("fetch", "--quiet", "origin")
    made.git("checkout", "--quiet", "-B", "work", "origin/main")
    return made


def test_a_clone_has_what_was_seeded(sandbox: Sandbox, clone: Clone) -> None:
    assert (clone.folder / "apps/a/values.yaml").read_text() == "a: 1\n"
    assert clone.git("rev-parse", "HEAD") == sandbox.head(P)
    assert (sandbox.journal.fetches("dev"), sandbox.journal.pushes()) == (1, 0)


@pytest.mark.parametrize("version", ["0", "1", "2"])
def test_each_protocol_version_fetches_and_pushes(sandbox: Sandbox, clone: Clone, version: str) -> None:
    clone.git("config", "protocol.version", version)
    made = clone.commit({"x": version})
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/feature")
    clone.git("fetch", "--quiet", "origin")
    assert clone.git("rev-parse", "origin/feature") == made == sandbox.head(P, "feature")
    assert sandbox.journal.pushes("dev") == 1


def test_a_commit_is_fetched_by_its_id_though_no_branch_has_it_anymore(sandbox: Sandbox, clone: Clone) -> None:
    lost = sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.project(P).git.set_branch("feature", lost, None)
    clone.git("fetch", "--quiet", "origin", lost)
    assert clone.git("cat-file", "-t", lost) == "commit"


def test_a_large_push_comes_chunked(sandbox: Sandbox, clone: Clone) -> None:
    clone.git("config", "http.postBuffer", "65536")
    (clone.folder / "large").write_bytes(os.urandom(3_000_000))
    made = clone.commit({})
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/large")
    assert sandbox.head(P, "large") == made
    assert sandbox.journal.pushes("dev") == 1


def test_a_compressed_request_is_understood(sandbox: Sandbox, url: str) -> None:
    want = f"want {sandbox.head(P)}\n"
    body = f"{len(want) + 4:04x}{want}0000" + "0009done\n"
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/x-git-upload-pack-request"}
    answer = http.post(
        f"{url}/{P}.git/git-upload-pack",
        data=gzip.compress(body.encode()),
        headers=headers,
        auth=("any", sandbox.token_for("dev")),
        timeout=10,
    )
    assert answer.status_code == 200
    assert b"PACK" in answer.content


def test_a_push_moves_the_requests_head_and_tells_so(sandbox: Sandbox, clone: Clone) -> None:
    request = opened(sandbox)
    clone.git("fetch", "--quiet", "origin", "feature")
    clone.git("checkout", "--quiet", "FETCH_HEAD")
    made = clone.commit({"more": "1"})
    clone.git("push", "--quiet", "origin", "HEAD:feature")
    assert [one.head for one in request.versions][1:] == [made]
    assert request.notes[-1].body == "added 1 commit"


def test_a_merge_by_push_merges_the_request(sandbox: Sandbox, clone: Clone) -> None:
    sandbox.add_member(P, "dev", Role.maintainer)
    request = opened(sandbox)
    clone.git("fetch", "--quiet", "origin")
    clone.git("merge", "--quiet", "--no-ff", "origin/feature")
    clone.git("push", "--quiet", "origin", "HEAD:main")
    assert request.state is RequestState.merged
    assert request.merge_commit == sandbox.head(P)


def test_a_lease_that_is_lost_is_refused(sandbox: Sandbox, clone: Clone) -> None:
    first = clone.commit({"x": "1"})
    clone.git("push", "--quiet", "--force-with-lease=refs/heads/lease:", "origin", "HEAD:refs/heads/lease")
    moved = sandbox.commit_as("dev", P, "lease", {"y": "1"}, "y")
    clone.commit({"x": "2"})
    refused = clone.run("push", f"--force-with-lease=refs/heads/lease:{first}", "origin", "HEAD:refs/heads/lease")
    assert refused.returncode != 0
    assert "stale info" in refused.stderr
    assert sandbox.head(P, "lease") == moved


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["HEAD:main"], "You are not allowed to push code to protected branches on this project."),
        (["HEAD:main", "HEAD:fine"], "You are not allowed to push code to protected branches on this project."),
        ([":main"], "The default branch of a project cannot be deleted."),
        ([":kept"], "You can only delete protected branches using the web interface."),
    ],
    ids=["protected", "with another", "default deleted", "deleted"],
)
def test_a_developer_does_not_push_to_a_protected_branch(
    sandbox: Sandbox, clone: Clone, arguments: list[str], reason: str
) -> None:
    before = sandbox.head(P)
    project = sandbox.project(P)
    project.protections["kept"] = replace(project.protections["main"], name="kept")
    project.git.set_branch("kept", None, before)
    clone.commit({"x": "1"})
    refused = clone.run("push", "origin", *arguments)
    assert refused.returncode != 0
    assert f"remote: GitLab: {reason}" in refused.stderr
    assert "[remote rejected]" in refused.stderr
    assert "(pre-receive hook declined)" in refused.stderr
    assert sandbox.head(P) == before
    assert "fine" not in sandbox.project(P).git.heads()


def test_nobody_deletes_the_default_branch_though_it_is_not_protected(sandbox: Sandbox, clone: Clone) -> None:
    sandbox.project(P).protections.clear()
    refused = clone.run("push", "origin", ":main")
    assert "remote: GitLab: The default branch of a project cannot be deleted." in refused.stderr
    assert sandbox.head(P)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"zzzz", {}),
        (b"-001", {}),
        (b"0002", {}),
        (b"ffff0000", {}),
        (b"plain", {"Content-Encoding": "gzip"}),
        (gzip.compress(b"0000" * 100)[:-12], {"Content-Encoding": "gzip"}),
    ],
    ids=["no number", "a negative one", "too short", "cut off", "no gzip", "half a gzip"],
)
def test_a_push_that_nobody_can_read_is_a_bad_request(
    sandbox: Sandbox, url: str, body: bytes, headers: dict[str, str]
) -> None:
    kind = {"Content-Type": "application/x-git-receive-pack-request"}
    auth = ("any", sandbox.token_for("dev"))
    answer = http.post(f"{url}/{P}.git/git-receive-pack", data=body, headers=kind | headers, auth=auth, timeout=10)
    assert answer.status_code == 400


@pytest.mark.parametrize("pack", [b"", b"PACK, but no such thing"], ids=["none", "broken"])
def test_a_push_to_a_protected_branch_without_its_objects_moves_nothing(
    sandbox: Sandbox, url: str, pack: bytes
) -> None:
    before = sandbox.head(P)
    line = f"{before} {'1' * 40} refs/heads/main\0report-status\n"
    body = f"{len(line) + 4:04x}{line}0000".encode() + pack
    auth = ("any", sandbox.token_for("mira"))
    answer = http.post(f"{url}/{P}.git/git-receive-pack", data=body, auth=auth, timeout=10)
    assert answer.status_code == (400 if pack else 200)
    assert sandbox.head(P) == before


def test_nobody_forces_a_protected_branch_unless_it_allows_that(sandbox: Sandbox, clone: Clone, url: str) -> None:
    owner = Clone(clone.folder.parent / "owner", url, sandbox.token_for("mira"))
    made = owner.commit({"other": "history"})
    refused = owner.run("push", "--force", "origin", "HEAD:main")
    assert "You are not allowed to force push code to a protected branch on this project." in refused.stderr
    sandbox.commit_as("dev", P, "free", {"x": "1"}, "x")
    owner.git("push", "--quiet", "--force", "origin", "HEAD:free")
    assert sandbox.head(P, "free") == made
    assert sandbox.head(P) != made


@pytest.mark.parametrize(
    ("user", "action", "status", "words"),
    [
        (None, "git-upload-pack", 401, "Access denied"),
        ("unknown", "git-upload-pack", 401, "Access denied"),
        ("out", "git-upload-pack", 404, "could not be found"),
        ("rep", "git-upload-pack", 200, ""),
        ("rep", "git-receive-pack", 403, "not allowed to push"),
        ("dev", "git-receive-pack", 200, ""),
        ("dev", "git-upload-archive", 403, "smart"),
    ],
)
def test_who_may_fetch_and_push(
    sandbox: Sandbox, url: str, user: str | None, action: str, status: int, words: str
) -> None:
    auth = ("any", "wrong" if user == "unknown" else sandbox.token_for(user)) if user else None
    answer = http.get(f"{url}/{P}.git/info/refs", params={"service": action}, auth=auth, timeout=10)
    assert (answer.status_code, words in answer.text) == (status, True)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_hidden_refs_cannot_be_pushed(sandbox: Sandbox, clone: Clone) -> None:
    opened(sandbox)
    clone.commit({"x": "1"})
    assert clone.run("push", "origin", "HEAD:refs/merge-requests/1/head").returncode != 0
    assert "refs/merge-requests/1/head" in clone.git("ls-remote", "origin")


def test_a_first_push_to_an_empty_project_names_its_default_branch(sandbox: Sandbox, clone: Clone) -> None:
    project = sandbox.add_project("platform/empty")
    sandbox.add_member("platform/empty", "dev", Role.maintainer)
    made = clone.commit({"x": "1"})
    clone.git("push", "--quiet", clone.remote.replace(P, "platform/empty"), "HEAD:refs/heads/trunk")
    assert (project.default_branch, sandbox.head(project, "trunk")) == ("trunk", made)
