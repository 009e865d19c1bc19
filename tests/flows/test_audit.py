"""`towpath audit` over both forges: what ran where, who approved it, and what came around Towpath."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.forges import FORGES
from bot.sandbox.model import MergeRequest, Role
from bot.sandbox.requests import Opening
from policies import trailers
from policies.history import GONE, NOTHING, Entry, How
from policies.wording.audit import COLUMNS, as_csv, as_table
from tests.flows.town import FILES, FORGE, PROJECT, TOKEN, Town, towns
from tests.flows.world import POLICY, Scene, digest, values
from workers.cli import main
from workers.trail import Asked, Found, trail, trails

pytestmark = pytest.mark.long

GATED = POLICY.replace(
    "merge: manual\n    checks: optional\n",
    "merge: auto\n    checks: optional\n    approvals: {codeowners: required}\n",
)
"""Prod merges by itself once its owners have approved."""
OWNERS = "/environments/prod/ @platform/owners\n"
PROD = "environments/prod/one/shop/values.yaml"
EVIL = '=HYPERLINK("http://evil")'


@pytest.fixture(params=FORGES)
def town(request: pytest.FixtureRequest, tmp_path: Path, redis_url: str) -> Iterator[Town]:
    """A gated prod, owned by Olga; v2 is in nonprod and waits for prod."""
    with towns(tmp_path, redis_url, request.param, GATED, FILES | {"CODEOWNERS": OWNERS}) as made:
        made.sandbox.add_user("olga")
        made.sandbox.add_member("platform/owners", "olga", Role.developer)
        made.sandbox.add_member(PROJECT, "olga", Role.developer)
        made.pass_time(60)
        made.publish("v2")
        made.settle()
        yield made


def waiting(town: Town) -> MergeRequest:
    found = town.open_in("prod")
    assert found is not None
    return found


def approved(town: Town) -> MergeRequest:
    """Prod's promotion, approved by Olga and merged by Towpath."""
    request = waiting(town)
    town.pass_time(300)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    town.pass_time(5)
    town.pending.mark([("unit", "main", PROJECT, "shop")], town.now.timestamp())
    town.settle()
    assert digest("v2") in town.pins("prod")
    return request


def found(town: Town, **asked: object) -> Found:
    (one,) = trails(town.world, Asked(**asked))  # type: ignore[arg-type] # any of its fields
    assert one.unread == ()
    return one


def in_prod(town: Town, **asked: object) -> Entry:
    """The newest change of prod."""
    return found(town, stage="prod", **asked).entries[0]


def message(town: Town) -> str:
    return town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).message


def by_hand(town: Town, tag: str, words: str = "by hand") -> str:
    town.pass_time(60)
    return town.sandbox.commit_as("maria", PROJECT, "main", {PROD: values(tag=tag)}, words)


def test_a_promotion_shows_who_approved_when_at_which_head(town: Town) -> None:
    request = approved(town)
    entry, olga = in_prod(town), town.sandbox.user("olga").id
    (given,) = [one.at for one in request.approvals] or [one.at for one in request.reviews]
    assert (entry.how, entry.verified, entry.number) == (How.towpath, "yes", request.iid)
    assert entry.url.endswith(f"/{request.iid}")
    (approver,) = entry.approvers
    assert (approver.id, approver.username, approver.head) == (olga, "olga", request.head)
    assert approver.at is not None
    assert abs(given - approver.at) < timedelta(seconds=1)
    assert dict(entry.gates) == {"integrity": "pass", "checks": "pass", "approvals": "pass"}
    assert entry.change.old is not None and entry.change.new is not None
    assert (entry.change.old.tag, entry.change.new.digest) == ("v1", digest("v2"))
    assert request.merged_at is not None and abs(request.merged_at - entry.at) < timedelta(seconds=1)
    assert entry.at_by_forge


def test_the_merge_carries_its_evidence(town: Town) -> None:
    request = approved(town)
    olga = town.sandbox.user("olga").id
    lines = message(town).splitlines()
    assert f"Towpath-Request: {request.iid}" in lines
    assert f"Towpath-Head: {request.head}" in lines
    assert "Towpath-Gate: approvals=pass" in lines
    (approver,) = (line for line in lines if line.startswith("Towpath-Approver: "))
    assert approver.startswith(f"Towpath-Approver: {olga} olga at=")
    assert approver.endswith(f"+00:00 head={request.head}")


def test_a_hand_edit_is_marked_and_its_time_is_the_committers_word(town: Town) -> None:
    commit = by_hand(town, "v7")
    entry = in_prod(town)
    assert (entry.step.commit, entry.how, entry.verified) == (commit, How.by_hand, NOTHING)
    assert (entry.at_by_forge, entry.number, entry.approvers) == (False, None, ())


def test_a_merge_request_by_hand_is_found_by_the_forges_word(town: Town) -> None:
    town.sandbox.commit_as("jonas", PROJECT, "mine", {PROD: values(tag="v8")}, "mine")
    opened = town.sandbox.open_as("jonas", PROJECT, Opening("mine", "main", "v8 by hand"))
    town.sandbox.approve_as("olga", PROJECT, opened.iid)
    town.sandbox.merge_as("maria", PROJECT, opened.iid)
    entry = in_prod(town)
    assert (entry.how, entry.number, entry.requesters, entry.verified) == (How.by_hand, opened.iid, ("jonas",), "yes")
    assert [one.username for one in entry.approvers] == ["olga"]
    assert entry.at_by_forge


def test_a_number_in_a_message_that_the_forge_does_not_confirm_is_nothing(town: Town) -> None:
    request = approved(town)
    by_hand(town, "v7", f"See merge request {PROJECT}!{request.iid}, or #{request.iid}")
    assert (in_prod(town).number, in_prod(town).verified) == (None, NOTHING)


def test_S9_a_forged_block_is_by_hand(town: Town) -> None:
    approved(town)
    record = trailers.read(message(town))
    assert record is not None
    forged = trailers.write(replace(record, request=1))
    by_hand(town, "v7")
    for text in (forged, trailers.sealed(forged, b"some other key")):
        by_hand(town, "v2", f"Promote\n\n{text}")
        entry = in_prod(town)
        assert (entry.how, entry.approvers, entry.gates) == (How.by_hand, (), ())


def test_S9_a_message_that_was_copied_with_its_seal_is_no_evidence(town: Town) -> None:
    approved(town)
    genuine, first = message(town), town.sandbox.head(PROJECT)
    by_hand(town, "v7")
    by_hand(town, "v2", genuine)
    entry = in_prod(town)
    assert entry.how is How.around
    assert entry.verified == f"DISAGREES: its seal is that of {first[:12]}"
    assert entry.approvers == ()
    assert entry.is_odd


def test_a_merge_by_hand_of_what_towpath_would_have_merged(town: Town) -> None:
    request = waiting(town)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    entry = in_prod(town)
    assert (entry.how, entry.number, entry.verified, entry.gates) == (How.around, request.iid, "yes", ())
    assert entry.is_odd


def test_a_merge_by_hand_where_policy_leaves_it_to_people(town: Town) -> None:
    request = waiting(town)
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    manual = GATED.replace("merge: auto\n    checks: optional\n    approvals", "merge: manual\n    approvals")
    town.sandbox.commit_as("maria", PROJECT, "main", {"towpath.yaml": manual}, "by people")
    assert (in_prod(town).how, in_prod(town).number) == (How.merged_by_hand, request.iid)


def test_more_than_the_release_in_a_promotions_branch_is_around_towpath(town: Town) -> None:
    request = waiting(town)
    town.sandbox.commit_as("jonas", PROJECT, request.source_branch, {PROD: values(tag="v9")}, "more")
    town.sandbox.merge_as("maria", PROJECT, request.iid)
    assert (in_prod(town).how, in_prod(town).number) == (How.around, request.iid)


def test_what_ran_at_a_moment_and_who_approved_it(town: Town) -> None:
    request = approved(town)
    assert request.merged_at is not None
    town.pass_time(3600)
    by_hand(town, "v7")
    before, after = (in_prod(town, at=request.merged_at + timedelta(seconds=step)) for step in (-30, 30))
    now = in_prod(town, at=town.now)
    tags = [entry.change.new.tag for entry in (before, after, now) if entry.change.new is not None]
    assert tags == ["v1", "v2", "v7"]
    assert [entry.how for entry in (before, after, now)] == [How.by_hand, How.towpath, How.by_hand]
    assert [one.username for one in after.approvers] == ["olga"]
    everything = found(town, at=request.merged_at + timedelta(seconds=30)).entries
    assert {entry.stage: entry.change.new.tag for entry in everything if entry.change.new} == {
        "prod": "v2",
        "nonprod": "v2",
    }
    assert found(town, at=town.now - timedelta(days=900)).entries == ()


def test_since_leaves_out_what_is_older_and_a_backdated_commit_does_not_hide(town: Town) -> None:
    request = approved(town)
    assert request.merged_at is not None
    git = town.sandbox.project(PROJECT).git
    town.pass_time(60)
    by_hand(town, "v7")
    commit = git.commit(town.sandbox.head(PROJECT))
    old = replace(commit.author, at=commit.author.at - timedelta(days=400))
    hidden = git.create_commit(git.tree(town.sandbox.head(PROJECT)), commit.parents, "long ago", (old, old))
    town.sandbox.force_as("maria", PROJECT, "main", hidden)
    entries = found(town, stage="prod", since=request.merged_at - timedelta(seconds=30)).entries
    assert entries[0].step.commit == hidden
    assert [entry.how for entry in entries] == [How.by_hand, How.towpath]
    assert found(town, stage="prod", since=town.now + timedelta(hours=1)).entries == ()


def test_the_forge_lost_the_merge_request_and_git_still_tells(town: Town) -> None:
    request = approved(town)
    del town.sandbox.project(PROJECT).requests[request.iid]
    entry = in_prod(town)
    assert (entry.how, entry.verified, entry.number) == (How.towpath, GONE, request.iid)
    assert [one.username for one in entry.approvers] == ["olga"]
    assert not entry.at_by_forge
    assert not entry.is_odd


def test_the_approval_was_taken_back_later_and_stays_recorded(town: Town) -> None:
    request = approved(town)
    request.approvals.clear()
    request.reviews.clear()
    assert in_prod(town).verified == "yes"
    assert [one.username for one in in_prod(town).approvers] == ["olga"]


def test_the_forge_says_another_thing(town: Town) -> None:
    request = approved(town)
    other = town.sandbox.project(PROJECT).git.commit(town.sandbox.head(PROJECT)).parents[0]
    request.merge_commit = other
    entry = in_prod(town)
    assert entry.verified == f"DISAGREES: the forge has !{request.iid} merged as {other[:12]}"
    assert entry.is_odd
    version = replace(request.versions[-1], head=other)
    request.versions.append(version)
    assert f"the forge has the head {other[:12]}" in in_prod(town).verified


def test_the_evidence_of_one_release_on_the_content_of_another(town: Town) -> None:
    """As when somebody with the forge's own rights rewrites the merge: the message stays, the file differs."""
    approved(town)
    git, head = town.sandbox.project(PROJECT).git, town.sandbox.head(PROJECT)
    commit = git.commit(head)
    town.sandbox.commit_as("maria", PROJECT, "other", {PROD: values(tag="v6")}, "other")
    tree = git.tree(town.sandbox.head(PROJECT, "other"))
    forged = git.create_commit(tree, commit.parents, commit.message, (commit.author, commit.author))
    town.sandbox.force_as("maria", PROJECT, "main", forged)
    entry = in_prod(town)
    assert entry.how is How.around
    assert "the sealed evidence is of shop in prod" in entry.verified
    assert entry.approvers == ()


def test_it_only_reads_and_each_merge_request_once(town: Town) -> None:
    request = approved(town)
    before = len(town.sandbox.journal.entries("towpath"))
    found(town, stage="prod")
    asked = town.sandbox.journal.entries("towpath")[before:]
    assert {one.method for one in asked} == {"GET"}
    word = "merge_requests" if town.kind == "gitlab" else "pulls"
    assert sum(one.path.endswith(f"{word}/{request.iid}") for one in asked) == 1
    before += len(asked)
    found(town, stage="prod", since=town.now + timedelta(hours=1))
    assert not any(word in one.path for one in town.sandbox.journal.entries("towpath")[before:])


def test_what_the_old_version_wrote_is_still_read(town: Town) -> None:
    """A merge of before there was more than the ids of approvers: the rest comes from the forge."""
    request = waiting(town)
    town.sandbox.approve_as("olga", PROJECT, request.iid)
    git = town.sandbox.project(PROJECT).git
    record = trailers.read(git.commit(request.head).message)
    assert record is not None
    olga = town.sandbox.user("olga").id
    block = f"{trailers.write(record)}\nTowpath-Approver: {olga}"
    merged = town.sandbox.merge_as("towpath", PROJECT, request.iid)
    key = town.world.context("main", PROJECT).seal_keys[0]
    who, text = git.commit(merged).author, trailers.sealed(f"Promote\n\n{block}", key)
    rewritten = git.create_commit(git.tree(merged), git.commit(merged).parents, text, (who, who))
    request.merge_commit = rewritten
    town.sandbox.force_as("maria", PROJECT, "main", rewritten)
    entry = in_prod(town)
    assert (entry.how, entry.verified, entry.number) == (How.towpath, "yes", request.iid)
    assert [(one.username, one.at is None) for one in entry.approvers] == [("olga", False)]


# --- without a forge's words ------------------------------------------------------------------------------------------


def rows(scene: Scene, **asked: object) -> tuple[Entry, ...]:
    now = scene.forge.now + timedelta(days=1)
    return trail(scene.context, Asked(**asked), now).entries  # type: ignore[arg-type] # any of its fields


def test_a_place_that_moved_was_removed_or_cannot_be_read(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    moved = "environments/prod/two/shop/values.yaml"
    scene.forge.commit_as({PROD: None, moved: values(tag="v3")}, message="moved")
    scene.forge.commit_as({moved: "image: [\n"}, message="broken")
    scene.forge.commit_as({moved: values(tag="v4")}, message="mended")
    scene.forge.commit_as({moved: None}, message="removed")
    told = [(one.change.path, one.change.old, one.change.new) for one in rows(scene, stage="prod")]
    assert [(path, new is None) for path, _, new in told] == [
        (moved, True),
        (moved, False),
        (moved, False),
        (PROD, True),
        (moved, False),
        (PROD, False),
    ]
    assert [old is not None and old.unreadable for _, old, _ in told[:3]] == [False, True, False]
    assert rows(scene, stage="prod", at=scene.forge.now) == ()


def test_S9_hostile_names_and_tags_stay_on_their_line_and_are_no_formula(tmp_path: Path) -> None:
    place = f"environments/prod/one/{EVIL.replace('/', '')}/values.yaml"
    scene = Scene(tmp_path, files={"environments/nonprod/one/shop/values.yaml": values()})
    text = values().replace("tag: v1", 'tag: "@x\\u001b[31m\\u202e\\nTowpath, by hand"')
    scene.forge.commit_as({place: text, "environments/prod/one/a\nb/values.yaml": values()}, message="=cmd()")
    found = [("direct", "platform/config", entry) for entry in rows(scene, stage="prod")]
    table = as_table(found)
    assert len(table.splitlines()) == 1 + len(found) == 3
    assert "\x1b" not in table and "\u202e" not in table
    for line in csv.DictReader(io.StringIO(as_csv(found))):
        assert list(line) == list(COLUMNS)
        assert not any(str(cell).startswith(("=", "+", "-", "@")) for cell in line.values())
        assert "\x1b" not in str(line)


# --- the command ------------------------------------------------------------------------------------------------------


def run(town: Town, *words: str, repositories: str = PROJECT) -> Result:
    """As an auditor does: without Redis, with a mirror of their own."""
    variables = {
        "TOWPATH_REDIS_URL": "redis://127.0.0.1:1/0",
        "TOWPATH_MIRRORS": str(town._folder / "auditor"),
        "TOWPATH_SEAL": '["a-seal-key-of-tests"]',
        "TOWPATH_FORGES__MAIN__KIND": town.kind,
        "TOWPATH_FORGES__MAIN__URL": town.url,
        "TOWPATH_FORGES__MAIN__TOKEN": town.sandbox.token_for("towpath"),
        "TOWPATH_FORGES__MAIN__WEBHOOK_" + ("TOKENS" if town.kind == "gitlab" else "SECRETS"): json.dumps([TOKEN]),
        "TOWPATH_FORGES__MAIN__REPOSITORIES": json.dumps([repositories]),
    }
    return CliRunner().invoke(main, ["audit", *words], env=variables)


def test_the_command_answers_in_a_table_in_json_and_in_csv(town: Town) -> None:
    request = approved(town)
    at = (town.now + timedelta(seconds=1)).isoformat()
    table = run(town, "--stage", "prod", "--at", at)
    assert table.exit_code == 0, table.output
    heading, line = table.stdout.splitlines()
    assert heading.split()[:3] == ["TIME", "SERVICE", "STAGE"]
    assert f"api:v2@{digest('v2')[7:19]}" in line and f"!{request.iid}  towpath" in line and "olga 20" in line
    (told,) = map(json.loads, run(town, "--stage", "prod", "--since", "1h", "--format", "json").stdout.splitlines()[:1])
    assert tuple(told) == COLUMNS
    assert (told["how"], told["verified"], told["forge"], told["mr"]) == ("towpath", "yes", FORGE, request.iid)
    assert told["approvers"][0]["username"] == "olga"
    assert told["gates"]["approvals"] == "pass"
    first = next(csv.DictReader(io.StringIO(run(town, "--stage", "prod", "--format", "csv").stdout)))
    assert first["approvers"].startswith(f"olga ({town.sandbox.user('olga').id}) 20")
    assert first["to_digest"] == digest("v2")


def test_the_command_ends_with_1_where_a_person_should_look(town: Town) -> None:
    town.sandbox.merge_as("maria", PROJECT, waiting(town).iid)
    done = run(town, "--stage", "prod")
    assert done.exit_code == 1, done.output
    assert "by hand, around Towpath" in done.output


def test_the_command_says_what_is_wrong(town: Town) -> None:
    for words, said in {
        ("--service", "shp"): "there is no service 'shp'; did you mean shop?",
        ("--stage", "prodd"): "there is no stage 'prodd'; did you mean prod?",
        ("--since", "yesterday"): "'yesterday' is no time: write 2026-05-03, 2026-05-03T14:00",
        ("--at", "7d"): "'7d' is no time",
        ("--at", "2026-05-03", "--since", "7d"): "give one of them",
    }.items():
        done = run(town, *words)
        assert done.exit_code == 2
        assert said in " ".join(done.output.replace("│", " ").split()), done.output
    lost = run(town, "--service", "shp", repositories="platform/none")
    assert lost.exit_code == 2
    assert "not read: main platform/none" in lost.output
    assert run(town, "--since", "2099-01-01").output == "no change was found\n"
