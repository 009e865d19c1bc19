"""GitHub's dialect: who calls, permission levels, teams."""

import pytest
import requests as http

from bot.sandbox.model import Role
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import P, opened
from tests.sandbox.github_client import REPO, GitHub


def test_the_token_says_who_calls(hub: GitHub) -> None:
    assert (hub.pygithub("dev").get_user().login, hub("bot").get("/user")["type"]) == ("dev", "Bot")


@pytest.mark.parametrize("scheme", ["token", "Bearer", "bearer"])
def test_a_token_comes_as_token_or_bearer(sandbox: Sandbox, url: str, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {sandbox.token_for('dev')}"}
    assert http.get(f"{url}/api/v3/user", headers=headers, timeout=5).json()["login"] == "dev"


def test_an_unknown_token_is_401_everywhere(hub: GitHub) -> None:
    for path in ("/user", REPO, "/nowhere"):
        assert hub.token("ghp_unknown").said("GET", path) == (401, "Bad credentials")


def test_nobody_and_outsiders_do_not_learn_of_a_private_repository(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    for user in ("", "out"):
        for path in (REPO, f"{REPO}/pulls/1", f"{REPO}/issues/1/comments", "/repos/platform/missing"):
            assert hub(user).said("GET", path) == (404, "Not Found")
        assert hub(user).said("PUT", f"{REPO}/pulls/1/merge", {}) == (404, "Not Found")


def test_a_public_repository_is_read_by_anybody_and_written_by_few(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    sandbox.configure(P, visibility="public")
    assert hub("").get(f"{REPO}/pulls/1")["number"] == 1
    assert hub("").said("POST", f"{REPO}/issues/1/comments", {"body": "x"})[0] == 401
    assert hub("out").said("PUT", f"{REPO}/pulls/1/merge", {})[0] == 403


def test_a_read_only_token_writes_nothing(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    api = hub.token(sandbox.token_for("dev", read_only=True))
    assert api.get(REPO)["name"] == "config"
    status, words = api.said("POST", f"{REPO}/issues/1/comments", {"body": "x"})
    assert (status, words) == (403, "Resource not accessible by personal access token")


def test_a_request_without_user_agent_is_refused(sandbox: Sandbox, url: str) -> None:
    headers: dict[str, str | None] = {"User-Agent": None}
    with http.Session() as session:
        session.headers.clear()
        found = session.get(f"{url}/api/v3/user", headers={**headers, "User-Agent": ""}, timeout=5)
    assert (found.status_code, "User-Agent" in found.json()["message"]) == (403, True)


@pytest.mark.parametrize(
    ("role", "permission", "name"),
    [
        (Role.none, "none", "none"),
        (Role.guest, "none", "none"),
        (Role.reporter, "read", "read"),
        (Role.developer, "write", "write"),
        (Role.maintainer, "write", "maintain"),
        (Role.owner, "admin", "admin"),
    ],
)
def test_permission_levels_are_githubs(sandbox: Sandbox, hub: GitHub, role: Role, permission: str, name: str) -> None:
    if role:
        sandbox.add_member(P, "out", role)
    found = hub("bot").get(f"{REPO}/collaborators/OUT/permission")
    assert (found["permission"], found["role_name"], found["user"]["login"]) == (permission, name, "out")


def test_everybody_reads_a_public_repository(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.configure(P, visibility="public")
    assert hub("bot").get(f"{REPO}/collaborators/out/permission")["permission"] == "read"


def test_a_permission_is_told_to_writers_of_users_that_exist(hub: GitHub) -> None:
    assert hub("rep").said("GET", f"{REPO}/collaborators/dev/permission")[0] == 403
    assert hub("dev").said("GET", f"{REPO}/collaborators/who/permission") == (404, "who is not a user")


def test_users_are_found_whatever_the_case(sandbox: Sandbox, hub: GitHub) -> None:
    assert hub().get("/users/Mira")["id"] == sandbox.user("mira").id
    assert hub().said("GET", "/users/missing") == (404, "Not Found")


def test_a_team_counts_the_members_of_the_teams_below_it(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.add_member("platform/managers", "mira", Role.developer)
    sandbox.add_member("platform/managers/night", "rep", Role.developer)
    sandbox.add_member("platform/managers/night", "mira", Role.developer)
    sandbox.add_member("platform/others", "dev", Role.developer)
    members = "/orgs/platform/teams/{}/members"
    assert [one["login"] for one in hub().many(members.format("managers"))] == ["mira", "rep"]
    assert [one["login"] for one in hub().many(members.format("night"))] == ["mira", "rep"]
    assert hub().said("GET", members.format("missing")) == (404, "Not Found")
    assert hub("out").said("GET", members.format("managers")) == (404, "Not Found")


def test_members_of_a_team_of_a_repository_have_its_role(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.add_member("platform", "out", Role.developer)
    assert hub("out").get(REPO)["permissions"] == {
        "admin": False,
        "maintain": False,
        "push": True,
        "triage": True,
        "pull": True,
    }
