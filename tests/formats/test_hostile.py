"""Files made to hurt: each is done or refused by name, and none is expanded, recursed into or crashed on."""

import pytest

from bot.formats import Reason, Refused, helm_values
from bot.yaml import DEEPEST, MOST_BYTES, MOST_BYTES_PURE, MOST_EVENTS
from policies.model import Image
from tests.formats.styles import NEW, PARSERS, REPO

IMAGE = f"image:\n  repository: {REPO}\n  tag: v1\n".encode()


def laughs(levels: int) -> bytes:
    """Each level holds the one before nine times over."""
    lines = ["l0: &l0 [x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join([*lines, ""]).encode()


def merges(levels: int) -> bytes:
    """Each level merges the one before nine times over."""
    lines = ["m0: &m0 {a: b}"]
    lines += [f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}" for n in range(1, levels)]
    return "\n".join([*lines, ""]).encode()


REFUSED = {
    "100,000 brackets": (b"[" * 100_000, "nested more than"),
    "100,000 braces": (b"{a: " * 100_000, "nested more than"),
    "2,000 mappings": ("".join(f"{' ' * n}a:\n" for n in range(2_000)).encode(), "nested more than|larger than 512"),
    "20,000 dashes": (b"- " * 20_000, "nested more than"),
    "mappings as keys": (b"? " * 20_000, "nested more than"),
    "one level too many": (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "nested more than"),
    "an unclosed quote": (b'a: "' + b"x" * 1_000, "no YAML"),
    "an unknown alias's end": (b"a: *\n", "no YAML"),
    "a control character": (b"a: \x1b[31m\n", "control character"),
    "NUL": (b"a: b\0\n", "control character"),
    "DEL": (b"a: \x7f\n", "control character"),
    "a control character of Latin-1": (b"a: \xc2\x9b\n", "no YAML"),
    "half a character": (b"a: \xe2\x82\n", "not UTF-8"),
    "a surrogate": (b"a: \xed\xa0\x80\n", "not UTF-8"),
    "Latin-1": (b"a: \xff\n", "not UTF-8"),
    "UTF-16": ("\ufeffa: b\n".encode("utf-16-le"), "not UTF-8"),
    "20 MB in one scalar": (b"a: " + b"x" * 20_000_000, "larger than"),
    "5 MB of comments": (b"# x\n" * 1_250_000, "larger than"),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("name", REFUSED)
def test_hostile_files_are_refused_by_name(name: str, parser: str) -> None:
    raw, words = REFUSED[name]
    with pytest.raises(Refused, match=words) as caught:
        helm_values.pins(raw, PARSERS[parser])
    assert caught.value.kind is Reason.unreadable


@pytest.mark.parametrize(
    "raw", [b"---\na\n" * 100_000, b"a: [" + b"x," * MOST_EVENTS + b"]\n", b"- a: b\n" * 100_000], ids=range(3)
)
def test_more_events_than_any_real_file_has_are_refused(raw: bytes) -> None:
    with pytest.raises(Refused, match="more than 250,000 YAML events"):
        helm_values.pins(raw)


def test_the_parser_in_python_gets_no_large_file() -> None:
    raw = IMAGE + b"#" * MOST_BYTES_PURE
    with pytest.raises(Refused, match="512 KiB"):
        helm_values.pins(raw, PARSERS["Python"])
    assert helm_values.pins(raw)


def test_an_edit_never_makes_a_file_that_is_too_large_to_read_again() -> None:
    raw = IMAGE + b"#" * (MOST_BYTES - len(IMAGE))
    assert helm_values.pins(raw)
    with pytest.raises(Refused) as caught:
        helm_values.set_images(raw, {REPO: Image(REPO, NEW)})
    assert caught.value.kind is Reason.unproved


def test_an_edit_never_makes_a_file_of_too_many_events_to_read_again() -> None:
    scalars = MOST_EVENTS - 16  # the stream, the document, the mapping with its two pairs, and the list take the rest
    raw = IMAGE + b"x: [" + b"a," * scalars + b"]\n"
    assert helm_values.pins(raw)
    with pytest.raises(Refused) as caught:
        helm_values.set_images(raw, {REPO: Image(REPO, NEW)})
    assert str(caught.value) == "line 3: the edited file would have more than 250,000 YAML events"


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("bomb", [laughs(60), merges(60), b"a: &a [*a]\n", b"a: &a {<<: *a}\n"], ids=range(4))
def test_bombs_are_passed_by(bomb: bytes, parser: str) -> None:
    after = helm_values.set_images(bomb + IMAGE, {REPO: Image(REPO, NEW)}, PARSERS[parser])
    assert after == bomb + IMAGE + f"  digest: {NEW}\n".encode()


@pytest.mark.parametrize("parser", PARSERS)
def test_the_deepest_that_is_read_is_edited(parser: str) -> None:
    raw = b"[" * (DEEPEST - 1) + f"{{repository: {REPO}, tag: v1}}".encode() + b"]" * (DEEPEST - 1)
    after = helm_values.set_images(raw, {REPO: Image(REPO, NEW, "v2")}, PARSERS[parser])
    assert after == raw.replace(b"v1", f'v2, digest: "{NEW}"'.encode())


def test_a_thousand_places_are_edited_at_once() -> None:
    raw = b"".join(b"- " + f"repository: {REPO}\n  tag: 'v1' # {n}\n".encode() for n in range(1_000))
    after = helm_values.set_images(raw, {REPO: Image(REPO, NEW, "v2")})
    assert after.count(f"  digest: '{NEW}'\n".encode()) == after.count(b"tag: 'v2' #") == 1_000
    assert after.replace(f"  digest: '{NEW}'\n".encode(), b"").replace(b"v2", b"v1") == raw
