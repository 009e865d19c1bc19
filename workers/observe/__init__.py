"""All reads of a reconciliation: one unit of one repository at one commit of its target branch."""

from dataclasses import dataclass, replace

from bot.errors import Permanent
from policies import layout, naming, trailers
from policies.config import Fault, Policy, Stage
from policies.model import Sighting, Target, Trouble
from policies.sightings import united
from policies.snapshot import Promotion, Snapshot, StageView
from policies.state import BRANCH, State, Unknown
from workers.observe import promotions
from workers.observe.context import Context
from workers.observe.inventory import Inventory
from workers.observe.moments import moments, recorded
from workers.observe.policy import FILE as POLICY_FILE
from workers.observe.policy import in_force
from workers.observe.state import find_state

__all__ = ["POLICY_FILE", "Base", "base", "observe"]


NOT_UTF8 = "its name is not UTF-8: rename it"


@dataclass(frozen=True)
class Base:
    """The target branch as read: its commit, the policy in force there, and where everything is."""

    branch: str
    head: str
    policy: Policy
    inventory: Inventory
    faults: tuple[Fault, ...]
    state: State | Unknown
    state_head: str | None
    """Where the branch of the state was; None where there is none."""


def base(context: Context) -> Base:
    """Read the target branch. One look at the heads by Git; the mirror fetches when it lacks the commit."""
    branch = context.forge.default_branch(context.repository)
    heads = context.mirror.heads((branch, BRANCH))
    if branch not in heads:
        raise Permanent("read", f"{context.subject}@{branch}", "there is no such branch")
    head = heads[branch]
    context.mirror.ensure(head)
    force = in_force(context.mirror, head, context.subject)
    inventory = context.inventories.at(context.mirror, head, force.policy.services)
    state = find_state(context, head, heads.get(BRANCH))
    return Base(branch, head, force.policy, inventory, force.faults, state.state, state.head)


def observe(context: Context, unit: str, at: Base | None = None) -> Snapshot:
    """Everything that a decision on this unit may look at; what it asks beyond is answered by `answers.answered`.

    `at` is the target branch as it was read before, or as it would be."""
    now = at or base(context)
    stages = _stages(context, now, unit)
    services = now.policy.services
    places = tuple(dict.fromkeys(place for view in stages for place in view.places))
    history = moments(context.mirror, lambda blob: context.parsed(services, blob), now.head, places)
    snapshot = Snapshot(
        context.forge.name,
        context.repository,
        now.branch,
        now.head,
        unit,
        context.forge.me().id,
        now.policy,
        stages,
        history,
        {},
        policy_faults=now.faults,
        can_sign=context.signer is not None,
        state=now.state,
        state_head=now.state_head or "",
        kind=context.forge.kind,
        catching_up=context.memory.get(promotions.catching_key(context)) or "",
    )
    opened = _promotions(context, snapshot)
    snapshot = replace(snapshot, promotions=opened)
    return replace(snapshot, sightings=_sightings(context, snapshot))


def _stages(context: Context, now: Base, unit: str) -> tuple[StageView, ...]:
    paths = now.inventory.by_service.get(unit, ())
    return tuple(_view(context, now, stage, paths) for stage in now.policy.ordered())


def _view(context: Context, now: Base, stage: Stage, paths: tuple[str, ...]) -> StageView:
    targets: list[Target] = []
    troubles: list[Trouble] = []
    for path in paths:
        if not layout.selected(stage.where, now.inventory.captured(path)):
            continue
        parsed = context.parsed(now.policy.services, now.inventory.files[path])
        if not layout.is_utf8(path):
            troubles.append(Trouble(path, None, NOT_UTF8))
        elif isinstance(parsed, Trouble):
            troubles.append(replace(parsed, path=path))
        else:
            targets.extend(now.inventory.targets(path, parsed))
    return StageView(stage, tuple(targets), tuple(troubles))


def _promotions(context: Context, snapshot: Snapshot) -> tuple[Promotion, ...]:
    me = context.forge.me()
    listed = context.forge.open_requests(context.repository, naming.label(snapshot.unit))
    mine = [request for request in listed if promotions.is_ours(request, me, snapshot.unit)]
    found = (promotions.promotion(context, snapshot, request) for request in mine)
    return tuple(one for one in found if one is not None)


def _sightings(context: Context, snapshot: Snapshot) -> dict[tuple[str, str], Sighting]:
    """From Redis, from the trailers in Git and from the branches of promotions that were begun, earliest first."""
    repositories = dict.fromkeys(name for view in snapshot.stages for name in view.repositories)
    known = [sighting for repository in repositories for sighting in context.sightings(repository)]
    known += recorded(context.mirror, snapshot.moments, context.seal_keys)
    known += _begun(context, snapshot)
    return united(known)


def _begun(context: Context, snapshot: Snapshot) -> list[Sighting]:
    """What the branches of promotions say: they remember a published image even when Redis does not."""
    prefixes = [f"{naming.PREFIX}{view.stage.name}/{naming.quoted(snapshot.unit)}/" for view in snapshot.stages]
    heads = [head for prefix in prefixes for head in context.mirror.branches(prefix).values()]
    records = (trailers.unsealed(context.mirror.message(head), context.seal_keys) for head in heads)
    return [sighting for record in records if record is not None for sighting in record.sightings]
