"""The contract: comments on merge requests and issues, who wrote and edited them, issues by label, the label log."""

from datetime import timedelta

import pytest

from bot.errors import Permanent
from bot.forges.base import Emoji, Forge, Note, Webhook
from policies.model import Thread
from tests.contract.bench import Bench
from tests.contract.steps import EPOCH, LABEL, R, opened, writes

CONTROL = "towpath-control"
PARTS = ("request", "issue")


def thread(bench: Bench, part: str) -> Thread:
    """A merge request, or an issue; where the forge numbers them apart, another merge request has its number."""
    request = opened(bench)
    return Thread(request.iid) if part == "request" else Thread(bench.issue("reporter", "Control", CONTROL), issue=True)


def only(forge: Forge, where: Thread) -> Note:
    (found,) = forge.notes(R, where)
    return found


# --- comments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
def test_a_comment_is_written_read_answered_and_removed_in_its_thread(bench: Bench, part: str) -> None:
    where = thread(bench, part)
    written = bench.as_role("reporter").add_note(R, where, "/status")
    bench.calls()
    assert only(bench.forge, where) == written
    assert len(bench.calls()) == 1
    assert (written.author.id, written.body) == (bench.user("reporter").id, "/status")
    assert (written.author.bot, written.edited, written.internal) == (False, False, False)
    for emoji in (Emoji.seen, Emoji.done, Emoji.refused, Emoji.done):
        bench.forge.react(R, where, written.id, emoji)
    assert writes(bench) == 4
    given = [(one.name, one.user.id) for one in bench.forge.reactions(R, where, written.id)]
    assert given == [(name, bench.forge.me().id) for name in (Emoji.seen, Emoji.done, Emoji.refused)]
    answer = bench.forge.add_note(R, where, "first")
    bench.forge.edit_note(R, where, answer.id, "second")
    assert [one.body for one in bench.forge.notes(R, where)] == ["/status", "second"]
    bench.forge.delete_note(R, where, answer.id)
    assert only(bench.forge, where).id == written.id


def test_the_party_popper_has_each_forges_own_name(bench: Bench) -> None:
    where = thread(bench, "request")
    note = bench.forge.add_note(R, where, "text")
    bench.forge.react(R, where, note.id, Emoji.done)
    assert bench.emoji(note.id) == [{"gitlab": "tada", "github": "hooray"}[bench.kind]]


def test_threads_of_both_kinds_are_kept_apart(bench: Bench) -> None:
    request = thread(bench, "request")
    issue = Thread(bench.issue("reporter", "Control", CONTROL), issue=True)
    assert (issue.iid == 1) == (bench.kind == "gitlab")
    bench.forge.add_note(R, issue, "on the issue")
    bench.forge.add_note(R, request, "on the merge request")
    assert [only(bench.forge, one).body for one in (issue, request)] == ["on the issue", "on the merge request"]


@pytest.mark.parametrize("part", PARTS)
def test_a_comments_address_is_its_own(bench: Bench, part: str) -> None:
    where = thread(bench, part)
    first, second = (bench.forge.add_note(R, where, text) for text in "ab")
    kinds = {
        "gitlab": ("/-/merge_requests/", "/-/issues/", "#note_"),
        "github": ("/pull/", "/issues/", "#issuecomment-"),
    }
    request, issue, mark = kinds[bench.kind]
    assert first.url == f"{bench.url}/{R}{issue if where.issue else request}{where.iid}{mark}{first.id}"
    assert [one.url for one in bench.forge.notes(R, where)] == [first.url, second.url]


@pytest.mark.parametrize("part", PARTS)
def test_S7_a_comment_that_was_edited_says_so(bench: Bench, part: str) -> None:
    where = thread(bench, part)
    person = bench.as_role("developer")
    note = person.add_note(R, where, "please wait")
    bench.later(2)
    assert not only(bench.forge, where).edited
    person.edit_note(R, where, note.id, "/rollback prod")
    assert only(bench.forge, where).edited


def test_S7_an_emoji_later_than_the_comment_looks_like_an_edit_on_GitLab_alone(bench: Bench) -> None:
    where = thread(bench, "request")
    note = bench.as_role("developer").add_note(R, where, "/rollback prod")
    bench.forge.react(R, where, note.id, Emoji.seen)
    assert not only(bench.forge, where).edited
    bench.later(2)
    bench.as_role("developer").react(R, where, note.id, Emoji.seen)
    assert only(bench.forge, where).edited == (bench.kind == "gitlab")


@pytest.mark.parametrize("part", PARTS)
def test_S7_an_internal_comment_says_so_where_there_are_any(bench: Bench, part: str) -> None:
    where = thread(bench, part)
    written = bench.forge.add_note(R, where, "for us", internal=True)
    bench.forge.add_note(R, where, "for all")
    assert written.internal == (bench.kind == "gitlab")
    assert [one.internal for one in bench.forge.notes(R, where)] == [written.internal, False]


def test_S7_a_bots_comment_is_known(bench: Bench) -> None:
    where = thread(bench, "issue")
    bench.robot().add_note(R, where, "/rollback prod")
    bench.as_role("developer").add_note(R, where, "/rollback prod")
    assert [one.author.bot for one in bench.forge.notes(R, where)] == [True, False]


def test_R7_more_comments_on_an_issue_than_the_longest_page_holds(bench: Bench) -> None:
    where = thread(bench, "issue")
    for number in range(101):
        bench.forge.add_note(R, where, f"comment {number}")
    assert [note.body for note in bench.forge.notes(R, where)] == [f"comment {number}" for number in range(101)]


def test_a_thread_that_is_not_there_is_permanent(bench: Bench) -> None:
    opened(bench)
    for where in (Thread(99), Thread(99, issue=True)):
        for ask in (
            lambda where=where: bench.forge.notes(R, where),
            lambda where=where: bench.forge.add_note(R, where, "text"),
            lambda where=where: bench.forge.react(R, where, 1, Emoji.seen),
        ):
            with pytest.raises(Permanent):
                ask()


# --- issues ---------------------------------------------------------------------------------------------------------


def test_an_issue_is_read_with_what_counts(bench: Bench) -> None:
    iid = bench.issue("reporter", "Control", CONTROL, "ops")
    bench.calls()
    found = bench.forge.issue(R, iid)
    assert len(bench.calls()) == 1
    assert (found.iid, found.title, found.open, set(found.labels)) == (iid, "Control", True, {CONTROL, "ops"})
    assert (found.author.id, found.url.startswith(bench.url)) == (bench.user("reporter").id, True)
    assert found.updated_at > EPOCH
    bench.close_issue(iid)
    assert not bench.forge.issue(R, iid).open


def test_an_issue_that_is_none_is_permanent(bench: Bench) -> None:
    request = opened(bench)
    for iid in (request.iid, 99):
        with pytest.raises(Permanent):
            bench.forge.issue(R, iid)


def test_open_issues_are_found_by_their_label_and_merge_requests_never(bench: Bench) -> None:
    request = opened(bench)
    bench.forge.label(R, request.iid, [CONTROL])
    found, closed = bench.issue("reporter", "Control", CONTROL), bench.issue("reporter", "Old", CONTROL)
    bench.issue("reporter", "Other", "bug")
    bench.close_issue(closed)
    bench.calls()
    assert [issue.iid for issue in bench.forge.issues(R, CONTROL, None)] == [found]
    assert len(bench.calls()) == 1
    assert bench.forge.issues(R, "missing", None) == ()


def test_issues_updated_since_are_found_up_to_the_very_second(bench: Bench) -> None:
    early = bench.issue("reporter", "Early", CONTROL)
    bench.later(60)
    late = bench.issue("reporter", "Late", CONTROL)
    at = bench.forge.issue(R, late).updated_at
    assert {issue.iid for issue in bench.forge.issues(R, CONTROL, EPOCH)} == {early, late}
    assert [issue.iid for issue in bench.forge.issues(R, CONTROL, at)] == [late]
    assert bench.forge.issues(R, CONTROL, at + timedelta(seconds=1)) == ()
    bench.later(60)
    bench.forge.add_note(R, Thread(early, issue=True), "a comment is an update")
    assert [issue.iid for issue in bench.forge.issues(R, CONTROL, at + timedelta(seconds=2))] == [early]


def test_R7_more_issues_than_the_longest_page_holds(bench: Bench) -> None:
    iids = {bench.issue("reporter", f"Control {number}", CONTROL) for number in range(101)}
    bench.calls()
    assert {issue.iid for issue in bench.forge.issues(R, CONTROL, None)} == iids
    assert len(bench.calls()) == 2


# --- labels ---------------------------------------------------------------------------------------------------------


def test_labels_are_taken_off_and_one_that_is_not_there_is_no_fault(bench: Bench) -> None:
    request = opened(bench)
    bench.forge.label(R, request.iid, ["hold", "urgent"])
    bench.calls()
    bench.forge.unlabel(R, request.iid, ["missing", "hold"])
    assert writes(bench) == {"gitlab": 1, "github": 2}[bench.kind]
    assert set(bench.forge.request(R, request.iid).labels) == {LABEL, "urgent"}
    with pytest.raises(Permanent):
        bench.forge.unlabel(R, 99, ["hold"])


def test_the_label_log_says_who_did_what_in_order(bench: Bench) -> None:
    request = opened(bench)
    bench.later(5)
    bench.forge.label(R, request.iid, ["hold"])
    bench.later(5)
    bench.as_role("developer").unlabel(R, request.iid, ["hold"])
    bench.calls()
    found = bench.forge.label_changes(R, Thread(request.iid))
    assert len(bench.calls()) == 1
    me, person = bench.forge.me().id, bench.user("developer").id
    assert [(one.label, one.user.id, one.added) for one in found] == [
        (LABEL, me, True),
        ("hold", me, True),
        ("hold", person, False),
    ]
    assert [one.at for one in found] == sorted({one.at for one in found})
    with pytest.raises(Permanent):
        bench.forge.label_changes(R, Thread(99))


def test_the_label_log_of_an_issue_begins_with_what_it_was_opened_with(bench: Bench) -> None:
    bench.forge.label(R, opened(bench).iid, ["hold"])
    where = Thread(bench.issue("developer", "Control", CONTROL), issue=True)
    (one,) = bench.forge.label_changes(R, where)
    assert (one.label, one.added, one.user.id) == (CONTROL, True, bench.user("developer").id)
    assert not bench.forge.issue(R, where.iid).confidential


def test_R7_a_longer_label_log_than_the_longest_page(bench: Bench) -> None:
    request = opened(bench)
    for _ in range(51):
        bench.forge.label(R, request.iid, ["hold"])
        bench.forge.unlabel(R, request.iid, ["hold"])
    held = [one.added for one in bench.forge.label_changes(R, Thread(request.iid)) if one.label == "hold"]
    assert held == [True, False] * 51


# --- webhooks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("internal", [False, True])
def test_a_webhook_that_is_set_up_tells_of_comments(bench: Bench, part: str, internal: bool) -> None:
    where = thread(bench, part)
    bench.forge.install_webhook(R, Webhook("https://towpath.example.com/hooks/x/main", "a-webhook-secret"))
    bench.forge.add_note(R, where, "text", internal=internal)
    assert bench.deliveries() == 1
