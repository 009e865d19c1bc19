"""For any file that is made of the ways in which files are written: nothing but the tokens moves, and back again."""

import random
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from bot.formats import Refused, helm_values
from bot.yaml import Parser
from policies.model import Image
from tests.formats.styles import NEW, OLD, PARSERS, REPO, STYLES, loaded, without_pins

COMMENTS = st.sampled_from(["", " # why", "  # 🚀 it's: {x}", "   "])
OTHERS = st.lists(st.sampled_from(["pull: Always", "a: {tag: x}", "l: [x]", 'q: "a: b"']), max_size=2, unique=True)
NOISE = st.sampled_from(["# tag: v1", "", "x%d: [1, {y: z}]", "t%d: |\n  tag: v1\n\n  digest: x", "e%d: &e%d {a: 1}"])
HARD = st.sampled_from(["1.0", "yes", "2026-01-01", "0x1f", "12:30:45", "8e12345", "1.2.3-rc.1"])


@dataclass(frozen=True)
class Written:
    """A text before an edit from v1 to v2 and what must come of it; `restores`: editing back gives the same bytes."""

    before: str
    after: str
    restores: bool


def pair(key: str, value: str, quote: str) -> str:
    return f"{key}: {quote}{value}{quote}"


@st.composite
def mappings(draw: st.DrawFn) -> Written:
    """One mapping with its keys in any order, in braces or on lines of their own; its digest may be absent or empty."""
    quote, comment, braces = draw(st.sampled_from(["", "'", '"'])), draw(COMMENTS), draw(st.booleans())
    had = draw(st.sampled_from(["digest", "empty", "absent"]))
    mark = quote or ('"' if braces else "")
    before = {"repository": pair("repository", REPO, quote or "'"), "tag": pair("tag", "v1", quote)}
    after = before | {"tag": pair("tag", "v2", quote)}
    if had != "absent":
        before["digest"] = pair("digest", OLD, mark) if had == "digest" else "digest: ''"
        after["digest"] = pair("digest", NEW, mark if had == "digest" else "'")
    order = draw(st.permutations([*before, *draw(OTHERS)]))
    join, end = (", ", "") if braces else (f"{comment}\n", comment)
    texts = [join.join(pairs.get(key, key) for key in order) + end for pairs in (before, after)]
    if had == "absent":
        tag, digest = after["tag"], pair("digest", NEW, mark)
        texts[1] = texts[1].replace(tag, f"{tag}, {digest}") if braces else added_line(texts[1], tag + comment, digest)
    if braces:
        texts = [f"{{{text}}}{comment}" for text in texts]
    return Written(texts[0], texts[1], had == "digest")


def added_line(text: str, line: str, new: str) -> str:
    return "\n".join(one if one != line else f"{one}\n{new}" for one in text.split("\n"))


def indented(text: str, first: str, rest: str) -> str:
    return first + text.replace("\n", f"\n{rest}")


@st.composite
def files(draw: st.DrawFn) -> Written:
    """A values file with one to three such mappings, some in lists, some in later documents, and other things."""
    before, after, restores = "", "", True
    for number in range(draw(st.integers(1, 3))):
        noise = draw(NOISE).replace("%d", str(number)) + "\n" + draw(st.sampled_from(["", "---\n"])) * (number > 0)
        it, indent, listed = draw(mappings()), " " * draw(st.integers(1, 5)), draw(st.booleans())
        first, rest = (f"{indent}- ", f"{indent}  ") if listed else (indent, indent)
        head = f"{noise}image{number}: # it\n"
        before += head + indented(it.before, first, rest) + "\n"
        after += head + indented(it.after, first, rest) + "\n"
        restores = restores and it.restores
    tail = draw(st.sampled_from(["", "# 日本語\n", "z: [~]"]))
    newline, mark, cut = (
        draw(st.sampled_from(["\n", "\r\n"])),
        draw(st.sampled_from(["", "\ufeff"])),
        draw(st.booleans()),
    )
    texts = [text + tail for text in (before, after)]
    if cut:
        texts = [text.removesuffix("\n") for text in texts]
    texts = [mark + text.replace("\n", newline) for text in texts]
    return Written(texts[0], texts[1], restores)


def edit(text: str, digest: str, tag: str | None, parser: Parser = PARSERS["C"]) -> str:
    return helm_values.set_images(text.encode(), {REPO: Image(REPO, digest, tag)}, parser).decode()


def data(text: str) -> list[object]:
    return loaded(text.removeprefix("\ufeff"))


@given(files())
def test_every_byte_outside_the_tokens_is_untouched(file: Written) -> None:
    assert edit(file.before, NEW, "v2") == file.after


@given(files())
def test_the_parser_in_python_gives_the_same_bytes(file: Written) -> None:
    assert edit(file.before, NEW, "v2", PARSERS["Python"]) == file.after


@given(files())
def test_editing_again_changes_nothing_and_editing_back_restores_the_file(file: Written) -> None:
    assert edit(file.after, NEW, "v2") == file.after
    back = edit(file.after, OLD, "v1")
    assert edit(back, NEW, "v2") == file.after
    assert back == file.before or not file.restores


@given(files(), HARD)
def test_an_independent_parser_sees_the_wanted_data_and_no_other(file: Written, tag: str) -> None:
    after = edit(file.before, NEW, tag)
    assert without_pins(data(after)) == without_pins(data(file.before))
    found = [value for value in walked(data(after)) if value.get("repository") == REPO]
    assert found and all((value["tag"], value["digest"]) == (tag, NEW) for value in found)
    assert edit(after, NEW, tag) == after


def walked(value: object) -> list[dict[str, object]]:
    if isinstance(value, list):
        return [found for one in value for found in walked(one)]
    if not isinstance(value, dict):
        return []
    return [value, *(found for one in value.values() for found in walked(one))]


@given(files())
def test_what_is_read_is_what_was_written(file: Written) -> None:
    for text, tag, digests in ((file.before, "v1", {OLD, None}), (file.after, "v2", {NEW})):
        found = helm_values.pins(text.encode())
        assert found and all(pin.repository == REPO and pin.tag == tag and pin.digest in digests for pin in found)
        lines = text.splitlines()
        assert all(REPO in lines[pin.line - 1] for pin in found)


@given(st.sampled_from(sorted(STYLES)), st.integers(0, 2**32), st.integers(1, 6))
def test_a_damaged_file_is_edited_exactly_or_refused(style: str, seed: int, hits: int) -> None:
    """Characters are dropped, doubled and replaced at random: no other error comes out than Refused."""
    chance = random.Random(seed)
    text = STYLES[style][0]
    for _ in range(hits):
        at = chance.randrange(len(text))
        put = chance.choice(["", text[at] * 2, *"\t\n:-{}[]&*!|>'\"#%@`,? \\\x85\u2028"])
        text = text[:at] + put + text[at + 1 :]
    for parser in PARSERS.values():
        try:
            after = edit(text, NEW, "v2", parser)
        except Refused:
            continue
        assert edit(after, NEW, "v2", parser) == after


@given(st.binary(max_size=200) | st.text("ab:-?[]{},&*!|>'\"%@# \n\t.~<", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    for parser in PARSERS.values():
        try:
            helm_values.pins(raw, parser)
        except Refused:
            continue
