"""Finds secrets in text: known tokens, values under secret-like names, random strings, and where each stands."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain

from bot.validators.secret_lines import Line, Zone, lines
from bot.validators.secret_names import Says, says
from bot.validators.secret_shapes import (
    AUTHORIZATION,
    CREDENTIALS_IN_URL,
    PASSWORD_HASHES,
    SHAPES,
    WORDS,
    Shape,
    decoded,
    is_public,
    is_random,
)
from bot.validators.secret_values import Value, cleared, is_sealed, kind


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a line that is, or may be, a secret; columns are counted from 0."""

    start: int
    end: int
    rule: str
    is_sure: bool = True
    key: str = ""
    """The name under which it stands."""
    public: int = 0
    """How many of its first characters may be shown."""


_INLINE = re.compile(
    r"(?<![\w.-])(?:-{0,2}(?P<key>[A-Za-z_][\w.-]{1,80})[\"']?\s{0,40}(?:=>|[:=])\s{0,40}"
    r"|--(?P<flag>[A-Za-z][\w-]{1,80}) {1,3}(?=[^\s-]))"
)
_ELEMENT = re.compile(
    r"<(?P<key>[A-Za-z_][\w.:-]{1,80})>\s{0,40}(?P<value>[^<>\s](?:[^<>]{0,4000}[^<>\s])?)\s{0,40}</(?P=key)>"
)
_DIRECTIVE = re.compile(
    # redis.conf; netrc(5), on one line and on several
    r"(?:^\s{0,200}|\b(?:login|user) {1,4}\S{1,200} {1,4})"
    r"(?P<key>[A-Za-z][\w.-]{2,80})[ \t]{1,40}(?P<quote>[\"']?)(?P<value>[^\s:=\"']\S{0,300}?)(?P=quote)\s{0,40}$"
)
_DIRECTIVES = {"requirepass", "masterauth"}
_BARE = re.compile(r"[^\s\"'&;]{1,4000}")
_ANCHOR = re.compile(r"[&!](?!(?:vault|Ref|Sub|secret)\b)[\w./-]{1,60} {1,4}")
_COMMENT = re.compile(r"\s#")
_CODE = re.compile(r"[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){1,6}|[A-Za-z_][\w.]{0,100}\(.{0,4000}")
IDLE = re.compile(r"[^:=$ \n]{0,15}")
"""One word, too short for any token, beside no name: most lines and most values are, so they are not looked at."""
_QUOTED = 4000
"""Characters after which a quoted value is taken to be at its end."""


def scan(text: str) -> Iterator[tuple[Line, tuple[Span, ...]]]:
    """Each line with the secrets on it, left to right, not overlapping; in one pass."""
    shapes = tuple(shape for shape in SHAPES if shape.hint in text)
    in_key = False
    for line in lines(text):
        begins = line.text.find("-----BEGIN") if "PRIVATE KEY" in line.text else -1
        if begins >= 0 or in_key:
            in_key = "-----END" not in line.text
            yield line, _key_body(line.text, max(begins, 0))
        elif not line.label and IDLE.fullmatch(line.text):
            yield line, ()
        else:
            yield line, merged(_spans(line, shapes))


def _key_body(text: str, begins: int) -> tuple[Span, ...]:
    left = text[begins:]
    start = begins + len(left) - len(left.lstrip())
    return (Span(start, len(text), "private-key"),) if left.strip() else ()


def merged(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Those that overlap as one, which has the name of the surest."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, not one.is_sure)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
            continue
        last = kept[-1]
        best = span if span.is_sure and not last.is_sure else last
        shown = best.public if best.start == last.start else 0
        kept[-1] = replace(best, start=last.start, end=max(last.end, span.end), public=shown)
    return tuple(kept)


def _spans(line: Line, shapes: tuple[Shape, ...]) -> Iterator[Span]:
    yield from _known(line.text, shapes)
    if line.zone is Zone.sealed and is_sealed(line.text[line.pair[1] if line.pair else 0 :].strip().strip("\"'")):
        return
    yield from _under_name(line)
    text = cleared(line.text, sealed=line.zone is Zone.sealed)
    yield from chain(_inline(text), _elements(text), _directive(text))
    if line.zone is not Zone.encoded:
        yield from _random(text)


def _known(text: str, shapes: tuple[Shape, ...]) -> Iterator[Span]:
    for shape in shapes:
        if shape.hint in text:
            for found in shape.pattern.finditer(text):
                yield Span(*found.span(), shape.rule, public=shape.public)
    if "://" in text:
        yield from _valued(CREDENTIALS_IN_URL, text, "credentials-in-url")
    if "asic " in text or "earer " in text:
        yield from _valued(AUTHORIZATION, text, "authorization")
    if "$" in text:
        for found in PASSWORD_HASHES.finditer(text):
            yield Span(*found.span(), "password-hash", is_sure=False)


def _valued(pattern: re.Pattern[str], text: str, rule: str) -> Iterator[Span]:
    for found in pattern.finditer(text):
        what = kind(found["value"])
        if what in {Value.other, Value.default} or (what is Value.name and rule == "credentials-in-url"):
            yield Span(*found.span("value"), rule, what is not Value.default)


def _under_name(line: Line) -> Iterator[Span]:
    """The value that stands under a name of this line or of one before it."""
    if line.pair is None or (line.label and line.pair[0] != "value"):
        name, at = line.label, 0
        if not name:
            return
    else:
        name, at = line.label or line.pair[0], line.pair[1]
    start, end = _extent(line.text, at)
    if start == end:
        return
    found = judged(name, line.text[start:end])
    if found is None and line.zone is Zone.secret and line.text[:1].isspace():
        found = _in_secret(name, line.text[start:end])
    if found is not None:
        yield replace(found, start=start, end=end)


def _extent(text: str, at: int) -> tuple[int, int]:
    """Where a YAML value begins and ends, without its quotes, anchor and comment."""
    while at < len(text) and text[at] in " \t-" and text[at : at + 2] != "--":
        at += 1
    anchor = _ANCHOR.match(text, at)
    at = anchor.end() if anchor else at
    if text[at : at + 1] in {'"', "'"}:
        end = text.rfind(text[at], at + 1)
        return (at + 1, end) if end > at else (at + 1, len(text))
    comment = _COMMENT.search(text, at)
    end = len(text[: comment.start() if comment else len(text)].rstrip())
    return at, max(at, end)


def judged(name: str, value: str) -> Span | None:
    """What is wrong with a value under a name, if anything, by what is written there; the columns are 0."""
    return None if value[:1] in {"{", "*"} and value[:2] != "{{" else valued(says(name), name, value)


def valued(said: Says, name: str, value: str) -> Span | None:
    """What is wrong with a text that stands as a value where so much is said of it; the columns are 0."""
    if said is Says.nothing:
        return None
    what = kind(value)
    if said is Says.surely and what is Value.default:
        return Span(0, 0, "default-password", is_sure=False, key=name)
    if said is Says.surely and what in {Value.name, Value.other}:
        is_prose = len(value) > 20 and value.count(" ") > 2 and value[:2] != "{{"
        return Span(0, 0, "secret-value", len(value) > 3 and not is_prose, name)
    if said is Says.maybe and what is Value.other and _is_mixed(value):
        return Span(0, 0, "secret-value", key=name)
    return None


def _is_mixed(value: str) -> bool:
    kinds = sum(any(map(one, value)) for one in (str.islower, str.isupper, str.isdigit))
    return len(value) >= 6 and kinds > 1 and " " not in value


def _in_secret(name: str, value: str) -> Span | None:
    if kind(value) in {Value.nothing, Value.identifier} or is_public(value) or value[:1] in {"{", "|", ">"}:
        return None
    return Span(0, 0, "secret-manifest", key=name)


def _inline(text: str) -> Iterator[Span]:
    """`key=value`, `"key": "value"` and `--key value` anywhere on the line."""
    at = 0
    while found := _INLINE.search(text, at):
        at = found.end()
        name = found["key"] or found["flag"]
        if says(name) is Says.nothing:
            continue
        start, end = _inline_extent(text, at)
        value = text[start:end].rstrip(",)}]")
        if value.startswith("["):  # of a list the first item
            start, value = start + 1, value[1:]
        told = None if _CODE.fullmatch(value) else judged(name, value)
        if told is not None:
            yield replace(told, start=start, end=start + len(value))
            at = end


def _elements(text: str) -> Iterator[Span]:
    """`<password>value</password>`."""
    for found in _ELEMENT.finditer(text) if "</" in text else ():
        told = judged(found["key"], found["value"])
        if told is not None:
            yield replace(told, start=found.start("value"), end=found.end("value"))


def _directive(text: str) -> Iterator[Span]:
    """`requirepass value`; where other words stand so, as in prose, only a value that is no word."""
    found = _DIRECTIVE.search(text)
    if found is None or says(found["key"]) is not Says.surely:
        return
    told = judged(found["key"], found["value"])
    is_one = found["key"].lower() in _DIRECTIVES or (kind(found["value"]) is Value.other and _is_mixed(found["value"]))
    if told is not None and is_one:
        yield replace(told, start=found.start("value"), end=found.end("value"))


def _inline_extent(text: str, at: int) -> tuple[int, int]:
    quote = text[at : at + 1]
    if quote in {'"', "'"}:
        end = text.find(quote, at + 1, at + _QUOTED)
        return at + 1, end if end >= 0 else min(len(text), at + _QUOTED)
    bare = _BARE.match(text, at)
    return (at, bare.end()) if bare else (at, at)


def _random(text: str) -> Iterator[Span]:
    for found in WORDS.finditer(text):
        word = found[0]
        inside = decoded(word) if is_random(word) else ""
        if inside is None or _holds_secret(inside):
            yield Span(*found.span(), "high-entropy", is_sure=False)


def _holds_secret(text: str) -> bool:
    """Whether what stood in base64 is more than harmless text."""
    shapes = tuple(shape for shape in SHAPES if shape.hint in text)
    pairs = any(True for line in text.splitlines() for _ in (*_known(line, shapes), *_inline(line)))
    return (
        pairs or any(is_random(word[0]) for word in WORDS.finditer(text)) or _USER.fullmatch(text.strip()) is not None
    )


_USER = re.compile(r"[\w.@-]{1,60}:[^\s:]{4,200}")
"""`user:password`, as HTTP's Basic and a registry's `auth` have it (RFC 7617)."""
