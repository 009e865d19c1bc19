"""Runs every measurement and prints one table; `--json FILE` writes the figures as well."""

import argparse
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from tests.bench import codeowners, comments, promotion, receiver, secrets, validation
from tests.bench.figures import Row

BENCHES: Mapping[str, Callable[[int], list[Row]]] = {
    "receiver": receiver.measure,
    "promotion": promotion.measure,
    "codeowners": codeowners.measure,
    "comments": comments.measure,
    "secrets": secrets.measure,
    "validation": validation.measure,
}
HEAD = ("what", "Towpath", "yardstick", "ratio", "how")


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("only", nargs="*", help=f"some of {', '.join(BENCHES)}")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    rows = [
        row for name, bench in BENCHES.items() if not asked.only or name in asked.only for row in bench(asked.rounds)
    ]
    table = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    if asked.json is not None:
        asked.json.write_text(json.dumps([row.values() for row in rows], indent=2) + "\n")


main()
