"""Merge requests: opened, edited, closed, opened again, and what a push does to them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.discussion import dismiss, mention, relabel, system_note
from bot.sandbox.errors import Contradiction, Duplicate, Invalid, NotFound
from bot.sandbox.model import (
    Checked,
    MergeRequest,
    Project,
    RequestChanged,
    RequestState,
    Role,
    Thread,
    User,
    Version,
)
from bot.sandbox.state import State, require, require_code, role

LONGEST_TITLE = 255
LONGEST_DESCRIPTION = 1_048_576


@dataclass(frozen=True, slots=True)
class Opening:
    """A merge request to be opened."""

    source_branch: str
    target_branch: str
    title: str
    description: str = ""
    labels: tuple[str, ...] = ()
    squash: bool = False
    remove_source_branch: bool = False
    draft: bool = False
    """A draft whatever its title says (GitHub)."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What to change of a merge request; None leaves a thing as it is."""

    title: str | None = None
    description: str | None = None
    target_branch: str | None = None
    labels: tuple[str, ...] | None = None
    add_labels: tuple[str, ...] = ()
    remove_labels: tuple[str, ...] = ()
    state_event: str | None = None
    squash: bool | None = None
    remove_source_branch: bool | None = None


def find(project: Project, iid: int | str, viewer: User | None) -> MergeRequest:
    """The merge request of that number. NotFound for who may not read the code."""
    require_code(project, viewer)
    number = int(iid) if str(iid).isdecimal() else 0
    if number not in project.requests:
        raise NotFound
    return project.requests[number]


def next_number(state: State, project: Project, row: Iterable[int]) -> int:
    """The number of the next merge request or issue, after those of its own row or of both."""
    taken = [*project.requests, *project.issues] if state.one_row else row
    return max(taken, default=0) + 1


def open_request(state: State, project: Project, author: User, wanted: Opening) -> MergeRequest:
    """Open one. Conflict where one is open from the same branch to the same; Invalid where it makes no sense."""
    require(project, author, Role.developer)
    check_texts(wanted.title, wanted.description)
    _check_branches(project, wanted)
    now, iid = state.clock(), next_number(state, project, project.requests)
    made = MergeRequest(
        id=state.number("request"),
        iid=iid,
        author=author,
        source_branch=wanted.source_branch,
        target_branch=wanted.target_branch,
        title=wanted.title,
        description=wanted.description,
        created_at=now,
        updated_at=now,
        squash=wanted.squash,
        remove_source_branch=wanted.remove_source_branch,
        drafted=wanted.draft,
    )
    project.requests[iid] = made
    _uncheck(state, made)
    _add_version(state, project, made, project.git.heads()[made.source_branch])
    relabel(state, project, made, author, wanted.labels)
    mention(state, project, made, author, made.description)
    state.tell(RequestChanged(project, made, author, "open"))
    return made


def edit(state: State, project: Project, request: MergeRequest, actor: User, wanted: Edit) -> None:
    """Change what is asked for, and close or reopen. Only its author, or a Developer, may."""
    if actor != request.author or role(project, actor) < Role.reporter:
        require(project, actor, Role.developer)
    changes = _edit_texts(request, wanted)
    if wanted.target_branch is not None and wanted.target_branch != request.target_branch:
        changes["target_branch"] = _retarget(state, project, request, actor, wanted.target_branch)
    labels = new_labels(request, wanted)
    if labels != request.labels:
        changes["labels"] = (tuple(request.labels), tuple(labels))
        relabel(state, project, request, actor, labels)
    if changes:
        touch(state, request)
        mention(state, project, request, actor, wanted.description or "")
    if wanted.state_event == "close":
        close(state, project, request, actor, changes)
    elif wanted.state_event == "reopen":
        reopen(state, project, request, actor, changes)
    elif changes:
        state.tell(RequestChanged(project, request, actor, "update", changes))


def close(
    state: State, project: Project, request: MergeRequest, actor: User, changes: Mapping[str, tuple[object, object]]
) -> None:
    """Close it unmerged; one that is not open is left as it is, as GitLab does."""
    if request.state is not RequestState.opened:
        return
    request.state, request.closed_at, request.closed_by = RequestState.closed, touch(state, request), actor
    system_note(state, request, actor, "closed")
    state.tell(RequestChanged(project, request, actor, "close", changes))


def reopen(
    state: State, project: Project, request: MergeRequest, actor: User, changes: Mapping[str, tuple[object, object]]
) -> None:
    """Open a closed one again, at its branch's present head; Conflict where another is open for the branch."""
    if request.state is not RequestState.closed:
        return
    head = project.git.head(request.source_branch)
    if head is None:
        raise Invalid("source_branch", f'Source branch "{request.source_branch}" does not exist')
    _check_alone(project, request.source_branch, request.target_branch)
    request.state, request.closed_at, request.closed_by = RequestState.opened, None, None
    touch(state, request)
    if head != request.head:
        _add_version(state, project, request, head)
    _uncheck(state, request)
    system_note(state, request, actor, "reopened")
    state.tell(RequestChanged(project, request, actor, "reopen", changes))


def touch(state: State, request: MergeRequest) -> datetime:
    """Note that it changed now."""
    request.updated_at = state.clock()
    return request.updated_at


def moved_source(state: State, project: Project, request: MergeRequest, head: str | None, actor: User) -> None:
    """A push to its branch: a new version, perhaps without the approvals. A deleted branch leaves the last one."""
    _uncheck(state, request)
    if head is None or head == request.head:
        return
    before = request.head
    _add_version(state, project, request, head)
    now = touch(state, request)
    added = len(project.git.log(head, before))
    system_note(state, request, actor, f"added {added} commit{'' if added == 1 else 's'}")
    reset = request.standing_approvals() if project.settings.reset_approvals_on_push else []
    dismiss(state, project, request, actor, reset)
    for approval in reset:
        approval.withdrawn_at, approval.reset = now, True
    state.tell(RequestChanged(project, request, actor, "update", oldrev=before))
    if reset:
        state.tell(RequestChanged(project, request, actor, "unapproved", system_action="approvals_reset_on_push"))


def moved_target(
    state: State, project: Project, request: MergeRequest, move: tuple[str | None, str | None], actor: User
) -> None:
    """A push to its target: merged by that push where it brought the head in, else to be checked again."""
    old, new = move
    _uncheck(state, request)
    if new is None or old is None or not project.git.is_ancestor(request.head, new):
        return
    if project.git.is_ancestor(request.head, old):  # it had nothing of its own
        return
    brought = [commit for commit in project.git.log(new, old) if request.head in commit.parents[1:]]
    request.merge_commit = brought[-1].sha if brought else request.head
    land(state, project, request, actor)


def land(state: State, project: Project, request: MergeRequest, actor: User) -> None:
    """Note that it is merged."""
    request.state, request.merged_by = RequestState.merged, actor
    request.merged_at = touch(state, request)
    request.checked, request.reads_until_checked = Checked.can, 0
    system_note(state, request, actor, "merged")
    state.tell(RequestChanged(project, request, actor, "merge"))


def _uncheck(state: State, request: MergeRequest) -> None:
    request.checked, request.reads_until_checked = Checked.unchecked, state.checking_reads


def _add_version(state: State, project: Project, request: MergeRequest, head: str) -> None:
    start = project.git.heads().get(request.target_branch, head)
    base = project.git.merge_base(start, head) or start
    request.versions.append(Version(state.number("version"), head, base, start, state.clock()))
    project.git.keep(f"merge-requests/{request.iid}/head", head)


def check_texts(title: str, description: str) -> None:
    """Invalid without a title, or over the limits."""
    if not title.strip():
        raise Invalid("title", "can't be blank")
    if len(title) > LONGEST_TITLE:
        raise Invalid("title", f"is too long (maximum is {LONGEST_TITLE} characters)")
    if len(description) > LONGEST_DESCRIPTION:
        raise Invalid("description", f"is too long (maximum is {LONGEST_DESCRIPTION} characters)")


def _check_branches(project: Project, wanted: Opening) -> None:
    if wanted.source_branch == wanted.target_branch:
        raise Contradiction("You can't use same project/branch for source and target")
    for side, branch in (("source", wanted.source_branch), ("target", wanted.target_branch)):
        if project.git.head(branch) is None:
            raise Invalid(f"{side}_branch", f'{side.capitalize()} branch "{branch}" does not exist')
    _check_alone(project, wanted.source_branch, wanted.target_branch)


def _check_alone(project: Project, source: str, target: str) -> None:
    for other in project.requests.values():
        same = (other.source_branch, other.target_branch) == (source, target)
        if same and other.state is RequestState.opened:
            raise Duplicate(f"Another open merge request already exists for this source branch: !{other.iid}")


def _edit_texts(request: MergeRequest, wanted: Edit) -> dict[str, tuple[object, object]]:
    changes: dict[str, tuple[object, object]] = {}
    check_texts(wanted.title if wanted.title is not None else request.title, wanted.description or "")
    if wanted.title is not None and wanted.title != request.title:
        changes["title"] = (request.title, wanted.title)
        request.title = wanted.title
    if wanted.description is not None and wanted.description != request.description:
        changes["description"] = (request.description, wanted.description)
        request.description = wanted.description
    if wanted.squash is not None:
        request.squash = wanted.squash
    if wanted.remove_source_branch is not None:
        request.remove_source_branch = wanted.remove_source_branch
    return changes


def _retarget(state: State, project: Project, request: MergeRequest, actor: User, branch: str) -> tuple[object, object]:
    if project.git.head(branch) is None:
        raise Invalid("target_branch", f'Target branch "{branch}" does not exist')
    if request.state is RequestState.opened:
        _check_alone(project, request.source_branch, branch)
    before, request.target_branch = request.target_branch, branch
    system_note(state, request, actor, f"changed target branch from `{before}` to `{branch}`")
    _add_version(state, project, request, request.head)
    _uncheck(state, request)
    return before, branch


def new_labels(thread: Thread, wanted: Edit) -> Sequence[str]:
    """The labels that it has afterwards."""
    base = list(thread.labels if wanted.labels is None else wanted.labels)
    kept = [label for label in base if label not in wanted.remove_labels]
    return [*kept, *(label for label in dict.fromkeys(wanted.add_labels) if label not in kept)]
