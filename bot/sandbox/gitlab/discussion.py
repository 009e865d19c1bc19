"""The endpoints of notes, emoji and approvals."""

from bot.sandbox import discussion, errors
from bot.sandbox.api import Answer
from bot.sandbox.gitlab import quick_actions
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.request_shapes import approvals, award, kind, label_event, note
from bot.sandbox.model import Award, Note, Project, Thread


def list_notes(call: Call) -> Answer:
    """`GET .../notes`: newest first unless asked otherwise; system notes are among them."""
    project, thread = call.thread()
    seen = [one for one in thread.notes if discussion.may_see(project, call.actor, one)]
    kept = call.choice("activity_filter", ("all_notes", "only_comments", "only_activity"))
    seen = [one for one in seen if kept == "all_notes" or one.system == (kept == "only_activity")]
    newest_first = call.choice("sort", ("desc", "asc")) == "desc"
    by_update = call.choice("order_by", ("created_at", "updated_at")) == "updated_at"
    seen.sort(key=lambda one: (one.updated_at if by_update else one.created_at, one.id), reverse=newest_first)
    return page(call, seen, lambda one: note(call.state, (project, thread), one))


def read_note(call: Call) -> Answer:
    """`GET .../notes/:note`."""
    where, found = _note(call)
    return Answer(note(call.state, where, found))


def create_note(call: Call) -> Answer:
    """`POST .../notes`; GitLab's own commands are taken out and obeyed, and nothing else left makes no note."""
    project, thread = call.thread()
    user = call.user()
    (body,) = call.need("body")
    comment = discussion.Comment(body, call.flag("internal") or call.flag("confidential") or False)
    said = quick_actions.Said(comment, call.text("merge_request_diff_head_sha"))
    made, outcome = quick_actions.say(call.state, project, thread, user, said)
    if made is None:
        return Answer({"commands_changes": outcome.changes, "summary": [" ".join(outcome.messages)]}, 202)
    return Answer(note(call.state, (project, thread), made) | {"commands_changes": outcome.changes}, 201)


def update_note(call: Call) -> Answer:
    """`PUT .../notes/:note`."""
    where, found = _note(call)
    (body,) = call.need("body")
    discussion.edit_note(call.state, *where, call.user(), (found, body))
    return Answer(note(call.state, where, found))


def delete_note(call: Call) -> Answer:
    """`DELETE .../notes/:note`."""
    where, found = _note(call)
    discussion.delete_note(*where, call.user(), found)
    return Answer(None, 204)


def label_events(call: Call) -> Answer:
    """`GET .../resource_label_events`, oldest first."""
    _, thread = call.thread()
    return page(call, thread.label_events, lambda found: label_event(call.state, thread, found))


def list_awards(call: Call) -> Answer:
    """`GET .../award_emoji` of the merge request, of the issue or of a note."""
    _, thread, target = _awarded(call)
    awards = target.awards if target else thread.awards
    return page(call, awards, lambda one: award(call.state, _on(thread, target), one))


def create_award(call: Call) -> Answer:
    """`POST .../award_emoji`; a note counts as updated then (`Note#bump_updated_at`)."""
    project, thread, target = _awarded(call)
    (name,) = call.need("name")
    made: Award = discussion.award(call.state, project, thread, call.user(), (target, name))
    _bump(call, target)
    return Answer(award(call.state, _on(thread, target), made), 201)


def delete_award(call: Call) -> Answer:
    """`DELETE .../award_emoji/:award`."""
    project, thread, target = _awarded(call)
    number = int(call.where["award"]) if call.where["award"].isdecimal() else 0
    discussion.revoke(call.state, project, thread, call.user(), (target, number))
    _bump(call, target)
    return Answer(None, 204)


def read_approvals(call: Call) -> Answer:
    """`GET .../approvals`."""
    project, request = call.request()
    return Answer(approvals(call.state, project, request, call.actor))


def approval_state(call: Call) -> Answer:
    """`GET .../approval_state`: one rule where the project needs approvals, else none."""
    project, request = call.request()
    shown = approvals(call.state, project, request, call.actor)
    needed = project.settings.approvals_before_merge
    by = shown["approved_by"]
    rule = {
        "id": request.id,
        "name": "All Members",
        "rule_type": "any_approver",
        "approvals_required": needed,
        "approved_by": [one["user"] for one in by] if isinstance(by, list) else [],
        "approved": shown["approved"],
    }
    return Answer({"approval_rules_overwritten": False, "rules": [rule] if needed else []})


def approve(call: Call) -> Answer:
    """`POST .../approve`; 409 where `sha` is not the head."""
    project, request = call.request()
    discussion.approve(call.state, project, request, call.user(), call.text("sha"))
    return Answer(approvals(call.state, project, request, call.actor), 201)


def unapprove(call: Call) -> Answer:
    """`POST .../unapprove`."""
    project, request = call.request()
    discussion.unapprove(call.state, project, request, call.user())
    return Answer(approvals(call.state, project, request, call.actor), 201)


def _note(call: Call) -> tuple[tuple[Project, Thread], Note]:
    """The note that the path names, unless it is hidden from the caller."""
    project, thread = call.thread()
    found = discussion.note(thread, call.where["note"])
    if not discussion.may_see(project, call.actor, found):
        raise errors.NotFound("Note")
    return (project, thread), found


def _awarded(call: Call) -> tuple[Project, Thread, Note | None]:
    if "note" not in call.where:
        return *call.thread(), None
    where, found = _note(call)
    if found.system:
        raise errors.NotFound("Note")
    return *where, found


def _bump(call: Call, target: Note | None) -> None:
    if target is not None:
        target.updated_at = call.state.clock()


def _on(thread: Thread, target: Note | None) -> tuple[str, int]:
    return ("Note", target.id) if target else (kind(thread), thread.id)
