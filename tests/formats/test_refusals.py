"""What is refused, by name and line: a file is edited exactly and whole, or not at all."""

from typing import Any

import pytest

from bot.formats import FORMATS, Reason, Refused, helm_values
from bot.formats.locate import locate
from bot.formats.splice import Edit, _expected, apply, replacement
from bot.yaml import MOST_BYTES, Shape
from policies.model import Image
from tests.formats.styles import NEW, OLD, PARSERS, REPO

FORMAT = FORMATS["helm-values"]
IMAGE = f"image:\n  repository: {REPO}\n"

REFUSED: dict[str, tuple[str, Reason, int | None]] = {
    "no YAML": ("image: [\n", Reason.unreadable, 2),
    "a template's lines": (f"{IMAGE}{{{{- if .x }}}}\n  tag: v1\n{{{{- end }}}}\n", Reason.unreadable, 4),
    "NUL": (f"{IMAGE}\0", Reason.unreadable, 3),
    "SOPS": (f"{IMAGE}  tag: v1\nsops:\n  mac: ENC[x]\n", Reason.encrypted, 5),
    "SOPS in a later document": (f"{IMAGE}---\nsops: {{mac: x}}\n", Reason.encrypted, 4),
    "sealed": (f"kind: SealedSecret\n{IMAGE}", Reason.encrypted, 1),
    "another image": ("image:\n  repository: registry.example.com/shop/apl\n", Reason.not_found, None),
    "repository without tag or digest": (f"git:\n  repository: {REPO}\n", Reason.not_found, None),
    "repository by a merge key": (f"d: &d {{repository: {REPO}}}\na: {{<<: *d, tag: v1}}\n", Reason.not_found, None),
    "tag twice": (f"{IMAGE}  tag: a\n  tag: b\n", Reason.repeated_key, 4),
    "digest twice": (f"{IMAGE}  digest: {OLD}\n  digest: {NEW}\n  digest: {OLD}\n", Reason.repeated_key, 5),
    "repository twice": (f"{IMAGE}  repository: {REPO}\n", Reason.repeated_key, 3),
    "registry twice": (f"{IMAGE}  registry: ''\n  registry: ''\n", Reason.repeated_key, 4),
    "tag twice, once by an alias": (f"{IMAGE}  ? &t tag\n  : a\n  *t : b\n", Reason.repeated_key, 5),
    "digest twice, of which the last is right": (f"{IMAGE}  digest: {OLD}\n  digest: {NEW}\n", Reason.repeated_key, 4),
    "digest by an alias": (f"d: &d digest\n{IMAGE}  *d : {OLD}\n", Reason.aliased_key, 4),
    "digest by an alias, which is right": (f"d: &d digest\n{IMAGE}  *d : {NEW}\n", Reason.aliased_key, 4),
    "repository by an alias": (f"? &r repository\n: x\nimage:\n  *r : {REPO}\n  tag: v1\n", Reason.aliased_key, 4),
    "its mapping twice, which is right": (f"image: 1\n{IMAGE}  digest: {NEW}\n", Reason.repeated_key, 2),
    "its mapping twice": (f"{IMAGE}x: 1\nimage: 1\n", Reason.repeated_key, 4),
    "a mapping above twice": (f"a:\n  image:\n    repository: {REPO}\nb: 1\na: 2\n", Reason.repeated_key, 5),
    "digest with a followed anchor": (f"{IMAGE}  digest: &d {OLD}\ny: *d\n", Reason.followed, 3),
    "image with a followed anchor": (f"x: 1\nimage: &i\n  repository: {REPO}\nb: *i\n", Reason.followed, 2),
    "image merged elsewhere": (f"d: &d\n  repository: {REPO}\n  tag: v1\ne: {{<<: *d}}\n", Reason.followed, 1),
    "list above with a followed anchor": (f"a: &a\n- repository: {REPO}\n  tag: v1\nb: *a\n", Reason.followed, 1),
    "tag by an alias": (f"t: &t v1\n{IMAGE}  tag: *t\n", Reason.alias, 4),
    "digest's value by an alias": (f"d: &d {OLD}\n{IMAGE}  digest: *d\n", Reason.alias, 4),
    "a template": (f"{IMAGE}  tag: {{{{ .Values.tag }}}}\n", Reason.not_scalar, 3),
    "a list": (f"{IMAGE}  digest: [a]\n", Reason.not_scalar, 3),
    "block scalar": (f"{IMAGE}  tag: |\n    v1\n", Reason.block_scalar, 3),
    "folded scalar": (f"{IMAGE}  digest: >-\n    {OLD}\n", Reason.block_scalar, 3),
    "block scalar to write beside": (f"image:\n  repository: >-\n    {REPO}\n", Reason.block_scalar, 2),
    "two plain lines": (f"{IMAGE}  tag: v1\n    v2\n", Reason.several_lines, 3),
    "two quoted lines": (f'{IMAGE}  tag: "v1\n    v2"\n', Reason.several_lines, 3),
    "a number's tag": (f"{IMAGE}  tag: !!float 1.0\n", Reason.tagged, 3),
    "a tag of its own": (f"{IMAGE}  tag: !x v1\n", Reason.tagged, 3),
    "two digests": (f"{IMAGE}  tag: v1@{OLD}\n  digest: {OLD}\n", Reason.two_digests, 3),
    "two digests, of which the tag's is right": (f"{IMAGE}  tag: v2@{NEW}\n  digest: {OLD}\n", Reason.two_digests, 3),
    "a question mark's key": (f"image:\n  ? repository\n  : {REPO}\n", Reason.unusual, 3),
    "a question mark's key with nothing": (f"{IMAGE}  ? tag\n\n  # more\n  x: 1\n", Reason.unusual, 3),
    "an anchor on nothing": (f"{IMAGE}  tag: &t\n  x: 1\n", Reason.unusual, 3),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_exact_is_refused_by_name_and_line(name: str, parser: str) -> None:
    text, kind, line = REFUSED[name]
    with pytest.raises(Refused) as caught:
        helm_values.set_images(text.encode(), {REPO: Image(REPO, NEW, "v2")}, PARSERS[parser])
    found = caught.value
    assert (found.kind, found.line) == (kind, line)
    assert str(found) == (f"line {line}: {found.reason}" if line else found.reason)


def test_every_reason_has_its_example() -> None:
    shown = {kind for _, kind, _ in REFUSED.values()}
    others = {Reason.bad_value, Reason.unproved, Reason.too_many}
    assert set(Reason) - shown == others, "these have tests of their own below and beside"


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ({REPO: Image(REPO, "sha256:short")}, "the new digest is no sha256 digest"),
        ({REPO: Image(REPO, NEW, "v2\nx: 1")}, "the new tag is not one line of printable text"),
        ({REPO: Image(REPO, NEW, "v2\u2028")}, "the new tag is not one line of printable text"),
    ],
)
def test_a_new_value_that_is_no_value_is_refused(images: dict[str, Image], words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        FORMAT.set_images(f"{IMAGE}  tag: v1\n".encode(), images)
    assert caught.value.kind is Reason.bad_value


def test_an_image_that_nothing_pins_is_told_with_the_nearest_name() -> None:
    with pytest.raises(Refused) as caught:
        FORMAT.set_images(f"{IMAGE}  tag: v1\n".encode(), {"registry.example.com/shop/app": Image("x", NEW)})
    assert caught.value.reason == f"no place pins registry.example.com/shop/app; the nearest is {REPO}"


def test_the_nearest_name_is_sought_among_a_few() -> None:
    """Among 20,000 it took a minute."""
    text = "".join(f"- {{repository: registry.example.com/shop/service-{n}, tag: v1}}\n" for n in range(20_000))
    missing = "registry.example.com/shop/service-19999x"
    with pytest.raises(Refused, match="the nearest is") as caught:
        FORMAT.set_images(text.encode(), {missing: Image(missing, NEW)})
    assert "service-19999;" not in f"{caught.value.reason};"


def test_one_refusal_refuses_the_whole_file() -> None:
    text = f"{IMAGE}  tag: v1\nb:\n  repository: {REPO}\n  tag: |\n    v1\n"
    with pytest.raises(Refused) as caught:
        FORMAT.set_images(text.encode(), {REPO: Image(REPO, NEW, "v2")})
    assert caught.value.line == 6


def test_what_needs_no_edit_needs_no_refusal() -> None:
    text = f"{IMAGE}  digest: {NEW}\nimage2: &i\n  repository: {REPO}\n  digest: {NEW}\nb: *i\n".encode()
    assert FORMAT.set_images(text, {REPO: Image(REPO, NEW)}) is text


@pytest.mark.parametrize("encrypted", [name for name, (_, kind, _) in REFUSED.items() if kind is Reason.encrypted])
def test_S10_an_encrypted_file_is_not_even_read(encrypted: str) -> None:
    with pytest.raises(Refused, match="is encrypted by"):
        FORMAT.pins(REFUSED[encrypted][0].encode())


@pytest.mark.parametrize("inner", ["sops: {mac: x}", "kind: SealedSecret"])
def test_signs_of_encryption_below_the_top_are_none(inner: str) -> None:
    assert FORMAT.pins(f"{IMAGE}  {inner}\n".encode())


def test_a_message_repeats_little_of_a_long_key() -> None:
    key = "k" * 5_000
    text = f"? {key}\n: image:\n    repository: {REPO}\n? {key}\n: 1\n"
    with pytest.raises(Refused, match="written twice") as caught:
        FORMAT.set_images(text.encode(), {REPO: Image(REPO, NEW)})
    assert len(caught.value.reason) < 500


TEXT = "a: {repository: x, tag: v1}\nb: [1, 2]\n"

WRONG = {
    "another value": Edit(24, 26, "v3", 9, 1, ("v2",), 1),
    "another place": Edit(19, 22, "v2", 9, 1, ("v2",), 1),
    "no YAML any more": Edit(24, 26, "[", 9, 1, ("v2",), 1),
    "one event more": Edit(24, 26, "v2, x: y", 9, 1, ("v2",), 1),
    "one event less": Edit(24, 26, "v2", 9, 1, ("v2", "v3"), 1),
    "a document more": Edit(len(TEXT), len(TEXT), "---\nx\n", 9, 0, (), 1),
    "a control character": Edit(24, 26, "v2\0", 9, 1, ("v2\0",), 1),
    "too large": Edit(24, 26, "v" * MOST_BYTES, 9, 1, ("v" * MOST_BYTES,), 1),
}


def test_the_right_edit_is_proved() -> None:
    source = locate(TEXT.encode(), ("repository", "tag"))
    [place] = source.found
    edit = replacement(source, place, "tag", "v2")
    assert (edit.start, edit.end, edit.event) == (24, 26, 8)
    assert apply(source, [edit]) == TEXT.replace("v1", "v2").encode()


@pytest.mark.parametrize("name", WRONG)
def test_an_edit_that_does_not_prove_right_is_refused(name: str) -> None:
    wrong = WRONG[name]
    source = locate(TEXT.encode(), ("tag",))
    with pytest.raises(Refused) as caught:
        apply(source, [Edit(wrong.start, wrong.end, wrong.text, 8, wrong.removed, wrong.shapes, 1)])
    assert caught.value.kind is Reason.unproved


def test_overlapping_edits_are_refused_even_where_no_event_tells() -> None:
    source = locate(b"a: b # comment\n", ("a",))
    edits = [Edit(7, 11, "x", 0, 0, (), 1), Edit(9, 13, "y", 0, 0, (), 1)]
    with pytest.raises(Refused) as caught:
        apply(source, edits)
    assert caught.value.kind is Reason.unproved


def test_marks_that_point_beside_the_token_are_refused() -> None:
    """libyaml leaves out a second byte order mark, so that its marks are one character off."""
    raw = f"\ufeff\ufeffrepository: {REPO}\ndigest: {OLD}\n".encode()
    with pytest.raises(Refused) as caught:
        FORMAT.set_images(raw, {REPO: Image(REPO, NEW, "v2")})
    assert caught.value.kind is Reason.unusual


def test_edits_may_come_in_any_order_and_take_one_pass_over_the_events() -> None:
    raw = b"".join(f"- repository: {REPO}\n  digest: '{n}'\n".encode() for n in range(3))
    source = locate(raw, ("digest",))
    edits = [replacement(source, place, "digest", NEW) for place in source.found]
    assert apply(source, edits[::-1]) == apply(source, edits)
    assert _work(2_000) * 5 > _work(8_000), "four times the edits take about four times the work, not sixteen times"


def _work(count: int) -> int:
    """How many events are moved to put one in before each of so many."""
    moved = 0

    class Counted(list[Shape]):
        def __getitem__(self, key: Any) -> Any:  # noqa: ANN401 - as list has it
            nonlocal moved
            found = super().__getitem__(key)
            moved += len(found) if isinstance(key, slice) else 1
            return found

    shapes = Counted(["x"] * count)
    assert len(_expected(shapes, [Edit(0, 0, "", n, 0, ("y",), 1) for n in range(count)])) == 2 * count
    return moved
