"""GitHub's dialect: Apps, their claims, their installations and the tokens of these."""

import time
from pathlib import Path

import github
import jwt
import pytest
import requests as http

from bot.sandbox.model import App, Role
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Clock, opened
from tests.sandbox.github_client import REPO, Api, GitHub, claim

Made = tuple[App, str, int]
Keys = list[tuple[str, str]]


@pytest.fixture(scope="module")
def keys() -> Keys:
    """Two pairs of keys for the whole module: making them takes long."""
    pairs = []
    for store in ("a", "b"):
        app, private = Sandbox.create(Path(store)).add_app(store)
        pairs.append((app.public_key, private))
    return pairs


@pytest.fixture
def app(sandbox: Sandbox, keys: Keys) -> Made:
    made = sandbox.state.add_app("towpath", keys[0][0])
    return made, keys[0][1], sandbox.install_app(made, "platform").id


@pytest.fixture
def as_app(hub: GitHub, app: Made) -> Api:
    return hub.token(claim(app[0].id, app[1]))


def token_of(as_app: Api, installation: int) -> str:
    found = as_app("POST", f"/app/installations/{installation}/access_tokens")
    assert found.status_code == 201, found.text
    value = found.json()["token"]
    assert isinstance(value, str)
    return value


def test_an_app_proves_itself_and_finds_its_installations(as_app: Api, app: Made) -> None:
    assert as_app.get("/app")["slug"] == "towpath"
    (found,) = as_app.many("/app/installations")
    assert (found["id"], found["account"]["login"], found["app_id"]) == (app[2], "platform", app[0].id)
    assert as_app.get(f"{REPO}/installation")["id"] == app[2]


def test_an_installations_token_acts_as_the_apps_bot(sandbox: Sandbox, hub: GitHub, as_app: Api, app: Made) -> None:
    opened(sandbox)
    api = hub.token(token_of(as_app, app[2]))
    made = api("POST", f"{REPO}/issues/1/comments", {"body": "hello"}).json()
    assert (made["user"]["login"], made["user"]["type"]) == ("towpath[bot]", "Bot")
    assert api.said("GET", "/user") == (403, "Resource not accessible by integration")


def test_an_installations_token_lives_for_an_hour_of_the_sandbox(
    hub: GitHub, as_app: Api, app: Made, clock: Clock
) -> None:
    made = as_app("POST", f"/app/installations/{app[2]}/access_tokens").json()
    assert made["expires_at"] == "2026-03-02T10:00:00Z"
    api = hub.token(made["token"])
    clock.later(3599)
    assert api.get(REPO)["name"] == "config"
    clock.later(1)
    assert api.said("GET", REPO) == (401, "Bad credentials")


def test_another_apps_installation_does_not_exist(sandbox: Sandbox, hub: GitHub, app: Made, keys: Keys) -> None:
    other = sandbox.state.add_app("other", keys[1][0])
    api = hub.token(claim(other.id, keys[1][1]))
    assert api.many("/app/installations") == []
    assert api.said("POST", f"/app/installations/{app[2]}/access_tokens") == (404, "Not Found")
    assert api.said("GET", f"{REPO}/installation") == (404, "Not Found")


def test_a_claim_that_is_not_the_apps_is_refused(hub: GitHub, app: Made, keys: Keys) -> None:
    made, key, _ = app
    unsigned = jwt.encode({"iat": 0, "exp": int(time.time()) + 60, "iss": str(made.id)}, "", "none")
    claims = (
        claim(made.id, keys[1][1]),
        claim(made.id + 1, key),
        claim(made.id, key, lives=-30),
        claim(made.id, key, lives=3600),
        unsigned,
    )
    for one in claims:
        assert hub.token(one).said("GET", "/app")[0] == 401


def test_a_claim_opens_no_repository_and_a_token_is_no_claim(sandbox: Sandbox, hub: GitHub, as_app: Api) -> None:
    assert as_app.said("GET", REPO) == (404, "Not Found")
    assert hub("mira").said("GET", "/app")[0] == 401


def test_an_installations_token_reaches_its_own_organisation_alone(
    sandbox: Sandbox, hub: GitHub, as_app: Api, app: Made, url: str
) -> None:
    sandbox.add_project("elsewhere/secret", {"a": "1"})
    second = sandbox.install_app(app[0], "elsewhere").id
    first, other = token_of(as_app, app[2]), token_of(as_app, second)
    for token, statuses in ((first, (200, 404)), (other, (404, 200))):
        found = [hub.token(token)("GET", path).status_code for path in (REPO, "/repos/elsewhere/secret")]
        assert tuple(found) == statuses
        git = "{}/{}.git/info/refs?service=git-upload-pack"
        fetched = [
            http.get(git.format(url, path), auth=("x-access-token", token), timeout=10).status_code
            for path in ("platform/config", "elsewhere/secret")
        ]
        assert tuple(fetched) == statuses


def test_an_app_works_with_the_role_that_it_was_given(sandbox: Sandbox, hub: GitHub, keys: Keys) -> None:
    made = sandbox.state.add_app("reader", keys[0][0])
    installation = sandbox.install_app(made, "platform", Role.reporter)
    api = hub.token(token_of(hub.token(claim(made.id, keys[0][1])), installation.id))
    assert api.get(REPO)["permissions"]["push"] is False
    assert api.said("POST", f"{REPO}/statuses/main", {"state": "success"}) == (
        403,
        "Resource not accessible by integration",
    )


def test_pygithub_works_as_an_installation(sandbox: Sandbox, url: str, app: Made) -> None:
    opened(sandbox)
    auth = github.Auth.AppAuth(app[0].id, app[1])
    integration = github.GithubIntegration(base_url=f"{url}/api/v3", auth=auth)
    installation = integration.get_repo_installation("platform", "config")
    repository = integration.get_github_for_installation(installation.id).get_repo("platform/config")
    made = repository.get_pull(1).create_issue_comment("from an App")
    assert sandbox.request("platform/config", 1).notes[-1].author == app[0].user
    assert made.body == "from an App"
