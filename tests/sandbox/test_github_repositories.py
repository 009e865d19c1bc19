"""GitHub's dialect: repositories, branches and their protection, refs, commits, comparison, files."""

import base64

import pytest

from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import P, opened
from tests.sandbox.github_client import REPO, GitHub

NONE = {
    "required_status_checks": None,
    "enforce_admins": True,
    "required_pull_request_reviews": None,
    "restrictions": None,
}
PROTECTION = f"{REPO}/branches/main/protection"


def test_a_repository_is_found_whatever_the_case(sandbox: Sandbox, hub: GitHub) -> None:
    found = hub().get("/repos/Platform/CONFIG")
    assert (found["full_name"], found["owner"]["type"], found["private"]) == (P, "Organization", True)
    assert found["default_branch"] == "main"


def test_merge_switches_are_told_to_writers_and_turned_by_maintainers(sandbox: Sandbox, hub: GitHub) -> None:
    assert "allow_squash_merge" not in hub("rep").get(REPO)
    assert hub("dev").said("PATCH", REPO, {"allow_squash_merge": False})[0] == 403
    assert hub("mira").make("PATCH", REPO, {"allow_squash_merge": False})["allow_squash_merge"] is False
    assert sandbox.project(P).settings.allow_merge_commit is True


def test_branches_are_read_with_their_head(sandbox: Sandbox, hub: GitHub) -> None:
    head = sandbox.commit_as("dev", P, "team/one", {"x": "1"}, "x")
    assert [(one["name"], one["protected"]) for one in hub().many(f"{REPO}/branches")] == [
        ("main", True),
        ("team/one", False),
    ]
    assert hub().get(f"{REPO}/branches/team%2Fone")["commit"]["sha"] == head
    assert hub().get(f"{REPO}/git/ref/heads/team/one")["object"]["sha"] == head
    assert hub().said("GET", f"{REPO}/branches/missing") == (404, "Branch not found")
    assert hub().said("GET", f"{REPO}/git/ref/heads/missing") == (404, "Not Found")


def test_a_ref_is_deleted_once(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "team/one", {"x": "1"}, "x")
    assert hub("rep").said("DELETE", f"{REPO}/git/refs/heads/team/one")[0] == 403
    assert hub().said("DELETE", f"{REPO}/git/refs/tags/team/one") == (422, "Reference does not exist")
    assert hub()("DELETE", f"{REPO}/git/refs/heads/team/one").status_code == 204
    assert hub().said("DELETE", f"{REPO}/git/refs/heads/team/one") == (422, "Reference does not exist")
    assert hub("mira").said("DELETE", f"{REPO}/git/refs/heads/main")[0] == 422
    assert list(sandbox.project(P).git.heads()) == ["main"]


def test_a_protection_is_set_and_read(sandbox: Sandbox, hub: GitHub) -> None:
    wanted = {
        "required_status_checks": {"strict": True, "checks": [{"context": "ci", "app_id": 7}, {"context": "lint"}]},
        "required_pull_request_reviews": {"required_approving_review_count": 2},
    }
    hub("mira").make("PUT", PROTECTION, NONE | wanted)
    found = hub("mira").get(PROTECTION)
    assert found["required_status_checks"] == {
        "strict": True,
        "contexts": ["ci", "lint"],
        "checks": [{"context": "ci", "app_id": 7}, {"context": "lint", "app_id": None}],
    }
    assert found["required_pull_request_reviews"]["required_approving_review_count"] == 2
    assert "restrictions" not in found  # GitHub leaves out what is not asked for


@pytest.mark.parametrize("missing", NONE)
def test_a_protection_says_all_that_it_must(sandbox: Sandbox, hub: GitHub, missing: str) -> None:
    before = sandbox.project(P).protections["main"]
    wanted = {name: value for name, value in NONE.items() if name != missing}
    status, words = hub("mira").said("PUT", PROTECTION, wanted)
    assert (status, f'"{missing}" wasn\'t supplied.' in str(words)) == (422, True)
    assert sandbox.project(P).protections["main"] == before


@pytest.mark.parametrize("checks", [{"checks": 5}, {"checks": [{"app_id": 1}]}, {"contexts": "ci"}, {"checks": ["ci"]}])
def test_checks_that_are_none_are_refused(hub: GitHub, checks: object) -> None:
    assert hub("mira").said("PUT", PROTECTION, NONE | {"required_status_checks": checks})[0] == 422


def test_a_branch_without_protection_says_so(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "free", {"x": "1"}, "x")
    assert hub("mira").said("GET", f"{REPO}/branches/free/protection") == (404, "Branch not protected")
    assert hub("dev").said("PUT", PROTECTION, NONE)[0] == 403


def test_commits_are_listed_newest_first_and_by_path(sandbox: Sandbox, hub: GitHub) -> None:
    first = sandbox.head(P)
    second = sandbox.commit_as("mira", P, "main", {"same.yaml": "2"}, "Second\n\nbody")
    third = sandbox.commit_as("mira", P, "main", {"other": "3"}, "Third")
    commits = hub.pygithub().get_repo(P).get_commits()
    assert [one.sha for one in commits] == [third, second, first]
    assert [one["sha"] for one in hub().many(f"{REPO}/commits?path=same.yaml")] == [second, first]
    found = hub().get(f"{REPO}/commits/{second}")
    assert (found["commit"]["message"], found["author"]["login"]) == ("Second\n\nbody", "mira")
    assert ([one["sha"] for one in found["parents"]], found["files"][0]["filename"]) == ([first], "same.yaml")
    assert hub().said("GET", f"{REPO}/commits/{'0' * 40}") == (422, f"No commit found for SHA: {'0' * 40}")


def test_a_comparison_lists_commits_oldest_first_from_the_merge_base(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    base = sandbox.head(P)
    moved = sandbox.commit_as("mira", P, "main", {"same.yaml": "2"}, "Ahead")
    found = hub.pygithub().get_repo(P).compare(moved, request.head)
    assert (found.status, found.ahead_by, found.behind_by) == ("diverged", 1, 1)
    assert ([one.sha for one in found.commits], found.merge_base_commit.sha) == ([request.head], base)
    assert [one.filename for one in found.files] == ["feature.yaml"]
    words = [hub().get(f"{REPO}/compare/{span}")["status"] for span in ("main...main", f"main...{base}")]
    assert words == ["identical", "behind"]
    assert hub().said("GET", f"{REPO}/compare/main...missing") == (404, "Not Found")


def test_a_long_comparison_comes_in_pages(sandbox: Sandbox, hub: GitHub) -> None:
    base = sandbox.head(P)
    made = [sandbox.commit_as("mira", P, "main", {"same.yaml": f"{one}"}, f"{one}") for one in range(7)]
    found = hub().get(f"{REPO}/compare/{base}...main?per_page=3&page=3")
    assert ([one["sha"] for one in found["commits"]], found["total_commits"]) == (made[6:], 7)


def test_a_file_is_read_in_base64(sandbox: Sandbox, hub: GitHub) -> None:
    old = sandbox.head(P)
    sandbox.commit_as("mira", P, "main", {"apps/a/values.yaml": "a: 2\n"}, "Two")
    found = hub().get(f"{REPO}/contents/apps/a/values.yaml")
    assert (base64.b64decode(found["content"]), found["type"]) == (b"a: 2\n", "file")
    assert base64.b64decode(hub().get(f"{REPO}/contents/apps/a/values.yaml?ref={old}")["content"]) == b"a: 1\n"
    assert hub().said("GET", f"{REPO}/contents/missing") == (404, "Not Found")
