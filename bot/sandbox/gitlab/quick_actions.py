"""GitLab's quick actions: lines of a new note that GitLab takes out and obeys itself.

GitLab knows a command by its name alone (`QuickActions::Extractor`), so that its line is taken out of any note, also
where the command can do nothing. A note of nothing else is not kept: 202 where something was done, else 400."""

import re
from dataclasses import dataclass, field

from bot.sandbox import discussion, merging, requests
from bot.sandbox.errors import Invalid, Refused
from bot.sandbox.issues import edit_issue
from bot.sandbox.model import Issue, Note, Project, RequestState, Thread, User
from bot.sandbox.requests import Edit
from bot.sandbox.state import State

COMMAND = re.compile(r"/(?P<name>merge|close|label|unlabel|promote)(?: (?P<rest>.*))?\s*", re.IGNORECASE)
FENCE = re.compile(r" {0,3}(?P<mark>`{3,}|~{3,})")
LABEL = re.compile(r'~(?:"(?P<quoted>[^"]+)"|(?P<plain>\S+))')


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody wrote, and the head that they saw: without it GitLab's `/merge` does nothing."""

    comment: discussion.Comment
    head: str | None = None


@dataclass(slots=True)
class Outcome:
    """What was changed, what GitLab says of it, and which commands could do nothing."""

    changes: dict[str, object] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def say(state: State, project: Project, thread: Thread, actor: User, said: Said) -> tuple[Note | None, Outcome]:
    """Write what is left of it, then obey; no note where nothing is left. Invalid where that did nothing either."""
    left, commands = split(said.comment.body)
    made = None
    if left.strip() or not commands:
        comment = discussion.Comment(left, said.comment.internal)
        made = discussion.add_note(state, project, thread, actor, comment)
    outcome = Outcome()
    for name, rest in commands:
        _obey(state, project, thread, (actor, said.head), (name, rest, outcome))
    if made is None and outcome.failed and not outcome.messages:
        raise Invalid("", f"400 Bad request - Could not apply {', '.join(outcome.failed)} command.")
    return made, outcome


def split(text: str) -> tuple[str, list[tuple[str, str]]]:
    """The text without GitLab's commands, and these with what follows their names; none within code blocks."""
    kept, commands, fence = [], list[tuple[str, str]](), ""
    for line in text.replace("\r", "").split("\n"):
        mark = FENCE.match(line)
        if mark and (not fence or mark["mark"].startswith(fence)):
            fence = "" if fence else mark["mark"]
        found = COMMAND.fullmatch(line) if not fence else None
        if found:
            commands.append((found["name"].lower(), found["rest"] or ""))
        else:
            kept.append(line)
    return ("\n".join(kept).rstrip() if commands else text), commands


def _obey(
    state: State, project: Project, thread: Thread, who: tuple[User, str | None], what: tuple[str, str, Outcome]
) -> None:
    (actor, head), (name, rest, outcome) = who, what
    try:
        if name == "merge":
            _merge(state, project, thread, actor, head)
            outcome.changes["merge"] = head
        elif name == "close":
            _edit(state, project, thread, actor, Edit(state_event="close"))
            outcome.changes["state_event"] = "close"
        elif name in ("label", "unlabel"):
            _label(state, project, thread, actor, (name, rest))
        elif not isinstance(thread, Issue):
            raise Refused("only issues are promoted")  # in the sandbox not even they
        outcome.messages.append(f"Applied {name} command.")
    except Refused:
        outcome.failed.append(name)


def _merge(state: State, project: Project, thread: Thread, actor: User, head: str | None) -> None:
    if isinstance(thread, Issue) or head is None:
        raise Refused("nothing to merge, or no head")
    merging.merge(state, project, thread, actor, merging.Merging(sha=head))


def _label(state: State, project: Project, thread: Thread, actor: User, what: tuple[str, str]) -> None:
    """Only labels that the project has; `/unlabel` alone takes all off."""
    name, rest = what
    named = tuple(one["quoted"] or one["plain"] for one in LABEL.finditer(rest))
    known = tuple(one for one in named if one in project.labels)
    if not known and (rest or name == "label"):
        raise Refused("no such label")
    removed = Edit(remove_labels=known or tuple(thread.labels))
    _edit(state, project, thread, actor, Edit(add_labels=known) if name == "label" else removed)


def _edit(state: State, project: Project, thread: Thread, actor: User, wanted: Edit) -> None:
    if wanted.state_event and thread.state is not RequestState.opened:
        raise Refused("it is not open")
    if isinstance(thread, Issue):
        edit_issue(state, project, thread, actor, wanted)
    else:
        requests.edit(state, project, thread, actor, wanted)
