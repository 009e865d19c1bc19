"""GitHub's dialect: merging by each method, and each way in which it is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from github import GithubException

from bot.sandbox.ci import Job
from bot.sandbox.github.checks import ACTIONS
from bot.sandbox.model import RequestState, RequiredCheck, Role
from bot.sandbox.requests import Edit, Opening
from bot.sandbox.sandbox import Sandbox
from bot.sandbox.statuses import Setting
from tests.sandbox.conftest import Clock, P, opened
from tests.sandbox.github_client import REPO, GitHub, Json

PULL = f"{REPO}/pulls/1"
MERGE = f"{PULL}/merge"


def protect(sandbox: Sandbox, *checks: RequiredCheck, strict: bool = False, reviews: int = 0) -> None:
    rules = sandbox.project(P).protections
    rules["main"] = replace(rules["main"], checks=checks, strict=strict, reviews=reviews)


def two_commits(sandbox: Sandbox) -> list[str]:
    """An open pull request with two commits, and a base that has moved on since."""
    first = sandbox.commit_as("dev", P, "feature", {"one.yaml": "1\n"}, "One\n\nbody of one")
    second = sandbox.commit_as("dev", P, "feature", {"two.yaml": "2\n"}, "Two")
    sandbox.open_as("dev", P, Opening("feature", "main", "Both", "why"))
    sandbox.commit_as("mira", P, "main", {"other.yaml": "0\n"}, "Ahead")
    sandbox.settle()
    return [first, second]


def test_a_merge_commit_has_both_parents_and_githubs_words(sandbox: Sandbox, hub: GitHub) -> None:
    head, base = two_commits(sandbox)[1], sandbox.head(P)
    done = hub("mira").make("PUT", MERGE, {"sha": head})
    assert (done["merged"], done["sha"]) == (True, sandbox.head(P))
    made = sandbox.project(P).git.commit(done["sha"])
    assert made.parents == (base, head)
    assert made.message.strip() == "Merge pull request #1 from platform/feature\n\nBoth"
    assert (made.author.name, sandbox.read(P, "two.yaml"), sandbox.read(P, "other.yaml")) == ("Mira", b"2\n", b"0\n")
    request = sandbox.request(P, 1)
    assert (request.state, request.merge_commit, request.merged_by) == (
        RequestState.merged,
        done["sha"],
        sandbox.user("mira"),
    )


def test_a_squash_is_one_commit_of_the_author_on_the_base(sandbox: Sandbox, hub: GitHub) -> None:
    two_commits(sandbox)
    base = sandbox.head(P)
    done = hub("mira").make("PUT", MERGE, {"merge_method": "squash"})
    made = sandbox.project(P).git.commit(done["sha"])
    assert made.parents == (base,)
    assert made.message.strip() == "Both (#1)\n\n* One\n\nbody of one\n\n* Two"
    assert (made.author.name, made.committer.name) == ("Dev", "Mira")
    assert (sandbox.read(P, "one.yaml"), sandbox.read(P, "other.yaml")) == (b"1\n", b"0\n")


def test_a_squash_of_one_commit_bears_its_words(sandbox: Sandbox, hub: GitHub) -> None:
    sandbox.commit_as("dev", P, "feature", {"one.yaml": "1\n"}, "One\n\nbody of one")
    sandbox.open_as("dev", P, Opening("feature", "main", "Another title"))
    sandbox.settle()
    done = hub("mira").make("PUT", MERGE, {"merge_method": "squash"})
    assert sandbox.project(P).git.commit(done["sha"]).message.strip() == "One (#1)\n\nbody of one"


def test_a_rebase_makes_each_commit_anew_in_order(sandbox: Sandbox, hub: GitHub) -> None:
    old = two_commits(sandbox)
    base = sandbox.head(P)
    done = hub("mira").make("PUT", MERGE, {"merge_method": "rebase"})
    made = sandbox.project(P).git.log(done["sha"], base)
    assert [one.message.strip() for one in made] == ["Two", "One\n\nbody of one"]
    assert (made[1].parents, made[0].parents) == ((base,), (made[1].sha,))
    assert {one.author.name for one in made} == {"Dev"}
    assert {one.committer.name for one in made} == {"Mira"}
    assert not {one.sha for one in made} & set(old)


@pytest.mark.parametrize("method", ["merge", "squash"])
def test_words_that_are_given_count(sandbox: Sandbox, hub: GitHub, method: str) -> None:
    opened(sandbox)
    wanted = {"merge_method": method, "commit_title": "Title", "commit_message": "Body\n\nTrailer: yes"}
    done = hub("mira").make("PUT", MERGE, wanted)
    assert sandbox.project(P).git.commit(done["sha"]).message.strip() == "Title\n\nBody\n\nTrailer: yes"


def test_pygithub_merges_and_reads_that_it_did(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    pull = hub.pygithub("mira").get_repo(P).get_pull(1)
    assert pull.merge(merge_method="merge", sha=request.head).merged
    assert pull.update()
    assert (pull.merged, pull.merged_by.login) == (True, "mira")


def test_a_head_that_has_moved_is_409(sandbox: Sandbox, hub: GitHub) -> None:
    request = opened(sandbox)
    before, base = request.head, sandbox.head(P)
    sandbox.commit_as("dev", P, "feature", {"x": "1"}, "x")
    sandbox.settle()
    with pytest.raises(GithubException) as caught:
        hub.pygithub("mira").get_repo(P).get_pull(1).merge(sha=before)
    words = "Head branch was modified. Review and try the merge again."
    assert (caught.value.status, caught.value.data["message"]) == (409, words)
    assert sandbox.head(P) == base


def _moved_base(sandbox: Sandbox) -> None:
    sandbox.commit_as("mira", P, "main", {"other.yaml": "1"}, "Ahead")


def _conflict(sandbox: Sandbox) -> None:
    sandbox.commit_as("mira", P, "main", {"feature.yaml": "other\n"}, "In the way")
    sandbox.settle()


def _draft(sandbox: Sandbox) -> None:
    sandbox.edit_as("dev", P, 1, Edit(title="Draft: not yet"))


def _merged(sandbox: Sandbox) -> None:
    sandbox.merge_as("mira", P, 1)


def _closed(sandbox: Sandbox) -> None:
    sandbox.close_as("dev", P, 1)


def _not_allowed(sandbox: Sandbox) -> None:
    sandbox.configure(P, allow_merge_commit=False)


def _expected(sandbox: Sandbox) -> None:
    protect(sandbox, RequiredCheck("ci"))


def _pending(sandbox: Sandbox) -> None:
    protect(sandbox, RequiredCheck("ci"))
    sandbox.status_as("bot", P, sandbox.head(P, "feature"), Setting("pending", "ci"))


def _failing(sandbox: Sandbox) -> None:
    protect(sandbox, RequiredCheck("ci"))
    sandbox.status_as("bot", P, sandbox.head(P, "feature"), Setting("failed", "ci"))


def _unreviewed(sandbox: Sandbox) -> None:
    protect(sandbox, reviews=1)


def _behind(sandbox: Sandbox) -> None:
    protect(sandbox, strict=True)
    sandbox.commit_as("mira", P, "main", {"other.yaml": "1"}, "Ahead")
    sandbox.settle()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_moved_base, "Base branch was modified. Review and try the merge again."),
        (_conflict, "Pull Request has merge conflicts"),
        (_draft, "Pull Request is still a draft"),
        (_merged, "Pull Request is not mergeable"),
        (_closed, "Pull Request is not mergeable"),
        (_not_allowed, "Merge commits are not allowed on this repository."),
        (_expected, 'Required status check "ci" is expected.'),
        (_pending, 'Required status check "ci" is pending.'),
        (_failing, 'Required status check "ci" is failing.'),
        (_unreviewed, "At least 1 approving review is required by reviewers with write access."),
        (_behind, "The head branch is not up to date with the base branch."),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_is_not_ready_is_405(sandbox: Sandbox, hub: GitHub, spoil: Callable[[Sandbox], None], words: str) -> None:
    opened(sandbox)
    spoil(sandbox)
    before = sandbox.head(P)
    assert hub("mira").said("PUT", MERGE, {}) == (405, words)
    assert sandbox.head(P) == before


def test_a_base_that_has_moved_is_merged_at_the_second_try(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    _moved_base(sandbox)
    assert hub("mira").said("PUT", MERGE, {})[0] == 405
    hub().get(PULL)
    hub().get(PULL)
    assert hub("mira").make("PUT", MERGE, {})["merged"]


@pytest.mark.parametrize(("method", "name"), [("squash", "Squash merges"), ("rebase", "Rebase merges")])
def test_a_method_that_is_switched_off_is_405(sandbox: Sandbox, hub: GitHub, method: str, name: str) -> None:
    opened(sandbox)
    sandbox.configure(P, allow_squash_merge=False, allow_rebase_merge=False)
    assert hub("mira").said("PUT", MERGE, {"merge_method": method}) == (
        405,
        f"{name} are not allowed on this repository.",
    )


def test_a_method_that_there_is_not_is_422(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    assert hub("mira").said("PUT", MERGE, {"merge_method": "octopus"})[0] == 422


def test_who_may_not_merge_is_told_so(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    assert hub("rep").said("PUT", MERGE, {})[0] == 403
    status, words = hub("dev").said("PUT", MERGE, {})
    assert (status, "not authorized to push to this branch" in str(words)) == (405, True)


def test_a_check_pinned_to_an_app_counts_from_that_app_alone(sandbox: Sandbox, hub: GitHub) -> None:
    ours, other = (sandbox.state.add_app(slug, "no key") for slug in ("towpath", "other"))
    for app in (ours, other):
        sandbox.install_app(app, "platform")
    head = opened(sandbox).head
    protect(sandbox, RequiredCheck("ci", ours.id))
    for user in ("mira", other.user):
        sandbox.status_as(user, P, head, Setting("success", "ci"))
        assert hub("mira").said("PUT", MERGE, {}) == (405, 'Required status check "ci" is expected.')
    sandbox.status_as(ours.user, P, head, Setting("success", "ci"))
    sandbox.status_as(other.user, P, head, Setting("failed", "ci"))
    assert hub("mira").make("PUT", MERGE, {})["merged"]


def test_the_imitated_ci_is_github_actions(sandbox: Sandbox, hub: GitHub, clock: Clock) -> None:
    sandbox.add_ci(P, Job("ci"), author="root", branches="feature")
    opened(sandbox)
    protect(sandbox, RequiredCheck("ci", ACTIONS))
    assert hub("mira").said("PUT", MERGE, {}) == (405, 'Required status check "ci" is pending.')
    assert hub().get(PULL)["mergeable_state"] == "blocked"
    clock.later(10)
    sandbox.tick()
    assert hub("mira").make("PUT", MERGE, {})["merged"]


def test_a_skipped_check_counts_as_passed(sandbox: Sandbox, hub: GitHub) -> None:
    head = opened(sandbox).head
    protect(sandbox, RequiredCheck("ci"))
    sandbox.status_as("bot", P, head, Setting("skipped", "ci"))
    assert hub("mira").make("PUT", MERGE, {})["merged"]


def test_reviews_count_by_their_newest_and_from_writers_alone(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    sandbox.add_member(P, "out", Role.developer)
    protect(sandbox, reviews=1)

    def state() -> str:
        found = hub().get(PULL)["mergeable_state"]
        assert isinstance(found, str)
        return found

    steps: list[tuple[str, Json, str]] = [
        ("rep", {"event": "APPROVE"}, "blocked"),
        ("mira", {"event": "APPROVE"}, "clean"),
        ("mira", {"event": "COMMENT", "body": "x"}, "clean"),
        ("out", {"event": "REQUEST_CHANGES", "body": "x"}, "blocked"),
        ("out", {"event": "APPROVE"}, "clean"),
        ("mira", {"event": "REQUEST_CHANGES", "body": "x"}, "blocked"),
    ]
    for user, body, expected in steps:
        hub(user).make("POST", f"{PULL}/reviews", body)
        assert (user, state()) == (user, expected)


def test_a_failing_check_that_nobody_requires_is_unstable_but_merges(sandbox: Sandbox, hub: GitHub) -> None:
    head = opened(sandbox).head
    sandbox.status_as("bot", P, head, Setting("failed", "nice"))
    assert hub().get(PULL)["mergeable_state"] == "unstable"
    assert hub("mira").make("PUT", MERGE, {})["merged"]


def test_the_merged_branch_goes_where_the_repository_says_so(sandbox: Sandbox, hub: GitHub) -> None:
    opened(sandbox)
    sandbox.configure(P, remove_source_branch_after_merge=True)
    hub("mira").make("PUT", MERGE, {"merge_method": "squash"})
    assert list(sandbox.project(P).git.heads()) == ["main"]
    assert sandbox.request(P, 1).state is RequestState.merged
