"""A look with all validators: what is kept, for how long, and what is looked at again."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bot.validators import Bench, Change, Part, Told, Validator
from bot.validators.base import Broken, NoRegistries, Skipped, target_parts
from bot.validators.launching import Launcher
from policies.findings import Finding, Severity, Validation
from policies.validating import Validating
from tests.flows.world import DictMemory
from tests.validators.trees import change_of
from workers.looking import Kit, look_at
from workers.observe.validations import BROKEN_KEPT, KEPT, ask, known, look_again
from workers.observe.validations import Validating as Waking

PATH = "environments/prod/eu/shop/values.yaml"
ERROR, WARNING = Finding("bad"), Finding("odd", Severity.warning)


@dataclass
class Scripted:
    """A validator that answers as it is told to, and counts."""

    answers: list[Told | Exception]
    asks: bool = False
    name: str = "pinned"
    looked: int = 0

    def check(self, change: Change, part: Part, bench: Bench) -> Told:
        self.looked += 1
        answer = self.answers[min(self.looked, len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def validator(self) -> Validator:
        return Validator(self.name, "what the test wants", target_parts, self.check, asks=self.asks)


class Ageing(DictMemory):
    """Forgets as Redis does, by a clock of its own."""

    now = 0

    def __init__(self) -> None:
        super().__init__()
        self.ends: dict[str, int] = {}

    def set(self, key: str, value: str, seconds: int) -> None:
        super().set(key, value, seconds)
        self.ends[key] = self.now + seconds

    def pass_time(self, seconds: int) -> None:
        self.now += seconds
        for key in [key for key, end in self.ends.items() if end <= self.now]:
            self.delete(key)


@dataclass
class World:
    """Validators, a memory, and one change."""

    scripted: tuple[Scripted, ...]
    rules: Validating = field(default_factory=Validating)
    memory: Ageing = field(default_factory=Ageing)

    @property
    def change(self) -> Change:
        return change_of({PATH: "a: 1\n"}, {PATH: "a: 2\n"}, rules=self.rules)

    @property
    def validators(self) -> tuple[Validator, ...]:
        return tuple(one.validator for one in self.scripted)

    def look(self, still_mine: Callable[[], None] = lambda: None) -> Validation:
        return look_at(Kit(self.validators, Launcher(), NoRegistries(), self.memory), self.change, still_mine)

    def known(self) -> tuple[Validation | None, bool]:
        found = known(self.memory, self.validators, self.change)
        return found.validation, bool(found.unasked)


def test_nothing_is_known_before_validators_have_looked() -> None:
    world = World((Scripted([Told()]),))
    assert world.known() == (None, True)
    found = world.look()
    assert world.known() == (found, False)


def test_where_there_is_nothing_to_look_at_nothing_was_found() -> None:
    assert World(()).known() == (Validation(""), False)
    assert World((Scripted([Told()]),), Validating(mode="off")).known() == (Validation(""), False)


def test_validators_are_asked_once_in_a_while() -> None:
    woken: list[tuple[str, ...]] = []
    world = World((Scripted([Told()]),))
    key = known(world.memory, world.validators, world.change).unasked
    for _ in range(3):
        ask(world.memory, Waking(world.validators, woken.append), ("validate", "f", "r", "1"), key)
    assert woken == [("validate", "f", "r", "1")]
    assert world.known() == (None, False)


@pytest.mark.parametrize(
    ("answer", "asks", "required", "lasts"),
    [
        (Told(), False, False, True),
        (Told((ERROR,)), False, False, True),
        (Told((ERROR,)), True, False, False),
        (Told((WARNING,)), True, False, True),
        (Skipped("absent"), False, False, True),
        (Skipped("absent"), False, True, False),
        (Broken("asleep"), False, False, False),
        (ZeroDivisionError(), False, False, False),
    ],
)
def test_what_may_be_otherwise_soon_is_looked_at_again(
    answer: Told | Exception, asks: bool, required: bool, lasts: bool
) -> None:
    rules = Validating.model_validate({"checks": {"pinned": {"required": required}}})
    world = World((Scripted([answer, Told()], asks),), rules)
    first = world.look()
    assert (first.lasts, world.known()) == (lasts, (first, False))
    world.memory.pass_time(BROKEN_KEPT)
    # Meanwhile what was found first stands: nothing flickers.
    assert world.known() == (first, not lasts)
    again = world.look()
    assert (again == first) is lasts
    assert world.scripted[0].looked == (1 if lasts else 2)


def test_retry_has_all_of_it_looked_at_again() -> None:
    world = World((Scripted([Told((ERROR,)), Told()]),))
    first = world.look()
    look_again(world.memory, first.key)
    assert world.known() == (first, True)
    again = world.look()
    assert again.findings == ()
    assert world.known() == (again, False)


def test_only_what_differs_is_looked_at_again() -> None:
    lasting, failing = Scripted([Told()]), Scripted([Broken("x"), Told()], name="secrets")
    world = World((lasting, failing))
    world.look()
    world.memory.pass_time(BROKEN_KEPT)
    world.look()
    assert (lasting.looked, failing.looked) == (1, 2)


def test_what_came_to_no_end_is_not_started_again_at_once() -> None:
    """A lease that ends over a chart that hangs for many targets: the next try goes on behind what hung."""
    hanging = Scripted([Broken("asleep"), Told()])
    world = World((hanging,))
    first = world.look()
    world.memory.pass_time(BROKEN_KEPT - 1)
    assert world.look() == first
    assert hanging.looked == 1


def test_a_retry_whose_lease_ends_goes_on_with_what_it_has_found() -> None:
    first, second = Scripted([Broken("asleep")]), Scripted([Told()], name="secrets")
    world = World((first, second))
    key = world.look().key
    look_again(world.memory, key)
    calls: list[int] = []

    def still_mine() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        world.look(still_mine)
    world.look()
    assert first.looked + second.looked == 4
    assert world.known()[1] is False


def test_a_retry_during_a_look_is_not_lost() -> None:
    """Whoever wrote it did so after the look began, and waits for another."""
    world = World((Scripted([Told((ERROR,)), Told((ERROR,)), Told()]),))
    first = world.look()
    look_again(world.memory, first.key)
    world.look(lambda: look_again(world.memory, first.key))
    world.memory.pass_time(KEPT - 1)
    assert world.known()[1] is True
    assert world.look().findings == ()
    assert world.known()[1] is False


def test_a_retry_is_not_forgotten_while_validators_are_away() -> None:
    world = World((Scripted([Told((ERROR,)), Told()]),))
    look_again(world.memory, world.look().key)
    world.memory.pass_time(BROKEN_KEPT)
    assert world.look().findings == ()


def test_a_lease_that_ends_stops_the_look_and_keeps_what_is_done() -> None:
    first, second = Scripted([Told()]), Scripted([Told()], name="secrets")
    world, calls = World((first, second)), []

    def still_mine() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        world.look(still_mine)
    world.look()
    assert first.looked + second.looked == 2
