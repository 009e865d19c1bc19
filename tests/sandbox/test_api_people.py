"""Users, roles, members, tokens, protected branches."""

import gitlab
import pytest
import requests as http
from gitlab.exceptions import GitlabAuthenticationError, GitlabError

from bot.sandbox.model import Role
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Client, P, opened

PATH = "/projects/platform%2Fconfig"


def test_the_token_says_who_calls(client: Client) -> None:
    for name, bot in (("dev", False), ("bot", True)):
        user = client(name).http_get("/user")
        assert isinstance(user, dict)
        assert (user["username"], user["bot"]) == (name, bot)


def test_a_token_may_come_as_a_bearer(sandbox: Sandbox, url: str) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token_for('dev')}"}
    assert http.get(f"{url}/api/v4/user", headers=headers, timeout=5).json()["username"] == "dev"


@pytest.mark.parametrize("path", ["/user", PATH])
def test_an_unknown_token_is_401(url: str, path: str) -> None:
    with pytest.raises(GitlabAuthenticationError, match="401 Unauthorized"):
        gitlab.Gitlab(url, private_token="glpat-unknown").http_get(path)


@pytest.mark.parametrize(("path", "status"), [("/user", 401), (PATH, 404), (f"{PATH}/merge_requests", 404)])
def test_nobody_is_refused(url: str, path: str, status: int) -> None:
    assert http.get(f"{url}/api/v4{path}", timeout=5).status_code == status


def test_a_public_project_may_be_read_by_nobody(sandbox: Sandbox, url: str) -> None:
    sandbox.configure(P, visibility="public")
    assert http.get(f"{url}/api/v4{PATH}/repository/branches", timeout=5).status_code == 200
    assert http.post(f"{url}/api/v4{PATH}/merge_requests", timeout=5).status_code == 401


def test_a_read_only_token_writes_nothing(sandbox: Sandbox, url: str) -> None:
    opened(sandbox)
    reader = gitlab.Gitlab(url, private_token=sandbox.token_for("dev", read_only=True))
    assert reader.projects.get(P).path == "config"
    with pytest.raises(GitlabError) as caught:
        reader.http_post(f"{PATH}/merge_requests/1/notes", post_data={"body": "x"})
    assert caught.value.response_code == 403


@pytest.mark.parametrize(
    ("method", "path", "data", "least"),
    [
        ("get", PATH, {}, Role.guest),
        ("get", f"{PATH}/members/all", {}, Role.guest),
        ("get", f"{PATH}/repository/branches", {}, Role.reporter),
        ("get", f"{PATH}/merge_requests/1", {}, Role.reporter),
        ("post", f"{PATH}/merge_requests/1/notes", {"body": "x"}, Role.reporter),
        ("post", f"{PATH}/merge_requests/1/award_emoji", {"name": "eyes"}, Role.reporter),
        ("post", f"{PATH}/labels", {"name": "x", "color": "#fff"}, Role.reporter),
        ("put", f"{PATH}/merge_requests/1", {"title": "x"}, Role.developer),
        ("post", f"{PATH}/repository/branches", {"branch": "x", "ref": "main"}, Role.developer),
        ("post", f"{PATH}/deployments", {"environment": "prod", "sha": "main", "ref": "main", "status": "success"}, 30),
        ("post", f"{PATH}/protected_branches", {"name": "x"}, Role.maintainer),
        ("get", f"{PATH}/hooks", {}, Role.maintainer),
        ("post", f"{PATH}/hooks", {"url": "http://hooks.example.com"}, Role.maintainer),
    ],
    ids=str,
)
def test_each_right_begins_at_its_role(
    sandbox: Sandbox, client: Client, method: str, path: str, data: dict[str, str], least: int
) -> None:
    opened(sandbox)
    for role in (Role.none, Role.guest, Role.reporter, Role.developer, Role.maintainer):
        sandbox.add_user(role.name)
        if role:
            sandbox.add_member(P, role.name, role)
        try:
            client(role.name).http_request(method, path, post_data=data or None)
            status = 200
        except GitlabError as error:
            status = 200 if error.response_code in (400, 409) else error.response_code or 0  # it exists by now
        expected = 200 if role >= least else 404 if role is Role.none else 403
        assert (role.name, status) == (role.name, expected)


def test_members_are_direct_or_inherited_and_the_highest_role_counts(sandbox: Sandbox, client: Client) -> None:
    sandbox.add_project("company/team/app", {"a": "1"})
    sandbox.add_member("company", "rep", Role.owner)
    sandbox.add_member("company/team", "out", Role.developer)
    sandbox.add_member("company/team/app", "out", Role.reporter)
    project = client("rep").projects.get("company/team/app")
    assert {(one.username, one.access_level) for one in project.members.list(get_all=True)} == {
        ("root", 50),
        ("out", 20),
    }
    everybody = {(one.username, one.access_level) for one in project.members_all.list(get_all=True)}
    assert everybody == {("root", 50), ("rep", 50), ("out", 30)}
    assert project.members_all.get(sandbox.user("out").id).access_level == 30
    group = client("out").groups.get("company/team")
    assert group.parent_id == client("out").groups.get("company").id
    assert {one.username for one in group.members.list(get_all=True)} == {"out"}
    assert {one.username for one in group.members_all.list(get_all=True)} == {"out", "rep"}
    with pytest.raises(GitlabError, match="404"):
        client("dev").groups.get("company")


def test_users_are_found_by_name(client: Client) -> None:
    assert [one.username for one in client("dev").users.list(username="mira", get_all=True)] == ["mira"]
    assert client("dev").users.list(username="missing", get_all=True) == []


def test_a_branch_is_protected_and_freed(sandbox: Sandbox, client: Client) -> None:
    project = client("mira").projects.get(P)
    project.protectedbranches.create({"name": "release/*", "push_access_level": 0, "merge_access_level": 30})
    sandbox.project(P).git.set_branch("release/1", None, sandbox.head(P))
    found = project.branches.get("release/1")
    assert (found.protected, found.developers_can_merge, found.can_push) == (True, True, False)
    with pytest.raises(GitlabError, match="409"):
        project.protectedbranches.create({"name": "release/*"})
    project.protectedbranches.delete("release/*")
    assert not project.branches.get("release/1").protected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("merge_method", "bogus"),
        ("merge_method", ""),
        ("visibility", "secret"),
        ("approvals_before_merge", ""),
        ("approvals_before_merge", "many"),
        ("approvals_before_merge", -1),
        ("only_allow_merge_if_pipeline_succeeds", "perhaps"),
        ("only_allow_merge_if_pipeline_succeeds", ""),
    ],
)
def test_a_setting_that_cannot_be_is_refused(sandbox: Sandbox, client: Client, name: str, value: object) -> None:
    before = sandbox.project(P).settings
    with pytest.raises(GitlabError) as caught:
        client("mira").http_put(PATH, post_data={name: value})
    assert caught.value.response_code == 400
    assert name in str(caught.value.error_message)
    assert sandbox.project(P).settings == before


def test_a_setting_of_the_other_forge_is_passed_over(sandbox: Sandbox, client: Client) -> None:
    client("mira").http_put(PATH, post_data={"allow_squash_merge": False, "merge_method": "ff"})
    settings = sandbox.project(P).settings
    assert (settings.allow_squash_merge, settings.merge_method) == (True, "ff")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "/members?per_page=--5"),
        ("get", "/repository/branches?page=x"),
        ("get", "/members/abc"),
        ("delete", "/members/abc"),
    ],
)
def test_a_number_that_is_none_is_refused(client: Client, method: str, path: str) -> None:
    with pytest.raises(GitlabError, match="is invalid") as caught:
        client("mira").http_request(method, PATH + path)
    assert caught.value.response_code == 400


def test_a_form_that_is_no_text_is_refused(sandbox: Sandbox, url: str) -> None:
    headers = {"PRIVATE-TOKEN": sandbox.token_for("mira"), "Content-Type": "application/x-www-form-urlencoded"}
    assert http.put(f"{url}/api/v4{PATH}", data=b"\xff=1", headers=headers, timeout=5).status_code == 400


def test_settings_are_changed_by_maintainers(client: Client) -> None:
    project = client("mira").projects.get(P)
    project.only_allow_merge_if_pipeline_succeeds = True
    project.save()
    assert client("dev").projects.get(P).only_allow_merge_if_pipeline_succeeds is True
