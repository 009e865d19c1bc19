"""Who owns 10,000 paths by 5,000 rules, beside PyPI's `codeowners`, which tries one rule after the other."""

import gc
import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from codeowners import CodeOwners as Yardstick

from policies.codeowners import Dialect, parse
from tests.bench.figures import Row

T = TypeVar("T")
RULES = 5_000
PATHS = 10_000
FOLDERS = 9_000
COMMON = ("docs", "tests", "fixtures", "migrations", "vendor", "charts", "locales", "internal", "assets", "scripts")
ENDINGS = ("py", "rb", "go", "js", "ts", "md", "yaml", "json", "tf", "sql")


class Land:
    """A made-up repository of 9,000 folders, paths in some of them and rules; the same each time."""

    def __init__(self, touched: int) -> None:
        self.chance = random.Random(1)
        self.words = [f"{word}{number}" for word in ("app", "lib", "api", "db", "ui", "ops") for number in range(40)]
        self.folders = ["/".join(self.some(2, 5) + self.some_common()) for _ in range(FOLDERS)]
        self.paths = [f"{self.chance.choice(self.folders[:touched])}/{self.name()}" for _ in range(PATHS)]

    def some(self, least: int, most: int) -> list[str]:
        return self.chance.choices(self.words, k=self.chance.randint(least, most))

    def some_common(self) -> list[str]:
        return self.chance.choices(COMMON, k=self.chance.choice((0, 0, 1)))

    def name(self) -> str:
        return f"{self.chance.choice(self.words)}_{self.chance.randint(1, 400)}.{self.ending()}"

    def plain(self) -> str:
        """A pattern as files have them: most name a folder, some an ending, a name or a depth."""
        place, common = self.chance.choice(self.folders), self.chance.choice(COMMON)
        top = "/".join(place.split("/")[: self.chance.randint(2, 4)])
        kinds = {
            f"/{place}/": 40,
            f"/{top}/": 15,
            f"/{place}/{self.name()}": 15,
            f"/{top}/*.{self.ending()}": 10,
            f"/{top}/**/{common}/": 5,
            f"**/{common}/{self.some(1, 1)[0]}/": 5,
            f"{self.some(1, 1)[0]}_*.{self.ending()}": 5,
            f"{top}/*": 5,
        }
        return self.chance.choices(list(kinds), list(kinds.values()))[0]

    def wild(self) -> str:
        """A pattern with a wildcard in each segment, that matches a few of the paths or none."""
        start = self.chance.choice(("/", "/", "**/"))
        folders = "/".join(self.wildcard(word) for word in self.some(2, 4))
        return f"{start}{folders}/{self.chance.choice(('**/', ''))}*_{self.chance.randint(1, 40)}*.{self.ending()}"

    def wildcard(self, word: str) -> str:
        return self.chance.choice((f"{word[:-1]}*", f"{word[:3]}*{word[-1]}", f"?{word[1:]}", f"*{word[1:]}*"))

    def ending(self) -> str:
        return self.chance.choice(ENDINGS)

    def rules(self, pattern: Callable[[], str]) -> list[str]:
        """As many as are asked for, the first for everything."""
        patterns = ["*", *(pattern() for _ in range(RULES - 1))]
        return [f"{pattern} @owner-{number} @team/{number % 50}" for number, pattern in enumerate(patterns)]


def measure(rounds: int) -> list[Row]:
    """Each round: ours over all paths with nothing remembered, the yardstick over its share of them."""
    scattered, clustered = Land(FOLDERS), Land(FOLDERS // 10)
    kinds = {
        "paths in 9,000 folders": (scattered, scattered.rules(scattered.plain)),
        "paths in 900 folders": (clustered, clustered.rules(clustered.plain)),
        "nothing but wildcards": (scattered, scattered.rules(scattered.wild)),
    }
    return [row for name, (land, rules) in kinds.items() for row in _rows(name, land.paths, rules, rounds)]


def _rows(name: str, paths: Sequence[str], rules: list[str], rounds: int) -> list[Row]:
    text = "\n".join(rules)
    size = len(rules) // 10
    sections = "\n".join(line for at in range(10) for line in (f"[Part {at}]", *rules[at * size : (at + 1) * size]))
    parsed, matched = _ours("github", text, paths, rounds)
    _, gitlab = _ours("gitlab", sections, paths, rounds)
    reading, looking = _yardstick(text, paths, rounds)
    how = f"{RULES:,} rules x {PATHS:,} paths, median of {rounds}; yardstick: PyPI codeowners, each path once"
    return [
        Row(f"owners, {name}: GitHub", PATHS / matched, PATHS / looking, "/s", how),
        Row(f"owners, {name}: GitLab, 10 sections", PATHS / gitlab, PATHS / looking, "/s", how),
        Row(f"owners, {name}: parse", parsed * 1000, reading * 1000, "ms", how),
    ]


def _ours(dialect: Dialect, text: str, paths: Sequence[str], rounds: int) -> tuple[float, float]:
    """Seconds to parse and to look all paths up, medians."""
    parsing, matching = [], []
    for _ in range(rounds):
        spent, owners = _timed(lambda: parse(dialect, text))
        parsing.append(spent)
        spent, _found = _timed(partial(_each, owners.rules_for, paths))
        matching.append(spent)
    return statistics.median(parsing), statistics.median(matching)


def _yardstick(text: str, paths: Sequence[str], rounds: int) -> tuple[float, float]:
    """Seconds to parse, median, and to look all paths up, added; the answers must be the same as ours."""
    ours = parse("github", text)
    parsing, matching = [], 0.0
    for number in range(rounds):
        spent, theirs = _timed(lambda: Yardstick(text))
        parsing.append(spent)
        share = paths[number::rounds]
        spent, lines = _timed(partial(_each, theirs.matching_line, share))
        matching += spent
        if [line for _, line, *_ in lines] != [
            next((rule.line for rule in ours.rules_for(path)), None) for path in share
        ]:
            raise RuntimeError("the yardstick and Towpath disagree")
    return statistics.median(parsing), matching


def _each(look: Callable[[str], T], paths: Sequence[str]) -> list[T]:
    return [look(path) for path in paths]


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds of this process's own time; what lives already is kept out of the collector's way."""
    gc.collect()
    gc.freeze()
    began = time.process_time()
    result = work()
    spent = time.process_time() - began
    gc.unfreeze()
    return spent, result
