"""The endpoints of notes, emoji and approvals."""

from bot.sandbox import discussion, errors
from bot.sandbox.api import Answer
from bot.sandbox.gitlab.call import Call, page
from bot.sandbox.gitlab.request_shapes import approvals, award, note
from bot.sandbox.model import Award, MergeRequest, Note, Project, Role
from bot.sandbox.state import role


def list_notes(call: Call) -> Answer:
    """`GET .../notes`: newest first unless asked otherwise; system notes are among them."""
    project, request = call.request()
    seen = [one for one in request.notes if not one.internal or role(project, call.actor) >= Role.reporter]
    kept = call.choice("activity_filter", ("all_notes", "only_comments", "only_activity"))
    seen = [one for one in seen if kept == "all_notes" or one.system == (kept == "only_activity")]
    newest_first = call.choice("sort", ("desc", "asc")) == "desc"
    by_update = call.choice("order_by", ("created_at", "updated_at")) == "updated_at"
    seen.sort(key=lambda one: (one.updated_at if by_update else one.created_at, one.id), reverse=newest_first)
    return page(call, seen, lambda one: note(call.state, (project, request), one))


def read_note(call: Call) -> Answer:
    """`GET .../notes/:note`."""
    project, request = call.request()
    return Answer(note(call.state, (project, request), discussion.note(request, call.where["note"])))


def create_note(call: Call) -> Answer:
    """`POST .../notes`."""
    project, request = call.request()
    user = call.user()
    (body,) = call.need("body")
    internal = call.flag("internal") or call.flag("confidential") or False
    made = discussion.add_note(call.state, project, request, user, discussion.Comment(body, internal))
    return Answer(note(call.state, (project, request), made), 201)


def update_note(call: Call) -> Answer:
    """`PUT .../notes/:note`."""
    project, request = call.request()
    found = discussion.note(request, call.where["note"])
    (body,) = call.need("body")
    discussion.edit_note(call.state, project, request, call.user(), (found, body))
    return Answer(note(call.state, (project, request), found))


def delete_note(call: Call) -> Answer:
    """`DELETE .../notes/:note`."""
    project, request = call.request()
    discussion.delete_note(project, request, call.user(), discussion.note(request, call.where["note"]))
    return Answer(None, 204)


def list_awards(call: Call) -> Answer:
    """`GET .../award_emoji` of the merge request or of a note."""
    _, request, target = _awarded(call)
    awards = target.awards if target else request.awards
    return page(call, awards, lambda one: award(call.state, _on(request, target), one))


def create_award(call: Call) -> Answer:
    """`POST .../award_emoji`."""
    project, request, target = _awarded(call)
    (name,) = call.need("name")
    made: Award = discussion.award(call.state, project, request, call.user(), (target, name))
    return Answer(award(call.state, _on(request, target), made), 201)


def delete_award(call: Call) -> Answer:
    """`DELETE .../award_emoji/:award`."""
    project, request, target = _awarded(call)
    number = int(call.where["award"]) if call.where["award"].isdecimal() else 0
    discussion.revoke(call.state, project, request, call.user(), (target, number))
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


def _awarded(call: Call) -> tuple[Project, MergeRequest, Note | None]:
    project, request = call.request()
    if "note" not in call.where:
        return project, request, None
    found = discussion.note(request, call.where["note"])
    if found.system:
        raise errors.NotFound("Note")
    return project, request, found


def _on(request: MergeRequest, target: Note | None) -> tuple[str, int]:
    return ("Note", target.id) if target else ("MergeRequest", request.id)
