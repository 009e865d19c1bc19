"""GitHub's dialect (github/docs, `about-code-owners.md`; what it leaves open is as gitignore has it)."""

import re
from itertools import takewhile
from typing import Final

from policies.codeowners.matcher import Pattern
from policies.codeowners.model import DEFAULT, SPACES, CodeOwners, Fault, Rule
from policies.codeowners.segments import GAP, Step, steps_of

LOCATIONS: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
TOO_LARGE: Final = 3 * 1024 * 1024
"""Bytes from which on GitHub does not load the file at all."""

_PATTERN = re.compile(r"(?:\\.|\S)+", re.ASCII)
_ESCAPED = re.compile(r"\\.")
_OWNER = re.compile(r"@[a-z0-9_-]+(?:/[a-z0-9._-]+)?|[^@\s]+@[^@\s]+", re.ASCII | re.IGNORECASE)
_WORD = re.compile(r"\S+", re.ASCII)


def parse(text: str) -> CodeOwners:
    """A file's rules, of which the last that matches a path decides.

    A line with a fault is left out. A rule without owners that decides is given: nobody owns the path."""
    if len(text.encode(errors="surrogatepass")) >= TOO_LARGE:
        return CodeOwners((), (Fault(1, "file_too_large"),), lambda _: ())
    read = [_line(number, line.strip(SPACES)) for number, line in enumerate(text.split("\n"), 1)]
    rules = [found for found in read if isinstance(found, Rule)]

    def decide(matching: frozenset[int]) -> tuple[Rule, ...]:
        return (rules[max(matching)],) if matching else ()

    errors = tuple(found for found in read if isinstance(found, Fault))
    return CodeOwners([_pattern(rule.pattern) for rule in rules], errors, decide)


def _line(number: int, line: str) -> Rule | Fault | None:
    """What a line says; a `#` after white space begins a comment."""
    found = _PATTERN.match(line)
    if found is None or line.startswith("#"):
        return None
    pattern = found[0]
    if _is_invalid(pattern):
        return Fault(number, "invalid_pattern")
    words = _WORD.findall(line, found.end())
    owners = list(takewhile(lambda word: not word.startswith("#"), words))
    if not all(_OWNER.fullmatch(owner) for owner in owners):
        return Fault(number, "invalid_owner")
    lowered = tuple(dict.fromkeys(owner.lower() for owner in owners))
    return Rule(DEFAULT, pattern, number, lowered, optional=False, approvals=0)


def _is_invalid(pattern: str) -> bool:
    """No negation, no escaped comment, no range, no `***`; a backslash at the end escapes nothing (gitignore)."""
    bare = _ESCAPED.sub("x", pattern)
    return pattern.startswith(("!", "\\#")) or any(text in bare for text in ("[", "]", "***", "\\"))


def _pattern(pattern: str) -> Pattern:
    """An inner or leading slash ties a pattern to the top; whatever it matches is owned with all below it.

    But a slash at the end asks for a folder, and `/*` at the end for one level (other than in gitignore). `/` never
    matches."""
    body = pattern.removeprefix("/")
    folder, body = body.endswith("/"), body.removesuffix("/")
    if not body:
        return Pattern((), itself=False)
    start: tuple[Step, ...] = () if "/" in pattern[:-1] else (GAP,)
    steps = start + (steps_of(body) or ())
    flat = not folder and (body.endswith("/*") or pattern == "/*")
    return Pattern(steps, itself=not folder, below=not flat)
