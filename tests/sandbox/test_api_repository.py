"""Branches, files, trees, commits and comparison through python-gitlab."""

import base64

import pytest
from gitlab.exceptions import GitlabError

from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, P, opened

PATH = "/projects/platform%2Fconfig"


def test_branches_with_slashes_are_made_read_and_deleted(sandbox: Sandbox, client: Client) -> None:
    branches = client("dev").projects.get(P).branches
    made = branches.create({"branch": "towpath/p/prod/a", "ref": "main"})
    assert (made.commit["id"], branches.get("towpath/p/prod/a").protected) == (sandbox.head(P), False)
    with pytest.raises(GitlabError, match="400: Branch already exists"):
        branches.create({"branch": "towpath/p/prod/a", "ref": "main"})
    assert [one.name for one in branches.list(search="^towpath/", get_all=True)] == ["towpath/p/prod/a"]
    branches.delete("towpath/p/prod/a")
    with pytest.raises(GitlabError, match="404 Branch Not Found"):
        branches.get("towpath/p/prod/a")
    with pytest.raises(GitlabError):
        branches.delete("main")


def test_files_are_read_whole_and_raw(sandbox: Sandbox, client: Client) -> None:
    files = client("dev").projects.get(P).files
    found = files.get("apps/a/values.yaml", ref="main")
    assert (found.decode(), found.last_commit_id, found.size) == (b"a: 1\n", sandbox.head(P), 5)
    assert files.raw("apps/a/values.yaml", ref="main") == b"a: 1\n"
    with pytest.raises(GitlabError, match="404 File Not Found"):
        files.get("missing", ref="main")


def test_the_tree_is_listed_flat_or_whole(client: Client) -> None:
    project = client("dev").projects.get(P)
    assert [(one["name"], one["type"]) for one in project.repository_tree(get_all=True)] == [
        ("apps", "tree"),
        ("README.md", "blob"),
        ("same.yaml", "blob"),
    ]
    paths = [one["path"] for one in project.repository_tree(path="apps", recursive=True, get_all=True)]
    assert paths == ["apps/a", "apps/a/values.yaml"]
    with pytest.raises(GitlabError, match="404 Tree Not Found"):
        project.repository_tree(path="missing", get_all=True)


def test_one_commit_with_several_files_on_a_new_branch(sandbox: Sandbox, client: Client) -> None:
    project = client("dev").projects.get(P)
    binary = base64.b64encode(b"\0\1").decode()
    actions = [
        {"action": "update", "file_path": "same.yaml", "content": "image: 1\n"},
        {
            "action": "create",
            "file_path": "new.bin",
            "content": binary,
            "encoding": "base64",
        },
        {"action": "delete", "file_path": "README.md"},
        {"action": "move", "file_path": "apps/b.yaml", "previous_path": "apps/a/values.yaml"},
    ]
    body = {"branch": "feature", "start_sha": sandbox.head(P), "commit_message": "Several", "actions": actions}
    made = project.commits.create(body)
    assert sandbox.head(P, "feature") == made.id
    assert [sandbox.read(P, path, "feature") for path in ("same.yaml", "new.bin", "README.md", "apps/b.yaml")] == [
        b"image: 1\n",
        b"\0\1",
        None,
        b"a: 1\n",
    ]
    changed = {one["new_path"]: one for one in made.diff(get_all=True)}
    assert (changed["README.md"]["deleted_file"], changed["apps/b.yaml"]["renamed_file"]) == (True, True)
    with pytest.raises(GitlabError, match="400: A branch called 'feature' already exists"):
        project.commits.create(body)


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"action": "create", "file_path": "same.yaml", "content": ""}, "A file with this name already exists"),
        ({"action": "update", "file_path": "missing", "content": ""}, "A file with this name doesn't exist"),
        ({"action": "delete", "file_path": "missing"}, "A file with this name doesn't exist"),
        ({"action": "update", "file_path": "same.yaml", "content": "", "last_commit_id": "0" * 40}, "has changed"),
        ({"action": "shout", "file_path": "same.yaml"}, "does not have a valid value"),
    ],
)
def test_a_commit_that_does_not_fit_is_refused(
    sandbox: Sandbox, client: Client, action: dict[str, str], words: str
) -> None:
    body = {"branch": "feature", "start_branch": "main", "commit_message": "x", "actions": [action]}
    with pytest.raises(GitlabError, match=words) as caught:
        client("dev").projects.get(P).commits.create(body)
    assert caught.value.response_code == 400
    assert "feature" not in sandbox.project(P).git.heads()


@pytest.mark.parametrize("path", ["../x", "a/../../x", ".git/x", "a/.GIT/config", "a//b", "/x", "", "./x", "a\0b"])
def test_a_path_that_git_would_not_keep_is_refused(sandbox: Sandbox, client: Client, path: str) -> None:
    action = {"action": "create", "file_path": path, "content": ""}
    body = {"branch": "feature", "start_branch": "main", "commit_message": "x", "actions": [action]}
    with pytest.raises(GitlabError, match=r"invalid path|directory traversal") as caught:
        client("dev").projects.get(P).commits.create(body)
    assert caught.value.response_code == 400
    assert "feature" not in sandbox.project(P).git.heads()


@pytest.mark.parametrize("name", ["a b", "a..b", "-a", "a.lock", "a\0b", "", "main/under"])
def test_a_branch_that_git_would_not_keep_is_refused(sandbox: Sandbox, client: Client, name: str) -> None:
    action = {"action": "create", "file_path": "x", "content": ""}
    commit = {"branch": name, "start_branch": "main", "commit_message": "x", "actions": [action]}
    project = client("dev").projects.get(P)
    for make, body in ((project.branches.create, {"branch": name, "ref": "main"}), (project.commits.create, commit)):
        with pytest.raises(GitlabError, match="Branch name is invalid") as caught:
            make(body)
        assert caught.value.response_code == 400
    assert list(sandbox.project(P).git.heads()) == ["main"]


def test_a_developer_commits_to_no_protected_branch(client: Client) -> None:
    body = {"branch": "main", "commit_message": "x", "actions": [{"action": "delete", "file_path": "README.md"}]}
    with pytest.raises(GitlabError, match="403"):
        client("dev").projects.get(P).commits.create(body)


def test_commits_are_listed_newest_first_and_by_path(sandbox: Sandbox, client: Client) -> None:
    first = sandbox.head(P)
    second = sandbox.commit_as("mira", P, "main", {"same.yaml": "2"}, "Second\n\nbody")
    third = sandbox.commit_as("mira", P, "main", {"other": "3"}, "Third")
    commits = client("dev").projects.get(P).commits
    assert [one.id for one in commits.list(get_all=True)] == [third, second, first]
    assert [one.id for one in commits.list(query_parameters={"path": "same.yaml"}, get_all=True)] == [second, first]
    assert [one.id for one in commits.list(ref_name=f"{first}..{second}", get_all=True)] == [second]
    found = commits.get(second)
    assert (found.title, found.stats["total"], found.author_name) == ("Second", 2, "Mira")


def test_a_comparison_lists_commits_oldest_first(sandbox: Sandbox, client: Client) -> None:
    old = sandbox.head(P)
    new = [sandbox.commit_as("mira", P, "main", {"same.yaml": str(one)}, f"{one}") for one in range(3)]
    found = client("dev").projects.get(P).repository_compare(old, "main")
    assert isinstance(found, dict)
    assert [one["id"] for one in found["commits"]] == new
    assert [one["new_path"] for one in found["diffs"]] == ["same.yaml"]
    with pytest.raises(GitlabError, match="404"):
        client("dev").projects.get(P).repository_compare("0" * 40, "main")


def test_the_requests_of_a_commit(sandbox: Sandbox, client: Client) -> None:
    request = opened(sandbox)
    for sha in (request.head, sandbox.merge_as("mira", P, 1)):
        found = client("dev").projects.get(P).commits.get(sha).merge_requests(get_all=True)
        assert [one["iid"] for one in found] == [1]
