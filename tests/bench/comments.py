"""How long the longest comment that is read takes, in the forms that make parsers slow; beside parsing it once."""

import time
from collections.abc import Callable

from markdown_it import MarkdownIt

from bot.comments import LONGEST, candidate_lines
from tests.bench.figures import Row

PARTS = ("[", "![](", "[a][", "> ", "> a\n", "- a\n", "|-|\n", "`", "*a ", "<!--", "<div>")


def measure(rounds: int) -> list[Row]:
    """The slowest form, by processor time."""
    found = [_row(part, rounds) for part in PARTS]
    return [max(found, key=lambda row: row.ours)]


def _row(part: str, rounds: int) -> Row:
    body = ("[^1]: /x\n/hold\n\n" + part * LONGEST)[:LONGEST]
    plain = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    ours = min(_seconds(lambda: candidate_lines(body)) for _ in range(rounds))
    once = min(_seconds(lambda: plain.parse(body)) for _ in range(rounds))
    return Row(f"comment of {LONGEST:,} characters of {part!r}", ours, once, "s", "both forges' readings; parsed once")


def _seconds(do: Callable[[], object]) -> float:
    started = time.process_time()
    do()
    return time.process_time() - started
