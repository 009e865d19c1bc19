"""What each read asks of GitLab, and that it asks once."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
import responses
from responses.matchers import query_param_matcher

from bot.errors import Permanent
from bot.forges.gitlab.paths import project_at
from policies.model import Thread
from tests.forges.gitlab_answers import API, HEAD, PROJECT, URL, forge, merge_request

REQUESTS = f"{PROJECT}/merge_requests"
OLD, NEW = "a" * 40, "b" * 40


def test_the_bots_own_user_and_the_default_branch_are_read_once(web: responses.RequestsMock) -> None:
    web.get(f"{API}/user", json={"id": 42, "username": "towpath", "name": "Towpath", "bot": True})
    web.get(PROJECT, json={"default_branch": "main"})
    main = forge()
    assert [main.me().id, main.me().id] == [42, 42]
    assert [main.default_branch("platform/config")] * 2 == ["main", main.default_branch("platform/config")]
    assert len(web.calls) == 2


def test_an_empty_repository_has_no_default_branch(web: responses.RequestsMock) -> None:
    web.get(PROJECT, json={"default_branch": None})
    with pytest.raises(Permanent, match="platform/config: the repository is empty"):
        forge().default_branch("platform/config")


def test_a_branchs_slashes_are_escaped(web: responses.RequestsMock) -> None:
    web.get(f"{PROJECT}/repository/branches/towpath%2Fp%2Fprod%23x", json={"commit": {"id": HEAD}})
    assert forge().head("platform/config", "towpath/p/prod#x") == HEAD
    assert str(web.calls[0].request.url).endswith("/branches/towpath%2Fp%2Fprod%23x")


def test_what_the_lists_of_merge_requests_ask_for(web: responses.RequestsMock) -> None:
    def asks(**query: str) -> None:
        asked = {"per_page": "100", "sort": "desc", **query}
        web.get(REQUESTS, json=[merge_request()], match=[query_param_matcher(asked)])

    main = forge()
    asks(state="opened", labels="towpath", with_merge_status_recheck="true", order_by="created_at")
    main.open_requests("platform/config", "towpath")
    asks(state="all", source_branch="towpath/p/x", order_by="created_at")
    main.requests_from("platform/config", "towpath/p/x")
    asks(state="all", updated_after="2026-03-02T08:00:00.000Z", order_by="updated_at")
    main.updated_requests("platform/config", datetime(2026, 3, 2, 10, tzinfo=timezone(timedelta(hours=2))))
    assert len(web.calls) == 3


def test_R7_an_item_that_a_shifted_page_repeats_counts_once(web: responses.RequestsMock) -> None:
    link = f'<{REQUESTS}?page=2>; rel="next"'
    web.get(REQUESTS, json=[merge_request(iid=3), merge_request(iid=2)], headers={"Link": link})
    web.get(
        REQUESTS,
        json=[merge_request(iid=2), merge_request(iid=1)],
        match=[query_param_matcher({"page": "2"}, strict_match=False)],
    )
    found = forge().updated_requests("platform/config", datetime(2026, 3, 2, tzinfo=UTC))
    assert [request.iid for request in found] == [3, 2, 1]


def test_comments_come_oldest_first_without_GitLabs_own(web: responses.RequestsMock) -> None:
    author = {"id": 5, "username": "alice"}
    at = "2026-03-02T10:00:00Z"
    web.get(
        f"{REQUESTS}/7/notes",
        json=[
            {"id": 1, "body": "hello", "author": author, "created_at": at, "system": False},
            {"id": 2, "body": "added 1 commit", "author": author, "created_at": at, "system": True},
            {"id": 3, "body": "again", "author": None, "created_at": at},
        ],
        match=[query_param_matcher({"sort": "asc", "order_by": "created_at", "per_page": "100"})],
    )
    found = forge().notes("platform/config", Thread(7))
    assert [(note.id, note.body, note.author.id) for note in found] == [(1, "hello", 5), (3, "again", 0)]


def test_the_statuses_of_a_commit(web: responses.RequestsMock) -> None:
    web.get(f"{API}/user", json={"id": 42, "username": "towpath", "name": "Towpath", "bot": True})
    web.get(f"{PROJECT}/repository/commits/{HEAD}/statuses", json=[{"id": 1, "name": "lint", "status": "success"}])
    assert [check.name for check in forge().checks("platform/config", HEAD)] == ["lint"]


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("commerce/checkout", "commerce/checkout"),
        ("commerce/apps/checkout.git", "commerce/apps/checkout"),
        ("https://gitlab.example.com/commerce/checkout", "commerce/checkout"),
        ("https://gitlab.example.com/commerce/checkout.git/", "commerce/checkout"),
        ("https://gitlab.example.com/commerce/checkout/-/tree/main", "commerce/checkout"),
        ("http://GitLab.example.com/commerce/checkout?ref=x#y", "commerce/checkout"),
        ("git@gitlab.example.com:commerce/checkout.git", "commerce/checkout"),
        ("ssh://git@gitlab.example.com:2222/commerce/checkout.git", "commerce/checkout"),
        (" commerce/checkout\n", "commerce/checkout"),
        ("https://github.com/commerce/checkout", None),
        ("https://gitlab.example.com.evil.example.net/commerce/checkout", None),
        ("https://gitlab.example.com@evil.example.net/commerce/checkout", None),
        ("https://gitlab.example.com:9999/commerce/checkout", None),
        ("git@github.com:commerce/checkout.git", None),
        ("https://gitlab.example.com/", None),
        ("https://[gitlab/commerce/checkout", None),
        ("https://gitlab.example.com:port/commerce/checkout", None),
        ("checkout", None),
        ("../../admin", None),
        ("commerce/../admin/x", None),
        ("commerce/checkout?private_token=x", None),
        ("commerce//checkout", None),
        ("", None),
    ],
)
def test_S11_which_source_addresses_are_on_this_GitLab(source: str, path: str | None) -> None:
    assert project_at(URL, source) == path


def test_a_source_address_below_GitLabs_path() -> None:
    assert project_at(f"{URL}/forge", f"{URL}/forge/commerce/checkout") == "commerce/checkout"
    assert project_at(f"{URL}/forge", f"{URL}/commerce/checkout") is None
    assert project_at("http://127.0.0.1:8080", "http://127.0.0.1:8080/commerce/checkout") == "commerce/checkout"


def test_the_commits_between_two_builds_newest_first(web: responses.RequestsMock) -> None:
    web.get(
        f"{API}/projects/commerce%2Fcheckout/repository/compare",
        json={"commits": [{"id": "c" * 40, "title": "first"}, {"id": NEW, "title": "second", "author_name": "Bob"}]},
        match=[query_param_matcher({"from": OLD, "to": NEW})],
    )
    found = forge().commits_between(f"{URL}/commerce/checkout", OLD, NEW)
    assert [(commit.title, commit.author) for commit in found] == [("second", "Bob"), ("first", "")]


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        ("https://github.com/commerce/checkout", OLD, NEW),
        ("commerce/checkout", "", NEW),
        ("commerce/checkout", OLD, "main..x"),
        ("commerce/checkout", "--output=x", NEW),
    ],
)
def test_S11_nothing_is_asked_for_another_host_or_for_what_is_no_commit(
    web: responses.RequestsMock, source: str, old: str, new: str
) -> None:
    assert forge().commits_between(source, old, new) == ()
    assert len(web.calls) == 0


@pytest.mark.parametrize("status", [403, 404, 409, 410, 422, 451])
def test_commits_that_GitLab_does_not_show_are_no_commits(web: responses.RequestsMock, status: int) -> None:
    web.get(f"{API}/projects/commerce%2Fcheckout/repository/compare", status=status, json={"message": "404 Not Found"})
    assert forge().commits_between("commerce/checkout", OLD, NEW) == ()


def test_a_source_that_was_renamed_stops_nothing(web: responses.RequestsMock) -> None:
    path = f"{API}/projects/commerce%2Fcheckout/repository/compare"
    web.get(path, status=301, headers={"Location": f"{API}/projects/7/repository/compare"})
    assert forge().commits_between("commerce/checkout", OLD, NEW) == ()
