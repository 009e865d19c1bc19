"""What the forge itself makes of a stage's gates: enforced, advisory, or bypassable by whom (S22, S24).

Fail closed: what nobody could read is never enforced, and a hole that is known counts before one that is suspected.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from policies.config import Stage
from policies.naming import STATUS
from policies.ownership import Lack, Ownership
from policies.wording.quote import listed

WRITERS = "everybody who may write"


class Level(StrEnum):
    """How far a stage's gates hold against people who go around Towpath."""

    enforced = "enforced"
    advisory = "advisory"
    bypassable = "bypassable"


WORST_LAST = (Level.enforced, Level.advisory, Level.bypassable)


class Change(StrEnum):
    """What to say of a stage since the last look."""

    none = "none"
    holds_again = "holds again"
    not_held = "not held"
    """It is advisory or bypassable, and that was not told yet."""
    worse = "worse"


class Needed(StrEnum):
    """Whether the forge merges only what the status `towpath` is green for."""

    no = "no"
    anybodys = "anybody's"
    """It does, but takes that status from whoever may write (GitLab: from any job of a pipeline that must succeed)."""
    own = "Towpath's own"
    """It does, and only Towpath's App can give it (GitHub)."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What was read of one branch's protection. People are named as a reader would name them; the bot never is."""

    kind: Literal["gitlab", "github"]
    branch: str
    protected: bool | None
    """None: the forge would not say."""
    status: Needed = Needed.no
    pushers: tuple[str, ...] = ()
    """Who may move the branch without a merge request."""
    mergers: tuple[str, ...] = ()
    bypassers: tuple[str, ...] = ()
    """Whom the rules let through, without changing them."""
    lifters: tuple[str, ...] = ()
    """Who may change the rules."""
    may_force: bool = False
    """Whether those who may push can take the branch back to what was there before."""
    is_app: bool = False
    """Whether the forge can tell Towpath's status from one that a person set (a GitHub App's)."""
    visibility: str = ""
    tier: str = ""
    """What the forge's answers tell of the plan."""
    offered: bool = True
    """Whether the forge offers protection for this repository at all (GitHub Free: for public ones only)."""
    unread: tuple[str, ...] = ()
    """What could not be read, and why."""
    owners_asked: bool = False
    """Whether the forge itself waits for the code owners of what a merge request changes."""
    hindrances: tuple[str, ...] = ()
    """Settings that keep Towpath itself from merging."""


@dataclass(frozen=True, slots=True)
class Enforcement:
    """The answer for one stage: the level, who may go around the gates and how, and the setting that changes it."""

    level: Level
    by: tuple[str, ...]
    why: str
    change: str
    gated: bool = True
    """False: the stage asks for nothing that could be gone around."""
    lifted_by: tuple[str, ...] = ()
    """Who may change the forge's settings, and so end this."""


@dataclass(frozen=True, slots=True)
class _Hole:
    level: Level
    by: tuple[str, ...]
    why: str
    change: str


NOTHING_LACKS = Ownership()


def judge(guard: Guard, stage: Stage, owning: Ownership | None = NOTHING_LACKS) -> Enforcement:
    """How far the gates of a stage hold; `owning` is None where nobody could read who owns what."""
    idle = _idle(stage)
    if idle is not None:
        return idle
    holes = [*_around(guard), *_loosened(guard, stage, owning), *_unread(guard)]
    if not holes:
        return Enforcement(Level.enforced, (), _holds(guard), _ends(guard), lifted_by=guard.lifters)
    level = Level.bypassable if any(hole.level is Level.bypassable for hole in holes) else Level.advisory
    return Enforcement(
        level,
        tuple(dict.fromkeys(name for hole in holes for name in hole.by)),
        "; ".join(hole.why for hole in holes),
        "; ".join(dict.fromkeys(hole.change for hole in holes)),
        lifted_by=guard.lifters,
    )


def changed(now: Enforcement, last: Level | None, by: Iterable[str]) -> Change:
    """What became of a stage since `last`, when `by` could go around it; None: it is seen for the first time."""
    if last is not None and WORST_LAST.index(now.level) > WORST_LAST.index(last):
        return Change.worse
    if now.level is Level.enforced:
        return Change.none if last in (None, Level.enforced) else Change.holds_again
    return Change.none if now.level is last and set(now.by) <= set(by) else Change.not_held


def _idle(stage: Stage) -> Enforcement | None:
    """The answer for a stage that asks for nothing."""
    rule = stage.approvals
    if stage.mode == "observe":
        return _asks_nothing("Towpath only watches this stage (`mode: observe`)", "`mode: enforce`")
    if rule is None and stage.merge == "manual":
        return _asks_nothing(
            "the stage asks for nothing: it has no `approvals`, and people merge (`merge: manual`)",
            "`approvals`, or `merge: auto`, in towpath.yaml",
        )
    if rule is not None and rule.codeowners != "required" and not rule.minimum:
        change = "`codeowners: required` or `minimum: 1` in its `approvals` in towpath.yaml"
        return _asks_nothing("the stage's `approvals` ask for nobody", change)
    return None


def _asks_nothing(why: str, change: str) -> Enforcement:
    return Enforcement(Level.advisory, (), why, change, gated=False)


def _around(guard: Guard) -> tuple[_Hole, ...]:
    """The known ways past the gates."""
    if guard.protected is None:
        return ()
    if not guard.protected:
        by = guard.pushers or (WRITERS,)
        return (_Hole(Level.bypassable, by, f"the branch {guard.branch} is not protected", _protect(guard)),)
    found = [*_excepted(guard)]
    if guard.status is Needed.own:
        return (*found, *_taken_back(guard))
    return (*found, *_pushed(guard), *_merged(guard))


def _excepted(guard: Guard) -> tuple[_Hole, ...]:
    if not guard.bypassers:
        return ()
    change = "empty the bypass list of the ruleset; in a branch protection rule: *Do not allow bypassing*"
    return (_Hole(Level.bypassable, guard.bypassers, "the rules let some bypass them", change),)


def _taken_back(guard: Guard) -> tuple[_Hole, ...]:
    """An older state of the branch has its green status already, so the status stops no force push."""
    if not (guard.may_force and guard.pushers):
        return ()
    why = "who may push can force the branch back to a state whose status is green"
    return (_Hole(Level.bypassable, guard.pushers, why, "do not allow force pushes"),)


def _pushed(guard: Guard) -> tuple[_Hole, ...]:
    if not guard.pushers:
        return ()
    if guard.status is Needed.anybodys and guard.kind == "github":  # GitHub asks a pushed commit's status too
        return (_forged(guard, guard.pushers),)
    change = "*Allowed to push and merge*: No one" if guard.kind == "gitlab" else "require a pull request"
    return (_Hole(Level.bypassable, guard.pushers, "some may push without a merge request", change),)


def _merged(guard: Guard) -> tuple[_Hole, ...]:
    if not guard.mergers:
        return ()
    if guard.status is Needed.anybodys:
        return (_forged(guard, guard.mergers),)
    why = f"some may merge, and nothing asks for the status `{STATUS}` to be green"
    return (_Hole(Level.bypassable, guard.mergers, why, _pin(guard)),)


def _forged(guard: Guard, by: tuple[str, ...]) -> _Hole:
    why = f"a red status `{STATUS}` stops the merge, but whoever may write can set a green one by the API"
    return _Hole(Level.advisory, by, why, _pin(guard))


def _loosened(guard: Guard, stage: Stage, owning: Ownership | None) -> tuple[_Hole, ...]:
    """S22: approvals mean nothing where anybody may take them out of the policy, or where nobody is asked."""
    if stage.approvals is None:
        return ()
    if owning is None:
        why = "who owns towpath.yaml and CODEOWNERS could not be read"
        return (
            _Hole(Level.advisory, (), why, "`towpath doctor` again, once what was not read can be read"),
            *_rewritten(guard),
        )
    lost = owning.files if stage.approvals.codeowners == "required" else ()
    return (
        *(_unasked(lack, Level.bypassable, (WRITERS,)) for lack in owning.rules),
        *(_unasked(lack, Level.advisory, ()) for lack in lost),
        *_rewritten(guard),
    )


def _unasked(lack: Lack, level: Level, by: tuple[str, ...]) -> _Hole:
    return _Hole(level, by, f"nobody need be asked about {listed(lack.paths)}: {lack.why}", lack.change)


def _rewritten(guard: Guard) -> tuple[_Hole, ...]:
    """Who may merge a change of policy that no code owner approved.

    On GitHub Towpath's own status is red on such a pull request, so where it is required that is no further hole."""
    held = guard.owners_asked or (guard.kind == "github" and guard.status is not Needed.no)
    if not guard.protected or held or not guard.mergers:
        return ()
    setting = "Code owner approval* (Premium)" if guard.kind == "gitlab" else "Require review from Code Owners*"
    why = "the forge asks no code owner when towpath.yaml or CODEOWNERS changes"
    return (_Hole(Level.bypassable, guard.mergers, why, f"against changes of policy alone: *{setting}"),)


def _unread(guard: Guard) -> tuple[_Hole, ...]:
    told = guard.unread or (("the protection of the branch",) if guard.protected is None else ())
    if not told:
        return ()
    change = "a token that may read it (docs/enforcement.md says which), then `towpath doctor` again"
    return (_Hole(Level.advisory, (), f"could not be read: {'; '.join(told)}", change),)


def _protect(guard: Guard) -> str:
    if guard.kind == "gitlab":
        return (
            f"*Settings, Repository, Protected branches*: {guard.branch}, *Allowed to merge* the bot alone "
            "(Free: Maintainers, with the bot as the only one), *Allowed to push and merge* No one"
        )
    if not guard.offered:
        return "GitHub protects no private repository on this plan: a paid plan, or write access for the App alone"
    return f"a ruleset for {guard.branch} with an empty bypass list; {_pin(guard)}"


def _pin(guard: Guard) -> str:
    if guard.kind == "gitlab":
        return "*Allowed to merge*: the bot alone (Free: Maintainers, with the bot as the only one)"
    if not guard.is_app:
        return "run Towpath as a GitHub App: only an App's status can be required of its source"
    return f"*Require status checks*: `{STATUS}` with Towpath's App as its expected source"


def _holds(guard: Guard) -> str:
    if guard.status is Needed.own and guard.mergers:
        return f"nothing merges without the status `{STATUS}` of Towpath's own App"
    return "nobody but Towpath may push or merge"


def _ends(guard: Guard) -> str:
    return f"{listed(guard.lifters)} can change these settings" if guard.lifters else ""
