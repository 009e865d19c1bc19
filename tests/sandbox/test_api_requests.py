"""Merge requests through python-gitlab: opened, read, listed, edited, merged; and each refusal."""

import gitlab
import pytest
from gitlab.exceptions import GitlabAuthenticationError, GitlabError, GitlabHttpError

from bot.sandbox.branches import Move, settle
from bot.sandbox.model import RequestState
from bot.sandbox.requests import Edit, Opening
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.statuses import Setting
from tests.sandbox.conftest import Client, Clock, P, opened

NEW = {"source_branch": "feature", "target_branch": "main", "title": "Add feature"}


def refused(error: pytest.ExceptionInfo[GitlabError]) -> tuple[int | None, str]:
    return error.value.response_code, str(error.value.error_message)


def test_open_read_and_merge(sandbox: Sandbox, client: Client) -> None:
    head = sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    project = client("mira").projects.get(P)
    made = project.mergerequests.create(NEW | {"labels": "one,two", "description": "why"})
    assert (made.iid, made.sha, made.state, made.labels) == (1, head, "opened", ["one", "two"])
    assert made.diff_refs["head_sha"] == head
    made = project.mergerequests.get(1)
    assert (made.detailed_merge_status, made.merge_status) == ("checking", "checking")
    made = project.mergerequests.get(1)
    assert (made.detailed_merge_status, made.merge_status) == ("mergeable", "can_be_merged")
    made.merge(merge_commit_message="Bring it\n\nTrailer: yes")
    commit = project.commits.get(made.merge_commit_sha)
    assert (made.state, made.merge_user["username"]) == ("merged", "mira")
    assert (commit.message, commit.parent_ids[1]) == ("Bring it\n\nTrailer: yes", head)
    assert project.branches.get("main").commit["id"] == made.merge_commit_sha
    assert project.mergerequests.get(1).detailed_merge_status == "not_open"


def test_a_project_is_found_by_its_encoded_path_and_by_number(client: Client) -> None:
    project = client("dev").projects.get(P)
    assert client("dev").projects.get(project.id).path_with_namespace == P
    assert client("dev").http_get("/projects/platform%2Fconfig")["id"] == project.id  # type: ignore[index]


def test_a_second_request_for_a_branch_is_refused_in_gitlabs_words(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    with pytest.raises(GitlabError) as caught:
        client("dev").projects.get(P).mergerequests.create(NEW)
    assert refused(caught)[0] == 409
    assert "Another open merge request already exists for this source branch: !1" in refused(caught)[1]


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"source_branch": "missing"}, 400),
        ({"target_branch": "missing"}, 400),
        ({"title": ""}, 400),
        ({"title": "x" * 256}, 400),
        ({"target_branch": "feature"}, 422),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    sandbox: Sandbox, client: Client, wrong: dict[str, str], status: int
) -> None:
    sandbox.commit_as("dev", P, "feature", {"f.yaml": "1\n"}, "Add f")
    with pytest.raises(GitlabError) as caught:
        client("dev").projects.get(P).mergerequests.create(NEW | wrong)
    assert refused(caught)[0] == status
    assert sandbox.requests(P) == []


def test_a_missing_parameter_is_named(client: Client) -> None:
    with pytest.raises(GitlabHttpError, match="source_branch is missing"):
        client("dev").http_post("/projects/platform%2Fconfig/merge_requests", post_data={"title": "x"})


@pytest.mark.parametrize(("user", "status"), [("mira", 409), ("dev", 401), ("rep", 401), ("out", 404)], ids=str)
def test_who_may_merge_a_stale_head_into_a_protected_branch(
    sandbox: Sandbox, client: Client, user: str, status: int
) -> None:
    request = opened(sandbox)
    path = f"/projects/platform%2Fconfig/merge_requests/{request.iid}/merge"
    with pytest.raises((GitlabHttpError, GitlabAuthenticationError)) as caught:
        client(user).http_put(path, post_data={"sha": "0" * 40})
    assert caught.value.response_code == status
    assert request.state is RequestState.opened


def test_a_stale_head_is_refused_in_gitlabs_words(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    with pytest.raises(GitlabHttpError, match="409: SHA does not match HEAD of source branch"):
        client("mira").http_put("/projects/platform%2Fconfig/merge_requests/1/merge", post_data={"sha": "0" * 40})


def _draft(sandbox: Sandbox) -> None:
    sandbox.edit_as("dev", P, 1, Edit(title="Draft: wait"))


def _conflict(sandbox: Sandbox) -> None:
    sandbox.commit_as("mira", P, "main", {"feature.yaml": "2\n"}, "The same file")
    sandbox.settle()


def _needs_approval(sandbox: Sandbox) -> None:
    sandbox.configure(P, approvals_before_merge=1)


def _needs_pipeline(sandbox: Sandbox) -> None:
    sandbox.configure(P, only_allow_merge_if_pipeline_succeeds=True)


def _pipeline_runs(sandbox: Sandbox) -> None:
    _needs_pipeline(sandbox)
    sandbox.status_as("dev", P, sandbox.head(P, "feature"), Setting("running", "lint", "feature"))


def _pipeline_failed(sandbox: Sandbox) -> None:
    _needs_pipeline(sandbox)
    sandbox.status_as("dev", P, sandbox.head(P, "feature"), Setting("failed", "lint", "feature"))


def _branch_gone(sandbox: Sandbox) -> None:
    sandbox.state.project(P, sandbox.root).git.set_branch("feature", sandbox.head(P, "feature"), None)


CASES = [
    (_draft, "draft_status", 405),
    (_conflict, "conflict", 422),
    (_needs_approval, "not_approved", 405),
    (_needs_pipeline, "ci_must_pass", 405),
    (_pipeline_runs, "ci_still_running", 405),
    (_pipeline_failed, "ci_must_pass", 405),
    (_branch_gone, "commits_status", 405),
    (lambda sandbox: sandbox.close_as("dev", P, 1), "not_open", 405),
    (lambda _: None, "mergeable", 200),
]


@pytest.mark.parametrize(("make", "word", "status"), CASES, ids=[f"{one[1]}-{at}" for at, one in enumerate(CASES)])
def test_why_not_is_said_and_merging_is_refused(
    sandbox: Sandbox, client: Client, make: object, word: str, status: int
) -> None:
    opened(sandbox)
    assert callable(make)
    make(sandbox)
    request = client("mira").projects.get(P).mergerequests.get(1)
    assert request.detailed_merge_status == word
    if status == 200:
        request.merge()
        return
    with pytest.raises(GitlabError) as caught:
        request.merge()
    assert caught.value.response_code == status


def test_merging_before_the_check_is_refused(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    sandbox.commit_as("mira", P, "main", {"other.yaml": "1\n"}, "Move the target")
    request = client("mira").projects.get(P).mergerequests.get(1, lazy=True)
    with pytest.raises(GitlabError) as caught:
        request.merge()
    assert caught.value.response_code == 405


def test_a_list_tells_what_was_known_unless_a_recheck_is_asked_for(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    sandbox.commit_as("mira", P, "main", {"other.yaml": "1\n"}, "Move the target")
    requests = client("mira").projects.get(P).mergerequests

    def listed(**query: bool) -> str:
        return str(requests.list(get_all=False, **query)[0].detailed_merge_status)  # type: ignore[index]

    assert [listed(), listed()] == ["unchecked", "unchecked"]
    assert [listed(with_merge_status_recheck=True), listed(with_merge_status_recheck=True)] == ["checking", "mergeable"]
    assert listed() == "mergeable"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [3, 2, 1]),
        ({"state": "opened"}, [3, 1]),
        ({"state": "closed"}, [2]),
        ({"labels": "red"}, [3, 1]),
        ({"labels": "red,blue"}, [3]),
        ({"labels": "None"}, [2]),
        ({"source_branch": "b"}, [2]),
        ({"target_branch": "other"}, []),
        ({"author_id": "0"}, []),
        ({"search": "add C"}, [3]),
        ({"iids[]": ["1", "3"]}, [3, 1]),
        ({"sort": "asc"}, [1, 2, 3]),
        ({"order_by": "updated_at"}, [2, 3, 1]),
        ({"updated_after": "2026-03-02T09:00:20Z"}, [3, 2]),
        ({"updated_after": "2026-03-02T09:00:21Z"}, [2]),
    ],
    ids=str,
)
def test_lists_are_filtered_and_ordered(
    sandbox: Sandbox, client: Client, clock: Clock, query: dict[str, str], found: list[int]
) -> None:
    for branch, labels in (("a", ("red",)), ("b", ()), ("c", ("red", "blue"))):
        sandbox.commit_as("dev", P, branch, {f"{branch}.yaml": "1\n"}, branch)
        sandbox.open_as("dev", P, Opening(branch, "main", f"Add {branch}", labels=labels))
        clock.later(10)
    sandbox.close_as("dev", P, 2)
    listed = client("dev").http_list("/projects/platform%2Fconfig/merge_requests", query_data=query, get_all=True)
    assert [one["iid"] for one in listed] == found


def test_the_list_over_all_projects_shows_ones_own_by_default(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox, "a", "dev")
    opened(sandbox, "b", "mira")
    requests = client("dev").mergerequests
    assert [one.iid for one in requests.list(get_all=True)] == [1]
    assert [one.iid for one in requests.list(get_all=True, scope="all")] == [2, 1]
    assert client("out").mergerequests.list(get_all=True, scope="all") == []


def test_lists_have_twenty_items_a_page_and_at_most_a_hundred(sandbox: Sandbox, client: Client) -> None:
    request = opened(sandbox)
    for number in range(120):
        sandbox.comment_as("dev", P, request.iid, f"comment {number}")
    path = "/projects/platform%2Fconfig/merge_requests/1/notes"
    answer = client("dev").http_request("get", path)
    assert len(answer.json()) == 20
    expected = {"X-Page": "1", "X-Per-Page": "20", "X-Next-Page": "2", "X-Prev-Page": "", "X-Total": "120"}
    assert {name: answer.headers[name] for name in expected} == expected
    assert 'rel="next"' in answer.headers["Link"]
    assert 'rel="last"' in answer.headers["Link"]
    assert len(client("dev").http_request("get", path, query_data={"per_page": 500}).json()) == 100
    assert client("dev").http_request("get", path, query_data={"page": 7}).json() == []
    notes = client("dev").projects.get(P).mergerequests.get(1).notes
    assert [len(notes.list(get_all=False)), len(notes.list(get_all=True))] == [20, 120]
    assert len(list(notes.list(iterator=True, per_page=100))) == 120


def test_labels_are_added_removed_set_and_logged(sandbox: Sandbox, client: Client, clock: Clock) -> None:
    opened(sandbox)
    request = client("dev").projects.get(P).mergerequests.get(1)
    for change in ({"add_labels": "b,a"}, {"remove_labels": "a", "add_labels": "c"}, {"labels": "z"}, {"labels": ""}):
        clock.later(1)
        client("dev").http_put("/projects/platform%2Fconfig/merge_requests/1", post_data=change)
    events = request.resourcelabelevents.list(get_all=True)
    assert [(one.action, one.label["name"], one.user["username"]) for one in events] == [
        ("add", "b", "dev"),
        ("add", "a", "dev"),
        ("add", "c", "dev"),
        ("remove", "a", "dev"),
        ("add", "z", "dev"),
        ("remove", "b", "dev"),
        ("remove", "c", "dev"),
        ("remove", "z", "dev"),
    ]
    assert request.updated_at < client("dev").projects.get(P).mergerequests.get(1).updated_at


def test_closing_and_reopening_looks_at_the_branch_again(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    request = client("dev").projects.get(P).mergerequests.get(1)
    request.state_event = "close"
    request.save()
    assert (request.state, request.closed_by["username"]) == ("closed", "dev")
    head = sandbox.commit_as("dev", P, "feature", {"more.yaml": "1\n"}, "More")
    assert client("dev").projects.get(P).mergerequests.get(1).sha != head
    request.state_event = "reopen"
    request.save()
    assert (request.state, request.sha, request.closed_at) == ("opened", head, None)


def test_each_head_is_a_version(sandbox: Sandbox, client: Client) -> None:
    first = opened(sandbox).head
    second = sandbox.commit_as("dev", P, "feature", {"feature.yaml": "2\n"}, "Again")
    request = client("dev").projects.get(P).mergerequests.get(1)
    assert [one.head_commit_sha for one in request.diffs.list(get_all=True)] == [second, first]
    version = request.diffs.get(request.diffs.list(get_all=True)[0].id)
    assert [one["new_path"] for one in version.diffs] == ["feature.yaml"]
    assert [one.id for one in request.commits()] == [second, first]
    changed = request.changes()
    assert isinstance(changed, dict)
    assert changed["changes"][0]["diff"].startswith("@@ -0,0 +1 @@")


def test_squash_and_removing_the_branch(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    sandbox.commit_as("dev", P, "feature", {"more.yaml": "1\n"}, "More")
    sandbox.settle()
    request = client("mira").projects.get(P).mergerequests.get(1)
    request.merge(squash=True, should_remove_source_branch=True, squash_commit_message="One")
    project = client("mira").projects.get(P)
    squashed = project.commits.get(request.squash_commit_sha)
    assert (squashed.message, len(squashed.parent_ids)) == ("One", 1)
    assert [one.name for one in project.branches.list(get_all=True)] == ["main"]


@pytest.mark.parametrize("method", ["ff", "rebase_merge"])
def test_a_straight_history_asks_for_a_rebase_when_behind(sandbox: Sandbox, client: Client, method: str) -> None:
    request = opened(sandbox)
    sandbox.configure(P, merge_method=method)
    sandbox.commit_as("mira", P, "main", {"other.yaml": "1\n"}, "Ahead")
    sandbox.settle()
    found = client("mira").projects.get(P).mergerequests.get(1)
    assert found.detailed_merge_status == "need_rebase"
    sandbox.configure(P, merge_method="merge")
    found.merge()
    assert request.merge_commit is not None


def test_a_push_of_the_head_to_the_target_merges_the_request(sandbox: Sandbox, client: Client) -> None:
    request = opened(sandbox)
    git = sandbox.project(P).git
    with sandbox.state.lock:
        old = sandbox.head(P)
        git.set_branch("main", old, request.head)
        settle(sandbox.state, sandbox.project(P), sandbox.user("mira"), [Move("main", old, request.head)])
    found = client("mira").projects.get(P).mergerequests.get(1)
    assert (found.state, found.merge_commit_sha, found.merge_user["username"]) == ("merged", request.head, "mira")


def test_a_mention_is_noted_on_the_other_side_once(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox, "a")
    opened(sandbox, "b", description="Supersedes !1, not !99.")
    sandbox.comment_as("dev", P, 2, "See !1 and platform/config!1.")
    notes = client("dev").projects.get(P).mergerequests.get(1).notes.list(get_all=True)
    assert [(one.body, one.system) for one in notes] == [("mentioned in merge request !2", True)]


def test_auto_merge_is_refused_honestly(sandbox: Sandbox, client: Client) -> None:
    opened(sandbox)
    _pipeline_runs(sandbox)
    with pytest.raises(GitlabError, match="auto-merge is not imitated"):
        client("mira").projects.get(P).mergerequests.get(1).merge(merge_when_pipeline_succeeds=True)


def test_reverting_brings_the_old_content_back(sandbox: Sandbox) -> None:
    sandbox.commit_as("dev", P, "feature", {"same.yaml": "image: 1\n"}, "Change")
    sandbox.open_as("dev", P, Opening("feature", "main", "Change"))
    sandbox.merge_as("mira", P, 1)
    sandbox.commit_as("mira", P, "main", {"later.yaml": "1\n"}, "Later")
    made = sandbox.revert_as("mira", P, 1, direct=False)
    assert not isinstance(made, str)
    assert (made.title, made.description) == ('Revert "Change"', "This reverts merge request !1")
    assert made.source_branch.startswith("revert-")
    sandbox.revert_as("mira", P, 1)
    assert sandbox.read(P, "same.yaml") == b"image: 0\n"
    assert sandbox.read(P, "later.yaml") == b"1\n"
    assert sandbox.project(P).git.log(sandbox.head(P))[0].title == 'Revert "Change"'


def test_an_unknown_path_is_not_found(client: Client) -> None:
    with pytest.raises(gitlab.GitlabHttpError) as caught:
        client("dev").http_get("/projects/platform%2Fconfig/nonsense")
    assert caught.value.response_code == 404
