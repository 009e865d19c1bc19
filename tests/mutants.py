"""Mutation testing (`make mutants`): how mutmut runs the tests, and whether every mutant that survived is judged.

As a pytest plugin it lets the quick tests go first, since the first that fails ends a mutant, and keeps Hypothesis to
a few examples. As a program it holds mutmut's results against the table in docs/mutants.md."""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from hypothesis import Phase, settings
from mutmut.mutation.diff_apply import get_diff_for_mutant

EXAMPLES = 25
ROOT = Path(__file__).parent.parent
WORK, TABLE = ROOT / "mutants", ROOT / "docs" / "mutants.md"
KILLED, TIMED_OUT = (1, 3), (-24, 24, 36, 152, 255)
"""mutmut's codes; any other, also that no test reaches the function, is a mutant that survived."""

_ROW = re.compile(r"^\| `([^`]+)` \| (`+) ?(.+?) ?\2 \| .+ \|$", re.MULTILINE)
_NAME = re.compile(r"policies\.(?P<module>.+)\.x(?:_|ǁ(?P<owner>.+)ǁ)(?P<function>.+)__mutmut_\d+")


def pytest_configure() -> None:
    """That a test fails is enough: no example is made smaller."""
    phases = (Phase.explicit, Phase.generate)
    settings.register_profile("mutants", settings.get_profile("ci"), max_examples=EXAMPLES, phases=phases)
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The quickest first, as mutmut has measured them in the folder where it runs them."""
    stats = Path("mutmut-stats.json")
    known = json.loads(stats.read_text("utf-8"))["duration_by_test"] if stats.exists() else {}
    items.sort(key=lambda item: float(known.get(item.nodeid, 0)))


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed function; numbers in mutmut's names move with every edit, so it is known by what the line became."""

    function: str
    line: str


def results() -> Iterator[tuple[str, Path, int | None]]:
    """Name, file and mutmut's code of every mutant."""
    for file in sorted(WORK.glob("policies/**/*.meta")):
        source = file.relative_to(WORK).with_suffix("")
        for name, code in json.loads(file.read_text("utf-8"))["exit_code_by_key"].items():
            yield name, source, code


def mutant(name: str, source: Path) -> Mutant:
    """What a mutant is: the lines that it has, or those that it lacks where it has none of its own."""
    lines = get_diff_for_mutant(name, path=source).splitlines()[2:]
    changed = [line for line in lines if line.startswith("+")] or [line for line in lines if line.startswith("-")]
    text = " ".join(line[1:].strip() for line in changed)
    found = _NAME.fullmatch(name)
    assert found is not None, name
    function = ".".join(filter(None, found.group("module", "owner", "function")))
    return Mutant(function, text if changed[0].startswith("+") else f"without {text}")


def row(one: Mutant, why: str) -> str:
    """A line of the table."""
    mark = "``" if "`" in one.line else "`"
    text = one.line.replace("|", "\\|")
    return f"| `{one.function}` | {mark}{text}{mark} | {why} |"


def judged() -> frozenset[Mutant]:
    """The mutants in the table."""
    rows = _ROW.findall(TABLE.read_text("utf-8"))
    return frozenset(Mutant(function, line.replace("\\|", "|")) for function, _, line in rows)


def main() -> int:
    """Print what survived, and fail where something of it is not judged."""
    codes = {(name, source): code for name, source, code in results()}
    survived = [mutant(*key) for key, code in codes.items() if code not in KILLED + TIMED_OUT]
    known = judged()
    for one in survived:
        click.echo(row(one, "judged" if one in known else "NOT JUDGED"))
    for one in known.difference(survived):
        click.echo(f"no longer survives, take it out of docs/mutants.md: {row(one, '')}")
    unjudged = sum(one not in known for one in survived)
    count = Counter(code in KILLED for code in codes.values())
    click.echo(
        f"{len(codes)} mutants: {count[True]} killed, {count[False] - len(survived)} timed out, "
        f"{len(survived)} survived, {unjudged} of them not judged in docs/mutants.md"
    )
    return 1 if unjudged or not codes else 0


if __name__ == "__main__":
    sys.exit(main())
