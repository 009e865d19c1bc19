"""What a pattern matches, found the slow way: by trying everything. Shares nothing with the automaton."""

from collections.abc import Sequence
from functools import cache


def fnmatch(pattern: str, path: str) -> bool:
    """Ruby's `File.fnmatch?` with FNM_DOTMATCH and FNM_PATHNAME, for patterns whose brackets hold no slash."""

    @cache
    def folders(at: int, rest: tuple[str, ...]) -> bool:
        if at == len(parts):
            return not rest
        if parts[at] == "**" and at < len(parts) - 1:
            return folders(at + 1, rest) or (len(rest) > 1 and folders(at, rest[1:]))
        return bool(rest) and within(parts[at], rest[0]) and folders(at + 1, rest[1:])

    parts = pattern.split("/")
    return folders(0, tuple(path.split("/")))


def within(pattern: str, text: str) -> bool:
    """Whether a segment matches, each character tried by itself."""

    @cache
    def match(at: int, of: int) -> bool:
        if at == len(tokens):
            return of == len(text)
        token = tokens[at]
        if token == "*":
            return match(at + 1, of) or (of < len(text) and match(at, of + 1))
        return of < len(text) and one(token, text[of]) and match(at + 1, of + 1)

    tokens = list(cut(pattern))
    return match(0, 0)


def cut(pattern: str) -> Sequence[str]:
    """Characters, escapes and brackets; a bracket that is not closed is a token that matches nothing."""
    tokens = []
    while pattern:
        size = 1
        if pattern[0] == "\\" and len(pattern) > 1:
            size = 2
        elif pattern[0] == "[":
            size = closed(pattern)
        tokens.append(pattern[:size])
        pattern = pattern[size:]
    return tokens


def closed(pattern: str) -> int:
    """Where a bracket ends: no escapes in these tests' brackets, and `-` binds what follows unless it is `]`."""
    at = 2 if pattern[1:2] in ("!", "^") else 1
    while at < len(pattern) and pattern[at] != "]":
        at += 3 if pattern[at + 1 : at + 2] == "-" and pattern[at + 2 : at + 3] not in ("]", "") else 1
    return at + 1


def one(token: str, character: str) -> bool:
    if token == "?":
        return True
    if token[0] == "\\":
        return character == token[-1]
    if token[0] != "[":
        return character == token
    if token[-1] != "]" or token in {"[", "[]"}:
        return False
    negated = token[1] in "!^"
    inner, found = token[1 + negated : -1], False
    while inner:
        if len(inner) > 2 and inner[1] == "-":
            found |= inner[0] <= character <= inner[2] or character in (inner[0], inner[2])
            inner = inner[3:]
        else:
            found |= character == inner[0]
            inner = inner[1:]
    return found is not negated
