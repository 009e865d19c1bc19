"""GitLab's hooks: where comments and changed labels say to look."""

import json
from collections.abc import Mapping

import pytest

from bot.hooks import gitlab
from bot.hooks.events import REPORT, Changed, Event, Ignored, Malformed
from policies.naming import REPORT_MARK

SHA = "a" * 40
REQUEST = {"iid": 5, "source_branch": "towpath/api", "target_branch": "main", "last_commit": {"id": SHA}}
ABOUT_REQUEST = Changed("acme/config", branch="main", iid=5, source_branch="towpath/api", sha=SHA, by=9)
TALK = Changed("acme/config", branch="main", iid=5, source_branch="towpath/api", sha=SHA, by=9, talk=True)
ISSUE = Changed("acme/config", issue=7, by=9, talk=True)
LABELS = {"labels": {"previous": [], "current": [{"title": "hold"}]}}


def parsed(payload: Mapping[str, object]) -> Event:
    body = {"project": {"path_with_namespace": "acme/config"}, "user": {"id": 9}, **payload}
    (event,) = gitlab.parse({}, json.dumps(body).encode())
    return event


def note(kind: str | None, beside: Mapping[str, object], *, system: bool = False, internal: bool = False) -> Event:
    text = {"noteable_type": kind, "system": system, "internal": internal}
    event = "confidential_note" if internal else "note"
    return parsed({"object_kind": "note", "event_type": event, "object_attributes": text, **beside})


@pytest.mark.parametrize("internal", [False, True])
def test_a_comment_wants_its_thread_read(internal: bool) -> None:
    assert note("MergeRequest", {"merge_request": REQUEST}, internal=internal) == TALK
    assert note("Issue", {"issue": {"iid": 7}}, internal=internal) == ISSUE


def test_GitLabs_own_notes_and_other_places_are_of_no_interest() -> None:
    assert isinstance(note("MergeRequest", {"merge_request": REQUEST}, system=True), Ignored)
    assert isinstance(note("Issue", {"issue": {"iid": 7}}, system=True), Ignored)
    for kind in ("Commit", "Snippet", "Epic", None):
        assert isinstance(note(kind, {"issue": {"iid": 7}}), Ignored)


def test_towpaths_own_report_wakes_nobody() -> None:
    text = {"noteable_type": "MergeRequest", "note": f"{REPORT_MARK}\n**Waits**"}
    told = {"object_kind": "note", "object_attributes": text, "merge_request": REQUEST}
    assert parsed(told) == Ignored(REPORT)
    assert parsed(told | {"object_attributes": text | {"note": f"/hold\n{REPORT_MARK}"}}) == TALK


@pytest.mark.parametrize(("kind", "beside"), [("Issue", {}), ("Issue", {"issue": {}}), ("MergeRequest", {})])
def test_a_comment_on_nothing_is_malformed(kind: str, beside: dict[str, object]) -> None:
    with pytest.raises(Malformed):
        note(kind, beside)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"changes": LABELS}, TALK),
        ({"changes": {"title": {"previous": "a", "current": "b"}}}, ABOUT_REQUEST),
        ({"changes": {}}, ABOUT_REQUEST),
        ({"changes": None}, ABOUT_REQUEST),
        ({}, ABOUT_REQUEST),
    ],
)
def test_changed_labels_want_the_thread_read(more: Mapping[str, object], expected: Changed) -> None:
    assert parsed({"object_kind": "merge_request", "object_attributes": REQUEST, **more}) == expected
