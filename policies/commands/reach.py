"""What a hold reaches: the merge request of the thread, or what the words behind the command name."""

from dataclasses import dataclass

from policies import naming
from policies.commands.arguments import Arguments, own_unit
from policies.commands.model import Declined, Situation
from policies.model import MergeRequestState
from policies.state import Hold, State, holds_request
from policies.wording.quote import code
from policies.wording.steering import place

WORDS = frozenset({"service", "stage", "all"})


@dataclass(frozen=True, slots=True)
class Reach:
    """The service, stage or merge request, and for which service and stage the right is asked."""

    service: str | None
    stage: str | None
    request: int | None = None
    right: tuple[str | None, str | None] = (None, None)
    unit: str | None = None
    carries: tuple[str, str, str] | None = None
    """Of a merge request: service, stage and release."""

    def covers(self, hold: Hold) -> bool:
        """Whether a hold reaches exactly as far; of a merge request also one that it took over with its release."""
        if self.request is not None or hold.request is not None:
            return self.holds(hold)
        return (hold.service, hold.stage) == (self.service, self.stage)

    def holds(self, hold: Hold) -> bool:
        """Whether a hold is of this merge request by itself."""
        carried = self.carries or ("", "", "")
        return self.request is not None and holds_request(hold, self.request, carried)

    @property
    def wakes(self) -> tuple[str, ...]:
        """Whose reconciliation it concerns."""
        return (self.unit,) if self.unit is not None else ("*",)

    @property
    def words(self) -> str:
        """What is held, in words."""
        return f"!{self.request}" if self.request is not None else place(self.service, self.stage)

    @property
    def command(self) -> str:
        """What stands behind `/hold` and `/unhold` for it."""
        named = " ".join(name for name in (self.service, self.stage) if name is not None)
        return named or ("" if self.request is not None else "all")


def reach(situation: Situation, found: Arguments, closed: bool = False) -> Reach:
    """What is meant; on a promotion's thread without words, that merge request, which `closed` may be."""
    if found.service is not None or found.stage is not None:
        if "all" in found.flags:
            raise Declined("`all` and a name contradict each other: write one of them.")
        return Reach(found.service, found.stage, None, (found.service, found.stage), found.service)
    if "all" in found.flags:
        return Reach(None, None)
    if situation.request is None or situation.stage is None:
        raise Declined("Name a service, a stage or both; `all` means everything.")
    state = situation.request.state
    if state is not MergeRequestState.opened and not closed:
        raise Declined(f"!{situation.request.iid} is {state.value}. Name a service, a stage or both to hold those.")
    unit = own_unit(situation)
    branch = naming.parse_branch(situation.request.source_branch)
    carries = (branch.unit, branch.stage, branch.release) if branch is not None else None
    return Reach(None, None, situation.request.iid, (unit, situation.stage), unit, carries)


def of_hold(hold: Hold) -> Reach:
    """What an existing hold reaches."""
    if hold.request is not None:
        return Reach(None, None, hold.request)
    return Reach(hold.service, hold.stage)


def touching(state: State, reached: Reach, situation: Situation) -> tuple[Hold, ...]:
    """The running holds that reach into this: what still holds where one of them is lifted."""
    service, stage = reached.right
    return tuple(
        hold
        for hold in state.holds
        if (service is None or hold.service in (None, service))
        and (stage is None or hold.stage in (None, stage))
        and (hold.request is None or reached.holds(hold))
        and (hold.until is None or hold.until > situation.now)
    )


def way_out(hold: Hold) -> str:
    """The command that lifts a hold."""
    return code(f"/unhold {of_hold(hold).command}".rstrip())
