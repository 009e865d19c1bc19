"""Exact edits: replace or add scalars in the text itself, then prove by reading it again that nothing else changed.

The text is never written anew from its data. An edit says both what becomes of the text and what becomes of its events;
`apply` refuses unless the events of the edited text are exactly those.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.formats.locate import Entry, Place, Source
from bot.formats.refusals import Reason, Refused
from bot.yaml import MOST_EVENTS, AliasEvent, Event, ScalarEvent, Shape, Unreadable, decode, same, scalar_shape

_LINE_END = re.compile(r"\r\n|\r|\n")
_COLON = re.compile(r"[ \t]*:(?=[\s,}\]]|\Z)")
_REST_OF_LINE = re.compile(r"[ \t]*(?:[ \t]#[^\r\n]*)?(?P<end>\r\n|\r|\n|\Z)")
_BEFORE_KEY = re.compile(r"[ ]*(?:-[ \t]+)*")
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*[ \t]+)*")
_BARE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/@:+-]*[A-Za-z0-9._/@+-])?")
_STRINGS = {"", "!", "tag:yaml.org,2002:str"}

_NO_STRING = re.compile(
    r"""
      y | n | yes | no | on | off | true | false | null | nan | inf   # words of YAML 1.1 and 1.2
    | [0-9][0-9_,:.]*                    # integers and floats in base 10 and, by 1.1, base 60
    | [0-9_.]+ e [-+]? [0-9_]+           # with an exponent; 1.1 asks for its sign, most readers do not
    | 0 [box] [0-9a-f_]+
    | [0-9]{4} - [0-9]{1,2} - [0-9]{1,2} .*                            # timestamps
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Plain scalars that some reader of YAML 1.1 or 1.2 could take for no text; generous on purpose."""
_VERSION = re.compile(r"[0-9]+(?:\.[0-9]+){2,}")
"""1.2.3 is text to every reader."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Code points `start` to `end` become `text`; `removed` events from `event` on become `shapes`."""

    start: int
    end: int
    text: str
    event: int
    removed: int
    shapes: tuple[Shape, ...]
    line: int


def check_keys(place: Place, *names: str) -> None:
    """Refused where it is not certain what a mapping says under these keys, or whether it counts at all.

    That is where one of them, or a key on the way to the mapping, is written twice, or one of them as an alias."""
    below = None
    for step in place.way_up():
        for name in names if below is None else (below.name,):
            if name in step.repeated:
                raise Refused(Reason.repeated_key, step.repeated[name], name)
        below = step
    for name in names:
        if name in place.aliased:
            raise Refused(Reason.aliased_key, place.aliased[name], name)


def check_way(place: Place) -> None:
    """Refused where an anchor on the way to a mapping has an alias, so that an edit would change other places too."""
    for step in place.way_up():
        _not_followed(place, step.start)


def _not_followed(place: Place, event: Event) -> None:
    anchor = getattr(event, "anchor", None)
    if anchor and anchor in place.anchors.followed:
        raise Refused(Reason.followed, event.start_mark.line + 1, anchor)


def replacement(source: Source, place: Place, name: str, value: str) -> Edit:
    """The edit that gives the scalar under a key a new value, in its own quotes."""
    entry = place.entries[name]
    scalar = _editable(place, entry)
    text = source.text.text
    anchor, tag = scalar.anchor or "", scalar.tag or ""
    if scalar.value or scalar.style:
        start, end = _token(text, entry, scalar)
        style = _style(value, scalar.style or "", place.flow)
        written = quoted(name, value, style, entry.line)
    else:
        start = end = _after_key(text, entry)
        if anchor or tag:
            raise Refused(Reason.unusual, entry.line, name)
        style = _style(value, "", place.flow)
        written = " " + quoted(name, value, style, entry.line)
    shape = scalar_shape(value, style, anchor, tag)
    return Edit(start, end, written, entry.number, 1, (shape,), entry.line)


def _editable(place: Place, entry: Entry) -> ScalarEvent:
    """The scalar of an entry, where it is one that can be replaced."""
    name, line, event = str(entry.key.value), entry.line, entry.value
    if isinstance(event, AliasEvent):
        raise Refused(Reason.alias, line, name)
    if not isinstance(event, ScalarEvent):
        raise Refused(Reason.not_scalar, line, name)
    _not_followed(place, event)
    if event.style in {"|", ">"}:
        raise Refused(Reason.block_scalar, line, name)
    if event.tag is not None and event.tag not in _STRINGS:
        raise Refused(Reason.tagged, line, name, event.tag)
    return event


def _token(text: str, entry: Entry, scalar: ScalarEvent) -> tuple[int, int]:
    """Where a scalar's own token stands, without the anchor and tag that the parser's marks include."""
    properties = _PROPERTIES.match(text, scalar.start_mark.index, scalar.end_mark.index)
    start = properties.end() if properties is not None else scalar.start_mark.index
    token = text[start : scalar.end_mark.index]
    if _LINE_END.search(token):
        raise Refused(Reason.several_lines, entry.line, entry.key.value)
    quote = scalar.style or ""
    whole = len(token) > 1 and token[0] == token[-1] == quote if quote else token == scalar.value
    if not whole:
        raise Refused(Reason.unusual, entry.line, entry.key.value)
    return start, start + len(token)


def _after_key(text: str, entry: Entry) -> int:
    """Where an empty value stands: behind its key's colon, whatever the parser's marks of it say."""
    colon = _COLON.match(text, entry.key.end_mark.index)
    if colon is None:
        raise Refused(Reason.unusual, entry.line, entry.key.value)
    return colon.end()


def insertion(source: Source, place: Place, beside: str, name: str, value: str) -> Edit:
    """The edit that adds a key after a sibling, in the sibling's column, quotes and line end."""
    entry = place.entries[beside]
    end = _value_end(source.text.text, entry)
    put = _in_braces if place.flow else _on_a_line
    key_style, style = entry.key.style or "", _quotes(entry)
    style = _style(value, style, place.flow)
    key = quoted(name, name, key_style, entry.line)
    start, written = put(source.text.text, entry, end, f"{key}: {quoted(name, value, style, entry.line)}")
    shapes = (scalar_shape(name, key_style), scalar_shape(value, style))
    return Edit(start, start, written, entry.number + 1, 0, shapes, entry.line)


def _quotes(entry: Entry) -> str:
    scalar = entry.value
    return str(scalar.style or "") if isinstance(scalar, ScalarEvent) else ""


def _value_end(text: str, entry: Entry) -> int:
    """Where the token of a sibling ends."""
    event = entry.value
    if isinstance(event, ScalarEvent) and event.style in {"|", ">"}:
        raise Refused(Reason.block_scalar, entry.line, entry.key.value)
    if not isinstance(event, ScalarEvent | AliasEvent):
        raise Refused(Reason.not_scalar, entry.line, entry.key.value)
    if isinstance(event, ScalarEvent) and not event.value and not event.style:
        if event.anchor or event.tag:
            raise Refused(Reason.unusual, entry.line, entry.key.value)
        return _after_key(text, entry)
    return int(event.end_mark.index)


def _in_braces(text: str, entry: Entry, end: int, pair: str) -> tuple[int, str]:
    tight = text[entry.key.end_mark.index : entry.value.start_mark.index] == ":"
    return end, "," + pair.replace(": ", ":", 1) if tight and pair.startswith(('"', "'")) else ", " + pair


def _on_a_line(text: str, entry: Entry, end: int, pair: str) -> tuple[int, str]:
    """A line of its own below the sibling; a last line without a line end stays the one without."""
    mark = entry.key.start_mark
    rest = _REST_OF_LINE.match(text, end)
    if rest is None or not _BEFORE_KEY.fullmatch(text, mark.index - mark.column, mark.index):
        raise Refused(Reason.unusual, entry.line, entry.key.value)
    line = " " * mark.column + pair
    if rest["end"]:
        return rest.end(), line + rest["end"]
    earlier = _LINE_END.search(text)
    return rest.end(), (earlier.group() if earlier else "\n") + line


def _style(value: str, style: str, in_braces: bool) -> str:
    """The quotes to use where the file's own are `style`: plain only where every reader takes the value for text."""
    if style:
        return style
    hard = not _BARE.fullmatch(value) or (_NO_STRING.fullmatch(value) and not _VERSION.fullmatch(value))
    return '"' if hard or (in_braces and ":" in value) else ""  # libyaml refuses a bare colon in braces


def quoted(name: str, value: str, style: str, line: int) -> str:
    """A value in the quotes asked for; Refused where it is not one line of printable text."""
    if not value.isprintable():
        raise Refused(Reason.bad_value, line, name, "not one line of printable text")
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style == '"':
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return value


def apply(source: Source, edits: Sequence[Edit]) -> bytes:
    """The file with all edits; Refused unless its events are those of the source with just these edits.

    Edits may touch, and those at one place are put there in the order given; they never overlap."""
    ordered = sorted(edits, key=lambda edit: edit.start)
    edited = source.text.encoded(_spliced(source.text.text, ordered))
    expected = _expected(source.shapes, edits)
    if len(expected) > MOST_EVENTS:
        raise Refused(Reason.too_many, ordered[0].line, f"{MOST_EVENTS:,}")
    try:
        proved = same(decode(edited).text, expected, source.parser)
    except Unreadable:
        proved = False
    if not proved:
        raise Refused(Reason.unproved, ordered[0].line)
    return edited


def _spliced(text: str, ordered: Sequence[Edit]) -> str:
    pieces: list[str] = []
    done = 0
    for edit in ordered:
        if edit.start < done:
            raise Refused(Reason.unproved, edit.line)
        pieces += [text[done : edit.start], edit.text]
        done = edit.end
    return "".join([*pieces, text[done:]])


def _expected(shapes: Sequence[Shape], edits: Sequence[Edit]) -> list[Shape]:
    """The events after the edits, in one pass: a file may hold tens of thousands of each."""
    expected: list[Shape] = []
    done = 0
    for edit in sorted(edits, key=lambda edit: (edit.event, edit.removed)):  # what is added stands before what was
        if edit.event < done:
            raise Refused(Reason.unproved, edit.line)
        expected += shapes[done : edit.event]
        expected += edit.shapes
        done = edit.event + edit.removed
    return expected + list(shapes[done:])
