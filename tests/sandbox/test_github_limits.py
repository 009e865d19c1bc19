"""GitHub's dialect: pages and their links, validators, limits, and trouble at will."""

import pytest

from bot.sandbox.faults import Fault
from bot.sandbox.sandbox import Sandbox
from tests.sandbox.conftest import Clock, P, opened
from tests.sandbox.github_client import REPO, GitHub

COMMENTS = f"{REPO}/issues/1/comments"


@pytest.fixture
def many(sandbox: Sandbox) -> int:
    """A pull request with this many comments."""
    opened(sandbox)
    for number in range(65):
        sandbox.comment_as("dev", P, 1, f"{number}")
    return 65


def test_a_page_has_30_items_and_links_to_the_others(hub: GitHub, many: int) -> None:
    first = hub()("GET", COMMENTS)
    assert len(first.json()) == 30
    assert set(first.links) == {"next", "last"}
    second = hub()("GET", first.links["next"]["url"])
    assert set(second.links) == {"prev", "first", "next", "last"}
    third = hub()("GET", second.links["next"]["url"])
    assert (len(third.json()), set(third.links)) == (5, {"prev", "first"})
    assert [one["body"] for page in (first, second, third) for one in page.json()] == [f"{n}" for n in range(many)]
    assert third.url.partition("?")[2] == first.links["last"]["url"].partition("?")[2]


def test_pygithub_walks_all_pages(hub: GitHub, many: int) -> None:
    assert len(list(hub.pygithub().get_repo(P).get_pull(1).get_issue_comments())) == many


@pytest.mark.parametrize(
    ("query", "size"),
    [("per_page=100", 65), ("per_page=7", 7), ("per_page=1000", 65), ("per_page=0", 30), ("page=9", 0), ("page=0", 30)],
)
def test_pages_are_sized(hub: GitHub, many: int, query: str, size: int) -> None:
    assert len(hub().many(f"{COMMENTS}?{query}")) == size


def test_a_single_page_has_no_links(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    assert "Link" not in hub()("GET", COMMENTS).headers


def test_links_keep_the_rest_of_the_query(hub: GitHub, many: int) -> None:
    found = hub()("GET", f"{COMMENTS}?since=x&per_page=10").links["next"]["url"]
    assert "since=x" in found
    assert found.count("per_page") == 1


def test_what_has_not_changed_is_304(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    first = hub()("GET", f"{REPO}/issues/1")
    tag = {"If-None-Match": first.headers["ETag"]}
    again = hub()("GET", f"{REPO}/issues/1", headers=tag)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    sandbox.comment_as("dev", P, 1, "news")
    changed = hub()("GET", f"{REPO}/issues/1", headers=tag)
    assert (changed.status_code, changed.json()["comments"]) == (200, 1)
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_others_do_not_get_304_for_what_they_may_not_see(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    tag = {"If-None-Match": hub()("GET", f"{REPO}/pulls/1").headers["ETag"]}
    assert hub("out")("GET", f"{REPO}/pulls/1", headers=tag).status_code == 404


def test_the_secondary_limit_says_how_long_to_wait(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    sandbox.faults.add(Fault("limited", "POST", retry_after=7))
    found = hub()("POST", COMMENTS, {"body": "x"})
    assert (found.status_code, found.headers["Retry-After"]) == (403, "7")
    assert "secondary rate limit" in found.json()["message"]
    assert found.headers["X-RateLimit-Remaining"] != "0"
    assert request.notes == []
    assert hub()("POST", COMMENTS, {"body": "x"}).status_code == 201


def test_the_primary_limit_says_when_it_ends(sandbox: Sandbox, hub: GitHub, clock: Clock) -> None:
    sandbox.faults.add(Fault("exhausted", retry_after=90))
    found = hub()("GET", REPO)
    assert (found.status_code, found.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert int(found.headers["X-RateLimit-Reset"]) == int(clock.now.timestamp()) + 90
    assert "API rate limit exceeded" in found.json()["message"]
    assert "Retry-After" not in found.headers


@pytest.mark.parametrize(("path", "status"), [(REPO, 200), ("/repos/platform/missing", 404)])
def test_every_answer_tells_the_quota(hub: GitHub, path: str, status: int) -> None:
    found = hub()("GET", path)
    assert found.status_code == status
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(found.headers)


def test_a_failure_may_come_before_the_effect_or_after(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    for kind, notes in (("broken", 0), ("broken-after", 1)):
        sandbox.faults.add(Fault(kind, "POST", status=502))  # type: ignore[arg-type]  # both are kinds
        assert hub()("POST", COMMENTS, {"body": "x"}).status_code == 502
        assert len(request.notes) == notes


def test_the_journal_counts_by_user(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    hub("mira").get(REPO)
    hub("mira").make("POST", COMMENTS, {"body": "x"})
    assert (sandbox.journal.reads("mira"), sandbox.journal.writes("mira"), sandbox.journal.reads("dev")) == (1, 1, 0)
