"""What people say on merge requests and issues: notes, emoji, labels, approvals; and what the forge notes by itself."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.sandbox.errors import Conflict, Forbidden, Invalid, MayNotMerge, Missing, NotFound, Taken
from bot.sandbox.model import (
    Approval,
    Award,
    Awarded,
    Issue,
    Label,
    LabelEvent,
    MergeRequest,
    Note,
    Noted,
    Project,
    RequestChanged,
    RequestState,
    Review,
    Reviewed,
    Role,
    Thread,
    User,
)
from bot.sandbox.state import State, require, role

LONGEST_NOTE = 1_000_000
"""Characters, as GitLab's model validates."""

COLORS = ("#dc143c", "#1f75cb", "#108548", "#7759c2", "#c17d10", "#737278")
MENTION = re.compile(r"(?<![\w/.!-])(?:(?P<path>[\w.-]+(?:/[\w.-]+)+))?!(?P<iid>[1-9]\d{0,8})\b")
CODE = re.compile(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
"""What Markdown shows as code: no reference in it is one."""


def system_note(state: State, thread: Thread, actor: User, body: str) -> Note:
    """What the forge writes by itself; nobody is told of it."""
    now = state.clock()
    note = Note(state.number("note"), body, actor, now, now, system=True)
    thread.notes.append(note)
    return note


def mention(state: State, project: Project, request: MergeRequest, actor: User, text: str) -> None:
    """Note on each merge request that the text names, once, that this one mentions it."""
    for found in MENTION.finditer(CODE.sub("", text)):
        named = project.requests.get(int(found["iid"])) if found["path"] in (None, project.full_path) else None
        body = f"mentioned in merge request !{request.iid}"
        if named and named is not request and all(note.body != body for note in named.notes):
            system_note(state, named, actor, body)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment to be written; `internal` hides it from who is below Reporter."""

    body: str
    internal: bool = False


def least_role(thread: Thread, *, internal: bool = False) -> Role:
    """The role that comments there: guests on issues, who see no code and nothing internal."""
    return Role.guest if isinstance(thread, Issue) and not internal else Role.reporter


def may_see(project: Project, viewer: User | None, found: Note) -> bool:
    """Internal notes are for Reporters and above."""
    return not found.internal or role(project, viewer) >= Role.reporter


def add_note(state: State, project: Project, thread: Thread, author: User, comment: Comment) -> Note:
    """Comment. Missing without text, Invalid over the limit."""
    require(project, author, least_role(thread, internal=comment.internal))
    _check_body(comment.body)
    now = state.clock()
    note = Note(state.number("note"), comment.body, author, now, now, internal=comment.internal)
    thread.notes.append(note)
    thread.updated_at = now
    if not isinstance(thread, Issue):
        mention(state, project, thread, author, comment.body)
    state.tell(Noted(project, thread, note, author, "create"))
    return note


def note(thread: Thread, number: int | str) -> Note:
    """A note by its id."""
    for found in thread.notes:
        if str(found.id) == str(number):
            return found
    raise NotFound("Note")


def edit_note(state: State, project: Project, thread: Thread, actor: User, change: tuple[Note, str]) -> None:
    """Change a comment's text; only its author or a Maintainer may."""
    edited, body = change
    _own_note(project, actor, edited)
    _check_body(body)
    edited.body, edited.updated_at, edited.edited = body, state.clock(), True
    state.tell(Noted(project, thread, edited, actor, "update"))


def delete_note(project: Project, thread: Thread, actor: User, gone: Note) -> None:
    """Remove a comment; only its author or a Maintainer may."""
    _own_note(project, actor, gone)
    thread.notes.remove(gone)


def award(state: State, project: Project, thread: Thread, actor: User, given: tuple[Note | None, str]) -> Award:
    """Give an emoji to the thread, or to one of its notes; Taken where the user has given it already."""
    target, name = given
    require(project, actor, least_role(thread))
    name = name.strip(":")
    if not re.fullmatch(r"[a-z0-9_+-]+", name):
        raise NotFound("Award Emoji Name is not a valid emoji name")
    awards = target.awards if target else thread.awards
    if any((one.name, one.user) == (name, actor) for one in awards):
        raise Taken("Award Emoji Name has already been taken")
    made = Award(state.number("award"), name, actor, state.clock())
    awards.append(made)
    state.tell(Awarded(project, thread, target, made, "award"))
    return made


def revoke(state: State, project: Project, thread: Thread, actor: User, taken: tuple[Note | None, int]) -> None:
    """Take an emoji back; only who gave it may."""
    target, number = taken
    awards = target.awards if target else thread.awards
    found = next((one for one in awards if one.id == number), None)
    if found is None:
        raise NotFound("Award Emoji")
    if found.user != actor:
        raise Forbidden
    awards.remove(found)
    state.tell(Awarded(project, thread, target, found, "revoke"))


def label(state: State, project: Project, name: str, color: str = "", description: str = "") -> Label:
    """The project's label of that name, made where it is missing."""
    if name not in project.labels:
        number = state.number("label")
        color = color or COLORS[number % len(COLORS)]
        project.labels[name] = Label(number, name, color, description, state.clock())
    return project.labels[name]


def relabel(state: State, project: Project, thread: Thread, actor: User, wanted: Iterable[str]) -> None:
    """Give it exactly these labels, with an event for each one added or removed."""
    names = list(dict.fromkeys(name.strip() for name in wanted if name.strip()))
    added = [("add", name) for name in names if name not in thread.labels]
    removed = [("remove", name) for name in thread.labels if name not in names]
    for action, name in [*added, *removed]:
        event = LabelEvent(state.number("label event"), actor, label(state, project, name), action, state.clock())
        thread.label_events.append(event)
    thread.labels = sorted(names)


def approve(state: State, project: Project, request: MergeRequest, actor: User, sha: str | None = None) -> None:
    """Approve the present head. Conflict for another `sha`; MayNotMerge for who may not, or has already."""
    _may_approve(project, request, actor)
    if sha is not None and sha != request.head:
        raise Conflict(f"SHA does not match HEAD of source branch: {request.head}")
    approve_saying(state, project, request, actor, "")


def approve_saying(state: State, project: Project, request: MergeRequest, actor: User, body: str) -> Review:
    """Approve, with words, for who `may_approve`."""
    now = state.clock()
    request.approvals.append(Approval(actor, now, request.head))
    review = add_review(state, request, actor, "APPROVED", body)
    request.updated_at = now
    system_note(state, request, actor, "approved this merge request")
    left = project.settings.approvals_before_merge - len(request.standing_approvals())
    state.tell(RequestChanged(project, request, actor, "approval" if left > 0 else "approved"))
    state.tell(Reviewed(project, request, review, actor, "submitted"))
    return review


def unapprove(state: State, project: Project, request: MergeRequest, actor: User) -> None:
    """Withdraw one's approval; NotFound where there is none."""
    require(project, actor, Role.reporter)
    own = next((one for one in request.standing_approvals() if one.user == actor), None)
    if own is None:
        raise NotFound
    dismiss(state, project, request, actor, [own])
    sufficed = len(request.standing_approvals()) >= project.settings.approvals_before_merge
    own.withdrawn_at = request.updated_at = state.clock()
    system_note(state, request, actor, "unapproved this merge request")
    suffices = len(request.standing_approvals()) >= max(1, project.settings.approvals_before_merge)
    action = "unapproved" if sufficed and not suffices else "unapproval"
    state.tell(RequestChanged(project, request, actor, action))


def dismiss(state: State, project: Project, request: MergeRequest, actor: User, gone: Iterable[Approval]) -> None:
    """Dismiss the reviews that said what these approvals say."""
    users = {approval.user.id for approval in gone}
    for review in request.reviews:
        if review.user.id in users and review.state == "APPROVED":
            review.state = "DISMISSED"
            state.tell(Reviewed(project, request, review, actor, "dismissed"))


def add_review(state: State, request: MergeRequest, actor: User, verdict: str, body: str) -> Review:
    """Keep a review of the present head; nobody is told yet."""
    made = Review(state.number("review"), actor, verdict, request.head, body, state.clock())
    request.reviews.append(made)
    return made


def may_approve(project: Project, request: MergeRequest, actor: User) -> bool:
    """Whether an approval by this user would be taken now."""
    try:
        _may_approve(project, request, actor)
    except (Forbidden, MayNotMerge):
        return False
    return True


def _may_approve(project: Project, request: MergeRequest, actor: User) -> None:
    require(project, actor, Role.developer)
    own = actor == request.author and not project.settings.merge_requests_author_approval
    again = any(one.user == actor for one in request.standing_approvals())
    if own or again or request.state is not RequestState.opened:
        raise MayNotMerge


def _own_note(project: Project, actor: User, found: Note) -> None:
    if found.system:
        raise Forbidden
    if found.author != actor:
        require(project, actor, Role.maintainer)


def _check_body(body: str) -> None:
    if not body.strip():
        raise Missing("body")
    if len(body) > LONGEST_NOTE:
        raise Invalid("note", f"is too long (maximum is {LONGEST_NOTE} characters)")
