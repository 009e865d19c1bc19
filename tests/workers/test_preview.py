"""What Towpath says, and on GitHub whether it lets through, on people's own merge requests."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pygit2
import pytest
from pygit2.enums import FileMode
from structlog.testing import capture_logs

from bot.sandbox.gitdisk import DiskRepository
from bot.sandbox.model import MergeRequest, Protection, RequiredCheck, Role
from bot.sandbox.requests import Opening
from policies.naming import REPORT_MARK
from tests.flows.gated import GATED, PROD, approve, gated_town, is_in_prod, waiting
from tests.flows.town import PROJECT, Town
from tests.flows.world import POLICY, values

LOOSER = GATED.replace("codeowners: required", "minimum: 1")
STRICTER = GATED.replace("codeowners: required", "codeowners: required, minimum: 2")


@pytest.fixture
def town(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, "github") as made:
        yield made


@pytest.fixture
def gitlab(tmp_path: Path, redis_url: str) -> Iterator[Town]:
    with gated_town(tmp_path, redis_url, "gitlab") as made:
        yield made


def opened(town: Town, files: dict[str, str], name: str = "mine") -> MergeRequest:
    town.sandbox.commit_as("jonas", PROJECT, name, files, "Mine")
    request = town.sandbox.open_as("jonas", PROJECT, Opening(name, "main", "Mine"))
    town.settle()
    return request


def said(town: Town, request: MergeRequest) -> list[tuple[str, str]]:
    found = town.sandbox.statuses(PROJECT, request.head)
    return [(one.status, one.description or "") for one in found if one.name == "towpath"]


def comments(request: MergeRequest) -> list[str]:
    return [note.body for note in request.notes if note.body.startswith(REPORT_MARK)]


def test_a_pull_request_that_touches_nothing_gated_does_not_wait_for_ever(town: Town) -> None:
    checks = (RequiredCheck("towpath"),)
    town.sandbox.project(PROJECT).protections["main"] = Protection(
        1, "main", Role.developer, Role.developer, checks=checks
    )
    request = opened(town, {"README.md": "x"})
    assert said(town, request) == [("success", "Touches nothing that Towpath gates")]
    assert comments(request) == []
    town.sandbox.merge_as("jonas", PROJECT, request.iid)


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({PROD: values(tag="mine")}, "prod"),
        ({"environments/prod/new/shop/values.yaml": values()}, "prod"),
        ({"towpath.yaml": STRICTER}, "towpath.yaml"),
        ({".github/CODEOWNERS": "* @jonas\n"}, ".github/CODEOWNERS"),
    ],
)
def test_a_pull_request_that_touches_what_is_gated_says_who_can_merge_it(
    town: Town, files: dict[str, str], what: str
) -> None:
    request = opened(town, files)
    assert said(town, request) == [("failed", f"Changes what Towpath gates in {what}: see docs")]
    (comment,) = comments(request)
    assert f"This changes what Towpath gates: `{what}`" in comment
    assert "only those who may bypass that can merge it" in comment


def test_the_first_stage_that_asks_for_nobody_is_anybodys(town: Town) -> None:
    request = opened(town, {"environments/nonprod/one/shop/values.yaml": values(tag="mine")})
    assert said(town, request)[0][0] == "success"


def test_each_head_is_given_its_status_once(town: Town) -> None:
    request = opened(town, {"README.md": "x"})
    town.sandbox.journal.clear()
    town.sandbox.comment_as("jonas", PROJECT, request.iid, "hm")
    town.settle()
    town.sweep()
    assert [one for one in town.sandbox.journal.entries("towpath") if "/statuses/" in one.path] == []
    town.sandbox.commit_as("jonas", PROJECT, "mine", {PROD: values(tag="mine")}, "and more")
    town.settle()
    assert said(town, request)[0][0] == "failed"


@pytest.mark.parametrize("memory", [True, False])
def test_S22_a_policy_that_gates_more_turns_standing_pull_requests_red(town: Town, memory: bool) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": POLICY}, "no approvals")
    town.settle()
    request, other = opened(town, {PROD: values(tag="mine")}), opened(town, {"README.md": "x"}, "other")
    assert [said(town, one)[0][0] for one in (request, other)] == ["success", "success"]
    town.pass_time(7200)
    town.sweep()
    if not memory:
        town.flush_redis()
    town.sandbox.journal.clear()
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": GATED}, "approvals again")
    town.settle()
    town.sweep()
    assert [said(town, one)[-1][0] for one in (request, other)] == ["failed", "success"]
    written = [one for one in town.sandbox.journal.entries("towpath") if f"/statuses/{request.head}" in one.path]
    assert len(written) == 1


def test_R4_a_lost_webhook_leaves_no_pull_request_waiting(town: Town) -> None:
    town.lost = 100
    request = opened(town, {"README.md": "x"})
    assert said(town, request) == []
    town.lost = 0
    town.sweep()
    assert said(town, request)[0][0] == "success"


def test_a_pull_request_that_goes_back_and_forth_is_not_let_through_for_being_the_same_now(town: Town) -> None:
    """Its merge changes nothing today, and would bring the old image back once prod has another."""
    base = town.sandbox.head(PROJECT)
    approve(town, "olga", waiting(town).iid)
    assert is_in_prod(town)
    town.sandbox.force_as("jonas", PROJECT, "mine", base)
    request = opened(town, {PROD: town.pins("prod")})
    assert said(town, request)[0][0] == "failed"


def test_a_promotions_head_keeps_the_promotions_own_status(town: Town) -> None:
    promotion = waiting(town)
    before = said(town, promotion)
    town.sandbox.force_as("jonas", PROJECT, "same", promotion.head)
    town.sandbox.open_as("jonas", PROJECT, Opening("same", "main", "Same"))
    town.settle()
    assert said(town, promotion) == before


def test_on_gitlab_no_status_is_set_on_peoples_merge_requests(gitlab: Town) -> None:
    request = opened(gitlab, {PROD: values(tag="mine")})
    assert said(gitlab, request) == []
    (comment,) = comments(request)
    assert "only those who may bypass that can merge it" not in comment


def test_a_merge_request_that_is_merely_behind_a_stricter_target_branch_loosens_nothing(gitlab: Town) -> None:
    gitlab.sandbox.commit_as("jonas", PROJECT, "docs", {"docs.md": "x"}, "Docs")
    gitlab.sandbox.commit_as(
        "maria", PROJECT, "main", {"towpath.yaml": STRICTER, "CODEOWNERS": "* @maria\n"}, "Stricter"
    )
    request = gitlab.sandbox.open_as("jonas", PROJECT, Opening("docs", "main", "Docs"))
    gitlab.settle()
    assert comments(request) == []


def events(town: Town, happen: Callable[[], object]) -> list[str]:
    with capture_logs() as logs:
        happen()
        town.settle()
        town.sweep()
    return [str(one["event"]) for one in logs if one["log_level"] == "critical"]


def push(town: Town, files: dict[str, str]) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", files, "change")


def test_S22_two_steps_over_a_broken_policy_are_one_loosening(gitlab: Town) -> None:
    gitlab.settle()
    gitlab.sweep()
    assert events(gitlab, lambda: push(gitlab, {"towpath.yaml": "version: 2\n"})) == []
    loose = POLICY.replace("merge: manual", "merge: auto")
    assert events(gitlab, lambda: push(gitlab, {"towpath.yaml": loose})) == ["policy loosened"]


def test_S22_a_changed_CODEOWNERS_is_alarmed_where_somebody_must_approve(gitlab: Town) -> None:
    gitlab.sweep()
    assert events(gitlab, lambda: push(gitlab, {"CODEOWNERS": "* @jonas\n"})) == ["code owners changed"]
    assert events(gitlab, lambda: push(gitlab, {"towpath.yaml": POLICY})) == ["policy loosened"]
    assert events(gitlab, lambda: push(gitlab, {"CODEOWNERS": "* @maria\n"})) == []
    assert events(gitlab, lambda: push(gitlab, {"towpath.yaml": LOOSER})) == []


def linked(town: Town, mode: str, path: str) -> MergeRequest:
    """Jonas's pull request of a symbolic link or a submodule, of which a sandbox commit knows nothing."""
    git = town.sandbox.project(PROJECT).git
    main = town.sandbox.head(PROJECT)
    assert isinstance(git, DiskRepository)
    repository = pygit2.Repository(str(git.folder))
    index = pygit2.Index()
    index.read_tree(repository[main].peel(pygit2.Tree))
    target = repository.create_blob(b"../../nonprod/one") if mode == "link" else pygit2.Oid(hex="1" * 40)
    index.add(pygit2.IndexEntry(path, target, FileMode.LINK if mode == "link" else FileMode.COMMIT))
    who = git.commit(main).author
    commit = git.create_commit(str(index.write_tree(repository)), (main,), mode, (who, who))
    town.sandbox.force_as("jonas", PROJECT, "linked", commit)
    request = town.sandbox.open_as("jonas", PROJECT, Opening("linked", "main", "Linked"))
    town.settle()
    return request


@pytest.mark.parametrize("mode", ["link", "submodule"])
@pytest.mark.parametrize("path", ["environments/prod/two", "environments/prod"])
def test_what_may_bring_gated_files_from_elsewhere_is_red(town: Town, mode: str, path: str) -> None:
    if path == "environments/prod":
        town.sandbox.commit_as("maria", PROJECT, "main", {PROD: None}, "prod goes")
    assert said(town, linked(town, mode, path))[-1] == ("failed", "Changes what Towpath gates in prod: see docs")


def test_a_link_elsewhere_is_nobodys_business(town: Town) -> None:
    assert said(town, linked(town, "link", "environments/nonprod/two"))[-1][0] == "success"


MANUAL = GATED.replace(
    "merge: auto\n    checks: optional\n    approvals", "merge: manual\n    checks: optional\n    approvals"
)


def test_what_towpath_closed_lets_nothing_through(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": MANUAL}, "by hand")
    town.settle()
    old = waiting(town)
    approve(town, "olga", old.iid)
    assert said(town, old)[-1][0] == "success"
    town.publish("v3")
    town.settle()
    assert said(town, old)[-1] == ("failed", "Closed: superseded")
    town.sandbox.force_as("jonas", PROJECT, "again", old.head)
    request = town.sandbox.open_as("jonas", PROJECT, Opening("again", "main", "Again"))
    town.settle()
    town.sweep()
    assert said(town, request)[-1] == ("failed", "Changes what Towpath gates in prod: see docs")


def test_what_a_person_closed_lets_nothing_through_elsewhere(town: Town) -> None:
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": MANUAL}, "by hand")
    town.settle()
    old = waiting(town)
    approve(town, "olga", old.iid)
    town.sandbox.close_as("maria", PROJECT, old.iid)
    town.sandbox.force_as("jonas", PROJECT, "again", old.head)
    request = town.sandbox.open_as("jonas", PROJECT, Opening("again", "main", "Again"))
    town.settle()
    assert said(town, request)[-1] == ("failed", "Changes what Towpath gates in prod: see docs")


# What it would bring about.


def test_what_follows_after_it_is_foreseen(gitlab: Town) -> None:
    """Prod waits for v2: whoever takes the gate away, or pins it by hand, reads what that does."""
    request = opened(gitlab, {PROD: values(tag="v2")})
    assert "- `shop` in `prod`: closes `!2`" in comments(request)[0]


def test_who_would_have_to_approve_is_told_where_the_rules_change(town: Town) -> None:
    request = opened(town, {"CODEOWNERS": "/environments/prod/ @jonas\n"}, "owners")
    (comment,) = comments(request)
    assert "- `shop` in `prod` needs the approval of 1 of `@jonas`, now of 1 of `@platform/owners`" in comment
    other = opened(town, {"towpath.yaml": LOOSER}, "looser")
    told = "- `shop` in `prod` needs the approval of 1 of anybody who may write, now of 1 of `@platform/owners`"
    assert told in comments(other)[0]


def test_a_new_stage_is_foreseen(gitlab: Town) -> None:
    last = "  - name: last\n    where: {environment: last}\n    after: [prod]\n"
    files = {"towpath.yaml": GATED + last, "environments/last/one/shop/values.yaml": values()}
    assert "- `shop` comes to `last`" in comments(opened(gitlab, files))[0]


def test_nothing_is_written_for_what_is_only_foreseen(gitlab: Town) -> None:
    before = [note.body for note in waiting(gitlab).notes], gitlab.pins("prod")
    opened(gitlab, {PROD: values(tag="v2")})
    assert ([note.body for note in waiting(gitlab).notes], gitlab.pins("prod")) == before
    assert waiting(gitlab).iid == 2
