"""Does the commands of one comment: all of them or none, recorded by one commit on the state branch."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from bot.errors import Permanent
from policies import naming
from policies.actions import Plan
from policies.commands import COMMANDS
from policies.commands.arguments import Known, service_named
from policies.commands.entries import note
from policies.commands.lines import Call, Mistake
from policies.commands.model import Comment, Done, Refused, Situation
from policies.commands.retry import is_persons
from policies.model import MergeRequest, Release
from policies.snapshot import Members, Question, Right, Snapshot, Unanswered
from policies.state import Hold, State, Unknown, holds_request
from policies.wording.answers import Said
from policies.wording.quote import plain
from workers import observe
from workers.conversation.hearing import Heard
from workers.conversation.label_log import held_since
from workers.hands import Hands
from workers.observe import promotions
from workers.observe.answers import answered
from workers.observe.context import Context
from workers.observe.own import own_commit
from workers.observe.people import forget
from workers.observe.validations import look_again
from workers.preview import revalidate
from workers.reconcile import look
from workers.state import record, recorded_change

Outcome = Literal["done", "refused", "seen"]
Results = tuple[Said, ...]
Calls = tuple[tuple[str, Call], ...]
"""Each line as it was written, and the call that it is."""
BY_NAME = {command.name: command for command in COMMANDS}
NOT_DONE = Done(State(), "")
"""Of a line beside one that is refused."""
RECORDING_NOTHING = frozenset({"status", "explain", "help", "retry"})
"""The commands that are done also while the state cannot be told."""
LOST = "This was recorded before; the answer to it was lost. `/status` says how things stand."
FAILED = "Towpath failed on this command; it is logged. `/status` says how things stand."


@dataclass(frozen=True, slots=True)
class Deed:
    """What became of a comment: of each of its lines, and what changed."""

    outcome: Outcome
    results: Results
    before: State = field(default_factory=State)
    after: State = field(default_factory=State)
    wakes: tuple[str, ...] = ()
    releases: frozenset[int] = frozenset()
    """The merge requests whose own hold it lifts, also one that stands by its label alone."""
    head: str = ""
    """The head of the merge request that it was done on."""


class _Denied(Exception):
    """A command is refused on the newest state, so nothing is recorded."""


def do(context: Context, hands: Hands, one: Heard, request: MergeRequest | None) -> Deed:
    """Do what a comment asks, once; raises `bot.errors` where the outside fails, and then nothing was answered."""
    head = request.head if request is not None else ""
    recorded = recorded_change(context, note(one.comment))
    if recorded is not None:
        return replace(_again(context, one, request, *recorded), head=head)
    if one.refusal:
        return Deed("refused", tuple(Said(raw, Refused(one.refusal)) for raw, _ in one.lines), head=head)
    calls = tuple((raw, line) for raw, line in one.lines if isinstance(line, Call))
    if len(calls) < len(one.lines):
        lines = (Said(raw, line if isinstance(line, Mistake) else NOT_DONE) for raw, line in one.lines)
        return Deed("refused", tuple(lines), head=head)
    return _do(_Sight(context, hands, one.comment, request), calls)


def failed(one: Heard, request: MergeRequest | None) -> Deed:
    """Of a comment on which Towpath itself failed."""
    head = request.head if request is not None else ""
    return Deed("refused", tuple(Said(raw, Refused(FAILED)) for raw, _ in one.lines), head=head)


def own_holds(state: State, request: MergeRequest) -> tuple[Hold, ...]:
    """The holds of a merge request by itself, or of what it carries."""
    name = naming.parse_branch(request.source_branch)
    carried = (name.unit, name.stage, name.release) if name is not None else ("", "", "")
    return tuple(hold for hold in state.holds if holds_request(hold, request.iid, carried))


def _again(context: Context, one: Heard, request: MergeRequest | None, before: State, after: State) -> Deed:
    """Of a comment that was recorded already: what of it still stands is shown, for that may have been lost too."""
    found = observe.base(context).state
    now = found if isinstance(found, State) else after
    new = tuple(hold for hold in after.holds if hold not in before.holds and hold in now.holds)
    results = tuple(Said(raw, Done(State(), LOST)) for raw, _ in one.lines)
    lifted = request is not None and own_holds(before, request) and not own_holds(now, request)
    releases = frozenset([request.iid] if request is not None and lifted else [])
    # What it changed may not have been looked at either.
    return Deed("done", results, after=State(holds=new), wakes=("*",), releases=releases)


@dataclass
class _Sight:
    """What the commands of one comment look at: each unit read once, with every answer that was asked for."""

    context: Context
    hands: Hands
    comment: Comment
    request: MergeRequest | None
    looked: dict[str, tuple[Snapshot, Plan]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        base = observe.base(self.context)
        self.state: State | Unknown = base.state
        self.services = tuple(base.inventory.by_service)
        self.stages = tuple(stage.name for stage in base.policy.stages)
        self.unit, self.stage, self.release = _promotion(self.context, self.request)
        self.held_since = _held_since(self.context, self.request, self.comment)

    def apply(self, call: Call, state: State) -> Done | Refused:
        """One command on one state, with whatever it asks answered."""
        command = BY_NAME[call.name]
        known = Known(self.services, self.stages, self.comment.at)
        unit = service_named(command, call, known) or self.unit
        if unit not in self.looked:
            self.looked[unit] = self._look(unit)
        while True:
            try:
                return command.apply(self._situation(unit), state, call)
            except Unanswered as missing:
                snapshot, plan = self.looked[unit]
                forget(self.context, replace(snapshot, answers=dict.fromkeys(missing.questions)))
                self.looked[unit] = (answered(self.context, snapshot, missing.questions), plan)

    def _look(self, unit: str) -> tuple[Snapshot, Plan]:
        """The unit as it is, without what is remembered of people: a command counts by the rights of just now (S6)."""
        snapshot, plan = look(self.context, unit, self.hands.clock())
        kept: dict[Question, object] = {
            one: told for one, told in snapshot.answers.items() if not isinstance(one, Members | Right)
        }
        return replace(snapshot, answers=kept), plan

    def _situation(self, unit: str) -> Situation:
        snapshot, plan = self.looked[unit]
        return Situation(
            snapshot,
            plan,
            self.comment,
            self.hands.clock(),
            self.services,
            self.request,
            self.stage,
            self.release,
            self.held_since,
        )


def _held_since(context: Context, request: MergeRequest | None, comment: Comment) -> tuple[str, datetime] | None:
    if request is None or naming.HOLD not in request.labels:
        return None
    change = held_since(context, request, comment.at)
    return (change.user.username, change.at) if change is not None else None


def _promotion(context: Context, request: MergeRequest | None) -> tuple[str, str | None, Release | None]:
    """The unit, stage and release of a promotion of Towpath's own; nothing of any other merge request."""
    name = naming.parse_branch(request.source_branch) if request is not None else None
    if request is None or name is None or not promotions.is_ours(request, context.forge.me()):
        return "", None, None
    try:
        context.mirror.ensure(request.head)
    except Permanent:  # its branch is gone, and with it the commit: the command has to name the release
        return name.unit, name.stage, None
    found = own_commit(context, request.head, name)
    return name.unit, name.stage, found[1].release if found is not None else None


def _do(sight: _Sight, calls: Calls) -> Deed:
    head = sight.request.head if sight.request is not None else ""
    if isinstance(sight.state, Unknown) and any(call.name not in RECORDING_NOTHING for _, call in calls):
        # Before anything is said of what stands in it, such as that nothing is held.
        return _unrecorded(calls, f"{sight.state.reason}. What would change it: {sight.state.change}", head)
    begun = sight.state if isinstance(sight.state, State) else State()
    results, after = _fold(sight, calls, begun)
    if _is_refused(results):
        return Deed("refused", results, head=head)
    change = _Change(sight, calls, results, begun, after)
    if after != begun:
        try:
            _record(sight, change)
        except _Denied:
            return Deed("refused", change.results, head=head)
        except Permanent as failure:
            return _unrecorded(calls, plain(str(failure)), head)
    return _done(sight, change, head)


def _done(sight: _Sight, change: "_Change", head: str) -> Deed:
    done = [one.result for one in change.results if isinstance(one.result, Done)]
    wakes = tuple(unit for one in done for unit in one.wakes)
    if wakes:
        _forget_refusals(sight)
    if any(call.name == "retry" for _, call in change.calls):
        _forget_validations(sight)
    outcome: Outcome = "seen" if any(one.seen_only for one in done) else "done"
    releases = frozenset(one.releases for one in done if one.releases is not None)
    return Deed(outcome, change.results, change.before, change.after, wakes, releases, head)


def _unrecorded(calls: Calls, why: str, head: str) -> Deed:
    refused = Refused(f"Nothing can be recorded: {why}.")
    return Deed("refused", tuple(Said(raw, refused) for raw, _ in calls), head=head)


def _fold(sight: _Sight, calls: Calls, state: State) -> tuple[Results, State]:
    """What becomes of each command on the state that those before it leave; behind one that is refused, nothing."""
    results: list[Said] = []
    for raw, call in calls:
        result = NOT_DONE if _is_refused(results) else sight.apply(call, state)
        results.append(Said(raw, result))
        state = result.state if isinstance(result, Done) else state
    return tuple(results), state


def _is_refused(results: Sequence[Said]) -> bool:
    return any(isinstance(one.result, Refused) for one in results)


@dataclass
class _Change:
    """The commands as a change of whatever state is the newest, and what came of the last time they were applied."""

    sight: _Sight
    calls: Calls
    results: Results
    before: State
    after: State

    def __call__(self, state: State) -> State:
        self.before = state
        self.results, self.after = _fold(self.sight, self.calls, state)
        if _is_refused(self.results):
            raise _Denied
        return self.after


def _record(sight: _Sight, change: _Change) -> None:
    comment, raw = sight.comment, [raw.strip() for raw, _ in change.calls]
    if comment.internal:  # not everybody who reads the branch may read the note
        raw = [f"/{call.name} in an internal note" for _, call in change.calls]
    who = f"by {comment.author.username} (id {comment.author.id})"
    body = "\n".join((*raw, "", who, comment.url))
    subject = f"@{comment.author.username}: {raw[0]}"
    record(sight.context, sight.hands, change, subject, body, note(comment), comment.at)


def _forget_refusals(sight: _Sight) -> None:
    """A person stepped in: what the forge refused before is tried again at once."""
    for snapshot, _ in sight.looked.values():
        for one in snapshot.promotions:
            sight.context.memory.delete(promotions.refusal_key(sight.context, one.request.iid, one.request.head))


def _forget_validations(sight: _Sight) -> None:
    """What validators said is said anew; a person's merge request is no unit's."""
    if is_persons(sight.request, sight.stage) and sight.request is not None:
        revalidate(sight.context, sight.request)
    for snapshot, _ in sight.looked.values():
        for one in snapshot.promotions:
            if one.validation is not None:
                look_again(sight.context.memory, one.validation.key)
