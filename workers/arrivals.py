"""The changes that came into gated stages since a commit, by what their files say: not by what policy would promote."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise, takewhile

from bot.errors import Permanent
from policies import around, trailers
from policies.around import Came, Named
from policies.config import Policy, Services, Stage
from policies.model import Trouble
from workers.observe.context import Context
from workers.observe.policy import FILE, in_force

FAR_BACK = 5000
"""First-parent commits that are looked through."""


def begun(context: Context, head: str) -> str | None:
    """From where to look where nobody remembers: the newest merge of Towpath's, or right before one of its commits
    that came in otherwise. None where none came: all of it is people's."""
    for commit in context.mirror.first_parents(head, FAR_BACK):
        record = trailers.unsealed(context.mirror.message(commit), context.seal_keys)
        if record is not None and (record.approvers or record.gates):
            return commit
        parents = context.mirror.parents(commit)
        if record is not None or any(_is_sealed(context, parent) for parent in parents[1:2]):
            return next(iter(parents), None)
    return None


def _is_sealed(context: Context, commit: str) -> bool:
    return trailers.is_genuine(context.mirror.message(commit), context.seal_keys)


def arrivals(context: Context, since: str, head: str) -> Iterator[tuple[str, Callable[[], tuple[Came, ...]]]]:
    """Each new first-parent commit, oldest first, with what tells its changes in gated stages."""
    mirror, policies = context.mirror, _Policies(context)
    chain = mirror.first_parents(head, FAR_BACK)
    new = list(takewhile(lambda one: not mirror.is_ancestor(one, since), chain))
    steps = pairwise((*mirror.parents(new[-1])[:1], *reversed(new)) if new else ())
    for before, commit in steps:
        yield commit, partial(_changes, policies, since, before, commit)


def _changes(policies: "_Policies", since: str, before: str, commit: str) -> tuple[Came, ...]:
    changed = policies.context.mirror.changed(before, commit)
    # Who takes the approvals out of policy, pushes, and puts them back in, is judged by what asked for more.
    rules = dict.fromkeys(policies.at(one) for one in (before, since)) if changed else {}
    return tuple(came for rule in rules if rule for came in _came(policies.context, rule.policy, before, commit))


@dataclass(frozen=True, eq=False)
class _Rule:
    """A policy that was in force; the same object where it is the same file."""

    policy: Policy


@dataclass(frozen=True)
class _Policies:
    """The policies in force at commits, each file read once."""

    context: Context
    known: dict[str, _Rule] = field(default_factory=dict)

    def at(self, commit: str) -> _Rule | None:
        """The one in force at a commit; None where there was none yet."""
        blob = self.context.mirror.blob_id(commit, FILE) or ""
        if blob in self.known:
            return self.known[blob]
        try:
            found = in_force(self.context.mirror, commit, self.context.subject)
        except Permanent:
            return None
        rule = _Rule(found.policy)
        if not found.faults:  # a broken one stands for whatever was there before it
            self.known[blob] = rule
        return rule


def _came(context: Context, policy: Policy, before: str, commit: str) -> Iterator[Came]:
    """What a commit changed, for each service and gated stage."""
    found: dict[tuple[str, str], tuple[Stage, dict[str, tuple[Named, Named]]]] = {}
    for path in context.mirror.changed(before, commit):
        owners = around.gated(policy, path)
        change = _change(context, policy.services, path, (before, commit)) if owners else None
        if change is None:
            continue
        for unit, stage in owners:
            found.setdefault((unit, stage.name), (stage, {}))[1][path] = change
    for (unit, _), (stage, changes) in found.items():
        yield Came(unit, stage, policy, commit, before, changes)


def _change(context: Context, services: Services, path: str, commits: tuple[str, str]) -> tuple[Named, Named] | None:
    """The images that a file names before and after; None where they are the same. What cannot be read counts."""
    before, after = (_named(context, services, commit, path) for commit in commits)
    return None if before == after and before is not None else (before, after)


def _named(context: Context, services: Services, commit: str, path: str) -> Named:
    blob = context.mirror.blob_id(commit, path)
    if blob is None:
        return None if context.mirror.is_link(commit, path) else frozenset()
    parsed = context.parsed(services, blob)
    return None if isinstance(parsed, Trouble) else around.named(parsed)


def images_of(context: Context, one: Came) -> Mapping[str, frozenset[tuple[str, str]]]:
    """Path to the images that Towpath would promote, of all files of the service in the stage after the commit."""
    inventory = context.inventories.at(context.mirror, one.commit, one.policy.services)
    found = {}
    for path in paths_of(context, one, one.commit):
        parsed = context.parsed(one.policy.services, inventory.files[path])
        pins = () if isinstance(parsed, Trouble) else parsed
        found[path] = around.named(pin for pin in pins if inventory.wanted(pin.repository))
    return found


def paths_of(context: Context, one: Came, commit: str) -> tuple[str, ...]:
    """All files of the service in the stage at a commit."""
    inventory = context.inventories.at(context.mirror, commit, one.policy.services)
    paths = inventory.by_service.get(one.unit, ())
    return tuple(path for path in paths if (one.unit, one.stage) in around.gated(one.policy, path))
