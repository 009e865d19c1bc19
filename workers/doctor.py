"""What each forge makes of each stage's gates: protection, policy and CODEOWNERS read together (S24).

Changes nothing, and has no delivery sent again."""

from dataclasses import dataclass, replace

from bot.errors import OutsideError
from policies.config import Stage
from policies.enforcement import NOTHING_LACKS, Enforcement, Guard, Level, judge
from policies.model import Permission
from policies.ownership import Ownership
from policies.standing import Credential, Hook, credential_advice, hooks_advice
from workers.observe import POLICY_FILE, Base, base
from workers.observe.context import Context
from workers.owning import ownership
from workers.recovery import hook_path
from workers.world import World


@dataclass(frozen=True, slots=True)
class Examined:
    """One config repository; `unread` is what could not be read, and why."""

    forge: str
    repository: str
    guard: Guard | None = None
    stages: tuple[tuple[str, Enforcement], ...] = ()
    advice: tuple[str, ...] = ()
    """What a person should do besides."""
    unread: tuple[str, ...] = ()
    credential: Credential | None = None
    """Towpath's own token or App; None where the forge would not say."""
    hooks: tuple[Hook, ...] | None = None
    """The webhooks that lead to Towpath; None where the forge would not say."""

    @property
    def is_enforced(self) -> bool:
        """Whether every stage that asks for anything is."""
        return all(found.level is Level.enforced for _, found in self.stages if found.gated)


def examine(world: World) -> tuple[Examined, ...]:
    """Every config repository; one that cannot be read stops no other."""
    return tuple(_examined(world, forge, repository) for forge, repository in world.repositories())


def exit_code(found: tuple[Examined, ...]) -> int:
    """0 where every gated stage is enforced, 1 where one is not, 2 where something could not be read."""
    if any(one.unread for one in found):
        return 2
    return 0 if all(one.is_enforced for one in found) else 1


def _examined(world: World, forge: str, repository: str) -> Examined:
    try:
        context = world.context(forge, repository)
        now = base(context)
    except OutsideError as failure:
        return Examined(forge, repository, unread=(str(failure),))
    guard = _guard(context, now)
    owning, unread = _owning(context, now)
    found = Examined(
        forge,
        repository,
        guard,
        tuple((stage.name, _judged(guard, stage, owning)) for stage in now.policy.ordered()),
        (*guard.hindrances, *_outdated(now)),
        (*guard.unread, *unread),
    )
    return _with_hooks(context, _with_credential(world, context, _with_rights(world, context, found)))


def _guard(context: Context, now: Base) -> Guard:
    try:
        return context.forge.guard(context.repository, now.branch)
    except OutsideError as failure:
        return Guard(context.forge.kind, now.branch, None, unread=(str(failure),))


def _owning(context: Context, now: Base) -> tuple[dict[str, Ownership] | None, tuple[str, ...]]:
    """What is lacking for each stage with approvals, or None and why that could not be read."""
    try:
        return ownership(context, now), ()
    except OutsideError as failure:
        return None, (f"CODEOWNERS of the branch, or whom it names: {failure}",)


def _judged(guard: Guard, stage: Stage, owning: dict[str, Ownership] | None) -> Enforcement:
    return judge(guard, stage, None if owning is None else owning.get(stage.name, NOTHING_LACKS))


def _outdated(now: Base) -> tuple[str, ...]:
    if not now.faults:
        return ()
    told = "; ".join(f"{fault.place}: {fault.message}" for fault in now.faults)
    return (f"{POLICY_FILE} on {now.branch} is faulty, and the version before it counts: {told}",)


def _with_rights(world: World, context: Context, found: Examined) -> Examined:
    if world.settings.forges[found.forge].app() is not None:  # an App has permissions of its own, and no role
        return found
    try:
        held = context.forge.permission(context.repository, context.forge.me())
    except OutsideError as failure:
        return replace(found, unread=(*found.unread, str(failure)))
    if held >= Permission.write:
        return found
    advice = f"Towpath itself may not merge: its user has the right {held.name!r} here, and needs to write"
    return replace(found, advice=(*found.advice, advice))


def _with_credential(world: World, context: Context, found: Examined) -> Examined:
    try:
        credential = context.forge.credential(context.repository)
    except OutsideError as failure:
        return replace(found, unread=(*found.unread, str(failure)))
    advice = credential_advice(credential, world.clock())
    return replace(found, credential=credential, advice=(*found.advice, *advice))


def _with_hooks(context: Context, found: Examined) -> Examined:
    path = hook_path(context.forge.kind, found.forge)
    try:
        hooks = tuple(context.forge.hooks(context.repository, path))
    except OutsideError as failure:
        return replace(found, unread=(*found.unread, str(failure)))
    return replace(found, hooks=hooks, advice=(*found.advice, *hooks_advice(hooks, path)))
