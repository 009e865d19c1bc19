"""Who must be asked when policy, CODEOWNERS or a stage's files change, each name looked up at the forge (S22).

Nothing is remembered from one look to the next: who mends a line and asks again is told how it stands now."""

from bot.errors import OutsideError
from policies import layout
from policies.codeowners import LOCATIONS
from policies.config import Stage
from policies.model import Permission, User
from policies.ownership import Ownership, lacking, required
from workers.observe import POLICY_FILE, Base
from workers.observe.context import Context
from workers.observe.people import owners_file

MOST_NAMES = 400
"""Different names that are looked up in one look: each costs the forge a call or two."""


def ownership(context: Context, now: Base) -> dict[str, Ownership]:
    """What is lacking for each stage with approvals; an OutsideError where something could not be read."""
    stages = [stage for stage in now.policy.ordered() if stage.approvals is not None]
    if not stages:
        return {}
    owners = owners_file(context, now.head)
    own = (POLICY_FILE, *LOCATIONS[owners.dialect])
    files = {stage.name: _files(now, stage) for stage in stages}
    writers = _Writers(context)
    asked = required(owners.rules, (*own, *(path for paths in files.values() for path in paths)))
    able = {name for rule in asked if (name := next(filter(writers.stands_for_one, rule.owners), None)) is not None}
    lost = lacking(owners.path, owners.rules, own, able)
    return {name: Ownership(lost, lacking(owners.path, owners.rules, paths, able)) for name, paths in files.items()}


def _files(now: Base, stage: Stage) -> tuple[str, ...]:
    """What promotions into a stage change, where owners are asked about that."""
    if stage.approvals is None or stage.approvals.codeowners != "required":
        return ()
    found = now.inventory
    return tuple(path for path in sorted(found.files) if layout.selected(stage.where, found.captured(path)))


class _Writers:
    """Which names stand for somebody who may write and is no bot; each name and user is asked about once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._names: dict[str, bool] = {}
        self._users: dict[int, bool] = {}

    def stands_for_one(self, name: str) -> bool:
        """Whether a name of CODEOWNERS stands for one at least."""
        if name not in self._names:
            if len(self._names) >= MOST_NAMES:
                raise OutsideError("look up the owners of", self._context.subject, f"more than {MOST_NAMES} names")
            people = self._context.forge.named(self._context.repository, name) or ()
            self._names[name] = any(map(self._may_write, people))
        return self._names[name]

    def _may_write(self, user: User) -> bool:
        if user.bot or user.id == self._context.forge.me().id:
            return False
        if user.id not in self._users:
            held = self._context.forge.permission(self._context.repository, user)
            self._users[user.id] = held >= Permission.write
        return self._users[user.id]
