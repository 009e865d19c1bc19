"""Who may command what: the one function that every command asks, by numeric ids alone (S5, S6, S16, S20)."""

from policies import rights
from policies.model import Permission, User
from policies.snapshot import Snapshot
from policies.wording.quote import code, listed

LEVELS = {
    rights.DEVELOPERS: Permission.write,
    rights.MAINTAINERS: Permission.maintain,
    rights.ADMINS: Permission.admin,
}
WORDS = {
    rights.DEVELOPERS: "everybody who may write to this repository",
    rights.MAINTAINERS: "its maintainers",
    rights.ADMINS: "its administrators",
    rights.OWNERS: "the code owners of the files there",
}


def refusal(snapshot: Snapshot, user: User, right: str, service: str | None, stage: str | None) -> str | None:
    """Why a user may not do what a right is for, and who may; None: they may.

    `service` None means every service, `stage` None every stage: then the right is needed for each."""
    if user.bot or user.id == snapshot.bot_id:
        return "bots have no rights"
    if snapshot.right(user) < Permission.write:
        return "you may not write to this repository, and without that nobody has a right here"
    for needed in (right, rights.BOTH.get(right)):
        for name in _stages(snapshot, stage) if needed else ():
            why = _refusal(snapshot, user, needed or "", service, name)
            if why is not None:
                return why
    return None


def held_by(snapshot: Snapshot, right: str, service: str | None, stage: str) -> str:
    """Who has a right, in words in which no name is alive."""
    return " who are also among ".join(
        _people(names) for names in dict.fromkeys(snapshot.policy.permissions.holders(right, stage, service))
    )


def _stages(snapshot: Snapshot, stage: str | None) -> tuple[str, ...]:
    return (stage,) if stage is not None else tuple(one.name for one in snapshot.policy.stages)


def _refusal(snapshot: Snapshot, user: User, right: str, service: str | None, stage: str) -> str | None:
    for names in snapshot.policy.permissions.holders(right, stage, service):
        granted = [_has(snapshot, user, name, service, stage) for name in names]
        if True in granted:
            continue
        lost = [code(name) for name, one in zip(names, granted, strict=True) if one is None]
        unknown = f"; who {listed(tuple(lost))} is could not be told" if lost else ""
        what = f"{code(service)} in {code(stage)}" if service is not None else f"every service in {code(stage)}"
        who = held_by(snapshot, right, service, stage)
        return f"you lack the right {code(right)} for {what}; who has it: {who}{unknown}"
    return None


def _people(names: tuple[str, ...]) -> str:
    return listed(tuple(WORDS.get(name, code(name)) for name in names)) or "nobody"


def _has(snapshot: Snapshot, user: User, name: str, service: str | None, stage: str) -> bool | None:
    """Whether a user is one of those that a name means; None where that could not be told."""
    if name in LEVELS:
        return snapshot.right(user) >= LEVELS[name]
    if name == rights.OWNERS:
        return _owns(snapshot, user, service, stage)
    people = snapshot.members(name)
    return None if people is None else any(one.id == user.id for one in people)


def _owns(snapshot: Snapshot, user: User, service: str | None, stage: str) -> bool | None:
    """Whether a user is an owner of each file of the unit in a stage, by whichever section that asks for approvals."""
    if service is None or service != snapshot.unit:
        return None
    paths = dict.fromkeys(
        target.path for view in snapshot.stages if view.stage.name == stage for target in view.targets
    )
    rules = snapshot.owners().rules
    if rules is None or rules.errors or not paths:
        return None
    owners = ([name for rule in rules.rules_for(path) if rule.asks for name in rule.owners] for path in paths)
    return all(any(_is(snapshot, user, name) for name in names) for names in owners)


def _is(snapshot: Snapshot, user: User, name: str) -> bool:
    return any(one.id == user.id for one in snapshot.members(name) or ())
