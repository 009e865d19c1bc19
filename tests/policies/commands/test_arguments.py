"""What stands behind a command's name: services, stages, times, releases, and the text after them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from policies.commands import COMMANDS
from policies.commands.arguments import Arguments, Known, own_unit, read, service_named, with_defaults
from policies.commands.model import Declined, Takes
from tests import builders as a
from tests.policies.commands import scenes as s

ALL = Takes(frozenset({"service", "stage", "until", "for", "to", "back", "all", "everywhere"}), text=True)
WORDS = Takes(frozenset({"service", "stage", "to"}), others=1)
SLIP = "`paymets` is no service or stage here; did you mean `payments`?"
TWO = a.NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("text", "takes", "found"),
    [
        ("/hold", ALL, Arguments()),
        ("/hold payments", ALL, Arguments(service="payments")),
        ("/hold ring-1", ALL, Arguments(stage="ring-1")),
        ("/hold payments ring-1 it broke", ALL, Arguments("payments", "ring-1", text="it broke")),
        ("/hold ring-1 payments it broke", ALL, Arguments("payments", "ring-1", text="it broke")),
        ("/hold service=payments stage=ring-1 it broke", ALL, Arguments("payments", "ring-1", text="it broke")),
        ("/hold payments for 2h it broke", ALL, Arguments("payments", until=TWO, text="it broke")),
        ("/hold payments until 2026-05-04T14:00 x y", ALL, Arguments("payments", until=TWO, text="x y")),
        ("/hold payments until 2026-05-04 14:00 x y", ALL, Arguments("payments", until=TWO, text="x y")),
        ("/hold payments for=2h x", ALL, Arguments("payments", until=TWO, text="x")),
        ("/hold payments it broke for 2h", ALL, Arguments("payments", until=TWO, text="it broke")),
        ('/hold payments "it broke" for 2h', ALL, Arguments("payments", until=TWO, text="it broke")),
        ("/hold a=b payments x for 2h", Takes(text=True), None),
        ("/hold payments it broke for ages", ALL, Arguments("payments", text="it broke for ages")),
        ("/hold payments reason=broke", ALL, Arguments("payments", text="broke")),
        ("/hold payments broke x=1", ALL, Arguments("payments", text="broke x=1")),
        ("/hold payments broke x=1 for 2h", ALL, Arguments("payments", until=TWO, text="broke x=1")),
        ("/hold payments payments broke", ALL, Arguments("payments", text="payments broke")),
        ("/hold all broke", ALL, Arguments(flags=frozenset({"all"}), text="broke")),
        ('/hold "payments" broke', ALL, Arguments("payments", text="broke")),
        ('/hold "paymentz broke"', ALL, Arguments(text="paymentz broke")),
        ('/hold "for" 2h', ALL, Arguments(text='"for" 2h')),
        ("/hold 2 back broke", ALL, Arguments(back=2, text="broke")),
        ("/hold 2 broke", ALL, Arguments(text="2 broke")),
        ("/hold everywhere to v1 broke", ALL, Arguments(flags=frozenset({"everywhere"}), release="v1", text="broke")),
        ("/promote payments to ring-1 v2", WORDS, Arguments("payments", "ring-1", others=("v2",))),
        ("/promote v2 to ring-1 payments", WORDS, Arguments("payments", "ring-1", others=("v2",))),
        ("/promote to v2", WORDS, Arguments(release="v2")),
        ("/promote to=ring-1", WORDS, Arguments(stage="ring-1")),
        ("/promote to", WORDS, Arguments(others=("to",))),
    ],
)
def test_what_is_understood(text: str, takes: Takes, found: Arguments | None) -> None:
    if found is None:
        with pytest.raises(Declined):
            read(s.situation(), s.call(text), takes)
        return
    assert read(s.situation(), s.call(text), takes) == found


@pytest.mark.parametrize(
    ("text", "takes", "why"),
    [
        ("/promote payments v1 v2", WORDS, "`v2` is no service or stage here; and nothing else is expected there."),
        ("/promote v1 paymets", WORDS, "`paymets` is no service or stage here; did you mean `payments`?"),
        ("/promote payments ledger", WORDS, "Two services are named: `payments` and `ledger`."),
        ("/promote ring-1 to ring-2", WORDS, "Two stages are named: `ring-1` and `ring-2`."),
        ("/promote service=payment", WORDS, "`payment` is no service or stage here; did you mean `payments`?"),
        ("/promote x=1", WORDS, "`x=` is nothing that this command knows."),
        ("/promote for=2h", WORDS, "`for=` is nothing that this command knows."),
        ("/promote to=v2 reason=x", WORDS, "`reason=` is nothing that this command knows."),
        (
            "/hold paymets it broke",
            ALL,
            f"{SLIP} If it begins the reason, put the reason into quotes.",
        ),
        ("/hold payments ledger are down", ALL, "Two services are named: `payments` and `ledger`."),
        ("/hold payments 0 back x", ALL, "Count from `1 back`, the release before the present one."),
        (f"/hold payments {'x' * 301}", ALL, "The reason is longer than 300 characters."),
    ],
)
def test_what_is_not_understood_says_the_nearest(text: str, takes: Takes, why: str) -> None:
    with pytest.raises(Declined) as unclear:
        read(s.situation(), s.call(text), takes)
    assert str(unclear.value) == why


def test_a_time_that_is_none() -> None:
    with pytest.raises(Declined, match=r"`never`: that is no time; write `30m`"):
        read(s.situation(), s.call("/hold payments until never x"), ALL)


def test_a_name_of_both_kinds_has_to_be_told_apart() -> None:
    both = replace(s.situation(), services=("ring-1", "payments"))
    with pytest.raises(Declined) as unclear:
        read(both, s.call("/hold ring-1 broke"), ALL)
    assert str(unclear.value) == ("`ring-1` is both a service and a stage: write `service=ring-1` or `stage=ring-1`.")
    assert read(both, s.call("/hold payments ring-1 broke"), ALL) == Arguments("payments", "ring-1", text="broke")


def test_a_service_called_all_is_a_service() -> None:
    found = read(replace(s.situation(), services=("all",)), s.call("/hold all broke"), ALL)
    assert found == Arguments("all", text="broke")


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("/hold payments broke", "payments"),
        ("/hold because payments broke", None),
        ("/rollback ring-1 ledger broke", "ledger"),
        ("/merge", None),
        ("/override checks payments is urgent", None),
        ("/promote v2 payments", "payments"),
        ("/promote payments ledger", None),
    ],
)
def test_which_unit_has_to_be_read_first(text: str, service: str | None) -> None:
    found = s.call(text)
    command = next(one for one in COMMANDS if one.name == found.name)
    assert service_named(command, found, Known(s.SERVICES, ("nonprod", "ring-1"), a.NOW)) == service


def test_on_a_promotion_the_defaults_are_its_own() -> None:
    assert with_defaults(s.on_promotion(), Arguments()) == Arguments("payments", "ring-2")
    assert with_defaults(s.on_promotion(), Arguments(stage="ring-1")) == Arguments("payments", "ring-1")
    assert with_defaults(s.on_promotion(), Arguments("ledger")) == Arguments("ledger")
    assert with_defaults(s.situation(), Arguments()) == Arguments()


def test_whose_promotion_it_is_stands_in_its_branch() -> None:
    assert own_unit(s.on_promotion(on=s.request(unit="ledger"))) == "ledger"
    assert own_unit(s.on_promotion(on=a.request(source_branch="renamed"))) == "payments"
    assert own_unit(s.situation(on=a.request())) is None
