"""From what happened to the units that it may concern: each kind of work, and the sweep that needs no event at all."""

import difflib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

import structlog

from bot.errors import OutsideError, Permanent, RateLimited
from bot.memory import Answer
from bot.pending import Work
from policies import layout, naming
from policies.codeowners import LOCATIONS
from policies.loosening import loosened
from policies.model import MergeRequest, MergeRequestState, Sighting, Trouble
from policies.wording.quote import one_line
from workers import observe
from workers.conversation import Spoken, converse, converse_on_issue
from workers.conversation.hearing import FORGOTTEN
from workers.hands import Hands
from workers.observe.context import Context
from workers.observe.policy import FAR_BACK, in_force
from workers.observe.promotions import is_ours
from workers.preview import is_unseen, outdated, preview
from workers.pushes import pushed
from workers.recovery import recover_lately
from workers.world import World

log = structlog.get_logger(__name__)

OVERLAP = timedelta(minutes=5)
"""How far a sweep looks back before the one before it: clocks differ, and forges write late."""


def route_image(world: World, image: str, now: datetime) -> None:
    """An image was published: mark the units that pin it, or say that none does."""
    pinned: set[str] = set()
    troubles: list[Trouble] = []
    found = False

    def route(context: Context) -> None:
        nonlocal found
        base = observe.base(context)
        format_ = context.formats[base.policy.services.format]
        units = context.inventories.services_pinning(context.mirror, base.inventory, format_, [image])
        _mark_units(world, context, units, now, f"image {image}")
        found = found or bool(units)
        if not units:
            paths = tuple(base.inventory.files)
            pinned.update(context.inventories.images(context.mirror, base.inventory, format_, paths))
            troubles.extend(_unreadable(context, base))

    failure = _each(world, route)
    if found:
        digests = [sighting.image.digest for sighting in world.pending.sightings(image)]
        world.memory.forget_answers(image, digests)
    elif failure is None:
        _answer_unpinned(world, image, pinned, troubles)
    if failure is not None:
        raise failure


def _each(world: World, do: Callable[[Context], None]) -> OutsideError | None:
    """Do something with every repository, also behind one that fails (R11); the first failure."""
    first: OutsideError | None = None
    for forge, repository in world.repositories():
        try:
            _unless_limited(world, forge)
            do(world.context(forge, repository))
        except OutsideError as error:
            log.warning("repository passed over", forge=forge, repository=repository, why=str(error))
            first = first or error
            if isinstance(error, RateLimited):
                world.memory.set(f"limited:{forge}", error.retry_at.isoformat(), 3600)
    return first


def _unless_limited(world: World, forge: str) -> None:
    """Pass over a forge that asked to wait (R6), though the other forges' news keep waking this work."""
    until = world.memory.get(f"limited:{forge}")
    if until is not None and datetime.fromisoformat(until) > world.clock():
        raise RateLimited("ask", forge, datetime.fromisoformat(until))


def _unreadable(context: Context, base: observe.Base) -> list[Trouble]:
    parsed = ((path, context.parsed(base.policy.services, blob)) for path, blob in base.inventory.files.items())
    return [replace(found, path=path) for path, found in parsed if isinstance(found, Trouble)]


def _answer_unpinned(world: World, image: str, pinned: set[str], troubles: list[Trouble]) -> None:
    nearest = difflib.get_close_matches(image, sorted(pinned), n=1)
    hint = f"; the nearest that is pinned is {nearest[0]}" if nearest else ""
    text = f"{_not_found(image, troubles)}{hint}"
    log.warning("image not pinned", image=image, nearest=nearest[:1], unreadable=len(troubles))
    for sighting in _fresh(world.pending.sightings(image)):
        world.memory.note_answer(image, sighting.image.digest, Answer("refused", "", "", text, ""))


def _not_found(image: str, troubles: list[Trouble]) -> str:
    """A file that cannot be read may pin it: nobody is told that none does."""
    if not troubles:
        return f"no service pins {image}"
    first, *others = troubles
    place = f"{first.path}:{first.line}" if first.line else first.path
    more = f" (and {len(others)} more)" if others else ""
    return f"no file that can be read pins {image}; {one_line(place)} cannot: {one_line(first.reason)}{more}"


def _fresh(sightings: tuple[Sighting, ...]) -> tuple[Sighting, ...]:
    return sightings[:5]


def route_repository(world: World, forge: str, repository: str, now: datetime) -> None:
    """The target branch may have moved: mark the units whose files changed since it was last looked at."""
    context = world.context(forge, repository)
    base = observe.base(context)
    key = f"head:{context.subject}"
    last = world.memory.get(key)
    units = _changed_units(context, base, last)
    _alarm_when_looser(context, base, last)
    _mark_requests(world, context, outdated(context, last, base.head), now, "policy")
    _mark_push(world, context, base, last, now)
    _mark_units(world, context, units, now, f"push {base.head[:12]}")
    if base.faults:
        log.error("policy unusable, going on with the last good one", faults=[fault.message for fault in base.faults])
    world.memory.set(key, base.head, 30 * 24 * 3600)


def _mark_push(world: World, context: Context, base: observe.Base, last: str | None, now: datetime) -> None:
    """What people brought into the target branch is validated, though it is there already."""
    if last is None or last == base.head or not context.mirror.has(last):
        return
    work = pushed(context, base.policy, last, base.head)
    if work is not None:
        world.pending.mark([work], now.timestamp(), cause=f"push {base.head[:12]}")


def _alarm_when_looser(context: Context, base: observe.Base, last: str | None) -> None:
    """Say loudly that a policy that asks less came into force (S22), commit by commit: it may be put back in one push.

    On its merge request it was told before."""
    mirror = context.mirror
    if last is None or last == base.head or not mirror.has(last):
        return
    rules = (observe.POLICY_FILE, *LOCATIONS[context.forge.kind])
    found = (entry.commit for entry in mirror.history(base.head, rules, FAR_BACK))
    for commit in reversed(list(takewhile(lambda one: not mirror.is_ancestor(one, last), found))):
        for before in mirror.parents(commit)[:1]:
            _alarm_of_looser(context, before, commit)


def _alarm_of_looser(context: Context, last: str, commit: str) -> None:
    """What was in force before counts: a broken policy in between changes nothing in that."""
    rules = (observe.POLICY_FILE, *LOCATIONS[context.forge.kind])
    changed = [path for path in context.mirror.changed(last, commit) if path in rules]
    if not changed:
        return
    try:
        before = in_force(context.mirror, last, context.subject).policy
    except Permanent:
        return  # there was none yet
    less = loosened(before, in_force(context.mirror, commit, context.subject).policy)
    if less:
        log.critical("policy loosened", commit=commit, since=last, what=list(less))
    owners = [path for path in changed if path != observe.POLICY_FILE]
    if owners and any(stage.approvals is not None for stage in before.stages):
        what = "CODEOWNERS changed: who owns what is another question after it"
        log.critical("code owners changed", commit=commit, since=last, paths=owners, what=what)


def _changed_units(context: Context, base: observe.Base, last: str | None) -> tuple[str, ...]:
    if last == base.head:
        return ()
    if last is None or not context.mirror.has(last):
        return tuple(base.inventory.by_service)
    changed = context.mirror.changed(last, base.head)
    if observe.POLICY_FILE in changed:
        return tuple(base.inventory.by_service)
    captured = (base.inventory.captured(path).get("service") for path in changed)
    return tuple(dict.fromkeys(service for service in captured if service))


def route_branch(world: World, forge: str, repository: str, branch: str, now: datetime) -> None:
    """Something about a promotion's branch or merge request changed: its name says which unit it is of."""
    context = world.context(forge, repository)
    name = naming.parse_branch(branch)
    if name is not None:
        _mark_units(world, context, (name.unit,), now, branch)


def route_request(world: World, hands: Hands, forge: str, repository: str, iid: int) -> datetime | None:
    """A merge request changed: hear what is said on it, and mark its unit, or look at what a person proposes.

    Tells when it is due again, if it is."""
    context = world.context(forge, repository)
    request = _request(context, iid)
    if request is None:
        return None
    name, again = naming.parse_branch(request.source_branch), None
    if name is None:
        again = preview(context, request, hands.clock())
    else:
        _mark_units(world, context, (name.unit,), hands.clock(), f"!{iid}")
    _go_on(world, context, converse(context, hands, request), hands.clock(), f"!{iid}")
    return again


def route_issue(world: World, hands: Hands, forge: str, repository: str, iid: int) -> None:
    """Somebody wrote on an issue: hear what is said, where it is a control issue."""
    context = world.context(forge, repository)
    _go_on(world, context, converse_on_issue(context, hands, iid), hands.clock(), f"#{iid}")


def _go_on(world: World, context: Context, spoken: Spoken, now: datetime, cause: str) -> None:
    """Wake what the commands concern, also where one of them is to be tried again."""
    _wake(world, context, spoken.wakes, now, cause)
    if spoken.failure is not None:
        raise spoken.failure


def _wake(world: World, context: Context, units: tuple[str, ...], now: datetime, cause: str) -> None:
    """Mark the units that a command concerns; `*` is all of them."""
    if "*" in units:
        units = tuple(observe.base(context).inventory.by_service)
    _mark_units(world, context, units, now, cause)


def _request(context: Context, iid: int) -> MergeRequest | None:
    """The merge request; None where the forge knows the repository and not it: it is gone, and so is the work."""
    try:
        return context.forge.request(context.repository, iid)
    except Permanent as refusal:
        # What the forge refuses altogether, such as a wrong token, is refused here too, and tried again.
        context.forge.head(context.repository, context.forge.default_branch(context.repository))
        log.warning("merge request is gone", repository=context.subject, mr=iid, why=refusal.cause)
        return None


def sweep(world: World, now: datetime) -> None:
    """Look at everything that may have been missed, as if no event had ever come (R4)."""
    failure = _each(world, lambda context: _sweep(world, context, now))
    recover_lately(world, now)
    if failure is not None:
        raise failure


def _sweep(world: World, context: Context, now: datetime) -> None:
    branches = context.mirror.fetch()
    route_repository(world, context.forge.name, context.repository, now)
    key = f"swept:{context.subject}"
    last = world.memory.get(key)
    since = datetime.fromisoformat(last) - OVERLAP if last else datetime.fromtimestamp(0, UTC)
    requests = context.forge.updated_requests(context.repository, since)
    names = [*(request.source_branch for request in requests), *(branches if last is None else ())]
    units = {name.unit for text in names if (name := naming.parse_branch(text)) is not None}
    _mark_units(world, context, tuple(sorted(units)), now, "sweep")
    _relabel(context, requests)
    _mark_unseen(world, context, requests, now)
    _mark_spoken(world, context, requests, max(since, now - FORGOTTEN), now)
    world.memory.set(key, now.isoformat(), 30 * 24 * 3600)


def _mark_unseen(world: World, context: Context, requests: Sequence[MergeRequest], now: datetime) -> None:
    """People's open merge requests without the status that they may need, where a webhook was lost (R4)."""
    _mark_requests(world, context, [request for request in requests if is_unseen(context, request)], now, "sweep")


def _mark_requests(world: World, context: Context, requests: Sequence[MergeRequest], now: datetime, cause: str) -> None:
    """Those of these that are people's own."""
    own = [request for request in requests if naming.parse_branch(request.source_branch) is None]
    works: list[Work] = [("request", context.forge.name, context.repository, str(request.iid)) for request in own]
    if works:
        world.pending.mark(works, now.timestamp(), cause=cause)


def _mark_spoken(
    world: World, context: Context, requests: Sequence[MergeRequest], since: datetime, now: datetime
) -> None:
    """Threads on which something may have been said that no webhook told of."""
    place = (context.forge.name, context.repository)
    works: list[Work] = [("request", *place, str(one.iid)) for one in requests if one.updated_at >= since]
    issues = context.forge.issues(context.repository, naming.CONTROL, since)
    works += [("issue", *place, str(issue.iid)) for issue in issues]
    if works:
        world.pending.mark(works, now.timestamp(), cause="sweep")


def _relabel(context: Context, requests: Sequence[MergeRequest]) -> None:
    """Put back the labels that somebody took off an open promotion: by them it is found among the open ones."""
    me = context.forge.me()
    for request in requests:
        name = naming.parse_branch(request.source_branch)
        if name is None or request.state is not MergeRequestState.opened or not is_ours(request, me):
            continue
        missing = [label for label in (naming.LABEL, naming.label(name.unit)) if label not in request.labels]
        if missing:
            _label(context, request, missing)


def _label(context: Context, request: MergeRequest, labels: list[str]) -> None:
    try:
        context.forge.label(context.repository, request.iid, labels)
    except OutsideError as error:
        # One that cannot be labelled must not keep the sweep from its end: the next one tries again.
        log.warning("not labelled", mr=request.iid, why=str(error))


def _mark_units(world: World, context: Context, found: tuple[str, ...], now: datetime, cause: str) -> None:
    units = tuple(unit for unit in found if layout.is_utf8(unit))
    if len(units) < len(found):
        _tell_unnamed(world, context, tuple(unit for unit in found if not layout.is_utf8(unit)))
    if units:
        works: list[Work] = [("unit", context.forge.name, context.repository, unit) for unit in units]
        world.pending.mark(works, now.timestamp(), cause=cause)
        log.info("marked", units=list(units[:20]), count=len(units), cause=cause)


def _tell_unnamed(world: World, context: Context, units: tuple[str, ...]) -> None:
    """Services that nothing can be told of, once a day."""
    key = f"unnamed:{context.subject}"
    if world.memory.get(key) is None:
        names = [ascii(unit) for unit in units[:20]]
        log.error("services left out: their names are not UTF-8", repository=context.subject, services=names)
        world.memory.set(key, "said", 24 * 3600)
