"""S5: every command x role x stage is walked, and nobody does what policy does not give them."""

from dataclasses import replace

import pytest

from policies.commands import COMMANDS
from policies.commands.model import Command, Done, Refused, Situation
from policies.model import User
from policies.rights import BOTH, RIGHTS
from policies.state import Freeze, Hold, Override, Quarantine, State
from policies.verdict import passed, wait
from tests import builders as a
from tests.policies.commands import scenes as s

ON_CALL = User(50, "olga")
"""May write, and has by policy what maintainers have not."""
ROLES = {"reader": s.READER, "developer": s.DEV, "maintainer": s.MAINTAINER, "on call": ON_CALL, "admin": s.ADMIN}
STAGES = ("nonprod", "ring-1", "ring-2")
PEOPLE = {"@on-call": (ON_CALL,)}
V3 = a.release("v3")
SAID = {"by": s.person(s.SECOND), "at": s.BEFORE, "where": ""}
BAD = {"service": "payments", "release": V3.name, "tag": "v3", "images": {a.API: a.digest("v3")}}

POLICY = {
    name: {"ring-1": "@@developers", "ring-2/payments": "@on-call", "*": "@@maintainers"}
    for name in dict.fromkeys(one.right for one in COMMANDS)
    if name is not None
}
GRANTED = {
    "nonprod": {"maintainer", "admin"},
    "ring-1": {"developer", "maintainer", "on call", "admin"},
    "ring-2": {"on call"},
}
EVERYWHERE = set.intersection(*GRANTED.values())
"""Nobody has a right in each stage: neither role alone reaches all three."""

CALLS = {
    "promote": "/promote payments {stage} v1",
    "hold": "/hold payments {stage} because",
    "unhold": "/unhold payments {stage}",
    "rollback": "/rollback payments {stage} to v1 because",
    "retry": "/retry payments {stage}",
    "explain": "/explain payments {stage}",
    "quarantine": "/quarantine v3 payments ring-2 because",
    "unquarantine": "/unquarantine v3 payments because",
    "freeze": "/freeze {stage} for 2h because",
    "unfreeze": "/unfreeze {stage}",
    "status": "/status payments",
    "help": "/help",
    "merge": "/merge",
    "refresh": "/refresh",
    "skip": "/skip soak because",
    "override": "/override checks because",
}
ALL_STAGES = {"status"}
EVERY_SERVICE = {"freeze", "unfreeze"}
"""In the second ring only payments is on call's: for every service the maintainers are needed as well, and are not."""


def state(stage: str) -> State:
    """A state in which there is something to release."""
    return State(
        holds=(Hold.model_validate({**SAID, "service": "payments", "stage": stage}),),
        freezes=(Freeze.model_validate({**SAID, "stage": stage, "until": a.NOW.replace(hour=20)}),),
        quarantine=(Quarantine.model_validate({**SAID, **BAD, "stages": (stage,)}),),
    )


def where(stage: str, user: User) -> Situation:
    """On the promotion of v3 into a stage, which waits for its soak and its checks."""
    asked = s.with_permissions(s.snapshot(promotions=(s.promotion(stage),)), **POLICY)
    on = s.request(stage)
    found = s.situation(s.comment(user), asked, on, stage, V3)
    gates = (passed("integrity", "fine"), wait("soak", "2 h left"), wait("checks", "`ci` not finished"))
    plans = (replace(one, stage=stage, request=on.url) for one in s.plan(*gates, on=on).stages[-1:])
    return replace(found, plan=replace(found.plan, stages=tuple(plans)))


def expected(command: str, role: str, stage: str) -> bool:
    """Whether policy gives it."""
    if command == "help":
        return any(role in granted for granted in GRANTED.values())
    if command in ALL_STAGES:
        return role in EVERYWHERE
    if command == "quarantine":
        return role in GRANTED["ring-2"]
    if command in EVERY_SERVICE and stage == "ring-2":
        return False
    return role in GRANTED[stage]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("command", [one.name for one in COMMANDS])
def test_S5_every_command_by_every_role_in_every_stage(
    command: str, role: str, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(s.RIGHTS, ON_CALL.id, s.RIGHTS[s.DEV.id])
    before = State() if command in {"quarantine", "merge", "refresh"} else state(stage)
    if command in {"merge", "refresh"}:
        before = before.model_copy(update={"holds": state(stage).holds})
    found = s.say(CALLS[command].format(stage=stage), where(stage, ROLES[role]), before, PEOPLE)
    assert isinstance(found, Done) == expected(command, role, stage), found
    if isinstance(found, Refused):
        assert "right" in found.answer and "@" not in found.answer.replace("`@on-call`", "")


@pytest.mark.parametrize("command", [one.name for one in COMMANDS])
@pytest.mark.parametrize("user", [a.BOT, User(60, "renovate", bot=True)])
def test_S7_no_command_is_a_bots(command: str, user: User) -> None:
    text = CALLS[command].format(stage="ring-1")
    assert s.refused(text, where("ring-1", user), state("ring-1")) == "Bots have no rights."


@pytest.mark.parametrize("command", [one.name for one in COMMANDS])
def test_S6_a_renamed_account_has_its_own_rights_and_no_others(command: str) -> None:
    """The id of a reader, under the name of a maintainer."""
    user = replace(s.READER, username=s.MAINTAINER.username)
    text = CALLS[command].format(stage="nonprod")
    assert "you may not write" in s.refused(text, where("nonprod", user), state("nonprod")).lower()


@pytest.mark.parametrize(("command", "holding"), BOTH.items())
def test_S20_releasing_asks_what_holding_asks(command: str, holding: str) -> None:
    found = where("ring-1", s.MAINTAINER)
    rules = s.with_permissions(found.snapshot, **{command: {"*": "@@developers"}, holding: {"*": "@@admins"}})
    text = CALLS[command].format(stage="ring-1")
    why = s.refused(text, replace(found, snapshot=rules), state("ring-1"))
    assert why.startswith(f"You lack the right `{holding}` for ")


def test_S21_a_release_from_break_glass_needs_two_with_the_right() -> None:
    """The first word of somebody who had the right does not lend it to the second."""
    first = Override(request=12, head=a.HEAD, gate="checks", reason="x", until=a.NOW.replace(hour=13), **SAID)  # type: ignore[arg-type] # what every entry says
    why = s.refused("/override checks because", where("nonprod", s.DEV), State(overrides=(first,)))
    assert why.startswith("You lack the right `override`")


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: one.name)
def test_S5_each_command_asks_for_its_own_right(one: Command) -> None:
    """Where everybody has every right but this one."""
    found = where("ring-1", s.DEV)
    written = {right: {"*": "@@admins" if right == one.right else "@@developers"} for right in RIGHTS}
    open_to_all = replace(found, snapshot=s.with_permissions(found.snapshot, **written))
    why = s.refused(CALLS[one.name].format(stage="ring-1"), open_to_all, state("ring-1"))
    assert why.startswith(f"You lack the right `{one.right}` for ")
