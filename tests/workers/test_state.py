"""`towpath state`, on the command line, against a forge over HTTP."""

from pathlib import Path

from click.testing import CliRunner

from policies.state import BRANCH, Hold, Person, State
from tests.flows.town import FORGE, PROJECT, Town, towns
from workers.cli import state
from workers.hands import Hands
from workers.state import record


def run(town: Town, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(state.command, arguments, env=town.environment(town.url))
    return done.exit_code, done.output


def test_what_an_operator_sees_and_does(tmp_path: Path, redis_url: str) -> None:
    with towns(tmp_path, redis_url, "gitlab") as town:
        name = f"{FORGE}:{PROJECT}"
        code, text = run(town, "init")
        assert code == 0 and text.endswith(f"{name}: {BRANCH} begins with an empty state\n")
        context = town.world.context(FORGE, PROJECT)
        hold = Hold(by=Person(id=2, name="maria"), at=town.now, where="", reason="night")
        hands = Hands(town.world.identity, town.world.clock, lambda: None)
        record(context, hands, lambda _: State(holds=(hold,)), "@maria: /hold night", "")
        code, text = run(town, "show", name)
        assert code == 0 and "reason: night" in text and "name: maria" in text
        code, text = run(town, "init", name)
        assert code == 1 and "stands and is Towpath's own; --replace begins anew" in text
        code, text = run(town, "init", "--replace")
        assert code == 0 and "begins with an empty state, after " in text
        assert "night" not in run(town, "show")[1]
        code, text = run(town, "show", "main:no/such")
        assert code == 1 and "settings name no such config repository" in text
