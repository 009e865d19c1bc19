"""The one answer to a comment with commands: each line with what became of it, at which head."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.commands.lines import Mistake
from policies.commands.model import Comment, Done, Refused
from policies.wording.quote import code, fit
from policies.wording.steering import sentence

MARK = "<!-- towpath:answer {} -->"
_MARKED = re.compile(r"\A<!-- towpath:answer ([0-9]{1,19}) -->")
DONE, REFUSED, SEEN, LEFT = "🎉", "👎", "👀", "⏸️"


@dataclass(frozen=True, slots=True)
class Said:
    """One line of a comment that is a command, and what became of it."""

    line: str
    result: Done | Refused | Mistake


def answer(comment: Comment, head: str | None, results: Sequence[Said]) -> str:
    """The comment that answers: the hidden mark first, then the lines; `head` is what they acted on."""
    refused = any(not isinstance(one.result, Done) for one in results)
    at = f" at {code(head[:12])}" if head else ""
    lines = [f"{code(f'@{comment.author.username}')}{at}:"]
    if refused and len(results) > 1:
        lines.append("None of these was done, because one of them cannot be: all or none.")
    lines += [_one(one, refused) for one in results]
    return fit("\n\n".join([MARK.format(comment.id), *lines]))


def answered(body: str) -> int | None:
    """The number of the comment that a comment answers; None where it is no answer.

    Anybody can write the mark: only a comment of Towpath's own account says it."""
    found = _MARKED.match(body)
    return int(found[1]) if found else None


def reaction(results: Sequence[Said]) -> str:
    """What to react with: done, refused, or seen where a second person is waited for."""
    if any(not isinstance(one.result, Done) for one in results):
        return REFUSED
    return SEEN if any(isinstance(one.result, Done) and one.result.seen_only for one in results) else DONE


def _one(said: Said, refused: bool) -> str:
    line, result = code(said.line), said.result
    if isinstance(result, Mistake):
        return f"{REFUSED} {line}\n\n{_mistake(result)}"
    if isinstance(result, Refused):
        return f"{REFUSED} {line}\n\n{result.answer}"
    if refused:
        return f"{LEFT} {line}: not done."
    return f"{SEEN if result.seen_only else DONE} {line}\n\n{result.answer}"


def _mistake(one: Mistake) -> str:
    """What is wrong with a line, and the nearest right command."""
    near = f"; did you mean {code(f'/{one.nearest}')}?" if one.nearest else "."
    return f"{sentence(one.reason)}{near} `/help` lists the commands."
