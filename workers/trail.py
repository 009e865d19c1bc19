"""The trail of every target: each change of the target branch, read from Git and checked with the forge.

Reads alone. The forge is asked only of what is shown, each merge request once; Redis is not needed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from bot.errors import OutsideError, Permanent
from bot.memory import Forgetful
from policies import layout, naming, trailers
from policies.config import Stage
from policies.history import Change, Entry, Known, Pinned, Step, pinned, reckoned, told
from policies.model import MergeRequest, MergeRequestState, Pin, Trouble
from policies.trailers import Record
from workers.observe import Base, base
from workers.observe.context import Context
from workers.observe.own import FAR_DOWN
from workers.world import World

MOST_STEPS = 50_000
"""First-parent commits that are looked through; what is older is said to be left out."""
MOST_HINTS = 3
_HINT = re.compile(r"[!#](\d{1,9})\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know; `at` asks for what was pinned at that moment instead of each change."""

    service: str | None = None
    stage: str | None = None
    since: datetime | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The answer of one config repository, newest first; `unread` says what could not be told."""

    forge: str
    repository: str
    entries: tuple[Entry, ...] = ()
    services: frozenset[str] = frozenset()
    """Every service that was seen."""
    stages: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


def trails(world: World, asked: Asked) -> tuple[Found, ...]:
    """Every config repository; one that cannot be read stops no other."""
    return tuple(_trail_or_why(world, forge, repository, asked) for forge, repository in world.repositories())


def _trail_or_why(world: World, forge: str, repository: str, asked: Asked) -> Found:
    try:
        context = replace(world.context(forge, repository), memory=Forgetful())
        return trail(context, asked, world.clock())
    except OutsideError as failure:
        return Found(forge, repository, unread=(str(failure),))


def trail(context: Context, asked: Asked, now: datetime) -> Found:
    """What one config repository tells. Raises `bot.errors` where it cannot be read."""
    at_head = base(context)
    chain = _chain(context, at_head.head)
    steps = tuple(_steps(context, chain[::-1]))
    walk = _Walk(context, at_head, asked, steps, reckoned(steps, now))
    entries = tuple(walk.changes_since() if asked.at is None else walk.pinned_at(asked.at))
    names = tuple(stage.name for stage in at_head.policy.ordered())
    return Found(context.forge.name, context.repository, entries, frozenset(walk.services), names, tuple(walk.unread))


def _chain(context: Context, head: str) -> list[tuple[str, tuple[str, ...]]]:
    """The first-parent commits with their parents, newest first."""
    chain: list[tuple[str, tuple[str, ...]]] = []
    commit = head
    while len(chain) < MOST_STEPS:
        parents = context.mirror.parents(commit)
        chain.append((commit, parents))
        if not parents:
            break
        commit = parents[0]
    return chain


def _steps(context: Context, chain: list[tuple[str, tuple[str, ...]]]) -> Iterator[Step]:
    """Oldest first, because a seal is believed where it stands first: a copy of a message is no evidence."""
    seals: dict[str, str] = {}
    for commit, parents in chain:
        message = context.mirror.message(commit)
        # The first entry of a history is the commit itself.
        at = context.mirror.history(commit, (), 1)[0].at
        hints = tuple(dict.fromkeys(int(number) for number in _HINT.findall(message)))[:MOST_HINTS]
        step = Step(commit, parents, at, hints=hints)
        record = trailers.unsealed(message, context.seal_keys)
        if record is None:
            yield step
            continue
        first = seals.setdefault(trailers.seal(message), commit)
        if first != commit:
            yield replace(step, copied_from=first)
        elif record.request is not None or record.approvers:
            yield replace(step, merge=record)
        else:
            yield replace(step, proposal=record)


@dataclass
class _Walk:
    """One walk over the steps of a repository, from the newest down."""

    context: Context
    at_head: Base
    asked: Asked
    steps: tuple[Step, ...]
    times: tuple[datetime, ...]
    services: set[str] = field(default_factory=set)
    unread: list[str] = field(default_factory=list)
    _stages: tuple[Stage, ...] = ()
    _requests: dict[int, MergeRequest | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.services |= set(self.at_head.inventory.by_service)
        self._stages = tuple(self.at_head.policy.ordered())

    def changes_since(self) -> Iterator[Entry]:
        """Each change, newest first."""
        for step, at in zip(reversed(self.steps), reversed(self.times), strict=True):
            if self.asked.since is not None and at < self.asked.since:
                return
            yield from self._entries(step, list(self._changes(step)))
        if self.steps[0].parents:
            self.unread.append(f"what is further back than the newest {MOST_STEPS} commits")

    def pinned_at(self, moment: datetime) -> Iterator[Entry]:
        """For each target that there was, the change by which it pinned what it did."""
        below = [step for step, at in zip(self.steps, self.times, strict=True) if at <= moment]
        sought = set(self._places(below[-1].commit)) if below else set()
        for step in reversed(below):
            if not sought:
                return
            changes = [one for one in self._changes(step) if (one.path, one.image) in sought]
            for entry in self._entries(step, changes):
                if entry.at_by_forge and entry.at > moment:
                    continue  # it came later than its commit says
                sought.discard((entry.change.path, entry.change.image))
                if entry.change.new is not None:
                    yield entry
        self.unread += [f"how {path} came to pin {image} is further back" for path, image in sorted(sought)]

    def _places(self, commit: str) -> Iterator[tuple[str, str]]:
        for path, blob in self.context.mirror.files(commit):
            if self._selected(path):
                yield from ((path, image) for image in self._pins(blob))

    # What changed.

    def _changes(self, step: Step) -> Iterator[Change]:
        for path in self._paths(step):
            selected = self._selected(path)
            if selected is None:
                continue
            service, stages = selected
            before, after = (self._pins_at(commit, path) for commit in (step.parents[:1], (step.commit,)))
            for image in sorted({*before, *after} - {""}):
                old, new = (found.get(image, found.get("")) for found in (before, after))
                if old != new:
                    yield Change(service, stages, path, image, old, new)

    def _paths(self, step: Step) -> tuple[str, ...]:
        mirror = self.context.mirror
        if not step.parents:
            return tuple(path for path, _ in mirror.files(step.commit))
        return mirror.changed(step.parents[0], step.commit)

    def _selected(self, path: str) -> tuple[str, tuple[Stage, ...]] | None:
        """The service and the stages of a path by today's policy, where somebody asks for them."""
        where = layout.capture(self.at_head.policy.services.path, path)
        stages = tuple(one for one in self._stages if where is not None and layout.selected(one.where, where))
        if where is None or not stages:
            return None
        service = where["service"]
        self.services.add(service)
        wanted = self.asked.stage is None or any(one.name == self.asked.stage for one in stages)
        return (service, stages) if wanted and self.asked.service in (None, service) else None

    def _pins_at(self, commits: tuple[str, ...], path: str) -> dict[str, Pinned]:
        blob = self.context.mirror.blob_id(commits[0], path) if commits else None
        return {} if blob is None else self._pins(blob)

    def _pins(self, blob: str) -> dict[str, Pinned]:
        """Image to what is pinned; where the file cannot be read, the empty name stands for every image."""
        found = self.context.parsed(self.at_head.policy.services, blob)
        if isinstance(found, Trouble):
            return {"": Pinned(unreadable=True)}
        by_image: dict[str, list[Pin]] = {}
        for pin in found:
            if self.at_head.inventory.wanted(pin.repository):
                by_image.setdefault(pin.repository, []).append(pin)
        said = ((image, pinned(pins)) for image, pins in by_image.items())
        return {image: one for image, one in said if one is not None}

    # What the forge knows.

    def _entries(self, step: Step, changes: list[Change]) -> Iterator[Entry]:
        if changes:
            step, known = self._known(step)
            yield from (told(step, change, known) for change in changes)

    def _known(self, step: Step) -> tuple[Step, Known]:
        if step.merge is not None and step.merge.request is not None:
            return step, self._of(self._request(step.merge.request), step)
        merged = _merged_by(self.context, step)
        record = step.merge or step.proposal or merged
        if merged is not None and step.merge is None and not step.copied_from:
            step = replace(step, proposal=merged)
        if record is not None:
            return step, self._of(self._of_proposal(step, record), step)
        return self._hinted(step)

    def _of(self, request: MergeRequest | None, step: Step) -> Known:
        if request is None:
            return Known(gone=True)
        merger, me = request.merged_by, self.context.forge.me()
        mine = merger is not None and merger.id == me.id and request.merge_commit in (step.commit, *step.parents[1:])
        try:
            reviews = tuple(self.context.forge.reviews(self.context.repository, request.iid))
        except Permanent:
            reviews = ()
        return Known(request, reviews, by_towpath=mine)

    def _request(self, iid: int) -> MergeRequest | None:
        if iid not in self._requests:
            try:
                self._requests[iid] = self.context.forge.request(self.context.repository, iid)
            except Permanent:
                self._requests[iid] = None
        return self._requests[iid]

    def _of_proposal(self, step: Step, record: Record) -> MergeRequest | None:
        """The merge request of a promotion, by its branch: the one that this commit merged, else the newest."""
        found: list[MergeRequest] = []
        for number in count(1):
            name = naming.BranchName(record.stage, record.unit, record.release.name, number)
            requests = self.context.forge.requests_from(self.context.repository, naming.branch(name))
            found += (one for one in requests if one.same_project)
            if not requests:
                break
        merged = (one for one in found if one.merge_commit in (step.commit, *step.parents[1:]))
        listed = next(merged, found[-1] if found else None)
        # A list may tell less of each than the forge does of one alone, such as who merged it.
        return self._request(listed.iid) if listed is not None else None

    def _hinted(self, step: Step) -> tuple[Step, Known]:
        """The merge request that the message speaks of, where the forge agrees that this commit merged it."""
        for iid in step.hints:
            request = self._request(iid)
            if request is None or request.state is not MergeRequestState.merged:
                continue
            if request.merge_commit in (step.commit, *step.parents[1:]):
                record = self._proposed(request) if not step.copied_from else None
                return replace(step, proposal=record), self._of(request, step)
        return step, Known()

    def _proposed(self, request: MergeRequest) -> Record | None:
        """What Towpath's own commit says, where the head of a merge request is one."""
        if not self.context.mirror.has(request.head):
            return None
        return trailers.unsealed(self.context.mirror.message(request.head), self.context.seal_keys)


def _merged_by(context: Context, step: Step) -> Record | None:
    """Towpath's own commit among those that a merge brought in."""
    if len(step.parents) < 2:
        return None
    commits = context.mirror.log(step.parents[0], step.parents[1], FAR_DOWN)
    records = (trailers.unsealed(context.mirror.message(commit), context.seal_keys) for commit in commits)
    return next((record for record in records if record is not None), None)
